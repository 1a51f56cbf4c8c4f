"""How groups and builds end, from the states of their steps.

Source: `reference/pipeline-yaml.md` 4.2 (parallel steps), 4.5 (failures), 4.7 (criteria).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from headrace.execution.ports import StepState
from headrace.pipeline.conditions import ConditionFailed, holds
from headrace.pipeline.plan import Group, Plan, PlannedStep, SuccessCriteria, When
from headrace.pipeline.status import BuildStatus, StepStatus, build_result
from headrace.pipeline.variables import Scope

FAILED = frozenset({StepStatus.ERROR, StepStatus.DENIED, StepStatus.TERMINATED})

States = Mapping[str, StepState]
Members = Mapping[str | None, tuple[PlannedStep, ...]]


class Verdict(msgspec.Struct, frozen=True):
    """How a group ends, and why where it fails."""

    status: StepStatus
    reason: str = ""


def members(
    steps: Iterable[PlannedStep], *, within_hooks: bool = False
) -> dict[str | None, tuple[PlannedStep, ...]]:
    """The steps of every group by its name, and under None those of the pipeline itself.

    Args:
        steps: of a plan, or of its hooks, which belong to nothing.
        within_hooks: leave None out.
    """
    found: dict[str | None, list[PlannedStep]] = {} if within_hooks else {None: []}
    for step in steps:
        if step.parent is not None or not within_hooks:
            found.setdefault(step.parent, []).append(step)
    return {parent: tuple(steps) for parent, steps in found.items()}


def of_group(group: PlannedStep, steps: Sequence[PlannedStep], states: States, scope: Scope) -> Verdict:
    """How a group ends whose steps have ended.

    Args:
        group: its `action` is a `Group`.
        steps: its own members.
        states: of all steps of the build.
        scope: what the conditions of its criteria may refer to.
    """
    action = group.action
    assert isinstance(action, Group)  # noqa: S101  # by contract
    if action.success_criteria is not None:
        reason = _unmet(action.success_criteria, steps, states, scope)
    elif action.mode == "parallel" and not group.fail_fast:
        reason = ""  # it counts as successful, whatever its members did
    else:
        reason = _first_failure([step.name for step in steps if step.fail_fast], states)
    return Verdict(StepStatus.ERROR, reason) if reason else Verdict(StepStatus.SUCCESS)


def of_build(plan: Plan, grouped: Members, states: States, scope: Scope) -> tuple[BuildStatus, str]:
    """How a build ends that nobody terminated, and why where it fails."""
    if plan.success_criteria is not None:
        reason = _unmet(plan.success_criteria, grouped[None], states, scope)
        return (BuildStatus.ERROR, reason) if reason else (BuildStatus.SUCCESS, "")
    counted = [step.name for step in _counted(grouped, None)]
    result = build_result(
        ((states[name].status, True) for name in counted if name in states), terminated=False
    )
    return result, _first_failure(counted, states)


def _counted(grouped: Members, parent: str | None) -> Iterator[PlannedStep]:
    """Steps whose failure is a failure of the build.

    A failure inside a group is the group's affair. Only one that does not fail its group, as it
    has `fail_fast` off, may still count by its `strict_fail_fast`.
    """
    for step in grouped.get(parent, ()):
        if (step.fail_fast and parent is None) or (not step.fail_fast and step.strict_fail_fast):
            yield step
        if isinstance(step.action, Group) and not _answers_for_all(step, step.action):
            yield from _counted(grouped, step.name)


def _answers_for_all(step: PlannedStep, group: Group) -> bool:
    return group.success_criteria is not None or (group.mode == "parallel" and not step.fail_fast)


def _unmet(criteria: SuccessCriteria, steps: Sequence[PlannedStep], states: States, scope: Scope) -> str:
    """What of the criteria does not hold; ``""`` where all of it does."""
    if criteria.only is not None or criteria.ignore or _has_no_condition(criteria):
        counted = [step.name for step in steps] if criteria.only is None else criteria.only
        if reason := _first_failure([name for name in counted if name not in criteria.ignore], states):
            return reason
    try:
        if holds(condition_of(criteria), scope):
            return ""
    except ConditionFailed as failure:
        return str(failure)
    return "the condition of its success criteria does not hold"


def condition_of(criteria: SuccessCriteria | None) -> When | None:
    """The expressions of criteria, as a condition; None where there are none."""
    if criteria is None or _has_no_condition(criteria):
        return None
    return When(all_of=criteria.all_of, any_of=criteria.any_of)


def _has_no_condition(criteria: SuccessCriteria) -> bool:
    return criteria.all_of is None and criteria.any_of is None


def _first_failure(names: Iterable[str], states: States) -> str:
    """Which of some steps failed first in the file, for people; ``""`` where none did."""
    for name in names:
        state = states.get(name)
        if state is not None and state.status in FAILED:
            return f"step {name.rpartition('#')[2]!r}: {state.reason or state.status.value}"
    return ""
