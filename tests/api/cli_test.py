#!/usr/bin/env python3
"""The command line and the configuration, through the real binary."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import (BINARY, ROOT, TIMEOUT, Server, clean_environment, request, run,  # noqa: E402
                     wait_until)

HELLO = "return function(req) return 'hello' end"
COMMANDS = ("run", "check", "routes", "config", "healthcheck", "version")


class Folder(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="perilune-cli-")
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(content)

    def run_here(self, *arguments, **options):
        return run(*arguments, cwd=self.folder, **options)

    def assert_fails(self, done, code, *parts):
        """Asserts the exit code, an empty stdout, and what one of the error lines says."""
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        for part in parts:
            self.assertIn(part, done.stderr)


class Usage(Folder):
    def test_help_lists_every_command(self):
        for option in ("--help", "-h"):
            done = self.run_here(option)
            self.assertEqual(done.returncode, 0)
            self.assertEqual(done.stderr, "")
            for command in COMMANDS:
                self.assertRegex(done.stdout, rf"(?m)^  {command} ")

    def test_every_command_has_help(self):
        for command in COMMANDS:
            done = self.run_here(command, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertTrue(done.stdout.startswith(f"Usage: perilune {command} "))

    def test_unknown_command_is_usage_error_with_suggestion(self):
        self.assert_fails(self.run_here("confg"), 2, "unknown command confg: did you mean config?")
        self.assert_fails(self.run_here("frobnicate"), 2, "unknown command frobnicate (")

    def test_commands_of_later_releases_are_unknown(self):
        for command in ("ps", "top", "kill", "reload", "drain", "dev", "test", "repl", "new",
                        "types"):
            self.assert_fails(self.run_here(command), 2, f"unknown command {command}")
        self.assert_fails(self.run_here("run", "--admin", "1"), 2, "unknown option --admin")

    def test_unknown_option_is_usage_error_with_suggestion(self):
        self.assert_fails(self.run_here("run", "--lisen", "1"), 2,
                          "run: unknown option --lisen: did you mean --listen?")
        self.assert_fails(self.run_here("version", "-l", "1"), 2, "version: unknown option -l")

    def test_wrong_usage_is_2(self):
        for words in (["run", "-l"], ["run", "a.lua", "b.lua"], ["run", "a.lua", "-e", "x"],
                      ["run", "--set", "workers"], ["config", "--default=yes"],
                      ["healthcheck", "--timeout", "soon"], ["version", "extra"]):
            self.assert_fails(self.run_here(*words), 2, "perilune: error: ")

    def test_no_app_says_what_to_do(self):
        for words in ([], ["run"], ["check"], ["routes"], ["-l", "8080"]):
            self.assert_fails(self.run_here(*words), 1, "no app.lua", "perilune -e")

    def test_a_full_disk_is_a_failure(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([BINARY, "version"], stdout=full, stderr=subprocess.PIPE,
                                  env=clean_environment(), timeout=TIMEOUT, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output", done.stderr)


class Colour(Folder):
    def error_on_terminal(self, **environment):
        """What an unknown command prints when stderr is a terminal."""
        terminal, side = os.openpty()
        environment = {**clean_environment(), "TERM": "xterm", "NO_COLOR": "", **environment}
        with os.fdopen(terminal, "rb", buffering=0) as reader:
            subprocess.run([BINARY, "confg"], stderr=side, env=environment, timeout=TIMEOUT,
                           check=False)
            os.close(side)
            return reader.read(4096).decode()

    def test_error_is_coloured_on_a_terminal(self):
        self.assertIn("\x1b[1;31merror:\x1b[0m", self.error_on_terminal())

    def test_no_color_and_dumb_terminals_are_respected(self):
        self.assertNotIn("\x1b", self.error_on_terminal(NO_COLOR="1"))
        self.assertNotIn("\x1b", self.error_on_terminal(TERM="dumb"))

    def test_a_pipe_is_not_coloured(self):
        done = self.run_here("confg", env={"TERM": "xterm", "NO_COLOR": ""})
        self.assertNotIn("\x1b", done.stderr)


class Version(Folder):
    def test_version_names_program_build_and_libraries(self):
        done = self.run_here("version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        self.assertRegex(lines[0], r"^perilune \d+\.\d+\.\d+$")
        names = [line.split()[0] for line in lines[1:]]
        self.assertEqual(names, ["build", "libuv", "lua", "llhttp"])

    def test_json_is_an_object_with_the_same(self):
        versions = json.loads(self.run_here("version", "--json").stdout)
        self.assertEqual(list(versions), ["perilune", "build", "libuv", "lua", "llhttp"])
        self.assertIn(f"perilune {versions['perilune']}\n", self.run_here("version").stdout)
        for library in ("libuv", "lua", "llhttp"):
            self.assertRegex(versions[library], r"^\d+\.\d+\.\d+")

    def test_option_version_is_the_command(self):
        self.assertEqual(self.run_here("--version").stdout, self.run_here("version").stdout)


class Config(Folder):
    def origin(self, key, *arguments, env=None):
        """The value and the origin that `perilune config` shows for a key."""
        done = self.run_here("config", *arguments, env=env)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = re.search(rf"(?m)^{re.escape(key)} = (.*?) +-- (.*)$", done.stdout)
        return found.group(1), found.group(2)

    def test_default_prints_the_committed_file(self):
        done = self.run_here("config", "--default")
        with open(os.path.join(ROOT, "config/perilune.conf.lua"), encoding="utf-8") as file:
            self.assertEqual(done.stdout, file.read())

    def test_default_file_is_accepted(self):
        self.write("perilune.conf.lua", self.run_here("config", "--default").stdout)
        self.assertEqual(self.origin("limits.body"), ('"8m"', "file: perilune.conf.lua"))

    def test_help_lists_keys_with_variables(self):
        text = self.run_here("config", "--help").stdout
        self.assertRegex(text, r'(?m)^  limits\.body = "8m" +PERILUNE_LIMITS_BODY$')

    def test_order_is_flag_environment_file_default(self):
        key, env = "limits.query", {"PERILUNE_LIMITS_QUERY": "30"}
        self.assertEqual(self.origin(key), ("1000", "default"))
        self.write("perilune.conf.lua", "return {limits = {query = 20}}")
        self.assertEqual(self.origin(key), ("20", "file: perilune.conf.lua"))
        self.assertEqual(self.origin(key, env=env), ("30", "environment: PERILUNE_LIMITS_QUERY"))
        self.assertEqual(self.origin(key, "--set", f"{key}=40", env=env),
                         ("40", "command line: --set"))

    def test_order_of_addresses(self):
        self.write("perilune.conf.lua", "return {listen = 1}")
        self.assertEqual(self.origin("listen")[0], '"127.0.0.1:1"')
        self.assertEqual(self.origin("listen", env={"PORT": "2"}),
                         ('"0.0.0.0:2"', "environment: PORT"))
        both = {"PORT": "2", "PERILUNE_LISTEN": "3"}
        self.assertEqual(self.origin("listen", env=both)[0], '"127.0.0.1:3"')
        self.assertEqual(self.origin("listen", "-l", "4", "-l", "unix:/x,y", env=both),
                         ('{"127.0.0.1:4", "unix:/x,y"}', "command line: --listen"))

    def test_file_is_found_beside_the_app_or_by_option(self):
        self.write("sub/perilune.conf.lua", "return {workers = 2}")
        self.assertEqual(self.origin("workers"), ("1", "default"))
        self.assertEqual(self.origin("workers", "sub/app.lua"),
                         ("2", "file: sub/perilune.conf.lua"))
        self.write("other.lua", "return {workers = 3}")
        self.assertEqual(self.origin("workers", "sub/app.lua", "-c", "other.lua"),
                         ("3", "file: other.lua"))
        self.assert_fails(self.run_here("config", "-c", "none.lua"), 1, "none.lua: cannot read it")

    def test_all_problems_are_reported(self):
        self.write("perilune.conf.lua", "return {limits = {body = '10s', boddy = 1}}")
        done = self.run_here("config", "--set", "workers=0", "--set", "wrokers=1",
                             env={"PERILUNE_LOG_LEVEL": "loud"})
        self.assert_fails(
            done, 1,
            'perilune.conf.lua: limits.body = "10s": a size is expected (64k, 8m, 2g)',
            'perilune.conf.lua: unknown key "limits.boddy": did you mean "limits.body"?',
            'PERILUNE_LOG_LEVEL: log.level = "loud": one of these is expected: debug|info|warn|',
            '--set: workers = "0": out of bounds: 1 to 512',
            '--set: unknown key "wrokers": did you mean "workers"?')
        self.assertEqual(len(done.stderr.splitlines()), 5)

    def test_syntax_error_names_file_and_line(self):
        self.write("perilune.conf.lua", "return {\n  workers = = 2\n}")
        self.assert_fails(self.run_here("config"), 1, "perilune.conf.lua:2: ")

    def test_endless_file_is_stopped(self):
        self.write("perilune.conf.lua", "while true do end")
        self.assert_fails(self.run_here("config"), 1, "perilune.conf.lua:1: ",
                          "does not come to an end")

    def test_unknown_variable_is_a_warning(self):
        env = {"PERILUNE_LOGLEVEL": "debug", "PERILUNE_PORT": "tcp://x",
               "PERILUNE_SERVICE_HOST": "x"}
        done = self.run_here("config", env=env)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stderr, "perilune: warning: unknown variable PERILUNE_LOGLEVEL: "
                                      "did you mean PERILUNE_LOG_LEVEL?\n")


class Responder:
    """Answers one connection after the other with fixed bytes; keeps the requests."""

    def __init__(self, answer, family=socket.AF_INET, address=("127.0.0.1", 0)):
        self.requests = []
        self._answer = answer
        self._socket = socket.socket(family)
        self._socket.bind(address)
        self._socket.listen()
        self.port = self._socket.getsockname()[1] if family == socket.AF_INET else None
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(TIMEOUT)
        self._socket.close()

    def _serve(self):
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            with client:
                self.requests.append(client.recv(4096).decode())
                if self._answer is None:
                    client.recv(1)  # silence, until the other side gives up
                else:
                    client.sendall(self._answer)


class Healthcheck(Folder):
    def check(self, answer, *arguments, code, says):
        """Runs it against a responder; returns the request that came."""
        with Responder(answer) as responder:
            env = {"PORT": str(responder.port)}
            words = [word.format(port=responder.port) for word in arguments]
            done = self.run_here("healthcheck", *words, env=env)
            text = done.stdout + done.stderr
            self.assertEqual((done.returncode, len(text.splitlines())), (code, 1), text)
            self.assertIn(says, text)
            return wait_until(lambda: responder.requests, "the request came")[0]

    def test_asks_options_on_the_first_listener(self):
        asked = self.check(b"HTTP/1.1 204 No Content\r\n\r\n", code=0, says="healthy: ")
        self.assertTrue(asked.startswith("OPTIONS * HTTP/1.1\r\nHost: "))

    def test_gets_the_path_of_a_url(self):
        url = "http://localhost:{port}/health?x=1"
        asked = self.check(b"HTTP/1.1 200 OK\r\n\r\n", url, code=0, says="answered 200")
        self.assertTrue(asked.startswith("GET /health?x=1 HTTP/1.1\r\n"))

    def test_other_answers_are_unhealthy(self):
        for status in (199, 302, 404, 503):
            self.check(b"HTTP/1.1 %d x\r\n\r\n" % status, code=1, says="unhealthy: 0.0.0.0:")
        self.check(b"SSH-2.0-OpenSSH_9.2p1\r\n", code=1, says="does not answer in HTTP")
        self.check(b"", code=1, says="does not answer in HTTP")
        self.check(b"HTTP/1.1 2", code=1, says="does not answer in HTTP")
        self.check(b"HTTP/1.1 +20 x\r\n", code=1, says="does not answer in HTTP")

    def test_silence_is_a_time_out(self):
        self.check(None, "--timeout", "50ms", code=1, says="timed out")

    def test_unix_socket(self):
        path = self.path("s")
        with Responder(b"HTTP/1.1 204 x\r\n\r\n", socket.AF_UNIX, path):
            for words, env in (([f"unix:{path}"], None), ([], {"PERILUNE_LISTEN": f"unix:{path}"})):
                done = self.run_here("healthcheck", *words, env=env)
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_nobody_there(self):
        with socket.socket() as reserved:
            reserved.bind(("127.0.0.1", 0))  # bound, not listening: refused
            url = f"http://127.0.0.1:{reserved.getsockname()[1]}"
            self.assert_fails(self.run_here("healthcheck", url), 1, "unhealthy: ", "refused")

    def test_wrong_urls(self):
        for url in ("https://127.0.0.1", "http://example.com", "nonsense", "http://[::1", "unix:"):
            self.assert_fails(self.run_here("healthcheck", url), 1, f"healthcheck {url}: ")
        self.assert_fails(self.run_here("healthcheck", env={"PORT": "0"}), 1, "not fixed")

    def test_a_real_server(self):
        with Server(HELLO, listen=["127.0.0.1:0", "unix"]) as server:
            port, path = server.addresses[0][1], server.addresses[1]
            for url in (f"http://127.0.0.1:{port}", f"unix:{path}"):
                done = self.run_here("healthcheck", url)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn(" answered 204\n", done.stdout)


class Run(Folder):
    def test_ways_to_name_the_app(self):
        self.write("app.lua", HELLO)
        self.write("sub/app", HELLO)
        for words in (["app.lua"], ["run", "app.lua"], ["./sub/app"], ["run"], [], ["-e", HELLO],
                      ["run", "--eval=" + HELLO]):
            with self.subTest(words=words):
                self.assert_serves([*words, "-l", "127.0.0.1:0"])

    def assert_serves(self, words):
        """Starts the binary with these words and asks for one answer."""
        process = subprocess.Popen([BINARY, *words], cwd=self.folder, env=clean_environment(),
                                   stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        try:
            line = next((line for line in process.stderr if "listening on" in line), "")
            port = int(re.search(r"http://127\.0\.0\.1:(\d+)", line).group(1))
            with socket.create_connection(("127.0.0.1", port), TIMEOUT) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                with client.makefile("rb") as answer:
                    self.assertTrue(answer.read().endswith(b"hello"))
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
            process.stderr.close()
            self.assertEqual(process.wait(TIMEOUT), 0)

    def test_missing_app_is_one_line(self):
        done = self.run_here("none.lua", "-l", "127.0.0.1:0")
        self.assert_fails(done, 1, "none.lua")

    def test_wrong_configuration_does_not_start(self):
        self.write("app.lua", HELLO)
        self.assert_fails(self.run_here("run", "-w", "0"), 1, '--workers: workers = "0"')

    def test_too_many_connections_do_not_start(self):
        command = ["prlimit", "--nofile=200:200", BINARY, "-e", HELLO, "-l", "127.0.0.1:0",
                   "--set", "limits.connections=5000"]
        done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True,
                              timeout=TIMEOUT, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("limits.connections", done.stderr)

    def test_check_reports_configuration_and_app(self):
        self.write("app.lua", "return 1 +")
        done = self.run_here("check", "--set", "workers=0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("workers", done.stderr)
        self.assertIn("app.lua:1:", done.stderr)

    def test_check_of_a_good_app(self):
        self.assertEqual(self.run_here("check", "-e", HELLO).returncode, 0)


def can_make_namespaces():
    """Whether this user may create PID namespaces."""
    if not shutil.which("unshare"):
        return False
    done = subprocess.run(["unshare", "-pf", "--mount-proc", "true"], capture_output=True,
                          check=False)
    return done.returncode == 0


@unittest.skipUnless(can_make_namespaces(), "no permission for unshare -pf --mount-proc")
class Pid1(Folder):
    """As the first process of a container."""

    def start(self, *words):
        command = ["unshare", "-pf", "--mount-proc", "--kill-child", BINARY, *words]
        process = subprocess.Popen(command, cwd=self.folder, env=clean_environment(), text=True,
                                   stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(self.stop, process)
        return process

    def stop(self, process):
        process.kill()
        process.communicate(timeout=TIMEOUT)

    def child_of(self, pid):
        path = f"/proc/{pid}/task/{pid}/children"

        def read():
            with open(path, encoding="utf-8") as file:
                return file.read().split()
        return int(wait_until(read, f"{pid} has a child")[0])

    def start_server(self):
        """Returns the unshare process, PID 1 and the server below it, once it listens."""
        process = self.start("-e", HELLO, "-l", "unix:" + self.path("s"))
        wait_until(lambda: "listening on" in process.stderr.readline(), "it listens")
        init = self.child_of(process.pid)
        return process, init, self.child_of(init)

    def test_passes_results_and_status_on(self):
        process = self.start("version")
        self.assertIn("perilune ", process.communicate(timeout=TIMEOUT)[0])
        self.assertEqual(process.returncode, 0)
        process = self.start("confg")
        process.communicate(timeout=TIMEOUT)
        self.assertEqual(process.returncode, 2)

    def test_passes_term_on(self):
        process, init, _ = self.start_server()
        os.kill(init, signal.SIGTERM)
        process.communicate(timeout=TIMEOUT)
        self.assertEqual(process.returncode, 0)

    def test_ends_with_128_and_the_signal(self):
        process, _, server = self.start_server()
        os.kill(server, signal.SIGKILL)
        process.communicate(timeout=TIMEOUT)
        self.assertEqual(process.returncode, 128 + signal.SIGKILL)

    def test_only_pid_1_forks(self):
        with Server(HELLO) as server:
            self.assertEqual(request(server).status, 200)
            with open(f"/proc/{server.process.pid}/task/{server.process.pid}/children",
                      encoding="utf-8") as file:
                self.assertEqual(file.read(), "")


if __name__ == "__main__":
    unittest.main()
