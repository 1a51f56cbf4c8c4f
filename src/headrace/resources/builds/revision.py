"""The last state of a build with its steps, as scripts that gather metrics read it.

Source: Codefresh docs, "Gather Codefresh-related metrics and build logs". The original answers every
state that a build was in; this server keeps the last one.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from sqlalchemy import Connection

from headrace.execution.ports import StepState
from headrace.kit.clock import wire_time
from headrace.pipeline import plan as plans
from headrace.pipeline.status import BuildStatus, StepStatus
from headrace.resources.builds import repository
from headrace.resources.builds.schemas import Build

_RESULTS = {"error": "failure", "denied": "failure"}  # in the words of the original; others are the same
Milliseconds = Annotated[int, msgspec.Meta(description="milliseconds")]


class Timed(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """When something ran, and how it went; a time that has not come is left out."""

    result: str = ""
    status: str = ""
    start_timestamp: str | None = None
    finish_timestamp: str | None = None
    total_time: Milliseconds | None = None


class WorkflowMetadata(Timed, kw_only=True, rename="camel", omit_defaults=True):
    """The build."""

    mode: str = ""


class StepMetadata(Timed, kw_only=True, rename="camel", omit_defaults=True):
    """A step that has begun."""

    type: str = ""
    title: str = ""
    current_attempt: int = 0


class RevisionContext(msgspec.Struct, kw_only=True, rename="camel"):
    """The build, and its steps by name."""

    workflow_metadata: WorkflowMetadata
    steps_metadata: dict[str, StepMetadata]


class RevisionMetadata(msgspec.Struct, kw_only=True, rename="camel"):
    """What the state is of."""

    account: str
    process: str
    revision: int


class RevisionOut(msgspec.Struct, kw_only=True, rename={"id": "_id"}):
    """A state of a build."""

    id: str
    context: RevisionContext
    metadata: RevisionMetadata


def revisions(db: Connection, build: Build) -> list[RevisionOut]:
    """Return the last state of a build; none of a build that has not begun."""
    if build.started_at is None:
        return []
    plan = plans.from_json(repository.inputs(db, build.id)["plan"].encode())
    types = {step.name: step.type for step in plan.steps}
    states = repository.steps(db, build.id)
    return [
        RevisionOut(
            id=build.id,
            context=RevisionContext(
                workflow_metadata=WorkflowMetadata(
                    mode=plan.mode, **_timed(build.status, build.started_at, build.finished_at)
                ),
                steps_metadata={
                    name: _step(state, types.get(name, ""))
                    for name, state in states.items()
                    if state.status is not StepStatus.PENDING
                },
            ),
            metadata=RevisionMetadata(account=build.account_id, process=build.id, revision=len(states)),
        )
    ]


def _step(state: StepState, kind: str) -> StepMetadata:
    return StepMetadata(
        type=kind,
        title=state.title,
        current_attempt=state.attempt,
        **_timed(state.status, state.started_at, state.finished_at),
    )


def _timed(
    status: BuildStatus | StepStatus, begun: datetime | None, ended: datetime | None
) -> dict[str, Any]:
    word = _RESULTS.get(str(status), str(status))
    return {
        "result": word,
        "status": word,
        "start_timestamp": wire_time(begun) if begun else None,
        "finish_timestamp": wire_time(ended) if ended else None,
        "total_time": round((ended - begun).total_seconds() * 1000) if begun and ended else None,
    }
