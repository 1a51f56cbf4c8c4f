"""The fake's little shell says what a real one would."""

import subprocess

import pytest

from headrace.runtimes.base import Command
from headrace.runtimes.fake_script import Script

SCRIPTS = [
    "echo one   two",
    "echo \"a  $A\" '$A' $A ${A} ${NONE:-none} $NONE.",
    "echo a; false; echo b",
    "set -e\nfalse\necho never",
    "set -e\nfalse || echo rescued\ntrue && echo on\nexit 4",
    "set -e\nfalse && echo never\necho here",
    "B=1\nexport C=two\necho $B$C  # a comment; echo no",
    "echo 'quoted; # not a comment' \"and && this\"",
    "greet() {\n  echo inside\n}\necho after",
    "echo x > file; echo y >> file; cat file",
    "cat absent 2>/dev/null",
    "cd /; pwd",
    "printf 'no newline'",
    "printf '%s-%s\\n' a b",
    "echo -n x; echo y",
    "exit 300",
    ":",
    "",
]


class Recorder:
    def __init__(self):
        self.printed = b""
        self.ignores_term = False

    def print(self, data):
        self.printed += data

    async def sleep(self, seconds):
        self.printed += f"slept {seconds:g}\n".encode()


async def run(script, **environment):
    process = Recorder()
    files = {}
    command = Command(image="alpine", script=script, environment=environment)
    code = await Script(process, command, files).run(script)
    return process, code, files


def run_for_real(script, folder):
    # Word splitting is the one thing that the fake leaves out.
    return subprocess.run(
        ["/bin/sh", "-c", f"IFS=\n{script}"],
        env={"A": "b c", "PATH": "/usr/bin:/bin"},
        cwd=folder,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_agrees_with_a_real_shell(script, tmp_path):
    process, code, _ = await run(script, A="b c")
    real = run_for_real(script, tmp_path)
    assert (process.printed, code) == (real.stdout, real.returncode)


async def test_exports_go_into_the_file_of_the_volume():
    _, code, files = await run("cf_export ONE=1 TWO --mask\ncf_export $TWO", TWO="zwei")
    assert code == 0
    assert files["env_vars_to_export"] == b"--mask ONE=1\n--mask TWO=zwei\n"


async def test_exports_go_into_a_file_of_the_steps_own():
    _, _, files = await run("cf_export A=1", CF_EXPORT_FILE="/codefresh/volume/own/file")
    assert files["own/file"] == b"A=1\n"


async def test_an_unknown_command_is_noted_and_succeeds():
    process, code, _ = await run("npm 'run all'")
    assert code == 0
    assert process.printed == b"(not run in memory: npm 'run all')\n"


async def test_time_passes_by_the_clock_that_was_given():
    assert (await run("sleep 300; echo up"))[0].printed == b"slept 300\nup\n"
