#!/usr/bin/env python3
"""lua/examples: each is run, and the commands at its head answer as it says."""

import glob
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import ROOT, Server  # noqa: E402
from transcript import check_commands, find_commands_in_comment  # noqa: E402


class Examples(unittest.TestCase):
    def check(self, name):
        path = os.path.join(ROOT, "lua/examples", name)
        with open(path, encoding="utf-8") as file:
            commands = find_commands_in_comment(file.read())
        self.assertGreater(len(commands), 1, "an example shows how to try it")
        with tempfile.TemporaryDirectory() as uploads:
            with Server(arguments=[path], env={"UPLOADS": uploads}) as server:
                check_commands(self, commands, server)

    def test_01_hello(self):
        self.check("01_hello.lua")

    def test_02_json(self):
        self.check("02_json.lua")

    def test_03_pipeline(self):
        self.check("03_pipeline.lua")

    def test_04_streaming(self):
        self.check("04_streaming.lua")

    def test_05_static(self):
        self.check("05_static.lua")

    def test_06_upload(self):
        self.check("06_upload.lua")

    def test_10_line_of_sight(self):
        self.check("10_line_of_sight.lua")

    def test_11_zones(self):
        self.check("11_zones.lua")

    def test_12_transforms(self):
        self.check("12_transforms.lua")

    def test_20_fan_out(self):
        self.check("20_fan_out.lua")

    def test_21_limits(self):
        self.check("21_limits.lua")

    def test_every_example_is_tested(self):
        names = glob.glob("*.lua", root_dir=os.path.join(ROOT, "lua/examples"))
        missing = [name for name in names if not hasattr(self, "test_" + name.removesuffix(".lua"))]
        self.assertEqual(missing, [])


if __name__ == "__main__":
    unittest.main()
