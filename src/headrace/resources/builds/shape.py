"""Which steps of a plan wait for which, and which hooks they have: what a graph of a build draws."""

from collections.abc import Mapping

from headrace.execution.ports import StepState
from headrace.pipeline.plan import Group, Plan, PlannedStep
from headrace.resources.builds.schemas import HookOut


def needs(plan: Plan) -> dict[str, list[str]]:
    """Return, for each step, the steps of the same group that it waits for, in the order of the file.

    Of steps that run one after the other it is the one before; of those side by side, what their
    conditions name.
    """
    modes = {step.name: step.action.mode for step in plan.steps if isinstance(step.action, Group)}
    before: dict[str | None, str] = {}  # by group: the member that stands before
    members: dict[str | None, set[str]] = {}
    for step in plan.steps:
        members.setdefault(step.parent, set()).add(step.name)
    found: dict[str, list[str]] = {}
    for step in plan.steps:
        mode = plan.mode if step.parent is None else modes.get(step.parent, "sequential")
        if mode == "sequential":
            found[step.name] = [before[step.parent]] if step.parent in before else []
        else:
            found[step.name] = [name for name in _named(step) if name in members[step.parent]]
        before[step.parent] = step.name
    return found


def hooks(states: Mapping[str, StepState]) -> dict[str, list[HookOut]]:
    """Return the hooks that have begun, by the name of their step, in the order in which they began."""
    found: dict[str, list[HookOut]] = {}
    for name, state in sorted(states.items(), key=lambda item: str(item[1].started_at)):
        owner, *moments = name.split("#")
        if len(moments) == 1:  # the members of a hook have two
            found.setdefault(owner, []).append(HookOut(moment=moments[0], status=state.status))
    return found


def _named(step: PlannedStep) -> list[str]:
    if step.when is None:
        return []
    conditions = (*(step.when.steps_all or ()), *(step.when.steps_any or ()))
    return list(dict.fromkeys(condition.name for condition in conditions))
