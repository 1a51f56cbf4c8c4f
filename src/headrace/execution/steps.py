"""The life of one step: its hook on election, its attempts, what it leaves, its closing hooks.

Each state is stored before the next thing happens: `running` before the start, the final one
after the last byte of the log. What a restart of the worker does with it is in `docs/execution.md`.
Source: `reference/pipeline-yaml.md` 4.6 (retry), 5.2 (hooks of steps).
"""

from datetime import timedelta

import msgspec

from headrace.execution import report
from headrace.execution.attempt import Attempt
from headrace.execution.book import Book
from headrace.execution.debugger import pause
from headrace.execution.desk import Desk, Ending, terminated
from headrace.execution.exports import LINK
from headrace.execution.group_tries import run_out, seconds_left
from headrace.execution.hooks import close_step, elect_step
from headrace.execution.ports import StepState
from headrace.execution.retry import delay_s, wait_until
from headrace.execution.site import WRITABLE, Site
from headrace.pipeline.plan import PlannedStep, is_hook
from headrace.pipeline.status import StepStatus

LOST = "the worker that ran this step was lost, and the step with it"
_LOSSES = 1  # after so many, a step that is lost is not started again


async def run_step(site: Site, step: PlannedStep, book: Book | None = None) -> None:
    """Run one step to its end, from its beginning or from where an earlier claim left it.

    Args:
        site: of the build.
        step: which runs something; no group, no approval.
        book: of the step whose hook it is of; None opens its own.
    """
    life = _Life(site, step, book)
    try:
        await life.run()
        await site.services.leave(step)
    finally:
        await life.close_book()


async def fail_step(site: Site, step: PlannedStep, reason: str, book: Book | None = None) -> None:
    """End a step that never started: its condition cannot be worked out."""
    step = msgspec.structs.replace(step, title=site.title(step))
    own = book or Book(site, step.name)
    await own.say_all(report.failure_report(step, reason))
    if book is None:
        await own.close()
    now = site.clock.now()
    await site.report(
        StepState(
            name=step.name,
            title=step.title,
            status=StepStatus.ERROR,
            started_at=now,
            finished_at=now,
            reason=site.masked(reason),
        )
    )


class _Life:
    """One step while it runs."""

    def __init__(self, site: Site, step: PlannedStep, book: Book | None) -> None:
        title = site.title(step)
        self._site, self._step = site, msgspec.structs.replace(step, title=title)
        self._owns_book = book is None
        state = site.board.states.get(step.name) or StepState(
            name=step.name, status=StepStatus.PENDING, attempt=0, title=title
        )
        self._desk = Desk(site, self._step, book or Book(site, step.name), state)

    async def close_book(self) -> None:
        """Close the log, where it is this step's own."""
        if self._owns_book:
            await self._desk.book.close()

    async def run(self) -> None:
        """Run what is left of the step."""
        desk = self._desk
        if desk.state.status is StepStatus.PENDING:
            now = self._site.clock.now()
            desk.state = msgspec.structs.replace(desk.state, status=StepStatus.RUNNING, started_at=now)
            if self._step.hooks is not None:
                await desk.report()
        if desk.state.outcome is None:
            ending = await self._elected() or await self._begin() or await self._attempts()
            if not await self._settle(ending):
                return
        if (cut := await pause(desk, "after")) is not None:
            await desk.book.say_all(cut.lines)
            await self._end(status=cut.status, outcome=None, reason=cut.reason)
            return
        await close_step(self._site, self._step, desk.book, desk.state, run_step)
        outcome = desk.state.outcome
        await self._end(status=outcome, outcome=None)

    async def _elected(self) -> Ending | None:
        """Run the hook on election, where the step itself has not begun; return why it cannot."""
        if self._desk.state.attempt or self._step.hooks is None:
            return None
        failure = await elect_step(self._site, self._step, self._desk.book, run_step)
        if self._site.stop.done():
            return terminated(self._site.stop.result())
        if not failure:
            return None
        lines = report.failure_report(self._step, failure)
        return Ending(status=StepStatus.ERROR, reason=failure, lines=tuple(lines))

    async def _begin(self) -> Ending | None:
        """Wait before the first attempt, where the step has a breakpoint; then in place of it."""
        desk = self._desk
        if desk.state.attempt == 0 and (ending := await pause(desk, "before")):
            return ending
        overrides = desk.state.paused is not None or "override" in desk.state.passed
        if not (overrides or (desk.state.attempt == 0 and desk.site.debugger.stops(desk, "override"))):
            return None
        if desk.state.attempt == 0:
            now = self._site.clock.now()
            desk.state = msgspec.structs.replace(desk.state, attempt=1, attempt_started_at=now)
        return await Attempt(desk).override()

    # Attempts

    async def _attempts(self) -> Ending:
        ending = await (self._resumed() if self._desk.state.attempt else self._attempt(1))
        while ending.may_be_retried and self._is_to_be_retried():
            ending = await self._again(ending)
        return ending

    def _is_to_be_retried(self) -> bool:
        retry = self._step.retry
        return (
            retry is not None and self._desk.state.tries < retry.max_attempts and not self._site.stop.done()
        )

    async def _attempt(self, tries: int) -> Ending:
        desk = self._desk
        desk.state = msgspec.structs.replace(
            desk.state,
            attempt=desk.state.attempt + 1,
            tries=tries,
            retry_at=None,
            attempt_started_at=self._site.clock.now(),
            output_from=None,
            reason="",
        )
        return await Attempt(desk).run()

    async def _again(self, ending: Ending) -> Ending:
        """Say what became of an attempt, and wait for the next one's turn."""
        desk, retry = self._desk, self._step.retry
        assert retry is not None  # noqa: S101  # by contract
        await self._mask(ending)
        wait_s = delay_s(retry, desk.state.tries)
        await desk.book.say(
            f"Attempt {desk.state.tries} of {retry.max_attempts} failed: {ending.reason}; "
            f"the next one starts in {wait_s:g} s"
        )
        retry_at = self._site.clock.now() + timedelta(seconds=wait_s)
        await desk.report(retry_at=retry_at, reason=ending.reason)
        await self._empty(ending)
        return await self._after_delay()

    async def _after_delay(self) -> Ending:
        site, state = self._site, self._desk.state
        assert state.retry_at is not None  # noqa: S101  # by contract
        left = seconds_left(site, self._step)
        over = None if left is None else site.clock.now() + timedelta(seconds=left)
        until = state.retry_at if over is None else min(state.retry_at, over)
        if not await wait_until(site, until):
            return terminated(site.stop.result())
        if over is not None and over < state.retry_at:
            reason = await run_out(site, self._step)
            lines = report.failure_report(self._step, reason, name="StepTimedOut")
            return Ending(status=StepStatus.ERROR, reason=reason, lines=tuple(lines))
        return await self._attempt(state.tries + 1)

    async def _resumed(self) -> Ending:
        """Take up a step that an earlier claim had started; begin again once where it is lost."""
        desk, state = self._desk, self._desk.state
        if state.retry_at is not None:
            return await self._after_delay()
        running = await self._site.workspace.adopt(desk.unit)
        if running is not None:
            self._site.has_adopted = True
            await desk.book.rewind(state.output_from)
            return await Attempt(desk).follow(running)
        if state.status is StepStatus.TERMINATING:
            return Ending(status=StepStatus.TERMINATED, reason=LOST)
        if self._site.settings.retry_lost_steps and state.attempt - state.tries < _LOSSES:
            await desk.book.say(f"{LOST}; it is started again, attempt {state.attempt + 1}")
            return await self._attempt(state.tries)
        lines = report.failure_report(self._step, LOST)
        return Ending(status=StepStatus.ERROR, reason=LOST, lines=tuple(lines), may_be_retried=True)

    # What it leaves

    async def _settle(self, ending: Ending) -> bool:
        """Say the last words and store what became of the step; tell whether more is to come."""
        desk, board = self._desk, self._site.board
        if is_hook(self._step.name):
            await self._mask(ending)
            kept = {}
        else:
            if ending.exports:
                await desk.book.say(report.READING_EXPORTS)
            kept = await board.keep_exports(self._step, ending.exports)
        link = ending.exports.get(f"{self._step.name}{LINK}")
        if link is not None and not link.value.startswith(("https://", "http://")):
            link = None  # readers make it a link: nothing else may stand behind it
        await desk.book.say_all(ending.lines)
        changes = {
            "members": {**desk.state.members, **ending.members},
            "exports": kept,
            "reason": ending.reason,
            "retry_at": None,
            "link": desk.state.link if link is None else self._site.masked(link.value),
        }
        goes_on = self._step.hooks is not None or self._site.debugger.stops(desk, "after")
        goes_on = goes_on and ending.status is not StepStatus.TERMINATED and not self._site.stop.done()
        if goes_on:
            await desk.report(outcome=ending.status, **changes)
        else:
            await self._end(status=ending.status, **changes)
        await self._empty(ending)
        return goes_on

    async def _empty(self, ending: Ending) -> None:
        """Leave no export in the volume, which later builds get; only once the report is durable.

        Until then, a crash reads the files again.
        """
        for place in ending.export_files:
            await self._site.workspace.write(place, b"", mode=WRITABLE)

    async def _mask(self, ending: Ending) -> None:
        """Mask what was exported as a secret, though nothing else is made of these exports."""
        self._site.board.secrets.update(one.value for one in ending.exports.values() if one.masked)

    async def _end(self, **changes: object) -> None:
        await self.close_book()
        await self._desk.report(finished_at=self._site.clock.now(), **changes)
