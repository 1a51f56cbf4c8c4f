"""Steps of a build at the foot of a terminal: a line for each with name, status and time, kept true.

Text of the build scrolls by above. Nothing here is used where the output is no terminal.
"""

from __future__ import annotations

import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

import click

from headrace.cli.dates import parse
from headrace.cli.output import STATUS_SIGNS

if TYPE_CHECKING:
    from headrace.cli.app import App

ENDED = frozenset({"success", "error", "skipped", "terminated", "denied", "approved"})
SIGNS = {**STATUS_SIGNS, "skipped": ("white", "-"), "denied": ("red", "✗"), "approved": ("green", "✓")}
MOST_LINES = 12
TICK_S = 1.0
# Control sequences but for colours: one in a log could write over the lines of the board.
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[A-Za-ln-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[^\[\]]|[\x00-\x08\x0b\x0c\x0e-\x1a]"
)
_PROGRESS = re.compile(r"[^\n]*\r(?!\n)")  # what a later part of the line has written over


class Step:
    """A step as shown: its status, and its time from start to end in seconds."""

    def __init__(self, name: str, status: str, started: float) -> None:
        self.name, self.status, self.started = name, status, started
        self.ended: float | None = None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Step:
        """A step that has begun, as the API tells it."""
        started, ended = parse(found.get("started")), parse(found.get("finished"))
        step = cls(str(found.get("name")), str(found.get("status")), started.timestamp() if started else 0)
        step.ended = ended.timestamp() if ended else None
        return step


def is_terminal(environ: Mapping[str, str]) -> bool:
    """Whether lines at the foot can be drawn: standard output is a terminal that moves its cursor."""
    return sys.stdout.isatty() and environ.get("TERM", "dumb") != "dumb"


class Board:
    """Draws the steps below the text that is written. Used as a context; the last lines stay.

    Args:
        out: the terminal.
        clock: seconds since 1970.
        size: its columns and lines.
        ticks: redraw each second, so that the times go on.
    """

    def __init__(
        self,
        out: IO[str],
        *,
        clock: Callable[[], float] = time.time,
        size: Callable[[], tuple[int, int]] = shutil.get_terminal_size,
        ticks: bool = True,
    ) -> None:
        self._out, self._clock, self._size = out, clock, size
        self._steps: dict[str, Step] = {}
        self._drawn = 0
        self._rest = ""  # a line without its end: it stands above the board when it is whole
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True) if ticks else None

    def __enter__(self) -> Self:
        """Begin to redraw."""
        if self._ticker is not None:
            self._ticker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Draw for the last time."""
        self._over.set()
        if self._ticker is not None:
            self._ticker.join()
        with self._lock:
            rest, self._rest = self._rest, ""
            self._draw(rest + "\n" * bool(rest))

    def known(self, steps: Iterable[Mapping[str, Any]]) -> None:
        """Take over what the server knows of the steps: names in order, statuses, times."""
        found = [Step.of(one) for one in steps if parse(one.get("started"))]
        self._steps |= {step.name: step for step in sorted(found, key=lambda step: step.started)}

    def moved(self, name: str, status: str) -> None:
        """Note that a step has this status now."""
        with self._lock:
            step = self._steps.setdefault(name, Step(name, status, self._clock()))
            step.status = status
            if status in ENDED and step.ended is None:
                step.ended = self._clock()
            self._draw("")

    def write(self, text: str) -> None:
        """Write text above the lines; a line is shown when it is whole."""
        with self._lock:
            whole, newline, self._rest = (self._rest + text).rpartition("\n")
            self._draw(_PROGRESS.sub("", _CONTROL.sub("", whole + newline)))

    def _tick(self) -> None:
        while not self._over.wait(TICK_S):
            with self._lock:
                self._draw("")

    def _draw(self, text: str) -> None:
        columns, rows = self._size()
        lines = lines_of(list(self._steps.values()), self._clock(), columns, rows)
        back = f"\x1b[{self._drawn}A\r\x1b[J" if self._drawn else ""
        self._drawn = len(lines)
        self._out.write(back + text + "".join(f"{line}\n" for line in lines))
        self._out.flush()


def lines_of(steps: list[Step], now: float, columns: int, rows: int) -> list[str]:
    """The lines for a terminal of this size; of many steps those that ended first are left out."""
    room = max(2, min(MOST_LINES, rows // 3))
    shown = steps
    if len(steps) > room:
        over = [step for step in steps if step.status in ENDED][: len(steps) - room + 1]
        shown = [step for step in steps if step not in over][: room - 1]
    left = len(steps) - len(shown)
    width = max((len(step.name) for step in shown), default=0)
    lines = [f"  … {left} more"[:columns]] * bool(left)
    return lines + [_line(step, now, min(width, max(8, columns - 32)), columns) for step in shown]


def _line(step: Step, now: float, width: int, columns: int) -> str:
    colour, sign = SIGNS.get(step.status, ("white", "·"))
    name = step.name if len(step.name) <= width else step.name[: width - 1] + "…"
    time_s = max(0, int((now if step.ended is None else step.ended) - step.started))
    plain = f"{sign} {name:<{width}}  {step.status:<16} {time_s // 60}:{time_s % 60:02d}"[
        : max(1, columns - 1)
    ]
    return click.style(plain, fg=colour)


def board_for(app: App) -> Board | None:
    """A board where the output is a terminal; None elsewhere."""
    return Board(sys.stdout) if is_terminal(app.environ) else None
