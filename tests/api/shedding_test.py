#!/usr/bin/env python3
"""Load shedding: queues in front of limits.in_flight and of a route's in_flight, limits.lag, and
what is answered with 503. Handlers are parked on a gate, a name that another request opens."""

import os
import re
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Server, format_request, request, wait_until  # noqa: E402

# A handler logs "runs NAME" when it starts and "ends NAME" when it is over; GET /hold/NAME waits
# until the file NAME is in the server's folder (a request to open it would need a place itself).
APP = r"""
local perilune = require "perilune"
local log = require "perilune.log"
local task = require "perilune.task"
local app = perilune.app()

local function is_open(name)
  local file = io.open(name)
  if file then file:close() end
  return file ~= nil
end

local function hold(req)
  local name = req.params.name
  local over <close> = setmetatable({}, {__close = function() log.info("ends " .. name) end})
  log.info("runs " .. name)
  while not is_open(name) do task.sleep(0.002) end
  return name
end

app:get("/hold/:name", hold)
app:get("/one/:name", {in_flight = 1}, hold)
app:get("/brief/:name", {timeout = "300ms"}, hold)
app:get("/late/:name", {half_close = true}, hold)
app:post("/body/:name", function(req)
  log.info("runs " .. req.params.name)
  return req:body()
end)
app:get("/", function() return "hello" end)

-- Holds the loop, turn by turn, until the client leaves.
app:get("/hog", function()
  local over <close> = setmetatable({}, {__close = function() log.info("ends hog") end})
  while true do
    local started = os.clock()
    table.sort({1, 2}, function(a, b)
      while os.clock() - started < 0.1 do end
      return a < b
    end)
    task.sleep(0)
  end
end)

-- One long turn, until the file is there.
app:get("/stall/:name", function(req)
  local started, name = os.clock(), req.params.name
  log.info("runs " .. name)
  table.sort({1, 2}, function(a, b)
    while not is_open(name) or os.clock() - started < 0.1 do end
    return a < b
  end)
  return name
end)

app:on("not_found", function(req, status, allow) return "nothing here" end)
return app
"""

# Long enough that no time-out interferes where none is wanted.
PATIENT = {"limits.in_flight": 1, "timeouts.queue": "60s", "timeouts.request": "60s"}


def send(server, path, method="GET", body=None):
    """A connection on which the request is under way."""
    client = server.connect()
    client.send(format_request(method, path, body=body))
    return client


def send_and_run(server, path, method="GET"):
    """The same, and its handler runs."""
    client = send(server, path, method)
    server.wait_log(rf"runs {path.rpartition('/')[2]}\b")
    return client


def is_saturated(server):
    return request(server, "OPTIONS", "*").status == 503


def queue_up(server, paths, method="GET"):
    """Connections whose requests wait, in this order: when the worker answers OPTIONS * it has read
    what came before, on whatever connection."""
    clients = []
    for path in paths:
        clients.append(send(server, path, method))
        request(server, "OPTIONS", "*")
    return clients


def open_gate(server, name):
    server.write(name, "")


class Shedding(unittest.TestCase):
    def assert_shed(self, answer, *words):
        self.assertEqual(answer.status, 503, answer)
        self.assertGreaterEqual(int(answer.get("Retry-After")), 1)
        self.assertEqual(answer.get("Content-Type"), "application/problem+json")
        for word in words:
            self.assertIn(word, answer.json()["detail"])

    def assert_runs(self, server, names):
        """These handlers have run, in this order, and no other. Ends the server: then the log is
        complete."""
        server.stop()
        self.assertEqual(re.findall(r" runs (\S+)", server.log), list(names))

    def assert_answer(self, client, body):
        answer = client.read_response()
        self.assertEqual((answer.status, answer.body), (200, body.encode()), answer)


class QueueTest(Shedding):
    def test_waiting_requests_run_first_come_first_served(self):
        with Server(APP, settings=PATIENT) as server:
            first = send_and_run(server, "/hold/a")
            names = ["b", "c", "d", "e"]
            clients = queue_up(server, [f"/hold/{name}" for name in names])
            for name in ["a"] + names:
                server.wait_log(rf"runs {name}\b")
                open_gate(server, name)
            self.assert_answer(first, "a")
            for name, client in zip(names, clients):
                self.assert_answer(client, name)
            self.assert_runs(server, ["a"] + names)

    def test_queue_is_bounded(self):
        with Server(APP, settings={**PATIENT, "limits.queue": 2}) as server:
            first = send_and_run(server, "/hold/a")
            clients = queue_up(server, ["/hold/b", "/hold/c"])
            self.assert_shed(request(server), "limits.in_flight, 1", "limits.queue")
            self.assertTrue(is_saturated(server))
            server.wait_log(r"warn .* 1 answered with 503: .*limits\.queue")
            for name in "abc":
                open_gate(server, name)
            self.assert_answer(first, "a")
            for name, client in zip("bc", clients):
                self.assert_answer(client, name)
            self.assertFalse(is_saturated(server))

    def test_queue_of_none_refuses_at_once(self):
        with Server(APP, settings={**PATIENT, "limits.queue": 0}) as server:
            first = send_and_run(server, "/hold/a")
            self.assert_shed(request(server), "limits.in_flight, 1")
            self.assertTrue(is_saturated(server))
            open_gate(server, "a")
            self.assert_answer(first, "a")
            self.assertEqual(request(server).body, b"hello")

    def test_full_places_with_room_to_wait_are_not_saturation(self):
        with Server(APP, settings=PATIENT) as server:
            first = send_and_run(server, "/hold/a")
            self.assertFalse(is_saturated(server))
            open_gate(server, "a")
            self.assert_answer(first, "a")

    def test_long_wait_is_503_and_the_connection_goes_on(self):
        with Server(APP, settings={**PATIENT, "timeouts.queue": "50ms"}) as server:
            first = send_and_run(server, "/hold/a")
            with server.connect() as client:
                self.assert_shed(client.request(), "limits.in_flight, 1", "in time")
                self.assert_shed(client.request("POST", "/body/b", body=b"hello"))
                open_gate(server, "a")
                self.assert_answer(first, "a")
                answer = client.request("POST", "/body/b", body=b"hello")
                self.assertEqual((answer.status, answer.body), (200, b"hello"))
            server.wait_log(r"warn .*timeouts\.queue")

    def test_wait_counts_against_the_time_of_the_request(self):
        with Server(APP, settings=PATIENT) as server:
            first = send_and_run(server, "/hold/a")
            self.assert_shed(request(server, "GET", "/brief/b"), "in time")
            open_gate(server, "a")
            self.assert_answer(first, "a")
            self.assert_runs(server, "a")

    def test_request_over_its_time_is_503_with_retry_after(self):
        with Server(APP) as server:
            answer = request(server, "GET", "/brief/a")
            self.assertEqual(answer.status, 503)
            self.assertGreaterEqual(int(answer.get("Retry-After")), 1)

    def test_client_that_leaves_the_queue_takes_no_place(self):
        with Server(APP, settings={**PATIENT, "limits.queue": 3}) as server:
            first = send_and_run(server, "/hold/a")
            gone = queue_up(server, ["/hold/b", "/hold/c"])
            last, = queue_up(server, ["/hold/d"])
            self.assertTrue(is_saturated(server))
            gone[0].close()
            gone[1].reset()
            wait_until(lambda: not is_saturated(server), "the queue has room")
            others = queue_up(server, ["/hold/e", "/hold/f"])
            self.assertTrue(is_saturated(server))
            for name in "adef":
                open_gate(server, name)
            for name, client in zip("adef", [first, last, *others]):
                self.assert_answer(client, name)
            self.assert_runs(server, "adef")

    def test_finish_handler_is_told_of_a_client_that_left_the_queue(self):
        app = APP.replace("return app", """
            app:on("finish", function(req, info)
              log.info(("finish %s %s %d"):format(req.path, info.cut, info.status))
            end)
            return app""")
        with Server(app, settings=PATIENT) as server:
            first = send_and_run(server, "/hold/a")
            gone, = queue_up(server, ["/hold/b"])
            gone.close()
            server.wait_log("finish /hold/b true 0")
            open_gate(server, "a")
            self.assert_answer(first, "a")
            self.assert_runs(server, "a")

    def test_client_that_half_closes_keeps_its_place_in_the_queue(self):
        with Server(APP, settings=PATIENT) as server:
            first = send_and_run(server, "/hold/a")
            waiting, = queue_up(server, ["/late/b"])
            waiting.half_close()
            open_gate(server, "a")
            open_gate(server, "b")
            self.assert_answer(first, "a")
            self.assert_answer(waiting, "b")

    def test_pipelined_requests_wait_each_for_its_turn(self):
        with Server(APP, settings={**PATIENT, "limits.queue": 1}) as server:
            first = send_and_run(server, "/hold/a")
            waiting = server.connect()
            waiting.send(format_request("GET", "/hold/b") + format_request("GET", "/") +
                         format_request("GET", "/hold/c"))
            first.send(format_request("GET", "/hold/d"))
            wait_until(lambda: is_saturated(server), "one waits")
            for name in "abcd":
                open_gate(server, name)
            self.assert_answer(first, "a")
            for body in ("b", "hello", "c"):
                self.assert_answer(waiting, body)
            self.assert_answer(first, "d")

    def test_half_sent_body_waits_unread(self):
        """Nothing is asked of the client before the handler runs: no 100 Continue either."""
        head = "POST /body/b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
        with Server(APP, settings=PATIENT) as server:
            first = send_and_run(server, "/hold/a")
            half, polite = server.connect(), server.connect()
            half.send(head + "\r\nhel")
            request(server, "OPTIONS", "*")
            polite.send(head + "Expect: 100-continue\r\n\r\n")
            request(server, "OPTIONS", "*")
            open_gate(server, "a")
            self.assert_answer(first, "a")
            server.wait_log(r"runs b\b")
            half.send("lo")
            self.assert_answer(half, "hello")
            polite.send("world")
            answer = polite.read_response()
            self.assertEqual((answer.body, [i.status for i in answer.interim]), (b"world", [100]))

    def test_not_found_handler_waits_like_a_route(self):
        with Server(APP, settings=PATIENT) as server:
            first = send_and_run(server, "/hold/a")
            lost, wrong = queue_up(server, ["/nowhere", "/body/b"])
            open_gate(server, "a")
            self.assert_answer(first, "a")
            answer = lost.read_response()
            self.assertEqual((answer.status, answer.body), (404, b"nothing here"))
            answer = wrong.read_response()
            self.assertEqual((answer.status, answer.get("Allow")), (405, "POST, OPTIONS"))

    def test_every_worker_has_its_own_queue(self):
        settings = {**PATIENT, "limits.queue": 1}
        with Server(APP, settings=settings, workers=2) as server:
            clients = []
            # Often enough that on a busy machine not all questions go to the worker that is full.
            while not all(is_saturated(server) for _ in range(48)):
                clients.append(send(server, "/hold/a"))
                self.assertLessEqual(len(clients), 64)
            open_gate(server, "a")
            statuses = [client.read_response().status for client in clients]
            self.assertEqual(statuses.count(200), 4, statuses)
            self.assertEqual(statuses.count(503), len(clients) - 4)


class RouteTest(Shedding):
    SETTINGS = {**PATIENT, "limits.in_flight": 100, "limits.queue": 1}

    def test_full_route_queues_refuses_and_blocks_no_other(self):
        with Server(APP, settings=self.SETTINGS) as server:
            first = send_and_run(server, "/one/a")
            waiting, = queue_up(server, ["/one/b"])
            self.assert_shed(request(server, "GET", "/one/c"), "the route's in_flight, 1")
            self.assertEqual(request(server).body, b"hello")
            self.assertFalse(is_saturated(server))
            other = send_and_run(server, "/hold/d")
            for name in "abd":
                open_gate(server, name)
            for name, client in zip("abd", (first, waiting, other)):
                self.assert_answer(client, name)
            self.assert_runs(server, "adb")

    def test_oldest_over_all_routes_gets_the_place(self):
        with Server(APP, settings=PATIENT) as server:
            first = send_and_run(server, "/hold/a")
            clients = queue_up(server, ["/one/b", "/hold/c", "/one/d"])
            for name in "abcd":
                open_gate(server, name)
            for name, client in zip("abcd", [first, *clients]):
                self.assert_answer(client, name)
            self.assert_runs(server, "abcd")


class DrainTest(Shedding):
    def test_drain_answers_those_who_wait(self):
        with Server(APP, settings={**PATIENT, "limits.queue": 3}) as server:
            first = send_and_run(server, "/hold/a")
            clients = queue_up(server, ["/hold/b", "/one/c", "/hold/d"])
            server.signal(signal.SIGTERM)
            wait_until(lambda: not server.accepts(), "new connections are refused")
            for name in "abcd":
                open_gate(server, name)
            for name, client in zip("abcd", [first, *clients]):
                answer = client.read_response()
                self.assertEqual((answer.status, answer.text), (200, name))
                self.assertTrue(answer.closes)
            server.wait_exit(0)

    def test_end_of_the_drain_cuts_those_who_wait(self):
        with Server(APP, settings={**PATIENT, "drain.timeout": "50ms"}) as server:
            send_and_run(server, "/hold/a")
            queue_up(server, ["/hold/b", "/one/c"])
            server.signal(signal.SIGTERM)
            server.wait_exit(0)
            self.assert_runs(server, "a")


class LagTest(Shedding):
    SETTINGS = {"limits.lag": "20ms", "timeouts.request": "60s"}

    def is_shedding(self, server):
        answer = request(server)
        if answer.status != 503:
            return False
        self.assert_shed(answer, "limits.lag")
        return True

    def test_worker_that_is_behind_refuses_until_it_is_not(self):
        with Server(APP, settings=self.SETTINGS) as server:
            hog = send(server, "/hog")
            wait_until(lambda: self.is_shedding(server), "requests are refused")
            wait_until(lambda: is_saturated(server), "so says OPTIONS *")
            server.wait_log(r"warn .*limits\.lag")
            hog.close()
            server.wait_log("ends hog")
            wait_until(lambda: request(server).status == 200, "they are served again")

    def test_one_long_turn_refuses_nobody(self):
        with Server(APP, settings=self.SETTINGS) as server:
            clients = [server.connect() for _ in range(4)]
            for client in clients:
                self.assertEqual(client.request().status, 200)
            stall = send_and_run(server, "/stall/a")
            for client in clients:
                client.send(format_request())
            open_gate(server, "a")
            self.assert_answer(stall, "a")
            for client in clients:
                self.assert_answer(client, "hello")

    def test_without_the_limit_nobody_is_refused(self):
        with Server(APP, settings={**self.SETTINGS, "limits.lag": False}) as server:
            hog = send(server, "/hog")
            for _ in range(8):
                self.assertEqual(request(server).status, 200)
            hog.close()


if __name__ == "__main__":
    unittest.main()
