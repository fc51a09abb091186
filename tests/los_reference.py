"""Rays against spheres and boxes in Python's doubles, written without a look at server/geometry:
what the line-of-sight example's hits are compared with.

hits(rays, spheres, boxes) -> one hit a ray, the nearest; all are sequences of numbers, in the order
of the packed structs: ray (ox, oy, oz, dx, dy, dz), sphere (x, y, z, radius), box (min x, y, z,
max x, y, z). A hit is (t, u, v, prim, inst, nx, ny, nz) as in structs.md 4.2: t in lengths of the
direction, prim from 1, inst 1 spheres and 2 boxes; miss: t infinite, the rest 0. Values are exact
to a double's precision: round them to f32 (to_f32, pack) before they are compared, and allow one
ulp: the server rounds other intermediate results. A ray that grazes a sphere to within 1e-9 of its
radius may be decided otherwise.
"""

import math
import struct

HIT = struct.Struct("<fffIIfff")
MISS = (math.inf, 0.0, 0.0, 0, 0, 0.0, 0.0, 0.0)
F32_MAX = 3.4028234663852886e38


def to_f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def ulps(a, b):
    """How many f32s b is away from a; both are rounded first."""
    def ordinal(x):
        bits = struct.unpack("<i", struct.pack("<f", x))[0]
        return bits if bits >= 0 else -(bits & 0x7fffffff)
    return abs(ordinal(a) - ordinal(b))


def pack(found):
    """Hits as the server sends them."""
    return b"".join(HIT.pack(*hit) for hit in found)


def unpack(data):
    return list(HIT.iter_unpack(data))


def dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def sphere(origin, direction, center, radius):
    """(t, normal) of the first place on the surface at t >= 0, or None."""
    length = math.hypot(*direction)
    unit = [d / length for d in direction]
    away = [o - c for o, c in zip(origin, center)]
    along = -dot(away, unit)
    nearest = [w + along * u for w, u in zip(away, unit)]
    left = (radius - math.hypot(*nearest)) * (radius + math.hypot(*nearest))
    if dot(away, away) == radius * radius:  # it begins on the surface
        return 0.0, [w / radius for w in away] if radius else [-u for u in unit]
    if left < 0:
        return None
    for distance in (along - math.sqrt(left), along + math.sqrt(left)):
        if distance >= 0:
            point = [w + distance * u for w, u in zip(away, unit)]
            size = math.hypot(*point)
            normal = [p / size for p in point] if size else [-u for u in unit]
            return distance / length, normal
    return None


def box(origin, direction, low, high):
    """The same for a box, by its six faces: the first that is met within its borders."""
    faces = []
    for axis in range(3):
        if direction[axis] == 0:
            if not low[axis] <= origin[axis] <= high[axis]:
                return None
            continue
        for wall, side in ((low[axis], -1.0), (high[axis], 1.0)):
            faces.append(((wall - origin[axis]) / direction[axis], axis, side))
    # From without, the ray comes in where it has passed the last of the walls it faces; it goes out
    # at the first of those behind.
    into = max((face for face in faces if face[2] * direction[face[1]] < 0),
               key=lambda face: (face[0], -face[1]))
    out = min((face for face in faces if face[2] * direction[face[1]] > 0),
              key=lambda face: (face[0], face[1]))
    if into[0] > out[0] or out[0] < 0:
        return None
    t, axis, side = into if into[0] >= 0 else out
    normal = [0.0, 0.0, 0.0]
    normal[axis] = side
    return t, normal


def hit(ray, spheres, boxes):
    origin, direction = ray[:3], ray[3:]
    if not all(map(math.isfinite, ray)) or not any(direction):
        return MISS
    best = MISS
    for inst, test, shapes in ((1, lambda s: sphere(origin, direction, s[:3], s[3]), spheres),
                               (2, lambda b: box(origin, direction, b[:3], b[3:]), boxes)):
        for prim, shape in enumerate(shapes, 1):
            found = test(shape)
            if found and found[0] <= F32_MAX and to_f32(found[0]) < to_f32(best[0]):
                t, normal = found
                best = (t + 0.0, 0.0, 0.0, prim, inst, *(n + 0.0 for n in normal))
    return best


def hits(rays, spheres, boxes):
    return [hit(ray, spheres, boxes) for ray in rays]
