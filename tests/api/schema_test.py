#!/usr/bin/env python3
"""D9: random structs through everything that reads and writes them: generated C, C++, numpy and
JavaScript, JSON both ways, against an oracle of the tests' own (schemas.py)."""

import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import schema_readers  # noqa: E402
from harness import Server  # noqa: E402
from schemas import FLATS, PLANE, RAY, Struct, is_json_of, random_types, to_json  # noqa: E402

STRUCTS = 1000
SEED = int(os.environ.get("SCHEMA_SEED", random.SystemRandom().randrange(1 << 32)))
BUILTINS = ["vec2", "vec3", "vec4", "ivec2", "ivec3", "ivec4", "uvec2", "uvec3", "uvec4", "dvec2",
            "dvec3", "dvec4", "quat", "dquat", "color", "color8", "mat3", "mat4", "affine",
            "transform", "ray", "ray2", "segment", "aabb", "rect", "drect", "bounds", "sphere",
            "plane", "triangle", "capsule", "obb", "frustum", "hit", "lla"]

APP = """
local perilune = require "perilune"
local struct = require "perilune.struct"
local app = perilune.app()
app:schemas()
app:post("/echo/:name", function(req) return req:struct(req.params.name) end)
%s
return app
"""


def is_numpy_there():
    return subprocess.run([schema_readers.PYTHON, "-c", "import numpy"], capture_output=True,
                          check=False).returncode == 0


class SchemaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"SCHEMA_SEED={SEED}", file=sys.stderr)
        cls.rng = random.Random(SEED)
        types = random_types(cls.rng, STRUCTS)
        structs = [kind for kind in types if isinstance(kind, Struct)] + [RAY, PLANE]
        cls.pairs = [(kind, kind.random_value(cls.rng)) for kind in structs]
        cls.server = Server(APP % "\n".join(kind.definition() for kind in types))
        cls.server.start()
        cls.addClassCleanup(cls.server.stop)
        host, port = cls.server.addresses[0]
        cls.connection = http.client.HTTPConnection(host, port, timeout=60)
        cls.addClassCleanup(cls.connection.close)
        folder = tempfile.TemporaryDirectory(prefix="perilune-schema-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        for kind, _ in cls.pairs:
            for form in ("h", "py", "ts"):
                cls.save(kind.name, form)

    @classmethod
    def ask(cls, method, path, body=None, headers=None):
        cls.connection.request(method, path, body, headers or {})
        response = cls.connection.getresponse()
        return response, response.read()

    @classmethod
    def save(cls, name, form):
        response, text = cls.ask("GET", f"/_schema/{name}.{form}")
        assert response.status == 200, text
        with open(os.path.join(cls.folder, f"{name}.{form}"), "wb") as file:
            file.write(text)

    def test_c_reads_and_writes_them(self):
        schema_readers.compile_all(self.folder, self.pairs)
        schema_readers.read_in_c(self.folder, self.pairs)

    def test_numpy_reads_and_writes_them(self):
        if not is_numpy_there():
            self.skipTest(f"no numpy for {schema_readers.PYTHON}")
        schema_readers.read_in_numpy(self.folder, self.pairs)

    def test_javascript_reads_and_writes_them(self):
        schema_readers.read_in_node(self.folder, self.pairs)

    def test_json_layouts_say_offsets_and_types(self):
        for kind, _ in self.pairs:
            response, text = self.ask("GET", f"/_schema/{kind.name}")
            self.assertEqual(response.getheader("content-type"), "application/json")
            layout = json.loads(text)
            found = [(f["name"], f["type"], f["offset"], f["count"], f.get("array", False))
                     for f in layout["fields"]]
            self.assertEqual(found, [(f.name, f.type.name, f.offset, max(f.count, 1), f.count > 0)
                                     for f in kind.fields])
            self.assertEqual((layout["name"], layout["size"]), (kind.name, kind.size))
            known = {t["name"] for t in layout["types"]}
            used = {f["type"] for t in [layout, *layout["types"]] for f in t.get("fields", ())}
            self.assertLessEqual(known, used)

    def test_json_values_are_those_of_the_bytes(self):
        for kind, value in self.pairs:
            response, text = self.ask("POST", f"/echo/{kind.name}", kind.pack(value),
                                      {"Accept": "application/json"})
            self.assertEqual(response.status, 200, text)
            self.assertTrue(is_json_of(kind, value, json.loads(text)), (kind.schema, value, text))

    def test_bytes_are_those_of_the_json_values(self):
        for kind, value in self.pairs:
            sent = json.dumps(to_json(self.rng, kind, value))
            response, data = self.ask("POST", f"/echo/{kind.name}", sent,
                                      {"Content-Type": "application/json"})
            self.assertEqual(response.status, 200, data)
            self.assertEqual(data, kind.pack(value), (kind.schema, sent))

    def test_hashes_are_the_same_everywhere(self):
        for kind, value in self.pairs[::97]:
            response, _ = self.ask("POST", f"/echo/{kind.name}", kind.pack(value))
            layout = json.loads(self.ask("GET", f"/_schema/{kind.name}.json")[1])
            self.assertIn(f';hash="{layout["hash"]}"', response.getheader("perilune-struct"))
            for form in ("h", "py", "ts"):
                text = self.ask("GET", f"/_schema/{kind.name}.{form}")[1].decode()
                self.assertRegex(text, f'{kind.name}_HASH (= )?"{layout["hash"]}"')

    def test_built_in_types_have_schemas(self):
        kinds = [Struct(name, [("x", FLATS["vec3"], 0, None)]) for name in BUILTINS]
        for name in BUILTINS:
            layout = json.loads(self.ask("GET", f"/_schema/{name}")[1])
            self.assertEqual(layout["name"], name)
            for form in ("h", "py", "ts"):
                self.save(name, form)
        schema_readers.compile_all(self.folder, [(kind, None) for kind in kinds])
        schema_readers.import_all(self.folder, BUILTINS, is_numpy_there())

    def test_scalars_and_enums_have_schemas(self):
        for name, size in (("u32", 4), ("f16", 2), ("dec128", 16), ("E0", None)):
            layout = json.loads(self.ask("GET", f"/_schema/{name}")[1])
            self.assertEqual(layout["kind"], "enum" if name == "E0" else "scalar")
            self.assertIn(layout["size"], [size] if size else [1, 2, 4, 8])
            for form in ("h", "py", "ts"):
                self.save(name, form)
        names = ["u32", "f16", "dec128", "E0"]
        kinds = [Struct(name, [("x", FLATS["vec3"], 0, None)]) for name in names]
        schema_readers.compile_all(self.folder, [(kind, None) for kind in kinds])
        schema_readers.import_all(self.folder, names, is_numpy_there())

    def test_unknown_names_are_404_with_a_suggestion(self):
        for path, words in (("rai", "no type has the name 'rai' (did you mean 'ray'?)"),
                            ("ray.xml", "a schema is ray.json, .h, .ts or .py"),
                            ("nothing_like_it.h", "no type has the name 'nothing_like_it'"),
                            (".h", "no type has the name ''")):
            response, text = self.ask("GET", f"/_schema/{path}")
            self.assertEqual(response.status, 404, (path, text))
            self.assertEqual(json.loads(text)["detail"], words)


if __name__ == "__main__":
    unittest.main()
