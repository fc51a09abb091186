#!/usr/bin/env python3
"""struct.map: files as arrays and as answers, what cannot be mapped, what it counts for."""
# presets: asan

import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Server, request  # noqa: E402

APP = r"""
local perilune, struct = require "perilune", require "perilune.struct"
local geometry = require "perilune.geometry"
local app = perilune.app()
local held <const>, sparse <const> = struct.map("mesh.bin"), struct.map("sparse.bin")

app:get("/sum", function()
  local sum = geometry.vec3.array(held):sum()
  return ("%d %s %s %g %g %g"):format(#held, held:is_frozen(), pcall(held.fill, held, 0), sum:get())
end)
app:get("/mesh", function(req) return (struct.map(req.query.path)) end)
app:get("/fails", function(req)
  local path = req.query.path
  local bytes, message, code = struct.map(path == "NUL" and "mesh.bin\0" or path)
  return ("%s|%s|%s"):format(bytes, message, code)
end)
app:get("/type", function() return select(2, pcall(struct.map, {})) end)
app:get("/sparse", function() return #sparse .. " " .. sparse:get("u8", #sparse - 1) end)
return app
"""

MESH = struct.pack("<6f", 1, 2, 3, 4, 5, 6)
SPARSE = 1 << 30


class Files(unittest.TestCase):

    def setUp(self):
        server = Server(APP, settings={"limits.memory": "64m", "limits.request_memory": "16m"},
                        files={"mesh.bin": MESH, "empty.bin": b"", "folder/in.bin": b"x"})
        os.mkfifo(server.path("fifo"))
        with open(server.path("sparse.bin"), "wb") as file:
            file.truncate(SPARSE)
        self.server = self.enterContext(server)

    def get(self, path):
        answer = request(self.server, "GET", path)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.body

    def test_a_file_is_an_array_and_frozen(self):
        self.assertEqual(self.get("/sum"), b"24 true false 5 7 9")

    def test_files_are_answers(self):
        for path, content in (("mesh.bin", MESH), ("empty.bin", b""), ("folder/in.bin", b"x"),
                              (self.server.path("mesh.bin"), MESH)):
            self.assertEqual(self.get("/mesh?path=" + path), content)

    def test_what_cannot_be_mapped_is_nil_message_code(self):
        for path, code in (("none.bin", "ENOENT"), ("folder", "EISDIR"), ("fifo", "EACCES"),
                           ("mesh.bin/x", "ENOENT"), ("NUL", "ENOENT"), ("", "ENOENT")):
            value, message, name = self.get("/fails?path=" + path).split(b"|")
            self.assertEqual((value, name), (b"nil", code.encode()), path)
            self.assertIn(b"map ", message)
        self.assertIn(b"string expected, got table", self.get("/type"))

    def test_a_file_that_is_replaced_stays_as_it_was(self):
        self.server.write("next.bin", MESH[:12])
        os.rename(self.server.path("next.bin"), self.server.path("mesh.bin"))
        self.assertEqual(self.get("/sum"), b"24 true false 5 7 9")
        self.assertEqual(self.get("/mesh?path=mesh.bin"), MESH[:12])

    def test_a_file_is_no_memory_of_the_server(self):
        """A GiB within limits of 64 MiB, at the start and in a request."""
        self.assertEqual(self.get("/sparse"), b"%d 0" % SPARSE)
        self.assertEqual(self.get("/fails?path=sparse.bin"), b"bytes: %d|nil|nil" % SPARSE)


if __name__ == "__main__":
    unittest.main()
