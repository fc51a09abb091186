#!/usr/bin/env python3
"""The image of docker/Dockerfile, built and run for real with buildah and podman.

Where these are missing the tests say so and are skipped. The image is made from the repo that this
file is in, or from the one that PERILUNE_CONTEXT names.
"""
# presets: release

import datetime
import http.client
import os
import pathlib
import re
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import podman  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CONTEXT = os.environ.get("PERILUNE_CONTEXT", str(ROOT))
IMAGE, SLIM = "localhost/perilune:test", "localhost/perilune:test-slim"
MOST_BYTES = 15_000_000
BINARY = "/usr/local/bin/perilune"
# As strict as an operator can be.
STRICT = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")

APP = r"""
local function uid()
  for line in io.lines("/proc/self/status") do
    local found = line:match("^Uid:%s+(%d+)")
    if found then return found end
  end
end

return function(req)
  if req.path == "/uid" then return uid() end
  local written = io.open("/app/written", "w") or io.open("/written", "w")
  return written and "the root is writable" or "hello from a container"
end
"""

MODULE = r"""
#include <lauxlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Leaves a process without a parent behind, which ends at once; returns its id. */
static int make_orphan(lua_State *L) {
  int ends[2];
  pid_t orphan = 0;
  if (pipe(ends))
    return luaL_error(L, "pipe");
  pid_t parent = fork();
  if (parent == 0) {
    pid_t child = fork();
    if (child == 0)
      _exit(0);
    _exit(write(ends[1], &child, sizeof child) != sizeof child);
  }
  waitpid(parent, NULL, 0);
  if (read(ends[0], &orphan, sizeof orphan) != sizeof orphan)
    return luaL_error(L, "read");
  close(ends[0]);
  close(ends[1]);
  lua_pushinteger(L, orphan);
  return 1;
}

int luaopen_orphans(lua_State *L) {
  lua_newtable(L);
  lua_pushcfunction(L, make_orphan);
  lua_setfield(L, -2, "make");
  return 1;
}
"""

MODULE_APP = r"""
local orphans = require "orphans"

return function(req)
  if req.path == "/make" then
    return tostring(orphans.make())
  end
  local file = io.open("/proc" .. req.path .. "/stat")
  return file and file:read("a") or "gone"
end
"""

store = None


def setUpModule():
    global store
    try:
        store = podman.Store()
    except podman.Missing as reason:
        raise unittest.SkipTest(str(reason)) from None
    begin = time.monotonic()
    try:
        store.build(CONTEXT, IMAGE)
        store.build(CONTEXT, SLIM, "--target", "slim")
    except BaseException:
        store.close()
        raise
    print(f"both images built in {time.monotonic() - begin:.0f} s", file=sys.stderr)


def tearDownModule():
    if store:
        store.close()


def get(container, port, path="/"):
    """One request; waits until the server answers at all."""
    def attempt():
        connection = http.client.HTTPConnection(*container.address(port), timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    try:
        return podman.wait_until(attempt, f"an answer on port {port}")
    except AssertionError as error:
        raise AssertionError(f"{error}; its log:\n{container.logs()}") from None


class ImageTest(unittest.TestCase):
    """What the image is, without running it."""

    def test_image_is_at_most_15_mb(self):
        size = store.inspect_image(IMAGE)["Size"]
        print(f"the image has {size / 1e6:.1f} MB", file=sys.stderr)
        self.assertLessEqual(size, MOST_BYTES)

    def test_image_config_is_what_the_documents_say(self):
        image = store.inspect_image(IMAGE)
        config = image["Config"]
        self.assertEqual(config["User"], "65532:65532")
        self.assertEqual(config["WorkingDir"], "/app")
        self.assertEqual(config["Entrypoint"], [BINARY])
        self.assertEqual(config["Cmd"], ["run"])
        self.assertEqual(config["StopSignal"], "SIGTERM")
        self.assertIn("PORT=8080", config["Env"])
        self.assertEqual(image["Healthcheck"]["Test"], ["CMD", BINARY, "healthcheck"])

    def test_image_holds_what_scanners_read_and_no_shell(self):
        container = podman.Container(store, store.podman("create", IMAGE).strip())
        self.addCleanup(container.remove)
        files = container.files()
        for name in ("bin/sh", "usr/bin/sh", "bin/busybox"):
            self.assertNotIn(name, files)
        self.assertEqual([name for name in files if re.match("app/.", name)], [])
        self.assertIn("etc/ssl/certs/ca-certificates.crt", files)
        self.assertRegex(container.read("/etc/passwd"), "(?m)^[a-z]+:x:65532:65532:")
        self.assertRegex(container.read("/etc/os-release"), "(?m)^ID=debian$")
        recorded = {name.rpartition("/")[2] for name in files
                    if name.startswith("var/lib/dpkg/status.d/")} - {""}
        self.assertLessEqual({"libc6", "ca-certificates", "liblua5.4-dev", "libuv1-dev"}, recorded)
        for package in recorded:
            entry = container.read(f"/var/lib/dpkg/status.d/{package}")
            self.assertRegex(entry, f"(?m)^Package: {re.escape(package)}$")
            self.assertRegex(entry, "(?m)^Version: .")
            self.assertIn(f"usr/share/doc/{package}/copyright", files)

    def test_slim_has_a_shell_and_luarocks_for_lua_5_4(self):
        status, logs = store.run_once(
            SLIM, "-c", "perilune version && luarocks config lua_version",
            options=("--entrypoint", "/bin/sh"))
        self.assertEqual(status, 0, logs)
        self.assertEqual(logs.strip().splitlines()[-1], "5.4")


class RunTest(unittest.TestCase):
    """The image at work: read-only, without a capability, not root."""

    def setUp(self):
        # Not a with: what is mounted must outlive the container, which a later cleanup removes.
        folder = tempfile.mkdtemp(prefix="perilune-app-")
        self.addCleanup(podman.call, ["rm", "-rf", folder])
        self.folder = pathlib.Path(folder)
        self.folder.chmod(0o755)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o644)
        return path

    def start(self, app=APP, port=8080, options=()):
        """Starts the image with this app in /app and its port published."""
        self.write("app.lua", app)
        container = store.run(IMAGE, options=(
            *STRICT, "--volume", f"{self.folder}:/app:ro", "--publish", f"127.0.0.1::{port}",
            *options))
        self.addCleanup(container.remove)
        return container

    def test_mounted_app_is_served_read_only_and_not_as_root(self):
        container = self.start()
        self.assertEqual(get(container, 8080), (200, "hello from a container"))
        self.assertEqual(get(container, 8080, "/uid"), (200, "65532"))

    def test_port_from_the_environment_wins(self):
        container = self.start(port=9090, options=("--env", "PORT=9090"))
        self.assertEqual(get(container, 9090)[0], 200)

    def test_healthcheck_tells_healthy_from_unhealthy(self):
        container = self.start()
        get(container, 8080)
        store.podman("healthcheck", "run", container.name)
        with self.assertRaises(podman.Failed):
            store.podman("exec", container.name, BINARY, "healthcheck", "http://127.0.0.1:1/")

    def test_idle_server_stops_within_a_second_of_term(self):
        container = self.start()
        get(container, 8080)
        begin = time.time()
        container.kill("TERM")
        self.assertEqual(container.wait(), 0, container.logs())
        self.assertLess(self.finished_at(container) - begin, 1)

    def finished_at(self, container):
        text = container.state()["FinishedAt"]
        # "2024-05-01 12:00:00.123456789 +0000 UTC" or RFC 3339, by podman's version
        date, clock, fraction, sign, zone = re.match(
            r"([\d-]+)[T ]([\d:]+)\.?(\d*) ?([+-]|Z)([\d:]*)", text).groups()
        offset = "+00:00" if sign == "Z" else f"{sign}{zone[:2]}:{zone[-2:]}"
        moment = datetime.datetime.fromisoformat(f"{date}T{clock}{offset}")
        return moment.timestamp() + float(f"0.{fraction or 0}")

    def test_pid_1_passes_other_signals_on(self):
        container = self.start()
        get(container, 8080)
        container.kill("HUP")
        podman.wait_until(lambda: "HUP" in container.logs(), "the server's log line about HUP")
        self.assertEqual(get(container, 8080)[0], 200)

    def test_pid_1_ends_with_the_status_of_the_server(self):
        container = self.start(app="this is no Lua")
        self.assertEqual(container.wait(), 1)
        self.assertIn("app.lua:1", container.logs())

    def test_c_module_is_required_and_orphans_are_reaped(self):
        module = self.make_module()
        container = self.start(MODULE_APP, options=(
            "--volume", f"{module}:/usr/local/lib/lua/5.4/orphans.so:ro"))
        status, orphan = get(container, 8080, "/make")
        self.assertEqual(status, 200, orphan)
        self.assertRegex(orphan, "^[0-9]+$")
        podman.wait_until(lambda: get(container, 8080, f"/{orphan}") == (200, "gone"),
                          "PID 1 has reaped the orphan")

    def make_module(self):
        """Compiles MODULE in the stage slim, as LuaRocks would; returns its path."""
        self.write("orphans.c", MODULE)
        compile_it = ("cc -O2 -shared -fPIC -Wall -Werror -I/usr/include/lua5.4"
                      " -o /work/orphans.so /work/orphans.c")
        status, logs = store.run_once(
            SLIM, "-c", compile_it,
            options=("--user", "0", "--entrypoint", "/bin/sh",
                     "--volume", f"{self.folder}:/work"))
        self.assertEqual(status, 0, logs)
        return self.folder / "orphans.so"


if __name__ == "__main__":
    unittest.main()
