"""The log of one step while it is written: mask, plain line ends, stamps, one append."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from headrace.execution.ports import Clock
from headrace.kit.masking import Masker
from headrace.storage.logs.lines import STAMP_BYTES, LineEnds, Replay, stamp, stamped


class FileStepLog:
    """Fills the port `execution.ports.StepLog` with a file.

    What `write` returned from is in the kernel: it survives the end of this process, however it
    ends. Only a possible beginning of a secret waits, and no longer than ``hold_s`` seconds.
    """

    def __init__(
        self,
        path: Path,
        *,
        secrets: frozenset[str],
        resume_from: int | None,
        clock: Clock,
        limit_bytes: int,
        hold_s: float,
        grown: Callable[[], None],
    ) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_APPEND)
        self._length = os.fstat(self._file).st_size
        self._clock = clock
        self._limit = limit_bytes
        self._hold_s = hold_s
        self._grown = grown
        self._masker = Masker(secrets)
        self._line_ends = LineEnds()
        self._replay = None if resume_from is None else Replay(path, resume_from)
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._begins_line = self._mend()

    @property
    def length(self) -> int:
        """Bytes stored so far."""
        return self._length

    @property
    def is_full(self) -> bool:
        """Whether the log has reached its limit; output is dropped, engine lines are not."""
        return self._length >= self._limit

    async def write(self, data: bytes) -> None:
        """Take output of the step. A line has the time of the chunk that began it."""
        self._output(self._masker.feed(data))
        if self._masker.holds and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._hold_s, self._release)

    async def say(self, line: str) -> None:
        """Take one whole line of the engine; it begins a line of its own."""
        self._release()
        self._line_ends.drop()
        text = self._masker.feed(line.rstrip("\n").encode(errors="replace")) + self._masker.flush()
        line_break = b"" if self._begins_line else b"\n"
        self._append(line_break + stamped(text + b"\n", self._stamp(), begins_line=True))

    def mask(self, secrets: frozenset[str]) -> None:
        """Mask these from now on: the ones known before, and more."""
        self._masker.widen(secrets)

    async def close(self) -> None:
        """Store what was held back, and close the file. Safe twice."""
        if self._closed:
            return
        self._release()
        self._line_ends.drop()
        self._closed = True
        os.close(self._file)
        self._grown()

    def _release(self) -> None:
        """Store what the masker held back: the rest of that secret has not come."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._closed:
            self._output(self._masker.flush())

    def _output(self, data: bytes) -> None:
        data = self._line_ends.feed(data)
        if self._replay is not None:
            data = self._pass_over(self._replay, data)
        if not data or self.is_full:
            return
        data = stamped(data, self._stamp(), begins_line=self._begins_line)
        if self._length + len(data) > self._limit:
            data = data[: self._limit - self._length]
            end = b"" if data.endswith(b"\n") else b"\n"
            said = f"the log has reached {self._limit} bytes, the rest of the output is not stored\n"
            data += end + self._stamp() + said.encode()
        self._append(data)

    def _pass_over(self, replay: Replay, data: bytes) -> bytes:
        data = replay.feed(data)
        if replay.is_over:
            self._replay = None
            if replay.differed and not self._begins_line:
                return b"\n" + data
        return data

    def _append(self, data: bytes) -> None:
        self._begins_line = data.endswith(b"\n")
        while data:
            written = os.write(self._file, data)
            self._length += written
            data = data[written:]
        self._grown()

    def _stamp(self) -> bytes:
        return stamp(self._clock.now())

    def _mend(self) -> bool:
        """Complete a stamp that a crash has torn; tell whether the next byte begins a line."""
        size = min(self._length, STAMP_BYTES + 1)
        tail = os.pread(self._file, size, self._length - size)
        if not tail or tail.endswith(b"\n"):
            return True
        begun = tail[tail.rfind(b"\n") + 1 :]
        if len(begun) < STAMP_BYTES:
            self._length += os.write(self._file, self._stamp()[len(begun) :])
        return False
