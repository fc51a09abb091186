#!/usr/bin/env python3
# presets: release
"""limits.memory and what the process really uses: resident memory as the kernel counts it.

A sanitizer keeps what was freed, so this is for the release build only.
"""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import Server, format_request, request  # noqa: E402
from memory_test import APP, MIB, PATIENCE, Upload, drive  # noqa: E402

LIMIT = 32 * MIB
SLACK = 16 * MIB  # what malloc keeps between blocks, and the fixed part of connections


def memory_bytes(server, field):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field)) * 1024


class Resident(unittest.TestCase):
    def setUp(self):
        settings = {"limits.memory": "32m", "limits.body": "8m", "limits.request_memory": "16m",
                    "log.access": False}
        self.server = self.enterContext(Server(APP, settings=settings))
        request(self.server)
        self.idle = memory_bytes(self.server, "VmRSS")

    def peak(self):
        return memory_bytes(self.server, "VmHWM") - self.idle

    def test_storms_of_bodies_stay_below_the_ceiling(self):
        for _ in range(3):
            uploads = [Upload(self.server.connect(timeout=PATIENCE), "/keep", 4 * MIB)
                       for _ in range(48)]  # 192 MiB at a time
            drive(uploads)
            statuses = {upload.finish().status for upload in uploads}
            self.assertEqual(statuses, {200, 503})
            for upload in uploads:
                upload.client.close()
        self.assertGreater(self.peak(), LIMIT // 2)  # the measure works
        self.assertLess(self.peak(), 2 * LIMIT)  # each is there twice when Lua gets it

    def test_slow_readers_of_big_answers_stay_below_the_ceiling(self):
        clients = [self.server.connect() for _ in range(24)]  # 300 MiB, were all of it answered
        for client in clients:
            client.send(format_request("GET", "/big"))
            request(self.server)
        self.assertLess(self.peak(), 2 * LIMIT + SLACK)

    def test_announcing_costs_nothing(self):
        uploads = [Upload(self.server.connect(), "/keep", 1001, announced=8 * MIB)
                   for _ in range(300)]
        drive(uploads)
        self.assertLess(self.peak(), 8 * MIB)


if __name__ == "__main__":
    unittest.main()
