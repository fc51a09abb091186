"""The rows that are no CPU per request: P5 (memory of idle connections) and P13 (start)."""

import socket
import time

from . import load, process, servers, table
from .rows import HELLO, Participant
from .servers import OPENRESTY, PERILUNE
from .swarm import Swarm

IDLE = 8000
EXAMPLE, EXAMPLE_PATH = "lua/examples/01_hello.lua", "/hello/you"


def p5(bench, options):
    table.print_row("P5", f"{IDLE} idle connections after one request each: PSS of one, bytes")
    verdict = table.Verdict("P5", "perilune, a connection", 640, None, unit="B")
    for kind in (PERILUNE, OPENRESTY):
        try:
            figures = [_idle_bytes(bench, kind) for _ in range(options.rounds)]
        except (servers.Unavailable, RuntimeError) as reason:
            table.print_missing(kind, reason)
            if kind == PERILUNE:
                verdict.note = str(reason)
            continue
        table.print_figures(kind, figures, 0)
        if kind == PERILUNE:
            verdict.spread = table.Spread(figures)
    table.print_verdicts([verdict])
    return [verdict]


def _idle_bytes(bench, kind):
    server = Participant(kind, HELLO).start(bench)
    try:
        # What the server keeps for good is there before the first reading.
        load.closed_loop(bench, server, HELLO, 1)
        before = server.process.pss_bytes()
        with Swarm(bench, server, HELLO, IDLE) as clients:
            clients.wait_until_open()
            return (server.process.pss_bytes() - before) / IDLE
    finally:
        server.process.stop()


def p13(bench, options):
    table.print_row("P13", f"process start to first answer, {EXAMPLE}, ms")
    try:
        figures = [_start_ms(bench) for _ in range(options.rounds)]
    except servers.Unavailable as reason:
        table.print_missing(PERILUNE, reason)
        verdict = table.Verdict("P13", "perilune, start", 20, None, str(reason), "ms")
    else:
        verdict = table.Verdict("P13", "perilune, start", 20, table.Spread(figures), unit="ms")
    table.print_verdicts([verdict])
    return [verdict]


def _start_ms(bench):
    port = process.free_port()
    command = servers.perilune_command(bench, servers.ROOT / EXAMPLE, port)
    log_path = bench.log_path("start")
    begin = time.monotonic()
    started = process.Process(command, log_path, servers.clean_env(), is_pinned=False)
    try:
        answer = _first_answer(started, port)
        took_ms = (time.monotonic() - begin) * 1000
    finally:
        started.stop()
    if b" 200 " not in answer.split(b"\r\n", 1)[0]:
        raise servers.Unavailable(f"another answer: {answer[:40]!r}")
    return took_ms


def _first_answer(started, port):
    request = f"GET {EXAMPLE_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.sendall(request)
                return connection.recv(4096)
        except OSError:
            if not started.is_running():
                raise servers.Unavailable(f"it ended: {started.last_words()}") from None
            time.sleep(0.0002)
    raise servers.Unavailable("it does not answer")
