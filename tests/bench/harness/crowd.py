"""P9: a million suspended tasks in one worker, and a bare C loop over Lua's threads beside it."""

import http.client
import json
import subprocess

from . import process, rows, servers, table
from .servers import PERILUNE

TASKS = 1_000_000
MEGABYTES = 1500
RATE = 0.6
FLOOR = "bare C loop"
# A worker that may hold them, and what keeps their connection and the request that made them.
SETTINGS = {"limits.memory": "4g", "limits.request_memory": "false",
            "timeouts.request": "false", "timeouts.idle": "false"}
PATIENCE_S = 120


class Crowd:
    """Suspended tasks of one request; they end with its connection. A context manager."""

    def __init__(self, server, size):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
        try:
            self.connection.request("GET", f"/crowd/{size}")
            answer = self.connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            raise RuntimeError(f"no answer from /crowd/{size}: {error}") from error
        if answer.status != 200 or json.loads(body)["suspended"] != size:
            self.connection.close()
            raise RuntimeError(f"/crowd/{size}: {answer.status} {body[:80]!r}")
        figures = json.loads(body)
        self.seconds, self.longest_ms = figures["seconds"], figures["longest"] * 1000

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()


class Sample:
    """A million of them: CPU to suspend all, CPU of the longest turn, memory of the process."""

    def __init__(self, seconds, longest_ms, pss_bytes=None):
        self.seconds, self.longest_ms, self.pss_bytes = seconds, longest_ms, pss_bytes


def p9(bench, options):
    table.print_row("P9", f"{TASKS} suspended tasks in one worker")
    samples, missing = {FLOOR: [], PERILUNE: []}, {}
    for number in range(options.rounds):
        kinds = list(samples)
        for kind in kinds if number % 2 == 0 else kinds[::-1]:
            if kind in missing:
                continue
            try:
                samples[kind].append(_bare_threads(bench) if kind == FLOOR else _tasks(bench))
            except (servers.Unavailable, RuntimeError) as reason:
                missing[kind] = str(reason)
    _print_samples(samples, missing)
    verdicts = [_judge_memory(samples, missing), _judge_time(samples, missing)]
    table.print_verdicts(verdicts)
    return verdicts


def _bare_threads(bench):
    command = process.pinned([bench.program("threads"), str(TASKS)], process.SERVER_CORE)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or "threads failed")
    _, seconds, longest_ms = done.stdout.split()
    return Sample(float(seconds), float(longest_ms))


def _tasks(bench):
    server = rows.Participant(PERILUNE, rows.HELLO, "crowd", limits=SETTINGS).start(bench)
    try:
        with Crowd(server, TASKS) as crowd:
            return Sample(crowd.seconds, crowd.longest_ms, server.process.pss_bytes())
    finally:
        server.process.kill()  # an orderly end of them all is no part of this


def _print_samples(samples, missing):
    print(f"  {'':<28}{'CPU ns for each':<32}{'longest turn, ms':<32}{'PSS, MB':>8}")
    for kind, rounds in samples.items():
        if kind in missing:
            table.print_missing(kind, missing[kind])
            continue
        each = table.Spread([s.seconds * 1e9 / TASKS for s in rounds]).text(0)
        longest = table.Spread([s.longest_ms for s in rounds]).text(1)
        sizes = [s.pss_bytes / 1e6 for s in rounds if s.pss_bytes]
        size = f"{table.Spread(sizes).median:>8.0f}" if sizes else f"{'-':>8}"
        print(f"  {kind:<28}{each:<32}{longest:<32}{size}", flush=True)


def _judge_memory(samples, missing):
    claim = "perilune, resident"
    if PERILUNE in missing:
        return table.Verdict("P9", claim, MEGABYTES, None, missing[PERILUNE], "MB")
    return table.Verdict("P9", claim, MEGABYTES,
                         table.Spread([s.pss_bytes / 1e6 for s in samples[PERILUNE]]), unit="MB")


def _judge_time(samples, missing):
    claim = f"perilune / {FLOOR}, CPU (rate >= {RATE} x)"
    bound = round(1 / RATE, 2)
    for side in samples:
        if side in missing:
            return table.Verdict("P9", claim, bound, None, f"{side}: {missing[side]}")
    return table.Verdict("P9", claim, bound, table.ratios([s.seconds for s in samples[PERILUNE]],
                                                          [s.seconds for s in samples[FLOOR]]))
