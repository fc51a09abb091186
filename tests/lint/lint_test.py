#!/usr/bin/env python3
"""Runs the rules over the repository, and each rule over a bad sample that it must notice."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import rules  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

HEAD = "// A sample.\n"

# What no rule complains about; the bad samples are laid over it.
GOOD = {
    "server/base/mem.c": HEAD + '#include "base/mem.h"\n\nvoid *get(void) { return malloc(1); }\n',
    "server/base/mem.h": HEAD + "#pragma once\n",
    "server/io/loop.c": HEAD + "#include <uv.h>\n\n// malloc(3) is not called here\n",
    "server/http/conn.c": HEAD + '#include "base/mem.h"\n#include "io/loop.h"\n',
    "server/run.sh": "#!/bin/sh\n# A sample.\ntrue\n",
    "lua/examples/01_hello.lua": "-- A sample.\nreturn function(req) return req.path end\n",
    "tests/unit/base/mem_test.c": HEAD + '#include "base/mem.h"\n',
    ".ci/run": "#!/usr/bin/env bash\ntrue\n",
    ".clang-format": "DisableFormat: true\n",
}

# rule -> trees that it must reject: {path: content}
BAD = {
    rules.layers: [
        {"server/base/list.c": HEAD + '#include "io/loop.h"\n'},
        {"server/runtime/task.c": HEAD + '#include "http/conn.h"\n'},
        {"server/http/conn.c": HEAD + '#include "worker/server.h"\n'},
        {"server/io/loop.c": HEAD + '#include "timer.h"\n'},
        {"server/main.c": HEAD + '#include "http/conn.h"\n'},
    ],
    rules.library_headers: [
        {"server/base/list.h": HEAD + "#pragma once\n#include <uv.h>\n"},
        {"server/http/conn.c": HEAD + "#include <uv.h>\n"},
        {"server/io/loop.c": HEAD + "#include <lua.h>\n"},
        {"server/config/units.c": HEAD + "#include <lauxlib.h>\n"},
        {"server/worker/worker.c": HEAD + "#include <llhttp.h>\n"},
    ],
    rules.folder_cycles: [
        {"server/io/a.h": HEAD + '#pragma once\n#include "io/b.h"\n',
         "server/io/b.h": HEAD + '#pragma once\n#include "io/c.h"\n',
         "server/io/c.h": HEAD + '#pragma once\n#include "io/a.h"\n'},
        {"server/io/a.h": HEAD + '#pragma once\n#include "io/b.h"\n',
         "server/io/b.h": HEAD + "#pragma once\n",
         "server/io/b.c": HEAD + '#include "io/b.h"\n#include "io/a.h"\n'},
        {"server/io/a.h": HEAD + "#pragma once\n",
         "server/io/a.c": HEAD + '#include "io/a.h"\n#include "io/b.h"\n',
         "server/io/b.h": HEAD + "#pragma once\n",
         "server/io/b.c": HEAD + '#include "io/b.h"\n#include "io/a.h"\n'},
        {"server/io/a.h": HEAD + "#pragma once\nvoid pl_a(void);\nvoid pl_b(void);\n",
         "server/io/a.c": HEAD + '#include "io/a.h"\n\nvoid pl_a(void) {\n  pl_b();\n}\n',
         "server/io/b.c": HEAD + '#include "io/a.h"\n\nvoid pl_b(void) {\n  pl_a();\n}\n'},
    ],
    rules.one_place: [
        {"server/io/loop.c": HEAD + "void f(void *p) { free(p); }\n"},
        {"server/runtime/task.c": HEAD + "void f(void) { lua_resume(0, 0, 0, 0); }\n"},
        {"server/runtime/sched.c": HEAD + "void f(void) {\n lua_resume(1);\n lua_resume(2);\n}\n"},
        {"server/worker/worker.c": HEAD + "void f(void) { uv_run(0, 0); }\n"},
        {"server/http/conn.c": HEAD + "void f(void) { llhttp_execute(0, 0, 0); }\n"},
        {"server/api/api.c": HEAD + "void f(void) { lua_newstate(0, 0); }\n"},
    ],
    rules.root_layout: [
        {"notes.txt": ""},
        {"server/util/x.c": HEAD},
        {"server/io/deep/x.c": HEAD},
    ],
    rules.pragma_once: [{"server/base/mem.h": HEAD}],
    rules.own_header_first: [
        {"server/base/mem.c": HEAD + '#include <stdlib.h>\n#include "base/mem.h"\n'},
        {"server/base/mem.c": HEAD},
    ],
    rules.unfinished_work: [{"server/base/mem.c": HEAD + "// TO" + "DO: more\n"}],
    rules.typedef_structs: [{"server/base/mem.h": HEAD + "typedef struct x { int y; } x_t;\n"}],
    rules.file_heads: [
        {"server/base/mem.c": '#include "base/mem.h"\n'},
        {"lua/examples/01_hello.lua": "return 1\n"},
        {"server/run.sh": "#!/bin/sh\nset -e\n"},
    ],
    rules.plain_text: [
        {"server/base/mem.c": HEAD + "//" + "x" * 99 + "\n"},
        {"server/base/mem.c": HEAD + "int x; \n"},
        {"server/base/mem.c": HEAD + "\tint x;\n"},
        {"server/base/mem.c": HEAD + "int x;"},
    ],
    rules.unit_tests_mirror: [{"tests/unit/base/none_test.c": HEAD}],
    rules.shell_syntax: [
        {"server/run.sh": "#!/bin/sh\nif true; then\n"},
        {"server/run.sh": "#!/bin/sh\na=(1 2)\n"},
        {".ci/run": "#!/usr/bin/env bash\nfi\n"},
    ],
    rules.lua_syntax: [{"lua/examples/01_hello.lua": "-- x\nreturn function(\n"}],
    rules.lua_check: [{"lua/examples/01_hello.lua": "-- x\nlocal unused = 1\nundeclared = 2\n"}],
    rules.c_format: [{".clang-format": "BasedOnStyle: LLVM\n",
                      "server/base/mem.c": HEAD + "int   x ;\n"}],
}


def needs(rule, test):
    """Skips the test where a tool is missing."""
    is_there, name = rules.NEEDS.get(rule, (lambda: True, ""))
    if not is_there():
        test.skipTest(f"no {name}")


def lay_out(folder, tree):
    for path, content in tree.items():
        full = os.path.join(folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(content)


def problems_of(rule, *trees):
    with tempfile.TemporaryDirectory() as folder:
        for tree in trees:
            lay_out(folder, tree)
        return rule(folder)


class RepositoryTest(unittest.TestCase):
    """One test per rule, made below."""


class RuleTest(unittest.TestCase):
    """One test per rule: it accepts the good tree and rejects each bad one."""

    def test_every_rule_has_a_bad_sample(self):
        self.assertEqual(set(rules.RULES), set(BAD))


def add_tests(rule):
    def keeps_the_rule(self):
        needs(rule, self)
        problems = rule(ROOT)
        if problems:
            self.fail(f"{len(problems)} problems:\n" + "\n".join(problems))

    def notices_bad_samples(self):
        needs(rule, self)
        self.assertEqual(problems_of(rule, GOOD), [])
        for tree in BAD[rule]:
            self.assertNotEqual(problems_of(rule, GOOD, tree), [], tree)

    setattr(RepositoryTest, f"test_repository_keeps_{rule.__name__}", keeps_the_rule)
    setattr(RuleTest, f"test_{rule.__name__}_notices_bad_samples", notices_bad_samples)


for _rule in rules.RULES:
    add_tests(_rule)

if __name__ == "__main__":
    unittest.main()
