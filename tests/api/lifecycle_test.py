#!/usr/bin/env python3
# presets: asan tsan
"""The server's life: addresses and workers, saturation, clients that leave, log sinks, drain."""

import collections
import os
import signal
import socket
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Closed, Server, format_request, request, run, wait_until  # noqa: E402

HELLO = "return function(req) return 'hello' end"

# Each route says "parked" in the log when its handler runs, and "unwound" when its <close> ran.
PARKING = r"""
local perilune = require "perilune"
local log = require "perilune.log"
local task = require "perilune.task"
local app = perilune.app()

local function guard()
  return setmetatable({}, {__close = function() log.info("unwound") end})
end

app:get("/", function() return "hello" end)
app:any("/sleep", function()
  local unwinding <close> = guard()
  log.info("parked")
  task.sleep(60)
  return "overslept"
end)
app:post("/body", function(req)
  local unwinding <close> = guard()
  log.info("parked")
  return req:body()
end)
return app
"""

HALF_SENT = b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe"
SLEEP = b"GET /sleep HTTP/1.1\r\nHost: a\r\n\r\n"


def wait_refused(server):
    """Waits until no connection is accepted any more: the drain has begun."""
    wait_until(lambda: not server.accepts(), "new connections are refused")


def park(server, data=SLEEP, count=1):
    """A connection whose request has reached its handler and waits there; the count-th one."""
    client = server.connect()
    client.send(data)
    server.wait_log("parked", count)
    return client


class DrainTest(unittest.TestCase):
    def test_term_finishes_requests_in_flight(self):
        with Server(PARKING) as server:
            client = park(server, HALF_SENT)
            server.signal(signal.SIGTERM)
            wait_refused(server)
            client.send("llo")
            answer = client.read_response()
            self.assertEqual((answer.status, answer.body), (200, b"hello"))
            self.assertTrue(answer.closes)
            client.expect_end()
            server.wait_exit(0)

    def test_quit_and_int_drain_like_term(self):
        for number in (signal.SIGQUIT, signal.SIGINT):
            with self.subTest(signal=number), Server(PARKING) as server:
                client = park(server, HALF_SENT)
                server.signal(number)
                wait_refused(server)
                client.send("llo")
                self.assertEqual(client.read_response().body, b"hello")
                server.wait_exit(0)

    def test_idle_server_ends_at_once(self):
        with Server(HELLO) as server:
            self.assertEqual(request(server).body, b"hello")

    def test_idle_connection_does_not_hold_up_the_drain(self):
        with Server(HELLO, settings={"drain.timeout": "60s", "timeouts.idle": "60s"}) as server:
            used, unused = server.connect(), server.connect()
            self.assertEqual(used.request().status, 200)
            server.signal(signal.SIGTERM)
            used.expect_end()
            unused.expect_end()
            server.wait_exit(0)

    def test_pipelined_requests_are_answered_before_the_end(self):
        with Server(PARKING) as server:
            client = park(server, HALF_SENT)
            server.signal(signal.SIGTERM)
            wait_refused(server)
            client.send(b"llo" + format_request())
            answer = client.read_response()
            self.assertEqual(answer.body, b"hello")
            self.assertTrue(answer.closes)
            client.expect_end()
            server.wait_exit(0)

    def test_second_term_stops_at_once(self):
        with Server(PARKING, settings={"drain.timeout": "60s"}) as server:
            client = park(server)
            server.signal(signal.SIGTERM)
            wait_refused(server)
            server.signal(signal.SIGTERM)
            server.wait_exit(0)
            with self.assertRaises((Closed, ConnectionResetError)):
                client.read_response()

    def test_drain_timeout_cuts_what_still_runs(self):
        with Server(PARKING, settings={"drain.timeout": "200ms"}) as server:
            park(server)
            server.signal(signal.SIGTERM)
            server.wait_exit(0)
            self.assertTrue(server.log_lines("unwound"), server.log)
            self.assertTrue(server.log_lines("/sleep"), "the cut request is not in the log")

    def test_term_under_load_fails_no_request(self):
        """Each client asks again as soon as it has its answer, until one says Connection: close."""
        with Server(HELLO) as server:
            answered, failed = [], []

            def ask(client):
                try:
                    while True:
                        answer = client.request()
                        answered.append(answer.status)
                        if answer.closes:
                            return
                except Exception as error:
                    failed.append(error)

            threads = [threading.Thread(target=ask, args=(server.connect(),)) for _ in range(8)]
            for thread in threads:
                thread.start()
            wait_until(lambda: len(answered) > 500, "the load runs")
            server.signal(signal.SIGTERM)
            for thread in threads:
                thread.join()
            server.wait_exit(0)
            self.assertEqual((failed, set(answered)), ([], {200}))

    def test_other_signals_are_ignored_with_one_line(self):
        with Server(HELLO) as server:
            for name in ("HUP", "USR1", "USR2"):
                server.signal(getattr(signal, "SIG" + name))
                self.assertEqual(len(server.wait_log(name)), 1)
                self.assertEqual(request(server).body, b"hello")


class AddressTest(unittest.TestCase):
    def test_second_server_on_the_port_exits_1(self):
        with Server(HELLO) as server:
            address = "127.0.0.1:%d" % server.addresses[0][1]
            second = run("run", "app.lua", "-l", address, cwd=server.folder)
            self.assertEqual(second.returncode, 1, second)
            self.assertIn(address, second.stderr)
            self.assertEqual(request(server).body, b"hello")

    def test_second_server_on_the_unix_socket_exits_1(self):
        with Server(HELLO, listen=["unix"]) as server:
            second = run("run", "app.lua", "-l", "unix:" + server.addresses[0], cwd=server.folder)
            self.assertEqual(second.returncode, 1, second)
            self.assertIn(server.addresses[0], second.stderr)
            self.assertEqual(request(server).body, b"hello")

    def test_unix_socket_serves_and_is_removed(self):
        with Server(HELLO, listen=["unix"]) as server:
            self.assertEqual(request(server).body, b"hello")
            server.stop()
            self.assertFalse(os.path.exists(server.addresses[0]))

    def test_unix_socket_of_a_killed_server_is_taken_over(self):
        with Server(HELLO, listen=["unix"]) as server:
            path = server.addresses[0]
            server.kill()
            self.assertTrue(os.path.exists(path))
            with Server(HELLO, listen=["unix:" + path]) as second:
                self.assertEqual(request(second).body, b"hello")

    def test_several_addresses(self):
        with Server(HELLO, listen=["127.0.0.1:0", "127.0.0.1:0", "unix"]) as server:
            for index in range(3):
                with server.connect(index) as client:
                    self.assertEqual(client.request().body, b"hello")

    def test_ipv6(self):
        try:
            socket.socket(socket.AF_INET6).bind(("::1", 0))
        except OSError:
            self.skipTest("no IPv6 loopback here")
        with Server(HELLO, listen=["[::1]:0"]) as server:
            self.assertEqual(request(server).body, b"hello")


class WorkersTest(unittest.TestCase):
    def test_64_connections_on_4_workers_are_spread(self):
        app = """local perilune = require "perilune"
                 return function() return tostring(perilune.worker.index) end"""
        with Server(app, workers=4) as server:
            clients = [server.connect() for _ in range(64)]
            places = collections.Counter(client.request().text for client in clients)
            self.assertEqual(set(places), {"1", "2", "3", "4"})
            self.assertTrue(all(14 <= count <= 18 for count in places.values()), places)

    def test_worker_count(self):
        app = """local perilune = require "perilune"
                 return function() return tostring(perilune.worker.count) end"""
        with Server(app, workers=3) as server:
            self.assertEqual(request(server).text, "3")


class ClientGoneTest(unittest.TestCase):
    """A client that leaves cancels its handler: the <close> variable writes the line waited for."""

    def check(self, leave, data=SLEEP):
        with Server(PARKING) as server:
            leave(park(server, data))
            server.wait_log("unwound")
            self.assertEqual(request(server).body, b"hello")

    def test_fin_cancels(self):
        self.check(lambda client: client.close())

    def test_reset_cancels(self):
        self.check(lambda client: client.reset())

    def test_half_close_cancels(self):
        with Server(PARKING) as server:
            client = park(server)
            client.half_close()
            server.wait_log("unwound")
            client.expect_end()

    def test_client_gone_within_its_body_cancels(self):
        self.check(lambda client: client.close(), HALF_SENT)

    def test_client_gone_behind_pipelined_requests_cancels(self):
        self.check(lambda client: client.close(), SLEEP + format_request() * 3)

    def test_client_gone_behind_unread_bytes_cancels(self):
        """Reading has stopped (limits.read_ahead); only poll() still sees the FIN. What is sent
        fits into the server's socket buffer: behind more than that no FIN would arrive."""
        with Server(PARKING, settings={"limits.read_ahead": "1k"}) as server:
            client = park(server, format_request("POST", "/sleep", {"Content-Length": 8 << 20}))
            for _ in range(12):
                client.send(b"x" * 4096)
            client.close()
            server.wait_log("unwound")

    def test_client_gone_on_a_unix_socket_cancels(self):
        with Server(PARKING, listen=["unix"]) as server:
            park(server).close()
            server.wait_log("unwound")


class SaturationTest(unittest.TestCase):
    def test_request_timeout_is_503(self):
        with Server(PARKING, settings={"timeouts.request": "200ms"}) as server:
            answer = request(server, "GET", "/sleep")
            self.assertEqual(answer.status, 503)
            self.assertEqual(answer.json()["status"], 503)
            server.wait_log("unwound")
            self.assertEqual(request(server).body, b"hello")

    def test_time_spent_on_the_body_does_not_count(self):
        """timeouts.body ends what waits for the client: 408, not 503."""
        settings = {"timeouts.request": "100ms", "timeouts.body": "400ms"}
        with Server(PARKING, settings=settings) as server:
            self.assertEqual(park(server, HALF_SENT).read_response().status, 408)
            server.wait_log("unwound")

    def test_in_flight_saturation_is_503_with_retry_after(self):
        with Server(PARKING, settings={"limits.in_flight": 2, "limits.queue": 0}) as server:
            first, second = park(server), park(server, count=2)
            answer = request(server)
            self.assertEqual(answer.status, 503)
            self.assertTrue(answer.get("Retry-After", "").isdigit(), answer)
            first.close()
            second.close()
            server.wait_log("unwound", 2)
            wait_until(lambda: request(server).status == 200, "the server recovers")

    def test_connections_above_the_limit_get_503(self):
        with Server(HELLO, settings={"limits.connections": 4}) as server:
            clients = [server.connect() for _ in range(4)]
            for client in clients:
                self.assertEqual(client.request().status, 200)
            answer = request(server)
            self.assertEqual(answer.status, 503)
            self.assertTrue(answer.get("Retry-After", "").isdigit(), answer)
            self.assertTrue(answer.closes)
            for client in clients:
                self.assertEqual(client.request().status, 200)
            clients.pop().close()
            wait_until(lambda: request(server).status == 200, "a place is free again")

    def test_options_asterisk_tells_saturation(self):
        with Server(PARKING, settings={"limits.in_flight": 1, "limits.queue": 0}) as server:
            self.assertEqual(request(server, "OPTIONS", "*").status, 204)
            park(server)
            self.assertEqual(request(server, "OPTIONS", "*").status, 503)


class LogSinkTest(unittest.TestCase):
    """Logging never waits: what cannot be written is dropped and counted, requests go on."""

    APP = r"""
    local log = require "perilune.log"
    return function()
      log.info(("x"):rep(1000))
      return "hello"
    end
    """
    ROUNDS, CONNECTIONS, PIPELINED = 20, 8, 20

    def assert_all_answered(self, server):
        clients = [server.connect() for _ in range(self.CONNECTIONS)]
        for _ in range(self.ROUNDS):
            for client in clients:
                client.send(format_request() * self.PIPELINED)
            for client in clients:
                for _ in range(self.PIPELINED):
                    self.assertEqual(client.read_response().status, 200)

    def test_pipe_that_nobody_reads(self):
        with Server(self.APP, is_read=False) as server:
            self.assert_all_answered(server)
            server.resume_reading()
            server.wait_log("drop")

    def test_pipe_that_is_never_read_does_not_hold_up_the_end(self):
        with Server(self.APP, is_read=False, is_audited=False) as server:
            self.assert_all_answered(server)
            server.signal(signal.SIGTERM)
            server.wait_exit(0)

    def test_dev_full(self):
        with Server(self.APP, listen=["unix"], stderr="/dev/full") as server:
            self.assert_all_answered(server)


if __name__ == "__main__":
    unittest.main()
