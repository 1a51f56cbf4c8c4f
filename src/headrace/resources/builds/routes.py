"""The operations of builds: read, list, stop, decide, run again."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from headrace.execution.ports import Decision
from headrace.http.auth import Caller
from headrace.http.routing import Connection, Example, Reply, Router
from headrace.http.scopes import Scope
from headrace.resources.builds import service
from headrace.resources.builds.schemas import (
    BuildOut,
    BuildQuery,
    BuildsOut,
    BuildsQuery,
    BuildStatusOut,
    StepOut,
    status_out,
)

router = Router("", tag="builds")


@router.route("GET", "/builds/{buildId}", scope=Scope.BUILD_READ_STATUS, sdk="workflows.getBuild")
def get_build(
    buildId: str,  # noqa: N803 - the wire name
    query: BuildQuery,  # noqa: ARG001 - documents what clients send
    caller: Caller,
    db: Connection,
) -> BuildOut | BuildStatusOut:
    """Get one build.

    A key with the scope `build:read:status` alone sees the status and the times, no more.
    """
    build = service.find(db, caller.account_id, buildId)
    if not caller.may(Scope.BUILD_READ):
        return status_out(build)
    return service.show(db, [build])[0]


@router.route(
    "GET",
    "/workflow",
    scope=Scope.BUILD_READ,
    sdk="workflows.list",
    example=Example(query="limit=10&page=1"),
)
def list_builds(query: BuildsQuery, caller: Caller, db: Connection) -> BuildsOut:
    """List builds, newest first."""
    return service.listed(db, caller.account_id, query)


@router.route("GET", "/builds/rebuild/{id}", scope=Scope.PIPELINE_RUN, sdk="workflows.restart", effect=True)
def restart_build(id: str, caller: Caller, db: Connection) -> Reply:  # noqa: A002 - the wire name
    """Run a build again with the same plan, variables and commit; answers the new id."""
    build_id = service.restart(db, caller, id)
    return Reply(build_id, headers={"Location": f"/api/builds/{build_id}"})


@router.route("GET", "/builds/{buildId}/steps", scope=Scope.BUILD_READ, sdk="workflows.steps")
def list_steps(buildId: str, caller: Caller, db: Connection) -> list[StepOut]:  # noqa: N803
    """List the steps of a build in the order of its file."""
    return service.steps(db, service.find(db, caller.account_id, buildId))


@router.route("DELETE", "/progress/{id}", scope=Scope.BUILD_WRITE, sdk="progress.terminate")
def terminate_build(id: str, caller: Caller, db: Connection) -> dict[str, Any]:  # noqa: A002
    """Stop a build; it ends as `terminated`. One that has ended stays as it is."""
    service.terminate(db, service.by_progress(db, caller.account_id, id))
    return {}


Reason = Annotated[str, msgspec.Meta(max_length=1000, description="shown to readers of the build")]


@router.route(
    "GET",
    "/workflow/{buildId}/pending-approval/approve",
    scope=Scope.PIPELINE_APPROVE,
    sdk="workflows.approve",
    operation="workflow-approve",
    effect=True,
)
def approve_build(buildId: str, caller: Caller, db: Connection) -> dict[str, Any]:  # noqa: N803
    """Approve the step that a build waits for; the build goes on."""
    return _decide(db, caller, buildId, "approved")


@router.route(
    "GET",
    "/workflow/{buildId}/pending-approval/deny",
    scope=Scope.PIPELINE_APPROVE,
    sdk="workflows.deny",
    operation="workflow-deny",
    effect=True,
)
def deny_build(buildId: str, caller: Caller, db: Connection) -> dict[str, Any]:  # noqa: N803
    """Refuse the step that a build waits for; by default the build ends."""
    return _decide(db, caller, buildId, "denied")


def _decide(db: Connection, caller: Caller, build_id: str, result: Any) -> dict[str, Any]:  # noqa: ANN401
    build = service.find(db, caller.account_id, build_id)
    by = (caller.user_name, "user" if caller.kind == "session" else "api-key")
    decision = Decision(step=build.waiting_step or "", result=result, by=by)
    service.decide(db, build, decision, now=datetime.now(UTC))
    return {"status": result}
