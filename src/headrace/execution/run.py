"""One build on a workspace: order, conditions, approvals, stopping, the result.

`run` serves the embedded worker, a worker process, ``codefresh run --local`` and the tests.
Source: `reference/pipeline-yaml.md` 3.8, 4.1, 4.3, 4.5, 10. What survives a crash, and how, is in
`docs/execution.md`.
"""

import asyncio
import logging
from datetime import datetime, timedelta

import msgspec

from headrace.execution import report
from headrace.execution.board import Board
from headrace.execution.errors import StepRefused
from headrace.execution.ports import (
    BuildFeed,
    BuildOrder,
    ClaimLost,
    Clock,
    Decision,
    LogSink,
    Records,
    SecretSource,
    StepState,
)
from headrace.execution.schedule import FAILED, Move, Verb, halting_steps, next_in_order, next_ready
from headrace.execution.settings import ExecutionSettings
from headrace.execution.site import Site
from headrace.execution.steps import fail_step, run_step
from headrace.execution.tasks import call_off, quietly, survive
from headrace.pipeline.conditions import holds
from headrace.pipeline.plan import PlannedStep, WaitForApproval
from headrace.pipeline.status import BuildStatus, StepStatus
from headrace.runtimes.base import Runtime, Workspace

_log = logging.getLogger(__name__)
_IN_FLIGHT = frozenset({StepStatus.RUNNING, StepStatus.TERMINATING})
_DECIDED = {
    "approved": StepStatus.APPROVED,
    "denied": StepStatus.DENIED,
    "terminated": StepStatus.TERMINATED,
}
STOPPED = "stopped on request"
NOT_APPROVED = "nobody approved in time"
GIVEN_UP = "the build ended while this step waited"


async def run(
    order: BuildOrder,
    *,
    runtime: Runtime,
    feed: BuildFeed,
    logs: LogSink,
    secrets: SecretSource,
    records: Records,
    clock: Clock,
    settings: ExecutionSettings,
) -> None:
    """Run one claimed build until it has ended or waits for an approval; the feed hears which.

    Cancelling it leaves the build unfinished, to be claimed again: steps of a runtime that
    adopts are left running, others are ended and their volume is kept.

    Raises:
        Exception: not even the end of the build could be reported.
    """
    play = _Play(order, runtime, feed, clock, settings)
    try:
        await play.run(logs, secrets, records)
    except asyncio.CancelledError:
        await play.abandon()
        raise
    except ClaimLost:
        _log.warning("build %s is another worker's now; this one leaves it", order.build_id)
        await play.abandon()
    except Exception as failure:  # noqa: BLE001  # a failure of ours ends the build, never hangs it
        _log.exception("build %s failed in the engine", order.build_id)
        await play.fail(failure)


class _Play:
    """One run of one build."""

    def __init__(
        self, order: BuildOrder, runtime: Runtime, feed: BuildFeed, clock: Clock, settings: ExecutionSettings
    ) -> None:
        self._order = order
        self._build_id = order.build_id
        self._runtime = runtime
        self._feed = feed
        self._clock = clock
        self._settings = settings
        self._workspace: Workspace | None = None
        self._site: Site
        self._board: Board
        self._running: dict[str, asyncio.Task[None]] = {}  # in parallel mode, by step
        self._terminated = ""  # why the build was terminated
        self._helpers: list[asyncio.Task[None]] = []

    async def run(self, logs: LogSink, secrets: SecretSource, records: Records) -> None:
        """Play the whole build."""
        self._board = Board(self._order, secrets)
        await self._feed.build_started(self._build_id)
        self._workspace = await self._runtime.open(self._build_id, volume=self._order.volume)
        self._site = Site(
            build_id=self._build_id,
            board=self._board,
            runtime=self._runtime,
            workspace=self._workspace,
            feed=self._feed,
            logs=logs,
            secrets=secrets,
            records=records,
            clock=self._clock,
            settings=self._settings,
        )
        self._helpers.append(asyncio.create_task(self._listen()))
        if self._settings.inactivity_s > 0:
            self._helpers.append(asyncio.create_task(self._watch_activity()))
        try:
            refusal = await self._initialize()
            if not refusal:
                await self._take_up()
                await (self._in_order() if self._order.plan.mode == "sequential" else self._in_parallel())
        finally:
            await call_off([*self._running.values(), *self._helpers])
        waiting = self._waiting_step()
        if waiting is not None:
            await survive(self._suspend(waiting))
        else:
            await survive(self._conclude(refusal))

    async def abandon(self) -> None:
        """Leave the build to whoever claims it next."""
        if not self._runtime.adopts:
            await self._destroy(keep_volume=True)

    async def fail(self, failure: Exception) -> None:
        """End the build because of a failure of our own."""
        reason = f"internal error of the engine ({type(failure).__name__}); the server's log has the details"
        for state in list(self._board.states.values()):
            if state.status in _IN_FLIGHT:
                ended = msgspec.structs.replace(
                    state, status=StepStatus.ERROR, finished_at=self._clock.now(), reason=reason
                )
                stored = self._feed.step_changed(self._build_id, ended)
                await quietly(
                    stored, f"report of step {state.name!r}", deadline_s=self._settings.destroy_deadline_s
                )
        try:
            await survive(self._feed.finished(self._build_id, BuildStatus.ERROR, reason))
        finally:
            await self._destroy(keep_volume=False)

    # Beginning

    async def _initialize(self) -> str:
        """Write the build's own log entry and open its secrets; return what prevents the build."""
        refusal = ""
        try:
            await self._board.open_secrets()
        except StepRefused as missing:
            refusal = str(missing)
        log = await self._site.logs.open(
            self._build_id, report.INITIALIZING, secrets=frozenset(self._board.secrets)
        )
        if self._board.is_resumed:
            await log.say(f"Build {self._build_id} goes on, claim {self._order.attempt}")
        else:
            await log.say(f"Build {self._build_id} starts on the {self._runtime.name} runtime")
        if refusal:
            await log.say(f"The build cannot run: {refusal}")
        await log.close()
        return refusal

    async def _take_up(self) -> None:
        """Apply what was decided while the build waited, and the stop that a crash interrupted."""
        if self._order.decision is not None:
            await self._decide(self._order.decision)
        statuses = {state.status for state in self._board.states.values()}
        if StepStatus.TERMINATING in statuses and not self._site.stop.done():
            self._site.stop.set_result(STOPPED)
        ended = [state for state in self._board.states.values() if state.status is StepStatus.TERMINATED]
        if any(state.reason != GIVEN_UP for state in ended):
            self._terminated = self._terminated or STOPPED

    async def _decide(self, decision: Decision) -> None:
        state = self._board.states.get(decision.step)
        if state is None or state.status is not StepStatus.PENDING_APPROVAL:
            return  # it is a fact already
        status = _DECIDED[decision.result]
        who = f"by {decision.by[0]}" if decision.by else "because the time ran out"
        await self._say(decision.step, f"{status.value.capitalize()} {who}")
        await self._site.report(
            msgspec.structs.replace(
                state,
                status=status,
                finished_at=self._clock.now(),
                decided_by=decision.by,
                reason="" if decision.by else NOT_APPROVED,
            )
        )
        if status is StepStatus.TERMINATED:
            self._terminated = NOT_APPROVED

    async def _listen(self) -> None:
        await self._feed.stop_requested(self._build_id)
        if not self._site.stop.done():
            self._site.stop.set_result(STOPPED)

    async def _watch_activity(self) -> None:
        """Terminate a build that prints nothing for too long, as a hung step would."""
        limit = self._settings.inactivity_s
        while True:
            idle = (self._clock.now() - self._site.touched_at).total_seconds()
            if idle >= limit and not self._site.stop.done():
                self._site.stop.set_result(f"no output for {limit / 60:g} minutes")
            await self._clock.sleep(limit - idle if idle < limit else limit)

    # Order

    @property
    def _is_terminated(self) -> bool:
        return bool(self._terminated) or self._site.stop.done()

    def _judge(self, step: PlannedStep) -> bool:
        return step.when is None or holds(step.when, self._board.scope(step))

    async def _in_order(self) -> None:
        for step in self._steps_in(_IN_FLIGHT):
            await run_step(self._site, step)
        while not self._is_terminated:
            move = next_in_order(self._order.plan, self._board, self._judge)
            if move is None:
                return
            if await self._settled(move):
                continue
            await run_step(self._site, move.step)

    async def _in_parallel(self) -> None:
        for step in self._steps_in(_IN_FLIGHT):
            self._launch(step)
        await self._exhaust(decided=False)
        if self._waiting_step() is not None:
            return
        self._board.decide_outcome(terminated=self._is_terminated)
        if self._site.stop.done():  # what is to run at the end of a terminated build runs
            self._terminated = self._site.stop.result()
            self._site.stop = asyncio.get_running_loop().create_future()
        await self._exhaust(decided=True)
        for step in self._steps_in(frozenset({StepStatus.PENDING})):
            await self._skip(step, "never became ready")

    async def _exhaust(self, *, decided: bool) -> None:
        """Start what can start, at every change, until nothing runs and nothing can."""
        while True:
            moves: list[Move] = []
            if decided or not self._is_terminated:
                moves = next_ready(
                    self._order.plan,
                    self._board,
                    self._judge,
                    running=frozenset(self._running),
                    room=self._settings.parallel_steps - len(self._running),
                    decided=decided,
                )
            settled = False
            for move in moves:
                if await self._settled(move):
                    settled = True
                else:
                    self._launch(move.step)
            if settled:
                continue
            if not self._running:
                return
            done, _ = await asyncio.wait(self._running.values(), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            self._running = {name: task for name, task in self._running.items() if task not in done}

    def _launch(self, step: PlannedStep) -> None:
        self._running[step.name] = asyncio.create_task(run_step(self._site, step))

    async def _settled(self, move: Move) -> bool:
        """Make the moves that need no runtime; False where the step is to be started."""
        if move.verb is Verb.SKIP:
            await self._skip(move.step, "its condition does not hold")
        elif move.verb is Verb.FAIL:
            await fail_step(self._site, move.step, move.reason)
        elif isinstance(move.step.action, WaitForApproval):
            now = self._clock.now()
            until = self._until(move.step, now)
            await self._say(move.step.name, f"Waiting for approval until {until:%Y-%m-%d %H:%M:%S} UTC")
            await self._site.report(
                StepState(name=move.step.name, status=StepStatus.PENDING_APPROVAL, started_at=now)
            )
        else:
            return False
        return True

    async def _skip(self, step: PlannedStep, reason: str) -> None:
        await self._site.report(
            StepState(name=step.name, status=StepStatus.SKIPPED, finished_at=self._clock.now(), reason=reason)
        )

    def _steps_in(self, statuses: frozenset[StepStatus]) -> list[PlannedStep]:
        return [step for step in self._order.plan.steps if self._board.status(step.name) in statuses]

    # Approval

    def _waiting_step(self) -> PlannedStep | None:
        """The approval that the build waits for; none where it has ended otherwise."""
        if self._is_terminated or halting_steps(self._order.plan, self._board):
            return None
        return next(iter(self._steps_in(frozenset({StepStatus.PENDING_APPROVAL}))), None)

    @staticmethod
    def _until(step: PlannedStep, since: datetime) -> datetime:
        assert isinstance(step.action, WaitForApproval)  # noqa: S101  # only these have the status
        return since + timedelta(seconds=step.action.timeout_s)

    async def _suspend(self, step: PlannedStep) -> None:
        """Give everything but the volume back, then the claim: a decision may come at once."""
        await self._destroy(keep_volume=True)
        since = self._board.states[step.name].started_at or self._clock.now()
        action = step.action
        assert isinstance(action, WaitForApproval)  # noqa: S101  # only these have the status
        await self._feed.waiting(self._build_id, step.name, self._until(step, since), action.on_timeout)

    async def _say(self, step: str, line: str) -> None:
        log = await self._site.logs.open(self._build_id, step, secrets=frozenset(self._board.secrets))
        await log.say(line)
        await log.close()

    # End

    async def _conclude(self, refusal: str) -> None:
        for step in self._steps_in(frozenset({StepStatus.PENDING_APPROVAL})):
            await self._site.report(
                msgspec.structs.replace(
                    self._board.states[step.name],
                    status=StepStatus.TERMINATED,
                    finished_at=self._clock.now(),
                    reason=GIVEN_UP,
                )
            )
        if refusal:
            status, reason = BuildStatus.ERROR, refusal
        elif self._is_terminated:
            status = self._board.result(terminated=True)
            reason = self._terminated or self._site.stop.result()
        else:
            status = self._board.result(terminated=False)
            reason = "" if status is BuildStatus.SUCCESS else self._first_failure()
        await self._feed.finished(self._build_id, status, reason)
        await self._destroy(keep_volume=self._order.keep_volume)

    def _first_failure(self) -> str:
        """Which counted failure ended the build, for people."""
        for step in self._order.plan.steps:
            state = self._board.states.get(step.name)
            if state and state.status in FAILED and (step.fail_fast or step.strict_fail_fast):
                return f"step {step.name!r}: {state.reason or state.status.value}"
        return ""

    async def _destroy(self, *, keep_volume: bool) -> None:
        if self._workspace is not None:
            work = self._workspace.destroy(keep_volume=keep_volume)
            what = f"clean-up of build {self._build_id}"
            await survive(quietly(work, what, deadline_s=self._settings.destroy_deadline_s))
