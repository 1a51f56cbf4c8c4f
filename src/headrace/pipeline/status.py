"""Statuses of builds and steps, the moves allowed between them, and how steps make a result.

Source: `reference/pipeline-yaml.md` section 10 (state machines) and 4.5 (failure handling).
Nothing else in the code assigns a status: a change goes through `move` or `move_step`.
"""

from collections.abc import Iterable
from enum import StrEnum


class BuildStatus(StrEnum):
    """Status of a build, spelled as on the wire."""

    PENDING = "pending"
    ELECTED = "elected"
    RUNNING = "running"
    PENDING_APPROVAL = "pending-approval"
    DELAYED = "delayed"
    TERMINATING = "terminating"
    SUCCESS = "success"
    ERROR = "error"
    DENIED = "denied"
    TERMINATED = "terminated"

    @property
    def is_final(self) -> bool:
        """No move leads out of a final status."""
        return self in FINAL


FINAL = frozenset({BuildStatus.SUCCESS, BuildStatus.ERROR, BuildStatus.DENIED, BuildStatus.TERMINATED})

_B = BuildStatus
BUILD_MOVES: dict[BuildStatus, frozenset[BuildStatus]] = {
    _B.PENDING: frozenset({_B.ELECTED, _B.DELAYED, _B.TERMINATED, _B.ERROR}),
    _B.DELAYED: frozenset({_B.PENDING, _B.ELECTED, _B.TERMINATED, _B.ERROR}),
    _B.ELECTED: frozenset({_B.RUNNING, _B.PENDING, _B.TERMINATING, _B.TERMINATED, _B.ERROR}),
    _B.RUNNING: frozenset(
        {_B.PENDING_APPROVAL, _B.TERMINATING, _B.SUCCESS, _B.ERROR, _B.DENIED, _B.TERMINATED}
    ),
    _B.PENDING_APPROVAL: frozenset({_B.RUNNING, _B.TERMINATED, _B.ERROR}),
    _B.TERMINATING: frozenset({_B.TERMINATED, _B.ERROR}),
    _B.SUCCESS: frozenset(),
    _B.ERROR: frozenset(),
    _B.DENIED: frozenset(),
    _B.TERMINATED: frozenset(),
}


class StepStatus(StrEnum):
    """Status of one step, spelled as on the wire and in stored logs."""

    PENDING = "pending"
    RUNNING = "running"
    PENDING_APPROVAL = "pending-approval"
    TERMINATING = "terminating"
    SUCCESS = "success"
    ERROR = "error"
    SKIPPED = "skipped"
    APPROVED = "approved"
    DENIED = "denied"
    TERMINATED = "terminated"

    @property
    def is_final(self) -> bool:
        """The step has ended, or never will start."""
        return self in FINAL_STEP


FINAL_STEP = frozenset(
    {
        StepStatus.SUCCESS,
        StepStatus.ERROR,
        StepStatus.SKIPPED,
        StepStatus.APPROVED,
        StepStatus.DENIED,
        StepStatus.TERMINATED,
    }
)

_S = StepStatus
STEP_MOVES: dict[StepStatus, frozenset[StepStatus]] = {
    _S.PENDING: frozenset({_S.RUNNING, _S.SKIPPED, _S.PENDING_APPROVAL, _S.ERROR, _S.TERMINATED}),
    _S.RUNNING: frozenset(
        {_S.RUNNING, _S.SUCCESS, _S.ERROR, _S.PENDING_APPROVAL, _S.TERMINATING, _S.TERMINATED}
    ),
    _S.PENDING_APPROVAL: frozenset({_S.APPROVED, _S.DENIED, _S.TERMINATED}),
    _S.TERMINATING: frozenset({_S.TERMINATED, _S.SUCCESS, _S.ERROR}),
    _S.SUCCESS: frozenset(),
    _S.ERROR: frozenset(),
    _S.SKIPPED: frozenset(),
    _S.APPROVED: frozenset(),
    _S.DENIED: frozenset(),
    _S.TERMINATED: frozenset(),
}

# The words that expressions use for a step's result (`steps.unit.result`).
RESULT_WORDS: dict[StepStatus, str] = {
    _S.PENDING: "pending",
    _S.RUNNING: "running",
    _S.PENDING_APPROVAL: "pending",
    _S.TERMINATING: "running",
    _S.SUCCESS: "success",
    _S.ERROR: "failure",
    _S.SKIPPED: "skipped",
    _S.APPROVED: "approved",
    _S.DENIED: "denied",
    _S.TERMINATED: "terminated",
}


class MoveRefused(ValueError):
    """A status may not follow another; carries both."""

    def __init__(self, old: str, new: str) -> None:
        super().__init__(f"status cannot go from {old!r} to {new!r}")
        self.old, self.new = old, new


def move(old: BuildStatus, new: BuildStatus) -> BuildStatus:
    """Return ``new`` where a build may go from ``old`` to it; raise `MoveRefused` otherwise."""
    if new not in BUILD_MOVES[old]:
        raise MoveRefused(old, new)
    return new


def move_step(old: StepStatus, new: StepStatus) -> StepStatus:
    """Return ``new`` where a step may go from ``old`` to it; raise `MoveRefused` otherwise."""
    if new not in STEP_MOVES[old]:
        raise MoveRefused(old, new)
    return new


def begin_again(old: StepStatus) -> StepStatus:
    """Return ``pending`` for a step that has ended, as the group that it is a member of is tried again.

    Raises:
        MoveRefused: the step has not ended.
    """
    if not old.is_final:
        raise MoveRefused(old, StepStatus.PENDING)
    return StepStatus.PENDING


def build_result(steps: Iterable[tuple[StepStatus, bool]], *, terminated: bool) -> BuildStatus:
    """The final status of a build, from its steps.

    Args:
        steps: status of each step, and whether a failure of it counts (`fail_fast`, or
            `strict_fail_fast` where `fail_fast` is off). Order does not matter.
        terminated: a user, a policy or a timed-out approval ended the build.

    Returns:
        In this order: `terminated`; `error` for a counted failure; `denied` for a counted
        refusal; else `success`, also when every step was skipped.
    """
    if terminated:
        return BuildStatus.TERMINATED
    counted = {status for status, counts in steps if counts}
    if counted & {StepStatus.ERROR, StepStatus.TERMINATED}:
        return BuildStatus.ERROR
    return BuildStatus.DENIED if StepStatus.DENIED in counted else BuildStatus.SUCCESS
