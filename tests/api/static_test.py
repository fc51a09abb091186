#!/usr/bin/env python3
# presets: asan
"""Files: static folders and response.file; conditions, ranges, roots, clients that leave."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Server, format_request, wait_until  # noqa: E402

# AddressSanitizer keeps freed memory: little of it, where memory is measured.
ENVIRONMENT = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"}

APP = r"""
local perilune = require "perilune"
local response = require "perilune.response"
local app = perilune.app()
local kept

app:static("/s", "www")
app:get("/", function() return "hello" end)
app:get("/file/*path", function(req) return response.file(req.params.path, {root = "www"}) end)
app:get("/free", function(req) return response.file(req.query.path) end)
app:get("/download", function()
  return response.file("www/a.txt", {name = "b.txt", type = "text/x"})
end)
app:get("/status", function() return response.file("www/a.txt", {status = 404}) end)
app:get("/own", function()
  return response.file("www/a.txt", {headers = {etag = '"mine"', ["last-modified"] = "never"}})
end)
app:post("/post", function() return response.file("www/a.txt") end)
app:get("/twice", function()
  kept = kept or response.file("www/a.txt")
  return kept
end)
app:get("/no_root", function() return response.file("a.txt", {root = "none"}) end)
return app
"""

CONTENT = b"0123456789"
BIG = os.urandom(3000000)
FILES = {"www/a.txt": CONTENT, "www/empty": b"", "www/big.bin": BIG, "www/sub/index.html": "index",
         "www/bare/x": "x", "secret": "secret", "www/sp ace%.txt": "odd"}


class Static(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(Server(APP, files=FILES, env=ENVIRONMENT))
        self.client = self.server.connect()

    def get(self, path="/s/a.txt", **fields):
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        return self.client.request("GET", path, headers)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.server.process.pid}/fd"))

    # -- whole files

    def test_a_file_has_type_length_and_validators(self):
        answer = self.get()
        self.assertEqual((answer.status, answer.body), (200, CONTENT))
        self.assertEqual(answer.get("content-type"), "text/plain; charset=utf-8")
        self.assertEqual(answer.get("content-length"), "10")
        self.assertEqual(answer.get("accept-ranges"), "bytes")
        self.assertRegex(answer.get("etag"), r'^"[0-9a-f-]+"$')
        self.assertIn("GMT", answer.get("last-modified"))

    def test_large_and_empty_files_arrive_whole(self):
        self.assertEqual(self.get("/s/big.bin").body, BIG)
        self.assertEqual(self.get("/s/empty").body, b"")
        self.assertEqual(self.get("/s/sp%20ace%25.txt").body, b"odd")

    def test_head_has_the_length_and_no_body(self):
        answer = self.client.request("HEAD", "/s/big.bin")
        self.assertEqual((answer.status, answer.get("content-length")), (200, str(len(BIG))))
        self.assertEqual(self.get().body, CONTENT)

    def test_a_changed_file_has_another_etag(self):
        first = self.get().get("etag")
        self.assertEqual(self.get().get("etag"), first)
        os.utime(self.server.path("www/a.txt"), (1, 1000000000))
        answer = self.get()
        self.assertNotEqual(answer.get("etag"), first)
        self.assertEqual(answer.get("last-modified"), "Sun, 09 Sep 2001 01:46:40 GMT")

    def test_options_of_response_file(self):
        answer = self.get("/download")
        self.assertEqual(answer.get("content-type"), "text/x")
        self.assertIn("b.txt", answer.get("content-disposition"))
        answer = self.get("/own")
        self.assertEqual((answer.all("etag"), answer.all("last-modified")), (['"mine"'], ["never"]))
        self.assertEqual(self.get("/own", If_None_Match='"mine"').status, 304)

    # -- conditions and ranges

    def test_conditions(self):
        etag, date = self.get().get("etag"), self.get().get("last-modified")
        before, after = "Sun, 09 Sep 2001 01:46:40 GMT", "Wed, 09 Sep 2099 01:46:40 GMT"
        rows = [
            ({"If-None-Match": etag}, 304),
            ({"If-None-Match": "W/" + etag}, 304),
            ({"If-None-Match": '"x", ' + etag}, 304),
            ({"If-None-Match": "*"}, 304),
            ({"If-None-Match": '"x"'}, 200),
            ({"If-Modified-Since": date}, 304),
            ({"If-Modified-Since": after}, 304),
            ({"If-Modified-Since": before}, 200),
            ({"If-Modified-Since": "nonsense"}, 200),
            ({"If-None-Match": '"x"', "If-Modified-Since": date}, 200),
            ({"If-Match": etag}, 200),
            ({"If-Match": '"x"'}, 412),
            ({"If-Unmodified-Since": before}, 412),
            ({"If-Unmodified-Since": date}, 200),
        ]
        for headers, status in rows:
            answer = self.client.request("GET", "/s/a.txt", headers)
            self.assertEqual(answer.status, status, headers)
            if status == 304:
                self.assertEqual((answer.get("etag"), answer.body), (etag, b""))
                self.assertIsNone(answer.get("content-type"))
                self.assertEqual(self.client.request("HEAD", "/s/a.txt", headers).status, 304)

    def test_ranges(self):
        etag, date = self.get().get("etag"), self.get().get("last-modified")
        rows = [
            ("bytes=0-3", {}, 206, b"0123", "bytes 0-3/10"),
            ("bytes=7-", {}, 206, b"789", "bytes 7-9/10"),
            ("bytes=-2", {}, 206, b"89", "bytes 8-9/10"),
            ("bytes=5-99", {}, 206, b"56789", "bytes 5-9/10"),
            ("bytes=-99", {}, 206, CONTENT, "bytes 0-9/10"),
            ("bytes=10-", {}, 416, None, "bytes */10"),
            ("bytes=-0", {}, 416, None, "bytes */10"),
            ("bytes=3-2", {}, 200, CONTENT, None),
            ("bytes=0-1,3-4", {}, 200, CONTENT, None),
            ("lines=0-1", {}, 200, CONTENT, None),
            ("bytes=0-3", {"If-Range": etag}, 206, b"0123", "bytes 0-3/10"),
            ("bytes=0-3", {"If-Range": "W/" + etag}, 200, CONTENT, None),
            ("bytes=0-3", {"If-Range": '"x"'}, 200, CONTENT, None),
            ("bytes=0-3", {"If-None-Match": etag}, 304, b"", None),
        ]
        for value, headers, status, body, content_range in rows:
            answer = self.client.request("GET", "/s/a.txt", {"Range": value, **headers})
            self.assertEqual((answer.status, answer.get("content-range")), (status, content_range),
                             (value, headers, date))
            if body is not None:
                self.assertEqual(answer.body, body)

    def test_a_range_within_a_large_file(self):
        self.assertEqual(self.get("/s/big.bin", Range="bytes=65530-200000").body, BIG[65530:200001])
        self.assertEqual(self.get("/s/empty", Range="bytes=0-").status, 416)

    def test_conditions_are_for_200_and_get_only(self):
        self.assertEqual(self.get("/status", Range="bytes=0-1", If_None_Match="*").status, 404)
        self.assertEqual(self.get("/status").body, CONTENT)
        answer = self.client.request("POST", "/post", {"If-None-Match": "*", "Range": "bytes=0-1"})
        self.assertEqual((answer.status, answer.body), (200, CONTENT))

    # -- no file

    def test_what_is_no_file_is_404(self):
        os.mkfifo(self.server.path("www/fifo"))
        for name in ("none", "fifo", "a.txt/", "a.txt/x", "bare", "bare/", "x" * 300):
            self.assertEqual(self.get("/s/" + name).status, 404, name)
            self.assertEqual(self.get("/file/" + name).status, 404, name)
        self.assertEqual(self.get("/no_root").status, 404)
        self.assertEqual(self.get("/free?path=a%00b").status, 404)

    def test_nothing_outside_the_root_is_reached(self):
        os.symlink("../secret", self.server.path("www/escape"))
        os.symlink("/etc", self.server.path("www/etc"))
        os.symlink("a.txt", self.server.path("www/inside"))
        for name in ("escape", "etc/passwd", "%2e%2e/secret", "..%2fsecret",
                     "sub/%2e%2e/%2e%2e/secret"):
            for prefix in ("/s/", "/file/"):
                answer = self.get(prefix + name)
                self.assertIn(answer.status, (400, 404), name)
                self.assertNotIn(b"secret", answer.body)
        self.assertIn(self.get("/s/inside").status, (200, 404))  # followed where openat2 is

    def test_a_folder_has_its_index_and_a_slash(self):
        self.assertEqual(self.get("/s/sub/").body, b"index")
        answer = self.get("/s/sub?q=1")
        self.assertEqual((answer.status, answer.get("location")), (308, "/s/sub/?q=1"))

    def test_a_folder_that_is_replaced_is_seen(self):
        os.rename(self.server.path("www"), self.server.path("old"))
        self.server.write("www/a.txt", "new")
        self.assertEqual(self.get().body, b"new")

    def test_a_file_is_sent_once(self):
        self.assertEqual(self.get("/twice").body, CONTENT)
        self.assertEqual(self.get("/twice").status, 500)
        self.server.wait_log("sent or closed already")

    # -- on the way

    def test_descriptors_are_closed_with_the_answer(self):
        self.get()
        before = self.descriptors()
        for _ in range(50):
            for path in ("/s/a.txt", "/s/big.bin", "/s/none"):
                self.get(path)
            self.get(If_None_Match="*")
        wait_until(lambda: self.descriptors() <= before, "no descriptor is left")

    def begin_big(self):
        """A client that has got the head of a large file and reads no further."""
        self.server.write("www/huge", b"x" * 30000000)
        client = self.server.connect()
        client.send(format_request("GET", "/s/huge"))
        client.socket.recv(1000)
        return client

    def resident(self):
        with open(f"/proc/{self.server.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

    def test_a_client_that_does_not_read_costs_bounded_memory_and_one_descriptor(self):
        self.get("/s/big.bin")
        descriptors, memory = self.descriptors(), self.resident()
        client = self.begin_big()
        self.assertEqual(self.get().body, CONTENT)
        self.assertLess(self.resident() - memory, 12000)
        client.close()
        wait_until(lambda: self.descriptors() <= descriptors, "the file is closed")

    def test_a_file_that_shrinks_cuts_the_connection(self):
        client = self.begin_big()
        os.truncate(self.server.path("www/huge"), 1000)
        size = 0
        try:
            while data := client.socket.recv(1 << 20):
                size += len(data)
        except ConnectionResetError:
            pass
        self.assertLess(size, 30000000)
        self.server.wait_log("shorter")
        self.assertEqual(self.get().body, CONTENT)


if __name__ == "__main__":
    unittest.main()
