"""What to do next, as a function of the plan and the statuses.

Source: `reference/pipeline-yaml.md` 4.1 (sequential), 4.3 (root ``mode: parallel``), 4.5
(failures). Sequential mode asks a condition once, and false means skipped; parallel mode asks
at every change, and false means not yet.
"""

import re
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Protocol

import msgspec

from headrace.pipeline.conditions import ConditionFailed
from headrace.pipeline.plan import Plan, PlannedStep, StepCondition
from headrace.pipeline.status import StepStatus

_OUTCOME = re.compile(r"\bworkflow\s*\.\s*result\b|\(\s*['\"]workflow['\"]")
FAILED = frozenset({StepStatus.ERROR, StepStatus.DENIED, StepStatus.TERMINATED})
_WAITED_FOR = {
    StepStatus.ERROR: {"failure", "finished"},
    StepStatus.DENIED: {"denied", "failure", "finished"},
    StepStatus.TERMINATED: {"terminated"},
}

Judge = Callable[[PlannedStep], bool]


class Verb(Enum):
    """What becomes of a step now."""

    START = "start"
    SKIP = "skip"
    FAIL = "fail"  # its condition cannot be worked out


class Move(msgspec.Struct, frozen=True):
    """One step and what becomes of it."""

    step: PlannedStep
    verb: Verb
    reason: str = ""


class Standing(Protocol):
    """The statuses of steps."""

    def status(self, step: str) -> StepStatus:
        """The status of a step; one that nothing was reported of is pending."""


def next_in_order(plan: Plan, standing: Standing, judge: Judge) -> Move | None:
    """The next move of a sequential build; None while a step runs, and at the end."""
    for step in plan.steps:
        status = standing.status(step.name)
        if not status.is_final:
            return _judged(step, judge) if status is StepStatus.PENDING else None
        if status in FAILED and step.fail_fast:
            return None
    return None


def halting_steps(plan: Plan, standing: Standing) -> set[str]:
    """The failed steps after which nothing new starts."""
    return {step.name for step in plan.steps if step.fail_fast and standing.status(step.name) in FAILED}


def next_ready(
    plan: Plan, standing: Standing, judge: Judge, *, running: frozenset[str], room: int, decided: bool
) -> list[Move]:
    """The moves of a build in parallel mode that are possible now.

    Args:
        plan: its order of steps breaks ties.
        standing: statuses as they are.
        judge: tells whether a step's condition holds.
        running: steps that are being started, whatever their status says yet.
        room: at most this many moves.
        decided: nothing runs and nothing else can start: ask the steps that test
            ``workflow.result``, and only those.

    Returns:
        Starts and failures; a step whose condition does not hold is not in it.
    """
    halting = halting_steps(plan, standing)
    moves: list[Move] = []
    for step in plan.steps:
        if len(moves) >= room:
            break
        if step.name in running or standing.status(step.name) is not StepStatus.PENDING:
            continue
        if tests_outcome(step) != decided:
            continue
        if halting and not decided and not _waits_for(step, halting, standing):
            continue
        move = _judged(step, judge)
        if move.verb is not Verb.SKIP:
            moves.append(move)
    return moves


def tests_outcome(step: PlannedStep) -> bool:
    """Tell whether a step's conditions speak of how the build ends."""
    return any(_OUTCOME.search(text) for text in _expressions(step))


def _judged(step: PlannedStep, judge: Judge) -> Move:
    try:
        return Move(step, Verb.START if judge(step) else Verb.SKIP)
    except ConditionFailed as failure:
        return Move(step, Verb.FAIL, str(failure))


def _expressions(step: PlannedStep) -> Iterator[str]:
    if step.when is not None:
        for group in (step.when.all_of, step.when.any_of):
            yield from (text for _, text in group or ())


def _waits_for(step: PlannedStep, halting: set[str], standing: Standing) -> bool:
    """Tell whether a step explicitly waits for one of the failures that halt the build."""
    entries: tuple[StepCondition, ...] = ()
    if step.when is not None:
        entries = (step.when.steps_all or ()) + (step.when.steps_any or ())
    return any(
        entry.name in halting and _WAITED_FOR[standing.status(entry.name)] & set(entry.on)
        for entry in entries
    )
