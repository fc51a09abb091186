"""The rules of the tree, each a function root -> ["path:line: what is wrong"].

They look at text, not at compiled code: a rule that needs more than a line's worth of parsing does
not belong here. RULES, at the end, is the list that lint_test.py runs over the repository and,
with bad samples, over a folder of its own.
"""

import os
import re
import shutil
import subprocess

# What a folder of server/ may include besides base/ and itself: the layers, lowest first.
LAYERS = {
    "base": [],
    "config": [],
    "geometry": [],
    "io": [],
    "http": ["io"],
    "runtime": [],
    "structs": ["geometry", "io", "runtime"],
    "api": ["config", "geometry", "io", "http", "runtime", "structs"],
    "worker": ["config", "geometry", "io", "http", "runtime", "structs", "api"],
    "cli": ["config", "worker"],
    "main": ["cli"],
}

# Library headers and the folders or files (without extension) that may include them.
LIBRARY_HEADERS = [
    (re.compile(r"uv(/.*)?\.h"), ["io", "worker"]),
    (re.compile(r"llhttp\.h"), ["http"]),
    (re.compile(r"(lua|lauxlib|lualib|luaconf)\.h"),
     ["runtime", "structs", "api", "config/read", "worker/dispatch", "worker/finish",
      "worker/generation"]),
    (re.compile(r"cglm/.*"), ["geometry"]),
]

# Sources that are one module with another, whose header is the header of all: file -> module.
PARTS = {"http/answer": "http/conn", "http/input": "http/conn", "http/watch": "http/conn",
         "http/body": "http/conn",
         "geometry/builtin": "geometry/layout", "geometry/canonical": "geometry/layout",
         "geometry/compile": "geometry/layout", "geometry/compile_enum": "geometry/layout",
         "geometry/draft": "geometry/layout", "geometry/problem": "geometry/layout"}

# Functions that are called in few files: how often in each, or None: as often as it likes.
ONE_PLACE = {
    "lua_resume": {"runtime/sched.c": 1},
    "lua_newstate": {"runtime/vm.c": 1, "config/read.c": 1},
    "luaL_newstate": {},
    "uv_run": {"io/loop.c": None},
    "llhttp_execute": {"http/parse.c": None},
}
for _function in ("malloc", "calloc", "realloc", "reallocarray", "free", "aligned_alloc",
                  "posix_memalign", "strdup", "strndup", "asprintf", "vasprintf"):
    ONE_PLACE[_function] = {"base/mem.c": None}

ROOT_NAMES = set("""
    CMakeLists.txt CMakePresets.json README.md LICENSE .ci .clang-format .clang-tidy .editorconfig
    .luacheckrc .luarc.json .gitignore .dockerignore server lua config docker tests
""".split())
UNTRACKED_NAMES = {".git", "build"}

SERVER_NAMES = set(LAYERS) - {"main"} | {
    "cmake", "main.c", "CMakeLists.txt", "README.md", "run.sh", "packages.sh"}

# A function or a constant that is not static, where it is defined.
DEFINITION = re.compile(
    r"^(?!static\b|extern\b|typedef\b)[a-zA-Z_][\w *]*?\b(pl_\w+)"
    r"(?:\([^;{}]*\)\s*\{|(?:\[\w*\])*\s*=)", re.M)
USE = re.compile(r"(?<!struct )(?<!enum )\bpl_\w+")  # of such a name; tags are none
INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')


def files(root, *folders, suffixes):
    """Paths relative to root, sorted, of the files below the folders that end so."""
    found = []
    for folder in folders:
        for path, _, names in os.walk(os.path.join(root, folder)):
            found += [os.path.relpath(os.path.join(path, name), root) for name in names
                      if name.endswith(suffixes) and "__pycache__" not in path]
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def numbered(text):
    return enumerate(text.split("\n"), 1)


def code_only(text):
    """C without the text of its comments and strings; lines stay where they are."""
    def blank(match):
        piece = match.group(0)
        if piece.startswith("//"):
            return ""
        if piece.startswith("/*"):
            return "\n" * piece.count("\n")
        return '""'
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def c_files(root):
    return files(root, "server", suffixes=(".c", ".h"))


def folder_of(path):
    parts = path.split("/")
    return parts[1] if len(parts) > 2 else "main"


def includes(root, path):
    """(line, is_project, name) of each #include."""
    for line, text in numbered(read(root, path)):
        match = INCLUDE.match(text)
        if match:
            yield line, match.group(1) == '"', match.group(2)


def layers(root):
    problems = []
    for path in c_files(root):
        own = folder_of(path)
        for line, is_project, name in includes(root, path):
            if not is_project:
                continue
            if "/" not in name:
                problems.append(f'{path}:{line}: write "folder/{name}"')
            elif name.split("/")[0] not in ["base", own, *LAYERS.get(own, [])]:
                problems.append(f"{path}:{line}: {own}/ may not include {name}")
    return problems


def library_headers(root):
    problems = []
    for path in c_files(root):
        unit = os.path.splitext(path)[0][len("server/"):]
        for line, _, name in includes(root, path):
            for pattern, allowed in LIBRARY_HEADERS:
                if pattern.fullmatch(name) and not {folder_of(path), unit} & set(allowed):
                    problems.append(f"{path}:{line}: {name} belongs to {', '.join(allowed)}")
    return problems


def used_modules(root):
    """module -> modules of its folder that it needs: by an include, or by a name that is declared
    in one file's header and defined in another source (such a header would hide the arrow)."""
    sources = {path: code_only(read(root, path)) for path in c_files(root)}
    def module(path):
        unit = os.path.splitext(path)[0].removeprefix("server/")
        return PARTS.get(unit, unit)
    places = {name: module(path) for path, text in sources.items() if path.endswith(".c")
              for name in DEFINITION.findall(text)}
    graph = {module(path): set() for path in sources}
    for path, text in sources.items():
        used = {module(name) for _, is_project, name in includes(root, path)
                if is_project and name.endswith(".h")}
        if path.endswith(".c"):
            used |= {places[name] for name in set(USE.findall(text)) & places.keys()}
        graph[module(path)] |= {unit for unit in used - {module(path)}
                                if unit.split("/")[0] == folder_of(path)}
    return graph


def folder_cycles(root):
    """The modules of one folder depend on each other in one direction only. A module is a .c and
    its .h together, so two sources that call each other are a cycle though their headers are
    none."""
    graph = used_modules(root)
    problems, done = [], set()

    def visit(unit, trail):
        if unit in trail:
            ring = trail[trail.index(unit):] + [unit]
            problems.append(f"server/{unit}: a cycle: {' -> '.join(ring)}")
        elif unit not in done:
            for target in sorted(graph.get(unit, ())):
                visit(target, trail + [unit])
            done.add(unit)

    for unit in sorted(graph):
        visit(unit, [])
    return problems


def one_place(root):
    problems, calls = [], {}
    pattern = re.compile(r"(?<![\w.>])(" + "|".join(ONE_PLACE) + r")\s*\(")
    for path in c_files(root):
        for line, text in numbered(code_only(read(root, path))):
            for match in pattern.finditer(text):
                function, places = match.group(1), ONE_PLACE[match.group(1)]
                call = (path, function)
                calls[call] = calls.get(call, 0) + 1
                most = places.get(path[len("server/"):], 0)
                if most is not None and calls[call] > most:
                    allowed = " and ".join(places) or "no file"
                    problems.append(f"{path}:{line}: {function} belongs to {allowed}, once")
    return problems


def root_layout(root):
    problems = [f"{name}: not a name of the root (house.md 2.1)"
                for name in sorted(set(os.listdir(root)) - ROOT_NAMES - UNTRACKED_NAMES)]
    server = os.path.join(root, "server")
    problems += [f"server/{name}: not a name of server/"
                 for name in sorted(set(os.listdir(server)) - SERVER_NAMES)]
    problems += [f"{path}: deeper than server/<folder>/<file>"
                 for path in c_files(root) if path.count("/") > 2]
    return problems


def pragma_once(root):
    return [f"{path}:1: no #pragma once"
            for path in files(root, "server", "tests", suffixes=(".h",))
            if not re.search(r"^#pragma once$", read(root, path), re.M)]


def own_header_first(root):
    problems = []
    for path in files(root, "server", suffixes=(".c",)):
        header = os.path.splitext(path)[0] + ".h"
        if not os.path.exists(os.path.join(root, header)):
            continue
        line, _, name = next(includes(root, path), (1, False, "nothing"))
        if "server/" + name != header:
            problems.append(f"{path}:{line}: includes {name} before its own header")
    return problems


def unfinished_work(root):
    pattern = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
    suffixes = (".c", ".h", ".def", ".lua", ".py", ".sh", ".txt", ".cmake", ".md", "Dockerfile")
    return [f"{path}:{line}: {text.strip()}"
            for path in files(root, "server", "lua", "config", "docker", "tests", suffixes=suffixes)
            for line, text in numbered(read(root, path)) if pattern.search(text)]


def typedef_structs(root):
    return [f"{path}:{line}: a typedef'd struct: write struct pl_name"
            for path in files(root, "server", "tests", suffixes=(".c", ".h"))
            for line, text in numbered(code_only(read(root, path)))
            if re.search(r"\btypedef\s+(struct|union|enum)\b", text)]


def file_heads(root):
    comment = {".c": ("//", "/*"), ".h": ("//", "/*"), ".def": ("//",), ".lua": ("--",),
               ".sh": ("#",), ".py": ('"""', "#"), ".cmake": ("#",), ".awk": ("#",)}
    problems = []
    for path in files(root, "server", "lua", "config", "tests", suffixes=tuple(comment)):
        lines = [line for line in read(root, path).split("\n") if not line.startswith("#!")]
        if not lines[0].startswith(comment[os.path.splitext(path)[1]]):
            problems.append(f"{path}:1: begins without a comment that says what the file is")
    return problems


def plain_text(root):
    """What clang-format does for C, for everything: widths, tabs, ends of lines."""
    problems = []
    for path in files(root, "server", "lua", "config", "docker", "tests",
                      suffixes=(".c", ".h", ".def", ".lua", ".py", ".sh", ".awk", ".cmake")):
        text = read(root, path)
        for line, content in numbered(text):
            if len(content) > 100:
                problems.append(f"{path}:{line}: {len(content)} columns")
            if content.rstrip() != content or "\t" in content:
                problems.append(f"{path}:{line}: a tab or white space at the end")
        if not text.endswith("\n"):
            problems.append(f"{path}: no newline at the end")
    return problems


def unit_tests_mirror(root):
    """tests/unit/<folder>/<file>_test.c tests server/<folder>/<file>, that in tests/unit/lua
    lua/perilune/<file>.lua."""
    problems = []
    for path in files(root, "tests/unit", suffixes=("_test.c",)):
        unit = path[len("tests/unit/"):-len("_test.c")]
        is_lua = unit.startswith("lua/")
        unit = "lua/perilune" + unit[len("lua"):] if is_lua else "server/" + unit
        endings = (".lua",) if is_lua else (".c", ".h")
        if not any(os.path.exists(os.path.join(root, unit + end)) for end in endings):
            problems.append(f"{path}: there is no {unit}{endings[0]}")
    return problems


def run(root, command, paths):
    """Runs a checker over the files; the lines that it prints when it is not content."""
    if not paths:
        return []
    done = subprocess.run([*command, *paths], cwd=root, capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).strip().split("\n")
    return lines if done.returncode != 0 else []


def shell_syntax(root):
    shells = {"sh": ["dash", "-n"] if shutil.which("dash") else ["sh", "-n"],
              "bash": ["bash", "-n"]}
    problems = []
    for path in [*files(root, "server", "docker", "tests", suffixes=("",)), ".ci/run"]:
        if not os.path.isfile(os.path.join(root, path)) or path.endswith((".py", ".lua")):
            continue
        first = read(root, path).split("\n", 1)[0]
        match = re.fullmatch(r"#!/(?:usr/bin/env |bin/)(sh|bash)", first)
        if match or path.endswith(".sh"):
            problems += run(root, shells[match.group(1) if match else "sh"], [path])
    return problems


def lua_syntax(root):
    problems = []
    for path in files(root, "lua", "config", "tests/api", suffixes=(".lua",)):
        problems += run(root, [luac(), "-p"], [path])
    return problems


def lua_check(root):
    return run(root, ["luacheck", "--no-color", "-q"], files(root, "lua", suffixes=(".lua",)))


def c_format(root):
    paths = files(root, "server", "tests", suffixes=(".c", ".h"))
    output = run(root, [clang_format(), "--dry-run", "-Werror", "--ferror-limit=0"], paths)
    return [line for line in output if ": error:" in line]


def luac():
    return shutil.which("luac5.4") or shutil.which("luac")


def clang_format():
    """A clang-format of version 14, the one the tree was formatted with, or None."""
    for name in ("clang-format-14", "clang-format"):
        path = shutil.which(name)
        if path and " 14." in subprocess.run([path, "--version"], capture_output=True, text=True,
                                             check=False).stdout:
            return path
    return None


# rule -> what must be there to run it: a function that is false when it is missing, and its name
NEEDS = {
    lua_syntax: (luac, "luac5.4"),
    lua_check: (lambda: shutil.which("luacheck"), "luacheck"),
    c_format: (clang_format, "clang-format of version 14"),
}

RULES = [layers, library_headers, folder_cycles, one_place, root_layout, pragma_once,
         own_header_first, unfinished_work, typedef_structs, file_heads, plain_text,
         unit_tests_mirror, shell_syntax, lua_syntax, lua_check, c_format]
