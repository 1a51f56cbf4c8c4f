"""The rows of the audit log."""

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select

from headrace.resources.audit.model import audit


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the log."""

    id: str
    account_id: str
    created_at: datetime
    user_id: str
    user_name: str
    key_id: str | None
    build_id: str | None
    action: str
    entity: str
    entity_id: str
    method: str
    path: str
    status: int
    address: str
    user_agent: str


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries; what is empty or None does not count."""

    user_name: str = ""
    user_id: str = ""
    entity: str = ""
    entity_id: str = ""
    action: str = ""
    status: int | None = None
    search: str = ""  # in user, action and entity
    since: datetime | None = None
    until: datetime | None = None  # the first moment that no longer counts


def add(db: Connection, noted: Noted) -> None:
    """Store an entry."""
    db.execute(insert(audit).values(msgspec.structs.asdict(noted)))


def page(
    db: Connection,
    account_id: str,
    wanted: Wanted,
    *,
    limit: int,
    before: str = "",
    oldest_first: bool = False,
) -> list[Noted]:
    """Return entries of an account, by id, which is by time.

    Args:
        db: an open connection.
        account_id: whose log.
        wanted: which entries.
        limit: at most so many.
        before: the id of an entry: only what is older.
        oldest_first: the oldest of all first; else the newest.
    """
    query = select(audit).where(audit.c.account_id == account_id, *_conditions(wanted))
    if before:
        query = query.where(audit.c.id < before)
    order = audit.c.id if oldest_first else audit.c.id.desc()
    return [Noted(**row) for row in db.execute(query.order_by(order).limit(limit)).mappings()]


def forget(db: Connection, *, before: datetime) -> int:
    """Delete what is older, in all accounts; return the number."""
    return db.execute(delete(audit).where(audit.c.created_at < before)).rowcount


def forget_some(db: Connection, account_id: str, *, limit: int) -> int:
    """Delete entries of an account, at most so many; return the number."""
    some = select(audit.c.id).where(audit.c.account_id == account_id).order_by(audit.c.id).limit(limit)
    return db.execute(delete(audit).where(audit.c.id.in_(some))).rowcount


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    table = audit.c
    equal = {
        table.user_name: wanted.user_name,
        table.user_id: wanted.user_id,
        table.entity: wanted.entity,
        table.entity_id: wanted.entity_id,
        table.action: wanted.action,
    }
    found: list[ColumnElement[bool]] = [column == value for column, value in equal.items() if value]
    if wanted.status is not None:
        found.append(table.status == wanted.status)
    if wanted.since is not None:
        found.append(table.created_at >= wanted.since)
    if wanted.until is not None:
        found.append(table.created_at < wanted.until)
    if wanted.search:
        columns = (table.user_name, table.action, table.entity_id)
        found.append(or_(*(column.contains(wanted.search, autoescape=True) for column in columns)))
    return found
