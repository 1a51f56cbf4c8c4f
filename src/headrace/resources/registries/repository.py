"""The rows of registries."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from headrace.http.paging import Pages
from headrace.kit.ids import new_id
from headrace.resources.registries.model import registries


class Registry(msgspec.Struct, frozen=True, kw_only=True):
    """One stored registry."""

    id: str
    account_id: str
    name: str
    domain: str
    provider: str
    is_default: bool
    document: dict[str, Any]  # secret values sealed
    created_at: datetime
    updated_at: datetime


def listed(db: Connection, account_id: str, pages: Pages | None = None) -> list[Registry]:
    """Return the registries of an account by name."""
    query = select(registries).where(registries.c.account_id == account_id)
    found = (pages or Pages()).read(db, query, registries.c.name, registries.c.id)
    return [Registry(**row) for row in found]


def add(db: Connection, account_id: str, *, now: datetime, **values: Any) -> str:  # noqa: ANN401 - columns
    """Store a new registry; return its id."""
    made = new_id()
    db.execute(
        insert(registries).values(id=made, account_id=account_id, created_at=now, updated_at=now, **values)
    )
    return made


def change(db: Connection, account_id: str, registry_id: str, **values: Any) -> None:  # noqa: ANN401 - columns
    """Change what is stored of a registry."""
    db.execute(
        update(registries)
        .where(registries.c.account_id == account_id, registries.c.id == registry_id)
        .values(**values)
    )


def unmark_default(db: Connection, account_id: str) -> None:
    """Take the default mark from whichever registry has it."""
    db.execute(
        update(registries)
        .where(registries.c.account_id == account_id, registries.c.is_default)
        .values(is_default=False)
    )


def remove(db: Connection, account_id: str, registry_id: str) -> None:
    """Delete a registry."""
    db.execute(
        delete(registries).where(registries.c.account_id == account_id, registries.c.id == registry_id)
    )
