"""Backups: one archive with all rows, the secrets key, the logs and the reports, whatever the engine.

Rows travel as JSON, so a backup of SQLite can be restored into PostgreSQL and the other way round.
"""

import importlib
import importlib.util
import io
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, LargeBinary, MetaData, Table, select

from headrace.resources import RESOURCES
from headrace.storage import migrations
from headrace.storage.engine import Database
from headrace.storage.metadata import UtcTime, metadata

KEY_FILE = "secrets.key"
LOGS_FOLDER = "logs"
REPORTS_FOLDER = "reports"
_FOLDERS = (LOGS_FOLDER, REPORTS_FOLDER)
_FORMAT = 1
_BATCH_ROWS = 500


class BackupRefused(Exception):
    """The archive or the place for it does not fit; the message says what to do."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """The first member of an archive, ``about.json``."""

    format: int = _FORMAT
    revision: str  # of the schema
    created_at: datetime


def backup(db: Database, data: Path, target: Path, *, now: datetime) -> dict[str, int]:
    """Write a backup. The server may run: rows are of one moment, logs at least as new.

    Args:
        db: the database.
        data: data folder with the secrets key, the logs and the reports.
        target: file to write; appears only when it is whole.
        now: the time.

    Returns:
        Rows by table.

    Raises:
        BackupRefused: the database is empty or has a schema of another release.
    """
    if not migrations.at_head(db):
        raise BackupRefused("the database has not the schema of this release; run 'headrace migrate' first")
    load_models()
    part = target.with_name(target.name + ".part")
    try:
        with tarfile.open(part, "w:gz", compresslevel=3) as archive:
            about = About(revision=migrations.head(), created_at=now)
            _add(archive, "about.json", msgspec.json.encode(about))
            counts = _add_tables(archive, db)
            if (data / KEY_FILE).exists():
                archive.add(data / KEY_FILE, KEY_FILE)
            for name in _FOLDERS:
                if (data / name).exists():
                    archive.add(data / name, name)
        part.chmod(0o600)  # it holds the secrets key
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return counts


def restore(db: Database, data: Path, source: Path) -> dict[str, int]:
    """Fill an empty installation from a backup and bring it to the schema of this release.

    Returns:
        Rows by table.

    Raises:
        BackupRefused: there is something already, or the archive is none of ours.
    """
    if migrations.revision(db) is not None:
        raise BackupRefused("the database is not empty; restore into a new data folder or database")
    for name in (KEY_FILE, *_FOLDERS):
        if (data / name).exists():
            raise BackupRefused(f"{data / name} exists already; restore into a new data folder")
    load_models()
    data.mkdir(parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    try:
        with tarfile.open(source, "r:*") as archive:
            about = _about(archive)
            migrations.upgrade(db, about.revision)
            with db.transaction() as connection:
                tables = _tables(connection)
                for member in archive:
                    name = member.name
                    if name.startswith("tables/"):
                        table = tables[Path(name).stem]
                        counts[table.name] = _fill(connection, table, _lines(archive, member))
                    elif name == KEY_FILE or name.split("/")[0] in _FOLDERS:
                        archive.extract(member, data, filter="data")
    except (tarfile.TarError, msgspec.DecodeError, OSError) as problem:
        raise BackupRefused(f"{source}: {problem}") from None
    migrations.upgrade(db)
    return counts


def load_models() -> None:
    """Import every table of the installation into the shared metadata."""
    for name in RESOURCES:
        module = f"headrace.resources.{name}.model"
        if importlib.util.find_spec(module) is not None:
            importlib.import_module(module)


def _about(archive: tarfile.TarFile) -> About:
    first = archive.next()
    file = archive.extractfile(first) if first is not None and first.name == "about.json" else None
    if file is None:
        raise BackupRefused("this is no backup of Headrace: it does not begin with about.json")
    about = msgspec.json.decode(file.read(), type=About)
    if about.format != _FORMAT or about.revision > migrations.head():
        raise BackupRefused("the backup was made by a later release; restore it with that one")
    return about


def _tables(connection: Connection) -> dict[str, Table]:
    """Return the tables as they are, columns typed as the models say, in the order to fill them."""
    found = MetaData()
    found.reflect(connection)
    for table in found.sorted_tables:
        model = metadata.tables.get(table.name)
        for column in table.columns:
            if model is not None and column.name in model.columns:
                column.type = model.columns[column.name].type
    return {table.name: table for table in found.sorted_tables if table.name != "alembic_version"}


def _add_tables(archive: tarfile.TarFile, db: Database) -> dict[str, int]:
    counts = {}
    with db.engine.connect() as connection:
        # One snapshot: SQLite's deferred transaction has it from the first read on.
        connection.exec_driver_sql(
            "BEGIN" if db.is_sqlite else "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
        )
        for number, table in enumerate(_tables(connection).values()):
            with tempfile.TemporaryFile() as file:
                rows = connection.execution_options(yield_per=_BATCH_ROWS).execute(select(table))
                counts[table.name] = 0
                for row in rows.mappings():
                    file.write(msgspec.json.encode(dict(row)) + b"\n")
                    counts[table.name] += 1
                member = tarfile.TarInfo(f"tables/{number:03d}/{table.name}.jsonl")
                member.size = file.tell()
                file.seek(0)
                archive.addfile(member, file)
    return counts


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _lines(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    file = archive.extractfile(member)
    return iter(()) if file is None else iter(file)


def _fill(connection: Connection, table: Table, lines: Iterator[bytes]) -> int:
    readers = {column.name: _reader(column.type) for column in table.columns}
    batch: list[dict[str, Any]] = []
    count = 0
    for line in lines:
        row = msgspec.json.decode(line)
        batch.append({name: None if value is None else readers[name](value) for name, value in row.items()})
        count += 1
        if len(batch) == _BATCH_ROWS:
            connection.execute(table.insert(), batch)
            batch = []
    if batch:
        connection.execute(table.insert(), batch)
    return count


def _reader(kind: object) -> Callable[[Any], Any]:
    if isinstance(kind, UtcTime):
        return lambda text: datetime.fromisoformat(text).astimezone(UTC)
    if isinstance(kind, LargeBinary):
        return lambda text: msgspec.convert(text, bytes)
    return lambda value: value
