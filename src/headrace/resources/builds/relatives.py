"""The builds around one: those that its steps started, those that run it again, the one that it runs again.

All of them are read by one statement, because every reading of a build asks for them.
"""

from collections import defaultdict
from typing import Any

import msgspec
from sqlalchemy import (
    Boolean,
    ColumnElement,
    CompoundSelect,
    Connection,
    FromClause,
    Select,
    Text,
    bindparam,
    cast,
    insert,
    literal,
    null,
    select,
    union_all,
)

from headrace.http.rights import Seen
from headrace.resources.builds import repository
from headrace.resources.builds.model import build_restarts, builds
from headrace.resources.builds.schemas import Build, ChildOut, RestartOfOut, RestartQuery
from headrace.storage.metadata import UtcTime

_MOST = 100  # of one kind that one build shows
_JOINED = builds.join(build_restarts, build_restarts.c.build_id == builds.c.id)
_ORIGIN = select(
    literal("origin").label("kind"),
    build_restarts.c.of_build_id,
    cast(null(), Text),
    cast(null(), Text),
    cast(null(), UtcTime),
    build_restarts.c.from_step,
    build_restarts.c.from_failed,
)


class Relatives(msgspec.Struct, frozen=True):
    """Of one build."""

    children: list[ChildOut]  # that its steps have started, the oldest first
    restarts: list[ChildOut]  # that run it again, the oldest first
    restart_of: RestartOfOut | None  # which it runs again; None: none that is known


def remember(db: Connection, build_id: str, build: Build, query: RestartQuery) -> None:
    """Note that a new build runs an earlier one again, and from where."""
    row = {
        "build_id": build_id,
        "of_build_id": build.id,
        "from_step": query.from_step,
        "from_failed": query.from_failed and query.from_step is None,
    }
    db.execute(insert(build_restarts).values(row))


def of(db: Connection, build: Build, seen: Seen | None) -> Relatives:
    """Return the relatives of a build, of those that a reader sees."""
    query = _EVERY if seen is None else _query(seen)
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for row in db.execute(query, {"account": build.account_id, "build": build.id}):
        found[row.kind].append(row)
    children, restarts = (
        [
            ChildOut(id=row.id, status=row.status, pipeline_name=row.pipeline_name)
            for row in sorted(rows, key=_age)
        ]
        for rows in (found["child"], found["restart"])
    )
    origin = next(
        (
            RestartOfOut(id=row.id, from_step=row.from_step, from_failed=bool(row.from_failed))
            for row in found["origin"]
        ),
        None,
    )
    return Relatives(children, restarts, origin)


def _query(seen: Seen | None) -> CompoundSelect[Any]:
    # SQLite, which has no statistics, would walk through all builds of the account and ask each what it is a
    # restart of; by an expression it reads no index.
    looked_up = builds.c.account_id.concat("")
    return union_all(
        _some("child", builds, seen, builds.c.account_id, builds.c.parent_id == bindparam("build")),
        _some("restart", _JOINED, seen, looked_up, build_restarts.c.of_build_id == bindparam("build")),
        _ORIGIN.where(build_restarts.c.build_id == bindparam("build")),
    )


def _some(
    kind: str,
    source: FromClause,
    seen: Seen | None,
    account_id: ColumnElement[Any],
    condition: ColumnElement[bool],
) -> Select[Any]:
    """Select builds of one kind, the oldest, in a query of its own: a part of a union has no order."""
    query = (
        select(
            literal(kind).label("kind"),
            builds.c.id,
            builds.c.status,
            builds.c.pipeline_name,
            builds.c.created_at,
            cast(null(), Text).label("from_step"),
            cast(null(), Boolean).label("from_failed"),
        )
        .select_from(source)
        .where(account_id == bindparam("account"), condition)
    )
    if seen is not None:
        query = query.where(repository.is_seen(seen))
    return select(query.order_by(builds.c.created_at, builds.c.id).limit(_MOST).subquery(kind))


def _age(row: Any) -> Any:  # noqa: ANN401 - a row
    return row.created_at, row.id


_EVERY = _query(None)  # for those who see all; made once, as each reading of a build needs it
