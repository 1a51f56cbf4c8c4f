"""The contract of a runtime: what runs the steps of a build.

Order of calls: `Runtime.open` → `Workspace.start` → `RunningStep.output`, `wait`, `stop` →
`Workspace.destroy`. The conformance suite is `tests/conformance/test_runtime.py`; fake, local,
docker (and later kubernetes) pass it. Statuses, exports and log text are the same on all.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import IO, Literal, Protocol

import msgspec

from headrace.pipeline.compose_ports import Port

VOLUME = "/codefresh/volume"  # where every step sees the build's own volume


class StepCouldNotStart(Exception):
    """No process of the step ever ran (no image, no shell, full disk); the text is for the log."""


class RegistryLogin(msgspec.Struct, frozen=True):
    """Credentials to pull an image from one registry."""

    domain: str
    username: str
    password: str


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What a container of a composition has beyond that of a step.

    It sees the build's volume only where `Command.volumes` of it says so, and runs without the
    build's variables; its `Command.network` is where it is found by its names.
    """

    hosts: tuple[str, ...]  # names by which others on its network reach it, at least one
    own_volumes: tuple[tuple[str, str], ...] = ()  # (name, target): kept among services of a network
    scratch: tuple[str, ...] = ()  # targets that begin empty and go with the container
    tmpfs: Mapping[str, str] = {}  # options by target
    hostname: str = ""
    user: str = ""
    privileged: bool = False
    add_capabilities: tuple[str, ...] = ()
    drop_capabilities: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()  # ``name:address``
    read_only: bool = False
    init: bool = False
    shared_memory_bytes: int = 0  # 0: what the engine gives
    stop_signal: str = ""
    ports: tuple[Port, ...] = ()  # opened on the machine; only of an environment, as `restart`
    restart: str = ""  # when it is started again: ``always``, ``on-failure:3`` …; empty: never


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What one step runs, with every template filled in.

    `script` excludes `entry_point` and `cmd`: it is run by `shell` (``/bin/sh -c`` or
    ``/bin/bash -c``), however long it is. Without all three, the image's defaults run.
    """

    image: str
    script: str | None = None
    shell: Literal["sh", "bash"] = "sh"
    entry_point: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    environment: Mapping[str, str] = {}
    working_directory: str = VOLUME  # absolute; made where missing; "" is the image's own WORKDIR
    volumes: tuple[tuple[str, str], ...] = ()  # (path below the volume, absolute target)
    login: RegistryLogin | None = None
    network: str = ""  # letters, digits, ``-``: another network of the build, made where missing
    stack_of: str = ""  # a started service whose network stack is shared: `localhost` is its own
    service: Service | None = None  # None: a step


class ImageBuild(msgspec.Struct, frozen=True, kw_only=True):
    """An image to be built and pushed, with every template filled in."""

    names: tuple[str, ...]  # full, with tags: ``registry.example.org/acme/app:1.0``; at least one
    context: str = VOLUME  # absolute folder below `VOLUME`
    dockerfile: str = "Dockerfile"  # path below the context
    content: str | None = None  # of the Dockerfile itself, in place of a file
    arguments: Mapping[str, str] = {}
    target: str = ""
    platform: str = ""
    no_cache: bool = False
    cache_from: tuple[str, ...] = ()  # images whose layers may be reused; absent ones are passed over
    last: str = ""  # an earlier image, whose layers are reused where the engine has not made them itself
    inline_cache: bool = False  # write what `cache_from` needs into the image (BuildKit alone)
    buildkit: bool = False
    quiet: bool = False  # print what failed, and nothing else
    secrets: Mapping[str, bytes] = {}  # by id, for ``RUN --mount=type=secret`` (BuildKit alone)
    logins: tuple["RegistryLogin", ...] = ()  # for pulls and pushes, one a domain
    push: bool = False  # every name, after the build


class ImagePush(msgspec.Struct, frozen=True, kw_only=True):
    """An image that exists, to be pushed under other names."""

    candidate: str  # name or id; pulled where it is missing
    names: tuple[str, ...]
    pull_login: "RegistryLogin | None" = None
    push_login: "RegistryLogin | None" = None


class ImageResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an image that was built or pushed."""

    id: str  # ``sha256:…``, of its configuration
    digest: str = ""  # ``sha256:…`` in the registry; empty where it was not pushed
    size_bytes: int = 0
    created_at: datetime | None = None


class StepExit(msgspec.Struct, frozen=True):
    """How a step's process ended."""

    exit_code: int  # 128 + n where signal n killed it, as shells count
    out_of_memory: bool = False


class RunningStep(Protocol):
    """One started step. `stop` and `wait` may be called in any order, `stop` twice."""

    def output(self) -> AsyncIterator[bytes]:
        """Yield what the step prints, stdout and stderr merged, until it ends.

        Called once. Chunks are of any size, as they come: a prompt without a newline arrives
        at once. A step that was adopted after a crash yields everything from its first byte.
        """

    async def wait(self) -> StepExit:
        """Return when the process has ended and its last byte of output was taken."""

    async def stop(self, grace_s: float) -> None:
        """Ask the process group to end, force it after ``grace_s`` seconds, return when it is gone."""


class RunningImage(RunningStep, Protocol):
    """A build or push of an image that was started. `stop` ends it; nothing of it is left running."""

    def result(self) -> ImageResult:
        """Return what came of it. Only after `wait` said exit code 0."""


class Workspace(Protocol):
    """What one build owns: a volume, a network, its steps."""

    async def start(self, step: str, command: Command, *, say: "Say") -> RunningStep:
        """Start a step.

        Args:
            step: name of the step and its attempt, unique in the build; used in labels.
            command: what to run.
            say: takes lines of the runtime itself for the step's log ("Pulling image ...").

        Raises:
            StepCouldNotStart: nothing ran; nothing is left behind.
        """

    async def expect(self, coming: Sequence[tuple[str, Command]]) -> None:
        """Say what will probably be started next, so that it can be made ready; a guess, never a promise.

        What was expected before and is not among it any more is given up. A step that starts is as it
        would be without this call: nothing of it ran before, and what its command says then counts.

        Args:
            coming: (step, command) as of `start`, in order, one at a time; empty: nothing.
        """

    async def start_image(self, step: str, job: ImageBuild | ImagePush, *, say: "Say") -> RunningImage:
        """Start to build or push an image; `step` and `say` as of `start`.

        It ends together with this process: nothing of it is adopted, it is begun again.

        Raises:
            StepCouldNotStart: this runtime has no engine for it, or nothing can be sent to it.
        """

    async def adopt(self, step: str) -> RunningStep | None:
        """Take up a step that another process of ours started before it died.

        None where this runtime cannot, or nothing of it is left: the step is lost then, and
        whatever remained of it has been removed.
        """

    async def clear(self, network: str) -> None:
        """Remove the services that were started on a network, with their own volumes. Safe twice.

        A network other than the build's own is removed, too. No step may run on it any more.
        """

    async def read(self, path: str) -> bytes | None:
        """Return the content of a file in the volume (path relative to it); None if absent."""

    async def write(self, path: str, content: bytes, *, mode: int = 0o644) -> None:
        """Write a file in the volume (path relative to it), making its folders."""

    async def pack(self, path: str, out: IO[bytes], *, most_bytes: int, most_files: int) -> None:
        """Write the files of a folder of the volume, or one file, as a tar; paths begin below the folder.

        No link is followed, and none is packed.

        Args:
            path: relative to the volume; ``""`` is all of it.
            out: takes the tar; it is read from its beginning then.
            most_bytes: of all files together.
            most_files: their number.

        Raises:
            FileNotFoundError: there is nothing at that path; any other `OSError`: it cannot be read.
            TooMuch: there is more than that (`runtimes.volume`).
        """

    async def destroy(self, *, keep_volume: bool) -> None:
        """Stop and remove everything of the build. Safe twice and after a failed start.

        Args:
            keep_volume: keep the volume (the build waits for an approval, or a later one goes on with it).
        """


Wish = Literal["start", "stop", "pause", "unpause"]  # for the services of an environment


class EngineFailed(Exception):
    """An engine did not do what it was asked for; the text says what, for people."""


class LaunchedService(msgspec.Struct, frozen=True, kw_only=True):
    """One service of an environment, as it is found on its engine."""

    name: str
    image: str
    state: Literal["running", "paused", "stopped"]
    exit_code: int | None = None  # only of one that has ended
    ports: Mapping[str, str] = {}  # ``127.0.0.1:32768`` by ``80/tcp``: those that are open


class Environments(Protocol):
    """Services that outlive the build which launched them: an environment, by its id (24 hex digits).

    They are on this machine alone. Every method raises `EngineFailed` where the engine does not
    answer or refuses, and may be called twice, and by several processes at once.
    """

    async def engine(self) -> str:
        """Return what tells this engine from all others, the same after a restart of it."""

    async def launch(self, environment_id: str, services: Mapping[str, Command], *, say: "Say") -> None:
        """Start services in their order, on a network of their own.

        Args:
            environment_id: of the environment, which does not exist yet.
            services: by name, each with `Command.service`; `Command.network` and the volumes of a
                build mean nothing here.
            say: as of `Workspace.start`.

        Raises:
            StepCouldNotStart: one of them did not start. Call `remove` then.
        """

    async def found(self) -> Mapping[str, tuple[LaunchedService, ...]]:
        """Return all environments on this engine, by their ids, with their services by name.

        One of which only a network or a volume is left has no services.
        """

    async def change(self, environment_id: str, wish: Wish) -> None:
        """Start, stop, pause or go on with all services of an environment; those that are so stay so."""

    async def remove(self, environment_id: str) -> None:
        """Remove all services of an environment, with their volumes and their network."""


class Say(Protocol):
    """Takes one line of text for the log of the step that is being started."""

    async def __call__(self, line: str) -> None:
        """Store the line, masked, without waiting for the step."""


class Runtime(Protocol):
    """Makes workspaces. One object serves all builds of a worker, at the same time."""

    name: str
    adopts: bool  # whether started steps outlive this process, so that `Workspace.adopt` finds them
    starts_ahead: bool  # whether `Workspace.expect` does anything

    @property
    def environments(self) -> Environments | None:
        """What can outlive a build here; None where nothing can."""

    async def open(self, build_id: str, *, volume: str = "") -> Workspace:
        """Return the workspace of a build: a new one, or what is left of it after a restart.

        Args:
            build_id: 24 hex digits.
            volume: id of a volume that a build before kept: the id of the build which made it.
                It is waited for until that build has let go of it, and made, empty, where it is
                gone. Empty: one of the build's own.
        """

    async def builds(self) -> frozenset[str]:
        """Return the ids of the builds that have anything on this machine, but for volumes."""

    async def volumes(self) -> Mapping[str, int]:
        """Return the volumes on this machine: their sizes in bytes by id, 0 where that is not known."""

    async def sweep(self, builds: frozenset[str], volumes: frozenset[str] = frozenset()) -> None:
        """Remove all that these builds left behind on this machine, and these volumes.

        Take the ids from `builds` and `volumes` and leave out those that live *then*: asked the
        other way round, a build that begins in between would lose what it has.
        """

    async def close(self) -> None:
        """Release connections. Workspaces that are still open are left as they are."""
