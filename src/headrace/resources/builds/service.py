"""The rules of builds: how one starts, is stopped, is decided on, and runs again."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import Connection, Select
from sqlalchemy.exc import IntegrityError

from headrace.execution.ports import Decision, StepState
from headrace.http.auth import Caller
from headrace.http.errors import BadRequest, NotFound
from headrace.http.paging import Pages
from headrace.http.rights import Rights, Seen
from headrace.kit.clock import wire_time
from headrace.kit.ids import is_id, new_id
from headrace.pipeline import plan as plans
from headrace.pipeline.status import BuildStatus, StepStatus, move
from headrace.resources.annotations import service as annotations
from headrace.resources.api_keys import service as api_keys
from headrace.resources.builds import (
    debugging,
    policies,
    queue,
    relatives,
    removing,
    repository,
    restarts,
    shape,
    statistics,
    victims,
)
from headrace.resources.builds.marks import Marks
from headrace.resources.builds.repository import Filters
from headrace.resources.builds.schemas import (
    Build,
    BuildOut,
    BuildRequest,
    BuildsOut,
    BuildsPage,
    BuildsQuery,
    DecisionOut,
    HookOut,
    Measured,
    RestartQuery,
    Sealed,
    StepOut,
    VariableOut,
    Wanted,
    build_out,
)
from headrace.storage import signals

ENTITY = victims.ENTITY
_MOST_PIPELINES = 100  # whose newest builds are asked for together
_DECIDED = frozenset({StepStatus.APPROVED, StepStatus.DENIED})
_LONGEST_BRANCH = 500  # an index holds it, and PostgreSQL's take 2,700 bytes
_DELAY_S = 60
_LONGEST_DELAY = timedelta(days=7)
_MOST_DELAYED = 1000  # builds of an account
QUEUED = "builds"  # signal: a build may be claimed
STOPPED = "stops"  # signal: a running build is to stop

count_unended, some_ended, remove = removing.count_unended, removing.some_ended, removing.remove


def changed(build_id: str) -> str:
    """Return the signal that says that the status of a build or a step has changed."""
    return f"build:{build_id}"


def changed_in(account_id: str) -> str:
    """Return the signal that says that the status of some build of an account has changed."""
    return signals.of_account(account_id, "builds")


def tell(db: Connection, account_id: str, build_id: str) -> None:
    """Wake those who watch a build, and those who watch the builds of its account."""
    signals.publish(db, changed(build_id))
    signals.publish(db, changed_in(account_id))


def start(db: Connection, request: BuildRequest) -> str:
    """Queue a build: the one door.

    Returns:
        Its id; that of the earlier build where the same request has come before.

    Raises:
        BadRequest: its branch has a name that no list could find.
    """
    if len(request.branch or "") > _LONGEST_BRANCH:
        raise BadRequest(f"branch: a name of at most {_LONGEST_BRANCH} characters")
    if request.request_id is not None:
        known = repository.by_request(db, request.account_id, request.request_id)
        if known is not None:
            return known
    try:
        with db.begin_nested():
            repository.add(db, request, progress_id=new_id(), now=datetime.now(UTC))
    except IntegrityError:  # the same request, at the same instant
        known = repository.by_request(db, request.account_id, request.request_id or "")
        if known is None:
            raise
        return known
    if request.annotations:
        annotations.annotate(
            db,
            request.account_id,
            entity_type=ENTITY,
            entity_id=request.build_id,
            values=request.annotations,
        )
    for earlier in victims.of_start(db, request):
        terminate(db, earlier)
    signals.publish(db, QUEUED)
    signals.publish(db, changed_in(request.account_id))
    return request.build_id


def find(db: Connection, account_id: str, build_id: str) -> Build:
    """Find a build. Raises `NotFound`."""
    build = repository.by_id(db, account_id, build_id) if is_id(build_id) else None
    if build is None:
        raise NotFound(f"could not find build {build_id!r}: Build was not found")
    return build


def anybody_s(db: Connection, build_id: str) -> Build:
    """Find a build of any account: for what its worker writes. Raises `NotFound`."""
    build = repository.anybody_s(db, build_id)
    if build is None:
        raise NotFound(f"could not find build {build_id!r}: it is gone")
    return build


def by_progress(db: Connection, account_id: str, progress_id: str) -> Build:
    """Find a build by the id of its progress. Raises `NotFound`."""
    build = repository.by_progress(db, account_id, progress_id) if is_id(progress_id) else None
    if build is None:
        raise NotFound(f"could not find progress {progress_id!r}")
    return build


def show(db: Connection, found: Sequence[Build]) -> list[BuildOut]:
    """Show builds with their annotations."""
    if not found:
        return []
    by_build = annotations.of_entities(
        db, found[0].account_id, entity_type=ENTITY, entity_ids=[build.id for build in found]
    )
    return [build_out(build, by_build.get(build.id, [])) for build in found]


def listed(
    db: Connection, account_id: str, query: BuildsQuery, marks: Marks, pages: Pages, rights: Rights
) -> BuildsOut:
    """Return a page of the builds that the caller may read, newest first.

    Raises:
        NotFound: the cursor is no build.
    """
    seen = rights.seen(db, "pipeline")
    within = None if seen is None else repository.within(db, seen)
    if query.one_per_pipeline:
        if (asked := len(query.pipeline)) > _MOST_PIPELINES:
            raise BadRequest(
                f"query string: onePerPipeline takes at most {_MOST_PIPELINES} pipelines, not {asked}"
            )
        newest = repository.newest(db, account_id, query.pipeline, within)
        return BuildsOut(BuildsPage(show(db, newest), len(newest)))
    filters = Filters(
        statuses=[*query.status, "denied"] if "error" in query.status else query.status,
        kinds=query.trigger,
        pipeline_ids=query.pipeline,
        revisions=query.revision,
        branches=query.branch_name,
        trigger_ids=query.pipeline_trigger_id,
        created_from=_day(query.start_date, "startDate"),
        created_before=_after(_day(query.end_date, "endDate")),
        within=within,
    )
    limit = pages.limit
    first = 0 if query.after else (query.page - 1) * limit
    more = False
    place = marks.place(db, account_id, filters, offset=first, limit=limit, now=datetime.now(UTC))
    if query.after:
        cursor = find(db, account_id, query.after)
        key = (cursor.created_at, cursor.id)
        if query.pagination_direction == "previous":
            found = repository.listed(db, account_id, place.filters, limit=limit, before=key)
        else:
            found = repository.listed(db, account_id, place.filters, limit=limit + 1, after=key)
            more, found = len(found) > limit, found[:limit]
    elif place.limit:
        found = repository.listed(
            db, account_id, place.filters, limit=place.limit, offset=place.offset, upto=place.upto
        )
        more = first + place.limit < place.total
    else:
        found = []
    if more and found:
        pages.next = found[-1].id
    return BuildsOut(BuildsPage(show(db, found), place.total))


def last_of(
    db: Connection, account_id: str, pipeline_ids: Sequence[str], *, branch: str | None = None
) -> Build | None:
    """Return the newest build of some pipelines, of a branch where one is given; None: there is none."""
    filters = repository.Filters(pipeline_ids=pipeline_ids, branches=() if branch is None else (branch,))
    return next(iter(repository.listed(db, account_id, filters, limit=1)), None)


def _day(text: str | None, name: str) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise BadRequest(f"query string: {name} is no day: {text!r}") from None


def _after(day: datetime | None) -> datetime | None:
    try:
        return None if day is None else day + timedelta(days=1)
    except OverflowError:
        return None


def ids_seen(account_id: str, seen: Seen) -> Select[tuple[str]]:
    """Return the query of the ids of the builds that a reader may see, to be a part of another query."""
    return repository.ids_seen(account_id, seen)


def whole(db: Connection, build: Build, seen: Seen | None) -> BuildOut:
    """Show one build with those that its steps started or that run it again; only what the reader sees."""
    around = relatives.of(db, build, seen)
    paused = [] if build.status.is_final else debugging.paused(repository.paused_steps(db, build.id))
    return msgspec.structs.replace(
        show(db, [build])[0],
        children=around.children,
        paused=paused,
        restart_of=around.restart_of,
        restarts=around.restarts,
    )


def variables(db: Connection, build: Build) -> list[VariableOut]:
    """Return the variables that a build was given, by name; secret values are left out."""
    stored = repository.variables_of(repository.inputs(db, build.id)["variables"])
    return [
        VariableOut(
            key=key, value=value if isinstance(value, str) else "", encrypted=isinstance(value, Sealed)
        )
        for key, value in sorted(stored.items())
    ]


def restart(db: Connection, caller: Caller, build_id: str, query: RestartQuery) -> str:
    """Queue a build like an earlier one: same plan, same variables, same commit.

    Args:
        db: as everywhere.
        caller: who asks.
        build_id: the earlier build.
        query: what of it is not run again.

    Returns:
        The new id.

    Raises:
        BadRequest: it may not go on from such a step, or has none.
    """
    build = find(db, caller.account_id, build_id)
    stored = repository.inputs(db, build.id)
    new_build_id = new_id()
    plan = plans.from_json(stored["plan"].encode())
    carried: list[StepState] = []
    goes_on = query.from_failed or query.from_step is not None
    if goes_on:
        restarts.check(build, stored["options"], plan, from_step=query.from_step)
        carried = restarts.carried(plan, repository.steps(db, build.id), before=query.from_step)
    own = {
        "CF_BUILD_ID": new_build_id,
        "CF_BUILD_INITIATOR": caller.user_name,
        "CF_BUILD_TIMESTAMP": str(int(datetime.now(UTC).timestamp() * 1000)),
    }
    started = start(
        db,
        BuildRequest(
            build_id=new_build_id,
            account_id=build.account_id,
            user_id=caller.user_id,
            initiator=caller.user_name,
            pipeline_id=build.pipeline_id,
            pipeline_name=build.pipeline_name,
            project=build.project,
            plan=plan,
            carried=carried,
            volume_from=build.id if goes_on else None,
            parent_id=caller.build_id,
            yaml=stored["yaml"],
            variables=repository.variables_of(stored["variables"]) | own,
            trigger_kind=build.trigger_kind,
            trigger_id=build.trigger_id,
            trigger_name=build.trigger_name,
            branch=build.branch,
            revision=build.revision,
            repo_owner=build.repo_owner,
            repo_name=build.repo_name,
            options=stored["options"],
            given=stored["given"],
            concurrency=stored["concurrency"],
            branch_concurrency=stored["branch_concurrency"],
            trigger_concurrency=stored["trigger_concurrency"],
            priority=stored["priority"],
            counts_waiting=bool(stored["counts_waiting"]),
            environment=stored["environment"],
            termination_policy=stored["termination_policy"] or (),
        ),
    )
    relatives.remember(db, started, build, query)
    return started


def terminate_all(db: Connection, account_id: str) -> int:
    """Stop what has not ended in an account; return how many builds that are."""
    unended = repository.unended_of(db, account_id)
    for build in unended:
        terminate(db, build)
    return len(unended)


def terminate(db: Connection, build: Build) -> None:
    """Stop a build: at once where it has not begun, else by a worker, which also cleans up after it.

    A build that has ended, or is being stopped, stays as it is.
    """
    build = repository.locked(db, build)
    if build.status.is_final or build.status is BuildStatus.TERMINATING:
        return
    now = datetime.now(UTC)
    if build.status in (BuildStatus.PENDING, BuildStatus.DELAYED):
        close(db, build, BuildStatus.TERMINATED, reason="terminated before it began", now=now)
        return
    status: BuildStatus = build.status
    if status is BuildStatus.PENDING_APPROVAL:  # its volume is kept somewhere: a worker takes it up to end it
        status = move(status, BuildStatus.RUNNING)
    repository.change(
        db,
        build.id,
        status=move(status, BuildStatus.TERMINATING),
        stop_requested=True,
        waiting_step=None,
        waiting_until=None,
        updated_at=now,
    )
    signals.publish(db, STOPPED)
    signals.publish(db, QUEUED)  # nobody may hold it now: then somebody must take it up to end it
    tell(db, build.account_id, build.id)


def close(db: Connection, build: Build, status: BuildStatus, *, reason: str, now: datetime) -> None:
    """Give a build, whose row the transaction holds, its final status; its key ends with it."""
    repository.change(
        db,
        build.id,
        status=move(build.status, status),
        finished_at=now,
        updated_at=now,
        error=reason,
        owner=None,
        lease_until=None,
        waiting_step=None,
        waiting_until=None,
    )
    api_keys.revoke_for_build(db, build.id)
    debugging.forget(db, build.id)
    if status is BuildStatus.TERMINATED:
        for other in victims.of_termination(db, build):
            terminate(db, other)
    signals.publish(db, QUEUED)  # a limit may be free now
    tell(db, build.account_id, build.id)


def decide(db: Connection, build: Build, decision: Decision, *, now: datetime) -> None:
    """Say what becomes of an approval that a build waits for; a worker goes on with it.

    Raises:
        BadRequest: the build waits for no approval.
    """
    build = repository.locked(db, build)
    if build.status is not BuildStatus.PENDING_APPROVAL or build.waiting_step != decision.step:
        raise BadRequest(f"build {build.id} waits for no approval, its status is {build.status!s}")
    repository.change(
        db,
        build.id,
        status=move(build.status, BuildStatus.RUNNING),
        updated_at=now,
        decision=decision,
        waiting_step=None,
        waiting_until=None,
    )
    signals.publish(db, QUEUED)
    tell(db, build.account_id, build.id)


def measured(db: Connection, account_id: str, wanted: Wanted) -> list[Measured]:
    """Return numbers about builds that have ended, in the order of their keys; at most 1,000 rows."""
    return statistics.measured(db, account_id, wanted)


def steps(db: Connection, build: Build) -> list[StepOut]:
    """Return the steps of a build in the order of the file, those not started too."""
    plan = plans.from_json(repository.inputs(db, build.id)["plan"].encode())
    states = repository.steps(db, build.id)
    needs, hooks = shape.needs(plan), shape.hooks(states)
    return [
        _step_out(step, states.get(step.name), needs[step.name], hooks.get(step.name, []))
        for step in plan.steps
    ]


def _step_out(
    step: plans.PlannedStep, state: StepState | None, needs: list[str], hooks: list[HookOut]
) -> StepOut:
    out = StepOut(
        name=step.name,
        title=step.title,
        type=step.type,
        stage=step.stage,
        status="pending",
        parent=step.parent,
        needs=needs,
        hooks=hooks,
    )
    if state is None:
        return out
    decision = None
    if state.status in _DECIDED:
        by = state.decided_by[0] if state.decided_by else None
        decision = DecisionOut(by=by, reason=state.decided_because)
    return msgspec.structs.replace(
        out,
        title=state.title or step.title,
        output_url=state.link or None,
        status=str(state.status),
        attempt=state.starts,
        started=None if state.started_at is None else wire_time(state.started_at),
        finished=None if state.finished_at is None else wire_time(state.finished_at),
        reason=state.reason,
        decision=decision,
        previously_executed=state.previously_executed,
        paused=debugging.shown(state),
    )


def set_limits(
    db: Connection,
    pipeline_id: str,
    *,
    concurrency: int | None,
    branch_concurrency: int | None,
    trigger_concurrency: int | None,
) -> None:
    """Give the waiting builds of a pipeline its new limits; a thawed pipeline's builds then run."""
    repository.set_limits(
        db,
        pipeline_id,
        concurrency=concurrency,
        branch_concurrency=branch_concurrency,
        trigger_concurrency=trigger_concurrency,
    )
    signals.publish(db, QUEUED)


def set_trigger_limit(db: Connection, pipeline_id: str, trigger_id: str, limit: int | None) -> None:
    """Give the waiting builds of one trigger a new limit; call it after `set_limits`."""
    repository.set_trigger_limit(db, pipeline_id, trigger_id, limit)


RESTART_PERMISSION = restarts.PERMISSION
policy_problems = policies.problems


def statuses(db: Connection, build_ids: Sequence[str]) -> dict[str, BuildStatus]:
    """Return the statuses of builds of any account, by id; those that are gone are absent."""
    return repository.statuses(db, build_ids) if build_ids else {}


def delay(db: Connection, environments_with_room: Collection[str], *, now: datetime) -> None:
    """Look after builds that could run but find no worker.

    After `_DELAY_S` seconds they are ``delayed``; a delay ends after `_LONGEST_DELAY`, and an account
    has at most `_MOST_DELAYED` such builds: of more, the oldest end.

    Args:
        db: a transaction.
        environments_with_room: runtime environments that have a worker with a free place.
        now: the time.
    """
    waited = now - timedelta(seconds=_DELAY_S)
    for build_id, account_id in queue.delay(db, environments_with_room, created_before=waited, now=now):
        tell(db, account_id, build_id)
    for build in queue.delayed(db, since=now - _LONGEST_DELAY):
        close(db, build, BuildStatus.TERMINATED, reason="Delay time limit exceeded", now=now)
    for build in queue.delayed_over(db, _MOST_DELAYED):
        close(db, build, BuildStatus.TERMINATED, reason="Maximum delayed workflows exceeded", now=now)
