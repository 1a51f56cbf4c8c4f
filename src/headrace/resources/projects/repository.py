"""The rows of projects."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    column,
    delete,
    func,
    insert,
    literal,
    select,
    table,
    update,
)

from headrace.http.paging import Pages, total
from headrace.http.rights import Seen
from headrace.kit.ids import new_id
from headrace.resources.projects.model import projects
from headrace.storage.members import has_member

# Pipelines know projects, so their model cannot be imported here: these columns stand for it.
_pipelines = table("pipelines", column("id"), column("account_id"), column("project_id"), column("name"))
_count = (
    select(func.count())
    .select_from(_pipelines)
    .where(_pipelines.c.project_id == projects.c.id)
    .scalar_subquery()
    .label("pipelines_number")
)


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """One project."""

    id: str
    account_id: str
    name: str
    tags: list[str]
    variables: list[dict[str, Any]]  # encrypted values sealed
    created_at: datetime
    updated_at: datetime
    pipelines_number: int


def by_id(db: Connection, account_id: str, project_id: str) -> Project | None:
    """Find a project by its id; None where the account has none."""
    return _one(db, account_id, projects.c.id == project_id)


def by_name(db: Connection, account_id: str, name: str) -> Project | None:
    """Find a project by its name; None where the account has none."""
    return _one(db, account_id, projects.c.name == name)


def _one(db: Connection, account_id: str, condition: ColumnElement[bool]) -> Project | None:
    query = select(projects, _count).where(projects.c.account_id == account_id, condition)
    row = db.execute(query).mappings().first()
    return Project(**row) if row else None


def listed(
    db: Connection,
    account_id: str,
    pages: Pages,
    *,
    name: str = "",
    tags: Sequence[str] = (),
    seen: Seen | None = None,
) -> tuple[list[Project], int]:
    """Return a page of projects, and how many there are in all.

    Args:
        db: an open connection.
        account_id: whose projects.
        pages: which of them.
        name: only those whose name contains this, in any case.
        tags: only those that carry all of these.
        seen: what rules let the reader see; None: all.

    Returns:
        The last changed first, ties by id, descending.
    """
    conditions = [projects.c.account_id == account_id, *(has_member(projects.c.tags, tag) for tag in tags)]
    if name:
        conditions.append(projects.c.name.icontains(name, autoescape=True))
    if seen is not None:
        conditions.append(projects.c.id.in_(seen.ids))
    query = select(projects, _count).where(*conditions)
    rows = pages.read(db, query, projects.c.updated_at, projects.c.id, descending=True)
    return [Project(**row) for row in rows], total(db, projects, *conditions)


def add(
    db: Connection,
    account_id: str,
    *,
    name: str,
    tags: Sequence[str],
    variables: Sequence[dict[str, Any]],
    now: datetime,
) -> str:
    """Store a new project and return its id."""
    project_id = new_id()
    values = {"name": name, "tags": list(tags), "variables": list(variables)}
    db.execute(
        insert(projects).values(
            id=project_id, account_id=account_id, created_at=now, updated_at=now, **values
        )
    )
    return project_id


def change(
    db: Connection,
    account_id: str,
    project_id: str,
    *,
    name: str,
    tags: Sequence[str],
    variables: Sequence[dict[str, Any]],
    now: datetime,
) -> None:
    """Replace what is stored of a project."""
    db.execute(
        update(projects)
        .where(projects.c.account_id == account_id, projects.c.id == project_id)
        .values(name=name, tags=list(tags), variables=list(variables), updated_at=now)
    )


def rename_pipelines(db: Connection, account_id: str, project_id: str, *, old: str, new: str) -> None:
    """Give the pipelines of a renamed project the new first part of their names.

    Raises:
        sqlalchemy.exc.IntegrityError: a pipeline of that name exists already.
    """
    rest = func.substr(_pipelines.c.name, len(old) + 1, type_=String)
    db.execute(
        update(_pipelines)
        .where(_pipelines.c.account_id == account_id, _pipelines.c.project_id == project_id)
        .values(name=literal(new, String) + rest)
    )


def remove(db: Connection, account_id: str, project_id: str) -> None:
    """Delete a project."""
    db.execute(delete(projects).where(projects.c.account_id == account_id, projects.c.id == project_id))
