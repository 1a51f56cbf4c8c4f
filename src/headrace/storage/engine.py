"""The database: SQLite or PostgreSQL behind the same two doors, `transaction` and `reading`."""

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, create_engine, event, make_url, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

_log = logging.getLogger(__name__)

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=wal",
    "PRAGMA synchronous=normal",
    "PRAGMA busy_timeout=5000",
    "PRAGMA foreign_keys=on",
)
_AFTER_COMMIT = "headrace_after_commit"
# What a database raises that is away, starting, full or too busy: the same may go well a little later.
AWAY = (OperationalError, InterfaceError)


def sqlite_url(path: Path) -> str:
    """Return the URL of the SQLite database in the file ``path``."""
    return f"sqlite:///{path.resolve()}"


class Database:
    """One database. Safe to share between threads; a connection is not.

    Args:
        url: ``sqlite:////data/headrace.db``, or ``postgresql://user:password@host/name`` (psycopg 3).
        pool_size: connections kept open; as many again may be opened at a peak.
    """

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.url = parsed.render_as_string(hide_password=False)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        options: dict[str, Any] = {}
        if self.is_sqlite:
            options["connect_args"] = {"check_same_thread": False, "timeout": 5.0}
        self.engine: Engine = create_engine(
            parsed,
            poolclass=QueuePool,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_use_lifo=True,
            query_cache_size=2000,
            json_serializer=_json_text,
            **options,
        )
        # SQLite lets one writer in and the others sleep for growing times; here they queue instead.
        self._writer = threading.Lock() if self.is_sqlite else contextlib.nullcontext()
        # Reads need no BEGIN and COMMIT around them. SQLite opens no transaction unless told to.
        self._reader = self.engine
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
        else:
            self._reader = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a connection for writing: commit at the end, roll back on an exception.

        On SQLite the write lock is taken at once (``BEGIN IMMEDIATE``), so that a transaction which
        reads before it writes never fails half-way. Callbacks of `after_commit` run when the
        connection is free again.
        """
        with self._writer, self.engine.connect() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            callbacks: list[Callable[[], None]] = []
            connection.info[_AFTER_COMMIT] = callbacks
            try:
                yield connection
                connection.commit()
            finally:
                del connection.info[_AFTER_COMMIT]
        for callback in callbacks:
            try:
                callback()
            except Exception:  # noqa: BLE001 - all is committed: a failed wake-up fails no request
                _log.exception("a callback after a commit failed")

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection for reading; each statement sees what was committed before it."""
        with self._reader.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close all idle connections."""
        self.engine.dispose()

    def ping(self) -> None:
        """Ask the database for an answer; raises `sqlalchemy.exc.SQLAlchemyError` when it is away."""
        with self.reading() as connection:
            connection.execute(text("SELECT 1"))


def after_commit(connection: Connection, callback: Callable[[], None]) -> None:
    """Run ``callback`` once the transaction of ``connection`` is committed; never if it is not.

    Raises:
        RuntimeError: the connection is not one of `Database.transaction`.
    """
    callbacks = connection.info.get(_AFTER_COMMIT)
    if callbacks is None:
        raise RuntimeError("after_commit needs a connection of Database.transaction()")
    callbacks.append(callback)


def cause(failure: SQLAlchemyError) -> str:
    """Return what the database itself said, in one line without the statement."""
    return " ".join(str(getattr(failure, "orig", None) or failure).split())


def _json_text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _prepare_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    # sqlite3 must not open transactions by itself: `transaction` says BEGIN IMMEDIATE.
    connection.isolation_level = None
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(pragma)
