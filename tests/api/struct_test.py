#!/usr/bin/env python3
"""perilune.struct in handlers: definitions, values, enums, what they cost; on several workers."""

import os
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Server, request, run  # noqa: E402

APP = r"""
local perilune, struct = require "perilune", require "perilune.struct"
local app = perilune.app()
local Kind = struct.enum("Kind", "u8", {ball = 1, ray = 2})
local Rights = struct.enum("Rights", "u16", {read = 1, write = 2, run = 4}, {flags = true})
local Shot = struct.define("Shot", "t:f32 uv:vec2 prim:u32 kind:Kind n:vec3 tag:u8[8]", {
  statics = {none = {t = 1, kind = "ray"}},
  methods = {twice = function(shot) return shot.t * 2 end},
})
local shared = 0

app:get("/pack", function()
  local shot = Shot(0.5, 1, 2, 7, "ball", {0, 1, 0}, "abc")
  shot.n.z, shot.tag[8] = 4, 255
  return shot:pack()
end)

app:post("/unpack", function(req)
  local shot, after = Shot.unpack(req:body())
  return {t = shot.t, twice = shot:twice(), kind = tostring(shot.kind), after = after,
          is = shot.kind == Kind.ray, n = {shot.n:get()}, tag = shot.tag:totable()}
end)

app:get("/constant", function()
  Shot.none.t = 5
end)
app:get("/constant/read", function()
  return tostring(Shot.none)
end)

app:get("/free", function()
  local a, b, get, set = Shot(), Shot(), Shot.path "n.y"
  local before = collectgarbage("count")
  for _ = 1, 100000 do
    a.t = b.t + 1
    set(a, get(b))
    a:copy(b)
    local t, u, v = a:get("t", "uv")
    a.kind = Kind(2)
    shared = shared + (a.kind == Kind.ray and a == b and 1 or 0)
  end
  return tostring(collectgarbage("count") - before)
end)

app:get("/late", function()
  local Late = struct.define("Late", "a:Shot k:Kind")
  return tostring(Late({t = 2}, "ball").a.t) .. " " .. tostring(struct.typeof(Late()) == Late)
end)

app:get("/typo", function() return Shot().tt end)
app:get("/rights", function()
  return tostring(Rights.read | Rights.run) .. " " .. tostring(Rights "read|write" & Rights.write)
end)
app:get("/helpers", function()
  return struct.u64.tostring(-1) .. " " .. tostring(struct.dec128 "0.1" + "0.2")
end)
return app
"""

SHOT = struct.Struct("<f2fIB3f8s")


class Handlers(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.server = Server(APP, settings={"limits.cpu": False})  # long loops under a sanitizer
        cls.server.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)

    def get(self, path):
        answer = request(self.server, "GET", path)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.body.decode()

    def test_values_are_packed_little_endian(self):
        body = request(self.server, "GET", "/pack").body
        self.assertEqual(SHOT.unpack(body), (0.5, 1, 2, 7, 1, 0, 1, 4, b"abc\0\0\0\0\xff"))

    def test_values_are_unpacked(self):
        packed = SHOT.pack(1.5, 0, 0, 0, 2, 1, 2, 3, b"xyz")
        answer = request(self.server, "POST", "/unpack", body=packed).json()
        self.assertEqual(answer, {"t": 1.5, "twice": 3, "kind": "ray", "after": SHOT.size + 1,
                                  "is": True, "n": [1, 2, 3],
                                  "tag": [120, 121, 122, 0, 0, 0, 0, 0]})
        self.assertEqual(request(self.server, "POST", "/unpack", body=packed[:-1]).status, 500)
        self.server.wait_log("Shot takes 37 bytes, at position 1 there are 36")

    def test_constants_of_all_requests_cannot_be_changed(self):
        self.assertEqual(request(self.server, "GET", "/constant").status, 500)
        self.server.wait_log("this Shot is frozen: it cannot be changed")
        self.assertEqual(self.get("/constant/read"),
                         "Shot(1, vec2(0, 0), 0, ray, vec3(0, 0, 0), {0, 0, 0, 0, 0, 0, 0, 0})")

    def test_operations_in_place_allocate_nothing(self):
        self.get("/free")  # what is made on first use
        self.assertEqual(float(self.get("/free")), 0)

    def test_a_definition_inside_a_handler_is_the_same_each_time(self):
        for _ in range(3):
            self.assertEqual(self.get("/late"), "2.0 true")

    def test_a_mistyped_field_names_the_nearest(self):
        self.assertEqual(request(self.server, "GET", "/typo").status, 500)
        self.server.wait_log(r"Shot has no field or method 'tt' \(did you mean 't'\?\)")

    def test_flags_and_helpers(self):
        self.assertEqual(self.get("/rights"), "read|run write")
        self.assertEqual(self.get("/helpers"), "18446744073709551615 0.3")


class Workers(unittest.TestCase):

    def test_each_worker_has_its_types(self):
        with Server(APP, workers=3) as server:
            for _ in range(12):
                self.assertEqual(request(server, "GET", "/late").body, b"2.0 true")
                self.assertEqual(SHOT.size, len(request(server, "GET", "/pack").body))


class Mistakes(unittest.TestCase):
    """Each is found when the app is loaded, and names its line."""

    def refused(self, text, message):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "app.lua"), "w", encoding="utf-8") as file:
                file.write('local struct = require "perilune.struct"\n' + text)
            done = run("check", "app.lua", cwd=folder)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(message, done.stderr)

    def test_a_schema_with_an_unknown_type(self):
        self.refused('struct.define("A", "x:f33")',
                     "app.lua:2: A.x: unknown type 'f33' (did you mean 'f32'?), column 3")

    def test_one_name_for_two_structs_names_both_places(self):
        self.refused('struct.define("A", "x:f32")\nstruct.define("A", "x:f64")',
                     "app.lua:3: the type A is defined already, otherwise: 4 bytes at app.lua:2, "
                     "8 bytes at app.lua:3")

    def test_an_enum_s_value_out_of_range(self):
        self.refused('struct.enum("E", "u8", {A = 256})', "app.lua:2: E.A: 256 is no value of u8")

    def test_arguments_are_named(self):
        self.refused('struct.define("A", 5)', "bad argument #2 to 'define'")
        self.refused('struct.enum("A", "u8", {"A"})', "bad argument #3 to 'enum'")
        self.refused("struct.typeof()", "bad argument #1 to 'typeof'")


if __name__ == "__main__":
    unittest.main()
