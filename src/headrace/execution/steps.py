"""The life of one step: made into a command, started, followed, ended, reported.

Each state is stored before the next thing happens: `running` before the start, the final one
after the last byte of the log. What a restart of the worker does with it is in `docs/execution.md`.
"""

import asyncio
from contextlib import suppress
from datetime import datetime
from enum import Enum
from typing import TypeVar

import msgspec

from headrace.execution import clone, report
from headrace.execution.clone import Clone, git_context, is_url, plan_clone
from headrace.execution.commands import freestyle_command
from headrace.execution.errors import StepRefused
from headrace.execution.exports import FILE_VARIABLE, SHARED_FILE, join_exports
from headrace.execution.ports import GitCredentials, SecretRef, StepLog, StepState
from headrace.execution.site import WRITABLE, Site
from headrace.pipeline.plan import CloneRepository, PlannedStep, RunCommands
from headrace.pipeline.status import StepStatus
from headrace.pipeline.variables import DirectoryUnknown, Scope, TextTooLong, substitute
from headrace.runtimes.base import VOLUME, Command, RunningStep, StepCouldNotStart, StepExit

EXPORT_FOLDER = ".headrace/exports"  # in the volume; one file a step, where steps run side by side
LOST = "the worker that ran this step was lost, and the step with it"
_ATTEMPTS = 2  # the first, and one more where a worker was lost

T = TypeVar("T")


class _Interruption(Enum):
    STOP = "stop"
    TIMEOUT = "timeout"


async def run_step(site: Site, step: PlannedStep) -> None:
    """Run one step to its end, from its beginning or from where an earlier claim left it."""
    life = _Life(site, step)
    state = site.board.states.get(step.name)
    if state is None or state.status is StepStatus.PENDING:
        await life.begin()
    else:
        await life.resume(state)


async def fail_step(site: Site, step: PlannedStep, reason: str) -> None:
    """End a step that never started: its condition cannot be worked out, its command not be made."""
    log = await site.logs.open(site.build_id, step.name, secrets=frozenset(site.board.secrets))
    for line in report.failure_report(step, reason):
        await log.say(line)
    await log.close()
    now = site.clock.now()
    old = site.board.states.get(step.name)
    state = old or StepState(name=step.name, status=StepStatus.PENDING, started_at=now)
    await site.report(msgspec.structs.replace(state, status=StepStatus.ERROR, finished_at=now, reason=reason))


class _Life:
    """One step while it runs."""

    def __init__(self, site: Site, step: PlannedStep) -> None:
        self._site = site
        self._step = step
        self._index = site.board.index[step.name]
        self._clone: Clone | None = None
        self._command: Command | None = None
        self._log: StepLog
        self._state: StepState
        self._timer: asyncio.Task[None] | None = None

    async def begin(self, attempt: int = 1) -> None:
        """Run the step from its beginning."""
        site = self._site
        self._state = StepState(
            name=self._step.name,
            status=StepStatus.RUNNING,
            attempt=attempt,
            started_at=site.clock.now(),
        )
        try:
            self._command = await self._prepare()
        except (StepRefused, DirectoryUnknown, TextTooLong) as refusal:
            await fail_step(site, self._step, str(refusal))
            return
        self._log = await self._open_log(None)
        try:
            if attempt > 1:
                await self._log.say(f"{LOST}; it is started again, attempt {attempt}")
            await self._report()
            await self._run(None)
        finally:
            await self._log.close()

    async def resume(self, state: StepState) -> None:
        """Take up a step that an earlier claim had started; begin again once where it is lost."""
        self._state = state
        running = await self._site.workspace.adopt(self._unit)
        if running is None:
            await self._lost()
            return
        self._site.has_adopted = True
        self._clone = self._adopted_clone()
        self._log = await self._open_log(state.output_from)
        try:
            await self._run(running)
        finally:
            await self._log.close()

    async def _lost(self) -> None:
        state = self._state
        if state.status is StepStatus.TERMINATING:
            await self._report(status=StepStatus.TERMINATED, finished_at=self._site.clock.now(), reason=LOST)
        elif self._site.settings.retry_lost_steps and state.attempt < _ATTEMPTS:
            await self.begin(state.attempt + 1)
        else:
            await fail_step(self._site, self._step, LOST)

    @property
    def _unit(self) -> str:
        """What the runtime calls this start of the step."""
        return f"{self._step.name}-{self._state.attempt}"

    @property
    def _own_export_file(self) -> str | None:
        if not self._site.board.runs_beside_others(self._step):
            return None
        return f"{EXPORT_FOLDER}/{self._index}-{self._state.attempt}"

    async def _open_log(self, resume_from: int | None) -> StepLog:
        site = self._site
        return await site.logs.open(
            site.build_id, self._step.name, secrets=frozenset(site.board.secrets), resume_from=resume_from
        )

    # Making the command

    async def _prepare(self) -> Command:
        """Fill in the step's texts, as late as possible: all that earlier steps gave is there."""
        site, action = self._site, self._step.action
        scope = site.board.scope(self._step)
        if isinstance(action, CloneRepository):
            self._clone = await self._plan_clone(action, scope)
            site.board.secrets.update(self._clone.secrets)
            self._state = msgspec.structs.replace(self._state, members=self._clone.members)
            return self._clone.command
        if not isinstance(action, RunCommands):
            raise StepRefused(f"a step of type {self._step.type!r} runs nothing")
        own = site.board.own_variables(self._step)
        if self._own_export_file:
            own[FILE_VARIABLE] = f"{VOLUME}/{self._own_export_file}"
        command = freestyle_command(action, scope, own)
        members = {"workingDirectory": command.working_directory} if command.working_directory else {}
        self._state = msgspec.structs.replace(self._state, members=members)
        return command

    async def _plan_clone(self, action: CloneRepository, scope: Scope) -> Clone:
        return plan_clone(
            action,
            scope,
            await self._git_login(action, scope),
            image=self._site.settings.git_image,
            result=str(self._index),
            afresh=self._state.attempt > 1,
        )

    async def _git_login(self, action: CloneRepository, scope: Scope) -> GitCredentials | None:
        context = git_context(action, scope)
        try:
            return await self._site.secrets.git(self._site.build_id, context)
        except LookupError as missing:
            if context is None and is_url(substitute(action.repo, scope)):
                return None
            raise StepRefused(str(missing)) from missing

    def _adopted_clone(self) -> Clone | None:
        if not isinstance(self._step.action, CloneRepository):
            return None
        path = f"{clone.RESULT_FOLDER}/{self._index}"
        return Clone(Command(image=""), path, self._state.members, frozenset())

    # Running it

    async def _run(self, running: RunningStep | None) -> None:
        self._start_timer()
        try:
            running = running or await self._start()
            if running is not None:
                await self._follow(running)
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def _start_timer(self) -> None:
        """Count the time-out from the step's start, which may lie before a crash."""
        if self._step.timeout_s:
            clock = self._site.clock
            spent = (clock.now() - (self._state.started_at or clock.now())).total_seconds()
            self._timer = asyncio.create_task(_sleep(self._site, max(0.0, self._step.timeout_s - spent)))

    async def _start(self) -> RunningStep | None:
        """Start the process; None where the step has ended instead."""
        starting = asyncio.create_task(self._launch())
        interruption = await self._first(starting)
        if interruption is not None:
            starting.cancel()
            await asyncio.wait({starting})
            if not starting.cancelled() and starting.exception() is None:
                await starting.result().stop(0)
            await self._end(None, interruption)
            return None
        try:
            running = starting.result()
        except StepCouldNotStart as failure:
            image = self._command.image if self._command else ""
            await self._finish(
                StepStatus.ERROR, str(failure), report.start_report(self._step, image, str(failure))
            )
            return None
        if self._site.runtime.adopts:
            await self._report(output_from=self._log.length)
        return running

    async def _launch(self) -> RunningStep:
        site = self._site
        site.touch()
        command = self._command or Command(image="")
        try:
            if isinstance(self._step.action, RunCommands) and command.script is not None:
                await site.prepare_volume()
            if self._own_export_file and self._clone is None:
                await site.workspace.write(self._own_export_file, b"", mode=WRITABLE)
        except OSError as failure:  # a full disk, say
            raise StepCouldNotStart(f"cannot write to the volume: {failure}") from failure
        return await site.workspace.start(self._unit, command, say=self._say)

    async def _say(self, line: str) -> None:
        self._site.touch()
        await self._log.say(line)

    async def _follow(self, running: RunningStep) -> None:
        following = asyncio.create_task(self._pump(running))
        interruption = await self._first(following)
        if interruption is None:
            await self._end(following.result(), None)
            return
        if interruption is _Interruption.STOP and self._state.status is not StepStatus.TERMINATING:
            await self._report(status=StepStatus.TERMINATING)
        await self._end(await self._stop(running, following), interruption)

    async def _pump(self, running: RunningStep) -> StepExit:
        async for chunk in running.output():
            self._site.touch()
            await self._log.write(chunk)
        return await running.wait()

    async def _first(self, work: "asyncio.Task[T]") -> _Interruption | None:
        """Wait for the work, a stop request or the time-out; say what interrupts the work."""
        waited: set[asyncio.Future[object]] = {work, self._site.stop}  # type: ignore[arg-type]  # invariant
        if self._timer is not None:
            waited.add(self._timer)  # type: ignore[arg-type]  # the same
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.wait({work})
            raise
        if work.done():
            return None
        return _Interruption.STOP if self._site.stop.done() else _Interruption.TIMEOUT

    async def _stop(self, running: RunningStep, following: "asyncio.Task[StepExit]") -> StepExit | None:
        """Ask, then force; None where not even that ended the process in time."""
        settings = self._site.settings
        with suppress(TimeoutError):
            async with asyncio.timeout(settings.stop_grace_s + settings.destroy_deadline_s):
                await running.stop(settings.stop_grace_s)
        await asyncio.wait({following}, timeout=settings.destroy_deadline_s)
        if following.done():
            return following.result()
        following.cancel()
        await asyncio.wait({following})
        return None

    # Ending it

    async def _end(self, end: StepExit | None, interruption: _Interruption | None) -> None:
        step = self._step
        if interruption is _Interruption.STOP:
            reason = self._site.stop.result()
            if end is not None and end.exit_code == 0:
                await self._finish(StepStatus.SUCCESS, "", [report.success_line(step)], ran=True)
            else:
                await self._finish(
                    StepStatus.TERMINATED, reason, [f"Step terminated: {reason}"], ran=end is not None
                )
        elif interruption is _Interruption.TIMEOUT:
            reason = f"step timed out after {step.timeout_s:g} s"
            lines = report.failure_report(step, reason, name="StepTimedOut")
            await self._finish(StepStatus.ERROR, reason, lines, ran=end is not None)
        elif end is None or end.exit_code == 0:
            await self._finish(StepStatus.SUCCESS, "", [report.success_line(step)], ran=True)
        else:
            lines = report.exit_report(step, end.exit_code, out_of_memory=end.out_of_memory)
            memory = ", out of memory" if end.out_of_memory else ""
            await self._finish(StepStatus.ERROR, f"exit code {end.exit_code}{memory}", lines, ran=True)

    async def _finish(self, status: StepStatus, reason: str, lines: list[str], *, ran: bool = False) -> None:
        """Read what the step left, say the last words, close the log, report."""
        exports: dict[str, str | SecretRef] = {}
        members, shared_used = dict(self._state.members), False
        if ran and self._clone is not None:
            if revision := await self._site.workspace.read(self._clone.result):
                members["revision"] = revision.decode(errors="replace").strip()
        elif ran:
            exports, shared_used = await self._read_exports()
        for line in lines:
            await self._log.say(line)
        await self._log.close()
        await self._report(
            status=status,
            finished_at=self._site.clock.now(),
            members=members,
            exports=exports,
            reason=reason,
        )
        if shared_used:  # only now: until the report, a crash reads it again
            await self._site.workspace.write(SHARED_FILE, b"", mode=WRITABLE)

    async def _read_exports(self) -> tuple[dict[str, str | SecretRef], bool]:
        files: list[bytes] = []
        own = self._own_export_file
        shared = await self._site.workspace.read(SHARED_FILE) or b""
        files.append(shared)
        if own:
            files.append(await self._site.workspace.read(own) or b"")
        found = join_exports(files)
        if found:
            await self._log.say(report.READING_EXPORTS)
        return await self._site.board.keep_exports(found), bool(shared)

    async def _report(
        self,
        *,
        status: StepStatus | None = None,
        finished_at: datetime | None = None,
        **changes: object,
    ) -> None:
        self._state = msgspec.structs.replace(
            self._state, status=status or self._state.status, finished_at=finished_at, **changes
        )
        await self._site.report(self._state)


async def _sleep(site: Site, seconds: float) -> None:
    await site.clock.sleep(seconds)
