#!/usr/bin/env python3
"""Tasks, results and the way of a request through Lua: what holds between many requests at once."""

import asyncio
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Server, request, wait_until  # noqa: E402

LPEG = "/usr/lib/x86_64-linux-gnu/lua/5.4/lpeg.so"


class Load(unittest.TestCase):
    """100,000 requests over 100 connections: every client gets its own answer."""

    REQUESTS, CONNECTIONS = 100_000, 100
    APP = r"""
    local perilune, task = require "perilune", require "perilune.task"
    local app = perilune.app()
    app:get("/echo", {name = "echo"}, function(req, text) return text, "called" end)
    local count = 0
    app:get("/count", function() return tostring(count) end)
    app:get("/work/:text", function(req)
      local text = req.params.text
      count = count + 1
      task.sleep(math.random(0, 3) / 1000)
      local child = task.spawn(function(...)
        task.sleep(math.random(0, 2) / 1000)
        return ...
      end, text, "spawned")
      local called, how = req:call("echo", text)
      local spawned, why = child:await()
      return table.concat({text, called, how, spawned, why}, " ")
    end)
    return app
    """

    class Client(asyncio.Protocol):
        """Sends `count` requests one after the other; `done` holds what went wrong, or None."""

        def __init__(self, name, count):
            self.name, self.left, self.buffer = name, count, b""
            self.done = asyncio.get_running_loop().create_future()

        def connection_made(self, transport):
            self.transport = transport
            self.ask()

        def ask(self):
            text = f"{self.name}-{self.left}"
            self.expected = f"\r\n\r\n{text} {text} called {text} spawned".encode()
            self.transport.write(f"GET /work/{text} HTTP/1.1\r\nHost: a\r\n\r\n".encode())

        def data_received(self, data):
            self.buffer += data
            if not self.buffer.endswith(b" spawned"):
                return
            is_own = self.buffer.endswith(self.expected)
            if not is_own or not self.buffer.startswith(b"HTTP/1.1 200 "):
                self.end(self.buffer)
                return
            self.buffer = b""
            self.left -= 1
            if self.left:
                self.ask()
            else:
                self.end(None)

        def connection_lost(self, _):
            self.end(b"the connection ended: " + self.buffer)

        def end(self, problem):
            if not self.done.done():
                self.done.set_result(problem)
            self.transport.close()

    async def run_clients(self, address):
        loop = asyncio.get_running_loop()
        clients = []
        for number in range(self.CONNECTIONS):
            _, client = await loop.create_connection(
                lambda name=number: self.Client(name, self.REQUESTS // self.CONNECTIONS), *address)
            clients.append(client)
        return await asyncio.wait_for(asyncio.gather(*(c.done for c in clients)), 280)

    def test_every_client_gets_its_own_answer_and_nothing_is_left(self):
        with Server(self.APP, settings={"log.access": False}) as server:
            problems = asyncio.run(self.run_clients(server.addresses[0]))
            self.assertEqual([p for p in problems if p is not None], [])
            self.assertEqual(request(server, "GET", "/count").text, str(self.REQUESTS))


class Registry(unittest.TestCase):
    APP = r"""
    local perilune, task = require "perilune", require "perilune.task"
    local app = perilune.app()
    local parked, is_open = 0, false
    app:get("/park", function()
      parked = parked + 1
      while not is_open do task.sleep(0.002) end
      parked = parked - 1
      return "free"
    end)
    app:get("/parked", function() return {count = parked} end)
    app:get("/open", function() is_open = true end)
    -- tables of the registry -> the coroutines among their keys, those with the value false aside
    app:get("/inspect", function()
      local counts = {}
      for _, value in pairs(debug.getregistry()) do
        if type(value) == "table" then
          local count = 0
          for key, entry in next, value do
            if type(key) == "thread" and entry ~= false then count = count + 1 end
          end
          counts[("%p"):format(value)] = count
        end
      end
      return counts
    end)
    return app
    """

    def test_parked_requests_are_keys_of_exactly_one_table(self):
        with Server(self.APP) as server:
            def get(path):
                return request(server, "GET", path).json()

            idle = get("/inspect")
            clients = [server.connect() for _ in range(20)]
            for client in clients:
                client.send("GET /park HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_until(lambda: get("/parked")["count"] == 20, "20 requests are parked")
            parked = get("/inspect")
            grown = {key: count - idle.get(key, 0) for key, count in parked.items()
                     if count != idle.get(key, 0)}
            self.assertEqual(list(grown.values()), [20])
            request(server, "GET", "/open")
            for client in clients:
                self.assertEqual(client.read_response().text, "free")
            wait_until(lambda: get("/inspect")[next(iter(grown))] == idle[next(iter(grown))],
                       "the table is as it was at idle")


class ByReference(unittest.TestCase):
    APP = r"""
    local perilune = require "perilune"
    local app = perilune.app()
    local made
    local function a(req) made = {1}; return made, io.stderr, nil, 4 end
    local function b(req, t, file, ...)
      return t, file, rawequal(t, made), select("#", ...), ...
    end
    local function c(req, t, file, same, count, third, fourth)
      return {same = same, again = rawequal(t, made), file = rawequal(file, io.stderr),
              count = count, third = third == nil, fourth = fourth}
    end
    app:post("/p", a, b, c)
    app:get("/named", {name = "named"}, function(req, ...) return ... end)
    app:get("/early", function() return perilune.response.text("early", 201) end,
            function() error "never reached" end)
    app:get("/call", function(req)
      local t = {}
      local x, y, z = req:call("named", t, nil, io.stderr)
      local early = req:call("GET /early")
      local ok, err = pcall(req.call, req, "name")
      local deep = select(2, pcall(req.call, req, "GET /deep", 1))
      return {same = rawequal(x, t), hole = y == nil, file = rawequal(z, io.stderr),
              status = early.status, message = tostring(err), deep = tostring(deep)}
    end)
    app:get("/deep", function(req, depth) return req:call("GET /deep", (depth or 1) + 1) end)
    return app
    """

    def test_pipeline_and_call_hand_on_the_very_same_values(self):
        with Server(self.APP) as server:
            self.assertEqual(request(server, "POST", "/p").json(),
                             {"same": True, "again": True, "file": True, "count": 2, "third": True,
                              "fourth": 4})
            answer = request(server, "GET", "/call").json()
            self.assertEqual([answer[key] for key in ("same", "hole", "file")], [True] * 3)
            self.assertEqual(answer["status"], 201)
            self.assertIn("'named'", answer["message"])  # did you mean
            self.assertIn("16", answer["deep"])

    def test_response_value_ends_a_pipeline(self):
        with Server(self.APP) as server:
            answer = request(server, "GET", "/early")
            self.assertEqual((answer.status, answer.text), (201, "early"))


class ClientGone(unittest.TestCase):
    APP = r"""
    local perilune, task = require "perilune", require "perilune.task"
    local app = perilune.app()
    local running, closed, reasons = 0, 0, {}
    local function hang()
      local guard <close> = setmetatable({}, {__close = function() closed = closed + 1 end})
      local ok, err = pcall(task.sleep, 60)
      reasons[#reasons + 1] = err.reason
      error(err)
    end
    app:any("/hang", function()
      running = running + 1
      task.spawn(hang)
      hang()
    end)
    app:get("/state", function()
      return {running = running, closed = closed, reasons = table.concat(reasons, " ")}
    end)
    return app
    """

    def gone(self, send, leave, listen="127.0.0.1:0"):
        with Server(self.APP, listen=[listen]) as server:
            client = server.connect()
            send(client)
            wait_until(lambda: request(server, "GET", "/state").json()["running"] == 1, "it runs")
            leave(client)
            wait_until(lambda: request(server, "GET", "/state").json()["closed"] == 2,
                       "the <close> of the handler and of its child ran")
            state = request(server, "GET", "/state").json()
            self.assertEqual(state["reasons"].split(), ["client", "client"])

    @staticmethod
    def send_unread(client, size=1_000_000):
        client.send(f"POST /hang HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n")
        client.socket.setblocking(False)
        data = memoryview(bytes(size))
        try:
            while data:
                data = data[client.socket.send(data):]
        except BlockingIOError:
            pass  # as much as the kernel takes

    def test_fin_runs_close(self):
        self.gone(lambda c: c.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n"), lambda c: c.close())

    def test_fin_behind_unread_bytes_runs_close(self):
        self.gone(lambda c: self.send_unread(c, 100_000), lambda c: c.close())

    def test_reset_behind_a_megabyte_of_unread_bytes_runs_close(self):
        self.gone(self.send_unread, lambda c: c.reset())

    def test_end_behind_unread_bytes_on_a_unix_socket_runs_close(self):
        self.gone(self.send_unread, lambda c: c.close(), listen="unix")


class Errors(unittest.TestCase):
    APP = r"""
    local perilune, json = require "perilune", require "perilune.json"
    local app = perilune.app()
    local function inner() error "it broke" end
    app:get("/raise", function() inner() end)
    app:get("/raise/:x", function(req) error({secret = req.params.x}) end)
    app:get("/nested", function()
      local co = coroutine.wrap(function() inner() end)
      co()
    end)
    app:get("/abort", function() perilune.abort(418, "short and stout", {["X-Pot"] = "tea"}) end)
    app:get("/number", function() return 404 end)
    app:get("/unchecked", function() return nil, "no such row" end)
    app:get("/head", function() return "body", 200, {["X-Head"] = "yes"} end)
    app:get("/global", function() oops = 1; oops = 2; return "ok" end)
    app:get("/json", function() return {items = {{}, {price = print}}} end)
    return app
    """

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls.APP).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_raising_gives_500_with_the_id_and_a_traceback_in_the_log(self):
        with self.server.connect() as client:
            answer = client.request("GET", "/raise", {"X-Request-Id": "raise-1"})
            self.assertEqual(answer.status, 500)
            self.assertEqual(answer.get("X-Request-Id"), "raise-1")
            self.assertEqual(answer.json()["request_id"], "raise-1")
            self.assertNotIn("it broke", answer.text)
            self.server.wait_log("it broke")
            self.server.wait_log(r"raise-1")
            self.server.wait_log(r"app\.lua:4: in .*inner")
            self.assertEqual(client.request("GET", "/head").status, 200)  # the connection lives on

    def test_raising_within_a_coroutine_or_a_table_is_the_same(self):
        for path in ("/nested", "/raise/xyz"):
            answer = request(self.server, "GET", path)
            self.assertEqual(answer.status, 500)
            self.assertNotIn("xyz", answer.text)

    def test_abort_is_what_it_says(self):
        answer = request(self.server, "GET", "/abort")
        self.assertEqual((answer.status, answer.get("X-Pot")), (418, "tea"))
        self.assertEqual(answer.json()["detail"], "short and stout")

    def test_odd_returns_name_the_handler(self):
        self.assertEqual(request(self.server, "GET", "/number").status, 500)
        self.server.wait_log(r"GET /number \(app\.lua:\d+\) returned the number 404")
        self.assertEqual(request(self.server, "GET", "/unchecked").status, 500)
        self.server.wait_log(r"returned nil, 'no such row'")

    def test_head_on_a_get_route_has_its_headers_and_no_body(self):
        with self.server.connect() as client:
            answer = client.request("HEAD", "/head")
            self.assertEqual((answer.status, answer.get("Content-Length")), (200, "4"))
            self.assertEqual(answer.get("X-Head"), "yes")
            self.assertEqual(client.request("GET", "/head").text, "body")

    def test_undeclared_global_warns_once_with_its_place(self):
        request(self.server, "GET", "/global")
        lines = self.server.wait_log(r"app\.lua:15.*oops|oops.*app\.lua:15")
        request(self.server, "GET", "/global")
        request(self.server, "GET", "/raise")
        self.assertEqual(len(self.server.log_lines("oops")), len(lines))

    def test_json_error_names_the_path(self):
        self.assertEqual(request(self.server, "GET", "/json").status, 500)
        self.server.wait_log(r"\$\.items\[2\]\.price")


class Modules(unittest.TestCase):
    FILES = {
        "near.lua": "return {name = ...}",
        "folder/init.lua": "return {name = ...}",
        "slow.lua": """
            local task = require "perilune.task"
            loads = (rawget(_G, "loads") or 0) + 1
            task.sleep(0.05)
            return {loads = loads}
        """,
        "broken.lua": "local x = = 1",
    }
    APP = r"""
    loads = 0
    local app = require "perilune".app()
    app:get("/near", function()
      return {require("near").name, require("folder").name, require("near") == require("near")}
    end)
    app:get("/slow", function() return {loads = require("slow").loads} end)
    app:get("/broken", function() require "broken" end)
    app:get("/lpeg", function()
      local lpeg = require "lpeg"
      return {lpeg.match(lpeg.C(lpeg.R"az"^1), "abc1")}
    end)
    return app
    """

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls.APP, files=cls.FILES).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_modules_are_found_in_the_apps_folder(self):
        self.assertEqual(request(self.server, "GET", "/near").json(), ["near", "folder", True])

    def test_module_that_waits_while_it_loads_is_loaded_once(self):
        clients = [self.server.connect() for _ in range(5)]
        for client in clients:
            client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual([c.read_response().json() for c in clients], [{"loads": 1}] * 5)

    def test_module_with_an_error_names_its_file_and_line(self):
        self.assertEqual(request(self.server, "GET", "/broken").status, 500)
        self.server.wait_log(r"broken\.lua:1:")

    @unittest.skipUnless(os.path.exists(LPEG), "lua-lpeg is not installed")
    def test_c_module_of_luarocks_kind_is_loaded(self):
        self.assertEqual(request(self.server, "GET", "/lpeg").json(), ["abc"])


class Middleware(unittest.TestCase):
    APP = r"""
    local perilune = require "perilune"
    local app = perilune.app()

    local function trail(name)
      return function(req, proceed)
        req.ctx.trail = (req.ctx.trail or "") .. name
        local res = proceed()
        res.headers["X-Trail"] = (res.headers["x-trail"] or req.ctx.trail) .. "-" .. name
      end
    end

    app:get("/early", function() return "declared before use" end)
    app:use(trail "1")
    app:use("/group", trail "2")
    app:get("/", function() return {plain = true} end)
    app:get("/groups", function() return "no whole segment" end)
    app:group("/group", function(group)
      group:use(trail "3")
      group:get("/x", function(req) return req.path end)
      group:on("error", function(req, err) return "group: " .. err.message end)
      group:get("/error", function() error({status = 409, message = "taken"}) end)
    end)
    local inner = perilune.app()
    inner:use(trail "m")
    inner:get("/x", function(req) return req.path end)
    inner:on("not_found", function(req) return "mounted: nothing at " .. req.path end)
    app:mount("/mounted", inner)
    app:static("/files", "public")

    app:use("/twice", function(req, proceed) proceed(); proceed() end)
    app:get("/twice", function() return "once" end)
    app:use("/neither", function() end)
    app:get("/neither", function() return "never" end)
    app:use("/own", function() return "instead", 202 end)
    app:get("/own", function() return "never" end)
    app:use("/replace", function(req, proceed)
      local res = proceed()
      return {was = res.status, error = res.error and res.error.message, kind = type(res.body)}
    end)
    app:get("/replace/error", function() error({status = 404, message = "gone"}) end)
    app:get("/replace/table", function() return {}, 201 end)
    app:get("/replace/nil", function() end)
    app:use("/change", function(req, proceed)
      local res = proceed()
      res.status, res.body = 203, res.body .. "!"
      res.headers["X-List"] = {"a", "b"}
      res.headers["x-gone"] = nil
    end)
    app:get("/change", function() return "text", 200, {["X-Gone"] = "1"} end)
    app:on("error", function(req, err) return {caught = err.message} end)
    app:get("/raise", function() error({status = 410, message = "gone"}) end)
    app:get("/broken", function() error "secret" end)

    local finished = {}
    app:on("start", function() require "perilune.task".sleep(0.001); app_started = true end)
    app:on("stop", function() require "perilune.log".info("the app has stopped") end)
    app:on("finish", function(req, info)
      finished[req.id] = {status = info.status, out = info.bytes_out, cut = info.cut,
                          path = req.path, seconds = info.seconds >= 0}
    end)
    app:get("/finished/:id", function(req)
      return {started = app_started, info = finished[req.params.id]}
    end)
    return app
    """

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls.APP, files={"public/a.txt": "a file"}).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        assert cls.server.log_lines("the app has stopped")

    def get(self, path, method="GET", headers=None):
        return request(self.server, method, path, headers)

    def test_order_is_outer_apps_first_then_declaration(self):
        for path, trail, status in (
                ("/", "1-1", 200), ("/early", "1-1", 200), ("/groups", "1-1", 200),
                ("/group/x", "123-3-2-1", 200), ("/mounted/x", "1m-m-1", 200),
                ("/group/none", "123-3-2-1", 404), ("/none", "1-1", 404),
                ("/mounted/none", "1m-m-1", 404), ("/files/a.txt", "1-1", 200),
                ("/files/none", "1-1", 404), ("/group/error", "123-3-2-1", 409)):
            with self.subTest(path=path):
                answer = self.get(path)
                self.assertEqual((answer.status, answer.get("X-Trail")), (status, trail))

    def test_method_not_allowed_is_covered(self):
        answer = self.get("/group/x", "POST")
        self.assertEqual((answer.status, answer.get("X-Trail")), (405, "123-3-2-1"))
        self.assertEqual(sorted(answer.get("Allow").split(", ")), ["GET", "HEAD", "OPTIONS"])

    def test_path_is_never_rewritten(self):
        self.assertEqual(self.get("/group/x").text, "/group/x")
        self.assertEqual(self.get("/mounted/x").text, "/mounted/x")
        self.assertEqual(self.get("/mounted/none").text, "mounted: nothing at /mounted/none")
        self.assertEqual(self.get("/files/a.txt").text, "a file")

    def test_second_proceed_raises(self):
        self.assertEqual(self.get("/twice").json(), {"caught": self.get("/twice").json()["caught"]})
        self.assertIn("second time", self.get("/twice").json()["caught"])
        self.assertEqual(self.get("/twice").status, 500)

    def test_middleware_that_does_neither_is_an_error_naming_it(self):
        answer = self.get("/neither")
        self.assertEqual(answer.status, 500)
        self.assertRegex(answer.json()["caught"], r"app\.lua:\d+ neither called proceed\(\)")

    def test_what_middleware_returns_replaces_the_answer(self):
        answer = self.get("/own")
        self.assertEqual((answer.status, answer.text), (202, "instead"))
        self.assertEqual(self.get("/replace/error").json(),
                         {"was": 404, "error": "gone", "kind": "table"})
        self.assertEqual(self.get("/replace/table").json(), {"was": 201, "kind": "table"})
        self.assertEqual(self.get("/replace/nil").json(), {"was": 204, "kind": "nil"})
        self.assertEqual(self.get("/replace/none").json()["was"], 404)

    def test_response_is_changed_in_place(self):
        answer = self.get("/change")
        self.assertEqual((answer.status, answer.text), (203, "text!"))
        self.assertEqual(answer.all("X-List"), ["a", "b"])
        self.assertIsNone(answer.get("X-Gone"))

    def test_error_hook_answers_with_the_errors_status(self):
        answer = self.get("/raise")
        self.assertEqual((answer.status, answer.json()), (410, {"caught": "gone"}))
        self.assertEqual(self.get("/group/error").text, "group: taken")
        answer = self.get("/broken")
        self.assertEqual(answer.status, 500)
        self.assertRegex(answer.json()["caught"], "secret")
        self.server.wait_log("secret")

    def test_start_and_finish_are_told(self):
        self.get("/change", headers={"X-Request-Id": "finish-1"})

        def info():
            answer = self.get("/finished/finish-1").json()
            self.assertTrue(answer["started"])
            return answer.get("info")
        self.assertEqual(wait_until(info, "finish was called"),
                         {"status": 203, "out": 5, "cut": False, "path": "/change",
                          "seconds": True})


class Proxies(unittest.TestCase):
    APP = r"""
    return function(req)
      local port = req.remote_port > 0 and "port" or "none"
      return table.concat({req.remote, port, req.scheme, req.host}, " ")
    end
    """

    def ask(self, server, fields):
        with server.connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: own\r\n"
                        + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n")
            return client.read_response().text

    def test_nobody_is_believed_by_default(self):
        with Server(self.APP) as server:
            own = "127.0.0.1 port http own"
            self.assertEqual(self.ask(server, []), own)
            self.assertEqual(self.ask(server, [("X-Forwarded-For", "192.0.2.1"),
                                               ("X-Forwarded-Proto", "https"),
                                               ("X-Forwarded-Host", "other")]), own)
            self.assertEqual(self.ask(server, [("Forwarded", "for=192.0.2.1;proto=https")]), own)

    def test_trusted_proxy_is_believed_as_far_as_the_chain_is_trusted(self):
        with Server(self.APP, settings={"proxy.trusted": "127.0.0.1,10.0.0.0/8"}) as server:
            for fields, expected in (
                    ([], "127.0.0.1 port http own"),
                    ([("Forwarded", 'for="192.0.2.1:99";proto=https;host=other')],
                     "192.0.2.1 port https other"),
                    ([("Forwarded", 'for="[2001:db8::1]"')], "2001:db8::1 none http own"),
                    ([("Forwarded", "for=192.0.2.6;host=forged, for=192.0.2.7, for=10.1.2.3")],
                     "192.0.2.7 none http own"),
                    ([("X-Forwarded-For", "192.0.2.1")], "192.0.2.1 none http own"),
                    ([("X-Forwarded-For", "192.0.2.66, 192.0.2.1, 10.0.0.2")],
                     "192.0.2.1 none http own"),
                    ([("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https"),
                      ("X-Forwarded-Host", "other")], "192.0.2.1 none https other"),
                    # a field of the client's own, then one that the proxy has added
                    ([("X-Forwarded-For", "192.0.2.66"), ("X-Forwarded-For", "192.0.2.1")],
                     "192.0.2.1 none http own"),
                    ([("Forwarded", "for=192.0.2.66"),
                      ("Forwarded", "for=192.0.2.1, for=10.0.0.1")],
                     "192.0.2.1 none http own"),
                    ([("X-Forwarded-For", "10.0.0.0/8")], "127.0.0.1 port http own"),
                    ([("Forwarded", "proto=https")], "127.0.0.1 port http own"),
                    ([("Forwarded", 'for="192.0.2.1:99999999999"')], "192.0.2.1 none http own"),
                    ([("Forwarded", "for=unknown")], "127.0.0.1 port http own")):
                with self.subTest(fields=fields):
                    self.assertEqual(self.ask(server, fields), expected)


if __name__ == "__main__":
    unittest.main()
