"""The rows of pipelines."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from headrace.resources.pipelines.model import pipelines


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


def listed(
    db: Connection,
    account_id: str,
    *,
    references: Sequence[str] = (),
    exact: bool,
    labels: Mapping[str, str],
    project_id: str = "",
    limit: int,
    offset: int = 0,
) -> tuple[list[Pipeline], int]:
    """Return a page of pipelines, and how many there are in all.

    Args:
        db: an open connection.
        account_id: whose pipelines.
        references: ids or names, any of which must match; empty takes all.
        exact: names must be equal; else it is enough that they contain the text, in any case.
        labels: all of these must be there: key → value, or values with commas between.
        project_id: only of this project; empty takes all.
        limit: at most this many.
        offset: how many to pass over.

    Returns:
        The last changed first, ties by id, descending.
    """
    query = select(pipelines.c.id, pipelines.c.labels).where(pipelines.c.account_id == account_id)
    if project_id:
        query = query.where(pipelines.c.project_id == project_id)
    if references:
        query = query.where(or_(*(_matches(reference, exact=exact) for reference in references)))
    rows = db.execute(query.order_by(pipelines.c.updated_at.desc(), pipelines.c.id.desc())).all()
    ids = [row.id for row in rows if _carries(row.labels, labels)]
    page = ids[offset : offset + limit]
    found = db.execute(select(pipelines).where(pipelines.c.id.in_(page))).mappings()
    by_id = {row["id"]: Pipeline(**row) for row in found}
    return [by_id[one] for one in page if one in by_id], len(ids)


def _matches(reference: str, *, exact: bool) -> ColumnElement[bool]:
    name = pipelines.c.name
    same_name = name == reference if exact else name.icontains(reference, autoescape=True)
    return or_(pipelines.c.id == reference, same_name)


def _carries(labels: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    for key, text in wanted.items():
        value = labels.get(key)
        has = {str(one) for one in value} if isinstance(value, list) else {str(value)}
        if key not in labels or not set(text.split(",")) <= has:
            return False
    return True


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
