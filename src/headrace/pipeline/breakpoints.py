"""Breakpoints: where a build that runs in debug mode waits for somebody.

Source: `reference/pipeline-yaml.md` 12.1. They stand at a step (``debug: {phases: {before: true}}``) or,
by the names of steps, in the spec of a pipeline; without debug mode they mean nothing.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.pipeline.errors import SpecError, SpecErrors
from headrace.pipeline.plan import PHASES, Group, Phase, Plan, PlannedStep, RunCommands, WaitForApproval

_TRUE = (True, "true", "True", "TRUE", "yes", "on")


def phases(debug: object) -> tuple[Phase, ...]:
    """Return the phases that ``debug:`` of a step turns on, in their order; what is no such map has none."""
    written = debug.get("phases") if isinstance(debug, Mapping) else None
    return tuple(phase for phase in PHASES if isinstance(written, Mapping) and written.get(phase) in _TRUE)


def debugging(plan: Plan, debug: Mapping[str, Any] | None = None) -> Plan:
    """Return a plan whose build waits at its breakpoints.

    Args:
        plan: as compiled.
        debug: of the spec of a pipeline: ``{"steps": {"unit": {"phases": {"before": true}}}}``; its
            breakpoints come on top of those of the steps.

    Raises:
        SpecErrors: where a breakpoint cannot be; all at once.
    """
    problems: list[SpecError] = []
    more = _of_spec(plan, debug, problems)
    stops = {step.name: {*step.breakpoints, *more.get(step.name, ())} for step in plan.steps}
    for step in plan.steps:
        if stops[step.name]:
            problems += _problems(step, stops[step.name])
            _hand_on(plan, step, stops)
    if problems:
        raise SpecErrors(problems)
    steps = (
        msgspec.structs.replace(step, breakpoints=tuple(one for one in PHASES if one in stops[step.name]))
        for step in plan.steps
    )
    return msgspec.structs.replace(plan, debug=True, steps=tuple(steps))


def _of_spec(
    plan: Plan, debug: Mapping[str, Any] | None, problems: list[SpecError]
) -> dict[str, tuple[Phase, ...]]:
    written = (debug or {}).get("steps") or {}
    names = {step.name for step in plan.steps}
    for name in written:
        if name not in names:
            known = ", ".join(sorted(names)) or "none"
            problems.append(
                SpecError(
                    "there is no such step", path=f"spec.debug.steps.{name}", hint=f"the steps are: {known}"
                )
            )
    return {name: phases(value) for name, value in written.items()}


def _problems(step: PlannedStep, stops: set[Phase]) -> list[SpecError]:
    path = f"steps.{step.name}.debug"
    if isinstance(step.action, WaitForApproval):
        return [SpecError("an approval waits by itself", path=path, hint="remove its breakpoints")]
    if isinstance(step.action, Group) and step.action.outputs is None:
        return [SpecError("a group of steps has no breakpoints", path=path, hint="give them to its steps")]
    if "override" in stops and not isinstance(step.action, RunCommands):
        hint = "write before: true or after: true"
        return [
            SpecError("only a freestyle step can be overridden", path=f"{path}.phases.override", hint=hint)
        ]
    return []


def _hand_on(plan: Plan, group: PlannedStep, stops: dict[str, set[Phase]]) -> None:
    """A step of a step type stops before its first member, and after its last."""
    members = [step for step in plan.steps if step.parent == group.name]
    if isinstance(group.action, Group) and members:
        stops[members[0].name] |= stops[group.name] & {"before"}
        stops[members[-1].name] |= stops[group.name] & {"after"}
        stops[group.name] = set()
