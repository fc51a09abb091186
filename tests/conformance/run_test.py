#!/usr/bin/env python3
"""Runs the .http files of this folder, each as a test of its own; README.md has their format."""

import glob
import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from harness import Server  # noqa: E402

APP = r"""
local perilune = require "perilune"
local response = require "perilune.response"
local task = require "perilune.task"
local app = perilune.app()

local function echo(req) return req:body() end
app:any("/", echo)
app:any("/echo", echo)
app:any("/post", {name = "post"}, function(req) return req:body() end)
app:post("/half-close", {half_close = true}, function(req)
  local body = req:body()
  task.sleep(0.05)
  return body
end)

app:get("/get", function() return "got" end)
app:get("/dir/", function() return "folder" end)
app:put("/put", echo)
app:any("/unread", function() return "unread" end)
app:get("/slow", function() task.sleep(0.05) return "slow" end)
app:get("/path/:name", function(req) return "[" .. req.params.name .. "]" end)
app:get("/rest/*rest", function(req) return "[" .. req.params.rest .. "]" end)
app:any("/info", function(req)
  req:body()
  return table.concat({req.method, req.target, req.path, req.host, req.http_version}, " ")
end)
app:any("/header", function(req) return "[" .. tostring(req.headers["x-test"]) .. "]" end)
app:any("/query", function(req) return "[" .. tostring(req.query.q) .. "]" end)
app:post("/trailers", function(req)
  req:body()
  return ("header %s trailer %s"):format(req.headers["x-test"], req.trailers["x-test"])
end)

app:any("/stream", function(req)
  req:body()
  return response.stream(function(out) out:write("hello, ") out:flush() out:write("world") end)
end)
app:any("/nothing", function() return nil end)
app:get("/not-modified", function() return nil, 304, {ETag = '"a"'} end)
app:get("/gone", function() return nil, 410 end)
app:get("/raise", function() error("on purpose") end)
app:get("/splitting", function() return "x", 200, {["X-Test"] = "a\r\nX-Injected: b"} end)
app:get("/bad-name", function() return "x", 200, {["X Test"] = "a"} end)
return app
"""

COMMON = {"log.access": False}
SERVERS = {
    "default": {},
    "quick": {"timeouts.header": "600ms", "timeouts.body": "600ms", "timeouts.idle": "600ms"},
    "tight": {"limits.body": 1024, "limits.discard": 1024, "limits.chunk_ext": 256},
}
LISTEN = ("127.0.0.1:0", "unix")
TCP, UNIX = 0, 1
PROBE = b"GET /get HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n"

_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_SIMPLE = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}


def unescape(data):
    """The bytes that a text with the escapes \\r \\n \\t \\0 \\xHH and \\\\ stands for."""
    return _ESCAPE.sub(lambda m: bytes([int(m[1], 16)]) if m[1] else _SIMPLE[m[2]], data)


class Expected:
    """What an answer must be: a status, and checks (functions of the response -> bool)."""

    def __init__(self, text):
        statuses, _, method = text.partition(" ")
        self.statuses = [int(status) for status in statuses.split("|")]
        self.method = method or "GET"
        self.checks = []
        self.has_type = False

    def add(self, text):
        """Adds the check of one line behind "< "."""
        if text in ("chunked", "unchunked"):
            self.checks.append(lambda r: r.is_chunked == (text == "chunked"))
        elif text.startswith("="):
            body = unescape(text[2:].encode())
            self.checks.append(lambda r: r.body == body)
        elif text.startswith("~ "):
            part = unescape(text[2:].encode())
            self.checks.append(lambda r: part in r.body)
        elif text.startswith("!"):
            self.checks.append(lambda r: r.get(text[1:]) is None)
        else:
            self._add_field(*text.split(": ", 1))
        self.checks[-1].__doc__ = text

    def _add_field(self, name, value):
        self.has_type |= name.lower() == "content-type"
        if value == "*":
            self.checks.append(lambda r: r.get(name) is not None)
        elif value.startswith("!~"):
            self.checks.append(lambda r: value[2:] not in r.get(name, value[2:]))
        elif value.startswith("~"):
            self.checks.append(lambda r: value[1:] in r.get(name, ""))
        else:
            self.checks.append(lambda r: r.get(name) == value)

    def verify(self, response):
        """Raises AssertionError naming the line that does not hold."""
        assert response.status in self.statuses, f"expected {self.statuses}, got {response}"
        for check in self.checks:
            assert check(response), f"expected {check.__doc__!r}, got {response}"
        if response.status >= 400 and not self.has_type and self.method != "HEAD":
            assert response.get("Content-Type") == "application/problem+json", response
            assert response.json()["status"] == response.status, response


class Case:
    """One file: options, and steps in order: bytes to send, an Expected, "half-close"."""

    def __init__(self, path):
        self.path = path
        self.name = re.sub(r"\W", "_", os.path.relpath(path, HERE).removesuffix(".http"))
        self.server = "default"
        self.is_whole = self.is_split = False
        self.end = None
        self.steps = []
        with open(path, "rb") as file:
            for number, line in enumerate(file.read().split(b"\n"), 1):
                try:
                    self._add_line(line)
                except (ValueError, KeyError, IndexError, AttributeError) as error:
                    raise SyntaxError(f"{path}:{number}: {line!r}: {error!r}") from None
        if self.end is None:
            raise SyntaxError(f"{path}: how the connection ends is not said")

    def _add_line(self, line):
        mark, text = line[:2], line[2:]
        if not line or line.startswith(b"#"):
            return
        if self.end is not None:
            raise ValueError("nothing may follow how the connection ends")
        if mark == b"> ":
            self._add_bytes(unescape(text))
        elif mark == b">*":
            count, text = text.split(b" ", 1)
            self._add_bytes(unescape(text) * int(count))
        elif mark == b"! ":
            self._add_option(*text.decode().partition(" ")[::2])
        elif mark == b"< ":
            self._add_expectation(text.decode())
        else:
            raise ValueError("none of # > ! <")

    def _add_bytes(self, data):
        if self.steps and isinstance(self.steps[-1], bytes):
            self.steps[-1] += data
        else:
            self.steps.append(data)

    def _add_option(self, name, value):
        if name == "server":
            self.server = value
            SERVERS[value]
        elif name == "whole" and value:
            self.is_whole = True
        elif name == "split":
            self.is_split = True
        elif name == "half-close":
            self.steps.append(name)
        else:
            raise ValueError("unknown option")

    def _add_expectation(self, text):
        if text in ("closed", "dropped", "ended", "open"):
            self.end = text
        elif re.match(r"\d", text):
            self.steps.append(Expected(text))
        else:
            self.steps[-1].add(text)

    def play(self, client, send):
        """Goes through the steps on a fresh connection. Returns the answers, 1xx too."""
        answers = []
        for step in self.steps:
            if isinstance(step, bytes):
                send(client, step)
            elif isinstance(step, Expected):
                answer = client.read_message(step.method)
                step.verify(answer)
                answers.append(answer)
            else:
                client.half_close()
        self._verify_end(client, answers)
        return answers

    def _verify_end(self, client, answers):
        if self.end == "open":
            assert not answers or not answers[-1].closes, f"announces a close: {answers[-1]}"
            client.send(PROBE)
            answer = client.read_message()
            assert answer.status == 200 and answer.body == b"got", f"not the probe's: {answer}"
        elif self.end == "closed" and answers:
            assert answers[-1].closes, f"closes, but did not announce it: {answers[-1]}"
        client.expect_end()


def cut_at(offset):
    """A way of sending: in two pieces, the second only when the server has read the first."""
    def send(client, data):
        client.send(data[:offset])
        client.wait_until_read()
        client.send(data[offset:])
    return send


def comparable(answers):
    """The answers without what may differ from one request to the next: Date, the request's id,
    and how an error is explained (garbage is refused as soon as enough of it has come)."""
    result = []
    for answer in answers:
        is_problem = answer.get("Content-Type") == "application/problem+json"
        varying = ["date", "x-request-id"] + (["content-length"] if is_problem else [])
        fields = sorted(field for field in answer.headers if field[0].lower() not in varying)
        own_id = answer.get("X-Request-Id", "no id").encode()
        body = None if is_problem else answer.body.replace(own_id, b"ID")
        result.append((answer.status, fields, body))
    return result


class ConformanceTest(unittest.TestCase):
    """Its tests are made below, one for each file."""

    servers = {}

    @classmethod
    def tearDownClass(cls):
        errors = []
        while cls.servers:
            try:
                cls.servers.popitem()[1].__exit__(None, None, None)
            except AssertionError as error:
                errors.append(str(error))
        if errors:
            raise AssertionError("\n".join(errors))

    def server(self, name):
        if name not in self.servers:
            settings = {**COMMON, **SERVERS[name]}
            self.servers[name] = Server(APP, settings=settings, listen=LISTEN).start()
        return self.servers[name]

    def play(self, case, address, send, how):
        try:
            with self.server(case.server).connect(address) as client:
                return case.play(client, send)
        except Exception as error:
            death = self.bury(case.server)
            raise AssertionError(f"{case.path} ({how}): {error!r}{death}") from None

    def bury(self, name):
        """What a server that died has to say, or ""; the next case then gets a new one."""
        try:
            self.servers[name].process.wait(0.1)
        except subprocess.TimeoutExpired:
            return ""
        server = self.servers.pop(name)
        server.kill()
        return "\nThe server died:\n" + server.log

    def run_case(self, case):
        whole = self.play(case, TCP, lambda client, data: client.send(data), "whole")
        if not case.is_whole:
            bytewise = self.play(case, UNIX, lambda client, data: client.send_bytewise(data),
                                 "byte by byte")
            self.assertEqual(comparable(whole), comparable(bytewise), case.path)
        if case.is_split:
            for offset in range(1, max(len(s) for s in case.steps if isinstance(s, bytes))):
                split = self.play(case, UNIX, cut_at(offset), f"cut at {offset}")
                self.assertEqual(comparable(whole), comparable(split), f"{case.path}: {offset}")


def add_tests():
    for path in sorted(glob.glob(os.path.join(HERE, "*", "*.http"))):
        case = Case(path)
        name = "test_" + case.name
        assert not hasattr(ConformanceTest, name), f"two files make {name}"
        setattr(ConformanceTest, name, lambda self, case=case: self.run_case(case))


add_tests()

if __name__ == "__main__":
    unittest.main()
