#!/usr/bin/env python3
"""Hogs where threads meet: the watchdog, and several workers. Their loops allocate, since TSan
holds a signal back until the thread calls one of its functions."""
# presets: tsan

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Server  # noqa: E402

APP = """
local app = require "perilune".app()
app:get("/hello", function() return "hello" end)
local function loop() while true do local t = {} end end
app:get("/loop", loop)
app:get("/pcall", function() while true do pcall(loop) end end)
app:get("/sort", function() table.sort({3, 2, 1}, loop) end)
return app
"""


class HogThreads(unittest.TestCase):
    def test_hogs_on_two_workers_are_ended_while_others_are_served(self):
        with Server(APP, {"limits.cpu": "200ms"}, workers=2) as server:
            hogs, others = [], [server.connect() for _ in range(4)]
            for path in ("/loop", "/pcall", "/sort", "/loop"):
                hogs.append(server.connect())
                hogs[-1].send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
                for client in others:
                    self.assertEqual(client.request("GET", "/hello").status, 200)
            for client in hogs:
                self.assertEqual(client.read_response().status, 503)


if __name__ == "__main__":
    unittest.main()
