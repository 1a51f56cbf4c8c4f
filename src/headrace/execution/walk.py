"""The order of a build: its steps one after the other, side by side, or as each becomes ready.

Source: `reference/pipeline-yaml.md` 4.1 to 4.3. A step that an earlier claim left in flight is
taken up where it stands, so the same walk serves a new build and one that goes on.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from headrace.execution import report
from headrace.execution.board import Board
from headrace.execution.book import Book
from headrace.execution.group_tries import GroupTries, is_over
from headrace.execution.hooks import close_step, elect_step
from headrace.execution.ports import StepState
from headrace.execution.schedule import Readiness, Verb, judged
from headrace.execution.site import Site
from headrace.execution.steps import fail_step, run_step
from headrace.execution.tasks import call_off
from headrace.execution.verdict import FAILED, Verdict
from headrace.pipeline.conditions import named_steps, steps_hold
from headrace.pipeline.plan import Group, PlannedStep, WaitForApproval
from headrace.pipeline.status import StepStatus

_NO_CONDITION = "its condition does not hold"
_LEFT_OUT = "left out by the options of this run"
_NEVER_READY = "never became ready"


def approval_until(action: WaitForApproval, since: datetime) -> datetime:
    """When nobody can approve any more a step that waits since some time."""
    return since + timedelta(seconds=action.timeout_s)


class Walk:
    """One walk through the steps of a build, until all have ended or only approvals are left."""

    def __init__(self, site: Site) -> None:
        self.terminated = ""  # why the build was terminated
        self._site = site
        self._board: Board = site.board
        self._slots = asyncio.Semaphore(site.settings.parallel_steps)
        self._decided = False
        self._readiness: Readiness
        self._running: dict[str, asyncio.Task[None]] = {}  # the pipeline's own steps in parallel mode
        self._ended: list[asyncio.Task[None]] = []  # of these
        self._busy = 0  # branches of parallel mode that go on by themselves
        self._patient: list[asyncio.Future[bool]] = []  # branches that wait for steps elsewhere

    @property
    def is_stopping(self) -> bool:
        """Whether the build was terminated, or is to be."""
        return self._site.stop.done() or bool(self.terminated)

    @property
    def _is_closed(self) -> bool:
        """Whether nothing starts any more."""
        return self._site.stop.done() or (bool(self.terminated) and not self._decided)

    async def whole(self) -> None:
        """Walk through the whole build."""
        steps = self._board.members[None]
        await (self._in_order(steps) if self._board.plan.mode == "sequential" else self._as_ready(steps))
        self._site.outlook.see(())

    def waiting_step(self) -> PlannedStep | None:
        """The approval that the build waits for; None where it has ended otherwise."""
        own = self._board.members[None]
        if self.is_stopping or any(step.fail_fast and self._has_failed(step) for step in own):
            return None
        waits = (step for step in self._board.plan.steps if self._status(step) is StepStatus.PENDING_APPROVAL)
        return next(waits, None)

    def _status(self, step: PlannedStep) -> StepStatus:
        return self._board.status(step.name)

    def _has_failed(self, step: PlannedStep) -> bool:
        return self._status(step) in FAILED

    def _judge(self, step: PlannedStep) -> bool:
        return self._board.holds(step)

    def _met(self, step: PlannedStep) -> bool:
        return step.when is None or steps_hold(step.when, self._board.scope(step))

    # One after the other

    async def _in_order(self, steps: Sequence[PlannedStep]) -> None:
        for place, step in enumerate(steps, 1):
            status = self._status(step)
            if step.parent is None:
                self._site.outlook.see(steps, place)
            if status is StepStatus.PENDING:
                if self._is_closed or await is_over(self._site, step):
                    return
                await self._enter(step)
            elif not status.is_final or self._has_hooks_left(step):
                await self._perform(step)
            if not self._status(step).is_final or (step.fail_fast and self._has_failed(step)):
                return

    async def _enter(self, step: PlannedStep) -> None:
        """Ask a step's condition once, and do what it says."""
        await self._board.open_conditions([step])
        move = judged(step, self._judge)
        if move.verb is Verb.SKIP:
            await self._skip(step, _LEFT_OUT if step.left_out else _NO_CONDITION)
        elif move.verb is Verb.FAIL:
            await fail_step(self._site, step, move.reason)
        else:
            await self._perform(step)

    async def _skip(self, step: PlannedStep, reason: str) -> None:
        now = self._site.clock.now()
        await self._site.report(
            StepState(
                name=step.name,
                title=self._site.title(step),
                status=StepStatus.SKIPPED,
                finished_at=now,
                reason=reason,
            )
        )
        for member in self._board.members.get(step.name, ()):
            await self._skip(member, reason)

    async def _perform(self, step: PlannedStep) -> None:
        """Run a step to its end, from its beginning or from where it stands."""
        status = self._status(step)
        if isinstance(step.action, Group):
            await self._perform_group(step, step.action)
        elif isinstance(step.action, WaitForApproval):
            await self._perform_approval(step, step.action)
        else:
            async with self._slots:
                if status is not StepStatus.PENDING or not self._is_closed:
                    await run_step(self._site, step)

    async def _perform_approval(self, step: PlannedStep, action: WaitForApproval) -> None:
        """Run the hook on election, then wait; with the decision, run the hooks that follow it."""
        state = self._board.states.get(step.name)
        if state is not None and state.status.is_final:
            approved = state.status is StepStatus.APPROVED
            outcome = StepStatus.SUCCESS if approved else StepStatus.ERROR
            book = Book(self._site, step.name)
            try:
                decided = msgspec.structs.replace(state, outcome=outcome)
                await close_step(self._site, step, book, decided, run_step)
            finally:
                await book.close()
        elif state is None or state.status in (StepStatus.PENDING, StepStatus.RUNNING):
            if step.hooks is not None and state is None:
                now, title = self._site.clock.now(), self._site.title(step)
                running = StepStatus.RUNNING
                await self._site.report(
                    StepState(name=step.name, title=title, status=running, started_at=now)
                )
            if failure := await self._elected(step):
                await self._fail_approval(step, action, failure)
            elif not self._is_closed:
                await self._wait_for_approval(step, action)

    async def _fail_approval(self, step: PlannedStep, action: WaitForApproval, failure: str) -> None:
        """End an approval that nobody was asked for, as its hook on election failed."""
        await self._site.say(step.name, *report.failure_report(self._titled(step), failure))
        state, now = self._board.states[step.name], self._site.clock.now()
        reason = self._site.masked(failure)
        ended = msgspec.structs.replace(state, status=StepStatus.ERROR, finished_at=now, reason=reason)
        await self._site.report(ended)
        await self._perform_approval(step, action)

    def _has_hooks_left(self, step: PlannedStep) -> bool:
        """Whether hooks of an approval are to run that somebody has decided."""
        if not isinstance(step.action, WaitForApproval) or step.hooks is None or self._is_closed:
            return False
        status, hooks = self._status(step), step.hooks
        if status not in (StepStatus.APPROVED, StepStatus.DENIED, StepStatus.ERROR):
            return False
        moments = (hooks.on_success if status is StepStatus.APPROVED else hooks.on_fail, hooks.on_finish)
        return any(hook is not None and not self._status(hook.group).is_final for hook in moments)

    async def _wait_for_approval(self, step: PlannedStep, action: WaitForApproval) -> None:
        now = self._site.clock.now()
        until = approval_until(action, now)
        await self._site.say(step.name, f"Waiting for approval until {until:%Y-%m-%d %H:%M:%S} UTC")
        title, status = self._site.title(step), StepStatus.PENDING_APPROVAL
        await self._site.report(StepState(name=step.name, title=title, status=status, started_at=now))

    # Groups

    async def _perform_group(self, step: PlannedStep, group: Group) -> None:
        members = self._board.members[step.name]
        if self._status(step) is StepStatus.PENDING:
            now = self._site.clock.now()
            title = self._site.title(step)
            await self._site.report(
                StepState(name=step.name, title=title, status=StepStatus.RUNNING, started_at=now)
            )
        if self._board.states[step.name].outcome is not None:  # only its closing hooks are left
            await self._end_group(step, members)
            return
        failure = await self._elected(step)
        if not failure:
            await self._attempts(step, group, members)
        waits = any(not self._status(one).is_final and self._has_begun(one) for one in members)
        if not waits or self._is_closed:
            await self._end_group(step, members, failure)

    async def _attempts(self, step: PlannedStep, group: Group, members: Sequence[PlannedStep]) -> None:
        """Run the members of a group, and all of them again where they failed and it has a `retry`."""
        book = Book(self._site, step.name)
        tries = GroupTries(self._site, step, members)
        try:
            goes_on = await tries.begin(book)
            while goes_on:
                await self._board.open_criteria(step)
                await (self._in_order(members) if group.mode == "sequential" else self._side_by_side(members))
                goes_on = not self._is_closed and await tries.again(book)
        finally:
            await book.close()

    async def _elected(self, step: PlannedStep) -> str:
        """Run the hook on election of a group; return why it failed, ``""`` where it did not."""
        if step.hooks is None:
            return ""
        book = Book(self._site, step.name)
        try:
            return await elect_step(self._site, step, book, run_step)
        finally:
            await book.close()

    def _has_begun(self, step: PlannedStep) -> bool:
        return self._status(step) is not StepStatus.PENDING

    async def _end_group(self, step: PlannedStep, members: Sequence[PlannedStep], failure: str = "") -> None:
        book = Book(self._site, step.name)
        try:
            if self._board.states[step.name].outcome is None:
                await self._decide_group(step, members, failure, book)
            state = self._board.states[step.name]
            if state.outcome is None:
                return
            await close_step(self._site, step, book, state, run_step)
        finally:
            await book.close()
        now = self._site.clock.now()
        await self._site.report(
            msgspec.structs.replace(state, status=state.outcome, outcome=None, finished_at=now)
        )

    async def _decide_group(
        self, step: PlannedStep, members: Sequence[PlannedStep], failure: str, book: Book
    ) -> None:
        """Say how a group has ended, and store it: for good, or for its closing hooks."""
        exports = self._board.hand_on(step)
        failure = failure or GroupTries(self._site, step, members).failure()
        verdict = Verdict(StepStatus.ERROR, failure) if failure else Verdict(StepStatus.SUCCESS)
        statuses = {self._status(member) for member in members}
        waits = self._board.states[step.name].retry_at is not None
        if self._is_closed and (
            waits or StepStatus.TERMINATED in statuses or not all(one.is_final for one in statuses)
        ):
            verdict = Verdict(StepStatus.TERMINATED, self.terminated or self._site.stop.result())
            lines = [f"Step terminated: {verdict.reason}"]
        elif verdict.status is StepStatus.SUCCESS:
            lines = [report.success_line(self._titled(step))]
        else:
            lines = report.failure_report(self._titled(step), verdict.reason)
        await book.say_all(lines)
        state = msgspec.structs.replace(
            self._board.states[step.name], reason=verdict.reason, exports=exports, retry_at=None
        )
        if step.hooks is not None and verdict.status is not StepStatus.TERMINATED and not self._is_closed:
            state = msgspec.structs.replace(state, outcome=verdict.status)
        else:
            now = self._site.clock.now()
            state = msgspec.structs.replace(state, status=verdict.status, finished_at=now)
        await self._site.report(state)

    def _titled(self, step: PlannedStep) -> PlannedStep:
        return msgspec.structs.replace(step, title=self._site.title(step))

    async def _side_by_side(self, steps: Sequence[PlannedStep]) -> None:
        left = {step.name for step in steps if not self._status(step).is_final}
        if not left:
            return
        self._busy += len(left) - 1
        tasks = [asyncio.create_task(self._member(step, left)) for step in steps if step.name in left]
        try:
            await asyncio.gather(*tasks)
        finally:
            await call_off(tasks)

    async def _member(self, step: PlannedStep, left: set[str]) -> None:
        try:
            if self._has_begun(step):
                await self._perform(step)
            else:
                await self._have_patience(step)
                if not self._is_closed:
                    await self._enter(step)
        finally:
            left.discard(step.name)
            if left:  # the last one's turn passes to the group
                self._rest()

    async def _have_patience(self, step: PlannedStep) -> None:
        """In parallel mode a member, too, waits for the steps that it names to end."""
        go_on = self._board.plan.mode == "parallel" and not step.left_out
        while go_on and not self._met(step):
            if all(self._board.status(entry.name).is_final for entry in named_steps(step)):
                return
            patience = asyncio.get_running_loop().create_future()
            self._patient.append(patience)
            self._rest()
            go_on = await patience

    def _wake_patient(self, *, go_on: bool) -> None:
        for patience in self._patient:
            if not patience.done():  # its branch was called off
                patience.set_result(go_on)
        self._busy += len(self._patient)
        self._patient.clear()

    # As each becomes ready

    async def _as_ready(self, steps: Sequence[PlannedStep]) -> None:
        for step in steps:
            if step.left_out and self._status(step) is StepStatus.PENDING:
                await self._skip(step, _LEFT_OUT)
        await self._board.open_conditions(steps)
        self._readiness = Readiness(steps, self._board, self._met, self._judge)
        try:
            for step in steps:
                status = self._status(step)
                if (self._has_begun(step) and not status.is_final) or self._has_hooks_left(step):
                    self._launch(step)
            await self._exhaust()
            if self.waiting_step() is not None:
                return
            self._board.decide_outcome(terminated=self.is_stopping)
            if self._site.stop.done():  # what is to run at the end of a terminated build runs
                self.terminated = self._site.stop.result()
                self._site.stop = asyncio.get_running_loop().create_future()
            self._decided = True
            self._readiness.decide()
            await self._exhaust()
        finally:
            await call_off(self._running.values())
        for step in steps:
            if self._status(step) is StepStatus.PENDING:
                await self._skip(step, _NEVER_READY)

    async def _exhaust(self) -> None:
        """Start what can start, at every change, until nothing runs and nothing can."""
        board = self._board
        while True:
            changes, board.changes = board.changes, set()
            board.changed.clear()
            self._readiness.note(changes)
            for move in self._readiness.moves(closing=self.is_stopping):
                if move.verb is Verb.FAIL:
                    await fail_step(self._site, move.step, move.reason)
                else:
                    self._launch(move.step)
            if changes:
                self._wake_patient(go_on=True)
            if board.changes:
                continue
            if self._busy == 0:
                if not self._patient or self.waiting_step() is not None:
                    await asyncio.sleep(0)  # the last task has ended, but not yet said so
                    self._reap()
                    return
                self._wake_patient(go_on=False)  # nothing can bring what they wait for
            await board.changed.wait()
            self._reap()

    def _launch(self, step: PlannedStep) -> None:
        self._busy += 1
        task = asyncio.create_task(self._branch(step))
        self._running[step.name] = task
        task.add_done_callback(self._note_end)

    async def _branch(self, step: PlannedStep) -> None:
        try:
            await self._perform(step)
        finally:
            self._rest()

    def _rest(self) -> None:
        """Say that one branch less goes on by itself."""
        self._busy -= 1
        self._board.changed.set()

    def _note_end(self, task: "asyncio.Task[None]") -> None:
        self._ended.append(task)
        self._board.changed.set()

    def _reap(self) -> None:
        ended, self._ended = self._ended, []
        for task in ended:
            task.result()  # a failure of ours
