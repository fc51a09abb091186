"""What is sent, and the closed loop: client/swarm.c, which decides, or wrk as a cross-check."""

import http.client
import json
import re
import shutil
import socket
import subprocess

from . import process, servers
from .swarm import Measurement, Swarm


class Request:
    """What is sent on a connection, and the body that every server must answer with."""

    def __init__(self, head, expect, depth=1):
        self.one = head.replace("\n", "\r\n").encode()
        self.expect = expect
        self.depth = depth

    def write(self, folder):
        """Writes it, `depth` times, to a file for the clients; returns its path."""
        path = folder / f"{abs(hash(self.one))}-{self.depth}.http"
        path.write_bytes(self.one * self.depth)
        return str(path)

    def check(self, server):
        """Raises Unavailable when the server's answer is not the expected one."""
        try:
            with socket.create_connection(("127.0.0.1", server.port), 5) as connection:
                connection.settimeout(5)
                connection.sendall(self.one)
                response = http.client.HTTPResponse(connection)
                response.begin()
                body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise servers.Unavailable(f"no answer: {error}") from error
        if response.status != 200 or self._value(body) != self.expect:
            raise servers.Unavailable(f"another answer: {response.status} {body[:80]!r}")
        if response.getheader("Content-Length") is None:
            raise servers.Unavailable("an answer without Content-Length")

    def _value(self, body):
        try:
            return body.decode() if isinstance(self.expect, str) else json.loads(body)
        except ValueError:
            return None


def get(path, expect, depth=1):
    return Request(f"GET {path} HTTP/1.1\nHost: 127.0.0.1\n\n", expect, depth)


def closed_loop(bench, server, request, seconds, connections=64):
    """Keeps the connections busy for some seconds. Raises RuntimeError when one is not answered."""
    if bench.use_wrk and connections <= 64:
        return _wrk(bench, server, request, seconds, connections)
    with Swarm(bench, server, request, connections, seconds) as swarm:
        return swarm.measure()


def _wrk(bench, server, request, seconds, connections):
    if not shutil.which("wrk"):
        raise RuntimeError("apt-get install wrk")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency",
               "-s", str(servers.BENCH / "load" / "file.lua"),
               f"http://127.0.0.1:{server.port}/", request.write(bench.scratch)]
    before = server.process.cpu_ns()
    done = subprocess.run(process.pinned(command, process.CLIENT_CORE), capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or "wrk failed")
    return _read_wrk(done.stdout, server.process.cpu_ns() - before)


def _read_wrk(output, cpu_ns):
    answers, took = re.search(r"(\d+) requests in ([\d.]+(?:us|ms|s|m))", output).groups()
    p99 = re.search(r"99%\s+([\d.]+(?:us|ms|s|m))", output).group(1)
    errors = 0
    for failures in re.findall(r"(?:Socket errors|Non-2xx or 3xx responses): (.*)", output):
        errors += sum(int(count) for count in re.findall(r"\d+", failures))
    return Measurement(cpu_ns, int(answers), _seconds(took), _seconds(p99) * 1000, errors)


def _seconds(text):
    for unit, factor in (("us", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    raise ValueError(text)
