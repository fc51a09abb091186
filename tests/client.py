"""A raw HTTP/1 client for tests: it sends any bytes, and believes none that it gets.

The response parser is strict: whatever RFC 9110 and 9112 forbid a server to send raises Malformed,
also where a browser would shrug. Use it through harness.py.
"""

import fcntl
import json
import os
import re
import select
import socket
import struct
import termios
import time

TIMEOUT = 10.0  # seconds; bounds a failure, no test waits for it when all is well

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)\Z")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e\x80-\xff \t]*?)[ \t]*\Z")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}\Z")
_IMF_DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3]\d "
                       r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
                       r"[0-2]\d:[0-5]\d:[0-6]\d GMT\Z")
_SINGLE = ("content-length", "content-type", "date", "transfer-encoding", "server", "location")


class Malformed(Exception):
    """The server sent what no HTTP/1.1 server may send."""


class Closed(Exception):
    """The server ended the connection where an answer was expected."""


class Response:
    """One answer. `headers` is a list of (name, value) as sent; `interim` the 1xx before it."""

    def __init__(self, version, status, reason, headers):
        self.version = version
        self.status = status
        self.reason = reason
        self.headers = headers
        self.trailers = []
        self.body = b""
        self.interim = []
        self.is_chunked = False

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name, default=None):
        """All values of the field joined with ", ", or the default."""
        values = self.all(name)
        return ", ".join(values) if values else default

    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()

    @property
    def closes(self):
        """Whether the answer announces the end of the connection."""
        options = [t.strip().lower() for t in self.get("Connection", "").split(",")]
        return "close" in options or (self.version == "HTTP/1.0" and "keep-alive" not in options)

    def __repr__(self):
        return f"<{self.version} {self.status} {self.headers} {self.body[:200]!r}>"


class Client:
    """One connection. `address` is (host, port), or the path of a unix socket."""

    def __init__(self, address, timeout=TIMEOUT):
        self.is_unix = isinstance(address, str)
        family = socket.AF_INET
        if self.is_unix:
            family = socket.AF_UNIX
        elif ":" in address[0]:
            family = socket.AF_INET6
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(address)
        except BaseException:
            self.socket.close()
            raise
        if not self.is_unix:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        self._is_ended = False

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    # -- sending

    def send(self, data):
        """Sends bytes or text (latin-1). A server that has closed is no error here: what it did is
        told by what it answered."""
        if isinstance(data, str):
            data = data.encode("latin-1")
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def send_bytewise(self, data):
        """Sends so that the server reads every byte on its own. On a unix socket only: there the
        kernel tells (SIOCOUTQ) when the other side has read all that was sent."""
        assert self.is_unix, "send_bytewise needs a unix socket"
        is_listening = True
        for piece in _pieces(data):
            self.send(piece)
            is_listening = is_listening and self.wait_until_read()

    def wait_until_read(self):
        """Returns whether the server reads: false when it answered, or has stopped for now."""
        deadline = time.monotonic() + 0.2
        while struct.unpack("i", fcntl.ioctl(self.socket, termios.TIOCOUTQ, b"\0" * 4))[0]:
            if select.select([self.socket], [], [], 0)[0] or time.monotonic() > deadline:
                return False
            os.sched_yield()
        return True

    def half_close(self):
        """Sends a FIN; answers can still be read."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def reset(self):
        """Ends the connection with a RST (TCP)."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self.socket.close()

    # -- receiving

    def read_response(self, method="GET"):
        """The next final answer; the 1xx before it are in its .interim."""
        interim = []
        while True:
            response = self.read_message(method)
            if response.status >= 200:
                response.interim = interim
                return response
            interim.append(response)

    def read_message(self, method="GET"):
        """The next answer, a 1xx too. Raises Closed when the connection ends before its first byte,
        Malformed for everything that breaks HTTP."""
        if not self._buffer and not self._fill():
            raise Closed("the connection ended where an answer was expected")
        match = _STATUS_LINE.match(self._line())
        if not match:
            raise Malformed(f"status line: {self._last_line!r}")
        version = self._last_line[:8].decode()
        response = Response(version, int(match[1]), match[2].decode("latin-1"), self._fields())
        _check_head(response)
        self._read_body(response, method)
        return response

    def read_to_end(self):
        """Everything up to the end of the connection."""
        while self._fill():
            pass
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    def expect_end(self):
        """Asserts that nothing but the end of the connection follows."""
        rest = self.read_to_end()
        if rest:
            raise Malformed(f"bytes behind the last answer: {rest[:300]!r}")

    def request(self, method="GET", path="/", headers=None, body=None):
        """Sends a request (keep-alive) and reads its answer."""
        self.send(format_request(method, path, headers, body))
        return self.read_response(method)

    # -- parsing

    def _fill(self):
        if self._is_ended:
            return False
        data = self.socket.recv(65536)
        self._is_ended = not data
        self._buffer += data
        return bool(data)

    def _take(self, size):
        while len(self._buffer) < size:
            if not self._fill():
                raise Malformed(f"the connection ended within a body: {bytes(self._buffer)!r}")
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _line(self):
        while (end := self._buffer.find(b"\n")) < 0:
            if not self._fill():
                raise Malformed(f"the connection ended within a line: {bytes(self._buffer)!r}")
        line = self._take(end + 1)
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            raise Malformed(f"line end: {line!r}")
        self._last_line = line[:-2]
        return self._last_line

    def _fields(self):
        fields = []
        while line := self._line():
            match = _FIELD.match(line)
            if not match:
                raise Malformed(f"header field: {line!r}")
            fields.append((match[1].decode(), match[2].decode("latin-1")))
        return fields

    def _read_body(self, response, method):
        if method == "HEAD" or response.status < 200 or response.status in (204, 304):
            return
        length = response.get("Content-Length")
        if response.get("Transfer-Encoding"):
            response.is_chunked = True
            response.body = self._chunks()
            response.trailers = self._fields()
        elif length is not None:
            response.body = self._take(int(length))
        elif response.closes:
            response.body = self.read_to_end()
        else:
            raise Malformed(f"an answer without framing that keeps the connection: {response}")

    def _chunks(self):
        body = bytearray()
        while True:
            line = self._line()
            if not _CHUNK_SIZE.match(line):
                raise Malformed(f"chunk size: {line!r}")
            size = int(line, 16)
            if size == 0:
                return bytes(body)
            body += self._take(size)
            if self._take(2) != b"\r\n":
                raise Malformed("no line end behind a chunk")


def _pieces(data):
    """Single bytes; of long data only the first and last 256, and the middle in odd pieces."""
    if len(data) <= 4096:
        return [data[i:i + 1] for i in range(len(data))]
    end = len(data) - 256
    head, tail = _pieces(data[:256]), _pieces(data[end:])
    return head + [data[i:min(i + 997, end)] for i in range(256, end, 997)] + tail


def _check_head(response):
    """What every head of an answer must keep."""
    names = [name.lower() for name, _ in response.headers]
    for name in _SINGLE:
        if names.count(name) > 1:
            raise Malformed(f"{name} is there {names.count(name)} times: {response}")
    length = response.get("Content-Length")
    coding = response.get("Transfer-Encoding")
    if length is not None and not re.fullmatch("[0-9]+", length):
        raise Malformed(f"Content-Length: {response}")
    if coding not in (None, "chunked"):
        raise Malformed(f"Transfer-Encoding: {response}")
    if length is not None and coding:
        raise Malformed(f"Content-Length with Transfer-Encoding: {response}")
    if (response.status < 200 or response.status == 204) and (length is not None or coding):
        raise Malformed(f"framing on a status without a body: {response}")
    if response.status >= 200 and not _IMF_DATE.match(response.get("Date", "")):
        raise Malformed(f"Date is missing or odd: {response}")


def format_request(method="GET", path="/", headers=None, body=None):
    """The bytes of a request. Host and Content-Length are added where they are missing."""
    headers = dict(headers or {})
    names = {name.lower() for name in headers}
    if isinstance(body, str):
        body = body.encode()
    if "host" not in names:
        headers = {"Host": "localhost", **headers}
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        headers["Content-Length"] = len(body)
    lines = [f"{method} {path} HTTP/1.1"] + [f"{name}: {value}" for name, value in headers.items()]
    return "".join(line + "\r\n" for line in lines + [""]).encode("latin-1") + (body or b"")
