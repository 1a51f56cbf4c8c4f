"""The Docker runtime: a network and a volume per build, a container per step.

Every object carries labels (`io.headrace.installation`, `.build`, `.step`): they are how a new
process finds what an old one left, and how two servers on one engine leave each other alone.
"""

import asyncio
import json
import os
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any
from weakref import WeakValueDictionary

import aiohttp
import msgspec
from aiodocker import Docker
from aiodocker.containers import DockerContainer
from aiodocker.exceptions import DockerError

from headrace.runtimes import volume
from headrace.runtimes.base import (
    VOLUME,
    Command,
    ImageBuild,
    ImagePush,
    Say,
    StepCouldNotStart,
)
from headrace.runtimes.docker import gate
from headrace.runtimes.docker.ahead import Ahead
from headrace.runtimes.docker.environments import DockerEnvironments
from headrace.runtimes.docker.errors import reason
from headrace.runtimes.docker.files import VolumeOnDisk, put_files
from headrace.runtimes.docker.images import DockerImageStep, ImageEngine
from headrace.runtimes.docker.lanes import Hands
from headrace.runtimes.docker.pulls import made_with_image
from headrace.runtimes.docker.removal import ignore_missing, remove_labelled
from headrace.runtimes.docker.rooms import Passage, Rooms
from headrace.runtimes.docker.services import NETWORK_LABEL, adapt, is_ordinary, labels_of, own_words
from headrace.runtimes.docker.step import DockerStep, EngineLog
from headrace.runtimes.docker.volumes import LABEL as VOLUME_LABEL
from headrace.runtimes.docker.volumes import EngineVolume, sizes
from headrace.runtimes.docker.volumes import remove as remove_volume

_API = "v1.41"
_LABEL = "io.headrace"
_INSTALLATION = f"{_LABEL}.installation"
_LONGEST_ARGUMENT_BYTES = 128 * 1024 - 1
_SCRIPT = "headrace-script"
# Shells replace themselves by their last command, and a first process without a handler never
# hears TERM; with a trap the shell stays and answers. A script may set its own.
_ANSWERS_TERM = "trap 'exit 143' TERM;"
_HOST_NAME = "host.docker.internal"


class DockerSettings(msgspec.Struct, frozen=True):
    """What the Docker runtime may be told."""

    host: str = "unix:///var/run/docker.sock"  # or tcp://host:port
    installation: str = "default"  # labels what is ours; differs between servers on one engine
    logins: Path = Path("~/.docker/config.json")  # what `docker login` stores, for pulls
    ahead: bool = True  # start containers before their steps' turn
    environment_address: str = "127.0.0.1"  # where ports of environments are opened


class DockerWorkspace:
    """What one build owns on the engine."""

    def __init__(
        self, docker: Docker, settings: DockerSettings, build_id: str, volume: str, rooms: Rooms
    ) -> None:
        installation = settings.installation
        self._docker = docker
        self._logins = settings.logins.expanduser()
        self._base = f"{_http(settings.host)}/{_API}"
        self._labels = {_INSTALLATION: installation, f"{_LABEL}.build": build_id}
        self._name = f"headrace-{installation}-{build_id}"
        self._disk = self._own_volume(volume or build_id)
        self.left: asyncio.Event | None = None  # set when `destroy` is done, there while it works
        self._network: asyncio.Task[None] | None = None
        self._current: dict[str, DockerStep] = {}
        self._removals: set[asyncio.Task[None]] = set()
        self._images = ImageEngine(docker, host=settings.host, base=self._base, logins=self._logins)
        self._jobs: set[DockerImageStep] = set()
        hands = Hands(self._made, self._remove_later, self._plain_config, self._make_network, self._log)
        self._ahead = Ahead(docker, hands, rooms.places, most=rooms.networks)
        self._door = rooms.door
        self._due = 0  # steps that wait before the door

    def _log(self, container: DockerContainer, mark: str = "") -> EngineLog:
        return EngineLog(self._docker, self._base, container.id, mark and f"{mark}:{gate.BEGUN}")

    def _plain_config(self, step: str, command: Command) -> dict[str, Any]:
        return self._config(step, command, [])

    def _own_volume(self, volume_id: str) -> EngineVolume:
        installation = self._labels[_INSTALLATION]
        labels = {_INSTALLATION: installation, VOLUME_LABEL: volume_id}
        return EngineVolume(self._docker, self._base, f"headrace-{installation}-{volume_id}", labels)

    def _make_network(self) -> asyncio.Task[None]:
        """Begin to make the network, once; a container can be made meanwhile, not started."""
        if self._network is None or _has_failed(self._network):
            self._network = asyncio.create_task(self._network_is_there())
            self._network.add_done_callback(_has_failed)  # whoever waits for it tells the reason
        return self._network

    async def _network_is_there(self) -> None:
        found = await self._docker.networks.list(filters={"name": [f"^{self._name}$"]})
        if not found:
            await self._docker.networks.create({"Name": self._name, "Labels": self._labels})

    async def start(self, step: str, command: Command, *, say: Say) -> DockerStep:
        """Start a container, or give one its turn that waits; see `base.Workspace.start`."""
        running = await self._ahead.take(step, command) or await self._passed(step, command, say)
        self._forget_ended(step, running)
        return running

    async def _passed(self, step: str, command: Command, say: Say) -> DockerStep:
        """Start a step at its turn, among few others of this engine."""
        self._due += 1
        try:
            passage = await self._door.enter()
        finally:
            self._due -= 1
        try:
            if await self._is_on_disk():
                running = await self._ahead.at_once(step, command, due=self._due)
                if running is not None:
                    return running
            return await self._started(step, command, say, passage)
        finally:
            passage.leave()

    async def _is_on_disk(self) -> bool:
        """Whether files reach the volume straight; elsewhere the newest container gets them, unstarted."""
        try:
            return isinstance(await self._disk.files(), VolumeOnDisk)
        except (DockerError, aiohttp.ClientError, OSError):
            return False  # the step that starts says so

    async def expect(self, coming: Sequence[tuple[str, Command]]) -> None:
        """Start containers for what comes next; see `base.Workspace.expect`."""
        if not coming or await self._is_on_disk():
            self._ahead.expect(coming)

    async def let_go(self) -> None:
        """Leave everything as it is, but what waits for its turn: only this process can give it."""
        await self._ahead.let_go()

    async def _started(self, step: str, command: Command, say: Say, passage: Passage) -> DockerStep:
        async def pulling(line: str) -> None:
            passage.leave()  # a pull may take long, and the engine does little for it
            await say(line)

        try:
            network = self._make_network()
            files = await self._disk.files()
            container = await self._create(step, command, pulling)
        except (DockerError, aiohttp.ClientError, OSError, ValueError) as error:
            raise StepCouldNotStart(reason(error)) from error
        stream = container.attach(stdout=True, stderr=True)
        running = DockerStep(container, stream, self._log(container))
        try:
            if command.service is None:
                await files.use(container)
            if command.script is not None and _is_long(command.script):
                await put_files(container, "/", {_SCRIPT: (_script(command).encode(), 0o644)})
            await running.attach()
            await asyncio.shield(network)  # was being made all the while; others wait for it, too
            await container.start()
        except (DockerError, aiohttp.ClientError, OSError) as error:
            await running.detach()
            await ignore_missing(container.delete(force=True, v=True))
            raise StepCouldNotStart(reason(error)) from error
        except asyncio.CancelledError:
            await running.detach()
            # The engine may be starting it at this moment: until it is gone, the step has not ended.
            await asyncio.wait({self._remove_later(container)})
            raise
        return running

    async def start_image(
        self,
        step: str,  # noqa: ARG002 - nothing of it has a name
        job: ImageBuild | ImagePush,
        *,
        say: Say,
    ) -> DockerImageStep:
        """Start to build or push an image; see `base.Workspace.start_image`."""
        if isinstance(job, ImageBuild):
            await say(
                f"Building image {job.names[0]} with {'BuildKit' if job.buildkit else 'the classic builder'}"
            )
        try:
            running = await self._images.start(job, await self._disk.files())
        except (DockerError, aiohttp.ClientError, OSError) as error:
            raise StepCouldNotStart(reason(error)) from error
        self._jobs = {other for other in self._jobs if not other.has_ended} | {running}
        return running

    def _forget_ended(self, step: str, running: DockerStep) -> None:
        """Remove containers whose end was taken, while the new one runs."""
        for other, ended in list(self._current.items()):
            if ended.has_ended:
                del self._current[other]
                self._remove_later(ended.container)
        self._current[step] = running

    def _remove_later(self, container: DockerContainer) -> asyncio.Task[None]:
        task = asyncio.create_task(ignore_missing(container.delete(force=True, v=True)))
        self._removals.add(task)
        task.add_done_callback(self._removals.discard)
        return task

    async def _create(self, step: str, command: Command, say: Say) -> DockerContainer:
        config = self._config(step, command, [await self._bind(*each) for each in command.volumes])
        if not is_ordinary(command):
            await adapt(self._docker, config, command, name=self._name, labels=self._labels)
        return await made_with_image(
            lambda: self._made(config), self._docker, command, logins=self._logins, say=say
        )

    async def _made(self, config: Mapping[str, Any]) -> DockerContainer:
        """Make a container. The engine makes it also for a caller that is cancelled: then it is removed."""
        making = asyncio.ensure_future(self._docker.containers.create(config))
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            await asyncio.wait({making})
            if making.exception() is None:
                await asyncio.wait({self._remove_later(making.result())})
            raise

    def _config(self, step: str, command: Command, binds: list[str]) -> dict[str, Any]:
        config: dict[str, Any] = {
            "Image": command.image,
            "Env": [f"{name}={value}" for name, value in command.environment.items()],
            "Labels": {**self._labels, f"{_LABEL}.step": step},
            "AttachStdout": True,
            "AttachStderr": True,
            "HostConfig": {
                "NetworkMode": self._name,
                "Mounts": [{"Type": "volume", "Source": self._disk.name, "Target": VOLUME}],
                "Binds": binds,
                "ExtraHosts": [f"{_HOST_NAME}:host-gateway"],
                # What an adopted step printed is read again from here, whole.
                "LogConfig": {"Type": "json-file", "Config": {}},
            },
        }
        if command.working_directory:
            config["WorkingDir"] = command.working_directory
        if command.script is not None:
            text = f". /{_SCRIPT}" if _is_long(command.script) else _script(command)
            config["Entrypoint"] = [f"/bin/{command.shell}"]
            config["Cmd"] = ["-c", text]
            return config
        return config | own_words(command)

    async def _bind(self, source: str, target: str) -> str:
        """Return a folder of the volume at another place, in the engine's form."""
        files = await self._disk.files()
        await files.make_source(source)
        return f"{'/'.join([self._disk.mountpoint, *volume.parts(source)])}:{target}"

    async def adopt(self, step: str) -> DockerStep | None:
        """Take up the container that an earlier process started; None if it never started."""
        wanted = {**self._labels, f"{_LABEL}.step": step}
        found = await self._docker.containers.list(all=1, filters=json.dumps(_by_labels(wanted)))
        adopted, is_service = None, False
        for container in found:
            shown = await container.show()
            labels = shown["Config"]["Labels"]
            state, is_service = shown["State"], NETWORK_LABEL in labels
            log = self._log(container, labels.get(gate.LABEL, ""))
            if (
                adopted is None
                and state["Status"] in ("running", "exited", "paused")
                and (gate.LABEL not in labels or await log.has_mark())  # else its turn never came
            ):
                adopted = DockerStep(container, None, log)
            else:
                await ignore_missing(container.delete(force=True, v=True))
        if adopted is not None:
            files = await self._disk.files()
            if not is_service:  # a service may have no volume to look into
                await files.use(adopted.container)
            self._current[step] = adopted
        return adopted

    async def clear(self, network: str) -> None:
        """Remove the services of a network; see `base.Workspace.clear`."""
        await remove_labelled(self._docker, _by_labels({**self._labels, **labels_of(network)}))

    async def read(self, path: str) -> bytes | None:
        """Return a file of the volume; None if there is none."""
        return await (await self._disk.files()).read(path)

    async def write(self, path: str, content: bytes, *, mode: int = 0o644) -> None:
        """Write a file of the volume, making its folders."""
        self._make_network()
        await (await self._disk.files()).write(path, content, mode)

    async def pack(self, path: str, out: IO[bytes], *, most_bytes: int, most_files: int) -> None:
        """Write a folder of the volume, or a file, as a tar; see `base.Workspace.pack`."""
        try:
            await (await self._disk.files()).pack_files(path, out, most_bytes, most_files)
        except (DockerError, aiohttp.ClientError, tarfile.TarError) as error:
            raise OSError(reason(error)) from error

    async def destroy(self, *, keep_volume: bool) -> None:
        """Remove containers and network of the build, and its volume unless it is kept."""
        left = self.left = asyncio.Event()
        try:
            await self._destroy(keep_volume=keep_volume)
        finally:
            left.set()

    async def _destroy(self, *, keep_volume: bool) -> None:
        if self._network is not None:
            await asyncio.gather(self._network, return_exceptions=True)
        await asyncio.gather(*(job.stop(0) for job in self._jobs), self._ahead.settle())
        await self._disk.settle()
        await asyncio.gather(*self._removals)
        await remove_labelled(self._docker, _by_labels(self._labels))
        for running in self._current.values():
            await running.abandon()
        self._current.clear()
        self._network = None
        if not keep_volume:
            await self._disk.remove()


class DockerRuntime:
    """Runs steps on a Docker Engine; fills `base.Runtime`."""

    name = "docker"
    adopts = True  # containers run on without this process

    def __init__(self, settings: DockerSettings | None = None) -> None:
        self._settings = settings or DockerSettings()
        self.starts_ahead = self._settings.ahead
        self._client: Docker | None = None
        self._rooms = Rooms.of(os.cpu_count() or 1, ahead=self._settings.ahead)
        self.environments = DockerEnvironments(
            self._docker,
            installation=self._settings.installation,
            logins=self._settings.logins.expanduser(),
            address=self._settings.environment_address,
        )
        self._holders: WeakValueDictionary[str, DockerWorkspace] = WeakValueDictionary()  # by volume

    def _docker(self) -> Docker:
        """The connection; made when a loop runs."""
        if self._client is None:
            self._client = Docker(self._settings.host, api_version=_API)
        return self._client

    async def open(self, build_id: str, *, volume: str = "") -> DockerWorkspace:
        """Return the workspace of a build; nothing is made on the engine yet."""
        earlier = self._holders.get(volume)
        if earlier is not None and earlier.left is not None:
            await earlier.left.wait()
        opened = DockerWorkspace(self._docker(), self._settings, build_id, volume, self._rooms)
        self._holders[volume or build_id] = opened
        return opened

    async def builds(self) -> frozenset[str]:
        """Return the builds of this installation that have a container, a network or a volume."""
        docker, filters = self._docker(), {"label": [*_by_labels(self._labels())["label"], f"{_LABEL}.build"]}
        containers = await docker.containers.list(all=1, filters=json.dumps(filters))
        networks = await docker.networks.list(filters=filters)
        volumes = await docker.volumes.list(filters=filters)  # type: ignore[no-untyped-call]
        found = [*containers, *networks, *(volumes["Volumes"] or [])]
        return frozenset(one["Labels"][f"{_LABEL}.build"] for one in found)

    async def volumes(self) -> dict[str, int]:
        """Return the sizes of the volumes of this installation."""
        base = f"{_http(self._settings.host)}/{_API}"
        return await sizes(self._docker(), base, self._labels())

    async def sweep(self, builds: frozenset[str], volumes: frozenset[str] = frozenset()) -> None:
        """Remove containers and networks of these builds, and these volumes."""
        for build_id in builds:
            await remove_labelled(self._docker(), _by_labels({**self._labels(), f"{_LABEL}.build": build_id}))
        for volume_id in volumes:
            name = f"headrace-{self._settings.installation}-{volume_id}"
            await remove_volume(self._docker(), name)

    def _labels(self) -> dict[str, str]:
        return {_INSTALLATION: self._settings.installation}

    async def gateway(self) -> str | None:
        """Return the address of this machine that containers reach as ``host.docker.internal``.

        None where the engine does not say (no default bridge): then only the server's public
        address can be given to steps.
        """
        bridge = await (await self._docker().networks.get("bridge")).show()
        configs = bridge["IPAM"]["Config"] or []
        return next((entry["Gateway"] for entry in configs if entry.get("Gateway")), None)

    async def close(self) -> None:
        """Close the connections; what runs on the engine goes on."""
        for workspace in list(self._holders.values()):
            await workspace.let_go()
        client, self._client = self._client, None
        if client is not None:
            await client.close()


def _http(host: str) -> str:
    """The address for plain requests; behind a socket, the name of the host does not matter."""
    return "http://localhost" if host.startswith("unix://") else host.replace("tcp://", "http://", 1)


def _has_failed(task: "asyncio.Task[None]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _by_labels(labels: dict[str, str]) -> Mapping[str, list[str]]:
    return {"label": [f"{name}={value}" for name, value in labels.items()]}


def _is_long(script: str) -> bool:
    return len(script.encode()) + len(_ANSWERS_TERM) > _LONGEST_ARGUMENT_BYTES


def _script(command: Command) -> str:
    return f"{_ANSWERS_TERM}{command.script}"
