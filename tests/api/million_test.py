#!/usr/bin/env python3
# presets: release
"""A million tasks of one request: they sleep, and all end, by themselves or because their client
has left; the worker serves others meanwhile and afterwards, within 2 GiB."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Server, request, run, wait_until  # noqa: E402

TASKS = 1_000_000
PATIENCE = 50  # seconds; only bounds a failure
APP = r"""
local perilune, task = require "perilune", require "perilune.task"
local app = perilune.app()
local alive, ended = 0, 0

local leaving = setmetatable({}, {__close = function()
  alive = alive - 1
  ended = ended + 1
end})

local function sleeper(seconds)
  alive = alive + 1
  local own <close> = leaving
  task.sleep(seconds)
end

app:get("/sleepers/:count/:seconds", {timeout = false}, function(req)
  local count, seconds = tonumber(req.params.count), tonumber(req.params.seconds)
  task.group(function(g)
    for i = 1, count do
      g:spawn(sleeper, seconds)
      if i % 1000 == 0 then task.sleep(0) end
    end
  end)
  return "all have slept"
end)
app:get("/state", function() return {alive = alive, ended = ended} end)
return app
"""


def peak_bytes(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


class Million(unittest.TestCase):
    def setUp(self):
        known = run("config", "--default").stdout
        names = [name for name in ("memory", "request_memory") if f" {name} =" in known]
        settings = {f"limits.{name}": "2g" for name in names}
        self.server = self.enterContext(Server(APP, settings=settings))

    def state(self):
        with self.server.connect(timeout=PATIENCE) as client:
            return client.request("GET", "/state").json()

    def begin(self, seconds):
        client = self.server.connect(timeout=PATIENCE)
        client.send(f"GET /sleepers/{TASKS}/{seconds} HTTP/1.1\r\nHost: a\r\n\r\n")
        return client

    def end(self):
        self.assertEqual(self.state(), {"alive": 0, "ended": TASKS})
        self.assertLess(peak_bytes(self.server), 2 << 30)
        self.server.stop(PATIENCE)
        self.assertEqual(self.server.log_lines("timeouts.grace"), [])

    def test_all_sleep_and_end(self):
        self.assertEqual(self.begin(5).read_response().text, "all have slept")
        self.end()

    def test_a_client_that_leaves_ends_them_all(self):
        client = self.begin(3600)
        wait_until(lambda: self.state()["alive"] == TASKS, "all sleep", PATIENCE)
        client.close()
        wait_until(lambda: self.state()["alive"] == 0, "all have ended", PATIENCE)
        self.assertEqual(request(self.server, "GET", "/state").json()["ended"], TASKS)
        self.end()


if __name__ == "__main__":
    unittest.main()
