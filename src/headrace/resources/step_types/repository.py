"""The rows of step types."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from headrace.http.paging import MAX_LIMIT
from headrace.kit.ids import new_id
from headrace.resources.step_types.model import step_types


class StepTypeVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One stored version of a step type."""

    id: str
    account_id: str
    name: str
    version: str
    is_latest: bool
    is_shared: bool
    document: dict[str, Any]
    created_at: datetime
    updated_at: datetime


def own(db: Connection, account_id: str, name: str) -> list[StepTypeVersion]:
    """Return all versions of one name that the account has, in the order of their making."""
    query = (
        select(step_types)
        .where(step_types.c.account_id == account_id, step_types.c.name == name)
        .order_by(step_types.c.created_at, step_types.c.id)
    )
    return [StepTypeVersion(**row) for row in db.execute(query).mappings()]


def shared(db: Connection, account_id: str, name: str) -> list[StepTypeVersion]:
    """Return all versions of one name that another account shares; in the order of their making."""
    query = (
        select(step_types)
        .where(
            step_types.c.name == name,
            step_types.c.is_shared,
            step_types.c.account_id != account_id,
        )
        .order_by(step_types.c.created_at, step_types.c.id)
    )
    return [StepTypeVersion(**row) for row in db.execute(query).mappings()]


def visible(db: Connection, account_id: str) -> list[StepTypeVersion]:
    """Return the latest version of every name that the account has or others share, by name."""
    query = (
        select(step_types)
        .where(
            step_types.c.is_latest,
            or_(
                step_types.c.account_id == account_id,
                and_(step_types.c.is_shared, step_types.c.account_id != account_id),
            ),
        )
        .order_by(step_types.c.name, step_types.c.id)
        .limit(MAX_LIMIT)
    )
    return [StepTypeVersion(**row) for row in db.execute(query).mappings()]


def put(
    db: Connection,
    account_id: str,
    *,
    name: str,
    version: str,
    is_shared: bool,
    document: dict[str, Any],
    now: datetime,
) -> None:
    """Store one version, in the place of the one that the account has, if any."""
    values = {"is_shared": is_shared, "document": document, "updated_at": now}
    mine = (
        step_types.c.account_id == account_id,
        step_types.c.name == name,
        step_types.c.version == version,
    )
    if db.execute(update(step_types).where(*mine).values(values)).rowcount:
        return
    fresh = {"id": new_id(), "account_id": account_id, "name": name, "version": version}
    db.execute(insert(step_types).values(fresh | values | {"is_latest": False, "created_at": now}))


def mark_latest(db: Connection, account_id: str, name: str, version: str) -> None:
    """Make one version of a name the latest, and no other."""
    db.execute(
        update(step_types)
        .where(step_types.c.account_id == account_id, step_types.c.name == name)
        .values(is_latest=step_types.c.version == version)
    )


def remove(db: Connection, account_id: str, ids: Sequence[str]) -> None:
    """Delete some versions."""
    db.execute(delete(step_types).where(step_types.c.account_id == account_id, step_types.c.id.in_(ids)))
