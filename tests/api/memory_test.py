#!/usr/bin/env python3
# presets: asan
"""Memory limits: a worker short of memory sheds requests and recovers; a request pays for itself.

What happens is decided by counted bytes, not by time, so these tests do not depend on speed; what
the process really uses is in memory_rss_test.py.
"""

import os
import re
import select
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import BINARY, ROOT, TIMEOUT, Server, clean_environment  # noqa: E402
from harness import format_request, request, run, wait_until  # noqa: E402

MIB = 1 << 20
PATIENCE = 60.0  # seconds, where connections go on one after the other

APP = r"""
local perilune, task = require "perilune", require "perilune.task"
local log, response = require "perilune.log", require "perilune.response"
local app = perilune.app()
local cache = {}
app:get("/", function() return "hello" end)
app:post("/keep", function(req) return tostring(#req:body()) end)
app:post("/chunks", { body = false }, function(req)
  local bytes = 0
  for chunk in req:chunks() do bytes = bytes + #chunk end
  return tostring(bytes)
end)
app:post("/part", function(req)
  for part in req:parts() do return tostring(#part:body()) end
end)
app:post("/caught", function(req)
  local body, message, status = req:body{silent = true}
  return ("%s %s %s"):format(body and #body, message, status)
end)
app:get("/fill", { memory = false }, function(req)
  for i = 1, tonumber(req.query.mib) do cache[#cache + 1] = ("x"):rep(1048576 - 64) end
  return "filled"
end)
app:get("/drop", function() cache = {} return "dropped" end)
app:get("/garbage", { memory = false }, function()
  local pieces = {}
  for i = 1, 12 do pieces[i] = ("x"):rep(1048576) end
  return tostring(#pieces)
end)
app:get("/big", function()
  local t = {} for i = 1, 100 do t[i] = ("x"):rep(131072) end return t
end)
app:get("/stream", function()
  return response.stream(function(out)
    for i = 1, 32 do out:write(("x"):rep(65536)) end
  end)
end)
return app
"""

MULTIPART = {"Content-Type": "multipart/form-data; boundary=XX"}


class Upload:
    """A body that is sent but for its last byte, for as long as the server takes it."""

    def __init__(self, client, path, size, headers=None, announced=None):
        self.client = client
        self.size = size
        self.answer = None
        length = size if announced is None else announced
        head = format_request("POST", path, {"Content-Length": length, **(headers or {})})
        self.left = memoryview(head + b"x" * (size - 1))
        # Little in the kernel: what is sent, the server has read.
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        client.socket.setblocking(False)

    @property
    def is_sent(self):
        return len(self.left) == 0

    @property
    def is_over(self):
        return self.answer is not None or self.is_sent

    def go_on(self, is_readable, is_writable):
        if is_readable:
            self.read()
        elif is_writable and not self.is_sent:
            try:
                self.left = self.left[self.client.socket.send(self.left):]
            except BlockingIOError:
                pass

    def read(self):
        self.client.socket.settimeout(TIMEOUT)
        self.answer = self.client.read_response("POST")

    def finish(self):
        """Sends the last byte and reads the answer."""
        if self.answer is None:
            self.client.socket.settimeout(TIMEOUT)
            self.client.send(b"x")
            self.read()
        return self.answer


def drive(uploads):
    """Sends until each is refused, or all but its last byte is with the server or the kernel."""
    def step():
        waiting = {u.client.socket: u for u in uploads if not u.is_over}
        writers = [s for s, u in waiting.items() if not u.is_sent]
        readable, writable, _ = select.select(list(waiting), writers, [], 0.5)
        for end in set(readable) | set(writable):
            waiting[end].go_on(end in readable, end in writable)
        return not any(not u.is_over for u in uploads)
    wait_until(step, "every upload is sent or refused", PATIENCE)


class Bodies(unittest.TestCase):
    SETTINGS = {"limits.memory": "16m", "limits.body": "8m"}

    def start(self, **settings):
        return self.enterContext(Server(APP, settings={**self.SETTINGS, **settings}))

    def check_answers(self, uploads):
        """Each got its own bytes, or was told to come back. Returns how many were refused."""
        refused = 0
        for upload in uploads:
            answer = upload.finish()
            if answer.status == 200:
                self.assertEqual(answer.text, str(upload.size))
            else:
                self.assertEqual((answer.status, answer.get("Retry-After")), (503, "1"))
                self.assertIn("limits.memory", answer.json()["detail"])
                refused += 1
        return refused

    def test_many_big_bodies_at_once_are_served_or_refused_and_all_is_well_afterwards(self):
        server = self.start()
        uploads = [Upload(server.connect(timeout=PATIENCE), "/keep", 2 * MIB + i)
                   for i in range(24)]  # three times what there is
        drive(uploads)
        refused = self.check_answers(uploads)
        self.assertGreater(refused, 0)
        self.assertLess(refused, 24)
        for size in (6 * MIB, 7 * MIB):  # body() makes a string: both at once for a moment
            self.assertEqual(request(server, "POST", "/keep", None, b"y" * size).text, str(size))

    def test_the_same_for_the_parts_of_a_form(self):
        server = self.start()
        head = b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
        end = b"\r\n--XX--\r\n"
        uploads = []
        for i in range(16):
            upload = Upload(server.connect(timeout=PATIENCE), "/part", 0, MULTIPART,
                            len(head) + 3 * MIB + len(end))
            sent = format_request("POST", "/part", {
                "Content-Length": len(head) + 3 * MIB + len(end), **MULTIPART})
            upload.left = memoryview(sent + head + b"x" * (3 * MIB) + end[:-1])
            uploads.append(upload)
        drive(uploads)
        statuses = []
        for upload in uploads:
            if upload.answer is None:
                upload.client.socket.settimeout(TIMEOUT)
                upload.client.send(end[-1:])
                upload.read()
            statuses.append((upload.answer.status, upload.answer.get("Retry-After")))
        self.assertLessEqual(set(statuses), {(200, None), (503, "1")})
        self.assertIn((503, "1"), statuses)
        self.assertIn((200, None), statuses)
        self.assertEqual(request(server, "POST", "/keep", None, b"y" * 7 * MIB).status, 200)

    def test_bodies_that_are_handed_out_go_on_whatever_their_number_is(self):
        server = self.start()
        uploads = [Upload(server.connect(timeout=PATIENCE), "/chunks", 4 * MIB) for _ in range(8)]
        drive(uploads)
        self.assertEqual([u.finish().text for u in uploads], [str(4 * MIB)] * 8)

    def test_what_is_announced_is_not_reserved(self):
        server = self.start()
        uploads = [Upload(server.connect(), "/keep", 1001, announced=8 * MIB) for _ in range(40)]
        drive(uploads)  # 320 MiB announced, 40 KB sent
        answers = [request(server, "POST", "/keep", None, b"y" * 7 * MIB) for _ in range(3)]
        self.assertEqual([a.text for a in answers], [str(7 * MIB)] * 3)

    def test_a_handler_may_catch_the_refusal(self):
        server = self.start()
        held = [Upload(server.connect(timeout=PATIENCE), "/caught", 4 * MIB) for _ in range(8)]
        drive(held)
        texts = sorted({u.finish().text for u in held})
        self.assertEqual(texts, [f"{4 * MIB} nil nil",
                                 "nil the server is short of memory (limits.memory) 503"])

    def test_a_client_that_leaves_while_its_body_waits_gives_its_memory_back(self):
        server = self.start()
        uploads = [Upload(server.connect(timeout=PATIENCE), "/keep", 3 * MIB) for _ in range(6)]
        drive(uploads)
        for upload in uploads:
            upload.client.close()
        wait_until(lambda: request(server, "POST", "/keep", None, b"y" * 7 * MIB).status == 200,
                   "the memory is back")

    def test_timeouts_body_does_not_run_while_the_server_does_not_read(self):
        server = self.start(**{"timeouts.body": "400ms"})
        self.assertEqual(request(server, "GET", "/fill?mib=13").status, 200)  # tight, not short
        uploads = [Upload(server.connect(timeout=PATIENCE), "/chunks", MIB) for _ in range(16)]
        for upload in uploads:  # go on one after the other, 1.6 s in all
            upload.left = memoryview(bytes(upload.left) + b"x")
        drive(uploads)
        for upload in uploads:
            if upload.answer is None:
                upload.read()
            self.assertEqual((upload.answer.status, upload.answer.text), (200, str(MIB)))


class Shedding(unittest.TestCase):
    def test_over_the_limit_requests_are_refused_until_it_is_below(self):
        settings = {"limits.memory": "8m", "limits.request_memory": "64m"}
        with Server(APP, settings=settings) as server:
            self.assertEqual(request(server).text, "hello")
            self.assertEqual(request(server, "GET", "/fill?mib=6").text, "filled")
            self.assertEqual(request(server).text, "hello")
            with server.connect() as client:
                client.send(format_request("GET", "/fill?mib=3") + format_request("GET", "/"))
                self.assertEqual(client.read_response().text, "filled")
                answer = client.read_response()
                self.assertEqual((answer.status, answer.get("Retry-After")), (503, "1"))
                self.assertIn("limits.memory", answer.json()["detail"])

    def test_garbage_is_collected_before_anything_is_refused(self):
        with Server(APP, settings={"limits.memory": "8m"}) as server:
            self.assertEqual(request(server, "GET", "/garbage").text, "12")
            self.assertEqual(request(server).text, "hello")
            for _ in range(5):  # at most one collection in 100 ms: in between it may refuse
                wait_until(lambda: request(server, "GET", "/garbage").status == 200, "garbage")
                wait_until(lambda: request(server).text == "hello", "the garbage is collected")

    def test_the_ceiling_fails_the_request_and_not_the_server(self):
        with Server(APP, settings={"limits.memory": "8m"}) as server:
            self.assertEqual(request(server, "GET", "/fill?mib=40").status, 500)
            self.assertEqual(request(server).status, 503)

    def test_limits_memory_false_sheds_nothing(self):
        settings = {"limits.memory": "false", "limits.request_memory": "false"}
        with Server(APP, settings=settings) as server:
            self.assertEqual(request(server, "GET", "/fill?mib=40").text, "filled")
            self.assertEqual(request(server).text, "hello")


class Answers(unittest.TestCase):
    def test_unsent_answers_of_slow_clients_count_and_are_given_back(self):
        with Server(APP, settings={"limits.memory": "64m"}) as server:
            slow = []

            def refused():
                client = server.connect()
                client.send(format_request("GET", "/big"))  # read by nobody
                slow.append(client)
                return request(server).status == 503
            wait_until(refused, "unsent answers fill the memory")
            self.assertGreater(len(slow), 2)  # it was not one alone
            for client in slow:
                client.close()
            wait_until(lambda: request(server).status == 200, "the memory is back")

    def test_a_slow_client_holds_no_more_of_a_stream_than_it_must(self):
        with Server(APP, settings={"limits.memory": "16m"}) as server:
            clients = [server.connect() for _ in range(20)]
            for client in clients:
                client.send(format_request("GET", "/stream"))
            self.assertEqual(request(server).status, 200)
            for client in clients:
                self.assertEqual(len(client.read_response().body), 2 * MIB)


class Options(unittest.TestCase):
    def check(self, option):
        code = f"local app = require('perilune').app() app:get('/', {{ memory = {option} }}, " \
               "function() return 'x' end) return app"
        return run("check", "-e", code)

    def test_memory_takes_sizes_and_false(self):
        for option in ("65536", "'64k'", "'1g'", "false"):
            self.assertEqual(self.check(option).returncode, 0, option)

    def test_memory_refuses_what_is_no_size(self):
        size = re.escape('a size is expected (bytes, or "64k", "8m")')
        for option, problem in (("'10s'", "memory = 10s: " + size),
                                ("true", "memory = true: " + size),
                                ("{}", "memory = table: .*: " + size),
                                ("0", "memory = 0: at least 64k is expected"),
                                ("'63k'", "memory = 63k: at least 64k is expected")):
            result = self.check(option)
            self.assertEqual(result.returncode, 1, option)
            self.assertRegex(result.stderr, problem)

    def test_a_misspelt_option_is_suggested(self):
        code = "return require('perilune').app{ memry = '1m' }"
        result = run("check", "-e", code)
        self.assertEqual(result.returncode, 1)
        self.assertIn("did you mean 'memory'?", result.stderr)

    def test_limits_request_memory_has_bounds(self):
        for value in ("63k", "2000g", "10s"):
            result = run("config", "--set", f"limits.request_memory={value}")
            self.assertEqual(result.returncode, 1, value)
            self.assertIn("limits.request_memory", result.stderr)
        result = run("config", "--set", "limits.request_memory=false")
        self.assertRegex(result.stdout, r"limits\.request_memory = false +-- command line: --set")


class RequestMemory(unittest.TestCase):
    APP = r"""
    local perilune, task = require "perilune", require "perilune.task"
    local app = perilune.app()
    app:get("/", function() return "hello" end)
    app:get("/hog", function() local t = {} while true do t[#t + 1] = {} end end)
    app:get("/pcall", function()
      while true do pcall(function() local t = {} while true do t[#t + 1] = {} end end) end
    end)
    app:get("/text", function() local s = "x" while true do s = s .. s end end)
    app:get("/children", function()
      local tasks = {}
      for i = 1, 8 do
        tasks[i] = task.spawn(function()
          local t = {}
          for k = 1, 40000 do t[k] = {k} if k % 1000 == 0 then task.sleep(0) end end
          task.sleep(0.01)
          return #t
        end)
      end
      for i = 1, 8 do tasks[i]:await() end
      return "never"
    end)
    app:get("/own", { memory = "64m" }, function()
      local t = {} for i = 1, 100000 do t[i] = {i} end return tostring(#t)
    end)
    app:get("/garbage", function()
      for i = 1, 1000000 do local t = {i} end return "done"
    end)
    app:post("/body", function(req) return tostring(#req:body()) end)
    return app
    """
    SETTINGS = {"limits.request_memory": "8m", "limits.cpu": "20s", "limits.body": "32m"}

    def test_a_request_that_holds_too_much_is_ended_and_others_are_not(self):
        with Server(self.APP, settings=self.SETTINGS) as server:
            for path in ("/hog", "/pcall", "/text", "/children"):
                self.assertIn(request(server, "GET", path).status, (500, 503), path)
                self.assertEqual(request(server).text, "hello")

    def test_a_routes_own_limit_wins(self):
        with Server(self.APP, settings=self.SETTINGS) as server:
            self.assertEqual(request(server, "GET", "/own").text, "100000")

    def test_garbage_is_not_held_against_a_request(self):
        with Server(self.APP, settings=self.SETTINGS) as server:
            self.assertEqual(request(server, "GET", "/garbage").text, "done")

    def test_a_body_counts(self):
        with Server(self.APP, settings=self.SETTINGS) as server:
            self.assertIn(request(server, "POST", "/body", None, b"x" * 12 * MIB).status,
                          (500, 503))
            self.assertEqual(request(server, "POST", "/body", None, b"x" * 2 * MIB).status, 200)


class Container(unittest.TestCase):
    """A control group of cgroup v1 below our own; what v2 gives is in the unit tests."""

    def setUp(self):
        with open("/proc/self/cgroup", encoding="ascii") as file:
            groups = dict(line.rstrip("\n").split(":", 2)[1:] for line in file)
        self.group = f"/sys/fs/cgroup/memory{groups.get('memory', '/')}/perilune-{os.getpid()}"
        try:
            os.mkdir(self.group)
            self.addCleanup(os.rmdir, self.group)
            self.limit("256m")
        except OSError as error:
            self.skipTest(f"no control group for memory can be made here: {error}")

    def limit(self, text):
        with open(f"{self.group}/memory.limit_in_bytes", "w", encoding="ascii") as file:
            file.write(text)

    def enter(self):
        with open(f"{self.group}/cgroup.procs", "w", encoding="ascii") as file:
            file.write(str(os.getpid()))

    def config(self, *arguments):
        return subprocess.run([BINARY, "config", *arguments], preexec_fn=self.enter, text=True,
                              capture_output=True, timeout=TIMEOUT, check=True,
                              env=clean_environment())

    def test_the_default_is_lowered_and_says_why(self):
        result = self.config()
        self.assertRegex(result.stdout, r'limits\.memory = "110m" +-- default, lowered to 110m for '
                                        r"the container's limit of 256m")
        self.assertEqual(result.stderr, "")
        self.assertRegex(self.config("-w", "4").stdout, 'limits.memory = "26m"')

    def test_a_figure_that_cannot_fit_is_warned_about(self):
        result = self.config("--set", "limits.memory=1g")
        self.assertRegex(result.stdout, r'limits\.memory = "1g" +-- command line: --set')
        self.assertIn("limits.memory = 1g does not fit the container's limit of 256m",
                      result.stderr)
        self.assertEqual(self.config("--set", "limits.memory=200m").stderr, "")


if __name__ == "__main__":
    unittest.main()
