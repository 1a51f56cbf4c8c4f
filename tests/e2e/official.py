"""The official npm client: installs it once into ``.cache/official-client`` and runs it.

Its output goes through files: it loses what a slow reader of a pipe has not taken when it exits.
"""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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


def run_client(program: Path, words: list, home: Path, env: Mapping[str, str] | None = None) -> Result:
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
    with out.open("wb") as stdout, err.open("wb") as stderr:
        done = subprocess.run(
            [str(program), *words],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env={**bare, **(env or {})},
            cwd=home,
            timeout=TIMEOUT_S,
            check=False,
        )
    return Result(out.read_text(errors="replace"), err.read_text(errors="replace"), done.returncode)
