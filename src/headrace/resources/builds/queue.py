"""The statements of the queue: claim a build, renew leases, find what died or is due."""

import functools
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Interval,
    UpdateBase,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    text,
    true,
    update,
)

from headrace.execution.ports import BuildOrder, Decision, SecretRef
from headrace.pipeline import plan as plans
from headrace.pipeline.status import FINAL, BuildStatus, move
from headrace.resources.builds import repository
from headrace.resources.builds.model import builds
from headrace.resources.builds.schemas import Build, Sealed
from headrace.resources.runtime_environments.schemas import DEFAULT as DEFAULT_ENVIRONMENT

_CLAIMS_LOCK = 5_208_217_362  # any number of our own: limits are counted by one claim at a time
_HELD = (BuildStatus.ELECTED, BuildStatus.RUNNING, BuildStatus.TERMINATING)
_NEW = (BuildStatus.PENDING, BuildStatus.DELAYED)
_ELECT = case(*((builds.c.status == status, move(status, BuildStatus.ELECTED)) for status in _NEW))


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A build that was claimed, and who started it."""

    order: BuildOrder
    pipeline_id: str | None
    options: Mapping[str, Any]
    volume_from: str | None
    user_id: str
    stop_requested: bool


def claim(
    db: Connection, owner: str, *, lease_s: float, environment: str = DEFAULT_ENVIRONMENT
) -> Claim | None:
    """Claim the build of a runtime environment that is to run next.

    New builds by priority, then age, where all their limits are free; before them, builds that
    nobody holds any more: given back, decided on, or of a worker whose lease ran out.
    """
    lease = timedelta(seconds=lease_s)
    values: dict[str, object] = {"claimer": owner, "place": environment}
    if db.dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CLAIMS_LOCK})
        values |= {"lease": lease}
    else:
        now = datetime.now(UTC)
        values |= {"now": now, "later": now + lease}
    row = db.execute(_taking(db.dialect.name), values).first()
    if row is None:
        return None
    variables = repository.variables_of(row.variables)
    order = BuildOrder(
        build_id=row.id,
        account_id=row.account_id,
        attempt=row.attempt,
        plan=plans.from_json(row.plan.encode()),
        variables={
            name: SecretRef(value.sealed) if isinstance(value, Sealed) else value
            for name, value in variables.items()
        },
        steps=repository.steps(db, row.id) if row.attempt > 1 or row.volume_from else {},
        decision=None if row.decision is None else msgspec.convert(row.decision, Decision),
        created_at=row.created_at,
    )
    return Claim(
        order=order,
        pipeline_id=row.pipeline_id,
        options=row.options,
        volume_from=row.volume_from,
        user_id=row.user_id,
        stop_requested=row.stop_requested,
    )


@functools.cache  # to build it costs ten times what SQLite takes to run it
def _taking(dialect: str) -> UpdateBase:
    """Return the statement of a claim; on SQLite it is told the time, PostgreSQL knows it."""
    now: ColumnElement[Any] = bindparam("now", type_=builds.c.lease_until.type)
    later: ColumnElement[Any] = bindparam("later", type_=builds.c.lease_until.type)
    if dialect == "postgresql":
        now = func.clock_timestamp()
        later = now + bindparam("lease", type_=Interval)
    owner = bindparam("claimer", type_=builds.c.owner.type)
    one = builds.alias("one")
    held = one.c.status.in_(_HELD)
    # A worker that slept past its own lease still runs its builds: they are not lost to itself.
    expired = and_(one.c.lease_until < now, one.c.owner != owner)
    lost = and_(held, or_(one.c.owner.is_(None), expired))
    fresh = and_(one.c.status.in_(_NEW), *_limits_free(one))
    place = bindparam("place", type_=builds.c.environment.type)
    chosen = (
        select(one.c.id)
        .where(or_(lost, fresh), _environment(one) == place)
        .order_by(held.desc(), one.c.priority.desc(), one.c.created_at, one.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    return (
        update(builds)
        .where(builds.c.id == chosen)
        .values(
            status=func.coalesce(_ELECT, builds.c.status),
            owner=owner,
            lease_until=later,
            attempt=builds.c.attempt + 1,
            updated_at=now,
        )
        .returning(
            builds.c.id,
            builds.c.account_id,
            builds.c.user_id,
            builds.c.pipeline_id,
            builds.c.volume_from,
            builds.c.options,
            builds.c.attempt,
            builds.c.created_at,
            builds.c.decision,
            builds.c.stop_requested,
            builds.c.variables,
            builds.c.plan,
        )
    )


def _limits_free(one: Any) -> list[ColumnElement[bool]]:  # noqa: ANN401 - an alias of the table
    """All limits of a waiting build leave room; those that wait for an approval take it if it says so."""
    other = builds.alias("other")
    asks = and_(other.c.status == BuildStatus.PENDING_APPROVAL, one.c.counts_waiting == true())
    active = (
        select(func.count())
        .select_from(other)
        .where(other.c.pipeline_id == one.c.pipeline_id, or_(other.c.status.in_(_HELD), asks))
    )
    limits = (
        (one.c.concurrency, active),
        (one.c.branch_concurrency, active.where(other.c.branch.is_not_distinct_from(one.c.branch))),
        (one.c.trigger_concurrency, active.where(other.c.trigger_id.is_not_distinct_from(one.c.trigger_id))),
    )
    return [or_(limit.is_(None), count.scalar_subquery() < limit) for limit, count in limits]


def _environment(one: Any) -> ColumnElement[str]:  # noqa: ANN401 - the table, or an alias of it
    return func.coalesce(one.c.environment, DEFAULT_ENVIRONMENT)


def delay(
    db: Connection, environments_with_room: Collection[str], *, created_before: datetime, now: datetime
) -> list[tuple[str, str]]:
    """Delay the builds whose limits are free, but for whom no worker is; return (build, account) ids."""
    changed = (
        update(builds)
        .where(
            builds.c.status == BuildStatus.PENDING,
            builds.c.created_at < created_before,
            _environment(builds).not_in(environments_with_room),
            *_limits_free(builds),
        )
        .values(status=move(BuildStatus.PENDING, BuildStatus.DELAYED), updated_at=now)
        .returning(builds.c.id, builds.c.account_id)
    )
    return [(row.id, row.account_id) for row in db.execute(changed)]


def delayed(db: Connection, *, since: datetime) -> list[Build]:
    """Return the builds that have been delayed since a moment, or longer; nobody else changes them now."""
    query = select(builds.c.id).where(builds.c.status == BuildStatus.DELAYED, builds.c.updated_at <= since)
    return _locked(db, db.execute(query).scalars().all())


def delayed_over(db: Connection, most: int) -> list[Build]:
    """Return the delayed builds of each account beyond its newest ``most``, as `delayed` does."""
    is_delayed = builds.c.status == BuildStatus.DELAYED
    full = select(builds.c.account_id).where(is_delayed).group_by(builds.c.account_id)
    ids: list[str] = []
    for account_id in db.execute(full.having(func.count() > most)).scalars().all():
        query = select(builds.c.id).where(is_delayed, builds.c.account_id == account_id)
        query = query.order_by(builds.c.created_at.desc(), builds.c.id.desc()).offset(most).limit(most)
        ids += db.execute(query).scalars()
    return _locked(db, ids)


def _locked(db: Connection, ids: Iterable[str]) -> list[Build]:
    known = (repository.anybody_s(db, build_id) for build_id in ids)
    found = [repository.locked(db, build) for build in known if build is not None]
    return [build for build in found if build.status is BuildStatus.DELAYED]


def renew(db: Connection, owner: str, *, lease_s: float) -> None:
    """Renew the lease on all builds of a worker."""
    db.execute(update(builds).where(builds.c.owner == owner).values(lease_until=_later(db, lease_s)))


def held(db: Connection, owner: str) -> frozenset[str]:
    """Return the ids of the builds that a worker holds."""
    return frozenset(db.execute(select(builds.c.id).where(builds.c.owner == owner)).scalars())


def give_back(db: Connection, owner: str, build_id: str | None = None) -> None:
    """Let others claim what a worker holds: one build, or all."""
    changed = update(builds).where(builds.c.owner == owner)
    if build_id is not None:
        changed = changed.where(builds.c.id == build_id)
    db.execute(changed.values(owner=None, lease_until=None))


def to_stop(db: Connection, owner: str) -> list[str]:
    """Return the ids of a worker's builds that somebody wants to stop."""
    query = select(builds.c.id).where(builds.c.owner == owner, builds.c.stop_requested == true())
    return list(db.execute(query).scalars())


def due(db: Connection) -> list[tuple[Build, Decision]]:
    """Return the builds whose approval nobody decided in time, and what that means for each."""
    condition = (builds.c.status == BuildStatus.PENDING_APPROVAL, builds.c.waiting_until <= _now(db))
    query = select(builds.c.id, builds.c.waiting_step, builds.c.waiting_final).where(*condition)
    found = []
    for build_id, step, final in db.execute(query).all():
        build = repository.anybody_s(db, build_id)
        if build is not None:
            found.append((build, Decision(step=step, result=final)))
    return found


def unended(db: Connection) -> frozenset[str]:
    """Return the ids of all builds that have not ended, nor are still to begin."""
    not_here = (*FINAL, BuildStatus.PENDING, BuildStatus.DELAYED)
    return frozenset(db.execute(select(builds.c.id).where(builds.c.status.not_in(not_here))).scalars())


def _now(db: Connection) -> ColumnElement[Any]:
    """Return the time of the database: several servers share it."""
    if db.dialect.name == "postgresql":
        return func.clock_timestamp()
    return literal(datetime.now(UTC), builds.c.lease_until.type)


def _later(db: Connection, seconds: float) -> ColumnElement[Any]:
    if db.dialect.name == "postgresql":
        return func.clock_timestamp() + timedelta(seconds=seconds)
    return literal(datetime.now(UTC) + timedelta(seconds=seconds), builds.c.lease_until.type)
