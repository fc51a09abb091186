#!/usr/bin/env python3
"""Structs and arrays over HTTP: request bodies, answers, negotiation, Perilune-Struct; from curl,
http.client, numpy and node. Random structs: schema_test.py."""

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Server, format_request, request  # noqa: E402
from schema_readers import PYTHON, run_tool, strip_types  # noqa: E402

APP = r"""
local perilune = require "perilune"
local json = require "perilune.json"
local response = require "perilune.response"
local struct = require "perilune.struct"
local app = perilune.app{ body = "64m" }

local Kind = struct.enum("Kind", "u8", { Ball = 1, Beam = 2 })
local Shot = struct.define("Shot", "t:f32 kind:Kind n:vec3 tags:u8[3] id:i64")
app:schemas()
app:schemas("/types")

app:post("/array/:t", function(req) return req:array(req.params.t) end)
app:post("/struct/:t", function(req) return req:struct(req.params.t) end)
app:post("/bytes", function(req) return req:bytes() end)
app:post("/type", function(req)  -- types themselves, and twice
  local one, two = req:struct(Shot), req:array(Shot)
  assert(#two == 1 and two[1].t == one.t)
  return one
end)
app:post("/silent/:t", function(req)
  local method = req.query.m
  local value, message, status = req[method](req, req.params.t, { silent = true })
  return { value = value ~= nil, message = message, status = status }
end)
app:post("/any_order", function(req)
  local text, array = req:body(), req:array("vec3")
  array[1].x = 7
  local again = req:body()
  assert(#text == #again and text ~= again)
  assert(#req:bytes() == #text and #req:array("vec3") == #array)
  return again
end)
app:post("/json_too", function(req)
  local array = req:array("vec3")
  return { #array, req:json()[1], #req:body() }
end)
app:post("/meanwhile", function(req)
  local task = require "perilune.task"
  local text = req:body()  -- it is all there: nothing else waits
  local child = task.spawn(function() return #req:array("u32") end)
  local ran = false
  task.sleep(0)
  ran = child:status() == "running"
  return { n = child:await(), ran = ran and #text > 0 }
end)
app:post("/moved", function(req)
  local array = req:array("vec3")
  array:move()
  local channel = require "perilune.task".channel(1)
  channel:send(array)
  return "moved"
end)
app:post("/chunks_first", function(req)
  for _ in req:chunks() do end
  return req:array("vec3")
end)
app:post("/bad_option", function(req) return req:array("vec3", { quiet = true }) end)
app:post("/bad_type", function(req) return req:array("vec33") end)
app:post("/bad_kind", function(req) return req:struct("f32") end)

local function numbers(n)
  local array = struct.f32.array(n)
  local step = n > 1000 and n // 1000 or 1
  for i = step, n, step do array[i] = i end
  return array
end
app:get("/numbers/:n", function(req) return numbers(math.tointeger(req.params.n)) end)
app:get("/new", function() return response.new(numbers(2), 201, { ["x-one"] = "1" }) end)
app:get("/json", function() return response.json(numbers(2)) end)
app:get("/typed", function(req)
  return numbers(2), 200, { ["content-type"] = req.query.as }
end)
app:get("/kind", function() return Kind.Beam end)
app:get("/slice", function() return numbers(5):slice(2, 3) end)
app:get("/raw", function()
  return struct.bytes("raw \0 bytes"), 200, { ["content-type"] = "x/y" }
end)
app:get("/empty", function() return numbers(0) end)
app:get("/table", function() return { list = numbers(2), kind = Kind.Ball } end)
app:get("/length", function() return numbers(2), 200, { ["content-length"] = 9 } end)
app:post("/encode", function(req)
  local shot = req:struct(Shot)
  return json.encode{ shot = shot, tags = shot.tags, kinds = { Kind.Beam }, n = shot.n }
end)
app:get("/no_json/:what", function(req)
  local what = { file = io.stdout, bytes = struct.bytes "x", type = Shot }
  return json.encode{ what[req.params.what] }
end)

local kept = numbers(2000000)
app:get("/kept", function() return kept end)
local long = numbers(200000)
app:get("/long", function() return long end)
app:get("/long_json", function(req)
  return response.json(long, math.tointeger(req.query.status), { ["x-one"] = "1" })
end)
app:get("/touch_long", function()
  local ok, message = pcall(function() long[1] = 1 end)
  return { ok = ok, message = message }
end)
app:get("/touch", function()
  local ok, message = pcall(function() kept[1] = 5 end)
  return { ok = ok, message = message, first = kept[1] }
end)
app:get("/stream", function()
  return function(out)
    local bytes, slice = struct.bytes "xyz", numbers(5):slice(2, 3)
    assert(out:write("<", numbers(3), 1, Kind.Beam, bytes, slice, ">") == out)
    out:write()
  end
end)
app:get("/stream_large", function()
  local text = ("t"):rep(200000)
  return function(out)
    for _ = 1, 3 do out:write(kept, text, kept, "|") end
  end
end)
app:get("/stream_bad", function()
  return function(out) out:write(numbers(1), {}) end
end)
app:get("/twice", function()
  return function(out)
    out:write(kept)
    kept[1] = 1
    out:write(kept)
  end
end)
return app
"""

RAYS = struct.pack("<12f", *range(12))
SHOT = struct.pack("<fB3f3Bq", 0.1, 2, 1, 2, 3, 9, 8, 7, -5)
JSON = {"Content-Type": "application/json"}


class WireTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(APP, settings={"limits.memory": "256m", "limits.request_memory": "96m"})
        cls.server.start()
        cls.addClassCleanup(cls.server.stop)

    def ask(self, method, path, body=None, headers=None):
        return request(self.server, method, path, headers, body)

    def assert_problem(self, response, status, *words):
        self.assertEqual(response.status, status, response.body)
        detail = response.json()["detail"]
        for word in words:
            self.assertIn(word, detail)

    # ---- bodies

    def test_packed_bodies_come_back_as_they_were(self):
        for headers in ({}, {"Content-Type": "application/octet-stream"},
                        {"Content-Type": "application/x-www-form-urlencoded"},
                        {"Content-Type": "image/x-anything"}):
            answer = self.ask("POST", "/array/ray", RAYS, headers)
            self.assertEqual((answer.status, answer.body), (200, RAYS))
            self.assertEqual(answer.get("content-type"), "application/octet-stream")
            self.assertRegex(answer.get("perilune-struct"), r'^ray;count=2;hash="[0-9a-f]{16}"$')
            self.assertEqual(answer.get("vary"), "Accept")
        answer = self.ask("POST", "/struct/ray", RAYS[:24])
        self.assertEqual(answer.body, RAYS[:24])
        self.assertRegex(answer.get("perilune-struct"), r'^ray;hash="[0-9a-f]{16}"$')
        self.assertEqual(self.ask("POST", "/type", SHOT).body, SHOT)

    def test_bytes_have_any_type_and_no_struct(self):
        answer = self.ask("POST", "/bytes", b"any\0thing", {"Content-Type": "text/plain",
                                                             "Accept": "text/html"})
        self.assertEqual((answer.status, answer.body), (200, b"any\0thing"))
        self.assertIsNone(answer.get("perilune-struct"))
        self.assertIsNone(answer.get("vary"))

    def test_chunked_bodies_are_gathered(self):
        with self.server.connect() as client:
            client.send(b"POST /array/ray HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                        b"7\r\n" + RAYS[:7] + b"\r\n29\r\n" + RAYS[7:] + b"\r\n0\r\n\r\n")
            self.assertEqual(client.read_response("POST").body, RAYS)

    def test_empty_bodies_are_empty_arrays(self):
        answer = self.ask("POST", "/array/ray", b"")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertIn(";count=0;", answer.get("perilune-struct"))
        self.assertEqual(self.ask("POST", "/bytes").body, b"")
        self.assert_problem(self.ask("POST", "/struct/ray"), 400,
                            "the body has 0 bytes, and a ray has 24")

    def test_sizes_are_told(self):
        self.assert_problem(self.ask("POST", "/array/ray", RAYS[:25]), 400,
                            "the body has 25 bytes, which is no multiple of the 24 of a ray")
        self.assert_problem(self.ask("POST", "/struct/ray", RAYS), 400,
                            "the body has 48 bytes, and a ray has 24")

    def test_json_bodies_are_converted(self):
        text = ('[{"origin": [0, 1, 2], "direction": {"x": 3, "y": 4, "z": 5}},'
                ' [[6, 7, 8], [9, 10, 11]]]')
        for kind in ("application/json", "Application/JSON; charset=utf-8", "application/x+json"):
            answer = self.ask("POST", "/array/ray", text, {"Content-Type": kind})
            self.assertEqual((answer.status, answer.body), (200, RAYS))
        answer = self.ask("POST", "/struct/Shot", json.dumps(
            {"t": 0.1, "kind": "Beam", "n": [1, 2, 3], "tags": [9, 8, 7], "id": "-5"}), JSON)
        self.assertEqual(answer.body, SHOT)
        self.assertEqual(self.ask("POST", "/json_too", "[[1,2,3]]", JSON).json(), [1, [1, 2, 3], 9])

    def test_long_json_bodies_are_converted_while_others_run(self):
        count = 100000
        text = "[" + ",".join(str(i) for i in range(count)) + "]"
        answer = self.ask("POST", "/array/u32", text, JSON)
        self.assertEqual(answer.body, struct.pack(f"<{count}I", *range(count)))
        self.assertEqual(self.ask("POST", "/meanwhile", text, JSON).json(),
                         {"n": count, "ran": True})
        self.assert_problem(self.ask("POST", "/array/u32", text[:-6] + '"x"]', JSON), 400,
                            f"$[{count}]: u32 must be an integer")
        answer = self.ask("POST", "/array/u32", text, {**JSON, "Perilune-Struct": "u32;count=1"})
        self.assert_problem(answer, 400, "the body has 100000 elements, and 1 by its header")

    def test_json_that_does_not_fit_is_told_where(self):
        for path, text, words in (
                ("/array/ray", "[[[1,2,3],\n[4,5]]]",
                 "line 2, column 5: $[1].direction: has 2 values of f32 instead of 3"),
                ("/struct/ray", '{"origin": [1,2,3]}',
                 'line 1, column 19: $: ray lacks its field "direction"'),
                ("/struct/Shot", '{"t": 1e39}', "$.t: 1e39 is out of range for f32"),
                ("/struct/Shot", '{"kind": "Bean"}',
                 'Kind has no member "Bean" (did you mean "Beam"?)'),
                ("/struct/Shot", '{"tags": [1, 2, 256]}',
                 "$.tags[3]: 256 is out of range for u8 (0 to 255)"),
                ("/array/ray", "", "line 1, column 1: expected a value"),
                ("/array/ray", "{}", "must be a list of values of ray, not an object")):
            self.assert_problem(self.ask("POST", path, text, JSON), 400, words)

    def test_other_types_are_415(self):
        for kind in ("text/plain", "TEXT/CSV; a=b", "multipart/form-data; boundary=x"):
            answer = self.ask("POST", "/array/ray", RAYS, {"Content-Type": kind})
            self.assert_problem(answer, 415, "application/octet-stream or application/json is "
                                             f"expected, and the body is {kind.partition(';')[0]}")

    def test_json_may_not_become_more_than_the_request_may_hold(self):
        with Server(APP, settings={"limits.request_memory": "2m"}) as server:
            text = "[" + "0," * 400000 + "0]"
            answer = request(server, "POST", "/array/f64", JSON, text)
            self.assertEqual(answer.status, 413, answer.body)
            self.assertRegex(answer.json()["detail"], r"these are more than \d+ bytes of f64")

    def test_silent_failures_are_returned(self):
        for method, path, body, headers, status, words in (
                ("array", "ray", RAYS[:5], {}, 400, "no multiple of the 24"),
                ("struct", "ray", RAYS, {}, 400, "and a ray has 24"),
                ("array", "ray", "[", JSON, 400, "line 1, column 2"),
                ("array", "ray", RAYS, {"Content-Type": "text/plain"}, 415, "is expected"),
                ("struct", "ray", RAYS, {"Perilune-Struct": "vec3"}, 415, "the body is vec3")):
            found = self.ask("POST", f"/silent/{path}?m={method}", body, headers).json()
            self.assertEqual((found["value"], found["status"]), (False, status))
            self.assertIn(words, found["message"])

    def test_calls_may_come_in_any_order(self):
        answer = self.ask("POST", "/any_order", RAYS)
        self.assertEqual(answer.body, struct.pack("<f", 7) + RAYS[4:])

    def test_what_was_handed_out_cannot_be_an_array(self):
        self.assertEqual(self.ask("POST", "/chunks_first", RAYS).status, 500)
        self.server.wait_log("req:array: the body is handed out by chunks")

    def test_misuse_raises(self):
        for path, words in (("/bad_option", "unknown option 'quiet': only `silent` is one"),
                            ("/bad_type", "no type has the name 'vec33' .did you mean 'vec3'"),
                            ("/bad_kind", "a struct is expected, not a scalar or an enum")):
            self.assertEqual(self.ask("POST", path, RAYS).status, 500)
            self.server.wait_log(words)

    # ---- Perilune-Struct of requests

    def test_the_struct_of_a_request_must_be_the_expected_one(self):
        own = self.ask("POST", "/array/ray", RAYS).get("perilune-struct")
        for value in (own, "ray", "ray;count=2", '"ray";count=2;other=?1',
                      own.replace("count", "n")):
            answer = self.ask("POST", "/array/ray", RAYS, {"Perilune-Struct": value})
            self.assertEqual((answer.status, answer.body), (200, RAYS), value)
        hashed = own.partition("hash=")[2].strip('"')
        for value, status, words in (
                ("segment", 415, f"the body is segment by its header Perilune-Struct, and ray "
                                 f"#{hashed} is expected"),
                ('ray;hash="0123456789abcdef"', 415,
                 f"the body is ray #0123456789abcdef by its header Perilune-Struct, and ray "
                 f"#{hashed} is expected"),
                ("ray;count=3", 400, "the body has 2 elements, and 3 by its header"),
                ("ray;hash=12", 400, "the header Perilune-Struct is not like"),
                ("", 400, "the header Perilune-Struct is not like")):
            answer = self.ask("POST", "/array/ray", RAYS, {"Perilune-Struct": value})
            self.assert_problem(answer, status, words)
        answer = self.ask("POST", "/array/vec3", "[[1,2,3]]",
                          {**JSON, "Perilune-Struct": "vec3;count=2"})
        self.assert_problem(answer, 400, "the body has 1 elements, and 2 by its header")
        with self.server.connect() as client:
            client.send(format_request("POST", "/array/ray", {
                "Perilune-Struct": "ray", "perilune-struct": "ray"}, RAYS))
            self.assert_problem(client.read_response("POST"), 400, "is not like")

    # ---- answers

    def test_accept_decides(self):
        packed, text = struct.pack("<2f", 1, 2), b"[1.0,2.0]"
        for accept, body in ((None, packed), ("*/*", packed), ("application/octet-stream", packed),
                             ("application/json", text), ("application/json, */*", packed),
                             ("application/json, */*;q=0.5", text),
                             ("application/*;q=0.2, application/json;q=0.1", packed)):
            answer = self.ask("GET", "/numbers/2", headers={"Accept": accept} if accept else {})
            self.assertEqual((answer.status, answer.body), (200, body), accept)
            self.assertEqual(answer.get("vary"), "Accept")
            self.assertEqual(answer.get("perilune-struct") is None, body == text)
            is_json = answer.get("content-type") == "application/json"
            self.assertEqual(is_json, body == text)
        for accept in ("text/html;level=1", "image/*, application/json;q=0", "*/*;q=0"):
            answer = self.ask("GET", "/numbers/2", headers={"Accept": accept})
            self.assertEqual(answer.status, 406)
            self.assertEqual(answer.get("vary"), "Accept")
            self.assertIn(b"f32 is sent as application/octet-stream or application/json",
                          answer.body)

    def test_head_has_the_head_of_get(self):
        for path, headers in (("/numbers/1000", {}), ("/numbers/3", {"Accept": "application/json"}),
                              ("/kept", {}), ("/slice", {}), ("/empty", {})):
            get, head = (self.ask(method, path, headers=headers) for method in ("GET", "HEAD"))
            self.assertEqual(head.body, b"")
            for name in ("content-length", "content-type", "perilune-struct", "vary"):
                self.assertEqual(head.get(name), get.get(name))
            self.assertEqual(int(head.get("content-length")), len(get.body))
        self.assertTrue(self.ask("GET", "/touch").json()["ok"])

    def test_responses_carry_them(self):
        answer = self.ask("GET", "/new")
        self.assertEqual((answer.status, answer.body), (201, struct.pack("<2f", 1, 2)))
        self.assertEqual(answer.get("x-one"), "1")
        answer = self.ask("GET", "/json")
        self.assertEqual((answer.get("content-type"), answer.body),
                         ("application/json", b"[1.0,2.0]"))
        self.assertEqual(self.ask("GET", "/table").json(), {"list": [1.0, 2.0], "kind": "Ball"})
        self.assertEqual(self.ask("GET", "/slice").body, struct.pack("<2f", 2, 3))
        self.assertEqual(self.ask("GET", "/empty").body, b"")
        answer = self.ask("GET", "/kind")
        self.assertEqual((answer.body, answer.get("perilune-struct")[:10]), (b"\2", "Kind;hash="))
        answer = self.ask("GET", "/kind", headers={"Accept": "application/json"})
        self.assertEqual(answer.json(), "Beam")
        answer = self.ask("GET", "/raw", headers={"Accept": "application/json"})
        self.assertEqual((answer.body, answer.get("content-type")), (b"raw \0 bytes", "x/y"))

    def test_a_content_type_of_the_handlers_decides(self):
        for given, body in (("model/x-points", struct.pack("<2f", 1, 2)),
                            ("application/geo+json", b"[1.0,2.0]"),
                            ("application/json; a=b", b"[1.0,2.0]")):
            answer = self.ask("GET", "/typed?as=" + given.replace("+", "%2B").replace(" ", "%20"),
                              headers={"Accept": "text/html"})
            self.assertEqual((answer.status, answer.body, answer.get("content-type")),
                             (200, body, given))
            self.assertIsNone(answer.get("vary"))

    def test_a_wrong_length_is_an_error(self):
        self.assertEqual(self.ask("GET", "/length").status, 500)
        self.server.wait_log("sets a content-length that is not the body's")

    def test_what_is_on_its_way_cannot_be_written(self):
        size = 8000000
        with self.server.connect() as slow:
            slow.send(format_request("GET", "/kept"))
            slow.wait_until_read()
            found = self.ask("GET", "/touch").json()
            self.assertFalse(found["ok"])
            self.assertIn("in use by the answer", found["message"])
            self.assertEqual(len(slow.read_response().body), size)
        self.assertEqual(self.ask("GET", "/touch").json(), {"ok": True, "first": 5.0})

    def test_a_client_that_leaves_frees_what_was_on_its_way(self):
        with self.server.connect() as client:
            client.send(format_request("GET", "/kept"))
            client.wait_until_read()
            client.reset()
        while not self.ask("GET", "/touch").json()["ok"]:
            pass

    def begin_long_json(self):
        """A connection on which the text of /long is being made. Returns it, and what writing to
        the array raises."""
        for _ in range(20):  # the text may be ready before the second request is
            client = self.server.connect()
            client.send(format_request("GET", "/long", {"Accept": "application/json"}))
            found = self.ask("GET", "/touch_long").json()
            if not found["ok"]:
                return client, found["message"]
            client.close()
        self.fail("the array could always be written")

    def test_long_json_answers_are_made_while_others_run(self):
        client, message = self.begin_long_json()
        self.assertIn("in use by the answer's JSON", message)
        text = client.read_response().body
        client.close()
        numbers = json.loads(text)
        self.assertEqual((len(numbers), numbers[-1]), (200000, 200000.0))
        answer = self.ask("GET", "/long_json?status=201")
        self.assertEqual((answer.status, answer.body, answer.get("x-one")), (201, text, "1"))

    def test_a_client_that_leaves_ends_the_making_of_its_json(self):
        client, _ = self.begin_long_json()
        client.reset()
        while not self.ask("GET", "/touch_long").json()["ok"]:
            pass

    # ---- streams

    def test_streams_take_structs_arrays_and_bytes(self):
        answer = self.ask("GET", "/stream")
        self.assertEqual(answer.body, b"<" + struct.pack("<3f", 1, 2, 3) + b"1\2xyz"
                         + struct.pack("<2f", 2, 3) + b">")
        kept = self.ask("GET", "/kept").body
        answer = self.ask("GET", "/stream_large")
        self.assertEqual(answer.body, (kept + b"t" * 200000 + kept + b"|") * 3)

    def test_a_written_array_may_change_once_it_has_left(self):
        kept = self.ask("GET", "/kept").body
        answer = self.ask("GET", "/twice")
        self.assertEqual(answer.body, kept + struct.pack("<f", 1) + kept[4:])

    def test_streams_refuse_what_is_no_bytes(self):
        self.assertEqual(self.ask("GET", "/stream_bad").status, 500)
        self.server.wait_log("string expected, got table")

    # ---- JSON texts

    def test_json_encode_writes_structs(self):
        found = self.ask("POST", "/encode", SHOT).json()
        shot = {"t": 0.1, "kind": "Beam", "n": [1.0, 2.0, 3.0], "tags": [9, 8, 7], "id": "-5"}
        self.assertEqual(found, {"shot": shot, "tags": [9, 8, 7], "kinds": ["Beam"],
                                 "n": [1.0, 2.0, 3.0]})

    def test_json_encode_refuses_other_userdata(self):
        for what in ("file", "bytes", "type"):
            self.assertEqual(self.ask("GET", "/no_json/" + what).status, 500)
        self.server.wait_log(r"\$\[1\]: a userdata has no JSON form", 3)

    # ---- schemas

    def test_schemas_stand_under_their_prefix(self):
        for path in ("/_schema/Shot", "/_schema/Shot.json", "/types/Shot.json"):
            self.assertEqual(self.ask("GET", path).json()["size"], len(SHOT))
        for form, kind in (("h", "text/plain"), ("ts", "text/plain"), ("py", "text/x-python"),
                           ("json", "application/json")):
            answer = self.ask("GET", "/_schema/Shot." + form)
            self.assertEqual(answer.get("content-type").partition(";")[0], kind)

    # ---- clients

    def test_curl_sends_and_gets_packed_bytes(self):
        host, port = self.server.addresses[0]
        done = subprocess.run(["curl", "-sS", "--data-binary", "@-",
                               f"http://{host}:{port}/array/ray"], input=RAYS,
                              capture_output=True, check=True)
        self.assertEqual(done.stdout, RAYS)

    def test_numpy_sends_and_reads_them(self):
        if subprocess.run([PYTHON, "-c", "import numpy"], capture_output=True,
                          check=False).returncode:
            self.skipTest(f"no numpy for {PYTHON}")
        run_tool([PYTHON, "-c", NUMPY_CLIENT, "%s:%d" % self.server.addresses[0]])

    def test_javascript_sends_and_reads_them(self):
        folder = tempfile.mkdtemp(prefix="perilune-wire-")
        self.addCleanup(shutil.rmtree, folder)
        with open(os.path.join(folder, "Shot.mjs"), "w", encoding="utf-8") as file:
            file.write(strip_types(self.ask("GET", "/_schema/Shot.ts").text))
        script = os.path.join(folder, "client.mjs")
        with open(script, "w", encoding="utf-8") as file:
            file.write(NODE_CLIENT)
        run_tool(["node", script, "http://%s:%d" % self.server.addresses[0]])


NUMPY_CLIENT = r"""
import sys, urllib.request
import numpy
def ask(path, data=None):
    return urllib.request.urlopen(f"http://{sys.argv[1]}{path}", data).read()
scope = {}
exec(ask("/_schema/Shot.py"), scope)
shots = numpy.zeros(1000, scope["Shot"])
shots["t"] = numpy.arange(1000) / 7
shots["kind"] = scope["Kind"]["Beam"]
shots["n"] = numpy.random.default_rng(1).random((1000, 3))
shots["tags"][:, 1] = 5
shots["id"] = -(2 ** 62)
back = numpy.frombuffer(ask("/array/Shot", shots.tobytes()), scope["Shot"])
assert (back == shots).all() and back["n"].shape == (1000, 3)
"""

NODE_CLIENT = r"""
import { Shot_SIZE, Shot_HASH, Kind, readShot, writeShot } from "./Shot.mjs";
import assert from "node:assert";
const base = process.argv[2], count = 100, bytes = new ArrayBuffer(count * Shot_SIZE);
const shots = Array.from({ length: count }, (_, i) => (
  { t: i / 4, kind: Kind.Ball, n: [i, -1 - i, 0.5], tags: [1, 2, i], id: BigInt(i) - 50n }));
shots.forEach((shot, i) => writeShot(new DataView(bytes), i * Shot_SIZE, shot));
const header = `Shot;count=${count};hash="${Shot_HASH}"`;
const answer = await fetch(base + "/array/Shot", {
  method: "POST", body: bytes, headers: { "Perilune-Struct": header } });
assert.equal(answer.headers.get("perilune-struct"), header);
const view = new DataView(await answer.arrayBuffer());
assert.deepEqual(shots.map((_, i) => readShot(view, i * Shot_SIZE)), shots);
const asJson = await (await fetch(base + "/array/Shot", {
  method: "POST", body: bytes, headers: { Accept: "application/json" } })).json();
assert.deepEqual(asJson[7], { t: 1.75, kind: "Ball", n: [7, -8, 0.5], tags: [1, 2, 7], id: "-43" });
const again = await fetch(base + "/array/Shot", {
  method: "POST", body: JSON.stringify(asJson), headers: { "Content-Type": "application/json" } });
assert.deepEqual(new Uint8Array(await again.arrayBuffer()), new Uint8Array(bytes));
"""

if __name__ == "__main__":
    unittest.main()
