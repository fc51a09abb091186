"""Server processes: started on their core, watched through /proc, ended with all their children.

Every process started here is in a session of its own and in `_running` until it has ended, so that
stop_all() leaves nothing behind whatever ended the run.
"""

import os
import shutil
import signal
import socket
import subprocess
import time

SERVER_CORE, CLIENT_CORE = 0, 1

_running = []


def pinned(command, core):
    """The command bound to a core; as it is where there is only one core, or no taskset."""
    if not can_pin():
        return command
    return ["taskset", "-c", str(core), *command]


def can_pin():
    return len(os.sched_getaffinity(0)) > 1 and shutil.which("taskset") is not None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """One running server: its process and all that this one started."""

    def __init__(self, command, log_path, env=None, is_pinned=True):
        self.log_path = log_path
        if is_pinned:  # by taskset, which takes a millisecond to start
            command = pinned(command, SERVER_CORE)
        with open(log_path, "ab") as log:
            self.popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=log, env=env, start_new_session=True)
        _running.append(self)

    def is_running(self):
        return self.popen.poll() is None

    def pids(self):
        found, todo = [], [self.popen.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            for task in _tasks(pid):
                todo += [int(child) for child in _read(f"{task}/children").split()]
        return found

    def cpu_ns(self):
        """User + system time of all its processes so far."""
        return sum(_cpu_ns(pid) for pid in self.pids())

    def pss_bytes(self):
        """Resident memory, shared pages counted by their share."""
        return sum(_pss_bytes(pid) for pid in self.pids())

    def last_words(self):
        with open(self.log_path, "rb") as log:
            lines = log.read()[-4096:].decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def drop_log(self):
        os.truncate(self.log_path, 0)

    def stop(self):
        """Ends it, by SIGKILL when 3 seconds after SIGTERM it still runs."""
        if self not in _running:
            return
        _signal_group(self.popen.pid, signal.SIGTERM)
        try:
            self.popen.wait(3)
        except subprocess.TimeoutExpired:
            pass
        self.kill()

    def kill(self):
        if self not in _running:
            return
        _signal_group(self.popen.pid, signal.SIGKILL)  # also what outlived its parent
        self.popen.wait()
        _running.remove(self)


def stop_all():
    for process in list(_running):
        process.stop()


def wait_for_port(process, port, seconds=10):
    """Waits until the port answers. Raises RuntimeError when the process ends or time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not process.is_running():
            raise RuntimeError(f"it ended: {process.last_words()}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"it does not answer: {process.last_words()}")


def _signal_group(pid, number):
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass


def _tasks(pid):
    try:
        return [f"/proc/{pid}/task/{tid}" for tid in os.listdir(f"/proc/{pid}/task")]
    except FileNotFoundError:
        return []


def _read(path):
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _cpu_ns(pid):
    # schedstat is utime + stime before it is rounded to ticks of 10 ms.
    times = [_read(f"{task}/schedstat").split() for task in _tasks(pid)]
    if times and all(times):
        return sum(int(fields[0]) for fields in times)
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    if not fields:
        return 0
    return (int(fields[11]) + int(fields[12])) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def _pss_bytes(pid):
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
