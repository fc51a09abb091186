"""Builds and runs images with buildah and podman, in a store of their own that is removed again.

The base image debian:bookworm-slim is looked for in this user's normal store, then made with
mmdebstrap (where no registry can be reached) or pulled; it stays there for the next run. All else
lives in a temporary folder: close() leaves no container, image, mount or process behind.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time

BASE = "docker.io/library/debian:bookworm-slim"


class Missing(Exception):
    """What these tests need is not here; the text says what."""


class Failed(AssertionError):
    """A command failed; the text is the command and the end of what it said."""


def call(command, timeout=300, text_input=None):
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False,
                          input=text_input)
    if done.returncode != 0:
        said = (done.stdout + done.stderr)[-3000:]
        raise Failed(f"{' '.join(command)}: exit {done.returncode}\n{said}")
    return done.stdout


def make_base():
    """Makes sure that this user's store holds the base image."""
    if subprocess.run(["podman", "image", "exists", BASE], check=False).returncode == 0:
        return
    if shutil.which("mmdebstrap"):
        with tempfile.TemporaryDirectory(prefix="perilune-base-") as folder:
            archive = os.path.join(folder, "base.tar")
            call(["mmdebstrap", "--variant=minbase", "bookworm", archive])
            call(["podman", "import", archive, BASE])
        return
    try:
        call(["podman", "pull", BASE], timeout=60)
    except (Failed, subprocess.TimeoutExpired) as error:
        raise Missing(f"{BASE} is not there, nor mmdebstrap, nor a registry") from error


class Store:
    """Images and containers of one test run."""

    def __init__(self):
        for program in ("buildah", "podman"):
            if not shutil.which(program):
                raise Missing(f"{program} is not installed")
        make_base()
        self.folder = tempfile.mkdtemp(prefix="perilune-container-")
        base_store = call(["podman", "info", "--format", "{{.Store.GraphRoot}}"]).strip()
        self.options = ["--root", f"{self.folder}/store", "--runroot", f"{self.folder}/run",
                        "--storage-driver", "overlay",
                        "--storage-opt", f"overlay.imagestore={base_store}"]
        self.runtime = ["--runtime", "runc"] if shutil.which("runc") else []

    def close(self):
        self.podman("rm", "--all", "--force", "--time", "0")
        self.podman("image", "unmount", "--all", "--force")
        shutil.rmtree(self.folder, ignore_errors=True)
        if os.path.exists(self.folder):  # rootless: its files belong to this user's other ids
            call(["podman", "unshare", "rm", "-rf", self.folder])

    def podman(self, *arguments, timeout=60):
        return call(["podman", *self.options, *self.runtime, *arguments], timeout)

    def build(self, context, tag, *arguments):
        """Builds the Dockerfile as any Docker would; layers are kept for the next call."""
        call(["buildah", *self.options, "bud", "--format", "docker", "--isolation", "chroot",
              "--pull=never", "--layers", "-f", f"{context}/docker/Dockerfile", "-t", tag,
              *arguments, str(context)], timeout=600)

    def inspect_image(self, tag):
        return json.loads(self.podman("image", "inspect", tag))[0]

    def run(self, image, *command, options=()):
        """Starts a container in the background."""
        # Where the limits of this process are low, podman's own defaults are refused.
        limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000"]
        return Container(self, self.podman(
            "run", "--detach", *limits, *options, image, *command).strip())

    def run_once(self, image, *command, options=()):
        """Runs a container to its end. Returns its exit status and what it logged."""
        container = self.run(image, *command, options=options)
        status = container.wait()
        logs = container.logs()
        container.remove()
        return status, logs


class Container:
    def __init__(self, store, name):
        self.store = store
        self.name = name

    def state(self):
        return json.loads(self.store.podman("container", "inspect", self.name))[0]["State"]

    def address(self, port):
        """The address on this machine that a published port of the container is reached at."""
        host, _, number = self.store.podman("port", self.name, str(port)).strip().rpartition(":")
        return host, int(number)

    def kill(self, signal):
        self.store.podman("kill", "--signal", signal, self.name)

    def wait(self):
        return int(self.store.podman("wait", self.name).strip())

    def logs(self):
        done = subprocess.run(["podman", *self.store.options, "logs", self.name], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout

    def files(self):
        """The names of all files in it."""
        with tempfile.NamedTemporaryFile(suffix=".tar") as archive:
            self.store.podman("export", "--output", archive.name, self.name)
            return set(call(["tar", "-tf", archive.name]).split())

    def read(self, path):
        """The text of one file in it."""
        with tempfile.TemporaryDirectory() as folder:
            target = os.path.join(folder, "file")
            self.store.podman("cp", f"{self.name}:{path}", target)
            with open(target, encoding="utf-8") as file:
                return file.read()

    def remove(self):
        self.store.podman("rm", "--force", "--time", "0", self.name)


def wait_until(condition, what, timeout=20):
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"after {timeout} s still not: {what}")
        time.sleep(0.05)
    return value
