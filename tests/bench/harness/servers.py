"""The servers that are compared, and how each is built, configured and started.

A server is named by its kind ("perilune", "openresty", ...). start() raises Unavailable with the
reason where something is not installed: the row then goes on without it and says so.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from . import process

BENCH = pathlib.Path(__file__).resolve().parent.parent
ROOT = BENCH.parent.parent

EPOLL, UVLLHTTP = "epoll floor", "uv+llhttp floor"
PERILUNE, PERILUNE_LOG = "perilune", "perilune, access log"
OPENRESTY, HAPROXY, NODE, FASTIFY = "openresty", "haproxy", "node", "fastify"

# What server/CMakeLists.txt and the release preset compile server/geometry with.
GEOMETRY_FLAGS = ["-O3", "-DNDEBUG", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"]

# Debian: the package of each peer, for whoever wants to install it.
PACKAGES = {
    OPENRESTY: "nginx libnginx-mod-http-lua lua-cjson",
    HAPROXY: "haproxy",
    NODE: "nodejs",
    FASTIFY: "nodejs npm",
}


class Unavailable(Exception):
    """This server cannot take part; the text says why."""


class Bench:
    """What all rows share: the scratch folder, the built floors, the binary under test."""

    def __init__(self, perilune, use_npm=True, use_wrk=False):
        self.perilune = perilune
        self.use_wrk = use_wrk
        self.use_npm = use_npm
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="perilune-bench-"))
        self.scratch.chmod(0o755)  # nginx's worker is www-data
        self.build = ROOT / "build" / "bench"
        self.build_errors = {}
        self.serial = 0
        self.known_variables = None

    def close(self):
        process.stop_all()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def build_programs(self):
        """Compiles the floors and the client; what fails is remembered as Unavailable."""
        self.build.mkdir(parents=True, exist_ok=True)
        self._compile("epoll", ["floor/epoll.c"])
        self._compile("swarm", ["client/swarm.c", "client/reader.c"])
        self._compile("rays", ["floor/rays.c"], GEOMETRY_FLAGS + ["-lm"])
        self._compile("threads", ["floor/threads.c"], _lua_flags())
        self._compile("uvllhttp", ["floor/uvllhttp.c"], _llhttp_flags() + ["-luv"])

    def program(self, name):
        if name in self.build_errors:
            raise Unavailable(f"it does not compile: {self.build_errors[name]}")
        return str(self.build / name)

    def _compile(self, name, sources, flags=()):
        compiler = os.environ.get("CC", "cc")
        command = [compiler, "-O2", "-o", str(self.build / name),
                   *[str(BENCH / source) for source in sources], *flags]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            self.build_errors[name] = str(error)
            return
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["no message"]
            self.build_errors[name] = next((line for line in lines if "error" in line), lines[0])

    def log_path(self, kind):
        self.serial += 1
        return self.scratch / f"{self.serial}-{kind.replace(' ', '-')}.log"

    def settings(self, wanted):
        """Environment variables for Perilune from {key: value}: of the keys that it knows."""
        if self.known_variables is None:
            done = subprocess.run([str(self.perilune), "config", "--help"], capture_output=True,
                                  text=True, check=False)
            self.known_variables = set(re.findall(r"\bPERILUNE_[A-Z_]+", done.stdout))
        named = {"PERILUNE_" + key.replace(".", "_").upper(): value
                 for key, value in wanted.items()}
        return {name: value for name, value in named.items() if name in self.known_variables}

    def fastify_modules(self):
        """The node_modules with Fastify 4, installed outside the repo on first use and kept."""
        folder = pathlib.Path(tempfile.gettempdir()) / f"perilune-bench-fastify-{os.getuid()}"
        modules = folder / "node_modules"
        if not (modules / "fastify").is_dir():
            if not self.use_npm or not shutil.which("npm"):
                raise Unavailable("npm is not there" if self.use_npm else "--no-npm")
            _npm_install(folder, "fastify@4")
        return modules


class Server:
    """A started server."""

    def __init__(self, kind, started, port):
        self.kind = kind
        self.process = started
        self.port = port


def start(bench, kind, app="hello", limits=None):
    """Starts a server of this kind with tests/bench/apps/APP.lua (Perilune) or its own config.

    limits: keys of Perilune's configuration with values other than the defaults; the peers' configs
    and the open-file limit are as high for every row.
    """
    port = process.free_port()
    command, env = _command(bench, kind, app, port)
    if kind in (PERILUNE, PERILUNE_LOG):
        env.update(bench.settings(limits or {}))
    started = process.Process(command, bench.log_path(kind), env)
    try:
        process.wait_for_port(started, port)
    except RuntimeError as error:
        started.stop()
        raise Unavailable(str(error)) from error
    return Server(kind, started, port)


def perilune_command(bench, app_path, port):
    if not os.access(bench.perilune, os.X_OK):
        raise Unavailable("not built (--perilune)")
    return [str(bench.perilune), "run", str(app_path), "-l", f"127.0.0.1:{port}", "-w", "1"]


def clean_env():
    """The environment without what would configure a server by accident."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith("PERILUNE_") and name != "PORT"}


def _command(bench, kind, app, port):
    env = clean_env()
    if kind == EPOLL:
        return [bench.program("epoll"), str(port)], env
    if kind == UVLLHTTP:
        return [bench.program("uvllhttp"), str(port)], env
    if kind in (PERILUNE, PERILUNE_LOG):
        env["PERILUNE_LOG_ACCESS"] = "true" if kind == PERILUNE_LOG else "false"
        return perilune_command(bench, BENCH / "apps" / f"{app}.lua", port), env
    if kind == OPENRESTY:
        return _nginx(bench, port), env
    if kind == HAPROXY:
        _require(kind, "haproxy")
        return ["haproxy", "-db", "-f", str(_fill(bench, "haproxy.cfg", port))], env
    if kind == NODE:
        _require(kind, "node")
        return ["node", str(BENCH / "peers" / "node_http.js"), str(port)], env
    if kind == FASTIFY:
        _require(kind, "node")
        env["NODE_PATH"] = str(bench.fastify_modules())
        return ["node", str(BENCH / "peers" / "fastify.js"), str(port)], env
    raise ValueError(kind)


def _nginx(bench, port):
    _require(OPENRESTY, "nginx")
    if not os.path.exists("/usr/lib/nginx/modules/ngx_http_lua_module.so"):
        raise Unavailable(f"apt-get install {PACKAGES[OPENRESTY]}")
    config = _fill(bench, "nginx.conf", port)
    return ["nginx", "-p", str(bench.scratch), "-e", "stderr", "-c", str(config)]


def _require(kind, program):
    if not shutil.which(program):
        raise Unavailable(f"apt-get install {PACKAGES[kind]}")


def _fill(bench, name, port):
    """Writes a peer's config with its @WORDS@ filled in; returns its path."""
    text = (BENCH / "peers" / name).read_text()
    # nginx's worker (www-data) must be able to read the modules: they go beside the config.
    peers = bench.scratch / "peers"
    if not peers.exists():
        shutil.copytree(BENCH / "peers", peers)
    for word, value in (("PORT", port), ("DIR", bench.scratch), ("PEERS", peers)):
        text = text.replace(f"@{word}@", str(value))
    path = bench.scratch / f"{port}-{name}"
    path.write_text(text)
    return path


def _llhttp_flags():
    """libllhttp-dev where there is one, else the sources of Debian 12's node-llhttp."""
    found = subprocess.run(["pkg-config", "--cflags", "--libs", "libllhttp"], capture_output=True,
                           text=True, check=False) if shutil.which("pkg-config") else None
    if found and found.returncode == 0:
        return found.stdout.split()
    sources = [f"/usr/share/llhttp/{name}.c" for name in ("api", "http", "llhttp")]
    return ["-DLLHTTP_STRICT_MODE=1", "-I/usr/share/include/llhttp", *sources]


def _lua_flags():
    """Lua 5.4 from its archive, as the program under test has it."""
    found = subprocess.run(["pkg-config", "--cflags", "lua5.4"], capture_output=True, text=True,
                           check=False) if shutil.which("pkg-config") else None
    cflags = found.stdout.split() if found and found.returncode == 0 else []
    return [*cflags, "-l:liblua5.4.a", "-lm", "-ldl"]


def _npm_install(folder, package):
    folder.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), package]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False,
                              cwd=folder)
    except subprocess.TimeoutExpired as error:
        raise Unavailable("npm install took too long") from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise Unavailable(f"npm install: {lines[0]}")
