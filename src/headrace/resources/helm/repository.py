"""The rows of Helm boards, sections and repositories; one set of functions for the three tables."""

from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Table, delete, insert, select, update

from headrace.http.paging import Pages
from headrace.kit.ids import new_id
from headrace.resources.helm.model import boards, helm_repos, sections
from headrace.resources.helm.schemas import Filter


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """One board."""

    id: str
    account_id: str
    name: str
    filter: Filter | None
    created_at: datetime


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One section of a board."""

    id: str
    account_id: str
    board_id: str
    name: str
    section: str
    color: str
    index: int
    created_at: datetime


class Repo(msgspec.Struct, frozen=True, kw_only=True):
    """One Helm repository."""

    id: str
    account_id: str
    name: str
    public: bool
    created_at: datetime
    updated_at: datetime


_Row = TypeVar("_Row", Board, Section, Repo)
_TABLES: dict[type, Table] = {Board: boards, Section: sections, Repo: helm_repos}


def listed(
    db: Connection,
    account_id: str,
    kind: type[_Row],
    pages: Pages | None = None,
    **equal: Any,  # noqa: ANN401 - columns
) -> list[_Row]:
    """Return the rows of a kind in an account, by name.

    Args:
        db: an open connection.
        account_id: whose rows.
        kind: `Board`, `Section` or `Repo`.
        pages: which of the rows; None: all.
        equal: only those whose columns have these values.
    """
    table = _TABLES[kind]
    query = select(table).where(table.c.account_id == account_id)
    for name, value in equal.items():
        query = query.where(table.c[name] == value)
    return [kind(**row) for row in (pages or Pages()).read(db, query, table.c.name, table.c.id)]


def add(db: Connection, account_id: str, kind: type, **values: Any) -> str:  # noqa: ANN401 - columns
    """Store a new row; return its id. Raises `sqlalchemy.exc.IntegrityError` for a taken name."""
    made = new_id()
    db.execute(insert(_TABLES[kind]).values(id=made, account_id=account_id, **values))
    return made


def change(db: Connection, account_id: str, kind: type, row_id: str, **values: Any) -> None:  # noqa: ANN401 - columns
    """Change columns. Raises `sqlalchemy.exc.IntegrityError` for a taken name."""
    table = _TABLES[kind]
    same = (table.c.account_id == account_id, table.c.id == row_id)
    db.execute(update(table).where(*same).values(**values))


def remove(db: Connection, account_id: str, kind: type, **equal: Any) -> None:  # noqa: ANN401 - columns
    """Delete the rows of an account whose columns have these values; all without any."""
    table = _TABLES[kind]
    query = delete(table).where(table.c.account_id == account_id)
    for name, value in equal.items():
        query = query.where(table.c[name] == value)
    db.execute(query)
