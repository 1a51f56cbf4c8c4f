"""One attempt of a step: made into a command, started, followed, interrupted where it must be.

Source: `reference/pipeline-yaml.md` 3.9b (reports), 4.11 (time-outs).
"""

import asyncio
from contextlib import suppress
from datetime import datetime
from enum import Enum
from typing import TypeVar

import msgspec

from headrace.execution import clone, images, report
from headrace.execution.clone import Clone, git_context, is_url, plan_clone
from headrace.execution.commands import freestyle_command
from headrace.execution.composition_run import start_composition
from headrace.execution.debugger import pause
from headrace.execution.deployments import start_deployment
from headrace.execution.desk import Desk, Ending, terminated
from headrace.execution.environment_launch import launch_environment
from headrace.execution.errors import StepRefused
from headrace.execution.exports import FILE_VARIABLE, LINK, SHARED_FILE, Export, join_exports
from headrace.execution.fetch import plan_fetch
from headrace.execution.group_tries import run_out, seconds_left
from headrace.execution.images import ImageWork, plan_image
from headrace.execution.own_work import OwnWork, Work
from headrace.execution.ports import GitCredentials
from headrace.execution.reports import ReportWork
from headrace.execution.site import WRITABLE, Site
from headrace.pipeline.plan import (
    BuildImage,
    CloneRepository,
    Deploy,
    FetchFile,
    KeepReports,
    LaunchComposition,
    PushImage,
    RunCommands,
    RunComposition,
    is_hook,
)
from headrace.pipeline.status import StepStatus
from headrace.pipeline.variables import DirectoryUnknown, Scope, TextTooLong, substitute
from headrace.runtimes.base import (
    VOLUME,
    Command,
    RunningImage,
    RunningStep,
    StepCouldNotStart,
    StepExit,
)

META = "/meta"  # where members of step types may export to, in the same form as to the file of all
REFUSALS = (StepRefused, DirectoryUnknown, TextTooLong)

T = TypeVar("T")


class _Interruption(Enum):
    STOP = "stop"
    TIMEOUT = "timeout"


class Attempt:
    """One start of a step, or one that an earlier claim started. Use `run` or `follow`, once."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._site, self._step = desk, desk.site, desk.step
        self._clone: Clone | None = None
        self._command = Command(image="")
        self._image: ImageWork | None = None
        self._reports: ReportWork | None = None
        self._own_work: Work | None = None
        self._running_image: RunningImage | None = None
        self._timer: asyncio.Task[None] | None = None
        self._is_limited_by_group = False

    async def run(self) -> Ending:
        """Start the step and follow it to its end."""
        try:
            self._command = await self._prepare()
        except REFUSALS as refusal:
            return self._refused(str(refusal))
        await self._desk.report()
        return await self._timed(None)

    async def follow(self, running: RunningStep) -> Ending:
        """Follow a step that was taken up to its end."""
        if isinstance(self._step.action, CloneRepository):
            path = f"{clone.RESULT_FOLDER}/{self._desk.index}"
            self._clone = Clone(Command(image=""), path, self._desk.state.members, frozenset())
        await self._site.services.take_up(self._step)
        return await self._timed(running)

    async def override(self) -> Ending:
        """Let somebody run commands in place of the step's own; they decide what it leaves."""
        try:
            self._command = await self._prepare()
        except REFUSALS as refusal:
            return self._refused(str(refusal))
        if self._desk.state.paused is not None:
            self._site.has_adopted = True  # what an earlier claim exported is not to be lost
        # The wait is the first that is stored of the attempt: without it, it would run after a crash.
        ending = await pause(self._desk, "override")
        return ending or await self._succeeded()

    def _refused(self, reason: str) -> Ending:
        lines = report.failure_report(self._step, reason)
        return Ending(status=StepStatus.ERROR, reason=reason, lines=tuple(lines))

    # Making the command

    async def _prepare(self) -> Command:
        """Fill in the step's texts, as late as possible: all that earlier steps gave is there."""
        site, desk, action = self._site, self._desk, self._step.action
        await site.board.open_stored(self._step)
        scope = desk.scope
        if isinstance(action, CloneRepository):
            self._clone = await self._plan_clone(action, scope)
            site.board.secrets.update(self._clone.secrets)
            desk.state = msgspec.structs.replace(desk.state, members=self._clone.members)
            return self._clone.command
        if isinstance(action, BuildImage | PushImage):
            self._image = await plan_image(action, scope, site)
            site.board.secrets.update(self._image.secrets)
            desk.state = msgspec.structs.replace(desk.state, members=self._image.members)
            return Command(image=self._image.name)
        if isinstance(action, RunComposition | LaunchComposition | Deploy):
            return Command(image="")
        if isinstance(action, FetchFile):
            self._own_work = plan_fetch(site, action, scope)
            return Command(image="")
        if isinstance(action, KeepReports):
            self._reports = ReportWork(site, self._step, desk.unit, self._report_command(action, scope))
            self._own_work = self._reports.run
            return Command(image="")
        if not isinstance(action, RunCommands):
            raise StepRefused(f"a step of type {self._step.type!r} runs nothing")
        own = site.board.own_variables(self._step, tries=desk.state.tries)
        own |= await site.kubeconfig.variables(site, scope)
        if desk.own_export_file:
            own[FILE_VARIABLE] = f"{VOLUME}/{desk.own_export_file}"
        command = freestyle_command(action, scope, own)
        if desk.meta_folder:
            command = msgspec.structs.replace(command, volumes=(*command.volumes, (desk.meta_folder, META)))
        command = await images.with_login(command, action, scope, site)
        if command.login is not None:
            site.board.secrets.add(command.login.password)
        members = {"workingDirectory": command.working_directory} if command.working_directory else {}
        desk.state = msgspec.structs.replace(desk.state, members=members)
        return command

    def _report_command(self, action: KeepReports, scope: Scope) -> Command:
        """What a freestyle step with these fields would run: its environment says which reports."""
        step = RunCommands(
            image="-", environment=action.environment, working_directory=action.working_directory
        )
        own = self._site.board.own_variables(self._step, tries=self._desk.state.tries)
        return freestyle_command(step, scope, own)

    async def _plan_clone(self, action: CloneRepository, scope: Scope) -> Clone:
        return plan_clone(
            action,
            scope,
            await self._git_login(action, scope),
            image=self._site.settings.git_image,
            result=str(self._desk.index),
            afresh=self._desk.state.starts > 1,
        )

    async def _git_login(self, action: CloneRepository, scope: Scope) -> GitCredentials | None:
        context = git_context(action, scope)
        try:
            return await self._site.secrets.git(self._site.build_id, context)
        except LookupError as missing:
            if context is None and is_url(substitute(action.repo, scope)):
                return None
            raise StepRefused(str(missing)) from missing

    # Running it

    async def _timed(self, running: RunningStep | None) -> Ending:
        self._start_timer()
        try:
            return await (self._start() if running is None else self._follow(running))
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def _start_timer(self) -> None:
        """Count the time-out from the attempt's start, which may lie before a crash."""
        left = seconds_left(self._site, self._step)
        if self._step.timeout_s:
            clock = self._site.clock
            since: datetime = self._desk.state.attempt_started_at or clock.now()
            own = max(0.0, self._step.timeout_s - (clock.now() - since).total_seconds())
            self._is_limited_by_group = left is not None and left < own
            left = own if left is None else min(own, left)
        else:
            self._is_limited_by_group = left is not None
        if left is not None:
            self._timer = asyncio.create_task(_sleep(self._site, left))

    async def _start(self) -> Ending:
        """Start the process and follow it."""
        starting = asyncio.create_task(self._launch())
        interruption = await self._first(starting)
        if interruption is not None:
            starting.cancel()
            await asyncio.wait({starting})
            if not starting.cancelled() and starting.exception() is None:
                await starting.result().stop(0)
            return await self._interrupted(None, interruption)
        try:
            running = starting.result()
        except StepCouldNotStart as failure:
            lines = report.start_report(self._step, self._command.image, str(failure))
            return self._failed(str(failure), lines)
        await self._site.outlook.tell()
        if self._site.runtime.adopts:
            await self._desk.report(output_from=await self._desk.book.length())
        return await self._follow(running)

    async def _launch(self) -> RunningStep:
        site, desk = self._site, self._desk
        site.touch()
        if self._image is not None:
            await desk.book.say_all(self._image.notes)
            self._running_image = await site.workspace.start_image(
                desk.unit, self._image.job, say=desk.book.say
            )
            return self._running_image
        if self._own_work is not None:
            return OwnWork(self._own_work)
        if isinstance(self._step.action, RunComposition | LaunchComposition | Deploy):
            return await self._launch_many(self._step.action)
        if isinstance(self._step.action, RunCommands):
            self._command = await site.services.join(self._step, self._command)
        try:
            if isinstance(self._step.action, RunCommands) and self._command.script is not None:
                await site.prepare_volume()
            if desk.meta_folder:
                await site.workspace.write(f"{desk.meta_folder}/{SHARED_FILE}", b"", mode=WRITABLE)
            if self._clone is None and desk.own_export_file:
                await site.workspace.write(desk.own_export_file, b"", mode=WRITABLE)
            elif desk.state.tries > 1:  # what an attempt exported that failed is of no account
                await site.workspace.write(SHARED_FILE, b"", mode=WRITABLE)
        except OSError as failure:  # a full disk, say
            raise StepCouldNotStart(f"cannot write to the volume: {failure}") from failure
        return await site.workspace.start(desk.unit, self._command, say=desk.book.say)

    async def _launch_many(self, action: RunComposition | LaunchComposition | Deploy) -> RunningStep:
        """Start what is no container of the step's own."""
        site, desk = self._site, self._desk
        if isinstance(action, Deploy):
            return await start_deployment(site, self._step.name, action, desk.scope)
        if isinstance(action, LaunchComposition):
            return await launch_environment(site, self._step, action, desk.scope, say=desk.book.say)
        return await start_composition(
            site, self._step, action, desk.scope, unit=desk.unit, say=desk.book.say
        )

    async def _follow(self, running: RunningStep) -> Ending:
        following = asyncio.create_task(self._pump(running))
        interruption = await self._first(following)
        if interruption is None:
            return await self._ended(following.result())
        if interruption is _Interruption.STOP and self._desk.state.status is not StepStatus.TERMINATING:
            await self._desk.report(status=StepStatus.TERMINATING)
        return await self._interrupted(await self._stop(running, following), interruption)

    async def _pump(self, running: RunningStep) -> StepExit:
        async for chunk in running.output():
            await self._desk.book.write(chunk)
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

    async def _ended(self, end: StepExit) -> Ending:
        trouble = self._site.services.trouble(self._step)
        if end.exit_code == 0 and trouble:
            failed = self._failed(trouble, report.failure_report(self._step, trouble, name="ServiceFailed"))
            return await self._with_results(failed)
        if end.exit_code == 0:
            return await self._succeeded()
        if trouble:
            await self._desk.book.say(trouble)
        lines = report.exit_report(
            self._step, end.exit_code, out_of_memory=end.out_of_memory, image=self._command.image
        )
        memory = ", out of memory" if end.out_of_memory else ""
        return await self._with_results(self._failed(f"exit code {end.exit_code}{memory}", lines))

    async def _interrupted(self, end: StepExit | None, interruption: _Interruption) -> Ending:
        if interruption is _Interruption.TIMEOUT:
            ending = await self._timed_out()
        elif end is not None and end.exit_code == 0:
            return await self._succeeded()
        else:
            ending = terminated(self._site.stop.result())
        return ending if end is None else await self._with_results(ending)

    async def _timed_out(self) -> Ending:
        by_group = self._is_limited_by_group
        if by_group:
            reason = await run_out(self._site, self._step)
        else:
            reason = f"step timed out after {self._step.timeout_s:g} s"
        ending = self._failed(reason, report.failure_report(self._step, reason, name="StepTimedOut"))
        return msgspec.structs.replace(ending, may_be_retried=not by_group)

    async def _succeeded(self) -> Ending:
        ending = Ending(status=StepStatus.SUCCESS, lines=(report.success_line(self._step),))
        return await self._with_results(ending)

    def _failed(self, reason: str, lines: list[str]) -> Ending:
        return Ending(status=StepStatus.ERROR, reason=reason, lines=tuple(lines), may_be_retried=True)

    async def _with_results(self, ending: Ending) -> Ending:
        """Add what the step left in the volume."""
        site, own = self._site, self._desk.own_export_file
        if self._clone is not None:
            revision = await site.workspace.read(self._clone.result)
            found = {"revision": revision.decode(errors="replace").strip()} if revision else {}
            return msgspec.structs.replace(ending, members=found)
        if self._image is not None:
            return await self._with_image(ending, self._image)
        meta = self._desk.meta_folder
        places = [
            None if is_hook(self._step.name) else SHARED_FILE,
            own,
            f"{meta}/{SHARED_FILE}" if meta else None,
        ]
        if self._reports is not None:
            return msgspec.structs.replace(ending, exports=self._link(self._reports.link))
        contents = {place: await site.workspace.read(place) or b"" for place in places if place}
        return msgspec.structs.replace(
            ending,
            exports=join_exports(list(contents.values())),
            export_files=tuple(place for place, content in contents.items() if content),
        )

    def _link(self, link: str) -> dict[str, Export]:
        """What a step exports of where its reports are; of a member of a step type, for the step, too."""
        if not link:
            return {}
        step, names = self._step, [self._step.name]
        if self._site.board.is_of_step_type(step) and step.parent is not None:
            names.append(step.parent)
        return {name: Export(name, link) for name in (f"{one}{LINK}" for one in names)}

    async def _with_image(self, ending: Ending, work: ImageWork) -> Ending:
        """Put what was made on record; a build or push leaves nothing in the volume."""
        if ending.status is not StepStatus.SUCCESS or self._running_image is None:
            return ending
        members = await images.keep(work, self._running_image.result(), self._step, self._site)
        return msgspec.structs.replace(ending, members=members)


async def _sleep(site: Site, seconds: float) -> None:
    await site.clock.sleep(seconds)
