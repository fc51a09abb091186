"""Commands in documents, run for real: a line "$ curl ..." and below it what it prints.

    $ curl http://127.0.0.1:8080/hello/you
    Hello, you

The documents say 127.0.0.1:8080; the commands are run against a test's own server. In what is
expected, "..." stands for any text; without it JSON is compared as values (the order of an object's
members is nobody's business).
"""

import json
import os
import re
import subprocess

from harness import TIMEOUT, clean_environment

ADDRESS = "127.0.0.1:8080"


def find_commands(text):
    """[(command, expected output)] of the lines of a document; the first without its "$ "."""
    found = []
    for block in re.split(r"^\$ ", text, flags=re.M)[1:]:
        command, _, expected = block.partition("\n")
        while command.endswith("\\"):
            more, _, expected = expected.partition("\n")
            command = command[:-1] + more.strip()
        found.append((command, expected.strip("\n")))
    return found


def find_commands_in_comment(source, marker="--"):
    """The same for the comment at the head of a source file; text is not part of an output."""
    lines = []
    for line in source.split("\n"):
        if not line.startswith(marker):
            break
        line = line[len(marker):]
        indented = line.startswith("   ")
        lines.append(line[3:] if indented else "" if not line else "$ # " + line.strip())
    return [pair for pair in find_commands("\n".join(lines)) if not pair[0].startswith("# ")]


def run_command(command, server):
    """Runs the shell's command in the server's folder; returns what it printed."""
    host, port = server.addresses[0]
    with open(server.path(".curlrc"), "w", encoding="utf-8") as file:
        file.write(f'silent\nshow-error\nnoproxy = "*"\nmax-time = {int(TIMEOUT)}\n')
    done = subprocess.run(["sh", "-c", command.replace(ADDRESS, f"{host}:{port}")],
                          cwd=server.folder, env=clean_environment({"CURL_HOME": server.folder}),
                          capture_output=True, text=True, timeout=2 * TIMEOUT, check=False)
    output = done.stdout.replace(f"{host}:{port}", ADDRESS)
    return output if done.returncode == 0 else output + done.stderr


def is_as_expected(actual, expected):
    """Whether the output is what the document says."""
    actual = actual.replace("\r", "").strip("\n")
    if "..." in expected:
        pattern = ".*".join(re.escape(piece) for piece in expected.split("..."))
        return re.fullmatch(pattern, actual, re.S) is not None
    try:
        return json.loads(actual) == json.loads(expected)
    except ValueError:
        return actual == expected


def check_commands(test, commands, server):
    """Runs them in turn; each is a subtest of `test`."""
    for command, expected in commands:
        with test.subTest(command=command):
            actual = run_command(command, server)
            if not is_as_expected(actual, expected):
                test.fail(f"$ {command}\nexpected: {expected!r}\n  actual: {actual!r}")
