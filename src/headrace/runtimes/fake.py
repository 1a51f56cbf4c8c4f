"""A runtime in memory: every step in milliseconds, every failure on request.

A step obeys its environment, so that a failure case is a YAML file and not Python:

| variable | effect |
|---|---|
| `FAKE_START_FAILS` | the step cannot start; the value is the reason |
| `FAKE_OUTPUT` | is printed first, as it is |
| `FAKE_SLEEP_S` | the step takes that long, by the clock that was passed in |
| `FAKE_EXIT_CODE` | the exit code, whatever the script says |
| `FAKE_OOM` | the step is killed for memory (exit code 137) |

A service runs its own words as a script and ends; without any it runs until it is stopped, or ends at
once with its `FAKE_EXIT_CODE`. Scripts are read by `fake_script`: enough of a shell for scenario tests
to mean what they say.
"""

import asyncio
import errno
import hashlib
import io
import os
from collections.abc import AsyncIterator, Sequence
from typing import IO, Protocol

from headrace.kit.clock import SystemClock
from headrace.runtimes import volume
from headrace.runtimes.base import (
    Command,
    ImageBuild,
    ImagePush,
    ImageResult,
    Say,
    StepCouldNotStart,
    StepExit,
)
from headrace.runtimes.fake_environments import FakeEnvironments
from headrace.runtimes.fake_script import Script, missing_shell, served

OUT_OF_MEMORY = 137
ASKED_TO_END = 143
FORCED_TO_END = 137


class Sleeper(Protocol):
    """The part of a clock that the fake needs."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class FakeProcess:
    """What a started step is; it lives on when the worker that started it dies."""

    def __init__(self, command: Command, files: dict[str, bytes], clock: Sleeper) -> None:
        self.printed = bytearray()
        self.ignores_term = False
        self._command = command
        self._files = files
        self._clock = clock
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._run())
        self._forced: StepExit | None = None

    async def _run(self) -> StepExit:
        environment = self._command.environment
        if output := environment.get("FAKE_OUTPUT"):
            self.print(output.encode())
        code = 0
        script = served(self._command) if self._command.service else self._command.script
        if script is not None:
            code = await Script(self, self._command, self._files).run(script)
        elif self._command.service and "FAKE_EXIT_CODE" not in environment:
            await asyncio.Event().wait()  # until somebody stops it
        await self.sleep(float(environment.get("FAKE_SLEEP_S", "0")))
        if environment.get("FAKE_OOM", "") not in ("", "0", "false"):
            return StepExit(OUT_OF_MEMORY, out_of_memory=True)
        return StepExit(int(environment.get("FAKE_EXIT_CODE", code)))

    def print(self, data: bytes) -> None:
        """Add to the step's output."""
        self.printed += data
        self._news.set()

    async def sleep(self, seconds: float) -> None:
        """Let the others run, and time pass by the clock."""
        await (self._clock.sleep(seconds) if seconds > 0 else asyncio.sleep(0))

    @property
    def ended(self) -> StepExit | None:
        """How the step ended; None while it runs."""
        return (self._forced or self._task.result()) if self._task.done() else None

    async def exit(self) -> StepExit:
        """Return how the step ended, once it has."""
        await asyncio.wait([self._task])
        return self._forced or self._task.result()

    async def kill(self, code: int) -> None:
        """End the step, where it still runs."""
        if not self._task.done():
            self._forced = self._forced or StepExit(code)
            self._task.cancel()
            await asyncio.wait([self._task])

    async def output(self) -> AsyncIterator[bytes]:
        """Yield everything from the first byte, until the step has ended."""
        taken = 0
        while True:
            if taken < len(self.printed):
                chunk = bytes(self.printed[taken:])
                taken += len(chunk)
                yield chunk
            elif self._task.done():
                return
            else:
                self._news.clear()
                news = asyncio.ensure_future(self._news.wait())
                try:
                    await asyncio.wait([self._task, news], return_when=asyncio.FIRST_COMPLETED)
                finally:
                    news.cancel()


class FakeStep:
    """One started step of the fake; fills `base.RunningStep`."""

    def __init__(self, process: FakeProcess, clock: Sleeper) -> None:
        self._process = process
        self._clock = clock

    def output(self) -> AsyncIterator[bytes]:
        """Yield what the step prints until it ends."""
        return self._process.output()

    async def wait(self) -> StepExit:
        """Return how the step ended, once it has."""
        return await self._process.exit()

    async def stop(self, grace_s: float) -> None:
        """End the step; one that ignores the request (``trap '' TERM``) lives for the grace time."""
        if not self._process.ignores_term:
            await self._process.kill(ASKED_TO_END)
            return
        grace = asyncio.ensure_future(self._clock.sleep(grace_s))
        ended = asyncio.ensure_future(self._process.exit())
        try:
            await asyncio.wait([grace, ended], return_when=asyncio.FIRST_COMPLETED)
        finally:
            grace.cancel()
            ended.cancel()
        await self._process.kill(FORCED_TO_END)


class FakeImageStep(FakeStep):
    """A build or push of the fake; fills `base.RunningImage`."""

    def __init__(self, process: FakeProcess, clock: Sleeper, result: ImageResult) -> None:
        super().__init__(process, clock)
        self._result = result

    def result(self) -> ImageResult:
        """Return what came of it."""
        return self._result


class FakeWorkspace:
    """What one build owns in the fake: files by their path in the volume, and processes."""

    def __init__(self, build_id: str, clock: Sleeper, files: dict[str, bytes] | None = None) -> None:
        self.build_id = build_id
        self.files: dict[str, bytes] = {} if files is None else files
        self.commands: dict[str, Command] = {}  # what was started, by step, in order
        self.processes: dict[str, FakeProcess] = {}
        self.jobs: dict[str, ImageBuild | ImagePush] = {}  # images that were built or pushed, by step
        self.expected: dict[str, Command] = {}  # by step
        self.guesses: list[dict[str, Command]] = []  # everything that was ever expected, in order
        self.adoptable = True
        self.destroyed = False
        self._clock = clock

    async def start(self, step: str, command: Command, *, say: Say) -> FakeStep:
        """Start a step; `FAKE_START_FAILS` and shells other than sh and bash prevent it."""
        if reason := command.environment.get("FAKE_START_FAILS"):
            raise StepCouldNotStart(reason)
        if lacking := missing_shell(command):
            raise StepCouldNotStart(lacking)
        if command.stack_of and command.stack_of not in self.processes:
            raise StepCouldNotStart("the service that holds the shared network has ended; see its log")
        await say(f"Running {command.image} in memory")
        self.commands[step] = command
        self.expected.pop(step, None)
        self.destroyed = False
        self.processes[step] = FakeProcess(command, self.files, self._clock)
        return FakeStep(self.processes[step], self._clock)

    async def start_image(self, step: str, job: ImageBuild | ImagePush, *, say: Say) -> FakeImageStep:
        """Start to build or push; a build obeys its arguments as a step its environment."""
        told = dict(job.arguments) if isinstance(job, ImageBuild) else {}
        if reason := told.get("FAKE_START_FAILS"):
            raise StepCouldNotStart(reason)
        names = ", ".join(job.names)
        await say(f"{'Building' if isinstance(job, ImageBuild) else 'Pushing'} {names} in memory")
        self.jobs[step] = job
        self.destroyed = False
        process = FakeProcess(Command(image="", environment=told), self.files, self._clock)
        self.processes[step] = process
        made = job.candidate if isinstance(job, ImagePush) else f"{names} {sorted(told.items())}"
        number = hashlib.sha256(made.encode()).hexdigest()
        pushed = isinstance(job, ImagePush) or job.push
        result = ImageResult(id=f"sha256:{number}", digest=f"sha256:{number[::-1]}" if pushed else "")
        return FakeImageStep(process, self._clock, result)

    async def expect(self, coming: Sequence[tuple[str, Command]]) -> None:
        """Take note of what is expected; whether it comes makes no difference here."""
        self.expected = dict(coming)
        self.guesses.append(dict(coming))

    async def adopt(self, step: str) -> FakeStep | None:
        """Take up a step again; None where `adoptable` is off, as on the local runtime."""
        process = self.processes.get(step)
        if process is None:
            return None
        if not self.adoptable or step in self.jobs:
            await process.kill(FORCED_TO_END)
            del self.processes[step]
            return None
        return FakeStep(process, self._clock)

    async def clear(self, network: str) -> None:
        """End the services of a network, and what runs beside them on one of their own."""
        for step, process in list(self.processes.items()):
            command = self.commands.get(step)
            if command and command.network == network and (network or command.service):
                await process.kill(FORCED_TO_END)
                del self.processes[step]

    async def read(self, path: str) -> bytes | None:
        """Return a file of the volume; None if absent."""
        return self.files.get(path.lstrip("/"))

    async def write(self, path: str, content: bytes, *, mode: int = 0o644) -> None:  # noqa: ARG002
        """Write a file of the volume; files of the fake have no mode."""
        self.files[path.lstrip("/")] = content

    async def pack(self, path: str, out: IO[bytes], *, most_bytes: int, most_files: int) -> None:
        """Write files as a tar; see `base.Workspace.pack`."""
        name = "/".join(volume.parts(path))
        packing = volume.Packing(out, most_bytes=most_bytes, most_files=most_files)
        found = {key: key.removeprefix(f"{name}/" if name else "") for key in self.files}
        found = {key: below for key, below in found.items() if below != key or not name}
        if name in self.files:
            found = {name: name.rpartition("/")[2]}
        if not found:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        for key, below in sorted(found.items()):
            packing.add(below, len(self.files[key]), io.BytesIO(self.files[key]))
        packing.close()

    async def destroy(self, *, keep_volume: bool) -> None:
        """End the steps, and drop the files unless they are to be kept."""
        self.destroyed = True
        self.expected = {}
        for process in self.processes.values():
            await process.kill(FORCED_TO_END)
        self.processes.clear()
        if not keep_volume:
            self.files.clear()


class FakeRuntime:
    """Runs steps in memory; fills `base.Runtime`.

    `workspaces` (by build id) stay readable after `destroy`, for tests to look at; `files` are the
    volumes by id. The object stands for the machine: hand the same one to a second worker to play
    a crash.
    """

    name = "fake"
    adopts = True
    starts_ahead = True  # it takes note of what it is told

    def __init__(self, clock: Sleeper | None = None) -> None:
        self.workspaces: dict[str, FakeWorkspace] = {}
        self.files: dict[str, dict[str, bytes]] = {}
        self._clock = clock or SystemClock()
        self.environments = FakeEnvironments(
            lambda command: FakeProcess(command, {}, self._clock), stopped=ASKED_TO_END
        )

    async def open(self, build_id: str, *, volume: str = "") -> FakeWorkspace:
        """Return the workspace of a build: a new one, or the one that is there."""
        if build_id not in self.workspaces:
            files = self.files.setdefault(volume or build_id, {})
            self.workspaces[build_id] = FakeWorkspace(build_id, self._clock, files)
        return self.workspaces[build_id]

    async def builds(self) -> frozenset[str]:
        """Return the builds that have a workspace."""
        return frozenset(self.workspaces)

    async def volumes(self) -> dict[str, int]:
        """Return the sizes of all volumes."""
        return {name: sum(map(len, files.values())) for name, files in self.files.items()}

    async def sweep(self, builds: frozenset[str], volumes: frozenset[str] = frozenset()) -> None:
        """Destroy the workspaces of these builds, and these volumes."""
        for build_id in builds & self.workspaces.keys():
            await self.workspaces[build_id].destroy(keep_volume=True)
        for name in volumes & self.files.keys():
            self.files.pop(name).clear()

    async def close(self) -> None:
        """Nothing to release."""
