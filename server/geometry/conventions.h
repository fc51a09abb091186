/// What the numbers in the built-in structs mean, once for ops, kernels and queries.
///
/// Axes      x right, y up, z forward: vec3.right, up and forward are +x, +y and +z, as Unity and
///           tolua have them and as glTF has the front of a model. Every formula on vectors and
///           quaternions is the same numbers in, the same numbers out as there, whatever hand the
///           sender's axes are of: nothing has to be mirrored.
/// Cameras   are right-handed, as glTF's and cglm's: mat4.look_at, perspective, ortho and frustum
///           look along the camera's -z. So mat4.look_at(eye, eye + f, up) is the inverse of a
///           transform whose rotation is quat.look_rotation(-f, up).
/// Depth     0 at the near plane, 1 at the far one, as Vulkan, Direct3D, Metal and WebGPU have it:
///           floats are densest at 0, and near and far may be exchanged (reversed depth).
/// Matrices  column-major; they act on columns: `m * v`, and `a * b` applies b first. An affine is
///           a mat4 without its last row (0 0 0 1).
/// Points    `m * v3` is a point: w = 1, and nothing is divided by w; project_point divides.
/// Quats     {x, y, z, w}, w real; `a * b` applies b first; -q is the same rotation as q.
/// Euler     euler(x, y, z) = turn(y about y) * turn(x about x) * turn(z about z): z first.
/// Angles    radians; only lla has degrees (and metres). A positive angle turns x to y about +z.
/// Planes    dot(normal, p) + d = 0; above is where that is positive. A frustum's normals point
///           inward, its planes in the order left, right, bottom, top, near, far.
/// Rays      t is in lengths of direction, which nobody normalises for you; missed: t = inf. A ray
///           without a direction misses everything. Casting at a solid (aabb, rect, bounds, sphere,
///           capsule, obb, frustum) gives where the line enters it: negative when the ray begins
///           inside, inf when all of it lies behind. At a plane t may be negative: it lies behind.
/// Distance  from a point to a solid or plane is negative inside, or below.
///
/// How results are rounded, which makes an array's kernel and an op agree:
/// - Components are computed in f64 and rounded once to the field's type; of one + - * / min or
///   max of f32 that is the same as f32 arithmetic. A number stands for a vector of that number: it
///   is rounded to the field's type first.
/// - Sums of products (dot, length, cross, rotation of quaternions) are computed in f64, too, and
///   are numbers or rounded once. Products of mat3 and mat4 are cglm's, in f32.
/// - Integers: the exact result, cut towards zero, then clamped to what the field holds; not a
///   number becomes 0. So 7 / 2 = 3, 1 / 0 = the greatest, 0 / 0 = 0, uvec - uvec is never below 0.
///   color8 rounds to the nearest instead.
/// - A vector not longer than PL_NORMALIZE_MIN_F32 or _F64, or not finite, normalises to 0.
/// - NaN in gives NaN out in the components that depend on it; no input traps.
#pragma once

/// tolua's bound for what is too short to have a direction.
#define PL_NORMALIZE_MIN_F32 1e-5
#define PL_NORMALIZE_MIN_F64 1e-12

/// Metres: the mean radius of the Earth (IUGG), for distances on the sphere.
#define PL_EARTH_RADIUS 6371008.8
/// WGS 84: the ellipsoid's great half axis in metres, and its flattening.
#define PL_EARTH_AXIS 6378137.0
#define PL_EARTH_FLATTENING (1 / 298.257223563)

#define PL_PI 3.14159265358979323846

/// Planes of a frustum, in their order.
enum pl_frustum_plane {
  PL_FRUSTUM_LEFT,
  PL_FRUSTUM_RIGHT,
  PL_FRUSTUM_BOTTOM,
  PL_FRUSTUM_TOP,
  PL_FRUSTUM_NEAR,
  PL_FRUSTUM_FAR,
  PL_FRUSTUM_PLANES
};
