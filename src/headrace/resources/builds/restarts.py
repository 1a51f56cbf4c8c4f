"""What a build that goes on from a failed step takes over from the one that failed.

Source: `reference/pipeline-yaml.md` 4.13. Nothing that went well is done again: states, members and
exports come along, and the volume as the failed build left it. Where that volume is gone, clones
are done again, as after an approval without a volume.
"""

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import Connection

from headrace.execution.ports import BuildOrder, StepState
from headrace.http.errors import BadRequest
from headrace.pipeline.plan import CloneRepository, Plan
from headrace.pipeline.status import BuildStatus, StepStatus
from headrace.resources.builds import repository
from headrace.resources.builds.schemas import Build

PERMISSION = "permitRestartFromFailedSteps"  # in the spec of a pipeline, then in the options of its builds
_WENT_WELL = frozenset({StepStatus.SUCCESS, StepStatus.APPROVED})


def check(build: Build, options: Mapping[str, object], plan: Plan, *, from_step: str | None = None) -> None:
    """Make sure that a build may go on from its failed step, or from one of its steps.

    Raises:
        BadRequest: its pipeline does not permit it, it has not failed, or has no such step.
    """
    if options.get(PERMISSION) is False:
        raise BadRequest(
            f"pipeline {build.pipeline_name!r} does not permit to restart from a failed step "
            f"(spec.{PERMISSION}); restart the build from its beginning"
        )
    if from_step is not None:
        starts = [step.name for step in plan.steps if step.parent is None]
        if from_step not in starts:
            raise BadRequest(
                f"build {build.id} has no step {from_step!r} to begin from, only {', '.join(starts)}"
            )
        if not build.status.is_final:
            raise BadRequest(f"build {build.id} has not ended, its status is {build.status!s}")
        return
    if not build.status.is_final or build.status is BuildStatus.SUCCESS:
        raise BadRequest(f"build {build.id} has not failed, its status is {build.status!s}")


def carried(plan: Plan, states: Mapping[str, StepState], *, before: str | None = None) -> list[StepState]:
    """The states that a new build of the same plan begins with, marked as executed before.

    A group that went well comes along whole, so do the members that went well of one that failed.

    Args:
        plan: of both builds.
        states: of the steps of the earlier build.
        before: only of steps that stand before this one in the file; None: of all.
    """
    kept: dict[str, StepState] = {}
    for step in plan.steps:  # a group stands before its members
        if step.name == before:
            break
        state = states.get(step.name)
        whole = step.parent in kept and kept[step.parent].status in _WENT_WELL
        if state is not None and state.status.is_final and (whole or state.status in _WENT_WELL):
            kept[step.name] = msgspec.structs.replace(state, previously_executed=True)
    return list(kept.values())


def clone_again(db: Connection, order: BuildOrder) -> BuildOrder:
    """Return the order of a new build without its clones, which its volume no longer holds."""
    gone = {step.name for step in order.plan.steps if isinstance(step.action, CloneRepository)}
    gone |= set(_around(order.plan, gone))
    repository.forget_steps(db, order.build_id, gone)
    steps = {name: state for name, state in order.steps.items() if name not in gone}
    return msgspec.structs.replace(order, steps=steps)


def _around(plan: Plan, names: Iterable[str]) -> Iterable[str]:
    """The groups around some steps."""
    parents = {step.name: step.parent for step in plan.steps}
    for name in names:
        parent = parents[name]
        while parent is not None:
            yield parent
            parent = parents[parent]
