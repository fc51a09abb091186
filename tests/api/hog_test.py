#!/usr/bin/env python3
"""Handlers that keep the CPU: each is ended, and others on the same worker are served meanwhile."""

import os
import re
import signal
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Server, ServerError, request, run, wait_until  # noqa: E402

SETTINGS = {"limits.cpu": "200ms", "log.access": False}

# name: (the line of its app that is named in the log, its code)
HOGS = {
    "loop": "while true do end",
    "pcall_error": "while true do pcall(error) end",
    "loop_in_pcall": "while true do pcall(function() while true do end end) end",
    "wrap_in_pcall": """while true do pcall(coroutine.wrap(function() pcall(function()
        coroutine.wrap(function() while true do pcall(error) end end)() end) end)) end""",
    "comparator": "table.sort({3, 2, 1}, function() while true do end end)",
    "comparator_in_pcall":
        "while true do pcall(table.sort, {3, 2, 1}, function() while true do end end) end",
    "wrap_in_comparator": """table.sort({3, 2, 1}, function() while true do
        pcall(coroutine.wrap(function() while true do end end)) end end)""",
    "close": """local c <close> = setmetatable({}, {__close = function() while true do end end})
        return "never sent" """,
    "close_in_pcall": """local c <close> = setmetatable({}, {__close = function()
        while true do pcall(function() while true do end end) end end}) while true do end""",
    "index": "return setmetatable({}, {__index = function() while true do end end}).x",
    "tostring": """return tostring(setmetatable({}, {__tostring = function()
        while true do end end}))""",
    "xpcall": """while true do xpcall(function() while true do end end, function()
        while true do end end) end""",
    "xpcall_handler": "while true do xpcall(error, function() while true do end end) end",
    "comparator_in_xpcall": """xpcall(table.sort, function() while true do end end, {3, 2, 1},
        function() while true do end end)""",
    "churn": "while true do coroutine.wrap(function() end)() end",
    "tail_calls": "local function f() return f() end return f()",
    "load_reader": "while true do load(function() while true do end end) end",
    "gsub": "return (('x'):rep(1000):gsub('x', function() while true do end end))",
    "require": "return require 'looping'",
    "child": "return task.spawn(function() while true do end end):await()",
    "after_sleep": "task.sleep(0.01) while true do end",
    "middleware_error": "local ok = pcall(error) while ok do end while true do end",
}

APP = """
local perilune, task = require "perilune", require "perilune.task"
local app = perilune.app()
app:get("/hello", function() return "hello" end)
%s
return app
"""


def make_app(hogs):
    return APP % "".join(f'app:get("/{name}", function()\n{code}\nend)\n'
                         for name, code in hogs.items())


class Hellos:
    """A client that asks for /hello on a connection of its own until told to stop."""

    def __init__(self, server):
        self.count, self.problem, self._is_over = 0, None, False
        self._client = server.connect()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            while not self._is_over:
                answer = self._client.request("GET", "/hello")
                if (answer.status, answer.body) != (200, b"hello"):
                    raise AssertionError(f"hello was answered with {answer}")
                self.count += 1
        except Exception as problem:  # told to the test by __exit__
            self.problem = problem

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._is_over = True
        self._thread.join()
        if self.problem:
            raise self.problem


class Hogs(unittest.TestCase):
    """Each gets a 503, and the hello client on the same worker gets every answer."""

    def test_each_hog_is_answered_with_503_and_logged_with_its_place(self):
        files = {"looping.lua": "while true do end"}
        with Server(make_app(HOGS), SETTINGS, files=files) as server:
            with Hellos(server) as hellos:
                for count, name in enumerate(HOGS, 1):
                    with self.subTest(name):
                        before = hellos.count
                        answer = request(server, "GET", "/" + name)
                        self.assertEqual(answer.status, 503, name)
                        self.assertEqual(answer.get("Retry-After"), "1")
                        self.assertEqual(answer.json()["status"], 503)
                        server.wait_log("warn  the task used more than 200ms of CPU without "
                                        r"waiting \(limits.cpu", count)
                        self.assertGreater(hellos.count, before)
        text = server.log.split("warn  the task used more than 200ms")
        self.assertEqual(len(text) - 1, len(HOGS))
        for part in text[1:]:
            self.assertRegex(part,
                             r"stack traceback:\n(?:.*\n)*? *(app|\./looping)\.lua:\d+: in ")

    def test_the_log_names_the_line_of_the_loop(self):
        with Server(make_app({"here": "\n\nwhile true do\nend"}), SETTINGS) as server:
            self.assertEqual(request(server, "GET", "/here").status, 503)
            server.wait_log(r"app\.lua:[89]: in function")
            server.wait_log(r"request_id=\w+ route=/here task=")

    def test_several_hogs_at_once_leave_room_for_others(self):
        with Server(make_app(HOGS), SETTINGS) as server, Hellos(server) as hellos:
            clients = [server.connect() for _ in range(6)]
            for client in clients:
                client.send("GET /loop HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual([client.read_response().status for client in clients], [503] * 6)
            self.assertGreater(hellos.count, 6)

    def test_a_hog_in_a_stream_is_cut(self):
        app = make_app({"stream": """return function(out)
            out:write("begun") out:flush() while true do end end"""})
        with Server(app, SETTINGS) as server:
            with server.connect() as client:
                client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertTrue(client.read_to_end().endswith(b"5\r\nbegun\r\n"))

    def test_close_variables_run_once_each_and_the_finish_handler_is_told(self):
        app = """
        local app = require "perilune".app()
        local function closer(n)
          return setmetatable({}, {__close = function() print("closed", n) end})
        end
        app:on("error", function() print "the error hook ran" end)
        app:on("finish", function(req, info)
          print("finish", info.status, info.error.status, info.error.code, info.error.reason)
        end)
        app:get("/", function()
          local a <close> = closer(1)
          coroutine.wrap(function() local b <close> = closer(2) while true do end end)()
        end)
        return app
        """
        with Server(app, SETTINGS) as server:
            self.assertEqual(request(server).status, 503)
            server.wait_log("finish\\s+503\\s+503\\s+ECPU\\s+killed")
        closed = re.findall(r"closed\s+(\d)", server.log)
        self.assertEqual(closed, ["2", "1"])
        self.assertNotIn("the error hook ran", server.log)

    def test_a_parent_sees_what_became_of_its_child(self):
        app = make_app({"parent": """local child = task.spawn(function() while true do end end)
            local ok, e = pcall(child.await, child)
            return table.concat({tostring(ok), e.status, e.code, e.reason}, " ")"""})
        with Server(app, SETTINGS) as server:
            self.assertEqual(request(server, "GET", "/parent").text, "false 503 ECPU killed")


class Limits(unittest.TestCase):
    """The keys and the route's option."""

    def test_a_routes_own_limit_wins_and_false_lifts_it(self):
        app = """
        local app = require "perilune".app()
        local function burn()
          local n = 0
          for i = 1, 20000000 do n = n + i % 3 end
          return tostring(n)
        end
        app:get("/free", {cpu = false}, burn)
        app:get("/small", {cpu = "20ms"}, burn)
        app:group("/group", {cpu = 0.02}, function(g) g:get("/in", burn) end)
        return app
        """
        with Server(app, {"limits.cpu": "10s"}) as server:
            self.assertEqual(request(server, "GET", "/small").status, 503)
            server.wait_log("more than 20ms of CPU")
            self.assertEqual(request(server, "GET", "/group/in").status, 503)
            self.assertEqual(request(server, "GET", "/free").text, "20000001")

    def test_a_wrong_limit_is_a_load_error(self):
        for value, problem in {"'x'": "a time is expected", "true": "a time is expected"}.items():
            code = (f"local a = require 'perilune'.app() "
                    f"a:get('/', {{cpu = {value}}}, print) return a")
            self.assertIn(problem, run("check", "-e", code).stderr)

    def test_a_routes_limit_that_nothing_measures_is_a_load_error(self):
        code = "local a = require 'perilune'.app() a:get('/', {cpu = 1}, print) return a"
        off = [f"--set={key}=false" for key in ("limits.cpu", "limits.slice", "limits.stall")]
        result = run("check", "-e", code, *off)
        self.assertEqual(result.returncode, 1)
        self.assertIn("the option cpu has no effect while", result.stderr)
        self.assertEqual(run("check", "-e", code, *off[:2]).returncode, 0)

    def test_a_handler_that_waits_in_between_uses_as_much_as_it_likes(self):
        app = make_app({"work": """local n = 0
            for i = 1, 40 do
              for j = 1, 500000 do n = n + 1 end
              task.sleep(0)
            end
            return tostring(n)"""})
        with Server(app, {"limits.cpu": "150ms"}) as server:
            self.assertEqual(request(server, "GET", "/work").text, "20000000")

    def test_preempted_handlers_compute_what_they_would_alone(self):
        app = make_app({"sum": """local n, t = 0, {}
            for i = 1, 4000000 do n = n + i % 7 t[i % 10 + 1] = i end
            return n .. " " .. table.concat(t, ",")"""})
        expected = "11999998 " + ",".join(str(n) for n in [4000000, *range(3999991, 4000000)])
        with Server(app, {"limits.cpu": "60s", "log.access": False}) as server, Hellos(server):
            clients = [server.connect() for _ in range(2)]
            for client in clients:
                client.send("GET /sum HTTP/1.1\r\nHost: a\r\n\r\n")
            for client in clients:
                self.assertEqual(client.read_response().text, expected)

    def test_without_slices_a_hog_is_ended_all_the_same(self):
        with Server(make_app(HOGS), {**SETTINGS, "limits.slice": False}) as server:
            self.assertEqual(request(server, "GET", "/loop").status, 503)
            self.assertEqual(request(server, "GET", "/hello").status, 200)

    def test_without_limits_there_is_no_watchdog(self):
        off = {"limits.slice": False, "limits.cpu": False, "limits.stall": False}
        for settings, threads in ((off, -1), ({}, 0)):
            with Server(make_app({}), settings) as server:
                self.assertEqual(request(server, "GET", "/hello").status, 200)
                count = len(os.listdir(f"/proc/{server.process.pid}/task"))
                self.counts = getattr(self, "counts", []) + [count - threads]
        self.assertEqual(self.counts[0], self.counts[1])


class Loading(unittest.TestCase):
    """An app that loops while it is loaded or started."""

    def assert_no_start(self, code, where):
        result = run("run", "-e", code, "-l", "127.0.0.1:0", "--set", "limits.cpu=100ms")
        self.assertEqual(result.returncode, 1)
        self.assertIn("perilune: the task used more than 100ms of CPU", result.stderr)
        self.assertIn(where, result.stderr)

    def test_a_start_handler_that_loops_fails_the_start(self):
        self.assert_no_start("local app = require 'perilune'.app()\n"
                             "app:on('start', function() while true do end end) return app",
                             "(-e):2: in ")

    def test_an_app_file_that_loops_fails_the_start(self):
        self.assert_no_start("while true do pcall(error) end", "(-e):1: in main chunk")


class Stall(unittest.TestCase):
    """What nothing can stop ends the process."""

    def assert_abort(self, server):
        self.assertEqual(server.process.wait(30), -signal.SIGABRT)
        server.wait_log("worker 1 is stuck in a finaliser or in a C function")
        server.kill()

    def test_a_finaliser_that_loops_ends_the_process_with_its_stack(self):
        app = make_app({"gc": """setmetatable({}, {__gc = function()
            while true do end end}) collectgarbage()"""})
        with Server(app, {"limits.stall": "300ms"}) as server:
            client = server.connect()
            client.send("GET /gc HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assert_abort(server)
            server.wait_log(r"app\.lua:7: in the function of line 6")

    def test_a_finaliser_that_loops_when_the_app_ends_does_too(self):
        app = """
        local app = require "perilune".app()
        keep = setmetatable({}, {__gc = function() while true do end end})
        return app
        """
        with Server(app, {"limits.stall": "300ms"}) as server:
            server.signal(signal.SIGTERM)
            self.assert_abort(server)
            server.wait_log(r"app\.lua:3: in the function of line 3")

    def test_a_hog_that_lua_can_stop_is_no_stall(self):
        app = make_app({"comparator": HOGS["comparator"]})
        with Server(app, {"limits.stall": "100ms", "limits.cpu": "500ms"}) as server:
            self.assertEqual(request(server, "GET", "/comparator").status, 503)

    def test_a_process_that_was_stopped_has_not_stalled(self):
        app = make_app({"loop": "while true do end"})
        with Server(app, {"limits.stall": "300ms", "limits.cpu": "2s"}) as server:
            client = server.connect()
            client.send("GET /loop HTTP/1.1\r\nHost: a\r\n\r\n")
            server.signal(signal.SIGSTOP)
            time.sleep(1)  # the fault itself: for so long nothing of the process runs
            server.signal(signal.SIGCONT)
            self.assertEqual(client.read_response().status, 503)


if __name__ == "__main__":
    unittest.main()
