#!/usr/bin/env python3
"""The documents for authors: every sample is loaded, and the commands beside an app are tried.

In README.md and lua/README.md a ```lua sample that begins with "-- app.lua" is an app: `perilune
check` has to be content with it, and the ```console samples up to the next app are run against it.
One that begins with "-- other.lua" is a file beside the next app, "-- perilune.conf.lua" a
configuration. All others are fragments, which must compile.
"""

import os
import re
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import ROOT, Server, run  # noqa: E402
from transcript import check_commands, find_commands  # noqa: E402

SAMPLE = re.compile(r"^```(lua|console)\n(.*?)^```$", re.M | re.S)
FILE_NAME = re.compile(r"-- ([\w.]+\.lua)\n")
CONFIGURATION = "perilune.conf.lua"


class Document:
    """apps: [(line, {name: text}, commands)]; fragments, configurations: [(line, text)]."""

    def __init__(self, path):
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            text = file.read()
        self.apps, self.fragments, self.configurations = [], [], []
        self.commands_before_apps = []
        files = {}
        for match in SAMPLE.finditer(text):
            line, sample = text.count("\n", 0, match.start()) + 1, match[2]
            name = FILE_NAME.match(sample)
            if match[1] == "console":
                commands = self.apps[-1][2] if self.apps else self.commands_before_apps
                commands += find_commands(sample)
            elif not name:
                self.fragments.append((line, sample))
            elif name[1] == CONFIGURATION:
                self.configurations.append((line, sample))
            else:
                files[name[1]] = sample
                if name[1] == "app.lua":
                    self.apps.append((line, files, []))
                    files = {}


class Guide(unittest.TestCase):
    path = "lua/README.md"

    @classmethod
    def setUpClass(cls):
        cls.document = Document(cls.path)

    def check(self, *arguments, cwd=None):
        done = run("check", *arguments, cwd=cwd)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_apps_load(self):
        self.assertTrue(self.document.apps)
        for line, files, _ in self.document.apps:
            with self.subTest(line=line), tempfile.TemporaryDirectory() as folder:
                for name, text in files.items():
                    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                        file.write(text)
                self.check("app.lua", cwd=folder)

    def test_commands_answer_as_they_say(self):
        for line, files, commands in self.document.apps:
            self.assertTrue(commands, f"the app of line {line} shows no command")
            with self.subTest(line=line):
                with Server(files=files, arguments=["app.lua"]) as server:
                    check_commands(self, commands, server)

    def test_fragments_compile(self):
        for line, text in self.document.fragments:
            with self.subTest(line=line):
                self.check("-e", f"return function() {text} end")

    def test_configurations_are_valid(self):
        for line, text in self.document.configurations:
            with self.subTest(line=line), tempfile.TemporaryDirectory() as folder:
                with open(os.path.join(folder, CONFIGURATION), "w", encoding="utf-8") as file:
                    file.write(text)
                done = run("config", cwd=folder)
                self.assertEqual((done.returncode, done.stderr), (0, ""), done.stderr)


class Readme(Guide):
    path = "README.md"

    def test_commands_before_the_first_app_are_01_hello(self):
        commands = self.document.commands_before_apps
        self.assertTrue(commands)
        example = os.path.join(ROOT, "lua/examples/01_hello.lua")
        with Server(arguments=[example]) as server:
            check_commands(self, commands, server)


class Tables(unittest.TestCase):
    """The tests that tables name in their last column, "FILE: name, name; FILE: name", are there.
    FILE is a path, or short for tests/unit/FOLDER/FILE_test.c; "all" are all of a file."""

    FOLDERS = {"server/structs/README.md": "structs", "server/runtime/README.md": "runtime"}

    def rows(self, path):
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            tables = re.split(r"\n\n", file.read())
        for table in tables:
            if table.partition("\n")[0].endswith("| test |"):
                for row in table.strip().split("\n")[2:]:
                    yield [cell.strip() for cell in row.strip("|").split(" | ")]

    def names_in(self, place, folder):
        path = place if "/" in place else f"tests/unit/{folder}/{place}_test.c"
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            return set(re.findall(r"\b(?:def|class|void) (\w+)\(", file.read()))

    def test_tests_in_tables_are_there(self):
        for path, folder in self.FOLDERS.items():
            found = 0
            for first, *_, tests in self.rows(path):
                for part in re.sub(r"\([^)]*\)", "", tests).split(";"):
                    place, _, names = part.strip().partition(": ")
                    if place == "-":
                        continue
                    known = self.names_in(place, folder)
                    for name in names.split(","):
                        found += 1
                        with self.subTest(document=path, row=first, test=name.strip()):
                            self.assertIn(name.strip(), known | {"all"})
            self.assertGreater(found, 30)

    def test_every_row_has_its_number(self):
        for path, letter, count in (("server/structs/README.md", "S", 36),
                                    ("server/runtime/README.md", "T", 25)):
            numbers = [row[0] for row in self.rows(path) if re.fullmatch(rf"{letter}\d+", row[0])]
            self.assertEqual(numbers, [f"{letter}{i}" for i in range(1, count + 1)])


class Links(unittest.TestCase):
    def test_documents_point_to_what_is_there(self):
        for path in ("README.md", "server/README.md", "server/structs/README.md",
                     "server/geometry/README.md", "server/runtime/README.md", "lua/README.md",
                     "tests/README.md"):
            with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                text = file.read()
            folder = os.path.dirname(os.path.join(ROOT, path))
            anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
                       for title in re.findall(r"^#+ (.*)$", text, re.M)}
            for target in re.findall(r"\]\(([^)]+)\)", text):
                with self.subTest(document=path, target=target):
                    if target.startswith("#"):
                        self.assertIn(target[1:], anchors)
                    else:
                        path_there = target.partition("#")[0]
                        self.assertTrue(os.path.exists(os.path.join(folder, path_there)))


if __name__ == "__main__":
    unittest.main()
