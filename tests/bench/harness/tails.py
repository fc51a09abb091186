"""P10: what a handler that makes garbage does to the tails of all requests on its worker.

Tails: hello alone, then hello and garbage at once, on the same server with some live data. Stops:
one connection asks for garbage and one for hello beside N suspended tasks. The most that the server
worked for one answer to that hello is an upper bound of the collector's longest step: beside the
step it is one garbage handler; the same without garbage shows the rest.
"""

import http.client

from . import load, rows, servers, table
from .crowd import SETTINGS, Crowd
from .servers import PERILUNE
from .swarm import Swarm

GARBAGE = load.get("/garbage", "done")
CONNECTIONS = 64
LIVE_MB = (5, 46)
CROWDS = (1_000, 10_000, 100_000)
STEP_CROWD, STEP_MS = 1_000, 1
STEP_SECONDS = 3  # enough for a cycle over 100,000 tasks


class Tails:
    """A round: p50 without garbage; p99.9 with it, of hello and of the handler that makes it."""

    def __init__(self, quiet, hello, garbage):
        self.quiet_ms = quiet.p50_ms
        self.p50_ms = hello.p50_ms
        self.hello_ms, self.garbage_ms = hello.p999_ms, garbage.p999_ms
        self.greatest_ms = max(hello.max_ms, garbage.max_ms)
        self.errors = quiet.errors() + hello.errors() + garbage.errors()

    def over_bound(self):
        return max(self.hello_ms, self.garbage_ms) / (2 * self.quiet_ms + 1)


def p10(bench, options):
    verdicts = []
    table.print_row("P10", f"tails: {CONNECTIONS} connections with hello, then half of them with a "
                           "handler that makes 10 KB of garbage; ms")
    print(f"  {'live data':<12}{'p50 without':<30}{'p50 with':>9}   {'p99.9 hello':<30}"
          f"{'p99.9 garbage':<30}{'max':>8}  errors")
    for megabytes in LIVE_MB:
        verdicts.append(_judge_tails(bench, options, megabytes))
    table.print_row("P10", "most work of the server for one hello, beside one connection that "
                           "makes garbage and suspended tasks; ms of CPU")
    print(f"  {'suspended':<12}{'with garbage':<30}{'without':<30}")
    for size in CROWDS:
        verdict = _judge_stops(bench, options, size)
        if size == STEP_CROWD:
            verdicts.append(verdict)
    table.print_verdicts(verdicts)
    return verdicts


def _start(bench):
    server = servers.start(bench, PERILUNE, "garbage", SETTINGS)
    try:
        rows.HELLO.check(server)
        GARBAGE.check(server)
    except servers.Unavailable:
        server.process.stop()
        raise
    return server


def _count(bench, server, seconds, *classes, in_work=False):
    (request, connections), *beside = classes
    with Swarm(bench, server, request, connections, seconds, opening=rows.HELLO, beside=beside,
               in_work=in_work) as swarm:
        swarm.run_load()
        return swarm.read_counts()


def _fill(server, megabytes):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("GET", f"/fill/{megabytes}")
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"/fill/{megabytes}: {answer.status} {answer.read()[:80]!r}")
    except (OSError, http.client.HTTPException) as error:
        raise RuntimeError(f"no answer from /fill/{megabytes}: {error}") from error
    finally:
        connection.close()


def _judge_tails(bench, options, megabytes):
    claim = f"p99.9 / (2 x p50 without + 1 ms), {megabytes} MB live"
    try:
        tails = _measure_tails(bench, options, megabytes)
    except (servers.Unavailable, RuntimeError) as reason:
        table.print_missing(f"{megabytes} MB", reason)
        return table.Verdict("P10", claim, 1, None, str(reason))
    errors = sum(t.errors for t in tails)
    columns = [table.Spread([getattr(t, name) for t in tails])
               for name in ("quiet_ms", "p50_ms", "hello_ms", "garbage_ms", "greatest_ms")]
    quiet, p50, hello, garbage, greatest = columns
    print(f"  {f'{megabytes} MB':<12}{quiet.text(2):<30}{p50.median:>9.2f}   {hello.text(2):<30}"
          f"{garbage.text(2):<30}{greatest.median:>8.2f}{errors:>8}", flush=True)
    return table.Verdict("P10", claim, 1, table.Spread([t.over_bound() for t in tails]),
                         f"{errors} errors" if errors else "")


def _measure_tails(bench, options, megabytes):
    half = CONNECTIONS // 2
    server = _start(bench)
    try:
        _fill(server, megabytes)
        tails = []
        for number in range(-1, options.rounds):  # round -1 warms up
            seconds = options.seconds if number >= 0 else 1
            quiet, = _count(bench, server, seconds, (rows.HELLO, CONNECTIONS))
            hello, garbage = _count(bench, server, seconds, (rows.HELLO, half), (GARBAGE, half))
            if number >= 0:
                tails.append(Tails(quiet, hello, garbage))
        return tails
    finally:
        server.process.stop()


def _judge_stops(bench, options, size):
    claim = f"longest step, {size} tasks suspended"
    try:
        stops, noise = _measure_stops(bench, options, size)
    except (servers.Unavailable, RuntimeError) as reason:
        table.print_missing(str(size), reason)
        return table.Verdict("P10", claim, STEP_MS, None, str(reason), "ms")
    print(f"  {size:<12}{table.Spread(stops).text(2):<30}{table.Spread(noise).text(2):<30}",
          flush=True)
    return table.Verdict("P10", claim, STEP_MS, table.Spread(stops), unit="ms")


def _measure_stops(bench, options, size):
    server = _start(bench)
    seconds = max(options.seconds, STEP_SECONDS)
    try:
        stops, noise = [], []
        with Crowd(server, size):
            for number in range(-1, options.rounds):  # round -1 warms up
                quiet, _ = _count(bench, server, seconds, (rows.HELLO, 1), (rows.HELLO, 1),
                                  in_work=True)
                busy, _ = _count(bench, server, seconds, (rows.HELLO, 1), (GARBAGE, 1),
                                 in_work=True)
                if number >= 0:
                    noise.append(quiet.max_ms)
                    stops.append(busy.max_ms)
        return stops, noise
    finally:
        server.process.kill()
