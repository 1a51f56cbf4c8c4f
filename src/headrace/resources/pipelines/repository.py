"""The rows of pipelines."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    RowMapping,
    delete,
    insert,
    or_,
    select,
    union_all,
    update,
)

from headrace.http.paging import Pages, total
from headrace.http.rights import Seen
from headrace.kit.ids import is_id
from headrace.resources.pipelines.model import pipelines
from headrace.storage.members import has_member


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """One pipeline."""

    id: str
    account_id: str
    project_id: str
    name: str  # whole: ``project/pipeline``
    short_name: str  # without the project
    revision: int
    labels: dict[str, Any]
    document: dict[str, Any]  # secret values sealed, derived metadata absent
    yaml: str  # what a build runs; ``""`` where the steps are stored elsewhere
    created_at: datetime
    updated_at: datetime

    @property
    def project(self) -> str:
        """Name of the project."""
        return self.name[: -len(self.short_name) - 1]


def find(db: Connection, account_id: str, reference: str) -> Pipeline | None:
    """Find a pipeline by its id or its whole name; an id wins."""
    same = or_(pipelines.c.id == reference, pipelines.c.name == reference)
    query = select(pipelines).where(pipelines.c.account_id == account_id, same)
    found = [Pipeline(**row) for row in db.execute(query).mappings()]
    return min(found, key=lambda one: one.id != reference, default=None)


def anybody_s(db: Connection, pipeline_id: str) -> Pipeline | None:
    """Find a pipeline of any account by its id."""
    row = db.execute(select(pipelines).where(pipelines.c.id == pipeline_id)).mappings().first()
    return Pipeline(**row) if row else None


def by_name(db: Connection, account_id: str, name: str) -> Pipeline | None:
    """Find a pipeline by its whole name."""
    query = select(pipelines).where(pipelines.c.account_id == account_id, pipelines.c.name == name)
    row = db.execute(query).mappings().first()
    return Pipeline(**row) if row else None


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which pipelines of an account: all must match.

    Args:
        references: ids or names, any of which must match; empty takes all.
        exact: names must be equal; else it is enough that they contain the text, in any case.
        labels: all of these must be there: key → value, or values with commas between.
        project_id: only of this project; empty takes all.
        seen: what rules let the reader see; None: all.
    """

    references: Sequence[str] = ()
    exact: bool = False
    labels: Mapping[str, str] = {}
    project_id: str = ""
    seen: Seen | None = None


def listed(db: Connection, account_id: str, wanted: Wanted, pages: Pages) -> tuple[list[Pipeline], int]:
    """Return a page of pipelines, the last changed first, ties by id, descending; and their number in all."""
    rows = _page(db, account_id, wanted, pages, *pipelines.c)
    return [Pipeline(**row) for row in rows], total(db, pipelines, *_conditions(account_id, wanted))


def names(db: Connection, account_id: str, wanted: Wanted, pages: Pages) -> list[tuple[str, str]]:
    """Return ids and whole names of a page of pipelines, in the order of `listed`; no documents are read."""
    rows = _page(db, account_id, wanted, pages, pipelines.c.id, pipelines.c.name, pipelines.c.updated_at)
    return [(row["id"], row["name"]) for row in rows]


def _page(
    db: Connection, account_id: str, wanted: Wanted, pages: Pages, *columns: Column[Any]
) -> Sequence[RowMapping]:
    query = select(*columns).where(*_conditions(account_id, wanted))
    return pages.read(db, query, pipelines.c.updated_at, pipelines.c.id, descending=True)


def _conditions(account_id: str, wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions = [pipelines.c.account_id == account_id]
    if wanted.project_id:
        conditions.append(pipelines.c.project_id == wanted.project_id)
    if wanted.seen is not None:
        conditions.append(pipelines.c.id.in_(wanted.seen.ids))
    if wanted.references:
        named = _named(account_id, wanted.references)
        conditions.append(named if wanted.exact else or_(*map(_matches, wanted.references)))
    conditions += [
        has_member(pipelines.c.labels, value, key=key)
        for key, values in wanted.labels.items()
        for value in values.split(",")
    ]
    return conditions


def _named(account_id: str, references: Sequence[str]) -> ColumnElement[bool]:
    """Match pipelines by id or whole name, each looked up in its index."""
    named = select(pipelines.c.id).where(pipelines.c.account_id == account_id)
    return pipelines.c.id.in_(
        union_all(named.where(pipelines.c.id.in_(references)), named.where(pipelines.c.name.in_(references)))
    )


def _matches(reference: str) -> ColumnElement[bool]:
    name = pipelines.c.name.icontains(reference, autoescape=True)
    # An index has the names alone: the ids are asked for only where one may be meant.
    return or_(pipelines.c.id == reference, name) if is_id(reference) else name


def add(db: Connection, pipeline: Pipeline) -> None:
    """Store a new pipeline.

    Raises:
        sqlalchemy.exc.IntegrityError: the account has one of that name.
    """
    db.execute(insert(pipelines).values(msgspec.structs.asdict(pipeline)))


def change(db: Connection, pipeline: Pipeline) -> None:
    """Replace what is stored of a pipeline, by its id and account.

    Raises:
        sqlalchemy.exc.IntegrityError: the account has another one of that name.
    """
    db.execute(
        update(pipelines)
        .where(pipelines.c.account_id == pipeline.account_id, pipelines.c.id == pipeline.id)
        .values(msgspec.structs.asdict(pipeline))
    )


def remove(db: Connection, account_id: str, pipeline_id: str) -> None:
    """Delete a pipeline; its builds stay."""
    db.execute(delete(pipelines).where(pipelines.c.account_id == account_id, pipelines.c.id == pipeline_id))
