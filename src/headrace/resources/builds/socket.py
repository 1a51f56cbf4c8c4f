"""The log socket: ``/ws/{account}/{progressId}``, over which the official client follows a build.

Source: the protocol that the unmodified client speaks. It never says whether it follows or wants
only what is there, so every reader gets both: what was stored as ``s`` chunks, a heartbeat that ends
that part, then what happens as ``e`` chunks, then the final status.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection

from headrace.http.auth import Authenticate, credential_of
from headrace.http.errors import ApiError, Forbidden, NotFound, Unauthenticated
from headrace.http.requests import read_query
from headrace.http.rights import Rights, Rules
from headrace.http.scopes import Scope
from headrace.http.standing import until_refused
from headrace.pipeline.status import BuildStatus
from headrace.resources.builds import service
from headrace.resources.builds.logs import BuildLog, Told, slot_name
from headrace.resources.builds.schemas import Build
from headrace.resources.builds.streams import Idle, LogReader, StatusTold, TextTold
from headrace.storage.engine import Database
from headrace.storage.logs import LogStore
from headrace.storage.signals import Signals

_log = logging.getLogger(__name__)

_BEAT_S = 4.0
_CLOSE_S = 60.0  # a client that is closed on comes back and prints all again, so it may close first
_CHUNK = 128 * 1024  # characters; the client takes frames up to 1 MiB, and JSON escapes grow sixfold
# The client holds back what it has until its last three chunks are live ones.
_FLUSH = 3
# Statuses at which the client ends by itself; at another one it is told that there is no build.
_UNDERSTOOD = frozenset({BuildStatus.SUCCESS, BuildStatus.ERROR, BuildStatus.TERMINATED})
_CLOSE_CODE = 4000  # plus the HTTP status
_CLOSE_FAILED = 1011
_CLOSE_DONE = 1000

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class LogSocket:
    """Answers the WebSockets below ``/ws`` (ASGI).

    Args:
        database: where the builds are.
        authenticate: finds the caller behind the key in the query.
        rules: of teams.
        logs: where the logs are.
        hub: tells of changes.
    """

    def __init__(
        self, database: Database, authenticate: Authenticate, rules: Rules, logs: LogStore, hub: Signals
    ) -> None:
        self._database, self._hub = database, hub
        self._authenticate, self._rules = authenticate, rules
        self._reader = LogReader(database, logs, hub)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one socket from its handshake to its end."""
        await receive()  # websocket.connect
        try:
            log = await self._reader.open(lambda db: self._find(db, scope))
        except ApiError as refusal:
            # Closed before it was accepted: the client's handshake gets a plain 403.
            await send({"type": "websocket.close", "code": _CLOSE_CODE + refusal.status})
            return
        await send({"type": "websocket.accept"})
        refused = asyncio.create_task(until_refused(self._hub, log.account_id, lambda: self._admit(scope)))
        await _Talk(self._reader, log, send).run(receive, refused)

    def _admit(self, scope: Message) -> None:
        with self._database.reading() as db:
            self._find(db, scope)

    def _find(self, db: Connection, scope: Message) -> Build:
        """Find the build of a socket, where its caller may read it."""
        query = read_query(scope["query_string"].decode("latin-1"))
        credential = credential_of(scope["headers"], query)
        if credential is not None and credential.by_cookie:  # a browser sends it for any site
            credential = None
        caller = None if credential is None else self._authenticate(db, credential)
        if caller is None:
            raise Unauthenticated("the query value 'authorization' is no API key")
        if not caller.may(Scope.BUILD_READ):
            raise Forbidden(f"the key lacks the scope {Scope.BUILD_READ}")
        root, _, rest = scope["path"].strip("/").partition("/")
        account_id, _, progress_id = rest.partition("/")
        if root != "ws" or account_id != caller.account_id:
            raise NotFound("could not find such a log; the address is /ws/{account}/{progressId}")
        Rights(caller, self._rules).admit(db, "read", "progress", progress_id)
        return service.by_progress(db, account_id, progress_id)


class _Talk:
    """One accepted socket."""

    def __init__(self, reader: LogReader, log: BuildLog, send: Send) -> None:
        self._reader = reader
        self._log = log
        self._send = send
        self._status = BuildStatus.PENDING  # as told: final only when all text has been sent
        self._slot: str | None = None  # that had the last chunk
        self._caught_up = False
        self._time_ms = 0

    async def run(self, receive: Receive, refused: asyncio.Task[ApiError]) -> None:
        """Talk until the client closes or is refused; after the final status it gets a while to do so."""
        telling = asyncio.create_task(self._tell())
        hearing = asyncio.create_task(self._hear(receive))
        try:
            await asyncio.wait({telling, hearing, refused}, return_when=asyncio.FIRST_COMPLETED)
            if refused.done() and not hearing.done():
                await self._send({"type": "websocket.close", "code": _CLOSE_CODE + refused.result().status})
                return
            if not hearing.done():
                problem = telling.exception()
                if problem is not None and not isinstance(problem, OSError):
                    _log.error("the log of build %s broke off", self._log.build_id, exc_info=problem)
                    await self._send({"type": "websocket.close", "code": _CLOSE_FAILED})
                    return
                await asyncio.wait({hearing}, timeout=_CLOSE_S)
            if not hearing.done():
                await self._send({"type": "websocket.close", "code": _CLOSE_DONE})
        finally:
            for task in (telling, hearing, refused):
                task.cancel()
            await asyncio.gather(telling, hearing, refused, return_exceptions=True)

    async def _tell(self) -> None:
        stored = {step: size for step, size in self._reader.stored(self._log).items() if size}
        if not stored:
            await self._catch_up()
        told = Told(self._log)
        async with contextlib.aclosing(self._reader.watch(self._log, told, beat_s=_BEAT_S)) as items:
            async for item in items:
                if isinstance(item, TextTold):
                    await self._text(item)
                    if all(told.offsets.get(step, 0) >= size for step, size in stored.items()):
                        await self._catch_up()
                elif isinstance(item, StatusTold):
                    if item.status.is_final:
                        await self._catch_up()
                    self._status = item.status
                    await self._say({"slot": "status", "action": "r", "payload": item.status})
                elif isinstance(item, Idle):
                    await (self._say({"slot": "keepAlive"}) if self._caught_up else self._catch_up())
        await self._say({"slot": "keepAlive"})  # lets the client ask, where it does not know the word

    async def _text(self, item: TextTold) -> None:
        heading = self._log.headings.get(item.step, item.step)
        self._slot = f"steps.{slot_name(heading)}.logs"
        for start in range(0, len(item.text), _CHUNK):
            await self._chunk(item.text[start : start + _CHUNK], "e" if self._caught_up else "s")

    async def _catch_up(self) -> None:
        """Say, once, that what was stored at the beginning has been sent."""
        if self._caught_up:
            return
        self._caught_up = True
        if self._slot is not None:
            for _ in range(_FLUSH):
                await self._chunk("", "e")
        await self._say({"slot": "keepAlive"})

    async def _chunk(self, text: str, action: Literal["s", "e"]) -> None:
        # The client sorts stored chunks by time, so no two have the same.
        self._time_ms = max(self._time_ms + 1, time.time_ns() // 1_000_000)
        await self._say({"slot": self._slot, "action": action, "payload": text, "time": self._time_ms})

    async def _hear(self, receive: Receive) -> None:
        """Answer the client's questions until it closes."""
        while (message := await receive())["type"] != "websocket.disconnect":
            if _asks_for_status(message):
                ended = self._status.is_final and self._status not in _UNDERSTOOD
                payload = None if ended else {"meta": {"status": self._status}}
                await self._say({"msgID": "getStatus", "payload": payload})

    async def _say(self, frame: dict[str, Any]) -> None:
        await self._send({"type": "websocket.send", "text": msgspec.json.encode(frame).decode()})


def _asks_for_status(message: Message) -> bool:
    try:
        asked = msgspec.json.decode(message.get("text") or message.get("bytes") or b"")
    except (msgspec.DecodeError, RecursionError):
        return False
    return isinstance(asked, dict) and asked.get("action") == "getStatus"
