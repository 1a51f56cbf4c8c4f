"""The rows of contexts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from headrace.http.paging import Pages
from headrace.kit.ids import new_id
from headrace.resources.contexts.model import contexts


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """One stored context."""

    id: str
    account_id: str
    name: str
    type: str
    is_default: bool
    document: dict[str, Any]  # secret values sealed
    created_at: datetime
    updated_at: datetime


def by_name(db: Connection, account_id: str, name: str) -> Context | None:
    """Find a context; None where the account has none of that name."""
    found = by_names(db, account_id, [name])
    return found[0] if found else None


def by_names(db: Connection, account_id: str, names: Sequence[str]) -> list[Context]:
    """Find the contexts that exist among ``names``, in no order."""
    query = select(contexts).where(contexts.c.account_id == account_id, contexts.c.name.in_(names))
    return [Context(**row) for row in db.execute(query).mappings()]


def listed(
    db: Connection, account_id: str, pages: Pages | None = None, *, types: Sequence[str] = ()
) -> list[Context]:
    """Return the contexts of an account by name; only of some types where any are given."""
    query = select(contexts).where(contexts.c.account_id == account_id)
    if types:
        query = query.where(contexts.c.type.in_(types))
    return [Context(**row) for row in (pages or Pages()).read(db, query, contexts.c.name, contexts.c.id)]


def default_git(db: Connection, account_id: str, *, types: Sequence[str]) -> Context | None:
    """Find the git context that is used where none is named: the marked one, else the oldest."""
    query = (
        select(contexts)
        .where(contexts.c.account_id == account_id, contexts.c.type.in_(types))
        .order_by(contexts.c.is_default.desc(), contexts.c.created_at, contexts.c.id)
        .limit(1)
    )
    row = db.execute(query).mappings().first()
    return Context(**row) if row else None


def add(
    db: Connection,
    account_id: str,
    *,
    name: str,
    type: str,  # noqa: A002 - the name of the column
    is_default: bool,
    document: dict[str, Any],
    now: datetime,
) -> None:
    """Store a new context."""
    values = {"name": name, "type": type, "is_default": is_default, "document": document}
    db.execute(
        insert(contexts).values(id=new_id(), account_id=account_id, created_at=now, updated_at=now, **values)
    )


def change(
    db: Connection,
    account_id: str,
    context_id: str,
    *,
    name: str,
    type: str,  # noqa: A002 - the name of the column
    is_default: bool,
    document: dict[str, Any],
    now: datetime,
) -> None:
    """Replace what is stored of a context."""
    db.execute(
        update(contexts)
        .where(contexts.c.account_id == account_id, contexts.c.id == context_id)
        .values(name=name, type=type, is_default=is_default, document=document, updated_at=now)
    )


def unmark_default(db: Connection, account_id: str) -> None:
    """Take the default mark from whichever context has it."""
    db.execute(
        update(contexts)
        .where(contexts.c.account_id == account_id, contexts.c.is_default)
        .values(is_default=False)
    )


def remove(db: Connection, account_id: str, context_id: str) -> None:
    """Delete a context."""
    db.execute(delete(contexts).where(contexts.c.account_id == account_id, contexts.c.id == context_id))
