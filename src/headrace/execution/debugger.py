"""The debugger: a step that waits at a breakpoint, and what somebody does there.

The wait is part of the step's stored state, so it goes on after a restart of the worker. Commands
run beside the step, in a container of their own: they see its variables and the volume, and what
they print is in the step's log, masked like all else.
Source: `reference/pipeline-yaml.md` 12.1.
"""

import asyncio
import shlex
from contextlib import suppress
from datetime import timedelta
from typing import Any

import msgspec

from headrace.execution import images, report
from headrace.execution.commands import freestyle_command
from headrace.execution.desk import EXPORT_FOLDER, Desk, Ending, terminated
from headrace.execution.errors import StepRefused
from headrace.execution.exports import FILE_VARIABLE
from headrace.execution.ports import DebugCommand, Left, Pause
from headrace.execution.site import WRITABLE, Site
from headrace.execution.tasks import call_off
from headrace.pipeline.plan import Phase, PlannedStep, RunCommands, is_hook
from headrace.pipeline.status import StepStatus
from headrace.pipeline.variables import DirectoryUnknown, TextTooLong
from headrace.runtimes.base import VOLUME, Command, RunningStep, StepCouldNotStart

_WHERE = {"before": "before this step", "override": "in place of this step", "after": "after this step"}
_TIMED_OUT = "debug session timed out"  # begins the reason of such a step
_LOST_EXPORTS = f"{EXPORT_FOLDER}/debug"  # what commands beside a step export reaches no step


class Debugger:
    """Which breakpoints of a build hold: one object for each run of it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._off = not site.board.plan.debug
        self._next = False  # the next step that begins waits, though it has no breakpoint
        self._take_up()

    def _take_up(self) -> None:
        """Work out from the stored states what the last command of an earlier claim meant."""
        states = self._site.board.states.values()
        late = [state for state in states if not self._off and state.reason.startswith(_TIMED_OUT)]
        if late:
            self._site.fail(late[0].reason)
        left = [one for state in states for one in state.passed.values()]
        self._off = self._off or any(one.action == "finish" for one in left)
        last = max(left, key=lambda one: one.at, default=None)
        if last is not None and last.action == "step-over":
            begun = (state.started_at for state in states if state.started_at is not None)
            self._next = not any(at > last.at for at in begun)

    def stops(self, desk: Desk, phase: Phase) -> bool:
        """Tell whether a step is to wait here, where it has not done so yet."""
        state = desk.state
        if state.paused is not None:
            return state.paused.phase == phase
        if self._off or is_hook(desk.step.name) or phase in state.passed:
            return False
        if phase == "before" and self._next:
            self._next = False
            return True
        over = any(one.action == "step-over" for one in state.passed.values())
        return phase in desk.step.breakpoints and not over

    def leave(self, action: str) -> None:
        """Take note of how a breakpoint was left."""
        self._off = self._off or action == "finish"
        self._next = self._next or action == "step-over"


async def pause(desk: Desk, phase: Phase) -> Ending | None:
    """Wait at a breakpoint, where one holds here; None: the step goes on.

    Returns:
        How the step ends: the build was asked to stop, or nobody said in time how it goes on.
    """
    if not desk.site.debugger.stops(desk, phase):
        return None
    return await _Session(desk, phase).run()


class _Session:
    """One wait of one step."""

    def __init__(self, desk: Desk, phase: Phase) -> None:
        self._desk, self._site, self._phase = desk, desk.site, phase
        self._helpers: list[asyncio.Future[Any]] = []

    async def run(self) -> Ending | None:
        waits = await self._begin()
        left = (waits.until - self._site.clock.now()).total_seconds()
        deadline = asyncio.ensure_future(self._site.clock.sleep(max(0.0, left)))
        self._helpers.append(deadline)
        try:
            return await self._serve(waits, deadline)
        finally:
            await call_off(self._helpers)

    async def _begin(self) -> Pause:
        desk, site = self._desk, self._site
        if desk.state.paused is not None:
            await desk.book.say(f"Still paused, until {_utc(desk.state.paused)}")
            return desk.state.paused
        now = site.clock.now()
        waits = Pause(
            phase=self._phase, since=now, until=now + timedelta(seconds=site.settings.debug_session_s)
        )
        await desk.book.say(f"Paused {_WHERE[self._phase]} at a breakpoint, until {_utc(waits)}")
        await desk.book.say(
            f"Go on: codefresh debug continue {site.build_id} --step {shlex.quote(desk.step.name)}"
        )
        await desk.report(paused=waits)
        return waits

    async def _serve(self, waits: Pause, deadline: "asyncio.Future[None]") -> Ending | None:
        """Take up one command after the other until one of them ends the wait."""
        desk, site = self._desk, self._site
        while True:
            asking = asyncio.ensure_future(
                site.feed.debug_command(site.build_id, desk.step.name, self._phase, waits.seen)
            )
            self._helpers.append(asking)
            await self._first_of(asking, deadline)
            if site.stop.done():
                return self._ended(terminated(site.stop.result()))
            if not asking.done():
                return self._ended(self._timed_out())
            command = asking.result()
            site.touch()
            if command.action != "run":
                await self._leave(command)
                return None
            waits = msgspec.structs.replace(waits, seen=command.id)
            await desk.report(paused=waits)  # at most once: what it does may not bear a repetition
            await self._carry_out(command, deadline)

    def _timed_out(self) -> Ending:
        minutes = f"{self._site.settings.debug_session_s / 60:g}"
        reason = f"{_TIMED_OUT}: nobody continued step {self._desk.step.name!r} in {minutes} minutes"
        self._site.fail(reason)
        lines = report.failure_report(self._desk.step, reason, name="DebugSessionTimedOut")
        return Ending(status=StepStatus.ERROR, reason=reason, lines=tuple(lines))

    def _ended(self, ending: Ending) -> Ending:
        self._desk.state = msgspec.structs.replace(self._desk.state, paused=None)
        return ending

    async def _leave(self, command: DebugCommand) -> None:
        desk, site = self._desk, self._site
        by = f" by {command.by}" if command.by else ""
        await desk.book.say(f"Debugger: {command.action}{by}")
        site.debugger.leave(command.action)
        passed = {**desk.state.passed, self._phase: Left(command.action, site.clock.now())}
        await desk.report(paused=None, passed=passed)

    # Commands beside the step

    async def _carry_out(self, asked: DebugCommand, deadline: "asyncio.Future[None]") -> None:
        desk, site = self._desk, self._site
        await desk.book.say(f"Debugger: {asked.by or 'somebody'} runs: {' '.join(asked.text.split())}")
        starting = asyncio.ensure_future(self._start(asked))
        self._helpers.append(starting)
        await self._first_of(starting, deadline)
        if not starting.done():  # it may pull an image for long
            await call_off([starting])
            if starting.cancelled() or starting.exception() is not None:
                return
        try:
            running = starting.result()
        except (StepRefused, DirectoryUnknown, TextTooLong, StepCouldNotStart, OSError) as failure:
            await desk.book.say(f"Debugger: the command could not run: {failure}")
            return
        following = asyncio.ensure_future(self._follow(running))
        self._helpers.append(following)
        await self._first_of(following, deadline)
        if not following.done():
            with suppress(TimeoutError):
                async with asyncio.timeout(site.settings.stop_grace_s + site.settings.destroy_deadline_s):
                    await running.stop(site.settings.stop_grace_s)
            await asyncio.wait({following}, timeout=site.settings.destroy_deadline_s)
        if following.done():
            await desk.book.say(f"Debugger: exit code {following.result()}")

    async def _start(self, asked: DebugCommand) -> RunningStep:
        command = await self._command(asked.text)
        unit = f"debug-{self._desk.index}-{asked.id}"
        return await self._site.workspace.start(unit, command, say=self._desk.book.say)

    async def _first_of(self, *waited: "asyncio.Future[Any]") -> None:
        await asyncio.wait([*waited, self._site.stop], return_when=asyncio.FIRST_COMPLETED)

    async def _follow(self, running: RunningStep) -> int:
        async for chunk in running.output():
            await self._desk.book.write(chunk)
        return (await running.wait()).exit_code

    async def _command(self, text: str) -> Command:
        """Make a command that sees what the step sees; in its image where it stands for the step."""
        desk, site = self._desk, self._site
        await site.prepare_volume()
        action = command_beside(desk.step, text, image=site.settings.debug_image, phase=self._phase)
        await site.board.open_stored(desk.step)
        own = site.board.own_variables(desk.step, tries=desk.state.tries)
        own |= await site.kubeconfig.variables(site, desk.scope)
        exports = desk.own_export_file if self._phase == "override" else _LOST_EXPORTS
        if exports:
            own[FILE_VARIABLE] = f"{VOLUME}/{exports}"
            if await site.workspace.read(exports) is None:
                await site.workspace.write(exports, b"", mode=WRITABLE)
        command = freestyle_command(action, desk.scope, own)
        command = await images.with_login(command, action, desk.scope, site)
        if command.login is not None:
            site.board.secrets.add(command.login.password)
        return await site.services.join(desk.step, command)


def command_beside(step: PlannedStep, text: str, *, image: str, phase: Phase) -> RunCommands:
    """Return lines of shell as a step that has the place and the environment of another one.

    Args:
        step: that waits.
        text: lines of shell.
        image: with a shell; that of the step itself is taken in place of it (``override``).
        phase: where the step waits.
    """
    action = step.action
    if not isinstance(action, RunCommands):
        return RunCommands(image=image, commands=(text,))
    found = msgspec.structs.replace(action, commands=(text,), cmd=None, entry_point=None)
    if phase == "override":
        return found
    return msgspec.structs.replace(found, image=image, shell="sh", registry_context=None)  # noqa: S604  # a field


def _utc(waits: Pause) -> str:
    return f"{waits.until:%Y-%m-%d %H:%M:%S} UTC"
