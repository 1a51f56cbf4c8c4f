"""Hooks: steps that run, and notes that are written, around a step or around the build.

A hook is a group of its own, with a state of its own, so that no part of it runs twice after a
crash. Only the hook on election can fail what it stands before.
Source: `reference/pipeline-yaml.md` 5.1 (pipeline), 5.2 (steps), 5.3 (failures).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from headrace.execution import report
from headrace.execution.book import Book
from headrace.execution.group_tries import GroupTries, is_over
from headrace.execution.notes import write_notes
from headrace.execution.ports import StepState
from headrace.execution.schedule import Verb, judged
from headrace.execution.site import Site
from headrace.execution.tasks import call_off
from headrace.execution.verdict import FAILED, Verdict
from headrace.pipeline.conditions import named_steps
from headrace.pipeline.plan import Group, Hook, PlannedStep
from headrace.pipeline.status import StepStatus

RunStep = Callable[[Site, PlannedStep, Book], Awaitable[None]]
_NO_CONDITION = "its condition does not hold"


async def elect_step(site: Site, step: PlannedStep, book: Book, run: RunStep) -> str:
    """Run the hook on election of a step; return why it failed, ``""`` where it did not."""
    return await _Walk(site, book, run).hook(step.hooks.on_elected if step.hooks else None)


async def close_step(site: Site, step: PlannedStep, book: Book, state: StepState, run: RunStep) -> None:
    """Run the hooks that follow a step.

    Args:
        site: of the build.
        step: which has ended.
        book: its log.
        state: of the step; `outcome` says how it ended.
        run: runs one step of a hook.
    """
    if step.hooks is not None:
        walk = _Walk(site, book, run)
        succeeded = state.outcome is StepStatus.SUCCESS
        await walk.hook(step.hooks.on_success if succeeded else step.hooks.on_fail, state)
        await walk.hook(step.hooks.on_finish, state)


async def copy_resources(site: Site, run: RunStep) -> str:
    """Copy the pipeline's external resources; return why that failed, ``""`` where it did not."""
    return await _of_build(site, run, site.board.plan.resources)


async def elect_build(site: Site, run: RunStep) -> str:
    """Run the pipeline's hook on election; return why it failed, ``""`` where it did not."""
    hooks = site.board.plan.hooks
    return await _of_build(site, run, hooks.on_elected if hooks else None)


async def close_build(site: Site, run: RunStep, *, succeeded: bool | None) -> None:
    """Run the pipeline's hooks at the end of a build; None: it was terminated."""
    hooks = site.board.plan.hooks
    if hooks is not None:
        if succeeded is not None:
            await _of_build(site, run, hooks.on_success if succeeded else hooks.on_fail)
        await _of_build(site, run, hooks.on_finish)


async def _of_build(site: Site, run: RunStep, hook: Hook | None) -> str:
    book = Book(site, report.INITIALIZING)
    try:
        return await _Walk(site, book, run).hook(hook)
    finally:
        await book.close()


class _Walk:
    """Runs hooks that write into one log."""

    def __init__(self, site: Site, book: Book, run: RunStep) -> None:
        self._site, self._book, self._run = site, book, run

    async def hook(self, hook: Hook | None, owner: StepState | None = None) -> str:
        """Run a hook, or what is left of it; return why it failed, ``""`` where it did not."""
        if hook is None or (self._site.stop.done() and not self._has_begun(hook.group)):
            return ""
        if not self._status(hook.group).is_final:
            await self._group(hook.group, hook, owner)
        state = self._site.board.states[hook.group.name]
        return f"{_called(hook.group)}: {state.reason}" if state.status is StepStatus.ERROR else ""

    def _status(self, step: PlannedStep) -> StepStatus:
        return self._site.board.status(step.name)

    def _has_begun(self, step: PlannedStep) -> bool:
        return self._status(step) is not StepStatus.PENDING

    async def _group(
        self, group: PlannedStep, hook: Hook | None = None, owner: StepState | None = None
    ) -> None:
        site = self._site
        members = site.board.members.get(group.name, ())
        if not self._has_begun(group):
            if hook is not None and members:
                await self._book.say(_heading(group))
            now = site.clock.now()
            await site.report(StepState(name=group.name, status=StepStatus.RUNNING, started_at=now))
        tries = GroupTries(site, group, members)
        goes_on = await tries.begin(self._book)
        while goes_on:
            await site.board.open_criteria(group)
            if isinstance(group.action, Group) and group.action.mode == "parallel":
                await self._side_by_side(members)
            else:
                await self._in_order(members)
            goes_on = await tries.again(self._book)
        if site.stop.done():
            verdict = Verdict(StepStatus.TERMINATED, site.stop.result())
        else:
            failure = tries.failure()
            verdict = Verdict(StepStatus.ERROR if failure else StepStatus.SUCCESS, failure)
            if hook is not None:
                await write_notes(site, hook, owner, self._book)
        await site.report(
            msgspec.structs.replace(
                site.board.states[group.name],
                status=verdict.status,
                finished_at=site.clock.now(),
                reason=verdict.reason,
                retry_at=None,
            )
        )

    async def _in_order(self, steps: Sequence[PlannedStep]) -> None:
        for step in steps:
            if not self._has_begun(step) and (self._site.stop.done() or await is_over(self._site, step)):
                return
            await self._step(step)
            if step.fail_fast and self._status(step) in FAILED:
                return

    async def _side_by_side(self, steps: Sequence[PlannedStep]) -> None:
        """Run the steps at the same time; one that names others waits for them to end."""
        self._book.is_shared = True
        waiting = [step for step in steps if not self._status(step).is_final]
        names = {step.name for step in steps}
        running: set[asyncio.Task[None]] = set()
        try:
            while waiting or running:
                ready = [step for step in waiting if not self._waits(step, names)]
                if not ready and not running:
                    ready = waiting  # they wait for each other: nothing will change
                waiting = [step for step in waiting if step not in ready]
                running |= {asyncio.create_task(self._step(step)) for step in ready}
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            await call_off(running)
            self._book.is_shared = False

    def _waits(self, step: PlannedStep, names: set[str]) -> bool:
        prefix = f"{step.parent}#"
        wanted = {f"{prefix}{entry.name}" for entry in named_steps(step)} & names
        return any(not self._site.board.status(name).is_final for name in wanted)

    async def _step(self, step: PlannedStep) -> None:
        """Ask a step's condition, where it has not begun, and run it."""
        site = self._site
        if self._status(step).is_final:
            return
        if not self._has_begun(step):
            if site.stop.done():
                return
            await site.board.open_conditions([step])
            move = judged(step, site.board.holds)
            if move.verb is not Verb.START:
                await self._pass_over(step, move.reason)
                return
        if isinstance(step.action, Group):
            await self._group(step)
        else:
            await self._run(site, step, self._book)

    async def _pass_over(self, step: PlannedStep, failure: str) -> None:
        """Skip a step whose condition does not hold, or fail it where nobody can tell."""
        if failure:
            await self._book.say_all(report.failure_report(step, failure))
        await self._site.report(
            StepState(
                name=step.name,
                status=StepStatus.ERROR if failure else StepStatus.SKIPPED,
                finished_at=self._site.clock.now(),
                reason=self._site.masked(failure) or _NO_CONDITION,
            )
        )


def _called(group: PlannedStep) -> str:
    """What a group is called for people: ``hook on_elected``, or the field that it comes from."""
    return f"hook {group.title}" if group.type == "hook" else f"spec.{group.title}"


def _heading(group: PlannedStep) -> str:
    return f"Hook {group.title}" if group.type == "hook" else "Copying external resources into the volume"
