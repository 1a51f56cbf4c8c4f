"""Where the lines of a step's log are: a sparse index over bytes, so that any line is one short read.

A mark is the offset of the first byte of a line, and how many lines stand before it. There is one
for every `STRIDE_BYTES`, so between two marks lies little but lines shorter than that: only the
last one can be longer. Nothing is stored: the index of a log that grows is extended, not made anew.
"""

import threading
from collections import OrderedDict
from pathlib import Path

import msgspec

STRIDE_BYTES = 64 * 1024
_BLOCK_BYTES = 1 << 20
_MOST_INDEXES = 64  # of steps; one of a log of 1 GiB has 16,384 marks


class Mark(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The beginning of a line."""

    offset: int  # of its first byte
    line: int  # lines before it


class Extent(msgspec.Struct, frozen=True):
    """How long a log is, and where its lines are."""

    size: int  # bytes
    lines: int  # the unfinished last one included
    marks: tuple[Mark, ...]  # those asked for, in order


class _Index:
    """The marks of one file; grows with it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.marks = [Mark(0, 0)]
        self.size = 0  # bytes that were counted
        self.breaks = 0  # newlines in them
        self.ends_line = True  # whether the last of them is a newline

    def extend(self, path: Path, size: int) -> None:
        with path.open("rb") as file:
            file.seek(self.size)
            while self.size < size and (block := file.read(min(_BLOCK_BYTES, size - self.size))):
                self._count(block)

    def _count(self, block: bytes) -> None:
        done = 0
        while done < len(block):
            # Count up to the first line that begins a stride or more after the last mark.
            wanted = self.marks[-1].offset + STRIDE_BYTES - self.size
            at = block.find(b"\n", max(done, wanted - 1))
            end = len(block) if at < 0 else at + 1
            self.breaks += block.count(b"\n", done, end)
            if at >= 0:
                self.marks.append(Mark(self.size + end, self.breaks))
            done = end
        self.size += len(block)
        self.ends_line = block.endswith(b"\n")


class Indexes:
    """The indexes of the files that were last read. Many threads may ask at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[tuple[str, int], _Index] = OrderedDict()

    def extent(self, path: Path, *, after: int = -1) -> Extent:
        """Return how long a log is now, with its marks beyond the offset ``after``.

        Raises:
            FileNotFoundError: there is no such file.
        """
        stat = path.stat()
        with self._lock:
            index = self._found.setdefault((str(path), stat.st_ino), _Index())
            self._found.move_to_end((str(path), stat.st_ino))
            if len(self._found) > _MOST_INDEXES:
                self._found.popitem(last=False)
        with index.lock:
            if index.size < stat.st_size:
                index.extend(path, stat.st_size)
            marks = index.marks
            first = len(marks)
            while first and marks[first - 1].offset > after:
                first -= 1
            return Extent(index.size, index.breaks + (not index.ends_line), tuple(marks[first:]))
