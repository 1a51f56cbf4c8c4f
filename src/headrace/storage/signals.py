"""Wake-ups: something has changed, whoever waits may look. In this process, and through PostgreSQL.

A signal is a hint: it may be lost or come for nothing, so everybody who waits also looks again
after a while. It is published after the commit that it tells of (`storage.engine.after_commit`).
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Iterator
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, make_url, text
from sqlalchemy.engine import Engine

from headrace.storage.engine import Database, after_commit

_log = logging.getLogger(__name__)

_CHANNEL = "headrace"
_RETRY_S = 2.0
_LOOK_S = 0.5  # how often the listening thread asks whether it is to end

_of_engine: WeakKeyDictionary[Engine, "Signals"] = WeakKeyDictionary()


def publish(db: Connection, topic: str) -> None:
    """Wake all who wait for ``topic`` as soon as the transaction of ``db`` is committed."""
    signals = _of_engine.get(db.engine)
    if signals is not None:
        after_commit(db, lambda: signals.wake(topic))
    if db.dialect.name == "postgresql":
        db.execute(text("SELECT pg_notify(:channel, :topic)"), {"channel": _CHANNEL, "topic": topic})


def of_account(account_id: str, kind: str) -> str:
    """Return the topic of changes in an account; ``kind`` is the tag of operations: ``pipelines``."""
    return f"{kind}:{account_id}"


class Signals:
    """Topics and those in this process who wait for them; `publish` finds it by the connection.

    Args:
        database: signals of other processes come through it when it is PostgreSQL.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        _of_engine[database.engine] = self
        self._lock = threading.Lock()
        self._waiting: dict[str, set[Wait]] = {}
        self._ended = threading.Event()
        self._listener: threading.Thread | None = None

    def start(self) -> None:
        """Hear other processes, where the database can carry their signals."""
        if not self._database.is_sqlite:
            self._listener = threading.Thread(target=self._listen, name="signals", daemon=True)
            self._listener.start()

    def close(self) -> None:
        """Stop listening. Safe twice."""
        self._ended.set()
        if _of_engine.get(self._database.engine) is self:  # else each would keep the other for ever
            del _of_engine[self._database.engine]
        if self._listener is not None:
            self._listener.join()

    def wake(self, topic: str) -> None:
        """Wake all in this process who wait for ``topic``, now."""
        with self._lock:
            waits = tuple(self._waiting.get(topic, ()))
        for wait in waits:
            wait.wake(topic)

    @contextlib.contextmanager
    def listening(self, *topics: str) -> Iterator["Wait"]:
        """Listen to topics; a signal between two calls of `Wait.next` is not missed."""
        wait = Wait(asyncio.get_running_loop())
        with self._lock:
            for topic in topics:
                self._waiting.setdefault(topic, set()).add(wait)
        try:
            yield wait
        finally:
            with self._lock:
                for topic in topics:
                    waits = self._waiting[topic]
                    waits.discard(wait)
                    if not waits:
                        del self._waiting[topic]

    def _listen(self) -> None:
        import psycopg  # noqa: PLC0415 - a tenth of the server's memory, which SQLite does not need

        url = make_url(self._database.url).set(drivername="postgresql")
        address = url.render_as_string(hide_password=False)
        while not self._ended.is_set():
            try:
                with psycopg.connect(address, autocommit=True) as connection:
                    connection.execute(f"LISTEN {_CHANNEL}")
                    while not self._ended.is_set():
                        for notice in connection.notifies(timeout=_LOOK_S):
                            self.wake(notice.payload)
            except psycopg.Error:
                _log.warning("signals of other servers are not heard; trying again", exc_info=True)
                self._ended.wait(_RETRY_S)


class Wait:
    """One who waits for topics. `heard` are those of the signals since it was emptied last."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()
        self.heard: set[str] = set()  # for who listens to several; touched in the loop only

    async def next(self, timeout_s: float) -> bool:
        """Return at the next signal (True), at the latest after ``timeout_s`` seconds (False)."""
        try:
            await asyncio.wait_for(self._event.wait(), timeout_s)
        except TimeoutError:
            return False
        self._event.clear()
        return True

    def wake(self, topic: str) -> None:
        """Let `next` return; from any thread."""
        with contextlib.suppress(RuntimeError):  # its loop has ended, nobody waits
            self._loop.call_soon_threadsafe(self._hear, topic)

    def _hear(self, topic: str) -> None:
        self.heard.add(topic)
        self._event.set()
