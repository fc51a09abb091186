#!/usr/bin/env python3
"""How many bytes of payload the real binary copies (structs.md 4.5): a debug build says so at its
end. Each test is a server's whole life."""

import os
import re
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import HAS_AUDIT, Server, format_request, request  # noqa: E402

APP = r"""
local perilune = require "perilune"
local geometry, struct = require "perilune.geometry", require "perilune.struct"
local task = require "perilune.task"
local app = perilune.app{body = "64m", memory = "64m"}

local function parse(req) return req:array "vec3" end
local function transform(_, points)
  return points:transform(geometry.mat4.translation(geometry.vec3(1, 2, 3)), points)
end
local function render(_, points) return points:slice(1, -1) end
app:post("/pipeline", parse, transform, render)
app:post("/copied", parse, function(_, points) return points:clone() end)

local me, other = perilune.worker.index, 3 - perilune.worker.index
app:on("start", function()
  if perilune.worker.count == 1 then return end
  task.background(function()
    for value in perilune.channel("to" .. me):each() do
      local is_array = struct.typeof(value) == geometry.vec3
      perilune.channel("back" .. other):send(is_array and value:move() or value.t)
    end
  end)
end)
local function ask_other(value)
  perilune.channel("to" .. other):send(value)
  return perilune.channel("back" .. me):receive()
end
app:post("/struct", function() return {t = ask_other(geometry.hit{t = 5})} end)
app:post("/array", function(req) return ask_other(req:array "vec3":move()) end)
return app
"""

POINTS = 873813  # 10 MiB
FIRST = 1200  # bytes of the body that come with the header


@unittest.skipUnless(HAS_AUDIT, "only debug builds count")
class Copies(unittest.TestCase):
    def copied(self, run, **options):
        # On a unix socket the kernel tells when the server has read what was sent.
        with Server(APP, listen=["unix"], **options) as server:
            run(server)
            server.stop()
            return max(int(figure) for figure in re.findall(r"audit: .* copied=(\d+)", server.log))

    def send(self, server, path, body):
        """The head with the first bytes of the body, the rest when these have been read."""
        with server.connect() as client:
            client.send(format_request("POST", path, {"Content-Length": str(len(body))})
                        + body[:FIRST])
            while not client.wait_until_read():
                pass
            client.send(body[FIRST:])
            answer = client.read_response("POST")
        return answer

    def large(self, path, move):
        body = struct.pack("<3f", 1, 2, 3) * POINTS

        def run(server):
            answer = self.send(server, path, body)
            self.assertEqual(answer.status, 200, answer.body[:200])
            self.assertEqual(answer.body, struct.pack("<3f", *move) * POINTS)
        return self.copied(run)

    def test_a_pipeline_copies_the_first_fragment_only(self):
        self.assertEqual(self.large("/pipeline", (2, 4, 6)), FIRST)

    def test_a_clone_is_seen(self):
        self.assertEqual(self.large("/copied", (1, 2, 3)), FIRST + 12 * POINTS)

    def test_a_struct_to_another_worker_is_copied_once(self):
        def run(server):
            self.assertEqual(request(server, "POST", "/struct").json(), {"t": 5.0})
        self.assertEqual(self.copied(run, workers=2), struct.calcsize("<3f2I3f"))

    def test_an_array_to_another_worker_and_back_is_not_copied(self):
        body = struct.pack("<3f", 1, 2, 3) * 100000

        def run(server):
            self.assertEqual(self.send(server, "/array", body).body, body)
        self.assertEqual(self.copied(run, workers=2), FIRST)


if __name__ == "__main__":
    unittest.main()
