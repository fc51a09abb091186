"""P11: a handler that never ends, beside hello on the same worker.

One connection asks for the hog again as soon as the last one has ended, so that one always runs. A
server that does not answer hello meanwhile leaves the row after the client's patience, 10 seconds.
"""

from . import load, rows, servers, table
from .servers import HAPROXY, NODE, OPENRESTY, PERILUNE
from .swarm import Swarm

HOG = load.get("/hog", None)  # nobody checks its answer: there is none but an error
SLICE_MS, CPU_S = 10, 1
SETTINGS = {"limits.slice": f"{SLICE_MS}ms", "limits.cpu": f"{CPU_S}s"}
CONNECTIONS = 64
SECONDS = 3  # so that hogs end in each round


class Sample:
    """A round on one server: hello alone and beside a hog, and the hogs that it ended."""

    def __init__(self, quiet, hello, hogs):
        self.quiet_ms, self.p99_ms, self.max_ms = quiet.p99_ms, hello.p99_ms, hello.max_ms
        self.errors = quiet.errors() + hello.errors()
        self.ended = hogs.refused + hogs.lost
        self.cut = hogs.lost


def p11(bench, options):
    table.print_row("P11", f"hello on {CONNECTIONS} connections beside a handler that never ends; "
                           "p99, ms")
    print(f"  {'server':<28}{'beside a hog':<30}{'without':>8}{'max':>10}{'hogs ended':>12}"
          f"{'cut':>6}  errors")
    verdict = table.Verdict("P11", "perilune, p99 of hello", 3 * SLICE_MS, None, unit="ms")
    for kind in (PERILUNE, OPENRESTY, HAPROXY, NODE):
        try:
            samples = _measure(bench, options, kind)
        except servers.Unavailable as reason:
            table.print_missing(kind, reason)
            verdict.note = str(reason) if kind == PERILUNE else verdict.note
        except RuntimeError as reason:
            table.print_failed(kind, reason)
            if kind == PERILUNE:
                verdict.fail(str(reason))
        else:
            _print_samples(kind, samples)
            if kind == PERILUNE:
                _judge(verdict, samples)
    table.print_verdicts([verdict])
    return [verdict]


def _measure(bench, options, kind):
    seconds = max(options.seconds, SECONDS)
    server = rows.Participant(kind, rows.HELLO, "hog", limits=SETTINGS).start(bench)
    try:
        return [_measure_round(bench, server, seconds) for _ in range(options.rounds)]
    finally:
        server.process.kill()  # one that hangs would not end in order


def _measure_round(bench, server, seconds):
    with Swarm(bench, server, rows.HELLO, CONNECTIONS, 1) as swarm:
        swarm.run_load()
        quiet, = swarm.read_counts()
    with Swarm(bench, server, rows.HELLO, CONNECTIONS, seconds, opening=rows.HELLO,
               beside=[(HOG, 1)]) as swarm:
        swarm.run_load()
        hello, hogs = swarm.read_counts()
    if hello.unanswered:
        raise RuntimeError(f"{hello.unanswered} of {CONNECTIONS} hellos were never answered")
    return Sample(quiet, hello, hogs)


def _print_samples(kind, samples):
    def middle(name):
        return table.Spread([getattr(s, name) for s in samples]).median

    p99 = table.Spread([s.p99_ms for s in samples]).text(2)
    ended, cut = sum(s.ended for s in samples), sum(s.cut for s in samples)
    errors = sum(s.errors for s in samples)
    print(f"  {kind:<28}{p99:<30}{middle('quiet_ms'):>8.2f}{middle('max_ms'):>10.2f}{ended:>12}"
          f"{cut:>6}{errors:>8}", flush=True)


def _judge(verdict, samples):
    verdict.spread = table.Spread([s.p99_ms for s in samples])
    errors = sum(s.errors for s in samples)
    if errors:
        verdict.note = f"{errors} errors"
    elif any(s.cut for s in samples):
        verdict.note = f"{sum(s.cut for s in samples)} hogs without an answer"
    elif not all(s.ended for s in samples):
        verdict.note = "a round in which no hog was ended"
