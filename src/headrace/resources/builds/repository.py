"""The rows of builds and steps."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    Row,
    RowMapping,
    Select,
    Text,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
    type_coerce,
    union_all,
    update,
)

from headrace.execution.ports import StepState
from headrace.http.rights import Seen
from headrace.pipeline import plan as plans
from headrace.pipeline.status import BuildStatus
from headrace.resources.builds.model import build_steps, builds
from headrace.resources.builds.schemas import Build, BuildRequest, Sealed
from headrace.storage.members import is_one_of

_FIELDS = tuple(field.name for field in msgspec.structs.fields(Build) if field.name != "yaml")
_COLUMNS = [builds.c[name] for name in _FIELDS]
# Made once: to build a statement costs more than SQLite takes to answer it.
_BY_ID: Select[Any] = select(*_COLUMNS, builds.c.yaml).where(
    builds.c.account_id == bindparam("account"), builds.c.id == bindparam("build")
)


_PAGE: Select[Any] = (
    select(*_COLUMNS)
    .where(builds.c.account_id == bindparam("account"))
    .order_by(builds.c.created_at.desc(), builds.c.id.desc())
    .limit(bindparam("most", type_=Integer))
    .offset(bindparam("first", type_=Integer))
)
_ANYBODY_S: Select[Any] = select(*_COLUMNS).where(builds.c.id == bindparam("build"))
_HOLD = (
    update(builds)
    .where(builds.c.id == bindparam("build"), builds.c.owner == bindparam("holder"))
    .values(updated_at=bindparam("moment", type_=builds.c.updated_at.type))
)
_REPLACE_STEP = (
    update(build_steps)
    .where(build_steps.c.build_id == bindparam("build"), build_steps.c.name == bindparam("step"))
    .values(state=bindparam("new", type_=build_steps.c.state.type))
)
_ADD = insert(builds)
_ADD_STEP = insert(build_steps)
_UNENDED = tuple(status for status in BuildStatus if not status.is_final)
_UNBEGUN = (BuildStatus.PENDING, BuildStatus.DELAYED)


_RARE = 10_000  # index entries, counted in less than 1 ms; a filter with more is not told from a wider one

_SHORT = 2000  # builds that are sorted about as fast as as many are found in a walk through a million

Key = tuple[datetime, str]  # where a build stands in a list: ``created_at`` and id


class Within(msgspec.Struct, frozen=True):
    """What rules let a reader see, as it was when they were asked."""

    pipeline_ids: tuple[str, ...]  # ascending
    untagged: bool  # builds without a pipeline, too


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which builds of an account: all must match, of several values any."""

    statuses: Sequence[str] = ()
    kinds: Sequence[str] = ()  # ``build``, ``webhook``
    pipeline_ids: Sequence[str] = ()
    revisions: Sequence[str] = ()
    branches: Sequence[str] = ()
    trigger_ids: Sequence[str] = ()
    created_from: datetime | None = None  # inclusive
    created_before: datetime | None = None  # exclusive
    within: Within | None = None  # only these; None: all
    short: bool = False  # there are so few of ``within`` that sorting them beats a walk through all
    by: str | None = None  # the column whose index is read (`rarest`); None: the database chooses

    @property
    def has_index(self) -> bool:
        """Whether an index has exactly the builds that match, in the order of the list."""
        kept = [self.statuses, self.kinds, self.pipeline_ids, self.branches, self.trigger_ids, self.revisions]
        values = [len(values) for values in kept if values]
        both = values == [1, 1] and bool(self.statuses and self.pipeline_ids)
        return self.within is None and not self.revisions and (values in ([], [1]) or both)

    @property
    def is_narrow(self) -> bool:
        """Whether an index has the builds that match of each pipeline in ``within``."""
        others = self.kinds or self.pipeline_ids or self.revisions or self.branches or self.trigger_ids
        return self.within is not None and not others

    @property
    def any_set(self) -> bool:
        """Whether they keep any build out."""
        return any(msgspec.structs.astuple(self))


def add(db: Connection, request: BuildRequest, *, progress_id: str, now: datetime) -> None:
    """Store a new build, pending."""
    db.execute(
        _ADD,
        {
            "id": request.build_id,
            "account_id": request.account_id,
            "progress_id": progress_id,
            "status": BuildStatus.PENDING,
            "created_at": now,
            "updated_at": now,
            "pipeline_id": request.pipeline_id,
            "pipeline_name": request.pipeline_name,
            "project": request.project,
            "user_id": request.user_id,
            "initiator": request.initiator,
            "trigger_kind": request.trigger_kind,
            "trigger_id": request.trigger_id,
            "trigger_name": request.trigger_name,
            "branch": request.branch,
            "revision": request.revision,
            "repo_owner": request.repo_owner,
            "repo_name": request.repo_name,
            "request_id": request.request_id,
            "parent_id": request.parent_id,
            "volume_from": request.volume_from,
            "error": "",
            "priority": request.priority,
            "concurrency": request.concurrency,
            "branch_concurrency": request.branch_concurrency,
            "trigger_concurrency": request.trigger_concurrency,
            "counts_waiting": request.counts_waiting,
            "environment": request.environment,
            "termination_policy": request.termination_policy or None,
            "attempt": 0,
            "stop_requested": False,
            "options": request.options,
            "given": request.given,
            "variables": request.variables,
            "yaml": request.yaml,
            "plan": plans.to_json(request.plan).decode(),
        },
    )
    for state in request.carried:
        store_step(db, request.build_id, state)


def by_id(db: Connection, account_id: str, build_id: str) -> Build | None:
    """Find a build of an account."""
    row = db.execute(_BY_ID, {"account": account_id, "build": build_id}).first()
    return None if row is None else _build(row)


def by_progress(db: Connection, account_id: str, progress_id: str) -> Build | None:
    """Find a build of an account by the id of its progress."""
    return _one(db, builds.c.account_id == account_id, builds.c.progress_id == progress_id)


def anybody_s(db: Connection, build_id: str) -> Build | None:
    """Find a build of any account: for workers and for links that carry a signature."""
    row = db.execute(_ANYBODY_S, {"build": build_id}).first()
    return None if row is None else _build(row)


def locked(db: Connection, build: Build) -> Build:
    """Return a build as it is now; nobody else changes it before the end of the transaction."""
    query = select(*_COLUMNS).where(builds.c.id == build.id).with_for_update()
    return _build(db.execute(query).one())


def by_request(db: Connection, account_id: str, request_id: str) -> str | None:
    """Return the id of the build that a repeated request has started before."""
    query = select(builds.c.id).where(builds.c.account_id == account_id, builds.c.request_id == request_id)
    return db.execute(query).scalar()


def _one(db: Connection, *conditions: ColumnElement[bool]) -> Build | None:
    row = db.execute(select(*_COLUMNS).where(*conditions)).first()
    return None if row is None else _build(row)


def _build(row: Row[Any]) -> Build:
    values = dict(zip((*_FIELDS, "yaml"), row, strict=False))
    values["status"] = BuildStatus(values["status"])
    return Build(**values)


def listed(
    db: Connection,
    account_id: str,
    filters: Filters,
    *,
    limit: int,
    offset: int = 0,
    upto: Key | None = None,
    after: Key | None = None,
    before: Key | None = None,
) -> list[Build]:
    """Return builds, newest first by ``created_at``; ties by id, descending.

    Args:
        db: an open connection.
        account_id: the only account whose rows may come back.
        filters: which of its builds.
        limit: at most this many.
        offset: how many to pass over.
        upto: begin with the build that stands here; None: with the newest.
        after: only builds older than the one that stands here.
        before: only builds newer than the one that stands here: of those the oldest.
    """
    if upto is after is before is None and not filters.any_set:
        wanted = {"account": account_id, "most": limit, "first": offset}
        return [_build(row) for row in db.execute(_PAGE, wanted)]
    if filters.short:
        each = union_all(*_parts([builds.c.id], account_id, filters))
        # By their ids alone: with the account too, SQLite would walk through all its builds to save sorting.
        query = select(*_COLUMNS).where(builds.c.id.in_(each))
    else:
        query = _filtered(select(*_COLUMNS), account_id, filters)
    key = tuple_(builds.c.created_at, builds.c.id)
    if upto is not None:
        query = query.where(key <= upto)
    if after is not None:
        query = query.where(key < after)
    if before is not None:
        query = query.where(key > before).order_by(builds.c.created_at, builds.c.id)
        found = [_build(row) for row in db.execute(query.limit(limit))]
        return found[::-1]
    query = query.order_by(builds.c.created_at.desc(), builds.c.id.desc()).limit(limit).offset(offset)
    return [_build(row) for row in db.execute(query)]


def newest(
    db: Connection, account_id: str, pipeline_ids: Iterable[str], within: Within | None = None
) -> list[Build]:
    """Return the newest build of each pipeline that has one, newest first."""
    order = (builds.c.created_at.desc(), builds.c.id.desc())
    ids = [
        _filtered(select(builds.c.id), account_id, Filters(pipeline_ids=[one])).order_by(*order).limit(1)
        for one in dict.fromkeys(pipeline_ids)
        if within is None or one in within.pipeline_ids
    ]
    if not ids:
        return []
    each = union_all(*(one.subquery().select() for one in ids))  # a limit stands in a query of its own
    query = select(*_COLUMNS).where(builds.c.id.in_(each)).order_by(*order)
    return [_build(row) for row in db.execute(query)]


def within(db: Connection, seen: Seen) -> Within:
    """Look up which pipelines a reader may see."""
    return Within(tuple(sorted(row.id for row in db.execute(seen.ids))), seen.untagged)


def count(db: Connection, account_id: str, filters: Filters, *, since: datetime | None = None) -> int:
    """Return how many builds match; with ``since`` only those created at that moment or later."""
    found = 0
    for query in _parts([func.count()], account_id, filters):
        bounded = query if since is None else query.where(builds.c.created_at >= since)
        found += int(db.execute(bounded).scalar_one())
    return found


def count_before(
    db: Connection, account_id: str, filters: Filters, before: datetime, *, since: datetime | None
) -> int:
    """Return how many builds match that were created before a moment, and not before ``since``.

    All are counted, and those that are newer: a bound would be compared with each of a million builds.
    """
    found = 0
    for query in _parts([func.count()], account_id, filters):
        newer = query.where(builds.c.created_at >= before).scalar_subquery()
        counted = query if since is None else query.where(builds.c.created_at >= since)
        # In one statement, so that both are of one moment.
        found += db.execute(select(counted.scalar_subquery() - newer)).scalar_one()
    return found


def is_short(filters: Filters, total: int) -> bool:
    """Tell whether a list of so many builds is read faster by sorting them: see `Filters.short`."""
    return filters.is_narrow and total <= _SHORT


def rarest(db: Connection, account_id: str, filters: Filters) -> str | None:
    """Return the column of the filter that keeps the fewest builds: None where the database knows better.

    SQLite has no statistics, so it may read by the wider of two filters. Each is counted up to a bound.
    """
    if db.dialect.name != "sqlite" or filters.has_index:
        return None
    kept = [
        (column, values)
        for column, values in _wanted(filters)
        if len(values) == 1 and column is not builds.c.revision  # it has no index
    ]
    if len(kept) < 2:  # noqa: PLR2004 - one leaves no choice
        return None
    counts = []
    for column, values in kept:
        rows = select(builds.c.id).where(builds.c.account_id == account_id, column == values[0]).limit(_RARE)
        counts.append(
            (db.execute(select(func.count()).select_from(rows.subquery())).scalar_one(), column.name)
        )
    least, name = min(counts)
    return name if least < _RARE else None


def stands_at(
    db: Connection,
    account_id: str,
    filters: Filters,
    number: int,
    *,
    after: tuple[int, Key] | None,
    upto: tuple[int, Key | datetime],
) -> Key | None:
    """Return where a build stands, given by its number in the list; the oldest is 1. None: there is none.

    It is counted from the nearer of two places, in the index: what lies between is passed over.

    Args:
        db: an open connection.
        account_id: whose builds.
        filters: the list.
        number: of the build.
        after: a build with a lower number, and where it stands; None: there is none before the oldest.
        upto: a build with a higher number, and where it stands; or the number of the last one that was
            created before a moment, and that moment.
    """
    key = tuple_(builds.c.created_at, builds.c.id)
    passed = number - 1 if after is None else number - after[0] - 1
    upwards = passed <= upto[0] - number
    if upwards:
        bound = None if after is None else key > after[1]
    else:
        passed, end = upto[0] - number, upto[1]
        bound = builds.c.created_at < end if isinstance(end, datetime) else key <= end
    parts = [
        _ordered(query if bound is None else query.where(bound), builds.c, upwards=upwards)
        for query in _parts([builds.c.created_at, builds.c.id], account_id, filters)
    ]
    if len(parts) == 1:
        found = parts[0]
    else:  # each in the order of its index, as far as it can be needed
        each = union_all(*(part.limit(passed + 1).subquery().select() for part in parts)).subquery()
        found = _ordered(select(each), each.c, upwards=upwards)
    row = db.execute(found.limit(1).offset(passed)).first()
    return None if row is None else (row[0], row[1])


def _ordered(query: Select[Any], columns: Any, *, upwards: bool) -> Select[Any]:  # noqa: ANN401 - of a table or query
    order = (columns.created_at, columns.id)
    return query.order_by(*(order if upwards else (column.desc() for column in order)))


def oldest_unended(db: Connection, account_id: str) -> datetime | None:
    """Return when the oldest build of an account that has not ended was created; None without one."""
    query = select(func.min(builds.c.created_at)).where(
        builds.c.account_id == account_id, builds.c.status.in_(_UNENDED)
    )
    return db.execute(query).scalar()


def _wanted(filters: Filters) -> list[tuple[Column[Any], Sequence[str]]]:
    pairs: list[tuple[Column[Any], Sequence[str]]] = [
        (builds.c.status, filters.statuses),
        (builds.c.trigger_kind, filters.kinds),
        (builds.c.pipeline_id, filters.pipeline_ids),
        (builds.c.revision, filters.revisions),
        (builds.c.branch, filters.branches),
        (builds.c.trigger_id, filters.trigger_ids),
    ]
    return [(column, values) for column, values in pairs if values]


def _filtered(query: Select[Any], account_id: str, filters: Filters) -> Select[Any]:
    query = query.where(builds.c.account_id == account_id)
    for column, values in _wanted(filters):
        tested: ColumnElement[Any] = column
        if filters.by not in (None, column.name):
            tested = literal_column(f"+{column}", column.type)  # SQLite reads no index by an expression
        query = query.where(tested == values[0] if len(values) == 1 else tested.in_(values))
    if filters.created_from is not None:
        query = query.where(builds.c.created_at >= filters.created_from)
    if filters.created_before is not None:
        query = query.where(builds.c.created_at < filters.created_before)
    if filters.within is None:
        return query
    of_pipeline = _of_any(filters.within.pipeline_ids)
    return query.where(
        or_(of_pipeline, builds.c.pipeline_id.is_(None)) if filters.within.untagged else of_pipeline
    )


def _parts(columns: Sequence[ColumnElement[Any]], account_id: str, filters: Filters) -> list[Select[Any]]:
    """Return queries that together find each build that matches once, and each read one index.

    An alternative is read by no index in the order of the list: of several statuses each has its own part,
    and so have builds without a pipeline.
    """
    each = [msgspec.structs.replace(filters, statuses=[status]) for status in dict.fromkeys(filters.statuses)]
    if each and each[0].has_index:
        return [_filtered(select(*columns), account_id, one) for one in each]
    within = filters.within
    if within is None or not within.untagged:
        return [_filtered(select(*columns), account_id, filters)]
    rows = _filtered(select(*columns), account_id, msgspec.structs.replace(filters, within=None))
    return [rows.where(_of_any(within.pipeline_ids)), rows.where(builds.c.pipeline_id.is_(None))]


def _of_any(pipeline_ids: Sequence[str]) -> ColumnElement[bool]:
    """Match builds of pipelines: one parameter, however many they are."""
    return is_one_of(builds.c.pipeline_id, pipeline_ids)


def is_seen(seen: Seen) -> ColumnElement[bool]:
    """Match builds of pipelines that a reader may see; of one that was deleted nobody knows the tags."""
    of_pipeline = builds.c.pipeline_id.in_(seen.ids)
    return or_(of_pipeline, builds.c.pipeline_id.is_(None)) if seen.untagged else of_pipeline


def ids_seen(account_id: str, seen: Seen) -> Select[tuple[str]]:
    """Return the query of the ids of the builds that a reader may see, to be a part of another query."""
    return select(builds.c.id).where(builds.c.account_id == account_id, is_seen(seen))


def change(db: Connection, build_id: str, *conditions: ColumnElement[bool], **values: Any) -> bool:  # noqa: ANN401
    """Change a build where all conditions hold; tell whether they did."""
    changed = update(builds).where(builds.c.id == build_id, *conditions).values(**values)
    return db.execute(changed).rowcount == 1


def hold(db: Connection, build_id: str, owner: str, *, now: datetime) -> bool:
    """Note that a worker was at a build; tell whether it still holds it."""
    return db.execute(_HOLD, {"build": build_id, "holder": owner, "moment": now}).rowcount == 1


def inputs(db: Connection, build_id: str) -> RowMapping:
    """Return the long columns of a build: options, given, variables, yaml, plan."""
    columns = (builds.c.options, builds.c.given, builds.c.variables, builds.c.yaml, builds.c.plan)
    limits = (
        builds.c.priority,
        builds.c.concurrency,
        builds.c.branch_concurrency,
        builds.c.trigger_concurrency,
        builds.c.counts_waiting,
        builds.c.environment,
        builds.c.termination_policy,
    )
    return db.execute(select(*columns, *limits).where(builds.c.id == build_id)).mappings().one()


def variables_of(stored: Mapping[str, Any]) -> dict[str, str | Sealed]:
    """Read stored variables."""
    return msgspec.convert(stored, dict[str, str | Sealed])


def steps(db: Connection, build_id: str) -> dict[str, StepState]:
    """Return the states of the steps that were started, by name."""
    query = select(build_steps.c.state).where(build_steps.c.build_id == build_id)
    found = (msgspec.convert(state, StepState) for (state,) in db.execute(query))
    return {state.name: state for state in found}


def paused_steps(db: Connection, build_id: str) -> list[StepState]:
    """Return the states of the steps that wait at a breakpoint; the others are not read."""
    state = type_coerce(build_steps.c.state, Text)
    query = select(build_steps.c.state).where(
        build_steps.c.build_id == build_id, state.contains('"paused":{')
    )
    found = (msgspec.convert(one, StepState) for (one,) in db.execute(query))
    return [one for one in found if one.paused is not None]


def forget_steps(db: Connection, build_id: str, names: Collection[str]) -> None:
    """Forget the states of some steps."""
    db.execute(delete(build_steps).where(build_steps.c.build_id == build_id, build_steps.c.name.in_(names)))


def store_step(db: Connection, build_id: str, state: StepState) -> None:
    """Store the state of a step over an earlier one."""
    same = {"build": build_id, "step": state.name, "new": state}
    if db.execute(_REPLACE_STEP, same).rowcount == 0:
        db.execute(_ADD_STEP, {"build_id": build_id, "name": state.name, "state": state})


def count_by_status(db: Connection) -> dict[str, int]:
    """Return how many builds of all accounts have each status."""
    query = select(builds.c.status, func.count()).group_by(builds.c.status)
    return dict(db.execute(query).all())


def set_limits(db: Connection, pipeline_id: str, **limits: int | None) -> None:
    """Give the pending builds of a pipeline new limits."""
    db.execute(update(builds).where(*_unbegun(pipeline_id)).values(**limits))


def set_trigger_limit(db: Connection, pipeline_id: str, trigger_id: str, limit: int | None) -> None:
    """Give the pending builds of one trigger a new limit."""
    waiting = (*_unbegun(pipeline_id), builds.c.trigger_id == trigger_id)
    db.execute(update(builds).where(*waiting).values(trigger_concurrency=limit))


def _unbegun(pipeline_id: str) -> tuple[ColumnElement[bool], ...]:
    return builds.c.pipeline_id == pipeline_id, builds.c.status.in_(_UNBEGUN)


def unended_of(
    db: Connection, account_id: str, *, pipeline_id: str | None = None, ids: Select[tuple[str]] | None = None
) -> list[Build]:
    """Return the builds that have not ended, the oldest first: of a pipeline, or whose id a query finds."""
    query = select(*_COLUMNS).where(builds.c.account_id == account_id, builds.c.status.in_(_UNENDED))
    if pipeline_id is not None:
        query = query.where(builds.c.pipeline_id == pipeline_id)
    if ids is not None:
        query = query.where(builds.c.id.in_(ids))
    return [_build(row) for row in db.execute(query.order_by(builds.c.created_at, builds.c.id))]


def termination_policy(db: Connection, build_id: str) -> list[dict[str, Any]]:
    """Return what the start and the end of a build do to others."""
    query = select(builds.c.termination_policy).where(builds.c.id == build_id)
    return db.execute(query).scalar_one() or []


def statuses(db: Connection, build_ids: Sequence[str]) -> dict[str, BuildStatus]:
    """Return the statuses of builds of any account, by id."""
    query = select(builds.c.id, builds.c.status).where(builds.c.id.in_(build_ids))
    return {build_id: BuildStatus(status) for build_id, status in db.execute(query)}
