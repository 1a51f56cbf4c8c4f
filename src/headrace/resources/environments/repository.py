"""The rows of environments."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, Select, delete, insert, or_, select, update

from headrace.http.paging import MAX_LIMIT
from headrace.kit.ids import new_id
from headrace.resources.environments.model import environments
from headrace.resources.environments.schemas import Environment
from headrace.runtimes.base import LaunchedService


def listed(
    db: Connection, account_id: str, launched_by: Select[tuple[str]] | None = None
) -> list[Environment]:
    """Return the environments of an account by name, the newest of a name first.

    Args:
        db: an open connection.
        account_id: whose.
        launched_by: only those of these builds; None: all.
    """
    query = select(environments).where(environments.c.account_id == account_id)
    if launched_by is not None:
        query = query.where(environments.c.build_id.in_(launched_by))
    order = (environments.c.name, environments.c.id.desc())
    return _all(db, query.order_by(*order).limit(MAX_LIMIT))


def find(db: Connection, account_id: str, wanted: str) -> Environment | None:
    """Return an environment by its id, or else the newest of a name, those that end last."""
    found = _all(
        db,
        select(environments)
        .where(
            environments.c.account_id == account_id,
            or_(environments.c.id == wanted, environments.c.name == wanted),
        )
        .order_by(environments.c.id.desc()),
    )
    return min(found, key=lambda one: (one.id != wanted, one.wish == "terminate"), default=None)


def named(db: Connection, account_id: str, name: str) -> list[Environment]:
    """Return the environments of a name that are not being terminated."""
    query = select(environments).where(
        environments.c.account_id == account_id,
        environments.c.name == name,
        environments.c.wish != "terminate",
    )
    return _all(db, query.order_by(environments.c.id))


def on_engine(db: Connection, engine: str) -> list[Environment]:
    """Return the environments of all accounts on one engine, oldest first."""
    return _all(db, select(environments).where(environments.c.engine == engine).order_by(environments.c.id))


def elsewhere(db: Connection, ids: Collection[str], engine: str) -> list[Environment]:
    """Return those of these environments that are said to be on another engine, oldest first."""
    query = select(environments).where(environments.c.id.in_(ids), environments.c.engine != engine)
    return _all(db, query.order_by(environments.c.id))


def add(db: Connection, account_id: str, *, now: datetime, **values: Any) -> str:  # noqa: ANN401 - columns
    """Store a new environment; return its id."""
    made = new_id()
    row = {"id": made, "account_id": account_id, "created_at": now, "wished_at": now}
    db.execute(insert(environments).values(**row, **values))
    return made


def change(db: Connection, account_id: str, environment_id: str, **values: Any) -> bool:  # noqa: ANN401 - columns
    """Change what is stored of an environment; tell whether there is one."""
    same = (environments.c.account_id == account_id, environments.c.id == environment_id)
    return db.execute(update(environments).where(*same).values(**values)).rowcount > 0


def remove(db: Connection, account_id: str, environment_id: str) -> None:
    """Delete an environment."""
    same = (environments.c.account_id == account_id, environments.c.id == environment_id)
    db.execute(delete(environments).where(*same))


def _all(db: Connection, query: "Select[Any]") -> list[Environment]:
    return [_read(row) for row in db.execute(query).mappings()]


def _read(row: RowMapping) -> Environment:
    services = msgspec.convert(row["services"], tuple[LaunchedService, ...])
    return Environment(**{**row, "services": services})
