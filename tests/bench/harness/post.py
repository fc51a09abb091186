"""A connection that sends large bodies: one request after the other, whole answers read.

client/swarm.c repeats a request of a few bytes; here one is megabytes, and the client's own time is
little beside the server's, whose CPU is what counts.
"""

import socket
import statistics
import time

PATIENCE_S = 120


class Poster:
    """A keep-alive connection. A context manager."""

    def __init__(self, server):
        self.server = server
        self.socket = socket.create_connection(("127.0.0.1", server.port), PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def post(self, path, body, kind, accept="*/*"):
        """Returns status, body. Raises RuntimeError when the answer is none."""
        head = (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
                f"Accept: {accept}\r\nContent-Length: {len(body)}\r\n\r\n")
        try:
            self.socket.sendall(head.encode() + body)
            return self._read_answer()
        except OSError as error:
            raise RuntimeError(f"POST {path}: {error}") from error

    def _read_answer(self):
        got = bytearray()
        while (end := got.find(b"\r\n\r\n")) < 0:
            self._receive_some(got)
        fields = bytes(got[:end]).decode("latin-1").lower().split("\r\n")
        lengths = [line.split(":")[1] for line in fields if line.startswith("content-length:")]
        if not lengths:
            raise RuntimeError(f"an answer without Content-Length: {fields[0]}")
        body = bytearray(int(lengths[0]))
        filled = len(got) - end - 4
        body[:filled] = got[end + 4:]
        view = memoryview(body)
        while filled < len(body):
            count = self.socket.recv_into(view[filled:])
            if not count:
                raise RuntimeError("the connection ended within an answer")
            filled += count
        return int(fields[0].split()[1]), body

    def _receive_some(self, got):
        piece = self.socket.recv(65536)
        if not piece:
            raise RuntimeError("the connection ended before an answer")
        got += piece


class Posts:
    """What some equal requests cost: CPU per request in us, and latencies in ms."""

    def __init__(self, poster, count, *request):
        process = poster.server.process
        self.latencies_ms, before = [], process.cpu_ns()
        for _ in range(count):
            begin = time.monotonic()
            status, _ = poster.post(*request)
            self.latencies_ms.append((time.monotonic() - begin) * 1000)
            if status != 200:
                raise RuntimeError(f"{request[0]}: {status}")
        self.cpu_us = (process.cpu_ns() - before) / 1000 / count


def percentile(samples, share):
    """Of the latencies of all rounds."""
    latencies = sorted(ms for sample in samples for ms in sample.latencies_ms)
    return latencies[min(len(latencies) - 1, int(len(latencies) * share))]


def median_us(samples):
    return statistics.median(sample.cpu_us for sample in samples)
