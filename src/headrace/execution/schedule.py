"""What to do next, as a function of the plan and the statuses.

Source: `reference/pipeline-yaml.md` 4.1 (sequential), 4.2 (parallel steps), 4.3 (root
``mode: parallel``), 4.5 (failures). Sequential mode asks a condition once, and false means
skipped; parallel mode asks at every change, and false means not yet.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Protocol

import msgspec

from headrace.execution.verdict import FAILED
from headrace.pipeline.conditions import ConditionFailed, expressions, named_steps, tests_outcome
from headrace.pipeline.plan import PlannedStep
from headrace.pipeline.status import StepStatus

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


def judged(step: PlannedStep, judge: Judge) -> Move:
    """Ask a step's condition."""
    if step.left_out:
        return Move(step, Verb.SKIP)
    try:
        return Move(step, Verb.START if judge(step) else Verb.SKIP)
    except ConditionFailed as failure:
        return Move(step, Verb.FAIL, str(failure))


class Readiness:
    """Which steps of a pipeline in parallel mode may start, asked again at every change.

    A step is asked only where its answer can have changed: after a step that its ``when.steps``
    names, or after any where an expression has a say. So the work grows with the number of
    steps, not with its square.

    Args:
        steps: the pipeline's own steps; their order breaks ties.
        standing: statuses as they are.
        met: tells whether a step's ``when.steps`` holds.
        judge: tells whether its whole condition holds.
    """

    def __init__(self, steps: Sequence[PlannedStep], standing: Standing, met: Judge, judge: Judge) -> None:
        self._standing, self._met, self._judge = standing, met, judge
        self._steps = {step.name: step for step in steps}
        self._place = {step.name: place for place, step in enumerate(steps)}
        self._waiting = {name for name in self._steps if standing.status(name) is StepStatus.PENDING}
        self._dependents: dict[str, list[str]] = {}
        for step in steps:
            for entry in named_steps(step):
                self._dependents.setdefault(entry.name, []).append(step.name)
        self._of_outcome = {step.name for step in steps if tests_outcome(step)}
        self._decided = False
        self._to_ask = set(self._waiting)
        self._volatile: set[str] = set()  # asked at every change
        self._halting: set[str] = set()  # failed steps after which nothing new starts
        self.note(self._steps)

    def decide(self) -> None:
        """Ask also the steps that test ``workflow.result``: nothing else can start."""
        self._decided = True
        self._to_ask |= self._of_outcome

    def note(self, changes: Iterable[str]) -> None:
        """Take note of steps whose status has changed."""
        for name in changes:
            self._to_ask.update(self._dependents.get(name, ()))
            step = self._steps.get(name)
            if step is not None and step.fail_fast and self._standing.status(name) in FAILED:
                self._halting.add(name)
        self._to_ask |= self._volatile

    def moves(self, *, closing: bool) -> list[Move]:
        """The moves that are possible now; each is returned once.

        Args:
            closing: start nothing but what tests ``workflow.result``.

        Returns:
            Starts and failures; a step whose condition does not hold is not in it.
        """
        asked, self._to_ask = self._to_ask & self._waiting, set()
        moves: list[Move] = []
        for name in sorted(asked, key=self._place.__getitem__):
            step = self._steps[name]
            if not self._may_be_asked(step, closing=closing) or not self._met(step):
                continue
            move = judged(step, self._judge)
            if move.verb is not Verb.SKIP:
                self._waiting.discard(name)
                self._volatile.discard(name)
                moves.append(move)
            elif _depends_on_more(step):
                self._volatile.add(name)
        return moves

    def _may_be_asked(self, step: PlannedStep, *, closing: bool) -> bool:
        if step.name in self._of_outcome:
            return self._decided
        return not closing and (not self._halting or waits_for(step, self._halting, self._standing))


def waits_for(step: PlannedStep, failures: set[str], standing: Standing) -> bool:
    """Tell whether a step explicitly waits for one of some failures."""
    return any(
        entry.name in failures and _WAITED_FOR[standing.status(entry.name)] & set(entry.on)
        for entry in named_steps(step)
    )


def _depends_on_more(step: PlannedStep) -> bool:
    """Whether a step's condition may come to hold by more than the steps that it names."""
    if step.when is None:
        return False
    branches = (step.when.branch_only or ()) + (step.when.branch_ignore or ())
    return any(expressions(step)) or any("${{" in branch for branch in branches)
