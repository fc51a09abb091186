"""B1, P8 and B5: verbs on structs called from Lua, in verbs/host.c (built by CMake, linked as the
binary under test is) and, for LuaJIT, verbs/ffi.lua.
"""

import shutil
import statistics
import subprocess

from . import process, servers, table

OURS, TABLES, COPYING, FFI = "ours", "tables", "copying", "ffi"
VERBS = ("construct", "add_new", "add_dst", "add_in_place", "field_read", "field_write", "get",
         "set", "dot", "cross", "normalize", "quat_vec3", "mat4_mat4", "array_at", "array_get",
         "array_each", "array_add", "array_transform")
NEW = ("construct", "add_new")  # these make a vec3; the others make nothing
VEC3_BYTES = 32 + 12
TIMES, COUNTED = 50_000, 10_000
KERNELS = ("transform", "normalize", "dot", "aabb")
PASSES = {"small": 1000, "large": 5}
COUNTS = {"small": 4096, "large": 2_000_000}
TASKS = 50_000


class Host:
    """A process that does verbs when told to. A context manager."""

    def __init__(self, command):
        self.popen = subprocess.Popen(process.pinned(command, process.SERVER_CORE),
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.popen.kill()
        self.popen.communicate()

    def ask(self, *words):
        try:
            self.popen.stdin.write(" ".join(map(str, words)) + "\n")
            self.popen.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.popen.stdout.readline()
        if not line:
            raise RuntimeError(self.popen.stderr.read().strip() or f"{words}: no answer")
        return line.split()

    def time_ns(self, side, verb, times):
        """CPU time of one of so many, the collector's part of it included."""
        return int(self.ask("time", side, verb, times)[0]) / times

    def cost(self, side, verb, times):
        """Blocks and bytes that one asks for."""
        return [int(number) / times for number in self.ask("cost", side, verb, times)]


def start_host(bench):
    """Builds and starts it. Raises Unavailable."""
    folder = bench.perilune.parent
    done = subprocess.run(["cmake", "--build", str(folder), "--target", "bench_verbs"],
                          capture_output=True, text=True, check=False) \
        if shutil.which("cmake") else None
    if done is None or done.returncode != 0:
        raise servers.Unavailable(f"cmake cannot build bench_verbs in {folder}")
    return Host([str(folder / "bench_verbs"), str(servers.BENCH / "verbs")])


# ---- B1 ----

def b1(bench, options):
    table.print_row("B1", "one verb: CPU ns and bytes of perilune's structs, and the time of "
                          "perilune / the other, with the other's bytes")
    try:
        with start_host(bench) as host:
            return _b1(bench, options, host)
    except (servers.Unavailable, RuntimeError) as reason:
        table.print_missing("perilune", reason)
        return [table.Verdict("B1", "bytes of a verb", 0, None, str(reason), "B")]


def _b1(bench, options, host):
    hosts = {OURS: host, TABLES: host, COPYING: host}
    if shutil.which("luajit"):
        hosts[FFI] = Host(["luajit", str(servers.BENCH / "verbs" / "ffi.lua")])
    else:
        table.print_missing("LuaJIT FFI", "apt-get install luajit")
    try:
        return _print_b1(options, hosts)
    finally:
        if FFI in hosts:
            hosts[FFI].__exit__()


def _print_b1(options, hosts):
    names = {TABLES: "tolua#-style tables", COPYING: "xLua-style copies", FFI: "LuaJIT FFI"}
    known = {side: set(host.ask("verbs", side)) for side, host in hosts.items()}
    head = "".join(f"{names[side]:<34}" for side in hosts if side != OURS)
    print(f"  {'verb':<18}{'ns':>8}{'B':>6}   {head}")
    ratios, nothing, new = {}, [], []
    for verb in VERBS:
        sides = [side for side in hosts if verb in known[side]]
        times = _time_verb(options, hosts, sides, verb)
        bytes_of = {side: hosts[side].cost(side, verb, COUNTED)[1] for side in sides}
        (new if verb in NEW else nothing).append(bytes_of[OURS])
        columns = ""
        for side in hosts:
            if side == OURS:
                continue
            if side not in sides:
                columns += f"{'-':<34}"
                continue
            spread = table.ratios(times[OURS], times[side])
            ratios.setdefault(side, []).append(spread.median)
            columns += f"{spread.text(2).strip():<24}{bytes_of[side]:>4.0f} B    "
        print(f"  {verb:<18}{statistics.median(times[OURS]):>8.1f}{bytes_of[OURS]:>6.0f}   "
              f"{columns}", flush=True)
    for side, found in ratios.items():
        table.print_ratio(f"over all verbs: perilune / {names[side]}, median", table.Spread(found))
    verdicts = [table.Verdict("B1", "bytes of a verb that makes nothing, the most", 0,
                              table.Spread([max(nothing)]), unit="B"),
                table.Verdict("B1", "bytes of a vec3 made anew", VEC3_BYTES,
                              table.Spread(new), unit="B")]
    table.print_verdicts(verdicts)
    return verdicts


def _time_verb(options, hosts, sides, verb):
    """ns by side, one for each round; the first side changes."""
    times = {side: [] for side in sides}
    for number in range(options.rounds):
        turn = number % len(sides)
        for side in sides[turn:] + sides[:turn]:
            times[side].append(hosts[side].time_ns(side, verb, TIMES))
    return times


# ---- P8 ----

def p8(bench, options):
    table.print_row("P8", "array kernels called from Lua: ns for each vec3, time / the plain C "
                          "loop's, and / memcpy's of the bytes read and written")
    try:
        with start_host(bench) as host:
            return _p8(options, host)
    except (servers.Unavailable, RuntimeError) as reason:
        table.print_missing("perilune", reason)
        return [table.Verdict("P8", "kernel / plain C loop", 1.25, None, str(reason))]


def _p8(options, host):
    print(f"  {'kernel':<28}{'ns':>8}   {'/ plain C loop':<32}{'/ memcpy':<32}")
    verdicts = []
    for size, count in COUNTS.items():
        for kernel in KERNELS:
            times = _time_kernel(options, host, size, kernel)
            plain = table.ratios(times["kernels"], times["plain"])
            name = f"{kernel}, {count} vec3"
            verdicts.append(table.Verdict("P8", f"{name} / plain C loop", 1.25, plain))
            copied = ""
            if size == "large":
                copy = table.ratios(times["kernels"], times["copy"])
                copied = copy.text(2)
                # The loop in C says whether there is more to it than moving the bytes.
                if table.ratios(times["plain"], times["copy"]).median <= 1.25:
                    verdicts.append(table.Verdict("P8", f"{name} / memcpy (>= 0.8 x)", 1.25, copy))
            each = statistics.median(times["kernels"]) / count
            print(f"  {name:<28}{each:>8.2f}   {plain.text(2):<32}{copied:<32}", flush=True)
    table.print_verdicts(verdicts)
    return verdicts


def _time_kernel(options, host, size, kernel):
    """ns of a pass, by contender, one for each round."""
    contenders = {side: (side, f"{size}_{kernel}") for side in ("kernels", "plain")}
    if size == "large":
        contenders["copy"] = ("plain", f"copy_{kernel}")
    times = {name: [] for name in contenders}
    for number in range(-1, options.rounds):  # round -1 warms up
        names = list(contenders)
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            took = host.time_ns(*contenders[name], PASSES[size])
            if number >= 0:
                times[name].append(took)
    return times


# ---- B5 ----

def b5(bench, options):
    table.print_row("B5", "a task with an empty function, its coroutine from the pool or new")
    claim = "bytes of a task from the pool"
    try:
        with start_host(bench) as host:
            times = {verb: [] for verb in ("pooled", "fresh")}
            for number in range(options.rounds):
                for verb in sorted(times, reverse=number % 2 == 0):
                    times[verb].append(host.time_ns("tasks", verb, TASKS))
            costs = {verb: host.cost("tasks", verb, COUNTED) for verb in times}
    except (servers.Unavailable, RuntimeError) as reason:
        table.print_missing("perilune", reason)
        return [table.Verdict("B5", claim, 0, None, str(reason), "B")]
    for verb, samples in times.items():
        blocks, size = costs[verb]
        print(f"  {verb:<28}{table.Spread(samples).text(0)} ns   {size:.0f} B in {blocks:.1f} "
              "blocks")
    table.print_ratio("CPU, pooled / fresh", table.ratios(times["pooled"], times["fresh"]))
    # What is left is the growth of tables that the first tasks filled: less than a byte for each.
    verdict = table.Verdict("B5", claim, 0, table.Spread([int(costs["pooled"][1])]), unit="B")
    table.print_verdicts([verdict])
    return [verdict]
