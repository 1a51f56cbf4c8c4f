"""All logs below one folder: opened for writing by workers, read and followed by the API."""

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from headrace.execution.ports import Clock
from headrace.kit.clock import SystemClock
from headrace.storage.logs.index import add_step, read_index
from headrace.storage.logs.marks import Extent, Indexes
from headrace.storage.logs.step import FileStepLog

DEFAULT_LIMIT_BYTES = 1 << 30
_BUILD_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_HOLD_S = 0.25
_POLL_S = 0.25
_BATCH_BYTES = 256 * 1024
_LONGEST_CHARACTER = 4  # bytes of UTF-8
_NONE_KNOWN: Mapping[str, Extent] = MappingProxyType({})


class LogPiece(msgspec.Struct, frozen=True):
    """New bytes of a step's log."""

    step: str
    offset: int  # of the first byte
    data: bytes

    @property
    def end(self) -> int:
        """The offset to read on from."""
        return self.offset + len(self.data)


class LogStore:
    """The logs of many builds. Fills the port `execution.ports.LogSink`.

    One process writes a build's logs at a time; any number may read.

    Args:
        root: folder; made when the first log is opened.
        clock: gives the time of each line.
        limit_bytes: of stored log per step; the log says so when output is dropped.
        hold_s: seconds that a possible beginning of a secret may wait for its rest.
        poll_s: seconds after which a follower looks again by itself, because the writer may be
            another process.
    """

    def __init__(
        self,
        root: Path,
        *,
        clock: Clock | None = None,
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
        hold_s: float = _HOLD_S,
        poll_s: float = _POLL_S,
    ) -> None:
        self.root = root
        self.poll_s = poll_s
        self._clock = clock or SystemClock()
        self._limit = limit_bytes
        self._hold_s = hold_s
        self._followers: dict[str, set[LogFollower]] = {}
        self._indexes = Indexes()

    async def open(
        self, build_id: str, step: str, *, secrets: frozenset[str], resume_from: int | None = None
    ) -> FileStepLog:
        """Open the log of a step for appending; see `execution.ports.LogSink`."""
        return FileStepLog(
            add_step(self._folder(build_id), step),
            secrets=secrets,
            resume_from=resume_from,
            clock=self._clock,
            limit_bytes=self._limit,
            hold_s=self._hold_s,
            grown=lambda: self._wake(build_id),
        )

    def steps(self, build_id: str) -> list[tuple[str, int]]:
        """Return (name, stored bytes) of each step with a log, in the order of first opening."""
        folder = self._folder(build_id)
        found = []
        for entry in read_index(folder):
            with contextlib.suppress(FileNotFoundError):  # deleted in this moment
                found.append((entry.name, (folder / entry.file).stat().st_size))
        return found

    def read(self, build_id: str, step: str, offset: int = 0, limit: int | None = None) -> bytes:
        """Return stored bytes of a step from ``offset``; empty past the end and for no such log.

        Args:
            build_id: whose log.
            step: its name.
            offset: in bytes, not negative.
            limit: at most this many bytes; None reads to the end.
        """
        folder = self._folder(build_id)
        for entry in read_index(folder):
            if entry.name == step:
                return _read_file(folder / entry.file, offset, limit)
        return b""

    def extents(self, build_id: str, known: Mapping[str, Extent] = _NONE_KNOWN) -> dict[str, Extent]:
        """Return how long the log of each step is, in the order of first opening.

        Args:
            build_id: whose logs.
            known: what was returned before, by step: those that have not grown are left out, and
                of the others only new marks are returned.
        """
        folder = self._folder(build_id)
        found = {}
        for entry in read_index(folder):
            before = known.get(entry.name)
            with contextlib.suppress(FileNotFoundError):  # deleted in this moment
                if before is not None and (folder / entry.file).stat().st_size == before.size:
                    continue
                after = before.marks[-1].offset if before and before.marks else -1
                found[entry.name] = self._indexes.extent(folder / entry.file, after=after)
        return found

    def delete(self, build_id: str) -> None:
        """Delete all logs of a build; nothing happens where there are none."""
        shutil.rmtree(self._folder(build_id), ignore_errors=True)

    @contextlib.contextmanager
    def follow(self, build_id: str, offsets: Mapping[str, int] | None = None) -> Iterator["LogFollower"]:
        """Follow a build's logs from ``offsets`` (step → byte; a step without one from its start).

        Use within the event loop that waits.
        """
        follower = LogFollower(self, build_id, dict(offsets or {}))
        self._followers.setdefault(build_id, set()).add(follower)
        try:
            yield follower
        finally:
            followers = self._followers[build_id]
            followers.discard(follower)
            if not followers:
                self._followers.pop(build_id, None)

    def _wake(self, build_id: str) -> None:
        for follower in tuple(self._followers.get(build_id, ())):
            follower.wake()

    def _folder(self, build_id: str) -> Path:
        if _BUILD_ID.match(build_id) is None:
            raise ValueError(f"{build_id!r} is no id of a build")
        return self.root / build_id


class LogFollower:
    """One live reader of a build: `read` what is new, wait in `changed`, again.

    Args:
        store: where the logs are.
        build_id: whose logs.
        offsets: where to begin, by step; moved on by `read`.
    """

    def __init__(self, store: LogStore, build_id: str, offsets: dict[str, int]) -> None:
        self.offsets = offsets
        self._store = store
        self._build_id = build_id
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def read(self, *, final: bool = False) -> list[LogPiece]:
        """Return new pieces, step by step in order, together at most about 256 KiB.

        A character of UTF-8 of which only a part is stored waits for the rest.

        Args:
            final: the build has ended; what looks like a part of a character is given too.
        """
        pieces: list[LogPiece] = []
        budget = _BATCH_BYTES
        for step, length in self._store.steps(self._build_id):
            offset = self.offsets.get(step, 0)
            if length <= offset or budget <= 0:
                continue
            data = self._store.read(self._build_id, step, offset, budget)
            if not final or offset + len(data) < length:
                data = whole_characters(data)
            if data:
                pieces.append(LogPiece(step, offset, data))
                self.offsets[step] = offset + len(data)
                budget -= len(data)
        return pieces

    async def changed(self) -> None:
        """Return when there may be something new, at the latest after the store's ``poll_s``."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), self._store.poll_s)
        self._event.clear()

    def wake(self) -> None:
        """Make `changed` return now; from any thread."""
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            self._event.set()
        else:
            with contextlib.suppress(RuntimeError):  # its loop has ended, nobody waits
                self._loop.call_soon_threadsafe(self._event.set)


def whole_characters(data: bytes) -> bytes:
    """Return ``data`` without a character of UTF-8 at its end of which bytes are missing."""
    for back in range(1, min(_LONGEST_CHARACTER, len(data) + 1)):
        byte = data[-back]
        if byte < 0x80:  # noqa: PLR2004 - ASCII
            break
        if byte >= 0xC0:  # noqa: PLR2004 - the first byte of a longer character
            size = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4  # noqa: PLR2004 - as UTF-8 says
            return data[:-back] if back < size else data
    return data


def _read_file(path: Path, offset: int, limit: int | None) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return b""
    try:
        left = os.fstat(file).st_size - offset
        size = left if limit is None else min(left, limit)
        return os.pread(file, size, offset) if size > 0 else b""
    finally:
        os.close(file)
