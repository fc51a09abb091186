"""P7 and B3: 100,000 rays in a body, packed or as JSON.

P7 tests each against 100 spheres: in one call on the packed body, in Lua on tables from JSON, and
by a plain C loop over the same bytes without a server (floor/rays.c). B3 sends them back as they
came, which leaves reading, handling and writing.
"""

import random
import shutil
import signal
import struct
import subprocess
import time

from . import post, process, servers, table
from .servers import PERILUNE

RAYS = 100_000
PACKED, JSON = "application/octet-stream", "application/json"
FLOOR, TABLES, TYPED = "plain C loop", "perilune, tables from JSON", "perilune, array from JSON"
PASSES = 5  # of requests, or of the loop, in a round; of the tables one request
# A handler that works on tables for seconds may.
SETTINGS = {"limits.cpu": "false", "limits.body": "64m", "limits.memory": "4g",
            "limits.request_memory": "false", "timeouts.request": "false"}
NORMAL_ERROR = 2e-3
PROFILED_S = 2


class Bodies:
    """The rays in all their forms: packed, in JSON flat, in JSON as a ray's own form is."""

    def __init__(self):
        source = random.Random(1)
        numbers = [source.random() - (0 if k % 6 < 3 else 0.5) for k in range(RAYS * 6)]
        self.packed = struct.pack(f"<{len(numbers)}f", *numbers)
        texts = [f"{number:.9g}" for number in struct.unpack(f"<{len(numbers)}f", self.packed)]
        rays = [texts[i:i + 6] for i in range(0, len(texts), 6)]
        self.flat = _join(",".join(ray) for ray in rays)
        self.nested = _join(f"[{','.join(ray[:3])}],[{','.join(ray[3:])}]" for ray in rays)


def _join(texts):
    return ("[" + ",".join(f"[{text}]" for text in texts) + "]").encode()


def p7(bench, options):
    table.print_row("P7", f"{RAYS} rays ({RAYS * 24 / 1e6:.1f} MB) against 100 spheres, hits back "
                          "packed: CPU of one request, ms")
    claims = [(f"{PERILUNE} / {TABLES} (>= 50 x)", PERILUNE, TABLES, 0.02, 3),
              (f"{PERILUNE} / {FLOOR} (>= 0.8 x)", PERILUNE, FLOOR, 1.25, 2)]
    try:
        samples = _measure_p7(bench, options, Bodies())
    except (servers.Unavailable, RuntimeError) as reason:
        table.print_missing(PERILUNE, reason)
        verdicts = [table.Verdict("P7", claim, bound, None, str(reason))
                    for claim, _, _, bound, _ in claims]
    else:
        for kind, figures in samples.items():
            table.print_figures(kind, [us / 1000 for us in figures], 2)
        verdicts = [table.Verdict("P7", claim, bound, table.ratios(samples[a], samples[b]),
                                  digits=digits)
                    for claim, a, b, bound, digits in claims]
    table.print_verdicts(verdicts)
    return verdicts


def _measure_p7(bench, options, bodies):
    """CPU in us by kind, one for each round."""
    bench.program("rays")
    samples = {PERILUNE: [], TABLES: [], FLOOR: []}
    server = servers.start(bench, PERILUNE, "rays", SETTINGS)
    try:
        with post.Poster(server) as poster:
            hits, floor_hits = bench.scratch / "hits", bench.scratch / "floor-hits"
            hits.write_bytes(_checked(poster.post("/packed", bodies.packed, PACKED)))
            measures = {
                PERILUNE: lambda: post.Posts(poster, PASSES, "/packed", bodies.packed,
                                             PACKED).cpu_us,
                TABLES: lambda: post.Posts(poster, 1, "/tables", bodies.flat, JSON).cpu_us,
                FLOOR: lambda: _run_floor(bench, bodies, floor_hits),
            }
            for kind in (PERILUNE, FLOOR):  # warm
                measures[kind]()
            _compare_hits(hits.read_bytes(), floor_hits.read_bytes())
            for number in range(options.rounds):
                kinds = list(measures)
                for kind in kinds if number % 2 == 0 else kinds[::-1]:
                    samples[kind].append(measures[kind]())
    finally:
        server.process.stop()
    return samples


def _checked(answer):
    status, body = answer
    if status != 200:
        raise RuntimeError(f"{status} {bytes(body[:120])!r}")
    return body


def _run_floor(bench, bodies, hits):
    rays = bench.scratch / "rays"
    if not rays.exists():
        rays.write_bytes(bodies.packed)
    command = process.pinned([bench.program("rays"), str(rays), str(hits), str(PASSES)],
                             process.SERVER_CORE)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or "rays failed")
    return float(done.stdout) / 1000


def _compare_hits(ours, floor):
    """Both must have hit the same; a ray that grazes a sphere may differ by the last digit."""
    if len(ours) != len(floor) or len(ours) != RAYS * 32:
        raise RuntimeError(f"{len(ours)} bytes of hits, the C loop has {len(floor)}")
    differing = hit_count = 0
    for a, b in zip(struct.iter_unpack("<3f2I3f", ours), struct.iter_unpack("<3f2I3f", floor)):
        hit_count += b[3] != 0
        same = a[3:5] == b[3:5]
        near = all(abs(x - y) < NORMAL_ERROR for x, y in zip(a[5:], b[5:]))
        differing += not (same and near)
    if not hit_count or differing > RAYS / 1000:
        raise RuntimeError(f"{differing} of {RAYS} hits differ from the C loop's ({hit_count} hit)")


def b3(bench, options):
    table.print_row("B3", f"{RAYS} rays in a POST and back, one connection")
    try:
        samples, bodies = _measure_b3(bench, options, Bodies())
    except (servers.Unavailable, RuntimeError) as reason:
        table.print_missing(PERILUNE, reason)
        return []
    print(f"  {'handler':<28}{'CPU ms/request':<32}{'p50 ms':>9}{'p99 ms':>9}{'MB in':>8}"
          f"{'collector':>11}")
    for kind, (rounds, share) in samples.items():
        spread = table.Spread([sample.cpu_us / 1000 for sample in rounds])
        print(f"  {kind:<28}{spread.text(2):<32}{post.percentile(rounds, 0.5):>9.1f}"
              f"{post.percentile(rounds, 0.99):>9.1f}{bodies[kind] / 1e6:>8.1f}{share:>11}",
              flush=True)
    packed = [sample.cpu_us for sample in samples[PERILUNE][0]]
    for kind in (TABLES, TYPED):
        table.print_ratio(f"{PERILUNE}, packed / {kind}", table.ratios(
            packed, [sample.cpu_us for sample in samples[kind][0]]))
    return []


def _measure_b3(bench, options, bodies):
    requests = {PERILUNE: ("/echo_packed", bodies.packed, PACKED, PACKED),
                TYPED: ("/echo_packed", bodies.nested, JSON, JSON),
                TABLES: ("/echo_tables", bodies.flat, JSON, JSON)}
    samples = {kind: [] for kind in requests}
    server = servers.start(bench, PERILUNE, "rays", SETTINGS)
    try:
        with post.Poster(server) as poster:
            for request in requests.values():
                _checked(poster.post(*request))
            for number in range(options.rounds):
                turn = number % len(requests)
                kinds = list(requests)
                for kind in kinds[turn:] + kinds[:turn]:
                    samples[kind].append(post.Posts(poster, PASSES, *requests[kind]))
            shares = {kind: _collector_share(bench, poster, request)
                      for kind, request in requests.items()}
    finally:
        server.process.stop()
    return ({kind: (rounds, shares[kind]) for kind, rounds in samples.items()},
            {kind: len(request[1]) for kind, request in requests.items()})


# Lua's collector, by the functions that do its work; our own step calls these.
COLLECTOR = ("propagatemark", "reallymarkobject", "sweep", "luaC_", "singlestep", "atomic",
             "traverse", "freeobj", "clearby", "convergeephemerons", "GCTM", "luaH_free",
             "genstep", "incstep", "markmt", "youngcollection")


def _collector_share(bench, poster, request):
    """The collector's part of the server's CPU, by perf; "-" where that cannot look."""
    if not shutil.which("perf"):
        return "no perf"
    data = bench.scratch / "perf.data"
    command = ["perf", "record", "-q", "-F", "2000", "-o", str(data), "-p",
               str(poster.server.process.popen.pid)]
    recorder = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PROFILED_S
        while time.monotonic() < deadline:
            post.Posts(poster, PASSES, *request)
    finally:
        recorder.send_signal(signal.SIGINT)
        recorder.wait()
    done = subprocess.run(["perf", "report", "-i", str(data), "--stdio", "--sort", "symbol",
                           "-F", "overhead,symbol"], capture_output=True, text=True, check=False)
    total = collector = 0.0
    for line in done.stdout.splitlines():
        fields = line.split()  # "1.03%", "[.]", the symbol, and what some versions add
        if len(fields) < 3 or not fields[0].endswith("%"):
            continue
        share = float(fields[0].rstrip("%"))
        total += share
        if fields[2].startswith(COLLECTOR):
            collector += share
    return f"{collector / total:.0%}" if total else "-"
