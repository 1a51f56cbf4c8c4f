"""The operations of builds: read, list, stop, decide, run again."""

import time
from datetime import UTC, datetime
from typing import Any, Literal

from headrace.execution.ports import Decision
from headrace.http.auth import Caller
from headrace.http.errors import BadRequest
from headrace.http.paging import Pages
from headrace.http.rights import Right, Rights
from headrace.http.routing import Connection, Example, Raw, Reply, Router
from headrace.http.scopes import Scope
from headrace.http.sse import Events, Stream
from headrace.kit.crypto import SecretBox
from headrace.resources.builds import data, debugging, finding, service
from headrace.resources.builds.changes import changes
from headrace.resources.builds.links import ARCHIVES, LogSettings
from headrace.resources.builds.logs import Told
from headrace.resources.builds.marks import Marks
from headrace.resources.builds.revision import RevisionOut, revisions
from headrace.resources.builds.schemas import (
    ArchiveQuery,
    BuildOut,
    BuildQuery,
    BuildsOut,
    BuildsQuery,
    BuildStatusOut,
    ChangesQuery,
    DataOut,
    DataQuery,
    DebugBody,
    DebugOut,
    DecideQuery,
    FoundOut,
    LocationOut,
    LogQuery,
    ProgressOut,
    RestartQuery,
    SearchQuery,
    StepOut,
    StreamQuery,
    VariableOut,
    status_out,
)
from headrace.resources.builds.streams import LogReader
from headrace.storage.engine import Database
from headrace.storage.logs import LogStore
from headrace.storage.signals import Signals

router = Router("", tag="builds")


@router.route(
    "GET",
    "/builds/{buildId}",
    scope=Scope.BUILD_READ_STATUS,
    sdk="workflows.getBuild",
    right=Right("read", "build", "buildId"),
)
def get_build(
    buildId: str,  # noqa: N803 - the wire name
    query: BuildQuery,  # noqa: ARG001 - documents what clients send
    caller: Caller,
    db: Connection,
    rights: Rights,
) -> BuildOut | BuildStatusOut:
    """Get one build.

    A key with the scope `build:read:status` alone sees the status and the times, no more.
    """
    build = service.find(db, caller.account_id, buildId)
    if not caller.may(Scope.BUILD_READ):
        return status_out(build)
    return service.whole(db, build, rights.seen(db, "pipeline"))


@router.route(
    "GET",
    "/workflow",
    scope=Scope.BUILD_READ,
    sdk="workflows.list",
    right=Right("read", "build"),
    example=Example(query="limit=10&page=1"),
)
def list_builds(
    query: BuildsQuery, caller: Caller, db: Connection, marks: Marks, pages: Pages, rights: Rights
) -> BuildsOut:
    """List builds, newest first.

    Page 1,000 costs what page 1 costs. Pages move when builds are added; `after` does not.
    """
    return service.listed(db, caller.account_id, query, marks, pages, rights)


@router.route(
    "GET",
    "/builds/rebuild/{id}",
    scope=Scope.PIPELINE_RUN,
    sdk="workflows.restart",
    right=Right("run", "build", "id"),
    effect=True,
    example=Example(path={"id": "$BUILD_ID"}),
)
def restart_build(
    id: str,  # noqa: A002 - the wire name
    query: RestartQuery,
    caller: Caller,
    db: Connection,
) -> Reply:
    """Run a build again with the same plan, variables and commit; answers the new id.

    With `fromFailed` steps that went well are not run again: their results, members, exports and
    the volume are those of the failed build. With `fromStep`, only those that stand before that step.
    """
    build_id = service.restart(db, caller, id, query)
    return Reply(build_id, headers={"Location": f"/api/builds/{build_id}"})


@router.route(
    "GET",
    "/builds/{buildId}/steps",
    scope=Scope.BUILD_READ,
    sdk="workflows.steps",
    right=Right("read", "build", "buildId"),
)
def list_steps(buildId: str, caller: Caller, db: Connection) -> list[StepOut]:  # noqa: N803
    """List the steps of a build in the order of its file."""
    return service.steps(db, service.find(db, caller.account_id, buildId))


@router.route(
    "GET",
    "/builds/{buildId}/variables",
    scope=Scope.BUILD_READ,
    sdk="workflows.variables",
    right=Right("read", "build", "buildId"),
)
def list_variables(buildId: str, caller: Caller, db: Connection) -> list[VariableOut]:  # noqa: N803
    """List the variables that a build was given; encrypted ones without their value."""
    return service.variables(db, service.find(db, caller.account_id, buildId))


@router.route(
    "DELETE",
    "/progress/{id}",
    scope=Scope.BUILD_WRITE,
    sdk="progress.terminate",
    right=Right("run", "progress", "id"),
)
def terminate_build(id: str, caller: Caller, db: Connection) -> dict[str, Any]:  # noqa: A002
    """Stop a build; it ends as `terminated`. One that has ended stays as it is."""
    service.terminate(db, service.by_progress(db, caller.account_id, id))
    return {}


@router.route(
    "GET",
    "/workflow/{buildId}/pending-approval/approve",
    scope=Scope.PIPELINE_APPROVE,
    sdk="workflows.approve",
    right=Right("approve", "build", "buildId"),
    operation="workflow-approve",
    effect=True,
)
def approve_build(
    buildId: str,  # noqa: N803 - the wire name
    query: DecideQuery,
    caller: Caller,
    db: Connection,
) -> dict[str, Any]:
    """Approve the step that a build waits for; the build goes on."""
    return _decide(db, caller, buildId, "approved", query.reason)


@router.route(
    "GET",
    "/workflow/{buildId}/pending-approval/deny",
    scope=Scope.PIPELINE_APPROVE,
    sdk="workflows.deny",
    right=Right("approve", "build", "buildId"),
    operation="workflow-deny",
    effect=True,
)
def deny_build(
    buildId: str,  # noqa: N803 - the wire name
    query: DecideQuery,
    caller: Caller,
    db: Connection,
) -> dict[str, Any]:
    """Refuse the step that a build waits for; by default the build ends."""
    return _decide(db, caller, buildId, "denied", query.reason)


@router.route(
    "POST",
    "/workflow/{buildId}/debug",
    scope=Scope.PIPELINE_RUN,
    sdk="workflows.debug",
    right=Right("debug", "build", "buildId"),
    operation="workflow-debug",
    example=Example(body={"action": "continue"}),
)
def debug_build(
    buildId: str,  # noqa: N803 - the wire name
    body: DebugBody,
    caller: Caller,
    db: Connection,
) -> DebugOut:
    """Say what a step that waits at a breakpoint is to do.

    `run` carries out a script with the variables and the volume of the step; what it prints, and its
    exit code, are in the log of the step. `GET /builds/{buildId}` says which steps wait, in `paused`.
    """
    return debugging.ask(db, service.find(db, caller.account_id, buildId), caller.user_name, body)


def _decide(
    db: Connection, caller: Caller, build_id: str, result: Literal["approved", "denied"], reason: str
) -> dict[str, Any]:
    build = service.find(db, caller.account_id, build_id)
    by = (caller.user_name, "user" if caller.kind == "session" else "api-key")
    decision = Decision(step=build.waiting_step or "", result=result, by=by, reason=reason.strip())
    service.decide(db, build, decision, now=datetime.now(UTC))
    return {"status": result}


@router.route(
    "GET", "/progress/{id}", scope=Scope.BUILD_READ, sdk="progress.get", right=Right("read", "progress", "id")
)
def get_progress(
    id: str,  # noqa: A002 - the wire name
    caller: Caller,
    db: Connection,
    raw: Raw,
    box: SecretBox,
    settings: LogSettings,
) -> ProgressOut:
    """Say where the log of a build is.

    `composition`: it runs, its log comes live over the WebSocket `/ws/{account}/{id}`.
    `archive`: the link answers the whole log as JSON. It needs no key and is good for 15 minutes.
    """
    build = service.by_progress(db, caller.account_id, id)
    if settings.transport == "live" and not build.status.is_final:
        location = LocationOut("composition", raw.base_url)
    else:
        token = ARCHIVES.token(box, build.account_id, id, now_s=int(time.time()))
        location = LocationOut("archive", f"{raw.base_url}/api/logs/archive/{id}?token={token}")
    return ProgressOut(id=id, _id=id, account=build.account_id, status=build.status, location=location)


@router.route(
    "GET",
    "/logs/archive/{progressId}",
    scope=Scope.PUBLIC,
    sdk="logs.archive",
    example=Example(query="token=$TOKEN"),
)
async def get_archive(
    progressId: str,  # noqa: N803 - the wire name
    query: ArchiveQuery,
    box: SecretBox,
    database: Database,
    logs: LogStore,
    hub: Signals,
) -> Stream:
    """Get the log of a build as JSON, through the signed link of its progress.

    While the build runs, the answer is held until it has ended.
    """
    account_id = ARCHIVES.account_of(box, query.token, progressId, now_s=int(time.time()))
    reader = LogReader(database, logs, hub)
    log = await reader.open(lambda db: service.by_progress(db, account_id, progressId))
    return Stream(reader.archive(log), media_type="application/json; charset=utf-8")


@router.route(
    "GET",
    "/progress/download/{id}",
    scope=Scope.BUILD_READ,
    sdk="progress.download",
    right=Right("read", "progress", "id"),
    example=Example(path={"id": "$PROGRESS_ID"}),
)
async def download_log(
    id: str,  # noqa: A002 - the wire name
    caller: Caller,
    database: Database,
    logs: LogStore,
    hub: Signals,
) -> Stream:
    """Get the log of a build as JSON.

    While the build runs, the answer is held until it has ended.
    """
    reader = LogReader(database, logs, hub)
    log = await reader.open(lambda db: service.by_progress(db, caller.account_id, id))
    return Stream(reader.archive(log), media_type="application/json; charset=utf-8")


@router.route(
    "GET",
    "/builds/{buildId}/logs",
    scope=Scope.BUILD_READ,
    sdk="workflows.logs",
    right=Right("read", "build", "buildId"),
)
async def get_log(
    buildId: str,  # noqa: N803 - the wire name
    query: LogQuery,
    caller: Caller,
    database: Database,
    logs: LogStore,
    hub: Signals,
) -> Stream:
    """Get what is stored of the log of a build, as text.

    All steps, each under its heading; with `step`, that step alone, from byte `offset` on.
    """
    reader = LogReader(database, logs, hub)
    log = await reader.open(lambda db: service.find(db, caller.account_id, buildId))
    if query.step is None:
        if query.offset or query.limit is not None:
            raise BadRequest("query string: offset and limit are of one step; name it with step=")
        text = reader.text(log)
    else:
        text = reader.part(log, query.step, query.offset, query.limit)
    return Stream(text, media_type="text/plain; charset=utf-8")


@router.route(
    "GET",
    "/builds/{buildId}/logs/search",
    scope=Scope.BUILD_READ,
    sdk="workflows.searchLogs",
    right=Right("read", "build", "buildId"),
    operation="workflows-search-logs",
    example=Example(query="q=error"),
)
async def search_log(
    buildId: str,  # noqa: N803 - the wire name
    query: SearchQuery,
    caller: Caller,
    database: Database,
    logs: LogStore,
    hub: Signals,
) -> FoundOut:
    """Find lines in what is stored of the log of a build; answers where they are.

    Lines are compared without their time and colours. A call reads a bounded part of a long log: it goes
    on with `cursor` where `next` is not null. Read a line with `offset` of `GET /builds/{buildId}/logs`.
    """
    finding.check(query)
    reader = LogReader(database, logs, hub)
    log = await reader.open(lambda db: service.find(db, caller.account_id, buildId))
    return await reader.search(log, query)


@router.route(
    "GET",
    "/builds/{buildId}/logs/stream",
    scope=Scope.BUILD_READ,
    sdk="workflows.streamLogs",
    right=Right("read", "build", "buildId"),
    operation="workflows-stream-logs",
)
async def stream_log(
    buildId: str,  # noqa: N803 - the wire name
    query: StreamQuery,
    caller: Caller,
    raw: Raw,
    database: Database,
    logs: LogStore,
    hub: Signals,
) -> Events:
    """Follow a build live, as server-sent events, from its beginning to its end.

    `step`: a step has begun or ended; `log`: text of a step; `status`: of the build, a final one is
    the last event. Each event has an id; the header `Last-Event-ID`, or `cursor`, goes on after it.

    With `text=false` no text is sent: `extent` says how many bytes and lines of a step are stored, and
    in `marks`, as `[byte, lines before]`, where lines begin, about every 64 KiB; each mark is sent once.
    Read the bytes with `GET /builds/{buildId}/logs`. Such a stream has no ids, it begins anew.
    """
    reader = LogReader(database, logs, hub)
    log = await reader.open(lambda db: service.find(db, caller.account_id, buildId))
    if not query.text:
        return Events(reader.outline(log))
    told = Told.read(log, raw.headers.get("last-event-id") or query.cursor)
    return Events(reader.events(log, told))


@router.route(
    "GET",
    "/changes",
    scope=Scope.BUILD_READ,
    sdk="workflows.changes",
    operation="workflows-changes",
    example=Example(query="seconds=1"),
)
async def watch_changes(query: ChangesQuery, caller: Caller, hub: Signals) -> Events:
    """Be told what changes in the account, as server-sent events.

    An event `changed` names a `kind`: `builds`, `pipelines`, or another tag of operations. It is a
    hint to read again what one shows; changes of a kind at the same time are one event.
    """
    return Events(changes(hub, caller.account_id, query.seconds))


@router.route(
    "GET",
    "/workflow/{id}/context-revision",
    scope=Scope.BUILD_READ,
    sdk="workflows.contextRevision",
    right=Right("read", "build", "id"),
    example=Example(path={"id": "$BUILD_ID"}),
)
def list_revisions(id: str, caller: Caller, db: Connection) -> list[RevisionOut]:  # noqa: A002 - the wire name
    """List the states of a build with its steps: the last one alone.

    Empty before the build has begun. For scripts that gather metrics: a step that failed has the
    status `failure` here.
    """
    return revisions(db, service.find(db, caller.account_id, id))


@router.route(
    "GET",
    "/workflow/{workflowId}/data",
    scope=Scope.BUILD_READ,
    sdk="workflows.getWorkflowData",
    right=Right("read", "build", "workflowId"),
    operation="get-workflow-data",
    example=Example(path={"workflowId": "$BUILD_ID"}),
)
def list_data(workflowId: str, caller: Caller, db: Connection) -> DataOut:  # noqa: N803 - the wire name
    """List the data items of a build, the oldest first, without what they hold."""
    return DataOut(data.listed(db, service.find(db, caller.account_id, workflowId)))


@router.route(
    "POST",
    "/workflow/{workflowId}/data",
    scope=Scope.BUILD_WRITE,
    sdk="workflows.pushWorkflowData",
    right=Right("run", "build", "workflowId"),
    operation="push-workflow-data",
    example=Example(path={"workflowId": "$BUILD_ID"}, body={"coverage": 75}),
)
def add_data(workflowId: str, body: Any, caller: Caller, db: Connection, box: SecretBox) -> Reply:  # noqa: N803, ANN401 - any JSON
    """Keep any JSON with a build, encrypted; answers the id of the item."""
    build = service.find(db, caller.account_id, workflowId)
    return Reply({"_id": data.add(db, box, build, body)}, status=201)


@router.route(
    "GET",
    "/workflow/{workflowId}/data/{id}",
    scope=Scope.BUILD_READ,
    sdk="workflows.getWorkflowDataItem",
    right=Right("read", "build", "workflowId"),
    operation="get-workflow-data-item",
    example=Example(path={"workflowId": "$BUILD_ID", "id": "$DATA_ID"}, query="decrypt=true"),
)
def get_data(
    workflowId: str,  # noqa: N803 - the wire name
    id: str,  # noqa: A002
    query: DataQuery,
    caller: Caller,
    db: Connection,
    box: SecretBox,
) -> dict[str, Any]:
    """Get a data item of a build; with ``decrypt`` what it holds, too."""
    build = service.find(db, caller.account_id, workflowId)
    return data.find(db, box, build, id, decrypt=query.decrypt)
