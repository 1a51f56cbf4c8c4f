"""From the masked output of a step to the lines that are stored, and back."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from headrace.kit.clock import wire_time

STAMP_BYTES = 27  # ``[2026-11-23T21:00:00.000Z] ``
_STAMP = re.compile(rb"^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] ", re.MULTILINE)
_BLOCK_BYTES = 1 << 20


def stamp(moment: datetime) -> bytes:
    """Return what a line of this moment begins with."""
    return f"[{wire_time(moment)}] ".encode()


class LineEnds:
    r"""Turns ``\r\n`` into ``\n``. A lone ``\r`` (a progress bar) stays within its line."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes and return them with plain line ends."""
        if self._held:
            data = self._held + data
            self._held = b""
        if data[-1:] == b"\r":
            self._held, data = b"\r", data[:-1]
        return data.replace(b"\r\n", b"\n") if b"\r\n" in data else data

    def drop(self) -> None:
        r"""Forget a ``\r`` at the very end: no reader would see it."""
        self._held = b""


def stamped(data: bytes, prefix: bytes, *, begins_line: bool) -> bytes:
    """Put ``prefix`` before each line that begins in ``data``; no line is begun by its end."""
    if not data:
        return data
    last = data[-1:] == b"\n"
    body = data[:-1] if last else data
    lines = body.replace(b"\n", b"\n" + prefix)
    return b"".join((prefix if begins_line else b"", lines, b"\n" if last else b""))


class Replay:
    """Passes over output that is stored already, when an adopted step writes all of it again.

    Stored and written bytes are compared without time stamps. From the first line on that differs
    (the engine itself had said something there) all is new: a line twice is better than one lost.

    Args:
        path: the stored log.
        start: offset where the output began.
    """

    def __init__(self, path: Path, start: int) -> None:
        self._stored = _unstamped(path, start)
        self._expected = b""
        self.is_over = False
        self.differed = False

    def feed(self, data: bytes) -> bytes:
        """Return the part of ``data`` that is not stored; once `is_over`, all is new."""
        done = 0
        while done < len(data):
            if not self._expected:
                self._expected = next(self._stored, b"")
                if not self._expected:
                    self.is_over = True
                    break
            size = min(len(data) - done, len(self._expected))
            if data[done : done + size] != self._expected[:size]:
                self.is_over = self.differed = True
                equal = next(i for i in range(size) if data[done + i] != self._expected[i])
                done = data.rfind(b"\n", 0, done + equal) + 1
                break
            done += size
            self._expected = self._expected[size:]
        return data[done:]


def _unstamped(path: Path, start: int) -> Iterator[bytes]:
    """Yield the stored bytes from ``start`` on without time stamps, in blocks."""
    with path.open("rb") as file:
        file.seek(start)
        rest = b""
        while block := file.read(_BLOCK_BYTES):
            data = rest + block
            cut = data.rfind(b"\n") + 1
            rest = data[cut:]
            if cut:
                yield _STAMP.sub(b"", data[:cut])
        yield _STAMP.sub(b"", rest)
