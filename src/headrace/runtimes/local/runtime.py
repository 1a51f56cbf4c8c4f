"""The local runtime: a folder per build, a bubblewrap process per step.

A step cannot be adopted after a crash: the kernel ends its processes together with the server.
"""

import asyncio
import contextlib
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import IO, NoReturn

import msgspec

from headrace.runtimes import volume
from headrace.runtimes.base import VOLUME, Command, ImageBuild, ImagePush, Say, StepCouldNotStart
from headrace.runtimes.local.guard import Guard
from headrace.runtimes.local.leftovers import end_processes
from headrace.runtimes.local.process import STARTED_FD, LocalStep, start_process
from headrace.runtimes.local.sandbox import HOME, PATH, prefix

_ANNOUNCE = f"echo >&{STARTED_FD};exec {STARTED_FD}>&-;"
_PLAIN = (
    'command -v "$1" >/dev/null || { echo "headrace: there is no program $1 on this machine"; exit 127; };'
    f'{_ANNOUNCE}exec "$@"'
)
_SCRIPT = "/codefresh/script"
_LONGEST_ARGUMENT_BYTES = 128 * 1024 - 1  # the kernel's limit for one argument or variable

NO_CONTAINERS = (
    "services and compositions are containers on a network of their own, which the local runtime does "
    "without; start the server with --runtime docker"
)


class LocalSettings(msgspec.Struct, frozen=True):
    """What the local runtime may be told."""

    hidden: tuple[Path, ...] = ()  # folders that steps find empty: the server's data, with its keys


class LocalWorkspace:
    """What one build owns: a folder, its volume, and its processes."""

    def __init__(self, folder: Path, volume_folder: Path, hidden: tuple[str, ...], guard: Guard) -> None:
        self._folder = folder
        self._guard = guard
        self._volume = volume_folder
        self._hidden = hidden
        self._steps: set[LocalStep] = set()

    async def start(self, step: str, command: Command, *, say: Say) -> LocalStep:
        """Start a step as a process of this machine; see `base.Workspace.start`."""
        if command.service is not None or command.network or command.stack_of:
            raise StepCouldNotStart(NO_CONTAINERS)
        await say(f"Running on this machine, without image {command.image!r} (local runtime)")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._volume.mkdir(parents=True, exist_ok=True)
            self._guard.watch()
            arguments = [*prefix(self._hidden), "--bind", str(self._volume), VOLUME]
            arguments += [*self._volumes(command), *self._working_directory(command)]
            arguments += self._program(step, command)
        except OSError as error:
            raise StepCouldNotStart(
                f"{error.strerror}: {error.filename or self._folder}; "
                "see that the data folder has space left and belongs to this user"
            ) from error
        except ValueError as error:
            raise StepCouldNotStart(str(error)) from error
        environment = {"PATH": PATH, "HOME": HOME, **command.environment}
        _refuse_what_no_process_takes(environment)
        started = await start_process(arguments, environment, name=self._guard.name_of(self._folder))
        self._steps = {other for other in self._steps if other.is_running} | {started}
        return started

    def _volumes(self, command: Command) -> list[str]:
        targets = {VOLUME}
        arguments = []
        for source, target in command.volumes:
            place = str(PurePosixPath(target))
            if place in targets:
                raise ValueError(f"Duplicate mount point: {place}")
            targets.add(place)
            volume.make_source(self._volume, source)
            arguments += ["--bind", str(self._volume.joinpath(*volume.parts(source))), place]
        return arguments

    def _working_directory(self, command: Command) -> list[str]:
        place = command.working_directory
        if not place:  # there is no image to ask; images that say nothing start in the root
            return ["--chdir", "/"]
        if place == VOLUME:
            return ["--chdir", place]
        if place.startswith(f"{VOLUME}/"):
            # A link or a file in the way is for `chdir` to judge, inside the view.
            with contextlib.suppress(OSError):
                volume.make_folder(self._volume, place.removeprefix(VOLUME))
            return ["--chdir", place]
        return ["--dir", place, "--chdir", place]

    def _program(self, step: str, command: Command) -> list[str]:
        """Return the last arguments: where a long script is, and what is run."""
        if command.script is None:
            return self._plain_program(command)
        shell = f"/bin/{command.shell}"
        if not os.path.exists(shell):  # noqa: PTH110 - on the path of every step
            raise ValueError(f"there is no {shell} on this machine; install it or choose another shell")
        script = f"{_ANNOUNCE}{command.script}"
        if len(script.encode()) <= _LONGEST_ARGUMENT_BYTES:
            return ["--", shell, "-c", script]
        name = f"scripts/{step.replace('/', '_')}.sh"
        volume.write(self._folder, name, script.encode(), 0o644)
        return ["--ro-bind", str(self._folder / name), _SCRIPT, "--", shell, "-c", f". {_SCRIPT}"]

    def _plain_program(self, command: Command) -> list[str]:
        words = [*(command.entry_point or ()), *(command.cmd or ())]
        if not words:
            raise ValueError(
                f"image {command.image!r} is not pulled by the local runtime, so its own command is "
                "not known; give the step 'commands' or 'cmd'"
            )
        return ["--", "/bin/sh", "-c", _PLAIN, "sh", *words]

    async def start_image(self, step: str, job: ImageBuild | ImagePush, *, say: Say) -> NoReturn:  # noqa: ARG002
        """Refuse: images are made by an engine, and this runtime has none."""
        what = "built" if isinstance(job, ImageBuild) else "pushed"
        raise StepCouldNotStart(
            f"images are {what} by a Docker engine, which the local runtime does without; "
            "start the server with --runtime docker"
        )

    async def expect(self, coming: Sequence[tuple[str, Command]]) -> None:
        """Nothing: a process starts in a millisecond."""

    async def adopt(self, step: str) -> None:  # noqa: ARG002 - the contract's shape
        """Remove what a crash may have left running; nothing can be taken up again."""
        await asyncio.to_thread(end_processes, str(self._folder), {own.pid for own in self._steps})

    async def clear(self, network: str) -> None:
        """No service ever runs here."""

    async def read(self, path: str) -> bytes | None:
        """Return a file of the volume; None if there is none, or only a symbolic link."""
        return volume.read(self._volume, path)

    async def write(self, path: str, content: bytes, *, mode: int = 0o644) -> None:
        """Write a file of the volume, making its folders."""
        self._volume.mkdir(parents=True, exist_ok=True)
        volume.write(self._volume, path, content, mode)

    async def pack(self, path: str, out: IO[bytes], *, most_bytes: int, most_files: int) -> None:
        """Write a folder of the volume, or a file, as a tar; see `base.Workspace.pack`."""
        await asyncio.to_thread(
            volume.pack_whole, self._volume, path, out, most_bytes=most_bytes, most_files=most_files
        )

    async def destroy(self, *, keep_volume: bool) -> None:
        """End all processes at once and remove the build's folder, and its volume unless it is kept."""
        steps, self._steps = self._steps, set()
        for running in steps:
            await running.abandon()
        removed = [self._folder] if keep_volume else [self._folder, self._volume]
        for folder in removed:
            await asyncio.to_thread(volume.remove_tree, folder)


class LocalRuntime:
    """Runs steps on this machine; fills `base.Runtime`.

    Args:
        root: folder of this runtime alone; holds a folder per build, and `volumes`. One server at
            a time.
        settings: see `LocalSettings`; `root` itself is always hidden from steps.
    """

    name = "local"
    environments = None  # there are no containers
    adopts = False  # the kernel ends the steps together with the server
    starts_ahead = False

    def __init__(self, root: Path, settings: LocalSettings | None = None) -> None:
        self._root = root.absolute()
        self._volumes = self._root / "volumes"
        hidden = {self._root, *(path.absolute() for path in (settings or LocalSettings()).hidden)}
        # A folder below a hidden one is hidden already, and no longer there to be covered.
        self._hidden = tuple(sorted(str(path) for path in hidden if not hidden & {*path.parents}))
        self._guard = Guard(self._root)

    async def open(self, build_id: str, *, volume: str = "") -> LocalWorkspace:
        """Return the workspace of a build; its folders are made when a step or a file needs them."""
        kept = self._volumes / (volume or build_id)
        return LocalWorkspace(self._root / build_id, kept, self._hidden, self._guard)

    async def builds(self) -> frozenset[str]:
        """Return the builds that have a folder."""
        return _names_in(self._root) - {self._volumes.name}

    async def volumes(self) -> dict[str, int]:
        """Return the sizes of all volumes."""
        names = sorted(_names_in(self._volumes))
        return {name: await asyncio.to_thread(volume.size_bytes, self._volumes / name) for name in names}

    async def sweep(self, builds: frozenset[str], volumes: frozenset[str] = frozenset()) -> None:
        """End the processes of these builds and remove their folders, and these volumes."""
        await asyncio.to_thread(self._sweep, builds, volumes)

    def _sweep(self, builds: frozenset[str], volumes: frozenset[str]) -> None:
        for build_id in builds:
            folder = self._root / build_id
            end_processes(str(folder), set())
            volume.remove_tree(folder)
        for name in volumes:
            volume.remove_tree(self._volumes / name)

    async def close(self) -> None:
        """End the guard; the steps were ended before."""
        self._guard.close()


def _names_in(folder: Path) -> frozenset[str]:
    return frozenset(below.name for below in folder.iterdir()) if folder.is_dir() else frozenset()


def _refuse_what_no_process_takes(environment: dict[str, str]) -> None:
    for name, value in environment.items():
        if len(name.encode()) + len(value.encode()) + 1 > _LONGEST_ARGUMENT_BYTES:
            raise StepCouldNotStart(
                f"variable {name!r} is longer than a process can be given (128 KiB); use a file"
            )
        if "\0" in value:
            raise StepCouldNotStart(f"variable {name!r} has a NUL byte, which no process can be given")
