#!/usr/bin/env python3
# presets: asan
"""Request bodies: kept, streamed, parsed, saved; limits, time-outs, clients that leave."""

import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Server, format_request, wait_until  # noqa: E402

# AddressSanitizer keeps freed memory: little of it, where memory is measured.
ENVIRONMENT = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"}

APP = r"""
local perilune = require "perilune"
local response = require "perilune.response"
local json = require "perilune.json"
local log = require "perilune.log"
local task = require "perilune.task"
local app = perilune.app()

local function guard()
  return setmetatable({}, {__close = function() log.info("unwound") end})
end

-- Runs fn and answers with what it returned or raised.
local function try(fn)
  return function(req)
    local unwinding <close> = guard()
    local result = table.pack(pcall(fn, req))
    for i = 1, result.n do
      if result[i] == nil then result[i] = json.null end
      local is_error = type(result[i]) == "table" and result[i].traceback
      if type(result[i]) == "userdata" and result[i] ~= json.null or is_error then
        result[i] = tostring(result[i])
      end
    end
    result.n = nil
    return response.json(json.array(result))
  end
end

app:post("/body", function(req)
  local unwinding <close> = guard()
  log.info("parked")
  return req:body()
end)
app:post("/small", {body = 10}, function(req) return req:body() end)
app:post("/any", {body = false}, function(req) return req:body() end)
app:post("/json", function(req) return response.json(req:json()) end)
app:post("/silent", try(function(req) return req:json({silent = true}) end))
app:post("/silent_body", {body = 10}, try(function(req) return req:body({silent = true}) end))
app:post("/unknown_option", try(function(req) return req:body({slient = true}) end))
app:post("/form", function(req) return req:form() end)
app:post("/form_all", function(req) return json.array(req:form_all("tag")) end)
app:post("/again", function(req)
  local first, parsed, form = req:body(), req:json(), req:body()
  return {first == form, parsed.n, req:json().n}
end)
app:post("/chunks_then_body", try(function(req) for _ in req:chunks() do end return req:body() end))
app:post("/body_then_chunks", try(function(req) req:body() return req:chunks() end))
app:post("/chunks_twice", try(function(req) req:chunks() return req:chunks() end))
app:post("/save_then_json", try(function(req) req:save("saved") return req:json() end))
app:post("/chunks", {body = false}, function(req)
  local bytes, longest = 0, 0
  for piece in req:chunks() do
    assert(#piece > 0)
    bytes, longest = bytes + #piece, math.max(longest, #piece)
  end
  return {bytes, longest}
end)
app:post("/echo", {body = false}, function(req)
  return function(out) for piece in req:chunks() do out:write(piece) end end
end)
app:post("/save", {body = false}, function(req)
  local unwinding <close> = guard()
  log.info("parked")
  return {req:save("saved")}
end)
app:post("/save_at", try(function(req) return req:save(req.query.path) end))
app:post("/together", function(req)
  local child = task.spawn(function() return req:body() end)
  task.sleep(0)
  local ok, err = pcall(req.body, req)
  log.info("refused: " .. tostring(err))
  return child:await()
end)
app:post("/late", function(req)
  task.spawn(function()
    task.sleep(0.01)
    log.info("late: " .. tostring(select(2, pcall(req.body, req))))
  end)
  return "answered"
end)
app:post("/child_is_left", function(req)
  task.spawn(function() log.info("left: " .. tostring(select(2, pcall(req.body, req)))) end)
  task.sleep(0)
  return "answered"
end)
app:post("/comparator", try(function(req)
  table.sort({1, 2, 3}, function(a, b) req:body() return a < b end)
end))

app:post("/parts", function(req)
  local list = {}
  for part in req:parts() do
    list[#list + 1] = {name = part.name, filename = part.filename, headers = part.headers,
                       body = part.name ~= "skipped" and part:body() or nil}
  end
  return json.array(list)
end)
app:post("/part_chunks", {body = false}, function(req)
  local sizes = {}
  for part in req:parts() do
    local bytes = 0
    for piece in part:chunks() do assert(#piece <= 65536) bytes = bytes + #piece end
    sizes[part.name] = bytes
  end
  return sizes
end)
app:post("/part_save", {body = false}, function(req)
  for part in req:parts() do
    if part.filename then return {part:save("saved")} end
  end
end)
app:post("/part_body", {body = false}, function(req)
  for part in req:parts() do return part:body() end
end)
app:post("/stale", try(function(req)
  local first
  for part in req:parts() do
    if first then return first:body() end
    first = part
  end
end))
app:post("/twice", try(function(req)
  for part in req:parts() do part:body() return part:body() end
end))
app:post("/half_a_part", try(function(req)
  local names = {}
  for part in req:parts() do
    names[#names + 1] = part.name
    for _ in part:chunks() do break end
  end
  return table.concat(names, ",")
end))
return app
"""

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=XX"}
CHUNKED = {"Transfer-Encoding": "chunked"}


def part(name, content, filename=None, extra=""):
    file = f'; filename="{filename}"' if filename else ""
    head = f'--XX\r\nContent-Disposition: form-data; name="{name}"{file}\r\n{extra}\r\n'
    return head.encode() + (content if isinstance(content, bytes) else content.encode()) + b"\r\n"


def multipart(*parts):
    return b"".join(parts) + b"--XX--\r\n"


def chunked(*pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


def peak_kilobytes(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))


class Body(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(Server(APP, env=ENVIRONMENT))
        self.client = self.server.connect()

    def post(self, path, body, headers=None):
        return self.client.request("POST", path, headers, body)

    # -- kept

    def test_body_returns_every_byte(self):
        data = bytes(range(256)) * 1000
        self.assertEqual(self.post("/body", data).body, data)
        self.assertEqual(self.post("/body", chunked(data, data), CHUNKED).body, data + data)
        self.assertEqual(self.post("/body", b"").status, 200)
        self.assertEqual(self.post("/body", None).body, b"")

    def test_body_is_kept_for_later_calls_in_any_order(self):
        self.assertEqual(self.post("/again", b'{"n": 7}', JSON).json(), [True, 7, 7])

    def test_bodies_of_all_sizes_one_behind_the_other(self):
        # Around what is read at once, what has its room at once, and what grows.
        sizes = (0, 1, 4096, 65535, 65536, 65537, 262143, 262144, 262145, 1000000, 5000000)
        bodies = [os.urandom(size) for size in sizes]
        requests = b"".join(format_request("POST", "/body", None, body) for body in bodies)
        sender = threading.Thread(target=self.client.send, args=(requests,))
        sender.start()
        for body in bodies:
            self.assertEqual(self.client.read_response().body, body)
        sender.join()

    def test_a_body_is_whole_wherever_it_is_cut(self):
        body = os.urandom(300000)
        head, expected = format_request("POST", "/body", None, body)[:-len(body)], body
        for cut in (1, 100, 65536 - len(head), 65536, 131071, 262144, 299999):
            before = len(self.server.log_lines("parked"))
            self.client.send(head + body[:cut])
            self.server.wait_log("parked", before + 1)
            self.client.send(body[cut:])
            self.assertEqual(self.client.read_response().body, expected)

    def test_a_body_that_is_announced_and_does_not_come_takes_no_memory(self):
        # 400 of them would be 3 GB; limits.memory is 256 MB, and none of it is refused.
        before = peak_kilobytes(self.server)
        clients = [self.server.connect() for _ in range(400)]
        for client in clients:
            client.send(b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\nx")
        self.server.wait_log("parked", len(clients))
        self.assertEqual(self.post("/body", b"y" * 1000000).body, b"y" * 1000000)
        self.assertLess(peak_kilobytes(self.server) - before, 200 * 1024)
        for client in clients:
            client.close()
        self.server.wait_log("unwound", len(clients))

    def test_body_byte_by_byte(self):
        with Server(APP, listen=["unix"]) as server, server.connect() as client:
            client.send_bytewise(format_request("POST", "/body", CHUNKED, chunked(b"ab", b"c")))
            self.assertEqual(client.read_response().body, b"abc")

    # -- json

    def test_json_parses_json_and_its_derivatives(self):
        self.assertEqual(self.post("/json", b'{"a": [1, null]}', JSON).json(), {"a": [1, None]})
        for type_ in ("application/problem+json", "Application/JSON; charset=utf-8"):
            self.assertEqual(self.post("/json", b"[1]", {"Content-Type": type_}).json(), [1])

    def test_json_refuses_other_types_and_names_them(self):
        answer = self.post("/json", b"[1]", {"Content-Type": "text/plain"})
        self.assertEqual(answer.status, 415)
        self.assertIn("text/plain", answer.json()["detail"])
        answer = self.post("/json", b"[1]")
        self.assertEqual(answer.status, 415)
        self.assertIn("no Content-Type", answer.json()["detail"])

    def test_json_errors_name_line_and_column(self):
        answer = self.post("/json", b"[1,\n 2,,]", JSON)
        self.assertEqual(answer.status, 400)
        self.assertIn("line 2, column 4", answer.json()["detail"])
        self.assertEqual(self.post("/json", b"", JSON).status, 400)
        self.assertEqual(self.post("/json", b"[" * 129 + b"]" * 129, JSON).status, 400)

    def test_silent_returns_message_and_status(self):
        answer = self.post("/silent", b"[", JSON).json()
        self.assertEqual([answer[1], answer[3]], [None, 400])
        self.assertIn("line 1", answer[2])
        self.assertEqual(self.post("/silent", b"[]").json()[3], 415)
        self.assertEqual(self.post("/silent", b"[5]", JSON).json(), [True, [5]])
        answer = self.post("/silent_body", chunked(b"x" * 11), CHUNKED).json()
        self.assertEqual([answer[1], answer[3]], [None, 413])

    def test_unknown_options_raise(self):
        ok, message = self.post("/unknown_option", b"x").json()
        self.assertFalse(ok)
        self.assertIn("slient", message)

    # -- forms

    def test_form_takes_the_first_value(self):
        answer = self.post("/form", b"a=1&a=2&b=x+%26", FORM).json()
        self.assertEqual(answer, {"a": "1", "b": "x &"})
        body = multipart(part("a", "1"), part("a", "2"), part("f", "x", "f.txt"),
                         part("b", "\r\n--X"))
        self.assertEqual(self.post("/form", body, MULTIPART).json(), {"a": "1", "b": "\r\n--X"})

    def test_form_all_lists_the_values_in_order(self):
        self.assertEqual(self.post("/form_all", b"tag=b&x=1&tag=a", FORM).json(), ["b", "a"])
        body = multipart(part("tag", "b"), part("x", "1"), part("tag", "a"))
        self.assertEqual(self.post("/form_all", body, MULTIPART).json(), ["b", "a"])

    def test_malformed_forms_are_refused(self):
        self.assertEqual(self.post("/form", b"a=%zz", FORM).status, 400)
        self.assertEqual(self.post("/form", b"a=1", {"Content-Type": "text/plain"}).status, 415)
        self.assertEqual(self.post("/form", multipart(part("a", "1"))[:-6], MULTIPART).status, 400)
        self.assertEqual(self.post("/form", b"junk", MULTIPART).status, 400)
        no_boundary = {"Content-Type": "multipart/form-data"}
        self.assertEqual(self.post("/form", multipart(part("a", "1")), no_boundary).status, 400)

    def test_forms_are_bounded(self):
        with Server(APP, settings={"limits.query": 3, "limits.parts": 3}) as server:
            for count, status in ((3, 200), (4, 413)):
                with server.connect() as client:
                    body = "&".join(f"k{i}=1" for i in range(count))
                    self.assertEqual(client.request("POST", "/form", FORM, body).status, status)
                    body = multipart(*(part(f"k{i}", "1") for i in range(count)))
                    for path in ("/form", "/parts"):
                        answer = client.request("POST", path, MULTIPART, body)
                        self.assertEqual(answer.status, status)

    # -- once only

    def test_reading_in_two_ways_raises_what_to_do(self):
        rows = (("/chunks_then_body", "handed out"), ("/body_then_chunks", "read already"),
                ("/chunks_twice", "handed out"), ("/save_then_json", "handed out"))
        for path, why in rows:
            ok, message = self.post(path, b"[1]", JSON).json()
            self.assertFalse(ok, path)
            self.assertIn(why, message, path)

    def test_two_tasks_at_once_the_second_is_refused(self):
        self.client.send(b"POST /together HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        self.server.wait_log("refused: .*another task")
        self.client.send(b"cd")
        self.assertEqual(self.client.read_response().body, b"abcd")

    def test_after_the_answer_the_body_is_gone(self):
        self.assertEqual(self.post("/late", b"x").body, b"answered")
        self.server.wait_log("late: .*answered")

    def test_a_child_that_waits_for_the_body_is_woken_by_the_answer(self):
        self.client.send(b"POST /child_is_left HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        self.assertEqual(self.client.read_response().body, b"answered")
        self.server.wait_log("left: .*answered")
        self.client.send(b"cd")
        self.assertEqual(self.post("/body", b"next").body, b"next")

    def test_waiting_where_lua_cannot_raises(self):
        ok, message = self.post("/comparator", b"x").json()
        self.assertFalse(ok)
        self.assertIn("sort", message)

    # -- limits

    def test_too_long_bodies_are_413(self):
        with self.server.connect() as client:
            self.assertEqual(client.request("POST", "/small", None, b"x" * 11).status, 413)
        with self.server.connect() as client:
            body = chunked(b"x" * 6, b"y" * 6)
            self.assertEqual(client.request("POST", "/small", CHUNKED, body).status, 413)
        self.assertEqual(self.post("/small", b"x" * 10).body, b"x" * 10)

    def test_an_unbounded_route_still_bounds_what_is_kept(self):
        with Server(APP, settings={"limits.body": "100k"}) as server:
            with server.connect() as client:
                answer = client.request("POST", "/any", None, b"x" * 100 * 1024)
                self.assertEqual(len(answer.body), 100 * 1024)
                self.assertEqual(client.request("POST", "/any", None, b"x" * 102401).status, 413)
            with server.connect() as client:
                answer = client.request("POST", "/chunks", None, b"x" * 1000000)
                self.assertEqual(answer.json()[0], 1000000)
                body = multipart(part("a", b"x" * 102401))
                self.assertEqual(client.request("POST", "/part_body", MULTIPART, body).status, 413)

    def test_a_slow_body_is_408(self):
        with Server(APP, settings={"timeouts.body": "300ms"}) as server, server.connect() as client:
            client.send(b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
            self.assertEqual(client.read_response().status, 408)
            client.expect_end()
            server.wait_log("unwound")

    def test_a_broken_chunk_is_400(self):
        self.client.send(format_request("POST", "/body", CHUNKED, b"3\r\nabc\r\nzz\r\n"))
        self.assertEqual(self.client.read_response().status, 400)
        self.client.expect_end()

    def test_a_client_that_leaves_cancels_the_reader(self):
        for path in ("/body", "/save"):
            with self.server.connect() as client:
                before = len(self.server.log_lines("unwound"))
                client.send(f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
                self.server.wait_log("parked", before + 1)
            self.server.wait_log("unwound", before + 1)
        wait_until(lambda: not self.files("saved"), "the temporary file is removed")

    # -- streamed

    def test_chunks_are_bounded_pieces(self):
        for body, headers in ((b"x" * 3000000, None), (chunked(*[b"y" * 10] * 30000), CHUNKED)):
            expected = 3000000 if headers is None else 300000
            count, longest = self.post("/chunks", body, headers).json()
            self.assertEqual(count, expected)
            self.assertLessEqual(longest, 65536)
            self.assertGreater(longest, 1000)

    def test_echo_while_the_body_comes(self):
        self.client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.client.send(b"3\r\nabc\r\n")
        wait_until(lambda: self.client._fill() and b"abc" in self.client._buffer, "an echo")
        self.client.send(b"2\r\nde\r\n0\r\n\r\n")
        self.assertEqual(self.client.read_response().body, b"abcde")

    # -- parts

    def test_parts_have_name_filename_headers_and_content(self):
        body = multipart(part("a", "1"), part("skipped", "x" * 100000),
                         part("f", b"\r\n--X\r\n", "f.txt", "Content-Type: text/x\r\nX-A: 1\r\n"))
        answer = self.post("/parts", body, MULTIPART).json()
        self.assertEqual([p["name"] for p in answer], ["a", "skipped", "f"])
        self.assertEqual(answer[0]["body"], "1")
        self.assertNotIn("filename", answer[0])
        self.assertEqual(answer[2]["filename"], "f.txt")
        self.assertEqual(answer[2]["body"], "\r\n--X\r\n")
        self.assertEqual(answer[2]["headers"]["content-type"], "text/x")
        self.assertEqual(answer[2]["headers"]["x-a"], "1")

    def test_parts_cut_anywhere(self):
        body = multipart(part("a", "1\r\n2"), part("f", "\r\n--X\r\n-", "f.txt"))
        with Server(APP, listen=["unix"]) as server, server.connect() as client:
            client.send_bytewise(format_request("POST", "/parts", MULTIPART, body))
            answer = client.read_response().json()
        self.assertEqual([p["body"] for p in answer], ["1\r\n2", "\r\n--X\r\n-"])

    def test_part_chunks(self):
        body = multipart(part("a", b"\r\n" * 500000), part("b", ""), part("c", b"x" * 200000))
        self.assertEqual(self.post("/part_chunks", body, MULTIPART).json(),
                         {"a": 1000000, "b": 0, "c": 200000})

    def test_a_part_that_is_over_or_was_read_raises(self):
        body = multipart(part("a", "1"), part("b", "2"))
        ok, message = self.post("/stale", body, MULTIPART).json()
        self.assertEqual((ok, "part is over" in message), (False, True))
        ok, message = self.post("/twice", body, MULTIPART).json()
        self.assertEqual((ok, "read already" in message), (False, True))

    def test_a_part_read_by_half_is_skipped(self):
        body = multipart(part("a", b"x" * 300000), part("b", b"y" * 300000), part("c", "z"))
        self.assertEqual(self.post("/half_a_part", body, MULTIPART).json(), [True, "a,b,c"])

    def test_parts_of_other_bodies_are_refused(self):
        self.assertEqual(self.post("/parts", b"x", FORM).status, 415)
        self.assertEqual(self.post("/parts", b"x").status, 415)
        self.assertEqual(self.post("/parts", b"--XX\r\nbad head\r\n\r\n", MULTIPART).status, 400)
        self.assertEqual(self.post("/parts", part("a", "1"), MULTIPART).status, 400)

    # -- saved

    def files(self, prefix):
        return [name for name in os.listdir(self.server.folder) if name.startswith(prefix)]

    def saved(self):
        self.assertEqual(self.files("saved"), ["saved"])
        with open(self.server.path("saved"), "rb") as file:
            return file.read()

    def test_save_writes_the_body(self):
        for data in (b"", b"x", os.urandom(300000)):
            self.assertEqual(self.post("/save", data).json(), [len(data)])
            self.assertEqual(self.saved(), data)
        self.assertEqual(self.post("/save", chunked(*[b"ab"] * 1000), CHUNKED).json(), [2000])

    def test_save_of_50_megabytes_takes_constant_memory(self):
        self.assertEqual(self.post("/save", b"warm up").json(), [7])
        before = peak_kilobytes(self.server)
        data = os.urandom(50 * 1000 * 1000)
        self.assertEqual(self.post("/save", data).json(), [len(data)])
        self.assertEqual(self.saved(), data)
        body = multipart(part("a", "1"), part("f", data, "f"))
        self.assertEqual(self.post("/part_save", body, MULTIPART).json(), [len(data)])
        self.assertEqual(self.saved(), data)
        self.assertLess(peak_kilobytes(self.server) - before, 12000)

    def test_save_reports_what_the_system_says(self):
        os.mkdir(self.server.path("folder"))
        for path, code in (("none/x", "ENOENT"), ("folder", "EISDIR"), ("app.lua/x", "ENOTDIR"),
                           ("a%00b", "ENOENT"), ("x" * 300, "ENAMETOOLONG")):
            answer = self.post("/save_at?path=" + path, b"x").json()
            self.assertEqual((answer[:2], answer[3]), ([True, None], code), path)
        wait_until(lambda: sorted(os.listdir(self.server.folder)) == ["app.lua", "folder"],
                   "no temporary file is left")

    def test_save_failing_in_the_body_leaves_no_file(self):
        self.client.send(format_request("POST", "/save", CHUNKED, b"3\r\nabc\r\nzz\r\n"))
        self.assertEqual(self.client.read_response().status, 400)
        wait_until(lambda: not self.files("saved"), "the temporary file is removed")


if __name__ == "__main__":
    unittest.main()
