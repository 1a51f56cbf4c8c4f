"""The rows of compositions."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, or_, select, update

from headrace.http.paging import Pages
from headrace.kit.ids import new_id
from headrace.resources.compositions.model import compositions


class Composition(msgspec.Struct, frozen=True, kw_only=True):
    """One stored composition."""

    id: str
    account_id: str
    name: str
    is_advanced: bool
    vars: list[str | dict[str, str]]
    yaml_json: str
    created_at: datetime


def listed(db: Connection, account_id: str, pages: Pages | None = None) -> list[Composition]:
    """Return the compositions of an account by name."""
    query = select(compositions).where(compositions.c.account_id == account_id)
    found = (pages or Pages()).read(db, query, compositions.c.name, compositions.c.id)
    return [Composition(**row) for row in found]


def find(db: Connection, account_id: str, wanted: str) -> Composition | None:
    """Return a composition by its id, or else by its name."""
    query = select(compositions).where(
        compositions.c.account_id == account_id,
        or_(compositions.c.id == wanted, compositions.c.name == wanted),
    )
    found = [Composition(**row) for row in db.execute(query).mappings()]
    return min(found, key=lambda each: each.id != wanted, default=None)


def add(db: Connection, account_id: str, *, now: datetime, **values: Any) -> str:  # noqa: ANN401 - columns
    """Store a new composition; return its id."""
    made = new_id()
    db.execute(insert(compositions).values(id=made, account_id=account_id, created_at=now, **values))
    return made


def change(db: Connection, account_id: str, composition_id: str, **values: Any) -> None:  # noqa: ANN401 - columns
    """Change what is stored of a composition."""
    db.execute(
        update(compositions)
        .where(compositions.c.account_id == account_id, compositions.c.id == composition_id)
        .values(**values)
    )


def remove(db: Connection, account_id: str, composition_id: str) -> None:
    """Delete a composition."""
    db.execute(
        delete(compositions).where(
            compositions.c.account_id == account_id, compositions.c.id == composition_id
        )
    )
