#!/usr/bin/env python3
"""Long calls on the thread pool: other requests run meanwhile, and a server that ends while
one runs leaves nothing behind."""
# presets: asan tsan

import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Server, request  # noqa: E402

APP = r"""
local perilune, struct = require "perilune", require "perilune.struct"
local geometry, log = require "perilune.geometry", require "perilune.log"
local task = require "perilune.task"
local app = perilune.app()

-- Each call is long, and the next one begins when it has ended.
local work = {
  kernel = function(a, b) a:add(b, b) end,
  convert = function(a) struct.f64.array(a) end,
  nearest = function(_, _, points) geometry.nearest(points) end,
  zones = function(_, _, points) geometry.polygon{ring = points} end,
}

app:get("/busy/:what", function(req)
  local what = work[req.params.what]
  local a, b = struct.f32.array(3000000), struct.f32.array(3000000)
  local points = geometry.vec2.array(30000)
  for i = 1, #points do points:set(i, math.cos(i), math.sin(i)) end
  what(a, b, points)
  log.info("working")
  while true do what(a, b, points) end
end)
app:get("/", function() return "hello" end)
return app
"""

WORK = ("kernel", "convert", "nearest", "zones")


class Ends(unittest.TestCase):

    def start(self, what, **settings):
        server = self.enterContext(Server(APP, settings={"timeouts.request": "60s", **settings}))
        client = server.connect()
        client.send(b"GET /busy/%s HTTP/1.1\r\nHost: a\r\n\r\n" % what.encode())
        server.wait_log("working")
        return server, client

    def test_other_requests_run_meanwhile(self):
        server, _ = self.start("kernel")
        self.assertEqual(request(server).body, b"hello")
        self.assertEqual(request(server).body, b"hello")

    def test_a_client_that_leaves_ends_its_work(self):
        for what in WORK:
            server, client = self.start(what)
            client.close()
            server.wait_log("/busy/" + what)
            self.assertEqual(request(server).body, b"hello")

    def test_drain_ends_what_still_runs(self):
        for what in WORK:
            server, _ = self.start(what, **{"drain.timeout": "50ms"})
            server.signal(signal.SIGTERM)
            server.wait_exit(0)

    def test_a_second_term_ends_it_at_once(self):
        for what in WORK:
            server, _ = self.start(what)
            server.signal(signal.SIGTERM)
            server.wait_log("running requests finish")
            server.signal(signal.SIGTERM)
            server.wait_exit(0)


if __name__ == "__main__":
    unittest.main()
