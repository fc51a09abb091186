"""The black-box test harness: starts the real perilune, talks to it, and audits how it ends.

    with Server("return function(req) return 'hi' end", settings={"limits.in_flight": 2}) as server:
        answer = request(server, "GET", "/")           # one connection, one request
        with server.connect() as client:               # raw: any bytes, a strict parser
            client.send("GET / HTTP/1.1\\r\\n\\r\\n")
            assert client.read_response().status == 400
        server.wait_log("some line on stderr")

When the block is left the server gets TERM and has to drain: exit status 0, nothing left over (the
audit line that debug builds log), no sanitizer report. The binary is $PERILUNE_BIN, by default
build/dev/perilune; with PERILUNE_AUDIT=0 (release builds) the audit line may be missing.

Nothing here sleeps to let something happen: wait_log and wait_until wait for a condition, and
TIMEOUT only bounds a failure.
"""

import os
import re
import signal
import subprocess
import tempfile
import threading
import time

from client import TIMEOUT, Client, Closed, Malformed, Response, format_request  # re-exported

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.path.abspath(os.environ.get("PERILUNE_BIN", os.path.join(ROOT, "build/dev/perilune")))
HAS_AUDIT = os.environ.get("PERILUNE_AUDIT", "1") != "0"

_SANITIZER = re.compile(r"(Address|Leak|Thread|UndefinedBehavior)Sanitizer"
                        r"|\.[ch]:\d+:\d+: runtime error")
_AUDIT = re.compile(r"audit: handles=(\d+) tasks=(\d+) results=(\d+)")
_TCP = re.compile(r"http://(\[[0-9a-fA-F:.]+\]|[0-9.]+):([0-9]+)")


class ServerError(AssertionError):
    """The server did not start, stop or clean up as it must; the message ends with its stderr."""


def clean_environment(extra=None):
    """The environment without what would configure a perilune started in it."""
    kept = {key: value for key, value in os.environ.items()
            if key != "PORT" and not (key.startswith("PERILUNE_"))}
    return {**kept, "NO_COLOR": "1", **(extra or {})}


def run(*arguments, timeout=TIMEOUT, cwd=None, env=None, input=None):
    """Runs the binary to its end: the command line's tests. Returns a CompletedProcess (text)."""
    return subprocess.run([BINARY, *arguments], timeout=timeout, cwd=cwd, input=input, text=True,
                          capture_output=True, env=clean_environment(env), check=False)


def request(server, method="GET", path="/", headers=None, body=None):
    """One request on a connection of its own."""
    with server.connect() as client:
        return client.request(method, path, headers, body)


def wait_until(condition, what, timeout=TIMEOUT):
    """Polls until condition() is true and returns its value; fails after the timeout."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"after {timeout} s still not: {what}")
        time.sleep(0.002)
    return value


class Server:
    """A running server.

    app        Lua code, or None: then `arguments` say what runs (["-e", ...], ["app.lua"])
    settings   --set KEY=VALUE for each; log.format=text always
    listen     addresses; "unix" means a socket in the server's folder
    arguments  more of the command line
    files      {relative name: content}: written into the folder beside app.lua
    stderr     a path such as "/dev/full" instead of a pipe: no log, no audit; listen=["unix"] only
    is_read    False: nobody reads the pipe once the server has started, until resume_reading()
    is_audited False: the test makes the server lose its log, and with it the audit line

    folder is a fresh folder and the server's working directory; pid, addresses, process.
    """

    def __init__(self, app=None, settings=None, workers=1, listen=("127.0.0.1:0",), arguments=(),
                 files=None, env=None, stderr=None, is_read=True, is_audited=HAS_AUDIT):
        self._temporary = tempfile.TemporaryDirectory(prefix="perilune-test-")
        self.folder = self._temporary.name
        self.workers = workers
        self._listen = [f"unix:{self.path('s%d.sock' % i)}" if address == "unix" else address
                        for i, address in enumerate(listen)]
        for name, content in {**(files or {}), **({"app.lua": app} if app else {})}.items():
            self.write(name, content)
        self._command = [BINARY, "run", *(["app.lua"] if app else []), "-w", str(workers)]
        for address in self._listen:
            self._command += ["-l", address]
        for key, value in {"log.format": "text", **(settings or {})}.items():
            if isinstance(value, bool):
                value = str(value).lower()
            self._command += ["--set", f"{key}={value}"]
        self._command += arguments
        self._env = clean_environment(env)
        self._stderr_path = stderr
        self._is_audited = is_audited and not stderr
        self._is_killed = False
        self._may_read = threading.Event()
        if is_read:
            self._may_read.set()
        self._log = []
        self._log_changed = threading.Condition()
        self._clients = []
        self.process = None
        self.addresses = []

    # -- life

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, trace):
        try:
            if error is None:
                self.stop()
            else:
                self.kill()
                if hasattr(error, "add_note"):
                    error.add_note(self._tail())
        finally:
            self.kill()
            self._temporary.cleanup()

    def start(self):
        """Starts the server and waits until it listens."""
        stderr = open(self._stderr_path, "wb") if self._stderr_path else subprocess.PIPE
        self.process = subprocess.Popen(self._command, cwd=self.folder, env=self._env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=stderr)
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        if self._stderr_path:
            stderr.close()
            self.addresses = [address.removeprefix("unix:") for address in self._listen]
            wait_until(self.accepts, "the server accepts connections")
        else:
            self._reader.start()
            try:
                self._wait_for_addresses()
            except BaseException:
                self.kill()
                self._temporary.cleanup()
                raise
        return self

    def stop(self, timeout=TIMEOUT):
        """Closes the clients, sends TERM and asserts a clean end."""
        if self._is_killed:
            return
        for client in self._clients:
            client.close()
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        self.wait_exit(0, timeout)
        self._assert_audit()

    def kill(self):
        """SIGKILL: no drain, no audit."""
        self._is_killed = True
        for client in self._clients:
            client.close()
        self._may_read.set()
        if self.process:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
            if self._reader.is_alive():
                self._reader.join(TIMEOUT)
            if self.process.stderr:
                self.process.stderr.close()

    def signal(self, number):
        self.process.send_signal(number)

    def wait_exit(self, status=0, timeout=TIMEOUT):
        """Waits for the end of the process and asserts its exit status and no sanitizer report."""
        try:
            actual = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise ServerError(f"did not end within {timeout} s" + self._tail()) from None
        self._may_read.set()
        if self._reader.is_alive():
            self._reader.join(timeout)
        if actual != status:
            raise ServerError(f"exit status {actual}, expected {status}" + self._tail())
        if _SANITIZER.search(self.log):
            raise ServerError("a sanitizer reported" + self._tail(None))

    def _assert_audit(self):
        """Asserts that every worker ended without handles, tasks and results."""
        counts = _AUDIT.findall(self.log)
        if self._is_audited and len(counts) != self.workers:
            raise ServerError(f"{len(counts)} audit lines of {self.workers} workers" + self._tail())
        if any(int(figure) for line in counts for figure in line):
            raise ServerError("the audit found something left over" + self._tail())

    # -- talking

    def connect(self, index=0, timeout=TIMEOUT):
        """A new connection to the index-th address; closed at the latest when the server stops."""
        client = Client(self.addresses[index], timeout)
        self._clients.append(client)
        return client

    def accepts(self, index=0):
        """Whether the server accepts connections just now."""
        try:
            Client(self.addresses[index]).close()
            return True
        except (ConnectionRefusedError, FileNotFoundError):
            return False

    # -- files

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        """Writes text or bytes to a file of the server's folder."""
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)

    # -- log

    @property
    def log(self):
        """Everything on stderr so far."""
        with self._log_changed:
            return b"".join(self._log).decode(errors="replace")

    def log_lines(self, pattern):
        """The lines of stderr in which the regular expression is found."""
        return [line for line in self.log.splitlines() if re.search(pattern, line)]

    def wait_log(self, pattern, count=1, timeout=TIMEOUT):
        """Waits until `count` lines hold the pattern; returns them."""
        deadline = time.monotonic() + timeout
        with self._log_changed:
            while len(lines := self.log_lines(pattern)) < count:
                left = deadline - time.monotonic()
                if left <= 0 or (self.process.poll() is not None and not self._reader.is_alive()):
                    raise ServerError(f"{len(lines)} of {count} lines {pattern!r}" + self._tail())
                self._log_changed.wait(min(left, 0.2))
            return lines

    def resume_reading(self):
        """Reads stderr again (is_read=False)."""
        self._may_read.set()

    def _read_log(self):
        fd = self.process.stderr.fileno()
        while data := os.read(fd, 65536):
            with self._log_changed:
                self._log.append(data)
                self._log_changed.notify_all()
            if self.addresses or self._find_addresses():
                self._may_read.wait()

    def _find_addresses(self):
        complete = self.log.rpartition("\n")[0]
        found = _TCP.findall(complete)
        unix = [a.removeprefix("unix:") for a in self._listen if a.startswith("unix:")]
        if len(found) + len(unix) < len(self._listen) or "listening on" not in complete:
            return False
        found = [(host.strip("[]"), int(port)) for host, port in found]
        self.addresses = [a.removeprefix("unix:") if a.startswith("unix:") else found.pop(0)
                          for a in self._listen]
        return True

    def _wait_for_addresses(self):
        """Waits for the start line: it names the port that the kernel chose."""
        deadline = time.monotonic() + TIMEOUT
        with self._log_changed:
            while not self.addresses:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise ServerError("it did not start" + self._tail())
                self._log_changed.wait(0.2)

    def _tail(self, count=60):
        lines = self.log.splitlines()
        return "\n--- stderr of the server\n" + "\n".join(lines[-count:] if count else lines)
