"""Completion in the real shells: what a person has on the line after the key Tab."""

import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import termios
import time

import pytest

from e2e.town import OURS, Cli

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

DEADLINE_S = 60
WORDS = re.compile(r"@(?:<[^>]*>)+@")
# A command `show` that prints its words, completed as `codefresh` is.
SHELLS = {
    "bash": (["--norc", "--noprofile", "-i"], "show() { printf '@'; printf '<%s>' \"$@\"; echo @; }"),
    "zsh": (
        ["-f", "-i"],
        "autoload -Uz compinit; compinit -u -D\nshow() { printf '@'; printf '<%s>' \"$@\"; echo @; }",
    ),
    "fish": (["--no-config", "-i"], "function show; printf '@'; printf '<%s>' $argv; echo @; end"),
}


class Terminal:
    """A shell at a terminal of 200 columns."""

    def __init__(self, words, environment, folder):
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *words],  # a shell that is to wait for keys wants a terminal of its own
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            cwd=folder,
        )
        os.close(theirs)

    def typed(self, keys):
        """Press keys; return the words that `show` then prints."""
        os.write(self._ours, keys.encode())
        seen, end = "", time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            if select.select([self._ours], [], [], 0.1)[0]:
                seen += os.read(self._ours, 65536).decode(errors="replace")
            if found := WORDS.search(seen):
                return re.findall("<([^>]*)>", found[0])
        raise AssertionError(f"{keys!r} printed no words: {seen!r}")

    def close(self):
        self._process.kill()
        self._process.wait()
        os.close(self._ours)


@pytest.fixture(params=SHELLS)
def terminal(request, acme, tmp_path):
    """One of the shells, completion loaded, in an account with a pipeline and two projects."""
    program = shutil.which(request.param)
    if program is None:
        pytest.skip(f"{request.param} is not installed")
    acme.pipeline("ok")
    for name in ("two words", "x$(touch made)"):
        acme.call("POST", "/api/projects", {"projectName": name})
    cli = Cli(OURS, tmp_path, acme.server.url, acme.key())
    words, show = SHELLS[request.param]
    script = cli.ok("completion", request.param, "--alias", "show", "--executable", str(OURS))
    cli.write("setup", f"{show}\n{script}\nshow ready\n")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TERM": "xterm",
        "LANG": "C.UTF-8",
        "CF_API_KEY": cli.key,
        "CF_URL": cli.url,
    }
    opened = Terminal([program, *words], environment, tmp_path)
    assert opened.typed("source ./setup\r") == ["ready"]
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("begun", "words"),
    [
        ("get pipel", ["get", "pipelines"]),
        ("run p/o", ["run", "p/ok"]),
        ("run --det", ["run", "--detach"]),
        ("get builds --output jsonA", ["get", "builds", "--output", "jsonArray"]),
        ("get projects two", ["get", "projects", "two words"]),
    ],
)
def test_the_key_tab_ends_a_word(terminal, begun, words):
    assert terminal.typed(f"show {begun}\t\r") == words


def test_a_name_that_a_shell_could_carry_out_is_only_a_word(terminal, tmp_path):
    assert terminal.typed("show get projects x\t\r") == ["get", "projects", "x$(touch made)"]
    assert not (tmp_path / "made").exists()
