"""The official npm client: installs it once into ``.cache/official-client`` and runs it.

Its output goes through files: it loses what a slow reader of a pipe has not taken when it exits.

with Warm(install()) as program:  # one process for many command lines: a tenth of the time
    assert run_client(program, ["version"], home).code == 0
"""

import fcntl
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

HOME = Path(__file__).resolve().parents[2] / ".cache" / "official-client"
VERSION = "1.2.7"
PACKAGE = {
    "name": "cf12",
    "version": "1.0.0",
    "private": True,
    "dependencies": {"codefresh": VERSION},
    "overrides": {"firebase": "7.24.0"},  # its own is a Git address, which no registry serves
}
TIMEOUT_S = 120
INSTALL_TIMEOUT_S = 600


@dataclass(frozen=True)
class Result:
    """What a command printed and how it ended."""

    stdout: str
    stderr: str
    code: int


def why_not() -> str | None:
    """The reason why the official client cannot be used here; None where it can."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "the official client needs node and npm in PATH"
    return None


def install() -> Path:
    """Install the client unless it is there; return its program."""
    program = HOME / "node_modules" / ".bin" / "codefresh"
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one of several test workers installs, the others wait
        if not program.exists():
            (HOME / "package.json").write_text(json.dumps(PACKAGE))
            npm = shutil.which("npm") or "npm"
            command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=HOME, check=True, capture_output=True, timeout=INSTALL_TIMEOUT_S)
    return program


class Warm:
    """The official client in a process that works through command lines; see ``warm_client.js``.

    A line that takes its process with it is an error; the next one gets a new process.

    Args:
        program: the installed client.
    """

    def __init__(self, program: Path) -> None:
        self.program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def run(self, words: list, home: Path, env: Mapping[str, str]) -> int:
        """Run a command line as `run_client` does; return its exit code."""
        request = {"words": [str(word) for word in words], "env": dict(env), "cwd": str(home)}
        request |= {name: str(home / f"std{name}.txt") for name in ("out", "err")}
        control = self._control or self._start()
        try:
            control.sendall(json.dumps(request).encode() + b"\n")
            answer = control.makefile().readline()
        except OSError as error:
            answer, words = "", [*words, error]
        if not answer:
            self.close()
            raise AssertionError(f"the official client broke off at {words}")
        return int(json.loads(answer)["code"])

    def _start(self) -> socket.socket:
        ours, its = socket.socketpair()
        ours.settimeout(TIMEOUT_S)
        node = shutil.which("node") or "node"
        host = Path(__file__).with_name("warm_client.js")
        with its:
            os.set_inheritable(its.fileno(), True)
            self._process = subprocess.Popen(
                [node, str(host), str(self.program), str(its.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[its.fileno()],
            )
        self._control = ours
        return ours

    def close(self) -> None:
        """End the process; safe twice."""
        if self._process is not None and self._control is not None:
            self._control.close()
            self._process.kill()
            self._process.wait()
        self._process = self._control = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def run_client(program: Path | Warm, words: list, home: Path, env: Mapping[str, str] | None = None) -> Result:
    """Run one command line of any client with a home of its own.

    Args:
        program: the client.
        words: the command line.
        home: folder for its files and its output; one for each scenario.
        env: added to a bare environment.
    """
    home.mkdir(parents=True, exist_ok=True)
    out, err = home / "stdout.txt", home / "stderr.txt"
    bare = {"PATH": os.environ["PATH"], "HOME": str(home), "DEBUG": "", "TZ": "UTC", "LANG": "C.UTF-8"}
    environment = {**bare, **(env or {})}
    with out.open("wb") as stdout, err.open("wb") as stderr:
        if isinstance(program, Warm):
            code = program.run(words, home, environment)
        else:
            code = subprocess.run(
                [str(program), *words],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=environment,
                cwd=home,
                timeout=TIMEOUT_S,
                check=False,
            ).returncode
    return Result(out.read_text(errors="replace"), err.read_text(errors="replace"), code)
