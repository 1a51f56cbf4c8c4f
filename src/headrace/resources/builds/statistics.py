"""Numbers about builds that have ended, computed by the database in one pass over their time."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, extract, func, literal, select

from headrace.pipeline.status import BuildStatus
from headrace.resources.builds.model import builds
from headrace.resources.builds.repository import is_seen
from headrace.resources.builds.schemas import Measured, Wanted

_MOST_ROWS = 1000
_SQLITE_FORMS = {
    "hour": ("%Y-%m-%dT%H:00:00.000",),
    "day": ("%Y-%m-%dT00:00:00.000",),
    "week": ("%Y-%m-%dT00:00:00.000", "weekday 0", "-6 days"),  # back to Monday
    "month": ("%Y-%m-01T00:00:00.000",),
}
_SPANS = {
    "total": (builds.c.created_at, builds.c.finished_at),
    "running": (builds.c.started_at, builds.c.finished_at),
    "delay": (builds.c.created_at, builds.c.started_at),
}


def measured(db: Connection, account_id: str, wanted: Wanted) -> list[Measured]:
    """Return numbers about builds that have ended, in the order of their keys; at most 1,000 rows."""
    key = _key(db.dialect.name, wanted.by).label("key")
    spans = {name: _milliseconds(db.dialect.name, *ends).label(name) for name, ends in _SPANS.items()}
    rows = select(key, builds.c.pipeline_name, builds.c.status, *spans.values()).where(
        builds.c.account_id == account_id,
        builds.c.created_at >= wanted.created_from,
        builds.c.created_at < wanted.created_before,
        builds.c.finished_at.is_not(None),
    )
    for column, values in (
        (builds.c.status, wanted.statuses),
        (builds.c.pipeline_id, wanted.pipeline_ids),
        (builds.c.project, wanted.projects),
    ):
        if values:
            rows = rows.where(column.in_(values))
    if wanted.seen is not None:
        rows = rows.where(is_seen(wanted.seen))
    if wanted.by == "pipeline":
        rows = rows.where(builds.c.pipeline_id.is_not(None))
    query = _means(rows) if wanted.percent is None else _percentiles(rows, wanted.percent)
    return [Measured(**row) for row in db.execute(query).mappings()]


def _grouped(rows: Any, spans: Sequence[ColumnElement[Any]]) -> Select[Any]:  # noqa: ANN401 - a subquery
    counted = func.sum(case((rows.c.status == BuildStatus.SUCCESS, 1), else_=0))
    named = func.max(rows.c.pipeline_name).label("name")
    total = func.count().label("total")
    query = select(rows.c.key, named, total, counted.label("succeeded"), *spans)
    return query.group_by(rows.c.key).order_by(rows.c.key).limit(_MOST_ROWS)


def _means(rows: Select[Any]) -> Select[Any]:
    found = rows.subquery()
    return _grouped(found, [func.avg(found.c[name]).label(f"{name}_ms") for name in _SPANS])


def _percentiles(rows: Select[Any], percent: int) -> Select[Any]:
    """Take of each key the span at its nearest rank: the smallest that ``percent`` of them reach."""
    plain = rows.subquery()
    extra = []
    for name in _SPANS:
        span = plain.c[name]
        ranked = func.row_number().over(partition_by=plain.c.key, order_by=span.asc().nulls_last())
        counted = func.count(span).over(partition_by=plain.c.key)
        extra += [ranked.label(f"{name}_rank"), counted.label(f"{name}_count")]
    found = select(plain, *extra).subquery()
    spans = []
    for name in _SPANS:
        nearest = (found.c[f"{name}_count"] * percent + 99) // 100
        spans.append(func.max(case((found.c[f"{name}_rank"] == nearest, found.c[name]))).label(f"{name}_ms"))
    return _grouped(found, spans)


def _key(dialect: str, by: str) -> ColumnElement[Any]:
    if by == "pipeline":
        return builds.c.pipeline_id
    if not by:
        return literal("")
    if dialect == "postgresql":
        begin = func.date_trunc(by, func.timezone("UTC", builds.c.created_at))
        return func.to_char(begin, 'YYYY-MM-DD"T"HH24:MI:SS.MS')
    form, *moves = _SQLITE_FORMS[by]
    return func.strftime(form, builds.c.created_at, *moves)


def _milliseconds(dialect: str, begin: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[Any]:
    if dialect == "postgresql":
        return (extract("epoch", end) - extract("epoch", begin)) * 1000
    return (func.julianday(end) - func.julianday(begin)) * 86_400_000
