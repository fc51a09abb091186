#!/usr/bin/env python3
"""The collector as a client sees it: garbage goes when the server is idle, and then it is quiet."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Server, request, wait_until  # noqa: E402

APP = r"""
local perilune, task = require "perilune", require "perilune.task"
local app = perilune.app()
app:get("/count", function() return tostring(math.floor(collectgarbage("count"))) end)
app:get("/garbage", function()
  local t = {}
  for i = 1, 10000 do t[i] = {i} end
  return "made"
end)
app:get("/endless", function()
  local highest = 0
  for i = 1, 2000000 do
    local t = {i, i}
    if i % 100 == 0 then highest = math.max(highest, collectgarbage("count")) end
  end
  return tostring(math.floor(highest))
end)
app:get("/finalisers", function()
  local function on_collected(f) setmetatable({}, {__gc = f}) end
  on_collected(function() error("broken finaliser", 0) end)
  on_collected(function() task.sleep(0.01) end)
  on_collected(function() task.spawn(function() end) end)
  for i = 1, 10000 do local t = {i} end
  return "made"
end)
return app
"""


def ask(server, path):
    response = request(server, path=path)
    assert response.status == 200, response
    return response.body.decode()


class Collector(unittest.TestCase):
    def test_an_idle_server_frees_its_garbage_and_becomes_quiet(self):
        with Server(APP) as server:
            wait_until(lambda: int(ask(server, "/count")) < 400, "the garbage of loading is freed")
            for _ in range(2):
                self.assertEqual(ask(server, "/garbage"), "made")
            wait_until(lambda: int(ask(server, "/count")) < 400, "the garbage is freed")

    def test_a_turn_that_makes_garbage_without_end_stays_small(self):
        with Server(APP, settings={"limits.cpu": "60s"}) as server:
            self.assertLess(int(ask(server, "/endless")), 8 * 1024)

    def test_finalisers_that_fail_wait_or_spawn_are_logged(self):
        with Server(APP) as server:
            self.assertEqual(ask(server, "/finalisers"), "made")
            server.wait_log("error in __gc", count=3)
            server.wait_log("broken finaliser")
            self.assertEqual(ask(server, "/garbage"), "made")


if __name__ == "__main__":
    unittest.main()
