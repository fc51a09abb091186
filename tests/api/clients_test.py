#!/usr/bin/env python3
"""lua/examples/clients and the examples that they are for: packed bytes out and in, and answers
that equal those of references written in Python, in doubles or in fractions.

Hits: prim and inst are the same; t and the normal differ by no more than one ulp of f32 from a
reference in doubles (los_reference.py), and nearly all of them not at all. Zones: the same ids."""

import json
import math
import os
import random
import struct
import subprocess
import sys
import tempfile
import unittest
from fractions import Fraction

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import los_reference as reference  # noqa: E402
from harness import ROOT, Server, request  # noqa: E402
from schema_readers import PYTHON  # noqa: E402

EXAMPLES = os.path.join(ROOT, "lua/examples")
RAY = struct.Struct("<6f")
SEED = 20261126
RAYS = 1500
INFINITY, NAN = math.inf, math.nan


def start(test, example):
    server = Server(arguments=[os.path.join(EXAMPLES, example)])
    server.start()
    test.addClassCleanup(server.stop)
    return server


def random_rays(rng):
    """From the streets, from above, from within houses, to all sides, every other into a tree."""
    for i in range(RAYS):
        origin = [rng.uniform(-20, 130), rng.uniform(0, 20), rng.uniform(-20, 130)]
        length = 10 ** rng.uniform(-3, 3)
        to = [rng.gauss(0, 1) for _ in range(3)]
        if i % 2:
            tree = (12 * rng.randrange(10) + 9, 3, 12 * rng.randrange(10) + 3)
            to = [t - o + d / 2 for t, o, d in zip(tree, origin, to)]
        yield (*origin, *(length * d for d in to))


SPECIAL = [
    (0, 0, 0, 0, 0, 0),  # no direction
    (NAN, 0, 0, 1, 0, 0), (0, 1, 3, 1, INFINITY, 0), (INFINITY, 1, 3, -1, 0, 0),
    (-4, 1, 3, 1, 0, 0), (-4, 1, 3, -1, 0, 0), (-4, 1, 3, 1e-30, 0, 0), (-4, 1, 3, 1e30, 0, 0),
    (3, 1, 3, 0, 1, 0), (3, 1, 3, 0, -1, 0),  # from within a house
    (9, 3, 3, 1, 0, 0), (9, 3, 3, 0, 0, -2),  # from within a tree
    (-4, 0, 0, 1, 0, 0), (0, 30, 0, 0, -1, 0),  # along an edge
    (0, 1, 3, 1, 0, 0), (6, 1, 3, 1, 0, 0),  # from a wall
    (-4, 1, 6, 1, 0, 0), (-1, -1, -1, 1, 1, 1),  # beside a wall, at a corner
    (3, 1e30, 3, 0, -1, 0), (3, 1e30, 3, 0, -1e30, 0), (3, -1e-38, 3, 0, 1e-40, 0),
    (3e38, 1, 3, -3e38, 0, 0), (1e-45, 1e-45, 1e-45, 1e-45, 1e-45, 1e-45),
]


class LineOfSight(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = start(cls, "10_line_of_sight.lua")
        cls.url = "http://%s:%d" % cls.server.addresses[0]
        folder = tempfile.TemporaryDirectory(prefix="perilune-clients-")
        cls.addClassCleanup(folder.cleanup)
        cls.sent, cls.received = (os.path.join(folder.name, name) for name in ("rays", "hits"))
        rays = [*SPECIAL, *random_rays(random.Random(SEED))]
        cls.data = b"".join(RAY.pack(*ray) for ray in rays)
        with open(cls.sent, "wb") as file:
            file.write(cls.data)
        spheres = struct.iter_unpack("<4f", request(cls.server, "GET", "/trees").body)
        boxes = struct.iter_unpack("<6f", request(cls.server, "GET", "/houses").body)
        cls.expected = reference.hits(RAY.iter_unpack(cls.data), list(spheres), list(boxes))

    def check(self, data):
        found = reference.unpack(data)
        self.assertEqual(len(found), len(self.expected))
        apart = 0
        for ray, hit, expected in zip(RAY.iter_unpack(self.data), found, self.expected):
            self.assertEqual((hit[3:5], hit[1:3]), (expected[3:5], (0, 0)), (ray, hit, expected))
            numbers = [(hit[i], expected[i]) for i in (0, 5, 6, 7)]
            self.assertLessEqual(max(reference.ulps(*pair) for pair in numbers), 1,
                                 (ray, hit, expected))
            apart += struct.pack("<4f", *(a for a, _ in numbers)) != \
                struct.pack("<4f", *(b for _, b in numbers))
        self.assertLess(apart, len(found) / 100)
        kinds = [hit[4] for hit in found]
        self.assertTrue(all(kinds.count(kind) > RAYS / 20 for kind in (0, 1, 2)))

    def skip_without_numpy(self):
        if subprocess.run([PYTHON, "-c", "import numpy"], capture_output=True,
                          check=False).returncode:
            self.skipTest(f"no numpy for {PYTHON}")

    def run_client(self, *command, **options):
        return subprocess.run(command, stdout=subprocess.PIPE, timeout=60, check=True,
                              **options).stdout

    def test_curl_gets_the_hits_of_the_reference(self):
        self.check(self.run_client("curl", "-sS", "--data-binary", "@" + self.sent,
                                   self.url + "/hits"))

    def test_the_client_in_python_does(self):
        self.skip_without_numpy()
        client = os.path.join(EXAMPLES, "clients/line_of_sight.py")
        with open(self.sent, "rb") as file:
            self.check(self.run_client(PYTHON, "-B", client, self.url, stdin=file))

    def test_the_client_in_javascript_does(self):
        client = os.path.join(EXAMPLES, "clients/line_of_sight.mjs")
        self.run_client("node", client, self.url, self.sent, self.received)
        with open(self.received, "rb") as file:
            self.check(file.read())

    def test_both_clients_see_the_same_around_them(self):
        self.skip_without_numpy()
        client = os.path.join(EXAMPLES, "clients/line_of_sight.mjs")
        in_node = self.run_client("node", client, self.url).decode()
        self.assertRegex(in_node, r"^360 rays, \d+ hits; nearest \d+\.\d\d, \d+ houses\n$")
        script = ("import sys; sys.path.insert(0, sys.argv[2]); import line_of_sight as los\n"
                  "server = los.Server(sys.argv[1]); rays = los.look_around(server, (57, 12, 57))\n"
                  "t = server.convert('/hits', 'ray', rays, 'hit')['t']\n"
                  "print((t < los.numpy.inf).sum(), '%.2f' % t.min())")
        seen = self.run_client(PYTHON, "-B", "-c", script, self.url,
                               os.path.join(EXAMPLES, "clients")).decode().split()
        self.assertIn(f" {seen[0]} hits; nearest {seen[1]},", in_node)

    def test_visible_is_what_has_no_hit_in_between(self):
        ends = list(RAY.iter_unpack(self.data))[len(SPECIAL):][:500]
        segments = b"".join(RAY.pack(*(list(ray[:3]) + [o + d for o, d in zip(ray[:3], ray[3:])]))
                            for ray in ends)
        spheres = list(struct.iter_unpack("<4f", request(self.server, "GET", "/trees").body))
        boxes = list(struct.iter_unpack("<6f", request(self.server, "GET", "/houses").body))
        rays = [(*s[:3], *(b - a for a, b in zip(s[:3], s[3:]))) for s in RAY.iter_unpack(segments)]
        hits = reference.hits(rays, spheres, boxes)
        mask = request(self.server, "POST", "/visible", body=segments).body
        self.assertEqual(len(mask), len(hits))
        for visible, hit in zip(mask, hits):
            if abs(hit[0] - 1) > 1e-6:  # nothing ends just at a wall
                self.assertEqual(visible, hit[0] > 1)
        self.assertTrue(50 < sum(mask) < len(mask) - 50)


def side(a, b, p):
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def where(ring, p):
    """1 inside, 0 on the border, -1 outside, in fractions: by the angles' crossings of a ray."""
    inside = False
    for a, b in zip(ring, ring[1:] + ring[:1]):
        turn = side(a, b, p)
        if turn == 0 and all(min(a[i], b[i]) <= p[i] <= max(a[i], b[i]) for i in (0, 1)):
            return 0
        if (a[1] > p[1]) != (b[1] > p[1]):
            inside ^= (turn > 0) == (b[1] > a[1])
    return 1 if inside else -1


def zone_of(zones, p):
    for zone in zones:
        if where(zone["ring"], p) >= 0 and all(where(hole, p) <= 0 for hole in zone["holes"]):
            return zone["id"]
    return 0


def exact(ring):
    return [tuple(map(Fraction, point)) for point in ring]


class Zones(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = start(cls, "11_zones.lua")
        cls.zones = request(cls.server, "GET", "/zones").json()

    def points(self, rng):
        """Anywhere; all corners, and points on all edges and next to them in the last bit."""
        for _ in range(3000):
            yield rng.uniform(13.33, 13.395), rng.uniform(52.505, 52.528)
        rings = [ring for zone in self.zones for ring in [zone["ring"], *zone.get("holes", [])]]
        for ring in rings:
            for a, b in zip(ring, ring[1:] + ring[:1]):
                for i in range(9):
                    x, y = (a[k] + (b[k] - a[k]) * i / 8 for k in (0, 1))
                    for dx in (-INFINITY, x, INFINITY):
                        for dy in (-INFINITY, y, INFINITY):
                            yield math.nextafter(x, dx), math.nextafter(y, dy)

    def test_ids_are_those_of_exact_arithmetic(self):
        points = list(self.points(random.Random(SEED)))
        zones = [{"id": zone["id"], "ring": exact(zone["ring"]),
                  "holes": [exact(hole) for hole in zone.get("holes", [])]} for zone in self.zones]
        expected = [zone_of(zones, tuple(map(Fraction, point))) for point in points]
        body = b"".join(struct.pack("<2d", *point) for point in points)
        answer = request(self.server, "POST", "/zones", body=body)
        self.assertEqual(answer.status, 200)
        found = [number for number, in struct.iter_unpack("<I", answer.body)]
        for point, one, other in zip(points, found, expected, strict=True):
            self.assertEqual(one, other, point)
        self.assertTrue(all(found.count(zone) > 100 for zone in (0, 7, 9)))

    def test_nearest_is_what_is_nearest_on_a_sphere(self):
        rng = random.Random(SEED)
        points = [(rng.uniform(13.3, 13.45), rng.uniform(52.49, 52.54)) for _ in range(500)]
        stations = [(13.3325, 52.5072), (13.3695, 52.5251), (13.4025, 52.5228)]
        answer = request(self.server, "POST", "/nearest", {"Accept": "application/json"},
                         body=b"".join(struct.pack("<2d", *point) for point in points))

        def metres(a, b):
            (lon, lat), (to_lon, to_lat) = (map(math.radians, p) for p in (a, b))
            half = (math.sin((to_lat - lat) / 2) ** 2
                    + math.cos(lat) * math.cos(to_lat) * math.sin((to_lon - lon) / 2) ** 2)
            return 2 * 6371008.8 * math.asin(math.sqrt(half))

        for point, found in zip(points, json.loads(answer.body), strict=True):
            distances = [metres(point, station) for station in stations]
            self.assertAlmostEqual(found["metres"] / min(distances), 1, delta=1e-3)
            self.assertAlmostEqual(distances[found["station"] - 1] / min(distances), 1, delta=1e-3)


class Transforms(unittest.TestCase):
    """A random tree: each node's matrix by its parents', in doubles."""

    NODE = struct.Struct("<IB10f")

    @classmethod
    def setUpClass(cls):
        cls.server = start(cls, "12_transforms.lua")

    def random_tree(self, rng, count):
        for i in range(count):
            rotation = [rng.gauss(0, 1) for _ in range(4)]
            size = math.hypot(*rotation)
            yield (rng.randint(max(0, i - 3), i), rng.randint(0, 4),
                   *(rng.uniform(-2, 2) for _ in range(3)), *(r / size for r in rotation),
                   *(rng.uniform(0.9, 1.1) for _ in range(3)))

    @staticmethod
    def move(node, p):
        """p in the node's frame -> in its parent's: scaled, turned, moved."""
        (x, y, z, w), p = node[5:9], [a * b for a, b in zip(p, node[9:12])]

        def cross(a, b):
            return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
        twice = [2 * c for c in cross((x, y, z), p)]
        turned = [a + w * b + c for a, b, c in zip(p, twice, cross((x, y, z), twice))]
        return [a + b for a, b in zip(turned, node[2:5])]

    def test_the_world_is_that_of_the_parents(self):
        data = b"".join(self.NODE.pack(*node) for node in self.random_tree(random.Random(SEED), 60))
        nodes = list(self.NODE.iter_unpack(data))
        answer = request(self.server, "POST", "/arm", body=data)
        self.assertEqual(len(answer.body), 64 * len(nodes))
        matrices = list(struct.iter_unpack("<16f", answer.body))
        tools = []
        for i, node in enumerate(nodes):
            for p in ((0, 0, 0), (1, 0, 0), (0, 2, 0), (1, -1, 3)):
                expected, up = self.move(node, p), node[0]
                while up:
                    expected, up = self.move(nodes[up - 1], expected), nodes[up - 1][0]
                m = matrices[i]
                for row in range(3):
                    found = sum(m[4 * k + row] * p[k] for k in range(3)) + m[12 + row]
                    self.assertAlmostEqual(found, expected[row], delta=2e-4)
            if node[1] == 3:
                tools.append(matrices[i][12:15])
        packed = request(self.server, "GET", "/arm/tools").body
        self.assertEqual(list(struct.iter_unpack("<3f", packed)), tools)
        self.assertTrue(tools)

    def test_a_parent_comes_first(self):
        nodes = ((parent, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1) for parent in (0, 2))
        data = b"".join(self.NODE.pack(*node) for node in nodes)
        answer = request(self.server, "POST", "/arm", body=data)
        self.assertEqual(answer.status, 422)
        self.assertEqual(answer.json()["detail"], "node 2 comes before its parent")


if __name__ == "__main__":
    unittest.main()
