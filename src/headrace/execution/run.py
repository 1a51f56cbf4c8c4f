"""One build on a workspace: its beginning, approvals, stopping, the result.

`run` serves the embedded worker, a worker process, ``codefresh run --local`` and the tests.
Source: `reference/pipeline-yaml.md` 3.8, 4.1, 4.3, 4.5, 10. What survives a crash, and how, is in
`docs/execution.md`.
"""

import asyncio
import errno
import logging

import msgspec

from headrace.execution import report
from headrace.execution.board import Board
from headrace.execution.debugger import Debugger
from headrace.execution.errors import StepRefused
from headrace.execution.hooks import close_build, copy_resources, elect_build
from headrace.execution.kubeconfig import KubeconfigFile
from headrace.execution.outlook import Outlook
from headrace.execution.ports import (
    BuildFeed,
    BuildOrder,
    ClaimLost,
    Clock,
    Decision,
    LogSink,
    Records,
    ReportSink,
    SecretSource,
)
from headrace.execution.services import BuildServices
from headrace.execution.settings import ExecutionSettings
from headrace.execution.site import Site
from headrace.execution.steps import run_step
from headrace.execution.tasks import call_off, quietly, survive
from headrace.execution.walk import Walk, approval_until
from headrace.pipeline.plan import PlannedStep, WaitForApproval
from headrace.pipeline.status import BuildStatus, StepStatus
from headrace.runtimes.base import Runtime, Workspace

_log = logging.getLogger(__name__)
_IN_FLIGHT = frozenset({StepStatus.RUNNING, StepStatus.TERMINATING})
_OPEN = frozenset({StepStatus.RUNNING, StepStatus.PENDING_APPROVAL})  # at the end: approvals, their groups
_DECIDED = {
    "approved": StepStatus.APPROVED,
    "denied": StepStatus.DENIED,
    "terminated": StepStatus.TERMINATED,
}
_FULL = (errno.ENOSPC, errno.EDQUOT)
STOPPED = "stopped on request"
NOT_APPROVED = "nobody approved in time"
GIVEN_UP = "the build ended while this step waited"


async def run(  # noqa: PLR0913  # one per port
    order: BuildOrder,
    *,
    runtime: Runtime,
    feed: BuildFeed,
    logs: LogSink,
    secrets: SecretSource,
    records: Records,
    reports: ReportSink,
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
        await play.run(logs, secrets, records, reports)
    except asyncio.CancelledError:
        await play.abandon()
        raise
    except ClaimLost:
        _log.warning("build %s is another worker's now; this one leaves it", order.build_id)
        await play.abandon()
    except Exception as failure:  # noqa: BLE001  # a failure of ours ends the build, never hangs it
        _log.exception("build %s failed in the engine", order.build_id)
        await play.fail(failure)


def _because(failure: Exception) -> str:
    """Return the reason of a build that ended because of a failure of ours."""
    if isinstance(failure, OSError) and failure.errno in _FULL:
        return f"{failure.strerror} on the server; make room for logs and volumes, and restart the build"
    return f"internal error of the engine ({type(failure).__name__}); the server's log has the details"


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
        self._walk: Walk
        self._services: BuildServices | None = None
        self._helpers: list[asyncio.Task[None]] = []

    async def run(self, logs: LogSink, secrets: SecretSource, records: Records, reports: ReportSink) -> None:
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
            reports=reports,
            clock=self._clock,
            settings=self._settings,
        )
        self._services = self._site.services = BuildServices(self._site)
        self._site.kubeconfig = KubeconfigFile()
        self._site.outlook = Outlook(self._site)
        self._site.debugger = Debugger(self._site)
        self._walk = Walk(self._site)
        self._helpers.append(asyncio.create_task(self._listen()))
        if self._settings.inactivity_s > 0:
            self._helpers.append(asyncio.create_task(self._watch_activity()))
        try:
            refusal = await self._initialize()
            if not refusal:
                await self._take_up()
                self._site.services.begin()
                refusal = await copy_resources(self._site, run_step)
                refusal = refusal or await elect_build(self._site, run_step)
                await self._board.open_criteria(None)
                if not refusal:
                    await self._walk.whole()
                if self._walk.waiting_step() is None:
                    await self._close_build(refusal)
        finally:
            await call_off(self._helpers)
        waiting = None if refusal else self._walk.waiting_step()
        if waiting is not None:
            await survive(self._suspend(waiting))
        else:
            await survive(self._conclude(refusal))

    async def abandon(self) -> None:
        """Leave the build to whoever claims it next."""
        if self._services is not None:
            await self._services.abandon()
        if not self._runtime.adopts:
            await self._destroy(keep_volume=True)
        elif self._workspace is not None:
            await self._workspace.expect(())  # only this worker could give it its turn

    async def fail(self, failure: Exception) -> None:
        """End the build because of a failure of our own."""
        reason = _because(failure)
        ended = [
            msgspec.structs.replace(
                state, status=StepStatus.ERROR, finished_at=self._clock.now(), reason=reason
            )
            for state in self._board.states.values()
            if state.status in _IN_FLIGHT
        ]
        is_told = False
        try:
            await survive(self._feed.finished(self._build_id, BuildStatus.ERROR, reason, ended))
            is_told = True
        finally:
            if self._services is not None:
                await self._services.abandon()
            await self._destroy(keep_volume=not is_told)  # whoever claims it again goes on with it

    # Beginning

    async def _initialize(self) -> str:
        """Write the build's own log entry and open its secrets; return what prevents the build."""
        refusal = ""
        try:
            await self._board.open_secrets()
            if self._order.volume and not self._board.is_resumed:
                await self._site.prepare_volume()  # what an earlier build exported is not of this one
        except StepRefused as missing:
            refusal = str(missing)
        except OSError as failure:  # a full disk, say
            refusal = f"cannot write to the volume: {failure}"
        log = await self._site.logs.open(
            self._build_id, report.INITIALIZING, secrets=frozenset(self._board.secrets)
        )
        if self._board.is_resumed:
            await log.say(f"Build {self._build_id} goes on, claim {self._order.attempt}")
        else:
            await log.say(f"Build {self._build_id} starts on the {self._runtime.name} runtime")
            for line in (*self._executed_before(), *self._breakpoints()):
                await log.say(line)
        if refusal:
            await log.say(f"The build cannot run: {refusal}")
        await log.close()
        return refusal

    def _executed_before(self) -> list[str]:
        """What a build that goes on from a failed step says of the steps before."""
        names = [name for name, state in self._board.states.items() if state.previously_executed]
        lines = [f"Step {name!r} was executed by an earlier build and is not run again" for name in names]
        if lines and not self._order.volume:
            lines.append("The volume of that build is gone: this one begins with an empty one")
        return lines

    def _breakpoints(self) -> list[str]:
        """What a build in debug mode says of where it will wait."""
        plan = self._order.plan
        found = [f"{one} of {step.name!r}" for step in plan.steps for one in step.breakpoints]
        return [f"Debug mode, breakpoints: {', '.join(found) or 'none'}"] if plan.debug else []

    async def _take_up(self) -> None:
        """Apply what was decided while the build waited, and the stop that a crash interrupted."""
        if self._order.decision is not None:
            await self._decide(self._order.decision)
        statuses = {state.status for state in self._board.states.values()}
        if StepStatus.TERMINATING in statuses and not self._site.stop.done():
            self._site.stop.set_result(STOPPED)
        ended = [state for state in self._board.states.values() if state.status is StepStatus.TERMINATED]
        if any(state.reason != GIVEN_UP for state in ended):
            self._walk.terminated = self._walk.terminated or STOPPED

    async def _decide(self, decision: Decision) -> None:
        state = self._board.states.get(decision.step)
        if state is None or state.status is not StepStatus.PENDING_APPROVAL:
            return  # it is a fact already
        status = _DECIDED[decision.result]
        who = f"by {decision.by[0]}" if decision.by else "because the time ran out"
        why = " ".join(decision.reason.split())  # one line of the log
        await self._site.say(decision.step, f"{status.value.capitalize()} {who}{why and ': '}{why}")
        await self._site.report(
            msgspec.structs.replace(
                state,
                status=status,
                finished_at=self._clock.now(),
                decided_by=decision.by,
                decided_because=self._site.masked(decision.reason),
                reason="" if decision.by else NOT_APPROVED,
            )
        )
        if status is StepStatus.TERMINATED:
            self._walk.terminated = NOT_APPROVED

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

    # Approval

    async def _suspend(self, step: PlannedStep) -> None:
        """Give everything but the volume back, then the claim: a decision may come at once."""
        await self._take_down(resumes=True)
        await self._destroy(keep_volume=True)
        since = self._board.states[step.name].started_at or self._clock.now()
        action = step.action
        assert isinstance(action, WaitForApproval)  # noqa: S101  # only these have the status
        until = approval_until(action, since)
        await self._feed.waiting(self._build_id, step.name, until, action.on_timeout)

    # End

    async def _close_build(self, refusal: str) -> None:
        """Run the hooks that follow the steps; a build that is terminated in order has none."""
        terminated = self._walk.is_stopping
        if terminated and self._order.plan.mode == "sequential":
            return
        self._board.decide_outcome(terminated=terminated, failed=bool(refusal))
        succeeded = None if terminated else self._board.workflow == "success"
        await close_build(self._site, run_step, succeeded=succeeded)

    async def _conclude(self, refusal: str) -> None:
        for step in reversed(self._order.plan.steps):  # members before their groups
            if self._board.status(step.name) in _OPEN:
                await self._site.report(
                    msgspec.structs.replace(
                        self._board.states[step.name],
                        status=StepStatus.TERMINATED,
                        finished_at=self._clock.now(),
                        reason=GIVEN_UP,
                    )
                )
        await self._take_down(resumes=False)
        if refusal or self._site.failure:
            status, reason = BuildStatus.ERROR, refusal or self._site.failure
        else:
            status, reason = self._board.result(terminated=self._walk.is_stopping)
        if status is BuildStatus.TERMINATED:
            reason = self._walk.terminated or self._site.stop.result()
        await self._feed.finished(self._build_id, status, reason)
        await self._destroy(keep_volume=self._order.keep_volume)

    async def _take_down(self, *, resumes: bool) -> None:
        work = self._site.services.down(resumes=resumes)
        what = f"end of the services of build {self._build_id}"
        await quietly(work, what, deadline_s=self._settings.destroy_deadline_s)
        work, what = (
            self._site.kubeconfig.empty(self._site),
            f"logins in the volume of build {self._build_id}",
        )
        await quietly(work, what, deadline_s=self._settings.destroy_deadline_s)

    async def _destroy(self, *, keep_volume: bool) -> None:
        if self._workspace is not None:
            work = self._workspace.destroy(keep_volume=keep_volume)
            what = f"clean-up of build {self._build_id}"
            await survive(quietly(work, what, deadline_s=self._settings.destroy_deadline_s))
