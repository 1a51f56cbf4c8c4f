"""What comes into the one door of builds, and what the API shows of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from headrace.execution.ports import StepState
from headrace.http.paging import Limit, Page
from headrace.http.rights import Seen
from headrace.kit.clock import wire_time
from headrace.pipeline.plan import Plan
from headrace.pipeline.status import BuildStatus


class Sealed(msgspec.Struct, frozen=True):
    """A secret value as the secret box sealed it for the account."""

    sealed: str


class BuildRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A build that is to start: everything it needs, gathered and compiled."""

    build_id: str
    account_id: str
    user_id: str  # who starts it; its key may do no more
    initiator: str  # the name of that user
    pipeline_id: str | None
    pipeline_name: str  # ``project/pipeline``; empty for a run of a YAML alone
    project: str
    plan: Plan
    yaml: str  # as its author wrote it
    variables: Mapping[str, str | Sealed]  # all levels merged
    trigger_kind: str  # ``build``, ``webhook`` or ``launch-composition``
    parent_id: str | None = None  # the build whose step starts it
    trigger_id: str | None = None
    trigger_name: str | None = None
    branch: str | None = None
    revision: str | None = None
    repo_owner: str | None = None
    repo_name: str | None = None
    annotations: Mapping[str, str] = {}
    request_id: str | None = None  # the same for a repeated request
    volume_from: str | None = None  # the build whose volume this one goes on with, from its failed step
    carried: Sequence[StepState] = ()  # of steps that it has executed already
    options: Mapping[str, Any] = {}
    given: Mapping[str, Any] = {}  # the body of the run, without variables
    concurrency: int | None = None
    branch_concurrency: int | None = None
    trigger_concurrency: int | None = None
    priority: int = 0
    counts_waiting: bool = False  # builds that wait for an approval take room of its limits, too
    environment: str | None = None  # whose workers take it; None: `runtime_environments.DEFAULT`
    termination_policy: Sequence[Mapping[str, Any]] = ()  # see `builds.policies`


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """One build as lists read it."""

    id: str
    account_id: str
    progress_id: str
    status: BuildStatus
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime
    pipeline_id: str | None
    pipeline_name: str
    project: str
    user_id: str
    initiator: str
    trigger_kind: str
    trigger_id: str | None
    trigger_name: str | None
    branch: str | None
    revision: str | None
    repo_owner: str | None
    repo_name: str | None
    error: str
    owner: str | None
    parent_id: str | None
    waiting_step: str | None
    waiting_until: datetime | None
    yaml: str = ""  # as its author wrote it; lists leave it out


class BuildStatusOut(msgspec.Struct, kw_only=True, rename="camel"):
    """What a key with ``build:read:status`` alone may read."""

    id: str
    status: str
    created: str
    started: str | None
    finished: str | None
    pipeline_name: str
    service_id: str


class PendingApprovalOut(msgspec.Struct, kw_only=True, rename="camel"):
    """The approval that a build waits for."""

    step: str
    until: str | None


class PauseOut(msgspec.Struct, kw_only=True):
    """A breakpoint at which a step of a debugged build waits."""

    step: str
    phase: str  # ``before``, ``override`` or ``after``
    since: str
    until: str  # then the build ends


class ChildOut(msgspec.Struct, kw_only=True, rename="camel"):
    """A build that a step of another one has started."""

    id: str
    status: str
    pipeline_name: str


class RestartOfOut(msgspec.Struct, kw_only=True, rename="camel"):
    """Which build another one runs again; without both from its beginning."""

    id: str
    from_step: str | None
    from_failed: bool  # only what did not go well, and what follows it


class BuildOut(BuildStatusOut, kw_only=True, rename="camel"):
    """One build, in the words of the public API."""

    _id: str = msgspec.field(name="_id")
    progress: str
    account_id: str
    updated: str
    project: str
    repo_owner: str
    repo_name: str
    branch_name: str
    revision: str
    user_name: str
    trigger: str
    pipeline_trigger_id: str
    pipeline_trigger_name: str
    webhook_triggered: bool
    error: str | None
    pending_approval: PendingApprovalOut | None
    parent_id: str | None  # the build whose step has started this one
    paused: list[PauseOut] = []  # breakpoints at which its steps wait; lists leave them out
    children: list[ChildOut] = []  # builds that its steps have started; lists leave them out
    restart_of: RestartOfOut | None = None  # lists leave it out
    restarts: list[ChildOut] = []  # builds that run it again; lists leave them out
    annotations: list[dict[str, Any]] = []
    user_yaml_descriptor: str | None = None
    final_workflow_yaml: str | None = None


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else wire_time(moment)


def status_out(build: Build) -> BuildStatusOut:
    """Show the status of a build and no more."""
    return BuildStatusOut(
        id=build.id,
        status=build.status,
        created=wire_time(build.created_at),
        started=_time(build.started_at),
        finished=_time(build.finished_at),
        pipeline_name=build.pipeline_name,
        service_id=build.pipeline_id or "",
    )


def build_out(build: Build, annotations: list[dict[str, Any]]) -> BuildOut:
    """Show a build; texts that clients print are never null."""
    waiting = None
    if build.waiting_step is not None:
        waiting = PendingApprovalOut(step=build.waiting_step, until=_time(build.waiting_until))
    return BuildOut(
        id=build.id,
        _id=build.id,
        status=build.status,
        created=wire_time(build.created_at),
        started=_time(build.started_at),
        finished=_time(build.finished_at),
        updated=wire_time(build.updated_at),
        pipeline_name=build.pipeline_name,
        service_id=build.pipeline_id or "",
        progress=build.progress_id,
        account_id=build.account_id,
        project=build.project,
        repo_owner=build.repo_owner or "",
        repo_name=build.repo_name or "",
        branch_name=build.branch or "",
        revision=build.revision or "",
        user_name=build.initiator,
        trigger=build.trigger_kind,
        pipeline_trigger_id=build.trigger_id or "",
        pipeline_trigger_name=build.trigger_name or "",
        webhook_triggered=build.trigger_kind == "webhook",
        error=build.error or None,
        pending_approval=waiting,
        parent_id=build.parent_id,
        annotations=annotations,
        user_yaml_descriptor=build.yaml or None,
        final_workflow_yaml=build.yaml or None,
    )


class BuildsPage(msgspec.Struct):
    """A page of builds."""

    docs: list[BuildOut]
    total: int


class BuildsOut(msgspec.Struct):
    """The list of builds, nested as the public API does."""

    workflows: BuildsPage


_Day = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$", description="whole day, `YYYY-MM-DD`, UTC")]
_Status = Literal[
    "pending",
    "elected",
    "running",
    "pending-approval",
    "delayed",
    "terminating",
    "success",
    "error",
    "denied",
    "terminated",
]


class BuildsQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """Which builds: all filters must match; of a repeated one, any value."""

    limit: Limit = 25
    page: Page = 1
    status: Annotated[list[_Status], Meta(description="`error` also finds denied builds")] = []
    trigger: Annotated[list[str], Meta(description="`build` or `webhook`")] = []
    pipeline: Annotated[list[str], Meta(description="ids of pipelines")] = []
    revision: Annotated[list[str], Meta(description="commits")] = []
    branch_name: Annotated[list[str], Meta(description="branches")] = []
    pipeline_trigger_id: Annotated[list[str], Meta(description="ids of triggers")] = []
    start_date: Annotated[_Day | None, Meta(description="created on this day or later")] = None
    end_date: Annotated[_Day | None, Meta(description="created on this day or earlier")] = None
    after: Annotated[
        str | None,
        Meta(description="id of a build: the page after it, of older builds; instead of `page`"),
    ] = None
    one_per_pipeline: Annotated[
        bool,
        Meta(description="of each `pipeline`, at most 100, its newest build only, whatever else is asked"),
    ] = False
    pagination_reset: Annotated[bool, Meta(description="sent by clients, has no effect")] = False
    pagination_direction: Annotated[
        Literal["next", "previous"],
        Meta(description="`previous`: the page before the build `after`, of newer ones; else without effect"),
    ] = "next"


class BuildQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """How to show one build."""

    no_account: Annotated[bool, Meta(description="sent by clients, has no effect")] = False


class LocationOut(msgspec.Struct):
    """Where the log of a build is."""

    type: str
    url: str


class ProgressOut(msgspec.Struct, kw_only=True):
    """The progress of a build: its status, and where its log is."""

    id: str
    _id: str = msgspec.field(name="_id")
    account: str
    status: str
    location: LocationOut


class DecisionOut(msgspec.Struct, kw_only=True):
    """What was decided about an approval; when, says the end of the step."""

    by: str | None  # name of the user; null: nobody did, the time ran out
    reason: str


class HookOut(msgspec.Struct, kw_only=True):
    """A hook of a step."""

    moment: str  # ``on_fail``
    status: str


class StepOut(msgspec.Struct, kw_only=True, rename="camel"):
    """One step of a build."""

    name: str
    title: str
    type: str
    stage: str
    status: str
    attempt: int = 0
    started: str | None = None
    finished: str | None = None
    reason: str = ""
    previously_executed: bool = False  # by the failed build that this one goes on from
    parent: str | None = None  # name of the group that it is in
    needs: list[str] = []  # steps of the same group that it waits for
    decision: DecisionOut | None = None  # of an approval
    hooks: list[HookOut] = []  # those that have begun
    paused: PauseOut | None = None  # the breakpoint at which it waits
    output_url: str | None = None  # what the step exported as ``<its name>_CF_OUTPUT_URL``


class RestartQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """How a build runs again."""

    from_failed: Annotated[bool, Meta(description="run only what did not go well, and what follows it")] = (
        False
    )
    from_step: Annotated[
        str | None, Meta(description="run this step, those behind it in the file, and what did not go well")
    ] = None


class DecideQuery(msgspec.Struct, kw_only=True):
    """Why somebody decides so."""

    reason: Annotated[str, Meta(max_length=1000, description="kept with the build, written into its log")] = (
        ""
    )


class DebugBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a step that waits at a breakpoint is to do."""

    action: Annotated[
        Literal["continue", "step-over", "finish", "run"],
        Meta(
            description="`continue`: to the next breakpoint; `step-over`: to the next step; "
            "`finish`: to the end of the build; `run`: the script, beside the step"
        ),
    ]
    step: Annotated[str, Meta(max_length=512, description="needed where several steps wait")] = ""
    script: Annotated[str, Meta(max_length=65_536, description="lines of shell, of `run`")] = ""


class DebugOut(msgspec.Struct, kw_only=True):
    """What was asked, and of which step."""

    id: str
    step: str
    phase: str
    action: str


class VariableOut(msgspec.Struct, kw_only=True):
    """A variable that a build was given."""

    key: str
    value: str  # empty where it is encrypted
    encrypted: bool


class ChangesQuery(msgspec.Struct, kw_only=True):
    """How long to be told."""

    seconds: Annotated[int, Meta(ge=1, le=86_400, description="the stream ends after these")] = 5


class LogQuery(msgspec.Struct, kw_only=True):
    """Which part of a log."""

    step: Annotated[str | None, Meta(description="only this step; needed for a part")] = None
    offset: Annotated[int, Meta(ge=0, le=1 << 50, description="first byte")] = 0
    limit: Annotated[int, Meta(ge=1, le=1 << 30, description="at most this many bytes")] | None = None


class SearchQuery(msgspec.Struct, kw_only=True):
    """What to look for in a log."""

    q: Annotated[str, Meta(min_length=1, max_length=500, description="text; in either case")] | None = None
    errors: Annotated[bool, Meta(description="lines that look like an error, in place of a text")] = False
    step: Annotated[str | None, Meta(description="only this step")] = None
    limit: Annotated[int, Meta(ge=1, le=10_000, description="at most this many lines")] = 1_000
    cursor: Annotated[str, Meta(max_length=60, description="`next` of the answer before")] = ""


class HitOut(msgspec.Struct, kw_only=True):
    """A line of a log that was found."""

    step: str
    line: int  # 1 is the first
    offset: int  # of its first byte


class FoundOut(msgspec.Struct):
    """What a search has found so far."""

    hits: list[HitOut]
    next: str | None  # go on with this cursor; null: all was searched


class StreamQuery(msgspec.Struct, kw_only=True):
    """Where to go on."""

    cursor: Annotated[str, Meta(max_length=20_000, description="the id of the last event seen")] = ""
    text: Annotated[bool, Meta(description="false: events `extent` in place of `log`")] = True


class ArchiveQuery(msgspec.Struct, kw_only=True):
    """The signature of a link to an archive."""

    token: str = ""


class DataOut(msgspec.Struct):
    """The data items of a build."""

    docs: list[dict[str, Any]]


class DataQuery(msgspec.Struct, kw_only=True):
    """How to show a data item."""

    decrypt: Annotated[bool, Meta(description="show what the item holds")] = False


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which builds, and how they are put together."""

    created_from: datetime
    created_before: datetime
    by: str = ""  # ``hour``, ``day``, ``week``, ``month``, ``pipeline``; empty: all in one
    percent: int | None = None  # 50: what half of the builds did not exceed; None: the mean
    statuses: Sequence[str] = ()
    pipeline_ids: Sequence[str] = ()
    projects: Sequence[str] = ()  # names
    seen: Seen | None = None  # what rules let the reader see; None: all


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Builds that were put together. Spans are milliseconds; None where no build had begun."""

    key: str  # begin of the time in UTC, id of the pipeline, or empty
    name: str  # of the pipeline, where builds are put together by pipeline
    total: int
    succeeded: int
    total_ms: float
    running_ms: float | None
    delay_ms: float | None
