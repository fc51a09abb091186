#!/usr/bin/env python3
# presets: asan
"""Clients that leave: at every byte of the request and of the answer, with the handler parked in
each operation that waits. Afterwards every <close> and every finish handler has run once, and
nothing is left: leaving the server's block asserts that."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Server, format_request, request, wait_until  # noqa: E402

# Every request has guards: to-be-closed variables that count how many have begun and ended, and by
# the reason of which error ("nil": their scope was left in the usual way).
GUARD = r"""
local perilune, task = require "perilune", require "perilune.task"
local response = require "perilune.response"
local app = perilune.app()
local state = {started = 0, closed = 0, twice = 0, parked = 0, finished = 0, cut = 0, reasons = {}}

local function guard(who)
  state.started = state.started + 1
  local is_closed = false
  return setmetatable({}, {__close = function(_, err)
    if is_closed then state.twice = state.twice + 1 end
    is_closed = true
    state.closed = state.closed + 1
    local reason = who .. ":" .. (type(err) == "table" and err.reason or tostring(err))
    state.reasons[reason] = (state.reasons[reason] or 0) + 1
  end})
end

local released = false
local function park() state.parked = state.parked + 1 end
local function sleeper() local own <close> = guard("child") task.sleep(60) end
local function until_released()
  local own <close> = guard("child")
  repeat task.sleep(0.005) until released
end

app:get("/state", function() return state end)
app:get("/release", function() released = true end)
app:on("finish", function(req, info)
  if req.path == "/state" then return end
  state.finished = state.finished + 1
  if info.cut then state.cut = state.cut + 1 end
end)
"""

PARKED = GUARD + r"""
local operations = {}
function operations.sleep() end
function operations.await() task.spawn(sleeper):await() end
function operations.coroutine()
  coroutine.wrap(function() pcall(task.sleep, 60) task.sleep(60) end)()
end
function operations.body(req) req:body() end
function operations.chunks(req) for _ in req:chunks() do end end
function operations.parts(req) for part in req:parts() do part:body() end end
function operations.save(req) assert(req:save("saved")) end
function operations.save_part(req) for part in req:parts() do assert(part:save("saved")) end end
function operations.require() require "slow" end
function operations.call(req) req:call("callee") end

app:route({"POST"}, "/callee", {name = "callee"}, function()
  local own <close> = guard("callee")
  task.sleep(60)
end)
for name, operation in pairs(operations) do
  local function handle(req)
    local own <close> = guard("handler")
    park()
    operation(req)
    task.sleep(60)
  end
  app:post("/" .. name, handle)
  app:post("/half/" .. name, {half_close = true}, handle)
end
return app
"""

SLOW = 'require("perilune.task").sleep(60)'
LENGTH = "Content-Length: 12\r\n\r\nhello world!"
CHUNKED = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;a=b\r\n world!\r\n0\r\nX: y\r\n\r\n"
FORM = ("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b\r\n"
        "Content-Disposition: form-data; name=f; filename=n\r\n\r\n2\r\n--b--\r\n")
TYPE = "Content-Type: multipart/form-data; boundary=b\r\n"
PARTS = f"{TYPE}Content-Length: {len(FORM)}\r\n\r\n{FORM}"
PARTS_CHUNKED = f"{TYPE}Transfer-Encoding: chunked\r\n\r\n{len(FORM):x}\r\n{FORM}\r\n0\r\n\r\n"


def fin(client):
    client.close()


def half(client):
    client.half_close()


def rst(client):
    client.reset()


NOTHING = {"closed": 0, "finished": 0, "reasons": {}}


def ended_by_client(reasons, who):
    """How many guards of those were left because the client had. What ends with its parent may say
    so."""
    return reasons.get(f"{who}:client", 0) + (who == "child" and reasons.get("child:parent", 0))


class Case(unittest.TestCase):
    """One server, and its counters."""

    def serve(self, app, **options):
        self.server = self.enterContext(Server(app, **options))

    def state(self):
        return request(self.server, "GET", "/state").json()

    def wait_state(self, condition, what):
        return wait_until(lambda: condition(state := self.state()) and state, what)

    def wait_all_closed(self):
        state = self.wait_state(lambda s: s["started"] == s["closed"], "every <close> has run")
        self.assertEqual(state["twice"], 0)
        return state

    def expect_all_closed(self, requests, since=NOTHING):
        """Every guard begun since then has been left, once, and every request has been finished,
        once; returns how guards were left, as {"who:reason": n}."""
        state = self.wait_all_closed()
        self.assertGreater(state["closed"], since["closed"])
        self.wait_state(lambda s: s["finished"] - since["finished"] >= requests, "all finished")
        self.assertEqual(self.state()["finished"] - since["finished"], requests)
        return {reason: count - since["reasons"].get(reason, 0)
                for reason, count in state["reasons"].items()
                if count > since["reasons"].get(reason, 0)}

    def fence(self):
        """Returns when every connection so far was accepted and what came with it was read."""
        for _ in range(2):
            request(self.server, "GET", "/state")

    def connect(self):
        return self.server.connect()


class RequestOffsetsTest(Case):
    """The client leaves at each byte of its request. First with the handler parked, for those that
    have one; then with everything in one go, so that the end comes with the bytes."""

    def leave_everywhere(self, path, rest, leave):
        data = f"POST {path} HTTP/1.1\r\nHost: a\r\n{rest}".encode()
        head = data.index(b"\r\n\r\n") + 4
        before = self.state()
        clients = []
        for offset in range(len(data) + 1):
            clients.append(self.connect())
            clients[-1].send(data[:offset])
        handlers = len(data) + 1 - head
        self.wait_state(lambda s: s["parked"] == before["parked"] + handlers, "all are parked")
        for client in clients:
            leave(client)
        reasons = self.expect_all_closed(handlers, before)
        self.assertEqual(reasons.get("handler:client"), handlers, reasons)
        for client in clients:
            client.close()
        before = self.state()
        for offset in range(head, len(data) + 1):
            with self.connect() as client:
                client.send(data[:offset])
                leave(client)
        self.fence()
        self.wait_all_closed()
        if leave is not rst:  # which may destroy what was sent before it is read
            self.assertEqual(self.state()["parked"], before["parked"] + handlers)

    def operation(self, path, rests, leaves=(fin, half, rst), listen="127.0.0.1:0"):
        self.serve(PARKED, files={"slow.lua": SLOW}, listen=[listen])
        for rest in rests:
            for leave in leaves:
                with self.subTest(rest=rest[:20], leave=leave.__name__):
                    self.leave_everywhere(path, rest, leave)

        wait_until(lambda: not any(name.startswith("saved.")
                                   for name in os.listdir(self.server.folder)),
                   "no temporary file of an interrupted save is left")

    def test_sleep(self):
        self.operation("/sleep", (LENGTH, CHUNKED))

    def test_pipelined_request_behind_it(self):
        self.operation("/sleep", (LENGTH + "GET /state HTTP/1.1\r\nHost: a\r\n\r\n",))

    def test_await(self):
        self.operation("/await", (LENGTH,))

    def test_coroutine(self):
        self.operation("/coroutine", (LENGTH,))

    def test_body(self):
        self.operation("/body", (LENGTH, CHUNKED))

    def test_chunks(self):
        self.operation("/chunks", (LENGTH, CHUNKED))

    def test_parts(self):
        self.operation("/parts", (PARTS, PARTS_CHUNKED))

    def test_save(self):
        self.operation("/save", (LENGTH, CHUNKED))

    def test_save_part(self):
        self.operation("/save_part", (PARTS,))

    def test_call(self):
        self.operation("/call", (LENGTH,))

    def test_reset_with_half_close(self):
        self.operation("/half/body", (LENGTH, CHUNKED), (rst,))
        self.operation("/half/sleep", (LENGTH,), (rst,))

    def test_unix_socket(self):
        self.operation("/body", (LENGTH, CHUNKED), (fin, half), listen="unix")

    def test_require_with_its_loader(self):
        """The first one loads the module, the others wait for it; each may become the loader."""
        self.operation("/require", (LENGTH,))

    def test_require_waiting_for_another_loader(self):
        self.serve(PARKED, files={"slow.lua": SLOW})
        loader = self.connect()
        loader.send(format_request("POST", "/require"))
        self.wait_state(lambda s: s["parked"] == 1, "the loader runs")
        waiters = [self.connect() for _ in range(20)]
        for client in waiters:
            client.send(format_request("POST", "/require"))
        self.wait_state(lambda s: s["parked"] == 21, "all wait")
        for i, client in enumerate(waiters):
            (fin, half, rst)[i % 3](client)
        self.wait_state(lambda s: s["closed"] == 20, "only the loader is left")
        loader.close()
        self.assertEqual(self.wait_state(lambda s: s["closed"] == 21, "none is left")["reasons"],
                         {"handler:client": 21})


ANSWERS = GUARD + r"""
local piece = ("0123456789abcdef"):rep(2048)

app:get("/plain", function()
  local own <close> = guard("handler")
  task.spawn(sleeper)
  return "hello world"
end)
app:get("/large", function()
  task.spawn(sleeper)
  return piece:rep(128)
end)
app:get("/chunked", function()
  return response.stream(function(out)
    local own <close> = guard("handler")
    for i = 1, 12 do out:write("piece ", i):flush() task.sleep(0) end
    park()
    task.sleep(60)
  end)
end)
app:get("/counted", function()
  return response.stream(function(out)
    local own <close> = guard("handler")
    for i = 1, 10 do out:write("piece ", i % 10):flush() task.sleep(0) end
    park()
    task.sleep(60)
  end, 200, {["content-length"] = 71})
end)
app:get("/blocked", function()
  return response.stream(function(out)
    local own <close> = guard("handler")
    while true do out:write(piece) end
  end)
end)
app:get("/blocked_children", function()
  return response.stream(function(out)
    local own <close> = guard("handler")
    local function write()
      local child <close> = guard("child")
      while true do out:write(piece) end
    end
    for _ = 1, 3 do task.spawn(write) end
    write()
  end)
end)
app:get("/blocked_child", function()
  return response.stream(function(out)
    local own <close> = guard("handler")
    task.spawn(function()
      local child <close> = guard("child")
      while true do out:write(piece) end
    end)
    task.sleep(60)
  end)
end)
app:get("/events", function()
  return response.events(function(out)
    local own <close> = guard("handler")
    while true do out:send{event = "e", id = 7, data = piece} end
  end)
end)
app:get("/slow_events", function()
  return response.events(function(out)
    local own <close> = guard("handler")
    for i = 1, 10 do out:send{data = "event " .. i} out:flush() end
    park()
    task.sleep(60)
  end)
end)
app:get("/file", function()
  task.spawn(sleeper)
  return response.file("large.bin")
end)
return app
"""

# Around what the client's kernel and the server hold for it, and far behind that.
LARGE_OFFSETS = [0, 1, 2, 100, 150, 200, 300, 4096, 16384, 65535, 65536, 65537, 131072, 200_000,
                 500_000, 1_000_000]


class AnswerOffsetsTest(Case):
    """The client reads so many bytes of the answer and leaves."""

    def read(self, client, count):
        while count:
            data = client.socket.recv(min(count, 65536))
            self.assertTrue(data, "the answer ended early")
            count -= len(data)

    def leave_at(self, path, offsets, leave):
        """Returns how the guards were left."""
        before = self.state()
        clients = [self.connect() for _ in offsets]
        for client in clients:
            client.send(format_request("GET", path))
        for client, offset in zip(clients, offsets):
            self.read(client, offset)
        self.wait_state(lambda s: s["started"] >= before["started"] + len(offsets), "all run")
        for client in clients:
            leave(client)
        self.wait_all_closed()  # now: an answer that is on its way may take longer
        for client in clients:
            client.close()
        return self.expect_all_closed(len(offsets), before)

    def answer(self, *paths, offsets=None, who="handler", each=1, listen="127.0.0.1:0"):
        """@param who  whose guards, `each` for a request, the client's leaving ends"""
        self.serve(ANSWERS, files={"large.bin": os.urandom(1024) * 16384}, listen=[listen])
        for path in paths:
            at = offsets or range(self.length_of(path) + 1)
            for leave in (fin, half, rst) if listen != "unix" else (fin, half):
                with self.subTest(path=path, leave=leave.__name__):
                    reasons = self.leave_at(path, at, leave)
                    self.assertEqual(ended_by_client(reasons, who), len(at) * each, reasons)

    def length_of(self, path):
        """Bytes up to the place where the handler parks, or to the end of the answer."""
        with self.connect() as client:
            client.send(format_request("GET", path))
            ends = {"/plain": b"hello world", "/chunked": b"piece 12\r\n", "/counted": b"piece 0",
                    "/slow_events": b"event 10\n\n\r\n"}
            data = b""
            while not data.endswith(ends[path]):
                data += client.socket.recv(65536)
        self.expect_all_closed(1)
        return len(data)

    def test_plain_answer_whose_child_runs(self):
        self.answer("/plain", who="child")

    def test_large_answer_whose_child_runs(self):
        self.answer("/large", offsets=LARGE_OFFSETS, who="child")

    def test_chunked_answer(self):
        self.answer("/chunked")

    def test_answer_of_known_length(self):
        self.answer("/counted")

    def test_events(self):
        self.answer("/slow_events")

    def test_blocked_write(self):
        self.answer("/blocked", "/blocked_children", "/blocked_child", offsets=LARGE_OFFSETS)

    def test_children_that_write(self):
        self.answer("/blocked_children", offsets=LARGE_OFFSETS, who="child", each=4)

    def test_child_that_writes_alone(self):
        self.answer("/blocked_child", offsets=LARGE_OFFSETS, who="child")

    def test_blocked_write_on_a_unix_socket(self):
        self.answer("/blocked", "/blocked_children", offsets=LARGE_OFFSETS, listen="unix")

    def test_blocked_send(self):
        self.answer("/events", offsets=LARGE_OFFSETS[:-2])

    def test_file(self):
        """The handler has returned: its child says that the request was cancelled."""
        offsets = [*LARGE_OFFSETS, 5_000_000]
        self.answer("/file", offsets=offsets, who="child")
        self.assertEqual(self.state()["cut"], 3 * len(offsets))


class AnsweredTest(Case):
    """Children of answered requests."""

    APP = GUARD + r"""
    app:get("/spawn", function() task.spawn(sleeper) return "hi" end)
    app:get("/half", {half_close = true}, function() task.spawn(until_released) return "hi" end)
    app:get("/until", function() task.spawn(until_released) return "hi" end)
    app:get("/hang", function() local own <close> = guard("handler") task.sleep(60) end)
    app:get("/deep", function()
      task.spawn(function()
        local own <close> = guard("child")
        task.spawn(sleeper)
        task.spawn(sleeper):await()
      end)
      return function(out) out:write("hi") end
    end)
    return app
    """

    def run_down(self, count, leave, paths, listen="127.0.0.1:0", behind=b""):
        self.serve(self.APP, listen=[listen])
        client = self.connect()
        client.send(b"".join(format_request("GET", path) for path in paths))
        for _ in paths:
            self.assertEqual(client.read_response().body, b"hi")
        state = self.wait_state(lambda s: s["started"] == count, "all children run")
        self.assertEqual(state["closed"], 0)
        client.send(behind)
        leave(client)
        reasons = self.expect_all_closed(len(paths))
        self.assertEqual(ended_by_client(reasons, "child"), count, reasons)

    def test_fin_on_an_idle_connection(self):
        self.run_down(1, fin, ["/spawn"])

    def test_half_close_on_an_idle_connection(self):
        self.run_down(1, half, ["/spawn"])

    def test_reset_on_an_idle_connection(self):
        self.run_down(1, rst, ["/spawn"])

    def test_unix_socket_that_vanishes(self):
        self.run_down(1, fin, ["/spawn"], listen="unix")

    def test_pipelined_requests(self):
        self.run_down(9, fin, ["/spawn"] * 9)

    def test_trees_of_children_of_streams(self):
        self.run_down(9, fin, ["/deep"] * 3)

    def test_within_the_head_of_the_next_request(self):
        self.run_down(2, fin, ["/spawn"] * 2, behind=b"GET /sp")

    def test_reset_with_half_close(self):
        self.run_down(2, rst, ["/half"] * 2)

    def test_with_the_next_request_running(self):
        self.serve(self.APP)
        client = self.connect()
        self.assertEqual(client.request("GET", "/spawn").body, b"hi")
        self.assertEqual(client.request("GET", "/deep").body, b"hi")
        client.send(format_request("GET", "/hang"))
        self.wait_state(lambda s: s["started"] == 5, "all run")
        client.close()
        reasons = self.expect_all_closed(3)
        self.assertEqual(reasons["handler:client"], 1)

    def live_on(self, end_connection, headers=None, settings=None):
        self.serve(self.APP, settings=settings)
        client = self.connect()
        self.assertEqual(client.request("GET", "/until", headers).body, b"hi")
        end_connection(client)
        client.close()
        self.assertEqual(self.state()["closed"], 0)
        self.release()

    def release(self):
        """One request's child ends by itself."""
        self.assertEqual(request(self.server, "GET", "/release").status, 204)
        self.assertEqual(self.expect_all_closed(2), {"child:nil": 1})

    def test_they_outlive_a_connection_that_the_server_closes(self):
        self.live_on(lambda client: client.expect_end(), {"Connection": "close"})

    def test_they_outlive_an_idle_time_out(self):
        self.live_on(lambda client: client.expect_end(), settings={"timeouts.idle": "50ms"})

    def test_half_close_route_outlives_a_fin(self):
        self.serve(self.APP)
        client = self.connect()
        self.assertEqual(client.request("GET", "/half").body, b"hi")
        client.half_close()
        client.expect_end()
        self.assertEqual(self.state()["closed"], 0)
        self.release()

    def test_draining_ends_what_its_connection_left_behind(self):
        self.serve(self.APP, settings={"drain.timeout": "400ms"})
        with self.connect() as client:
            client.request("GET", "/spawn", {"Connection": "close"})
            client.expect_end()
        with self.connect() as client:
            client.request("GET", "/spawn")
            self.server.stop()  # exit status 0, the audit finds nothing


class UnreadTest(Case):
    """A FIN behind bytes that nobody reads: reading has stopped at limits.read_ahead."""

    APP = GUARD + r"""
    app:post("/sleep", function()
      local own <close> = guard("handler")
      park()
      task.sleep(60)
    end)
    app:post("/stream", function()
      return response.stream(function(out)
        local own <close> = guard("handler")
        out:write("begun"):flush()
        park()
        task.sleep(60)
      end)
    end)
    return app
    """

    def leave_behind(self, path, data, listen="127.0.0.1:0", leave=fin):
        self.serve(self.APP, listen=[listen])
        clients = [self.connect() for _ in range(5)]
        for client in clients:
            client.send(f"POST {path} HTTP/1.1\r\nHost: a\r\n")
            client.send(data)
        self.wait_state(lambda s: s["parked"] == 5, "all are parked")
        for client in clients:
            leave(client)
        self.assertEqual(self.expect_all_closed(5), {"handler:client": 5})

    MEGABYTE = 1024 * 1024

    def test_body(self):
        data = f"Content-Length: {self.MEGABYTE}\r\n\r\n" + "x" * self.MEGABYTE
        self.leave_behind("/sleep", data)

    def test_chunked_body(self):
        data = f"Transfer-Encoding: chunked\r\n\r\n{self.MEGABYTE:x}\r\n" + "x" * self.MEGABYTE
        self.leave_behind("/sleep", data, leave=half)

    def test_pipelined_requests(self):
        data = b"Content-Length: 0\r\n\r\n" + format_request("GET", "/state") * 20_000
        self.assertGreater(len(data), self.MEGABYTE * 0.7)
        self.leave_behind("/sleep", data)

    def test_streamed_answer(self):
        data = f"Content-Length: {self.MEGABYTE}\r\n\r\n" + "x" * self.MEGABYTE
        self.leave_behind("/stream", data)

    def test_reset(self):
        data = f"Content-Length: {self.MEGABYTE}\r\n\r\n" + "x" * self.MEGABYTE
        self.leave_behind("/sleep", data, leave=rst)

    def test_unix_socket(self):
        """Its sender waits until what it has sent fits: less than a megabyte."""
        data = f"Content-Length: {self.MEGABYTE}\r\n\r\n" + "x" * 200_000
        self.leave_behind("/sleep", data, listen="unix")


class HalfCloseTest(Case):
    """A route with half_close: a FIN says nothing, the rest does."""

    APP = GUARD + r"""
    app:post("/half", {half_close = true}, function()
      local own <close> = guard("handler")
      park()
      task.sleep(60)
    end)
    app:post("/body", {half_close = true}, function(req)
      local own <close> = guard("handler")
      park()
      return req:body()
    end)
    app:post("/until", {half_close = true}, function()
      local own <close> = guard("handler")
      park()
      repeat task.sleep(0.005) until released
      return "late"
    end)
    app:post("/blocked", {half_close = true}, function()
      return response.stream(function(out)
        local own <close> = guard("handler")
        park()
        while true do out:write(("x"):rep(65536)) end
      end)
    end)
    return app
    """

    def begin(self, path="/half", listen="127.0.0.1:0", data=b""):
        self.serve(self.APP, listen=[listen], settings={"limits.read_ahead": "1k"})
        client = self.connect()
        client.send(format_request("POST", path, {"Content-Length": 100_000} if data else None))
        self.wait_state(lambda s: s["parked"] == 1, "it is parked")
        client.send(data)
        return client

    def expect_gone(self):
        self.assertEqual(self.expect_all_closed(1), {"handler:client": 1})

    def test_reset(self):
        self.begin().reset()
        self.expect_gone()

    def test_reset_behind_unread_bytes(self):
        self.begin(data=b"x" * 50_000).reset()
        self.expect_gone()

    def test_reset_behind_a_fin(self):
        client = self.begin()
        client.half_close()
        self.assertEqual(self.state()["closed"], 0)
        client.reset()
        self.expect_gone()

    def test_unix_socket_that_vanishes(self):
        self.begin(listen="unix").close()
        self.expect_gone()

    def test_unix_socket_that_vanishes_behind_unread_bytes(self):
        self.begin(listen="unix", data=b"x" * 50_000).close()
        self.expect_gone()

    def test_blocked_write(self):
        client = self.begin("/blocked")
        client.half_close()
        self.assertEqual(self.state()["closed"], 0)
        client.close()
        self.expect_gone()

    def test_answer_behind_a_fin(self):
        client = self.begin("/until")
        client.half_close()
        self.assertEqual(request(self.server, "GET", "/release").status, 204)
        self.assertEqual(client.read_response().body, b"late")
        client.expect_end()
        self.assertEqual(self.expect_all_closed(2), {"handler:nil": 1})

    def test_body_that_a_fin_cuts_short(self):
        client = self.begin("/body", data=b"x")
        client.half_close()
        self.assertEqual(client.read_response().status, 400)
        self.wait_state(lambda s: s["closed"] == 1, "the handler has ended")


if __name__ == "__main__":
    unittest.main()
