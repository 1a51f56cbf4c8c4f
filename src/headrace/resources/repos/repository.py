"""The rows of repositories."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select

from headrace.http.paging import Pages
from headrace.kit.ids import new_id
from headrace.resources.repos.model import repos


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """One repository that an account added."""

    id: str
    account_id: str
    name: str
    context: str
    owner: str
    repo: str
    created_at: datetime


def listed(
    db: Connection, account_id: str, pages: Pages | None = None, *, context: str = "", name: str = ""
) -> list[Added]:
    """Return the repositories of an account by name; only of a context, or of a name, where given."""
    query = select(repos).where(repos.c.account_id == account_id)
    if context:
        query = query.where(repos.c.context == context)
    if name:
        query = query.where(repos.c.name == name)
    return [Added(**row) for row in (pages or Pages()).read(db, query, repos.c.name, repos.c.id)]


def add(db: Connection, account_id: str, **values: Any) -> None:  # noqa: ANN401 - columns
    """Store a repository. Raises `sqlalchemy.exc.IntegrityError` for a taken name."""
    db.execute(insert(repos).values(id=new_id(), account_id=account_id, **values))


def remove(db: Connection, account_id: str, repo_id: str) -> None:
    """Forget a repository."""
    db.execute(delete(repos).where(repos.c.account_id == account_id, repos.c.id == repo_id))
