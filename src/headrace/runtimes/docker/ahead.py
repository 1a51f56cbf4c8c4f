"""Containers that are started before their steps' turn, and wait: what a turn costs is an `exec`.

They share the network of one idle container, as the containers of a Kubernetes pod do: a network of
its own is more than half of what starting a container costs. One step at a time uses it, and each
finds it as nobody had used it; see `gate`. Whatever goes wrong here, the step gets an ordinary container.
"""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import aiohttp
import msgspec
from aiodocker import Docker
from aiodocker.containers import DockerContainer
from aiodocker.exceptions import DockerError
from aiodocker.stream import Stream

from headrace.runtimes.base import Command
from headrace.runtimes.docker import gate
from headrace.runtimes.docker.step import DockerStep, EngineLog

_log = logging.getLogger(__name__)
_NOT_FOUND = 404
_ENDED = (AssertionError, RuntimeError)  # the library's, where a stream is closed or half open
_FAILURES = (DockerError, aiohttp.ClientError, OSError, ValueError, *_ENDED)


class Places:
    """How many containers of all builds may wait at the same time."""

    def __init__(self, most: int) -> None:
        self._free = most

    def take(self) -> bool:
        """Take a place where one is free."""
        if self._free <= 0:
            return False
        self._free -= 1
        return True

    def give_back(self) -> None:
        """Give one back."""
        self._free += 1


class Hands(msgspec.Struct, frozen=True):
    """What a workspace does for the containers that wait in it."""

    make: Callable[[Mapping[str, Any]], Awaitable[DockerContainer]]  # whole or not, also when cancelled
    remove: Callable[[DockerContainer], "asyncio.Task[None]"]  # `destroy` waits for it
    config: Callable[[str, Command], dict[str, Any]]  # of an ordinary container
    network: Callable[[], "asyncio.Task[None]"]  # the build's own, being made
    log: Callable[[DockerContainer, str], EngineLog]


class _Network(msgspec.Struct, frozen=True):
    """A network that waiting containers share."""

    container: DockerContainer
    files: str


class _Waiting(msgspec.Struct, frozen=True):
    """A container that runs and waits."""

    container: DockerContainer
    stream: Stream
    image: str  # id of the one it was made from
    mark: str
    network: _Network


class Ahead:
    """The containers of one build that wait.

    Args:
        docker: the engine.
        hands: of the workspace.
        places: shared by all builds.
    """

    def __init__(self, docker: Docker, hands: Hands, places: Places) -> None:
        self._docker = docker
        self._hands = hands
        self._places = places
        self._coming: dict[str, tuple[Command, asyncio.Task[_Waiting]]] = {}
        self._network: asyncio.Task[_Network] | None = None
        self._user: DockerStep | None = None  # of the network; the last step that began in it
        self._is_taken = False  # a step begins in the network, at this moment
        self._discards: set[asyncio.Task[None]] = set()

    def expect(self, coming: Iterable[tuple[str, Command]]) -> None:
        """Begin to start containers for these steps, and to remove those of others; see `base.Workspace`."""
        wanted = {step: command for step, command in coming if gate.may_wait(command)}
        for step, (command, _) in list(self._coming.items()):
            if step not in wanted or not gate.fits(command, wanted[step]):
                self._discard(step)
        for step, command in wanted.items():
            if step not in self._coming and gate.fits(command, command) and self._places.take():
                task = asyncio.create_task(self._open(step, command))
                self._coming[step] = command, task
                task.add_done_callback(_note)

    async def take(self, step: str, command: Command) -> DockerStep | None:
        """Give a waiting container its turn.

        Returns:
            The step, which runs; None where no container waits that is as a fresh one would be.
        """
        if step not in self._coming:
            return None
        is_free = not self._is_taken and (self._user is None or self._user.has_ended)
        if not is_free or not gate.fits(self._coming[step][0], command):
            self._discard(step)
            return None
        self._is_taken = True
        try:
            self._user = await self._turn(*self._coming.pop(step), command)
        finally:
            self._is_taken = False
        return self._user

    async def _turn(
        self, expected: Command, opening: "asyncio.Task[_Waiting]", command: Command
    ) -> DockerStep | None:
        try:
            waiting = await opening
        except _FAILURES:
            return None
        finally:
            self._places.give_back()
        try:
            running = await self._begun(waiting, expected, command)
        except asyncio.CancelledError:
            # It may begin at this moment: until it is gone, the step has not ended.
            await asyncio.wait({asyncio.create_task(self._close(waiting))})
            raise
        if running is None:
            await self._close(waiting)
        return running

    async def _begun(self, waiting: _Waiting, expected: Command, command: Command) -> DockerStep | None:
        try:
            image, is_connected = await asyncio.gather(
                self._image(command.image), _runs(waiting.network.container)
            )
            if not is_connected:
                self._forget_network()
            if image.id != waiting.image or not is_connected:
                return None
            script = self._hands.config("", command)["Cmd"][1]
            text = gate.turn(expected, command, script, mark=waiting.mark, files=waiting.network.files)
            await waiting.stream.write_in(text)
            told, rest = await _until(waiting.stream, f"{waiting.mark}:")
        except _FAILURES as failure:
            _log.info("a waiting container cannot begin: %s", failure)
            return None
        if told != gate.BEGUN:
            if told == gate.CHANGED:
                self._forget_network()
            return None
        log = self._hands.log(waiting.container, waiting.mark)
        return DockerStep(waiting.container, waiting.stream, log, head=rest)

    # Opening

    async def _open(self, step: str, command: Command) -> _Waiting:
        image = await self._image(command.image)
        if not image.may_wait:
            raise ValueError(f"containers of image {command.image!r} are not started ahead")
        network = await asyncio.shield(self._shared_network(command.image))
        mark = uuid.uuid4().hex
        config = gate.configured(
            self._hands.config(step, command), command, mark=mark, network=network.container.id
        )
        container = await self._hands.make(config)
        stream = container.attach(stdin=True, stdout=True, stderr=True)
        try:
            await stream.__aenter__()
            await container.start()
        except BaseException as failure:
            await asyncio.wait({self._hands.remove(container)})
            await _shut(stream)
            if not isinstance(failure, asyncio.CancelledError) and not await _runs(network.container):
                self._forget_network()
            raise
        return _Waiting(container, stream, image.id, mark, network)

    async def _image(self, name: str) -> gate.Image:
        return gate.Image.of(await self._docker.images.inspect(name))

    def _shared_network(self, image: str) -> "asyncio.Task[_Network]":
        if self._network is None or _has_failed(self._network):
            self._network = asyncio.create_task(self._make_network(image))
            self._network.add_done_callback(_note)
        return self._network

    async def _make_network(self, image: str) -> _Network:
        mark = uuid.uuid4().hex
        ordinary = self._hands.config("", Command(image=image))
        host = {name: ordinary["HostConfig"][name] for name in ("NetworkMode", "ExtraHosts", "LogConfig")}
        labels = {**ordinary["Labels"], gate.LABEL: gate.NETWORK}
        config = {"Image": image, "Labels": labels, "HostConfig": host}
        container = await self._hands.make(gate.network_holder(config, mark=mark))
        stream = container.attach(stdout=True, stderr=True)
        try:
            await stream.__aenter__()
            await asyncio.shield(self._hands.network())
            await container.start()
            files = await _before(stream, mark)
        except BaseException:
            await asyncio.wait({self._hands.remove(container)})
            raise
        finally:
            await _shut(stream)
        return _Network(container, files)

    # Closing

    def _discard(self, step: str) -> None:
        _, task = self._coming.pop(step)
        task.cancel()
        closing = asyncio.create_task(self._end(task))
        self._discards.add(closing)
        closing.add_done_callback(self._discards.discard)

    async def _end(self, task: "asyncio.Task[_Waiting]") -> None:
        await asyncio.wait({task})
        self._places.give_back()
        if not _has_failed(task):
            await self._close(task.result())

    async def _close(self, waiting: _Waiting) -> None:
        await _shut(waiting.stream)
        await asyncio.wait({self._hands.remove(waiting.container)})

    def _forget_network(self) -> None:
        """Use it no more, nobody does: another is made where a container is to wait again."""
        for step in list(self._coming):
            self._discard(step)
        network, self._network = self._network, None
        if network is not None and network.done() and not _has_failed(network):
            self._hands.remove(network.result().container)

    async def settle(self) -> None:
        """Let nothing wait any more. The network is left to who removes all that the build has."""
        for step in list(self._coming):
            self._discard(step)
        while self._discards:
            await asyncio.wait(self._discards)
        network, self._network = self._network, None
        if network is not None:
            network.cancel()
            await asyncio.wait({network})

    async def let_go(self) -> None:
        """Close the connections to what waits, which ends it."""
        for _, task in self._coming.values():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, *_FAILURES):
                await _shut((await task).stream)
        self._coming.clear()


def _has_failed(task: "asyncio.Task[Any]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


async def _shut(stream: Stream) -> None:
    with contextlib.suppress(*_ENDED):
        await stream.close()


async def _runs(container: DockerContainer) -> bool:
    """Tell whether a container runs; where nobody knows, it does: a step may depend on it."""
    try:
        return bool((await container.show())["State"]["Running"])
    except DockerError as error:
        return error.status != _NOT_FOUND
    except (aiohttp.ClientError, OSError):
        return True


def _note(task: "asyncio.Task[Any]") -> None:
    """Write down why nothing waits; the step has an ordinary container then."""
    if _has_failed(task) and not task.cancelled():
        _log.info("no container waits: %s", task.exception())


async def _until(stream: Stream, mark: str) -> tuple[str, bytes]:
    """Read up to the line with a mark: the rest of that line, and what came after it; "" at the end."""
    seen = b""
    while message := await stream.read_out():
        seen += message.data
        _, found, rest = seen.partition(mark.encode())
        word, line_ends, after = rest.partition(b"\n")
        if found and line_ends:
            return word.decode(errors="replace"), after
    return "", b""


async def _before(stream: Stream, mark: str) -> str:
    """Read up to a mark, and return what came before it.

    Raises:
        ValueError: it never came.
    """
    seen = b""
    while message := await stream.read_out():
        seen += message.data
        text, found, _ = seen.partition(mark.encode())
        if found:
            return text.decode()
    raise ValueError("the network of the build cannot be shared: its container has ended")
