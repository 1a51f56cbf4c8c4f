"""The attempts of a step that its type turns into several: all of them again, within one time.

One attempt is all members in their order; what a failed one exported and published is of no account,
its files and its logs stay. Source: `reference/pipeline-yaml.md` 4.6 (retry), 4.11 (time-outs), 9.3.
"""

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from headrace.execution.book import Book
from headrace.execution.ports import StepState
from headrace.execution.retry import delay_s, wait_until
from headrace.execution.site import Site
from headrace.pipeline.plan import PlannedStep, is_hook
from headrace.pipeline.status import StepStatus


def seconds_left(site: Site, step: PlannedStep) -> float | None:
    """What is left of the time of the step type that a step is of; None where nothing limits it.

    Hooks of members are not limited: they may have to clear up what ran out of time. Nor is a build
    in debug mode, where people take theirs.
    """
    group = site.board.step_type_of(step)
    if group is None or not group.timeout_s or site.board.plan.debug:
        return None
    since = site.board.states[group.name].attempt_started_at
    if since is None:
        return None
    return max(0.0, group.timeout_s - (site.clock.now() - since).total_seconds())


async def run_out(site: Site, step: PlannedStep) -> str:
    """Store that the time of the step type around a step is over; return the words for it."""
    group = site.board.step_type_of(step)
    assert group is not None  # noqa: S101  # by contract
    state = site.board.states[group.name]
    reason = f"step timed out after {group.timeout_s:g} s"
    if state.reason != reason:
        await site.report(msgspec.structs.replace(state, reason=reason))
    return f"{reason}, the time of step {group.name.rpartition('#')[2]!r}"


async def is_over(site: Site, step: PlannedStep) -> bool:
    """Tell whether a step is not to begin, as the time of the step type that it is of is over."""
    left = seconds_left(site, step)
    if left is None:
        return False
    group = site.board.step_type_of(step)
    assert group is not None  # noqa: S101  # it has a time
    if left == 0.0:
        await run_out(site, step)
    return bool(site.board.states[group.name].reason)


class GroupTries:
    """The attempts of one group.

    Args:
        site: of the build.
        group: which runs; it is a step type's where it has a `retry` or a time.
        members: its own, in their order.
    """

    def __init__(self, site: Site, group: PlannedStep, members: Sequence[PlannedStep]) -> None:
        self._site, self._group, self._members = site, group, members

    @property
    def _state(self) -> StepState:
        return self._site.board.states[self._group.name]

    async def begin(self, book: Book) -> bool:
        """Begin the first attempt, or take up what an earlier claim left; False: the build stops."""
        if self._state.retry_at is not None:
            return await self._next(book)
        limited = self._group.retry is not None or self._group.timeout_s is not None
        if limited and self._state.attempt_started_at is None:
            await self._report(attempt_started_at=self._site.clock.now())
        return True

    async def again(self, book: Book) -> bool:
        """Begin the next attempt, where the last one failed and another is allowed.

        Returns:
            False where the group has ended, or the build stops while it waits for the next one.
        """
        retry, tries = self._group.retry, self._state.tries
        reason = self.failure()
        if not reason or retry is None or tries >= retry.max_attempts or self._site.stop.done():
            return False
        wait_s = delay_s(retry, tries)
        await book.say(
            f"Attempt {tries} of {retry.max_attempts} failed: {reason}; the next one starts in {wait_s:g} s"
        )
        retry_at = self._site.clock.now() + timedelta(seconds=wait_s)
        await self._report(retry_at=retry_at, reason=self._site.masked(reason))
        return await self._next(book)

    def failure(self) -> str:
        """Why the members, as they have ended, fail the group; ``""`` where they do not."""
        state, board = self._state, self._site.board
        if state.reason and state.retry_at is None:
            return state.reason  # its time was over
        verdict = board.verdict(self._group)
        return verdict.reason if verdict.status is StepStatus.ERROR else board.missing_output(self._group)

    async def _next(self, book: Book) -> bool:
        """Wait for the next attempt, and make all members ready for it."""
        state, retry = self._state, self._group.retry
        assert state.retry_at is not None  # noqa: S101  # by contract
        assert retry is not None  # noqa: S101  # by contract
        if not await wait_until(self._site, state.retry_at):
            return False
        line = f"Attempt {state.tries + 1} of {retry.max_attempts}"
        await book.say(line)
        for member in self._members:
            await self._reset(member, line)
        self._site.board.forget_exports(self._group)
        # The group comes last: a crash before this line makes the members ready once more.
        await self._report(
            tries=state.tries + 1,
            attempt=state.attempt + 1,
            retry_at=None,
            reason="",
            attempt_started_at=self._site.clock.now(),
        )
        return True

    async def _reset(self, member: PlannedStep, line: str) -> None:
        """Make a member ready to run again, its hooks before it."""
        board = self._site.board
        hooks = [step for hook in (member.hooks.all() if member.hooks else ()) for step in hook.steps]
        for step in (*hooks, member):
            if board.status(step.name) is not StepStatus.PENDING:
                await self._site.report(begun_anew(board.states[step.name]))
                if step is member and not is_hook(step.name):
                    await self._site.say(step.name, line)

    async def _report(self, **changes: object) -> None:
        await self._site.report(msgspec.structs.replace(self._state, **changes))


def begun_anew(state: StepState) -> StepState:
    """The state of a step that has ended, and is to run in the next attempt of its group."""
    return StepState(
        name=state.name,
        status=StepStatus.PENDING,
        title=state.title,
        attempt=0,
        earlier=state.earlier + max(1, state.attempt),
    )
