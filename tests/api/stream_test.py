#!/usr/bin/env python3
# presets: asan
"""Streamed answers and server-sent events: framing, back pressure, errors, clients that leave."""

import os
import re
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Server, format_request, wait_until  # noqa: E402

# AddressSanitizer keeps freed memory: little of it, where memory is measured.
ENVIRONMENT = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"}

APP = r"""
local perilune = require "perilune"
local response = require "perilune.response"
local log = require "perilune.log"
local task = require "perilune.task"
local app = perilune.app()

local function guard()
  return setmetatable({}, {__close = function() log.info("unwound") end})
end

app:get("/", function() return "hello" end)
app:get("/pieces", function()
  return function(out)
    local same = out:write("a", 1, 2.5, ""):write("\0b")
    assert(same == out)
    out:write()
  end
end)
app:get("/empty", function() return response.stream(function() end, 201) end)
local released = false
app:get("/release", function() released = true return nil end)
app:get("/head", function()
  return response.stream(function(out)
    log.info("called")
    repeat task.sleep(0.001) until released  -- others use the worker's buffers meanwhile
    out:write("x")
  end, 202, {["x-one"] = "1", ["content-type"] = "text/x"})
end)
app:get("/length", function()
  return response.stream(function(out) out:write("12345") end, 200, {["content-length"] = 5})
end)
app:get("/too_much", function()
  return response.stream(function(out) out:write("123456") end, 200, {["content-length"] = 5})
end)
app:get("/too_little", function()
  return response.stream(function(out) out:write("123") end, 200, {["content-length"] = 5})
end)
app:get("/error_first", function()
  return function(out) task.sleep(0) error("early") end
end)
app:get("/abort_first", function()
  return function(out) perilune.abort(404, "no such thing") end
end)
app:get("/error_later", function()
  return function(out) out:write("some") error("too late") end
end)
app:get("/bad_argument", function()
  return function(out) out:write({}) end
end)
app:get("/flush", function()
  return function(out)
    out:flush()
    log.info("flushed")
    task.sleep(60)
  end
end)
app:get("/big", function()
  return function(out)
    local piece = ("0123456789abcdef"):rep(1024 * 64)
    for _ = 1, 20 do out:write(piece) end
  end
end)
app:get("/endless", function()
  return function(out)
    local unwinding <close> = guard()
    local piece = ("x"):rep(100000)
    log.info("begun")
    while true do out:write(piece) end
  end
end)
app:get("/children", function()
  return function(out)
    local children = {}
    for i = 1, 4 do
      children[i] = task.spawn(function()
        for _ = 1, 50 do out:write((tostring(i)):rep(10000)) end
      end)
    end
    for i = 1, 4 do children[i]:await() end
  end
end)
app:get("/kept", function()
  return function(out)
    task.spawn(function()
      task.sleep(0.01)
      log.info("kept: " .. tostring(select(2, pcall(out.write, out, "x"))))
    end)
    out:write("done")
  end
end)
app:get("/send_on_stream", function() return function(out) out:send{data = "x"} end end)

app:get("/events", function()
  return response.events(function(out)
    out:send{data = "one\ntwo", event = "x", id = 7, retry = 1500}:send{data = 1.5}
    out:send{id = "only"}
  end)
end)
app:get("/refused_events", function()
  return response.events(function(out)
    local function try(event)
      log.info("event: " .. tostring(select(2, pcall(out.send, out, event))))
    end
    try{data = "x", event = "a\nb"}
    try{data = "x", id = "a\rb"}
    try{data = "x", id = "a\0b"}
    try{data = "x", retry = 1.5}
    try{data = "x", retry = -1}
    try{data = {}}
    try{daat = "x"}
    try{}
    try("text")
    out:send{data = "fine"}
  end)
end)
app:get("/idle", function()
  return response.events(function(out)
    local unwinding <close> = guard()
    log.info("begun")
    task.sleep(60)
  end)
end)
return app
"""


def resident_kilobytes(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


class Stream(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(Server(APP, env=ENVIRONMENT))
        self.client = self.server.connect()

    def get(self, path):
        return self.client.request("GET", path)

    def test_write_takes_strings_and_numbers_and_returns_out(self):
        answer = self.get("/pieces")
        self.assertEqual((answer.status, answer.is_chunked), (200, True))
        self.assertEqual(answer.body, b"a12.5\0b")
        self.assertEqual(answer.get("content-type"), "application/octet-stream")

    def test_a_stream_without_a_write_is_empty(self):
        answer = self.get("/empty")
        self.assertEqual((answer.status, answer.body), (201, b""))

    def test_the_head_survives_other_requests(self):
        others = [self.server.connect() for _ in range(3)]
        self.client.send(format_request("GET", "/head"))
        self.server.wait_log("called")
        for other in others:
            other.request("GET", "/events")
        others[0].request("GET", "/release")
        answer = self.client.read_response()
        self.assertEqual((answer.status, answer.get("x-one"), answer.get("content-type")),
                         (202, "1", "text/x"))

    def test_head_does_not_call_the_function(self):
        answer = self.client.request("HEAD", "/head")
        self.assertEqual((answer.status, answer.get("x-one")), (202, "1"))
        self.assertEqual(self.get("/").body, b"hello")
        self.assertEqual(self.server.log_lines("called"), [])

    def test_http_1_0_is_ended_by_closing(self):
        self.client.send("GET /pieces HTTP/1.0\r\n\r\n")
        answer = self.client.read_response()
        self.assertEqual((answer.is_chunked, answer.body), (False, b"a12.5\0b"))

    def test_a_known_length_is_announced_and_kept(self):
        answer = self.get("/length")
        self.assertEqual((answer.get("content-length"), answer.body), ("5", b"12345"))

    def test_a_wrong_length_cuts_the_connection(self):
        for path in ("/too_much", "/too_little"):
            with self.server.connect() as client:
                client.send(format_request("GET", path))
                data = self.read_cut(client)
                self.assertIn(b"Content-Length: 5", data)
                self.assertLess(len(data.split(b"\r\n\r\n")[1]), 5)
        self.server.wait_log("content-length", 2)

    def read_cut(self, client):
        data = b""
        try:
            while more := client.socket.recv(65536):
                data += more
        except ConnectionResetError:
            pass
        return data

    def test_an_error_before_the_head_is_an_ordinary_answer(self):
        self.assertEqual(self.get("/error_first").status, 500)
        self.server.wait_log("early")
        answer = self.get("/abort_first")
        self.assertEqual((answer.status, answer.json()["detail"]), (404, "no such thing"))
        self.assertEqual(self.get("/bad_argument").status, 500)
        self.assertEqual(self.get("/send_on_stream").status, 500)
        self.server.wait_log("response.events")

    def test_an_error_after_the_head_cuts_without_a_last_chunk(self):
        self.client.send(format_request("GET", "/error_later"))
        data = self.read_cut(self.client)
        self.assertIn(b"200 OK", data)
        self.assertFalse(data.endswith(b"0\r\n\r\n"))
        self.server.wait_log("too late")

    def test_flush_sends_the_head_at_once(self):
        self.client.send(format_request("GET", "/flush"))
        self.server.wait_log("flushed")
        wait_until(lambda: self.client._fill() and b"\r\n\r\n" in self.client._buffer, "the head")

    def test_the_deadline_ends_when_the_head_has_left(self):
        with Server(APP, settings={"timeouts.request": "200ms"}) as server:
            with server.connect() as client:
                client.send(format_request("GET", "/flush"))
                server.wait_log("flushed")
                wait_until(lambda: client._fill() and b"\r\n\r\n" in client._buffer, "the head")
                client.socket.settimeout(0.6)
                with self.assertRaises(socket.timeout):
                    client.socket.recv(1)

    def test_twenty_megabytes_arrive_whole(self):
        self.assertEqual(self.get("/big").body, b"0123456789abcdef" * (1024 * 64 * 20))

    def test_tasks_may_write_to_one_stream(self):
        body = self.get("/children").body
        self.assertEqual(len(body), 4 * 50 * 10000)
        for digit in b"1234":
            self.assertEqual(body.count(digit), 500000)
        self.assertTrue(all(len(run) % 10000 == 0 for run in re.findall(rb"1+|2+|3+|4+", body)))

    def test_a_writer_is_dead_after_the_end(self):
        self.assertEqual(self.get("/kept").body, b"done")
        self.server.wait_log("kept: .*the stream has ended")

    def test_a_client_that_does_not_read_costs_bounded_memory(self):
        self.assertEqual(self.get("/big").status, 200)
        before = resident_kilobytes(self.server)
        self.client.send(format_request("GET", "/endless"))
        self.server.wait_log("begun")
        with self.server.connect() as other:
            for _ in range(200):
                self.assertEqual(other.request("GET", "/").body, b"hello")
        self.assertLess(resident_kilobytes(self.server) - before, 12000)
        self.assertEqual(self.server.log_lines("unwound"), [])
        self.client.close()
        self.server.wait_log("unwound")

    def test_a_client_that_does_not_read_is_given_up(self):
        with Server(APP, settings={"timeouts.write": "300ms"}) as server:
            server.connect().send(format_request("GET", "/endless"))
            server.wait_log("unwound")

    def test_a_client_that_leaves_ends_the_writer(self):
        self.client.send(format_request("GET", "/endless"))
        self.client.socket.recv(100000)
        self.client.reset()
        self.server.wait_log("unwound")


class Events(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(Server(APP, env=ENVIRONMENT))
        self.client = self.server.connect()

    def test_send_frames_events(self):
        answer = self.client.request("GET", "/events")
        self.assertEqual(answer.get("content-type"), "text/event-stream")
        self.assertEqual(answer.get("cache-control"), "no-cache")
        self.assertEqual(answer.text, "event: x\nid: 7\nretry: 1500\ndata: one\ndata: two\n\n"
                                      "data: 1.5\n\nid: only\n\n")

    def test_send_refuses_what_would_break_the_framing(self):
        answer = self.client.request("GET", "/refused_events")
        self.assertEqual(answer.text, "data: fine\n\n")
        lines = self.server.wait_log("event: ", 9)
        for line, word in zip(lines, ("event", "id", "id", "retry", "retry", "data", "daat",
                                      "at least one", "table")):
            self.assertRegex(line, word)

    def test_an_idle_stream_gets_a_comment_by_itself(self):
        """15 seconds, the only test that takes its time; the head leaves with the comment."""
        client = self.server.connect(timeout=25)
        client.send(format_request("GET", "/idle"))
        wait_until(lambda: client._fill() and b"\r\n\r\n3\r\n:\n\n\r\n" in client._buffer,
                   "a comment", 25)
        client.close()
        self.server.wait_log("unwound")


if __name__ == "__main__":
    unittest.main()
