"""The rows of performance.md that are measured as CPU per request: P1, P2, P3, P6, P12.

All servers of a row run at once and are loaded in turn, each round in another order, so that what
the machine does meanwhile meets all alike. A verdict is the median of ratios within a round.
"""

from . import load, servers, table
from .servers import (EPOLL, FASTIFY, HAPROXY, NODE, OPENRESTY, PERILUNE, PERILUNE_LOG, UVLLHTTP)

RAISED = {"limits.connections": "12000", "limits.in_flight": "12000"}
ACTIVE = 10000
SLEEPS = 100

HELLO = load.get("/", "Hello, World!")
PIPELINED = load.get("/", "Hello, World!", depth=16)
RESOURCE = load.get("/api/v1/resource500/42/detail", "42")
DEPTHS = (0, 1, 3, 10)
ORDERS = load.Request((servers.BENCH / "load" / "orders.http").read_text(), {
    "user": "4711", "page": "3", "language": "de-CH", "client": "4.2.1",
    "orders": [{"id": 1001, "total": 25.5, "state": "sent"},
               {"id": 1002, "total": 13.75, "state": "paid"},
               {"id": 1003, "total": 99.25, "state": "open"}],
})


class Participant:
    """A server in a row: what to start and what to ask of it."""

    def __init__(self, kind, request, app="hello", label=None, limits=None, connections=64):
        self.kind, self.request, self.app = kind, request, app
        self.label = label or kind
        self.limits, self.connections = limits, connections

    def start(self, bench):
        """Starts it and checks its answer. Raises Unavailable."""
        server = servers.start(bench, self.kind, self.app, self.limits)
        try:
            self.request.check(server)
        except servers.Unavailable:
            server.process.stop()
            raise
        return server

    def measure(self, bench, server, seconds):
        return load.closed_loop(bench, server, self.request, seconds, self.connections)


class Sleeper(Participant):
    """P6: the CPU of one suspension, by SLEEPS of them against none in the same round."""

    def __init__(self, kind, inside="", label=None):
        super().__init__(kind, load.get(f"/sleep/{SLEEPS}{inside}", "done"), "sleep", label)
        self.idle_request = load.get(f"/sleep/0{inside}", "done")

    def measure(self, bench, server, seconds):
        busy = super().measure(bench, server, seconds)
        idle = load.closed_loop(bench, server, self.idle_request, seconds, self.connections)
        busy.cpu_us = (busy.cpu_us - idle.cpu_us) / SLEEPS
        busy.errors += idle.errors
        return busy


def start_all(bench, participants):
    """Returns the servers that run and answer right, by label, and the reasons of the others."""
    running, missing = {}, {}
    for participant in participants:
        try:
            running[participant.label] = participant.start(bench)
        except servers.Unavailable as reason:
            missing[participant.label] = str(reason)
    return running, missing


def measure_rounds(bench, options, running, participants):
    """Measures each server once a round. Returns measurements by label, one per round.

    A server that fails in the middle (it died, it refused connections) leaves the row.
    """
    present = [p for p in participants if p.label in running]
    measured, failed = {p.label: [] for p in present}, {}
    for number in range(-1, options.rounds):  # round -1 warms up
        turn = number % len(present) if present else 0
        for participant in present[turn:] + present[:turn]:
            if participant.label in failed:
                continue
            server = running[participant.label]
            try:
                measurement = participant.measure(
                    bench, server, options.seconds if number >= 0 else 1)
            except (RuntimeError, OSError) as error:
                failed[participant.label] = f"failed under load: {error}"
                continue
            server.process.drop_log()
            if number >= 0:
                measured[participant.label].append(measurement)
    for label in failed:
        del measured[label]
    return measured, failed


def measure_row(bench, options, row, title, participants):
    """One table of CPU per request. Returns measurements and reasons of absence, by label."""
    table.print_row(row, title)
    running, missing = start_all(bench, participants)
    try:
        measured, failed = measure_rounds(bench, options, running, participants)
    finally:
        for server in running.values():
            server.process.stop()
    missing.update(failed)
    table.print_head()
    for participant in participants:
        if participant.label in measured:
            table.print_measurements(participant.label, measured[participant.label])
        else:
            table.print_missing(participant.label, missing[participant.label])
    return measured, missing


def run_row(bench, options, row, title, participants, targets):
    """A table and its verdicts. targets: (label, other label, bound)."""
    measured, missing = measure_row(bench, options, row, title, participants)
    verdicts = [judge(row, measured, missing, *target) for target in targets]
    table.print_verdicts(verdicts)
    return verdicts


def judge(row, measured, missing, label, other, bound):
    claim = f"{label} / {other}"
    for side in (label, other):
        if side in missing:
            return table.Verdict(row, claim, bound, None, f"{side}: {missing[side]}")
    spread = table.ratios([m.cpu_us for m in measured[label]],
                          [m.cpu_us for m in measured[other]])
    errors = sum(m.errors for m in measured[label])
    return table.Verdict(row, claim, bound, spread, f"{errors} errors" if errors else "")


def p1(bench, options):
    kinds = (EPOLL, UVLLHTTP, PERILUNE, PERILUNE_LOG, OPENRESTY, HAPROXY, NODE, FASTIFY)
    return run_row(
        bench, options, "P1", "hello, 64 keep-alive connections",
        [Participant(kind, HELLO) for kind in kinds],
        [(PERILUNE, EPOLL, 1.10), (PERILUNE, OPENRESTY, 0.85)])


def p2(bench, options):
    kinds = (EPOLL, UVLLHTTP, PERILUNE, OPENRESTY, HAPROXY, NODE, FASTIFY)
    return run_row(
        bench, options, "P2", "hello, 16 pipelined requests, 64 keep-alive connections",
        [Participant(kind, PIPELINED) for kind in kinds],
        [(PERILUNE, EPOLL, 2.0), (PERILUNE, OPENRESTY, 0.15)])


def p3(bench, options):
    return run_row(
        bench, options, "P3", "parameter, query and two of 12 headers in, JSON out",
        [Participant(kind, ORDERS, "orders") for kind in (PERILUNE, OPENRESTY, NODE, FASTIFY)],
        [(PERILUNE, OPENRESTY, 0.85), (PERILUNE, NODE, 0.4), (PERILUNE, FASTIFY, 0.4)])


def p6(bench, options):
    title = f"sleep(0): CPU of one suspend + resume ({SLEEPS} in a request; answers/s of those)"
    verdicts = run_row(bench, options, "P6", title,
                       [Sleeper(kind) for kind in (PERILUNE, OPENRESTY)],
                       [(PERILUNE, OPENRESTY, 0.5)])
    _p6_depths(bench, options)
    return verdicts


def _p6_depths(bench, options):
    """For information: the same inside coroutines of the handler's own."""
    sleepers = [Sleeper(PERILUNE, f"/{depth}", f"perilune, {depth} deep") for depth in DEPTHS]
    measured, _ = measure_row(bench, options, "P6", "the same inside nested coroutines", sleepers)
    flat, *nested = [sleeper.label for sleeper in sleepers]
    for label in nested:
        if label in measured and flat in measured:
            table.print_ratio(f"{label} / {flat}", table.ratios(
                [m.cpu_us for m in measured[label]], [m.cpu_us for m in measured[flat]]))


def p12(bench, options):
    kinds = (EPOLL, UVLLHTTP, PERILUNE, OPENRESTY)
    verdicts = run_row(
        bench, options, "P12", f"hello, {ACTIVE} active connections",
        [Participant(kind, HELLO, limits=RAISED, connections=ACTIVE) for kind in kinds],
        [(PERILUNE, EPOLL, 1.10)])
    one, thousand = "perilune, 1 route", "perilune, 1000 routes"
    return verdicts + run_row(
        bench, options, "P12", "1,000 routes against 1, 64 keep-alive connections",
        [Participant(PERILUNE, RESOURCE, app, label)
         for label, app in ((one, "routes_1"), (thousand, "routes_1000"))],
        [(thousand, one, 1.05)])
