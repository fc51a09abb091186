#!/usr/bin/env python3
"""Bodies of packed structs through the real server: what a request that holds one costs the Lua
heap (structs.md 4.6, D5), what is copied on the way (4.5), and long calls while others run."""
# presets: asan tsan

import array
import os
import re
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import HAS_AUDIT, Server, format_request, request, wait_until  # noqa: E402

MIB = 1 << 20
PATIENCE = 120.0  # seconds: bounds a failure under a sanitizer

HOLDING = r"""
local perilune = require "perilune"
local struct = require "perilune.struct"
local app, held = perilune.app(), 0
app:post("/hold", function(req)
  local numbers = req:array(struct.f32)
  held = held + 1
  perilune.channel("go"):receive()
  held = held - 1
  return tostring(#numbers)
end)
app:get("/heap", function()
  collectgarbage() collectgarbage()
  return {held = held, heap = math.floor(collectgarbage("count") * 1024)}
end)
app:get("/go", function() perilune.channel("go"):close() return "gone" end)
return app
"""

PIPELINE = r"""
local perilune = require "perilune"
local struct, geometry = require "perilune.struct", require "perilune.geometry"
local vec3, mat4 = geometry.vec3, geometry.mat4
local app = perilune.app()
local function parse(req) return req:array(vec3) end
local function transform(points) return points:mul(2, points) end
local function render(points) return points end
app:post("/", function(req) return render(transform(parse(req))) end)
app:post("/cloned", function(req) return render(transform(parse(req):clone())) end)
return app
"""

COMPUTING = r"""
local perilune, task = require "perilune", require "perilune.task"
local struct, geometry = require "perilune.struct", require "perilune.geometry"
local vec3, f32 = geometry.vec3, struct.f32
local app = perilune.app()
local shared = vec3.array(600000)  -- more than a slice's worth of the fastest kernel
for i = 1, #shared, 1000 do shared:set(i, i, i, i) end
shared:freeze()
local own = vec3.array(600000)
local scene = geometry.scene{spheres = {{{0, 0, 5}, 1}, {{0, 0, 9}, 2}}}

-- Kernels, ops without a loop, sums, selections and queries, all longer than a slice.
app:get("/compute", function(req)
  local a = shared:mul(2)
  a:add(shared, a)
  local part = shared:slice(1, 110000)
  local turned = part:slice(1, 30000):rotate(geometry.quat.angle_axis(1, vec3.up))
  assert(#turned == 30000)
  local far = part:length():gt(300)
  local some = part:select(far)
  local sorted = part:sort_by(part:field("x"))
  assert(#some == far:count() and sorted[1].x == 0 and sorted[#sorted].x == 109001)
  local rays = geometry.ray.array(30000)
  rays:field("direction"):add(vec3.forward, rays:field("direction"))
  assert(scene:occluded(rays):all())
  return ("%.0f"):format(a:sum().x)
end)
-- Reads while those run; a write to what is in use says so, or succeeds.
app:get("/read", function()
  local sum = 0
  for i = 1, 2000 do sum = sum + shared:get(i * 100) end
  local ok, err = pcall(own.set, own, 1, 1, 2, 3)
  assert(ok or err:find("in use by vec3", 1, true), err)
  return ("%.0f"):format(sum)
end)
app:get("/own", function()
  local ok, err = pcall(own.add, own, shared, own)
  assert(ok or err:find("in use by vec3", 1, true), err)
  return tostring(ok)
end)
-- Given up half-way: the job ends with its piece, and its bytes with it.
app:get("/given_up", function()
  local ok = pcall(task.timeout, 0.001, function()
    local mine = vec3.array(600002)
    for _ = 1, 50 do mine:slice(1, -2):add(1, mine:slice(2)) end
  end)
  return tostring(ok)
end)
return app
"""


def is_tsan():
    return "tsan" in os.environ.get("PERILUNE_BIN", "")


class Held(unittest.TestCase):
    def test_a_held_body_costs_its_view_and_its_task(self):
        first, count = 10, 100 if is_tsan() else 1000  # the first pay for what all share
        settings = {"limits.memory": "8g", "limits.request_memory": "2m", "limits.body": "2m",
                    "limits.in_flight": count + 20, "limits.connections": count + 20,
                    "limits.cpu": False, "limits.lag": False}
        with Server(HOLDING, settings=settings) as server:
            def heap():
                return request(server, path="/heap").json()
            body = bytes(MIB)
            clients = []

            def hold(more):
                for _ in range(more):
                    client = server.connect(timeout=PATIENCE)
                    client.send(format_request("POST", "/hold", {"Content-Length": MIB}) + body)
                    clients.append(client)
                wait_until(lambda: heap()["held"] == len(clients), "all hold", PATIENCE)
                return heap()["heap"]

            before = hold(first)
            grown = (hold(count) - before) / count
            request(server, path="/go")
            for client in clients:
                self.assertEqual(client.read_response().body, str(MIB // 4).encode())
                client.close()
            self.assertLessEqual(grown, 2048)
            self.assertGreater(grown, 100, "the heap's figure does not move")


@unittest.skipUnless(HAS_AUDIT, "a release build counts no copies")
class Copies(unittest.TestCase):
    def copied(self, path):
        """Bytes copied by a server that answers one request of 10 MB, and the answer."""
        settings = {"limits.body": "16m", "limits.cpu": False}
        numbers = array.array("f", (float(i % 1000) for i in range(2_499_999)))
        with Server(PIPELINE, settings=settings) as server:
            with server.connect(timeout=PATIENCE) as client:
                answer = client.request("POST", path, {}, numbers.tobytes())
        self.assertEqual(answer.status, 200)
        expected = array.array("f", (2.0 * n for n in numbers))
        self.assertEqual(answer.body, expected.tobytes())
        return int(re.search(r"audit: .* copied=(\d+)", server.log)[1])

    def test_a_pipeline_copies_the_first_fragment_alone(self):
        self.assertLessEqual(self.copied("/"), 64 << 10)

    def test_a_copy_is_counted(self):
        self.assertGreaterEqual(self.copied("/cloned"), 9_999_996)


class Pool(unittest.TestCase):
    def test_long_calls_run_while_others_read(self):
        rounds = 2 if is_tsan() else 4
        settings = {"limits.memory": "1g", "limits.cpu": False, "limits.lag": False,
                    "limits.stall": False, "limits.slice": "60s",
                    "timeouts.request": False, "timeouts.queue": "60s"}
        expected = {"/compute": b"539101824"}  # 539101800 as f32
        failures = []
        with Server(COMPUTING, settings=settings, workers=3) as server:
            def ask(path):
                for _ in range(rounds):
                    with server.connect(timeout=PATIENCE) as client:
                        answer = client.request("GET", path)
                    if answer.status != 200:
                        failures.append((path, answer.status, answer.body))
                    elif answer.body != expected.get(path, answer.body):
                        failures.append((path, answer.body))
            paths = ["/compute"] * 3 + ["/read"] * 3 + ["/own"] * 2 + ["/given_up"] * 2
            threads = [threading.Thread(target=ask, args=(path,)) for path in paths]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])


if __name__ == "__main__":
    unittest.main()
