#!/usr/bin/env python3
"""Channels, semaphores and mutexes of perilune.task between the requests of a worker."""

import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Server, request, wait_until  # noqa: E402

APP = r"""
local perilune, task = require "perilune", require "perilune.task"
local app = perilune.app()
local jobs, results, mutex, seats = task.channel(), task.channel(4), task.mutex(), task.semaphore(2)
local inside, most, waiting = 0, 0, 0

app:get("/fan_out", function()
  local jobs, results, sum = task.channel(), task.channel(2), 0
  for _ = 1, 3 do
    task.spawn(function() for n in jobs:each() do results:send(n * n) end end)
  end
  task.spawn(function() for n = 1, 100 do jobs:send(n) end jobs:close() end)
  for _ = 1, 100 do sum = sum + results:receive() end
  return tostring(sum)
end)

app:get("/pass/:text", function(req)
  return tostring(jobs:send(req.params.text, 10))
end)
app:get("/take", function() return jobs:receive(10) end)

app:get("/section", function()
  local lock <close> = mutex:lock()
  inside = inside + 1
  most = math.max(most, inside)
  task.sleep(0.001)
  inside = inside - 1
  return tostring(most)
end)

app:get("/hold", function()
  local lock <close> = mutex:lock()
  results:send("held")
  task.sleep(60)
end)
app:get("/held", function() return results:receive(10) end)
app:get("/queue", function()
  waiting = waiting + 1
  local counted <close> = setmetatable({}, {__close = function() waiting = waiting - 1 end})
  local lock <close> = mutex:lock()
  return "locked"
end)
app:get("/state", function()
  local lock <close> = mutex:try_lock()
  return waiting .. (lock and " free" or " locked")
end)
return app
"""


class SyncTest(unittest.TestCase):
    def state(self, server):
        return request(server, path="/state").body.decode()

    def test_workers_of_a_channel_share_the_jobs(self):
        with Server(APP) as server:
            self.assertEqual(request(server, path="/fan_out").body, b"338350")

    def test_requests_pass_values_to_each_other(self):
        with Server(APP) as server:
            answers = []
            thread = threading.Thread(
                target=lambda: answers.append(request(server, path="/take").body))
            thread.start()
            self.assertEqual(request(server, path="/pass/hello").body, b"true")
            thread.join()
            self.assertEqual(answers, [b"hello"])

    def test_a_mutex_keeps_requests_apart(self):
        with Server(APP) as server:
            bodies = []
            threads = [threading.Thread(
                target=lambda: bodies.append(request(server, path="/section").body))
                for _ in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(bodies, [b"1"] * 20)

    def test_clients_that_go_free_the_lock_and_their_place_in_the_queue(self):
        with Server(APP) as server:
            holder, second = server.connect(), server.connect()
            holder.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(request(server, path="/held").body, b"held")
            second.send("GET /queue HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_until(lambda: self.state(server) == "1 locked", "a request in the queue")
            second.close()
            wait_until(lambda: self.state(server) == "0 locked", "the queue to be empty")
            holder.close()
            wait_until(lambda: self.state(server) == "0 free", "the lock to be free")
            self.assertEqual(request(server, path="/queue").body, b"locked")


if __name__ == "__main__":
    unittest.main()
