#!/usr/bin/env python3
# presets: asan
"""Cancelling a request in each of its operations that wait: every operation x from where it was
called x when the cancellation comes. Each time every <close> runs once, the inner ones first, with
the error that says why; each later wait raises again; the client gets an answer or the end of its
connection; nothing is left (leaving the server's block asserts that).

Clients that leave are client_gone_test.py's, what needs no request is
tests/unit/api/task_handle_test.c's."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Closed, Malformed, Server, request, wait_until  # noqa: E402

APP = r"""
local perilune, task = require "perilune", require "perilune.task"
local response = require "perilune.response"
local app = perilune.app()
local record, victim, own_reason

local function guard(name)
  return setmetatable({}, {__close = function(_, err)
    local why = type(err) == "table" and (err.reason or err.code) or tostring(err)
    table.insert(record.closed, name .. " " .. why)
  end})
end

-- Where the operation is called from; each passes the error on.
local contexts = {}
function contexts.direct(f) f() end
function contexts.pcall(f)
  local _, err = pcall(f)
  local again = select(2, pcall(task.sleep, 0))
  record.again = again.reason
  error(err, 0)
end
function contexts.wrap(f)
  coroutine.wrap(function() coroutine.wrap(function() coroutine.wrap(f)() end)() end)()
end
function contexts.iterator(f) for _ in f do error "the iterator went on" end end
function contexts.index(f) return setmetatable({}, {__index = f}).field end
function contexts.close(f) local c <close> = setmetatable({}, {__close = f}) end
function contexts.require(f)
  package.loaded.victim, package.preload.victim = nil, f
  require "victim"
end
function contexts.timeout(f) task.timeout(60, f) end
function contexts.late(f) task.timeout(0.05, f) end

local operations = {}
function operations.body(req) req:body() end
function operations.chunks(req) for _ in req:chunks() do end end
function operations.parts(req) for _ in req:parts() do end end
function operations.part(req) for part in req:parts() do part:body() end end
function operations.save(req) assert(req:save("saved")) end
function operations.save_part(req) for part in req:parts() do assert(part:save("saved")) end end
function operations.require()
  package.preload.slow = function() task.sleep(60) end
  local loader = task.spawn(function() pcall(require, "slow") end)
  task.sleep(0)
  require "slow"
end
function operations.call(req) req:call("callee") end
function operations.channel() task.channel():receive() end
function operations.write(_, out) repeat out:write(("x"):rep(65536)) until false end
function operations.flush(_, out) repeat out:write(("x"):rep(65536)):flush() until false end
function operations.send(_, out) repeat out:send {data = ("x"):rep(65536)} until false end

local function run(req, out)
  local root <close> = guard "root"
  contexts[req.params.context](function()
    local outer <close> = guard "outer"
    local inner <close> = guard "inner"
    if req.params.state == "already" then victim:cancel(own_reason) end
    record.point = "operation"
    operations[req.params.operation](req, out)
    record.point = "over"
    task.sleep(60)
  end)
end

local function begin(reason)
  record, victim, own_reason = {closed = {}}, task.self(), reason
end

app:post("/body/:operation/:context/:state", {timeout = 60}, function(req)
  begin "own words"
  run(req)
end)
app:post("/callee", {name = "callee"}, function() task.sleep(60) end)
app:get("/stream/:operation/:context/:state", function(req)
  begin "own words"
  if req.params.operation == "send" then
    return response.events(function(out) run(req, out) end)
  end
  return function(out) run(req, out) end
end)
app:get("/file/:state", function(req)
  begin "own words"
  if req.params.state == "already" then victim:cancel(own_reason) end
  record.point = "operation"
  return response.file("large")
end)
app:get("/cancel/:times", function(req)
  for i = 1, tonumber(req.params.times) do victim:cancel(i == 1 and own_reason or "later words") end
end)
app:get("/record", function() return record or {closed = {}} end)
app:on("finish", function(req, info)
  if record and req.path ~= "/record" and not req.path:find "^/cancel" then
    record.cut, record.is_finished = info.cut, true
  end
end)

-- Failures that meet nobody who waits.
app:get("/child", function()
  task.spawn(function() perilune.abort(418, "the child's") end)
  task.sleep(0)
  return "not sent"
end)
app:group("/own", function(group)
  group:on("error", function(_, err) return "answered: " .. err.message, 409 end)
  group:get("/error", function()
    task.spawn(function() perilune.abort(418, "the child's") end)
    task.sleep(0)
    perilune.abort(410, "the handler's own")
  end)
  group:get("/child/:seconds", function(req)
    task.spawn(function() perilune.abort(418, "the child's") end)
    task.sleep(tonumber(req.params.seconds))
  end)
end)
app:group("/wrapped", function(group)
  group:use(function(req, proceed)
    local res = proceed()
    res.headers["x-seen"] = tostring(res.status)
  end)
  group:get("/child", function()
    task.spawn(function() perilune.abort(418, "the child's") end)
    task.sleep(1)
  end)
end)
return app
"""

FORM = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1"
HALF = "Content-Length: 12\r\n\r\nhello"
HALF_FORM = f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 500\r\n\r\n{FORM}"
NONE = "Content-Length: 0\r\n\r\n"
BODY = {"body": HALF, "chunks": HALF, "parts": HALF_FORM, "part": HALF_FORM, "save": HALF,
        "save_part": HALF_FORM, "require": NONE, "call": NONE, "channel": NONE}
STREAM = ("write", "flush", "send")
CONTEXTS = ("direct", "pcall", "wrap", "iterator", "index", "close", "require", "timeout")


class Case(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(Server(APP, files={"large": b"x" * (32 << 20)}))

    def begin(self, method, path, rest="\r\n"):
        client = self.server.connect()
        client.send(f"{method} {path} HTTP/1.1\r\nHost: a\r\n{rest}")
        return client

    def record(self):
        return request(self.server, "GET", "/record").json()

    def cancel(self, times=1):
        wait_until(lambda: self.record().get("point") == "operation", "it waits")
        self.assertEqual(request(self.server, "GET", f"/cancel/{times}").status, 204)

    def assert_closed(self, inner, root):
        """Returns what the app has noted."""
        record = wait_until(lambda: len((r := self.record())["closed"]) > 2 and r,
                            "all is closed")
        self.assertEqual(record["closed"], [f"inner {inner}", f"outer {inner}", f"root {root}"])
        return record

    def wait_finished(self):
        return wait_until(lambda: (r := self.record()).get("is_finished") and r, "it has ended")

    def each(self, operations, check):
        """Calls check for every operation, context and state."""
        for operation in operations:
            for context in CONTEXTS:
                for state in ("already", "waiting", "twice"):
                    with self.subTest(operation=operation, context=context, state=state):
                        # a child of the victim hears that its parent was cancelled
                        inner = "parent" if context == "timeout" else "own words"
                        check(operation, context, state, inner)


class Bodies(Case):
    def test_each_operation_is_cancelled_while_it_waits_and_before(self):
        def check(operation, context, state, inner):
            client = self.begin("POST", f"/body/{operation}/{context}/{state}", BODY[operation])
            if state != "already":
                self.cancel(2 if state == "twice" else 1)
            self.assertEqual(client.read_response().status, 503)
            record = self.assert_closed(inner, "own words")
            self.assertEqual(record.get("again"), "own words" if context == "pcall" else None)
            client.close()
        self.each(BODY, check)

    def test_a_timeout_ends_each_operation_and_the_request_with_504(self):
        for operation, rest in BODY.items():
            with self.subTest(operation=operation):
                client = self.begin("POST", f"/body/{operation}/late/waiting", rest)
                self.assertEqual(client.read_response().status, 504)
                self.assert_closed("timeout", "timeout")
                client.close()


class Streams(Case):
    def read_to_the_end(self, client):
        """What comes of the answer; whether it ended as an answer must."""
        try:
            client.read_response()
            return True
        except (Closed, Malformed):
            return False

    def test_each_stream_is_cut_where_its_writes_wait_and_before(self):
        def check(operation, context, state, inner):
            client = self.begin("GET", f"/stream/{operation}/{context}/{state}")
            if state != "already":
                self.cancel(2 if state == "twice" else 1)
            self.assert_closed(inner, "own words")
            self.assertEqual(self.wait_finished()["cut"], state != "already")
            client.close()
        self.each(STREAM, check)

    def test_a_timeout_ends_each_stream(self):
        for operation in STREAM:
            with self.subTest(operation=operation):
                client = self.begin("GET", f"/stream/{operation}/late/waiting")
                self.assert_closed("timeout", "timeout")
                self.assertTrue(self.wait_finished()["cut"])
                self.assertFalse(self.read_to_the_end(client))

    def test_a_file_that_is_being_sent_is_cut(self):
        client = self.begin("GET", "/file/waiting")
        self.cancel()
        self.assertTrue(self.wait_finished()["cut"])
        self.assertFalse(self.read_to_the_end(client))

    def test_a_file_of_a_cancelled_request_is_not_sent(self):
        client = self.begin("GET", "/file/already")
        self.assertEqual(client.read_response().status, 503)


class Failures(Case):
    def test_what_a_child_raises_is_the_answer_before_it_is_sent(self):
        answer = request(self.server, "GET", "/child")
        self.assertEqual((answer.status, answer.json()["detail"]), (418, "the child's"))

    def test_the_error_hook_answers_what_the_handler_or_a_child_raised(self):
        answer = request(self.server, "GET", "/own/error")
        self.assertEqual((answer.status, answer.text), (409, "answered: the handler's own"))
        for path in ("/own/child/0", "/own/child/1"):
            answer = request(self.server, "GET", path)
            self.assertEqual((answer.status, answer.text), (409, "answered: the child's"))

    def test_a_middleware_has_the_last_word_on_what_a_child_raised(self):
        answer = request(self.server, "GET", "/wrapped/child")
        self.assertEqual((answer.status, answer.get("X-Seen")), (418, "418"))


if __name__ == "__main__":
    unittest.main()
