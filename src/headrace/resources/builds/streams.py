"""Readers of a build's log: live events, plain text, and the archive.

A client sets the pace: nothing is read ahead of it, so memory does not grow with the log.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from headrace.http.errors import NotFound
from headrace.http.sse import HEARTBEAT, event
from headrace.pipeline.status import BuildStatus, StepStatus
from headrace.resources.builds import finding, service
from headrace.resources.builds.logs import BuildLog, Moment, Told, archive_steps, log_of, look
from headrace.resources.builds.schemas import Build, FoundOut, SearchQuery
from headrace.storage.engine import Database
from headrace.storage.logs import Extent, LogFollower, LogPiece, LogStore, archive
from headrace.storage.signals import Signals, Wait

BEAT_S = 10.0  # between heartbeats of a stream that has nothing to tell
_POLL_S = 1.0  # behind the signals, which may be lost
_PIECE_BYTES = 256 * 1024
_CALM_S = 0.2  # between two looks at how long the logs are

Result = TypeVar("Result")


class StepTold(msgspec.Struct, frozen=True):
    """A step has this status now."""

    step: str
    status: StepStatus


class TextTold(msgspec.Struct, frozen=True):
    """The log of a step goes on; whole characters."""

    step: str
    text: str


class StatusTold(msgspec.Struct, frozen=True):
    """The build has this status now; a final one is the last word."""

    status: BuildStatus


class Idle(msgspec.Struct, frozen=True):
    """All that is known has been told: said once, then again and again while nothing happens."""


Item = StepTold | TextTold | StatusTold | Idle


class LogReader:
    """Reads the logs of builds for clients. Many may read at the same time.

    Args:
        database: where the builds are.
        logs: where their logs are.
        hub: tells of changes.
    """

    def __init__(self, database: Database, logs: LogStore, hub: Signals) -> None:
        self._database = database
        self._logs = logs
        self._hub = hub

    async def open(self, find: Callable[[Connection], Build]) -> BuildLog:
        """Return the log of the build that ``find`` finds; its errors pass through."""
        return await self._ask(lambda db: log_of(db, find(db)))

    def stored(self, log: BuildLog) -> dict[str, int]:
        """Return the bytes stored so far, by step, in the order in which the logs began."""
        return dict(self._logs.steps(log.build_id))

    async def watch(self, log: BuildLog, told: Told, *, beat_s: float) -> AsyncGenerator[Item, None]:
        """Tell what is stored and then what happens, each once and in order, until the build has ended.

        A step is told before its text, and its end after its text.

        Args:
            log: of the build.
            told: how far the reader is; moved on before each item is yielded.
            beat_s: seconds between two `Idle` items.
        """
        loop = asyncio.get_running_loop()
        idle_at = loop.time()
        with (
            self._hub.listening(service.changed(log.build_id)) as wait,
            self._logs.follow(log.build_id, told.offsets) as follower,
            _heard(wait, follower) as stale,
        ):
            moment = await self._look(log)
            while True:
                if stale.is_set():
                    stale.clear()
                    moment = await self._look(log)
                for status in _status_told(told, moment):
                    yield status
                # The statuses are older than the text: what a final one covers is stored by now.
                pieces = await asyncio.to_thread(follower.read, final=moment.is_final)
                if pieces:
                    for item in _text_told(told, moment, pieces, self.stored(log)):
                        yield item
                    continue
                for step in _drained(told, moment, log):
                    yield step
                if moment.is_final:
                    told.status = moment.build.status
                    yield StatusTold(told.status)
                    return
                if loop.time() >= idle_at:
                    idle_at = loop.time() + beat_s
                    yield Idle()
                await follower.changed()

    async def events(self, log: BuildLog, told: Told) -> AsyncGenerator[bytes, None]:
        """Yield the server-sent events of a build; each carries the cursor to go on after it."""
        async with contextlib.aclosing(self.watch(log, told, beat_s=BEAT_S)) as items:
            async for item in items:
                match item:
                    case TextTold(step, text):
                        yield event("log", {"step": step, "text": text}, cursor=told.cursor)
                    case StepTold() | StatusTold():
                        yield _event(log, item, cursor=told.cursor)
                    case Idle():
                        yield HEARTBEAT

    async def outline(self, log: BuildLog) -> AsyncGenerator[bytes, None]:
        """Yield server-sent events of a build without the text of its log: how long it is, and its marks."""
        told, known = Told(log), dict[str, Extent]()
        loop = asyncio.get_running_loop()
        beat_at = loop.time()
        with (
            self._hub.listening(service.changed(log.build_id)) as wait,
            self._logs.follow(log.build_id) as follower,
            _heard(wait, follower) as stale,
        ):
            stale.set()
            while True:
                if stale.is_set():
                    stale.clear()
                    moment = await self._look(log)
                new = await asyncio.to_thread(self._logs.extents, log.build_id, known)
                for step, extent in new.items():
                    # Of what is known only the last mark is needed: those after it are the new ones.
                    marks = extent.marks or known[step].marks
                    known[step] = msgspec.structs.replace(extent, marks=marks[-1:])
                    data = {"step": step, "size": extent.size, "lines": extent.lines, "marks": extent.marks}
                    yield event("extent", data)
                changes: list[StatusTold | StepTold] = [*_status_told(told, moment)]
                for step in known.keys() - log.headings.keys():  # of a hook, or of a compose file
                    changes += _step(told, step, moment.status_of(step))
                changes += _drained(told, moment, log)
                for change in changes:
                    yield _event(log, change)
                if moment.is_final:
                    yield _event(log, StatusTold(moment.build.status))
                    return
                if loop.time() >= beat_at:
                    beat_at = loop.time() + BEAT_S
                    yield HEARTBEAT
                await follower.changed()
                await asyncio.sleep(_CALM_S)  # a log that grows all the time is told of now and then

    async def search(self, log: BuildLog, query: SearchQuery) -> FoundOut:
        """Return the lines that a search finds; see `finding.find`."""
        return await asyncio.to_thread(finding.find, self._logs, log.build_id, query)

    async def archive(self, log: BuildLog) -> AsyncGenerator[bytes, None]:
        """Yield the log as one JSON document, once the build has ended."""
        with self._hub.listening(service.changed(log.build_id)) as wait:
            while not (moment := await self._look(log)).is_final:
                # JSON may begin with white space: whoever stands between sees a connection that lives.
                yield b"\n"
                await wait.next(_POLL_S)
        document = archive(
            self._logs,
            log.build_id,
            progress_id=log.progress_id,
            status=moment.build.status,
            steps=archive_steps(moment, self.stored(log)),
            headings=log.headings,
        )
        async for piece in _in_thread(document):
            yield piece

    def text(self, log: BuildLog) -> AsyncIterator[bytes]:
        """Yield all that is stored as the official client prints it: each step under its heading."""
        return _in_thread(self._text(log))

    def part(self, log: BuildLog, step: str, offset: int, limit: int | None) -> AsyncIterator[bytes]:
        """Yield stored bytes of one step from ``offset``, at most ``limit``.

        Raises:
            NotFound: the build has no such step. One that has not begun has an empty log.
        """
        if step not in log.headings and step not in self.stored(log):
            raise NotFound(f"could not find step {step!r} of build {log.build_id!r}")
        return _in_thread(self._part(log.build_id, step, offset, limit))

    def _text(self, log: BuildLog) -> Iterator[bytes]:
        for step in self.stored(log):
            heading = log.headings.get(step, step)
            rule = "=" * (len(heading) - 1)
            yield f"{rule}\nStep: {heading}\n{rule}\n".encode()
            last = b"\n"
            for piece in self._part(log.build_id, step, 0, None):
                yield piece
                last = piece[-1:]
            if last != b"\n":
                yield b"\n"

    def _part(self, build_id: str, step: str, offset: int, limit: int | None) -> Iterator[bytes]:
        left = limit
        while left is None or left > 0:
            size = _PIECE_BYTES if left is None else min(left, _PIECE_BYTES)
            data = self._logs.read(build_id, step, offset, size)
            if not data:
                return
            yield data
            offset += len(data)
            left = None if left is None else left - len(data)

    async def _look(self, log: BuildLog) -> Moment:
        return await self._ask(lambda db: look(db, log))

    async def _ask(self, question: Callable[[Connection], Result]) -> Result:
        def ask() -> Result:
            with self._database.reading() as db:
                return question(db)

        return await asyncio.to_thread(ask)


def _event(log: BuildLog, item: "StepTold | StatusTold", *, cursor: str | None = None) -> bytes:
    if isinstance(item, StatusTold):
        return event("status", {"status": item.status}, cursor=cursor)
    data = {"name": item.step, "title": log.headings.get(item.step, item.step), "status": item.status}
    return event("step", data, cursor=cursor)


def _status_told(told: Told, moment: Moment) -> Iterator[StatusTold]:
    """Tell a status of the build that is not the last; that one waits for the rest of the log."""
    if told.status is not moment.build.status and not moment.is_final:
        told.status = moment.build.status
        yield StatusTold(told.status)


def _text_told(told: Told, moment: Moment, pieces: list[LogPiece], stored: dict[str, int]) -> Iterator[Item]:
    """Tell text, and what comes before it: that its step has begun, that earlier ones have ended.

    Steps earlier in ``stored`` have no text left that was stored before ``moment``.
    """
    order = list(stored)
    for piece in pieces:
        for earlier in order[: order.index(piece.step)]:
            status = moment.status_of(earlier)
            if status.is_final:
                yield from _step(told, earlier, status)
        if piece.step not in told.statuses:
            status = moment.status_of(piece.step)
            yield from _step(told, piece.step, StepStatus.RUNNING if status.is_final else status)
        told.offsets[piece.step] = piece.end
        yield TextTold(piece.step, piece.data.decode(errors="replace"))


def _drained(told: Told, moment: Moment, log: BuildLog) -> Iterator[StepTold]:
    """Tell every status that is new, when no text is left."""
    for name in [*log.headings, *(told.statuses.keys() - log.headings.keys())]:
        if name in moment.states or name in told.statuses:
            yield from _step(told, name, moment.status_of(name))


def _step(told: Told, name: str, status: StepStatus) -> Iterator[StepTold]:
    if told.statuses.get(name) is not status:
        told.statuses[name] = status
        yield StepTold(name, status)


@contextlib.contextmanager
def _heard(wait: Wait, follower: LogFollower) -> Iterator[asyncio.Event]:
    """Set the event, and wake the follower, whenever the build may have changed."""
    stale = asyncio.Event()

    async def hear() -> None:
        while True:
            await wait.next(_POLL_S)
            stale.set()
            follower.wake()

    task = asyncio.create_task(hear())
    try:
        yield stale
    finally:
        task.cancel()


async def _in_thread(pieces: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Read files in a thread, no piece ahead of the client."""
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece
