"""client/swarm.c at work: what it is told, what it counts, and the server's CPU meanwhile."""

import subprocess

from . import process


class Count:
    """One class of connections: what it got in the measured time, and its latencies in ms.

    refused: answers without 200; lost: requests whose connection ended first; unanswered: what had
    no answer when the load had ended and the client's patience too.
    """

    def __init__(self, fields):
        numbers = [int(field) for field in fields]
        self.answers, self.refused, self.lost, self.unanswered = numbers[:4]
        self.p50_ms, self.p99_ms, self.p999_ms, self.max_ms = (us / 1000 for us in numbers[4:])

    def errors(self):
        return self.refused + self.lost + self.unanswered


class Measurement:
    """One load on one server: what it cost and what it brought."""

    def __init__(self, cpu_ns, answers, seconds, p99_ms, errors=0):
        self.errors = errors
        self.cpu_us = cpu_ns / 1000 / answers if answers else float("inf")
        self.rate = answers / seconds
        self.p99_ms = p99_ms


class Swarm:
    """A context manager, so that its connections never outlive it.

    opening: what each connection asks first (as a rule the request itself); spread: seconds over
    which the first requests go out; beside: (request, connections) of further classes; in_work:
    latencies in CPU time of the server's process, for what no other program may disturb.
    """

    def __init__(self, bench, server, request, connections, seconds=None, *, opening=None, spread=0,
                 beside=(), in_work=False):
        self.server = server
        self.seconds = seconds
        command = [bench.program("swarm"), str(server.port),
                   (opening or request).write(bench.scratch)]
        if seconds:
            self.classes = [(request, connections), *beside]
            command += [str(seconds), str(spread), str(server.process.popen.pid if in_work else 0)]
            for wanted, count in self.classes:
                command += [wanted.write(bench.scratch), str(count)]
        else:
            command.append(str(connections))
        self.popen = subprocess.Popen(
            process.pinned(command, process.CLIENT_CORE), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.popen.kill()
        self.popen.communicate()

    def wait_until_open(self):
        self._expect("open")

    def measure(self):
        """The first class as a Measurement. Raises RuntimeError when the server does not answer."""
        cpu_ns = self.run_load()
        count = self.read_counts()[0]
        return Measurement(cpu_ns, count.answers, self.seconds, count.p99_ms, count.errors())

    def run_load(self):
        """Returns, at its end, the CPU time in ns that the server used in the measured time."""
        self._expect("begin")
        before = self.server.process.cpu_ns()
        self._expect("end")
        return self.server.process.cpu_ns() - before

    def read_counts(self):
        """After run_load(): a Count for each class."""
        return [Count(self._expect("class")) for _ in self.classes]

    def _expect(self, word):
        fields = self.popen.stdout.readline().split()
        if not fields or fields[0] != word:
            raise RuntimeError(self.popen.stderr.read().strip() or "swarm ended")
        return fields[1:]
