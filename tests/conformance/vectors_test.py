#!/usr/bin/env python3
"""Sends the third-party requests of ../shared/vectors/http1 and compares the verdict with the
folder that each is in: valid (the first answer is 2xx) or invalid (it is 4xx or 5xx, or the
connection is closed without one). Each is sent whole and byte by byte. Where the folder is not
there: one skip.

The vectors come from gunicorn's tests. Some depend on settings of its parser, and some may be
served but may as well be refused: REFUSED and SERVED name each with its reason, and for those the
test demands the other verdict, so that no exception outlives its reason.
"""

import fnmatch
import glob
import os
import re
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from harness import ROOT, Closed, Server  # noqa: E402

VECTORS = os.path.join(os.path.dirname(ROOT), "shared", "vectors", "http1")
APP = "return function(req) return req:body() end"

# Rightly refused though valid for gunicorn.
REFUSED = {
    "009": "Transfer-Encoding together with Content-Length (RFC 9112 6.1)",
    "025": "a transfer coding other than chunked",
    "025_line": "a transfer coding other than chunked",
    "028": "white space before the colon (RFC 9112 5.1: MUST be refused); the same bytes are "
           "invalid/020",
    "029": "a transfer coding other than chunked",
    "030": "a transfer coding other than chunked",
    "rfc9112_smuggle_gzip_chunked_01": "a transfer coding other than chunked",
    "rfc9112_smuggle_te_identity_chunked_01": "a transfer coding other than chunked",
    "027": "raw UTF-8 in the target",
    "031": "a method that is none of ours: 501",
    "031compat": "a method that is none of ours: 501",
    "031compat2": "a method that is none of ours: 501",
    "099": "announces a body of 17,914 bytes and has 8,599 of them",
    "rfc9112_target_authority_*": "CONNECT is refused",
    "rfc9112_target_absolute_userinfo_01": "user information in the target (RFC 9110 4.2.4)",
    "compat_obs_fold*": "obs-fold (RFC 9112 5.2)",
    "pp_01": "the PROXY protocol is not spoken",
    "pp_02": "the PROXY protocol is not spoken",
    "pp_04": "the PROXY protocol is not spoken",
    "pp_05": "the PROXY protocol is not spoken",
}
# Served or refused as llhttp's version has it; the verdict only has to be the same both times.
EITHER = {
    "013": "a chunk extension with odd white space",
}
# Rightly served though invalid for gunicorn with the settings of that test.
SERVED = {
    "limit_header_default_01": "within limits.header_bytes",
    "006": "within limits.request_line",
    "007": "within limits.header_bytes",
    "008": "within limits.header_bytes",
    "010": "within limits.header_bytes (gunicorn: a limit of 10 bytes a field)",
    "011": "within limits.header_count (gunicorn: a limit of 2)",
    "012": "within limits.header_bytes (gunicorn: a limit of 98 bytes a field)",
    "017": "within limits.header_bytes",
    "019": "X-Forwarded-Proto is not believed, so it cannot contradict",
    "040": "no CGI, so that Content_Length is a field like any other; the same bytes are valid/040",
    "chunked_07": "no CGI, so that Transfer_Encoding is a field like any other",
}
# Requests that wait for more: the client's FIN ends them.
UNFINISHED = ("invalid/001", "invalid/rfc9112_chunked_missing_final_crlf_01", "valid/099")

_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|([rnt0\\]))")
_SIMPLE = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}


def load(path):
    """The bytes of a vector, with a Host where it has none."""
    with open(path, "rb") as file:
        text = file.read().replace(b"\n", b"")
    data = _ESCAPE.sub(lambda m: bytes([int(m[1], 16)]) if m[1] else _SIMPLE[m[2]], text)
    head = data.partition(b"\r\n\r\n")[0]
    if not re.search(rb"\r\nHost[ \t]*:", head, re.IGNORECASE):
        line, end, rest = data.partition(b"\r\n")
        data = line + end + b"Host: a\r\n" + rest if end else data
    return data


def exception(table, name):
    """The reason why the table has the name, or None."""
    for pattern, reason in table.items():
        if fnmatch.fnmatchcase(name, pattern):
            return reason
    return None


class VectorsTest(unittest.TestCase):
    """Its tests are made below, one for each vector."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(APP, settings={"log.access": False}, listen=("127.0.0.1:0", "unix"))
        cls.server.start()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)

    def is_served(self, data, is_bytewise, is_unfinished):
        with self.server.connect(1 if is_bytewise else 0) as client:
            if is_bytewise:
                client.send_bytewise(data)
            else:
                client.send(data)
            if is_unfinished:
                client.half_close()
            try:
                return client.read_response().status < 400
            except (Closed, ConnectionResetError):
                return False

    def run_vector(self, path):
        name = os.path.basename(path).removesuffix(".http")
        folder = os.path.basename(os.path.dirname(path))
        is_valid = folder == "valid"
        is_unfinished = f"{folder}/{name}" in UNFINISHED
        reason = exception(REFUSED if is_valid else SERVED, name)
        expected = is_valid if reason is None else not is_valid
        data = load(path)
        whole, bytewise = (self.is_served(data, how, is_unfinished) for how in (False, True))
        self.assertEqual(whole, bytewise, f"{path}: whole and byte by byte differ")
        if name not in EITHER:
            self.assertEqual(whole, expected, f"{path}: {reason or 'as its folder says'}")


class NoVectorsTest(unittest.TestCase):
    @unittest.skip("no vectors: ../shared/vectors is not there")
    def test_vectors(self):
        pass


def add_tests():
    """Makes the tests, and leaves the test case that has none out of this module."""
    paths = sorted(glob.glob(os.path.join(VECTORS, "*", "*.http")))
    for path in paths:
        folder, name = path.removesuffix(".http").split(os.sep)[-2:]
        setattr(VectorsTest, f"test_{folder}_{name}", lambda self, path=path: self.run_vector(path))
    del globals()["NoVectorsTest" if paths else "VectorsTest"]


add_tests()

if __name__ == "__main__":
    unittest.main()
