#!/usr/bin/env python3
"""perilune.task in a running server: scopes, deadlines, the grace time, background tasks."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Server, request, wait_until  # noqa: E402

COUNTERS = r"""
local perilune, task = require "perilune", require "perilune.task"
local app = perilune.app()
local state = {closed = 0, running = 0, reasons = ""}
-- A variable that counts its closing, with the reason.
local function guard()
  state.running = state.running + 1
  return setmetatable({}, {__close = function(_, err)
    state.closed = state.closed + 1
    state.running = state.running - 1
    state.reasons = state.reasons .. (err and err.reason or "none") .. " "
  end})
end
local function hang()
  local g <close> = guard()
  task.sleep(60)
end
app:get("/state", function() return state end)
"""


def state_of(server):
    return request(server, "GET", "/state").json()


def wait_for_state(server, what, **expected):
    def find():
        state = state_of(server)
        return state if expected.items() <= state.items() else None
    return wait_until(find, what)


class Scopes(unittest.TestCase):
    APP = COUNTERS + r"""
    app:get("/group", function()
      return task.group(function(g)
        for i = 1, 10 do g:spawn(hang) end
        local g <close> = guard()
        task.sleep(60)
      end)
    end)
    app:get("/teapot", function()
      task.group(function(g)
        g:spawn(hang)
        g:spawn(function() task.sleep(0.01) perilune.abort(418, "short and stout") end)
        hang()
      end)
    end)
    app:get("/spawned", function()
      task.spawn(function() task.sleep(0.01) perilune.abort(418) end)
      hang()
    end)
    app:get("/all", function()
      local a, b = task.all(function() task.sleep(0.02) return "a" end, function() return "b" end)
      local named = task.all {x = function() return a end, y = function() return b end}
      return named
    end)
    app:get("/race", function()
      return (task.race(hang, function() task.sleep(0.01) return "quick", 201 end))
    end)
    app:get("/map", function()
      return task.map({3, 1, 2}, function(v) task.sleep(v / 100) return v * v end, {limit = 2})
    end)
    app:get("/504", function() task.timeout(0.02, hang) end)
    app:get("/caught", function()
      local ok, err = pcall(task.timeout, 0.02, hang)
      return {code = err.code, status = err.status, closed = state.closed}
    end)
    app:get("/callee", {name = "callee"}, function() hang() end)
    app:get("/call", function(req) task.timeout(0.02, req.call, req, "callee") end)
    return app
    """

    def test_children_fail_together_and_with_their_own_status(self):
        with Server(self.APP) as server:
            for path, closed in (("/teapot", 2), ("/spawned", 1)):
                before = state_of(server)["closed"]
                self.assertEqual(request(server, "GET", path).status, 418)
                wait_for_state(server, "all are closed", running=0, closed=before + closed)

    def test_all_race_and_map_answer(self):
        with Server(self.APP) as server:
            self.assertEqual(request(server, "GET", "/all").json(), {"x": "a", "y": "b"})
            self.assertEqual(request(server, "GET", "/race").text, "quick")
            self.assertEqual(request(server, "GET", "/map").json(), [9, 1, 4])
            wait_for_state(server, "the loser of the race is closed", running=0, closed=1)
            self.assertEqual(state_of(server)["reasons"], "race ")

    def test_an_uncaught_timeout_is_a_504_and_leaves_nothing(self):
        with Server(self.APP) as server:
            for path in ("/504", "/call"):
                self.assertEqual(request(server, "GET", path).status, 504)
                self.assertEqual(state_of(server)["running"], 0)
            self.assertEqual(request(server, "GET", "/caught").json(),
                             {"code": "ETIMEDOUT", "status": 504, "closed": 3})
            self.assertEqual(state_of(server)["reasons"], "timeout timeout timeout ")

    def test_a_client_that_leaves_ends_a_whole_group(self):
        with Server(self.APP) as server:
            for leave in ("close", "reset"):
                client = server.connect()
                client.send("GET /group HTTP/1.1\r\nHost: a\r\n\r\n")
                wait_for_state(server, "all run", running=11)
                getattr(client, leave)()
                wait_for_state(server, "all are closed", running=0)
            self.assertEqual(state_of(server)["reasons"].split(), ["client"] * 22)


class Deadlines(unittest.TestCase):
    APP = COUNTERS + r"""
    app:get("/late", {timeout = 0.05}, function()
      task.group(function(g) g:spawn(hang) g:spawn(hang) hang() end)
    end)
    app:get("/longer", {timeout = 0.05}, function() task.timeout(30, hang) end)
    app:get("/left", {timeout = 20}, function(req)
      local outer = req:deadline() - task.now()
      local inner = task.timeout(5, function() return req:deadline() - task.now() end)
      local outmost = task.timeout(50, function() return req:deadline() - task.now() end)
      return {outer = outer, inner = inner, outmost = outmost}
    end)
    app:get("/never", {timeout = false}, function(req) return tostring(req:deadline()) end)
    app:get("/children", {timeout = 0.05}, function()
      task.spawn(hang)
      return "answered"
    end)
    app:get("/stream", {timeout = 0.05}, function()
      return function(out)
        out:write("one")
        task.sleep(0.1)
        out:write("two")
      end
    end)
    return app
    """

    def test_the_routes_deadline_reaches_every_child(self):
        with Server(self.APP) as server:
            with server.connect() as client:
                for path in ("/late", "/longer"):
                    answer = client.request("GET", path)
                    self.assertEqual((answer.status, answer.get("Retry-After")), (503, "1"))
                self.assertEqual(client.request("GET", "/never").text, "nil")
            self.assertEqual(state_of(server)["reasons"].split(), ["deadline"] * 4)

    def test_deadline_is_the_smallest_of_those_around(self):
        with Server(self.APP) as server:
            left = request(server, "GET", "/left").json()
            self.assertTrue(0 < left["inner"] <= 5.01 < left["outer"] <= 20.01, left)
            self.assertTrue(5.01 < left["outmost"] <= 20.01, left)

    def test_children_of_an_answered_request_have_as_long_again(self):
        with Server(self.APP) as server:
            with server.connect() as client:  # it stays: it is not the client that ends them
                self.assertEqual(client.request("GET", "/children").text, "answered")
                state = wait_for_state(server, "the child is closed", running=0, closed=1)
                self.assertEqual(state["reasons"], "deadline ")

    def test_a_stream_has_no_deadline_once_its_head_has_left(self):
        with Server(self.APP) as server:
            self.assertEqual(request(server, "GET", "/stream").text, "onetwo")


class Grace(unittest.TestCase):
    APP = COUNTERS + r"""
    app:get("/shield", {timeout = 0.05}, function()
      local g <close> = guard()
      task.shield(hang)
    end)
    app:get("/cleanup", {timeout = 0.05}, function()
      local c <close> = setmetatable({}, {__close = function()
        task.shield(function() task.sleep(0.05) state.cleaned = (state.cleaned or 0) + 1 end)
      end})
      task.sleep(60)
    end)
    app:get("/swallow", {timeout = 0.05}, function()
      local g <close> = guard()
      while true do pcall(task.sleep, 60) end
    end)
    app:get("/shields", {timeout = 0.05}, function()
      local g <close> = guard()
      while true do pcall(task.shield, task.sleep, 60) end
    end)
    return app
    """

    def test_a_shield_may_wait_for_the_grace_time(self):
        with Server(self.APP, settings={"timeouts.grace": "200ms"}) as server:
            answer = request(server, "GET", "/shield")
            self.assertEqual((answer.status, answer.get("Retry-After")), (503, "1"))
            self.assertEqual(state_of(server)["reasons"], "deadline deadline ")

    def test_cleaning_up_may_wait_in_a_shield(self):
        with Server(self.APP) as server:
            self.assertEqual(request(server, "GET", "/cleanup").status, 503)
            self.assertEqual(state_of(server)["cleaned"], 1)

    def test_who_swallows_the_cancellation_is_ended_from_outside(self):
        settings = {"timeouts.grace": "100ms"}
        with Server(self.APP, settings=settings) as server:
            for path in ("/swallow", "/shields"):
                answer = request(server, "GET", path)
                self.assertEqual((answer.status, answer.get("Retry-After")), (503, "1"))
                server.wait_log(r"timeouts\.grace")
            self.assertEqual(state_of(server)["closed"], 2)


class Background(unittest.TestCase):
    APP = COUNTERS + r"""
    app:get("/start", function()
      task.background(hang)
      return "started"
    end)
    app:get("/fail", function()
      task.background(function() task.sleep(0) error("the job broke") end)
      return "started"
    end)
    app:on("stop", function()
      print("stopping", state.running, state.reasons)
      print(select(2, pcall(task.background, hang)))
    end)
    return app
    """

    def test_a_background_task_outlives_its_request_and_ends_with_the_drain(self):
        server = Server(self.APP).start()
        self.assertEqual(request(server, "GET", "/start").text, "started")
        self.assertEqual(state_of(server)["running"], 1)
        server.stop()
        server.wait_log(r"stopping +0 +drain")
        server.wait_log("task.background: the app is being stopped")

    def test_its_failure_is_logged(self):
        with Server(self.APP) as server:
            self.assertEqual(request(server, "GET", "/fail").text, "started")
            server.wait_log("a background task failed and nobody awaits it: .*the job broke")


if __name__ == "__main__":
    unittest.main()
