"""Networks that the containers of a build share, one at a time: each is that of one idle container.

As in a Kubernetes pod: a network of its own is more than half of what starting a container costs. A step
finds the network as nobody had used it; see `gate`.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import msgspec
from aiodocker.containers import DockerContainer
from aiodocker.exceptions import DockerError
from aiodocker.stream import Stream

from headrace.runtimes.base import Command
from headrace.runtimes.docker import gate
from headrace.runtimes.docker.step import DockerStep, EngineLog

ENDED = (AssertionError, RuntimeError)  # the library's, where a stream is closed or half open
_NOT_FOUND = 404


class Hands(msgspec.Struct, frozen=True):
    """What a workspace does for the containers that share networks in it."""

    make: Callable[[Mapping[str, Any]], Awaitable[DockerContainer]]  # whole or not, also when cancelled
    remove: Callable[[DockerContainer], "asyncio.Task[None]"]  # `destroy` waits for it
    config: Callable[[str, Command], dict[str, Any]]  # of an ordinary container
    network: Callable[[], "asyncio.Task[None]"]  # the build's own, being made
    log: Callable[[DockerContainer, str], EngineLog]


class Holder(msgspec.Struct, frozen=True):
    """The idle container whose network others get."""

    container: DockerContainer
    files: str  # of the network, as they were at first


class Lane:
    """One network, made when it is first wanted.

    Args:
        hands: of the workspace.
        image: what the idle container is made from; it needs a ``/bin/sh``.
    """

    def __init__(self, hands: Hands, image: str) -> None:
        self.user: DockerStep | None = None  # the last step that began in it
        self._is_at_rest = asyncio.Event()  # unset while a step begins in it
        self._is_at_rest.set()
        self._hands = hands
        self._opening = asyncio.create_task(_opened(hands, image))
        self._opening.add_done_callback(has_failed)  # whoever waits for it tells the reason

    @property
    def is_free(self) -> bool:
        """Whether a step may begin in it."""
        return self._is_at_rest.is_set() and (self.user is None or self.user.has_ended)

    def take(self) -> None:
        """Let a step begin in it."""
        self._is_at_rest.clear()

    def release(self) -> None:
        """End that: the step has begun, or could not."""
        self._is_at_rest.set()

    async def until_free(self) -> None:
        """Return when no step begins or runs in it; the next one may be as fast as the caller."""
        await self._is_at_rest.wait()
        if self.user is not None:
            await self.user.ended.wait()

    @property
    def has_failed(self) -> bool:
        """Whether the network could not be made."""
        return has_failed(self._opening)

    async def holder(self) -> Holder:
        """Return the idle container once it is there; a caller that is cancelled leaves it to others."""
        return await asyncio.shield(self._opening)

    def give_up(self) -> None:
        """Remove the idle container, where nobody uses its network any more."""
        if not self._opening.done():
            self._opening.cancel()
        elif not self.has_failed:
            self._hands.remove(self._opening.result().container)

    async def settle(self) -> None:
        """Make it no further. What is there is left to who removes all that the build has."""
        self._opening.cancel()
        await asyncio.wait({self._opening})


async def _opened(hands: Hands, image: str) -> Holder:
    mark = uuid.uuid4().hex
    ordinary = hands.config("", Command(image=image))
    host = {name: ordinary["HostConfig"][name] for name in ("NetworkMode", "ExtraHosts", "LogConfig")}
    labels = {**ordinary["Labels"], gate.LABEL: gate.NETWORK}
    config = {"Image": image, "Labels": labels, "HostConfig": host}
    container = await hands.make(gate.network_holder(config, mark=mark))
    stream = container.attach(stdout=True, stderr=True)
    try:
        await stream.__aenter__()
        await asyncio.shield(hands.network())
        await container.start()
        files = await _before(stream, mark)
    except BaseException:
        await asyncio.wait({hands.remove(container)})
        raise
    finally:
        await shut(stream)
    return Holder(container, files)


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


async def shut(stream: Stream) -> None:
    """Close a stream that may be closed or half open."""
    with contextlib.suppress(*ENDED):
        await stream.close()


async def runs(container: DockerContainer) -> bool:
    """Tell whether a container runs; where nobody knows, it does: a step may depend on it."""
    try:
        return bool((await container.show())["State"]["Running"])
    except DockerError as error:
        return error.status != _NOT_FOUND
    except (aiohttp.ClientError, OSError):
        return True


def has_failed(task: "asyncio.Task[Any]") -> bool:
    """Tell whether a task has ended without a result."""
    return task.done() and (task.cancelled() or task.exception() is not None)
