#!/usr/bin/env python3
"""perilune.channel and perilune.topic between four workers: each message once whoever sends,
receives, gives up or leaves; order; times; closing; draining; what messages may hold together."""
# presets: asan tsan

import collections
import json
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Server, request, wait_until  # noqa: E402

WORKERS = 4

APP = r"""
local perilune, task = require "perilune", require "perilune.task"
local response, json = require "perilune.response", require "perilune.json"
local struct = require "perilune.struct"
local app = perilune.app()

local function answer(v, why, code)
  return {v = v, why = why, code = code, worker = perilune.worker.index}
end

app:get("/worker", function() return tostring(perilune.worker.index) end)
app:get("/channel", function(req)
  local q = req.query
  local ch = perilune.channel(q.name or "test", {capacity = tonumber(q.capacity)})
  if q.op == "length" then return answer(#ch) end
  if q.op == "close" then ch:close() return answer(true) end
  if q.op == "receive" then return answer(ch:receive(tonumber(q.t))) end
  return answer(ch[q.op](ch, q.v, tonumber(q.t)))
end)
app:post("/echo", function(req)
  perilune.channel("echo"):send(req:json())
  return nil, 202
end)
app:get("/echo", function() return response.json(perilune.channel("echo"):receive(5)) end)

-- Receives until "work" is closed, and says what it got in "seen".
local function note(v) assert(perilune.channel("seen", {capacity = 1000000}):try_send(v)) end
app:get("/take", function()
  local v, why = perilune.channel("work"):receive()
  if v then note(v) end
  return {v = v, why = why}
end)
app:get("/consume", function(req)
  local work = perilune.channel("work")
  for _ = 1, 3 do
    task.background(function() for v in work:each() do note(v) end end)
    -- One that gives up again and again.
    task.background(function()
      while true do
        local ok, v, why = pcall(task.timeout, 0.001, function()
          local v, why = work:receive()
          if v then note(v) end
          return v, why
        end)
        if ok and why == "closed" then return end
      end
    end)
  end
  return nil, 202
end)
app:get("/produce", function(req)
  local work = perilune.channel("work", {capacity = 8})
  for i = 1, tonumber(req.query.n) do work:send {from = req.query.from, n = i} end
  return nil, 204
end)
app:get("/seen", function()
  local seen, list = perilune.channel "seen", {}
  repeat local v = seen:try_receive() list[#list + 1] = v until not v
  return json.array(list)
end)
app:get("/drop", function() task.sleep(0.01) perilune.channel("work"):close() return nil, 204 end)

-- One reader of what many send.
app:get("/in_order", function(req)
  local list = {}
  for v in perilune.channel("work", {capacity = 4}):each() do
    list[#list + 1] = v
    if #list == tonumber(req.query.n) then break end
  end
  return list
end)

app:get("/listen", function(req)
  return response.stream(function(out)
    local news <close> = perilune.topic("news"):subscribe {capacity = tonumber(req.query.capacity)}
    out:write "listening\n"
    for v, lost in news:each() do
      out:write(("%s %d\n"):format(v, lost))
      if v == "end" then return end
    end
  end)
end)
app:get("/publish", function(req) return tostring(perilune.topic("news"):publish(req.query.v)) end)

app:get("/fill", function()
  local ch, n = perilune.channel("full", {capacity = 100000}), 0
  local text, ok, why = ("x"):rep(65536)
  repeat ok, why = pcall(ch.try_send, ch, text) n = n + 1 until not ok
  return {n = n - 1, why = why}
end)
app:get("/empty", function()
  local ch, n = perilune.channel("full"), 0
  while ch:try_receive() do n = n + 1 end
  return tostring(n)
end)
app:get("/bad", function()
  local x = perilune.channel "x"
  local function path(v) return (select(2, pcall(x.try_send, x, v))) end
  local loop = {} loop.a = {loop}
  return {path {a = {1, 2, print}}, path(loop), path {[{}] = 1}, path(io.stdout)}
end)
local waiting = 0
app:get("/park", function(req)
  waiting = waiting + 1
  local counted <close> = setmetatable({}, {__close = function() waiting = waiting - 1 end})
  if req.query.op == "send" then
    local full = perilune.channel("parked", {capacity = 1})
    full:send(1) full:send(2)
  end
  return answer(perilune.channel(req.query.name or "nothing"):receive())
end)
app:get("/waiting", function() return tostring(waiting) end)

-- Structs and arrays.
local Shot = struct.define("Shot", "t:f32 n:vec3 prim:u32")
app:get("/shoot", function(req)
  local shot = Shot(0.5, 1, 2, 3, tonumber(req.query.prim))
  perilune.channel("shots"):send {shot = shot, list = {shot, shot}}
  shot.prim = 0
  return nil, 204
end)
app:get("/shot", function()
  local m = perilune.channel("shots"):receive(5)
  m.list[1].t = 9
  return {m.shot.prim, m.shot.n.y, m.shot.t, m.list[1].prim, m.list[1].t, m.list[2].t}
end)
-- An array that goes from worker to worker, and each adds 1 to each element.
app:get("/pass", function(req)
  local ring, hops = perilune.channel("ring", {capacity = 1}), 0
  for a in ring:each() do
    for i = 1, #a, 1000 do a[i] = a[i] + 1 end
    hops = hops + 1
    if a[1] == tonumber(req.query.n) then
      perilune.channel("done"):send(a:move())
      ring:close()
    else
      ring:send(a:move())
    end
    local ok, why = pcall(function() return a[1] end)
    assert(not ok and why:find("stale view", 1, true), why)
  end
  return tostring(hops)
end)
app:get("/start", function()
  perilune.channel("ring", {capacity = 1}):send(struct.u32.array(100001):move())
  local a = perilune.channel("done"):receive(30)
  return {#a, a[1], a[2], a[100001]}
end)
app:get("/watch", function()
  local sub <close> = perilune.topic("mesh"):subscribe()
  perilune.channel("watching"):send(true)
  local mesh = sub:receive(10)
  local ok = pcall(function() mesh[1] = 0 end)
  return {#mesh, mesh[1], mesh[#mesh], ok}
end)
app:get("/show", function(req)
  for _ = 1, tonumber(req.query.n) do perilune.channel("watching"):receive(10) end
  local mesh = struct.f32.array(50000)
  mesh[1], mesh[50000] = 1, 2
  mesh:freeze()
  return {perilune.topic("mesh"):publish(mesh), mesh[1]}
end)
app:get("/unfrozen", function()
  local mesh = perilune.topic "mesh"
  return (select(2, pcall(mesh.publish, mesh, {a = struct.f32.array(1)})))
end)
return app
"""


class Crossing(unittest.TestCase):
    def start(self, settings=None):
        self.server = self.enterContext(Server(APP, settings, workers=WORKERS))
        self.clients = self.reach_all()

    def reach_all(self):
        """A connection to each worker, in the order of their numbers."""
        found = {}
        for _ in range(50 * WORKERS):
            client = self.server.connect()
            found.setdefault(int(client.request("GET", "/worker").body), client)
            if len(found) == WORKERS:
                return [found[i] for i in sorted(found)]
        self.fail(f"only workers {sorted(found)} were reached")

    def channel(self, worker, op, **arguments):
        query = "&".join(f"{key}={value}" for key, value in {"op": op, **arguments}.items())
        response = self.clients[worker].request("GET", "/channel?" + query)
        self.assertEqual(response.status, 200, response.body)
        self.assertEqual(response.json()["worker"], worker + 1)
        return response.json()

    def begin(self, worker, path):
        self.clients[worker].send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")

    def end(self, worker):
        return self.clients[worker].read_response().json()

    def waiting(self):
        """How many requests are in /park."""
        return sum(int(client.request("GET", "/waiting").text) for client in self.clients)

    def test_what_one_worker_sends_another_receives(self):
        self.start()
        self.assertEqual(self.channel(0, "send", v="x")["v"], True)
        self.assertEqual(self.channel(3, "send", v="y")["v"], True)
        self.assertEqual(self.channel(2, "length")["v"], 2)
        self.assertEqual(self.channel(1, "receive")["v"], "x")
        self.assertEqual(self.channel(0, "receive")["v"], "y")
        self.begin(2, "/channel?op=receive")
        self.assertEqual(self.channel(1, "send", v="z")["v"], True)
        self.assertEqual(self.end(2)["v"], "z")

    def test_documents_arrive_as_they_were(self):
        self.start()
        document = {"list": [1, 2.5, None, [], {}, [[]]], "text": "\u00e9\u0000", "n": -2 ** 63,
                    "deep": {"a": {"b": {"c": [True, False, None]}}}, "empty": ""}
        self.clients[0].request("POST", "/echo", {"Content-Type": "application/json"},
                                json.dumps(document))
        self.assertEqual(self.clients[1].request("GET", "/echo").json(), document)

    def test_times_and_full_and_empty_channels(self):
        self.start()
        self.assertEqual(self.channel(0, "receive", t="0.01")["code"], "ETIMEDOUT")
        self.assertEqual(self.channel(0, "try_receive")["code"], "EAGAIN")
        self.assertTrue(self.channel(1, "send", v=1, capacity=1)["v"])
        self.assertEqual(self.channel(2, "try_send", v=2)["why"], "full")
        self.assertEqual(self.channel(3, "send", v=2, t="0.01")["why"], "timeout")
        self.begin(0, "/channel?op=send&v=3")
        wait_until(lambda: self.channel(1, "length")["v"] == 2, "the sender waits")
        self.assertEqual(self.channel(2, "receive")["v"], "1")
        self.assertTrue(self.end(0)["v"])
        self.assertEqual(self.channel(2, "receive")["v"], "3")

    def test_closing_reaches_all_who_wait(self):
        self.start()
        parked = self.clients
        for client in parked:
            client.send("GET /park HTTP/1.1\r\nHost: a\r\n\r\n")
        self.clients = self.reach_all()
        wait_until(lambda: self.waiting() == WORKERS, "all wait")
        self.channel(3, "close", name="nothing")
        for client in parked:
            self.assertEqual(client.read_response().json()["code"], "EOF")
        self.assertEqual(self.channel(0, "try_receive", name="nothing")["code"], "EAGAIN")

    def test_each_message_is_received_once_whoever_gives_up(self):
        self.start({"limits.in_flight": 1024})
        for worker in range(WORKERS):
            self.assertEqual(self.clients[worker].request("GET", "/consume").status, 202)
        count, choice = 400, random.Random(4)
        for worker in range(WORKERS):
            self.begin(worker, f"/produce?from={worker}&n={count}")
        for _ in range(60):
            leaver = self.server.connect()
            leaver.send("GET /take HTTP/1.1\r\nHost: a\r\n\r\n")
            if choice.random() < 0.5:
                leaver.reset()
            else:
                leaver.close()
        for worker in range(WORKERS):
            self.assertEqual(self.clients[worker].read_response().status, 204)
        seen = collections.Counter()

        def all_seen():
            for message in self.clients[0].request("GET", "/seen").json():
                seen[message["from"], message["n"]] += 1
            return sum(seen.values()) >= WORKERS * count

        wait_until(all_seen, "all messages were received")
        self.clients[1].request("GET", "/drop")
        self.assertEqual(self.clients[0].request("GET", "/seen").json(), [])
        self.assertEqual(len(seen), WORKERS * count)
        self.assertEqual(max(seen.values()), 1)

    def test_messages_of_a_sender_keep_their_order(self):
        self.start()
        self.begin(0, "/in_order?n=900")
        for worker in (1, 2, 3):
            self.begin(worker, f"/produce?from={worker}&n=300")
        got = self.end(0)
        for worker in ("1", "2", "3"):
            self.assertEqual([m["n"] for m in got if m["from"] == worker], list(range(1, 301)))

    def test_every_subscriber_gets_every_message_in_order(self):
        self.start()
        listeners = [self.server.connect() for _ in range(3 * WORKERS)]
        for client in listeners:
            client.send("GET /listen HTTP/1.0\r\nHost: a\r\nConnection: close\r\n\r\n")
        wait_until(lambda: self.clients[0].request("GET", "/publish?v=warm").text ==
                   str(len(listeners)), "all listen")
        for n in range(20):
            answer = self.clients[n % WORKERS].request("GET", f"/publish?v={n}")
            self.assertEqual(answer.text, str(len(listeners)))
        self.clients[0].request("GET", "/publish?v=end")
        for client in listeners:
            lines = client.read_response().text.split("\n")
            self.assertEqual(lines[0], "listening")
            lines = [line for line in lines[1:-1] if not line.startswith("warm")]
            self.assertEqual(lines, [f"{n} 0" for n in range(20)] + ["end 0"])

    def test_subscribers_that_leave_are_forgotten(self):
        self.start()
        listeners = [self.server.connect() for _ in range(8)]
        for client in listeners:
            client.send("GET /listen HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_until(lambda: self.clients[0].request("GET", "/publish?v=x").text == "8", "all listen")
        for client in listeners:
            client.reset()
        wait_until(lambda: self.clients[1].request("GET", "/publish?v=x").text == "0", "all left")

    def test_messages_have_a_bound_together_and_give_their_memory_back(self):
        self.start({"limits.memory": "16m", "limits.request_memory": "16m"})
        first = self.clients[0].request("GET", "/fill").json()
        self.assertGreater(first["n"], 100)
        self.assertRegex(first["why"], r"would hold more than limits\.memory allows \(16777216 ")
        self.assertEqual(self.clients[1].request("GET", "/empty").text, str(first["n"]))
        self.assertEqual(self.clients[2].request("GET", "/fill").json(), first)
        self.assertEqual(self.clients[3].request("GET", "/empty").text, str(first["n"]))

    def test_errors_name_the_place(self):
        self.start()
        self.assertEqual(self.clients[0].request("GET", "/bad").json(), [
            "channel:try_send: $.a[3]: a function cannot be sent",
            "channel:try_send: $.a[1]: a cycle: the table is inside itself",
            "channel:try_send: $: a table as a key cannot be sent",
            "channel:try_send: $: a FILE* cannot be sent"])

    def test_a_server_ends_with_messages_and_waits_pending(self):
        self.start({"drain.timeout": "50ms", "timeouts.grace": "50ms"})
        self.channel(0, "send", v="left")
        self.channel(1, "send", v="left", name="other")
        for worker in range(WORKERS):
            self.begin(worker, f"/park?op={'send' if worker % 2 else 'receive'}")
        self.clients = self.reach_all()
        wait_until(lambda: self.waiting() == WORKERS, "all wait")
        self.server.signal(15)
        self.server.wait_exit(0)
        self.assertEqual(len(self.server.log_lines("messages left in channels.*: 3$")), 1)

    def test_a_client_that_leaves_takes_no_message_with_it(self):
        self.start()
        leavers = [self.server.connect() for _ in range(12)]
        for client in leavers:
            client.send("GET /park?name=quiet HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_until(lambda: self.waiting() == 12, "all wait")
        for client in leavers:
            client.reset()
        wait_until(lambda: self.waiting() == 0, "all have left")
        for n in range(5):
            self.channel(n % WORKERS, "send", v=n, name="quiet")
        for n in range(5):
            self.assertEqual(self.channel(3, "receive", name="quiet")["v"], str(n))

    def test_structs_are_the_receivers_own(self):
        self.start()
        self.clients[0].request("GET", "/shoot?prim=7")
        self.clients[1].request("GET", "/shoot?prim=8")
        self.assertEqual(self.clients[2].request("GET", "/shot").json(), [7, 2, 0.5, 7, 9, 0.5])
        self.assertEqual(self.clients[0].request("GET", "/shot").json(), [8, 2, 0.5, 8, 9, 0.5])

    def test_an_array_goes_round_and_is_used_by_one_at_a_time(self):
        self.start()
        for worker in (1, 2, 3):
            self.begin(worker, "/pass?n=300")
        self.assertEqual(self.clients[0].request("GET", "/start").json(), [100001, 300, 0, 300])
        self.assertEqual(sum(self.end(worker) for worker in (1, 2, 3)), 300)

    def test_a_frozen_array_is_seen_by_all(self):
        self.start()
        for worker in (1, 2, 3):
            self.begin(worker, "/watch")
        self.assertEqual(self.clients[0].request("GET", "/show?n=3").json(), [3, 1])
        for worker in (1, 2, 3):
            self.assertEqual(self.end(worker), [50000, 1, 2, False])
        self.assertEqual(
            self.clients[0].request("GET", "/unfrozen").text,
            "topic:publish: $.a: freeze(), move() or clone() it: an array is not copied")


if __name__ == "__main__":
    unittest.main()
