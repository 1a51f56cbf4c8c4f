"""The lines at the foot of a terminal: a line for each step, below text that stays as it is."""

import contextlib
import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.cli.board import MOST_LINES, Board, Step, lines_of


class Terminal(io.StringIO):
    """What a terminal shows in the end, by the two movements that a board makes."""

    def shown(self):
        lines = [""]
        for piece in re.split(r"(\x1b\[\d+A\r\x1b\[J|\x1b\[\d*m|\n)", self.getvalue()):
            if piece == "\n":
                lines.append("")
            elif found := re.fullmatch(r"\x1b\[(\d+)A\r\x1b\[J", piece):
                del lines[len(lines) - int(found[1]) :]
                lines[-1] = ""
            elif not piece.startswith("\x1b"):
                lines[-1] += piece
        return lines[:-1]


@pytest.fixture
def drawn():
    """A terminal, a board on it, and a clock that the test moves."""
    terminal, now = Terminal(), [1000.0]
    board = Board(terminal, clock=lambda: now[0], size=lambda: (60, 24), ticks=False)
    return terminal, board, now


def test_each_step_has_a_line_with_its_status_and_time(drawn):
    terminal, board, now = drawn
    with board:
        board.moved("build", "running")
        now[0] += 65
        board.moved("build", "success")
        board.moved("unit", "running")
        now[0] += 2
    assert terminal.shown() == ["✓ build  success          1:05", "▸ unit   running          0:02"]


def test_text_stands_above_the_lines_in_its_order(drawn):
    terminal, board, _ = drawn
    with board:
        board.moved("unit", "running")
        board.write("one\ntw")
        board.write("o\nthr")
        board.moved("unit", "success")
        board.write("ee")
    assert terminal.shown() == ["one", "two", "three", "✓ unit  success          0:00"]


def test_a_log_cannot_move_the_cursor_but_keeps_its_colours(drawn):
    terminal, board, _ = drawn
    with board:
        board.moved("unit", "running")
        board.write("\x1b[2J\x1b[5A\x1b]0;title\x07\x1b[31mred\x1b[0m\x1bc\n 10%\r 20%\r100%\n")
    assert "\x1b[31mred\x1b[0m\n100%\n" in terminal.getvalue()
    assert terminal.shown()[:2] == ["red", "100%"]


def test_what_the_server_knows_is_taken_over_with_its_times(drawn):
    terminal, board, _ = drawn
    board.known(
        [
            {"name": "late", "status": "running", "started": "1970-01-01T00:16:30Z", "finished": None},
            {"name": "waiting", "status": "pending", "started": None},
            {
                "name": "early",
                "status": "success",
                "started": "1970-01-01T00:10:00Z",
                "finished": "1970-01-01T00:10:07Z",
            },
        ]
    )
    with board:
        pass
    assert terminal.shown() == ["✓ early  success          0:07", "▸ late   running          0:10"]


def test_of_many_steps_those_that_ended_first_are_counted(drawn):
    steps = [Step(f"s{number}", "success" if number < 20 else "running", 0) for number in range(22)]
    lines = lines_of(steps, 0, 60, 60)
    assert len(lines) == MOST_LINES
    assert "11 more" in lines[0]
    assert "s21" in lines[-1]
    assert drawn


@pytest.mark.parametrize("columns", [1, 10, 40, 200])
def test_a_line_is_never_wider_than_the_terminal(columns):
    for line in lines_of([Step("a" * 100, "pending-approval", 0)], 100_000, columns, 24):
        assert len(re.sub(r"\x1b\[\d*m", "", line)) <= columns


STREAM = b"""event: step
data: {"name": "unit", "status": "running"}

event: log
data: {"step": "unit", "text": "hello\\n"}

event: step
data: {"name": "unit", "status": "success"}

event: status
data: {"status": "success"}

"""


def test_on_a_terminal_a_followed_build_ends_with_the_line_of_its_step(server):
    server.answers |= {
        "GET /api/builds/b": {"id": "b", "status": "running"},
        "GET /api/builds/b/logs/stream": STREAM,
    }
    ours, theirs = pty.openpty()
    environ = {"CF_API_KEY": "k.1", "CF_URL": server.url, "TERM": "xterm", "PATH": os.environ["PATH"]}
    command = [Path(sys.executable).parent / "codefresh", "logs", "-f", "b"]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, env=environ) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # so a terminal ends whose other side has gone
            while piece := os.read(ours, 65536):
                shown += piece
        os.close(ours)
    text = shown.decode().replace("\r\n", "\n")
    assert process.returncode == 0
    assert "hello\n" in text
    assert re.search(r"✓ unit  success +0:0\d\x1b\[0m\n\Z", text)
