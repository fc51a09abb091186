"""P4: 10,000 connections whose handlers all wait, in a closed loop.

Time and CPU are measured with all servers up, as the other rows are. Memory is measured on a fresh
server each time, since one that has served before keeps what it may need again.
"""

from . import load, rows, servers, table
from .servers import HAPROXY, NODE, OPENRESTY, PERILUNE
from .swarm import Swarm

WAIT = load.get("/wait", "done")
WAIT_S = 1
P99_MS = 1100
BYTES = 3584
MEMORY_ROUNDS = 3
ACTIVE_HELLO = "perilune, hello (P12)"


class Waiter(rows.Participant):
    """A server whose handler waits."""

    def __init__(self, kind):
        super().__init__(kind, WAIT, "wait", limits=rows.RAISED, connections=rows.ACTIVE)

    def load(self, bench, server, seconds):
        """The first requests go out over the time of one, so that they do not beat in time."""
        return Swarm(bench, server, WAIT, self.connections, max(seconds, 2 * WAIT_S),
                     opening=rows.HELLO, spread=WAIT_S)

    def measure(self, bench, server, seconds):
        with self.load(bench, server, seconds) as swarm:
            return swarm.measure()

    def waiting_bytes(self, bench):
        """Resident memory of one waiting request and its connection, on a fresh server."""
        server = self.start(bench)
        try:
            # What the server keeps for good is there before the first reading.
            load.closed_loop(bench, server, rows.HELLO, 1)
            before = server.process.pss_bytes()
            with self.load(bench, server, WAIT_S) as swarm:
                swarm.run_load()
                return (server.process.pss_bytes() - before) / self.connections
        finally:
            server.process.stop()


def p4(bench, options):
    waiters = [Waiter(kind) for kind in (PERILUNE, OPENRESTY, HAPROXY, NODE)]
    hello = rows.Participant(PERILUNE, rows.HELLO, limits=rows.RAISED, connections=rows.ACTIVE,
                             label=ACTIVE_HELLO)
    measured, missing = rows.measure_row(
        bench, options, "P4", f"a handler that sleeps {WAIT_S} s, {rows.ACTIVE} connections",
        [*waiters, hello])
    verdicts = [rows.judge("P4", measured, missing, PERILUNE, ACTIVE_HELLO, 2.0),
                rows.judge("P4", measured, missing, PERILUNE, OPENRESTY, 1.0),
                _judge_p99(measured, missing)]
    table.print_verdicts(verdicts)
    return verdicts + _compare_memory(bench, min(options.rounds, MEMORY_ROUNDS), waiters[:2])


def _judge_p99(measured, missing):
    claim = "perilune, p99"
    if PERILUNE in missing:
        return table.Verdict("P4", claim, P99_MS, None, missing[PERILUNE], "ms")
    figures = table.Spread([m.p99_ms for m in measured[PERILUNE]])
    errors = sum(m.errors for m in measured[PERILUNE])
    return table.Verdict("P4", claim, P99_MS, figures, f"{errors} errors" if errors else "", "ms")


def _compare_memory(bench, rounds, waiters):
    table.print_row("P4", f"PSS of one waiting request of {rows.ACTIVE}, its connection included, "
                          "bytes")
    figures, missing = {}, {}
    for waiter in waiters:
        try:
            figures[waiter.label] = [waiter.waiting_bytes(bench) for _ in range(rounds)]
        except (servers.Unavailable, RuntimeError) as reason:
            missing[waiter.label] = str(reason)
            table.print_missing(waiter.label, reason)
        else:
            table.print_figures(waiter.label, figures[waiter.label], 0)
    verdicts = [table.Verdict("P4", "perilune, a waiting request", BYTES,
                              table.Spread(figures[PERILUNE]) if PERILUNE in figures else None,
                              missing.get(PERILUNE, ""), "B"),
                _judge_memory_ratio(figures, missing)]
    table.print_verdicts(verdicts)
    return verdicts


def _judge_memory_ratio(figures, missing):
    claim = "perilune / openresty, memory"
    for side in (PERILUNE, OPENRESTY):
        if side in missing:
            return table.Verdict("P4", claim, 1, None, f"{side}: {missing[side]}")
    return table.Verdict("P4", claim, 1, table.ratios(figures[PERILUNE], figures[OPENRESTY]))
