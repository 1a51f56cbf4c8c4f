"""Search in a stored log: for a text, or for what looks like an error.

Lines are compared as a reader sees them: without their time stamp and without the sequences that
colour a terminal. Upper and lower case are the same. What is stored is masked, so no search finds
a secret. A call reads a bounded part and says where the next one goes on.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from headrace.storage.logs.lines import STAMP_BYTES

SCAN_BYTES = 16 << 20  # that one call reads, and the rest of a line that goes on beyond
LONGEST_LINE = 1 << 20  # bytes of a line that are looked at
_BLOCK_BYTES = 256 * 1024
_ESCAPES = re.compile(rb"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|.?)")
_WRONG = ("error", "fatal", "panic", "traceback", "exception", "failed", "failure", "not found", "denied")
_LOOKS_WRONG = re.compile(rf"(?<![\w/.-])(?:{'|'.join(_WRONG)})(?:s|:|\b)(?![/-])")
_LOOKS_RIGHT = re.compile(
    r"\b(?:0|no) (?:errors?|failed|failures?)\b|\b(?:errors?|failed|failures?)[:=] ?0\b"
)

Read = Callable[[int, int], bytes]  # (offset, at most so many bytes) → what is stored there


class Hit(msgspec.Struct, frozen=True):
    """A line that was found."""

    line: int  # 1 is the first
    offset: int  # of its first byte


class Place(msgspec.Struct, frozen=True):
    """Where a search begins: the beginning of a line."""

    offset: int = 0
    line: int = 0  # lines before it


class Found(msgspec.Struct, frozen=True):
    """What one call has found."""

    hits: list[Hit]
    next: Place | None  # None: all was read


class _Block(NamedTuple):
    data: bytes  # whole lines; of a very long one the beginning
    width: int  # bytes that it stands for
    breaks: int  # newlines that it stands for


def search(read: Read, text: str | None, *, place: Place, limit: int) -> Found:
    """Find the lines of one log that hold ``text``.

    Args:
        read: gives the bytes of the log.
        text: not empty; None finds lines that look like an error.
        place: where to begin.
        limit: at most this many lines.
    """
    needle = None if text is None else text.lower()
    hits: list[Hit] = []
    offset, line = place.offset, place.line
    end = offset + SCAN_BYTES
    while offset < end:
        block = _block(read, offset)
        if not block.data:
            return Found(hits, None)
        at, passed = 0, 0  # the line of the block that was found last
        for number in _within(block.data, needle):
            while passed < number:
                at = block.data.find(b"\n", at) + 1
                passed += 1
            if len(hits) == limit:
                return Found(hits, Place(offset + at, line + number))
            hits.append(Hit(line + number + 1, offset + at))
        offset += block.width
        line += block.breaks
    return Found(hits, Place(offset, line))


def _block(read: Read, offset: int) -> _Block:
    data = read(offset, _BLOCK_BYTES)
    if len(data) < _BLOCK_BYTES:
        return _Block(data, len(data), data.count(b"\n"))
    cut = data.rfind(b"\n") + 1
    if cut:
        return _Block(data[:cut], cut, data.count(b"\n"))
    data = read(offset, LONGEST_LINE)
    width, cut = len(data), data.find(b"\n") + 1
    if cut:
        return _Block(data[:cut], cut, 1)
    while more := read(offset + width, _BLOCK_BYTES):
        cut = more.find(b"\n") + 1
        width += cut or len(more)
        if cut:
            break
    return _Block(data, width, 1 if cut else 0)


def _within(data: bytes, needle: str | None) -> Iterator[int]:
    """Yield the numbers of the lines that match, 0 for the first of ``data``."""
    seen = _ESCAPES.sub(b"", data) if b"\x1b" in data else data
    text = seen.decode(errors="replace").lower()
    number = counted = 0
    at = _next(text, needle, 0)
    while at >= 0:
        begin = text.rfind("\n", 0, at) + 1
        if at < begin + STAMP_BYTES:  # in the time, which is no text of the step
            at = _next(text, needle, begin + STAMP_BYTES)
            continue
        number += text.count("\n", counted, begin)
        counted = begin
        yield number
        stop = text.find("\n", at)
        at = -1 if stop < 0 else _next(text, needle, stop + 1)


def _next(text: str, needle: str | None, begin: int) -> int:
    """Return where the next match begins, -1 where there is none."""
    if needle is not None:
        return text.find(needle, begin)
    for found in _LOOKS_WRONG.finditer(text, begin):
        stop = text.find("\n", found.start())
        line = text[text.rfind("\n", 0, found.start()) + 1 : len(text) if stop < 0 else stop]
        if not _LOOKS_RIGHT.search(line):
            return found.start()
    return -1
