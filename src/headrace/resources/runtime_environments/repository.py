"""The rows of workers and of what accounts say about runtime environments."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from headrace.kit.ids import new_id
from headrace.resources.runtime_environments.model import runtime_environments, workers
from headrace.resources.runtime_environments.schemas import Worker


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What an account says about a runtime environment."""

    id: str
    account_id: str
    name: str
    is_default: bool
    hidden: bool
    version: int
    description: str
    document: dict[str, Any]
    history: list[dict[str, Any]]
    changed_by: str
    created_at: datetime
    updated_at: datetime


def store_worker(db: Connection, worker: Worker) -> None:
    """Store the report of a worker in the place of its last one."""
    values = msgspec.structs.asdict(worker)
    if db.execute(update(workers).where(workers.c.id == worker.id).values(values)).rowcount == 0:
        db.execute(insert(workers).values(values))


def remove_worker(db: Connection, worker_id: str) -> None:
    """Forget a worker."""
    db.execute(delete(workers).where(workers.c.id == worker_id))


def forget_workers(db: Connection, *, before: datetime) -> None:
    """Forget the workers that were not heard of since a moment."""
    db.execute(delete(workers).where(workers.c.seen_at < before))


def all_workers(db: Connection) -> list[Worker]:
    """Return all workers by environment, then by start; ties by id."""
    query = select(workers).order_by(workers.c.environment, workers.c.started_at, workers.c.id)
    return [Worker(**row) for row in db.execute(query).mappings()]


def records(db: Connection, account_id: str) -> dict[str, Record]:
    """Return what an account says, by name of the environment."""
    query = select(runtime_environments).where(runtime_environments.c.account_id == account_id)
    return {row["name"]: Record(**row) for row in db.execute(query).mappings()}


def add(db: Connection, account_id: str, name: str, *, by: str, now: datetime) -> Record:
    """Store that an account says something about an environment; return the row."""
    record = Record(
        id=new_id(),
        account_id=account_id,
        name=name,
        is_default=False,
        hidden=False,
        version=1,
        description="",
        document={},
        history=[],
        changed_by=by,
        created_at=now,
        updated_at=now,
    )
    db.execute(insert(runtime_environments).values(msgspec.structs.asdict(record)))
    return record


def change(db: Connection, account_id: str, name: str, values: Mapping[str, object]) -> None:
    """Change what an account says about an environment."""
    table = runtime_environments
    db.execute(update(table).where(table.c.account_id == account_id, table.c.name == name).values(**values))


def unmark_default(db: Connection, account_id: str) -> None:
    """Take the mark from the account's default."""
    table = runtime_environments
    db.execute(update(table).where(table.c.account_id == account_id).values(is_default=False))
