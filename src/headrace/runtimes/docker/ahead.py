"""Containers in shared networks: started before their steps' turn, or where many steps start at once.

One that waits costs its step an `exec`. One that is started at its turn costs a third of an ordinary
container. Whatever goes wrong here, the step gets an ordinary container.
"""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable, Iterable

import aiohttp
import msgspec
from aiodocker import Docker
from aiodocker.containers import DockerContainer
from aiodocker.exceptions import DockerError
from aiodocker.stream import Stream

from headrace.runtimes.base import Command
from headrace.runtimes.docker import gate
from headrace.runtimes.docker.lanes import ENDED, Hands, Lane, has_failed, runs, shut
from headrace.runtimes.docker.rooms import Places
from headrace.runtimes.docker.step import DockerStep

_log = logging.getLogger(__name__)
_COSTS_MORE = 2  # an ordinary container, in starts in a network that is there: 190 ms of CPU against 60
_FAILURES = (DockerError, aiohttp.ClientError, OSError, ValueError, *ENDED)


class _Waiting(msgspec.Struct, frozen=True):
    """A container that runs and waits."""

    container: DockerContainer
    stream: Stream
    image: str  # id of the one it was made from
    mark: str
    files: str  # of its network


class _Coming(msgspec.Struct, frozen=True):
    """A step whose container is being started, or waits."""

    command: Command
    lane: Lane
    opening: "asyncio.Task[_Waiting]"


class Ahead:
    """The containers of one build in shared networks.

    Args:
        docker: the engine.
        hands: of the workspace.
        places: shared by all builds.
        most: how many networks a build may have to share.
    """

    def __init__(self, docker: Docker, hands: Hands, places: Places, *, most: int) -> None:
        self._docker = docker
        self._hands = hands
        self._places = places
        self._most = most
        self._coming: dict[str, _Coming] = {}
        self._lanes: list[Lane] = []
        self._lasted_s = 0.0  # the last start in a network that was there
        self._is_patient = True  # whether the last wait for a network was not in vain
        self._discards: set[asyncio.Task[None]] = set()

    def expect(self, coming: Iterable[tuple[str, Command]]) -> None:
        """Begin to start containers for these steps, and to remove those of others; see `base.Workspace`."""
        wanted = {step: command for step, command in coming if gate.may_wait(command)}
        for step, one in list(self._coming.items()):
            if step not in wanted or not gate.fits(one.command, wanted[step]):
                self._discard(step)
        for step, command in wanted.items():
            if step not in self._coming and gate.fits(command, command) and self._places.take():
                lane = self._first_lane(command.image)
                task = asyncio.create_task(self._open(step, command, lane))
                self._coming[step] = _Coming(command, lane, task)
                task.add_done_callback(_note)

    async def take(self, step: str, command: Command) -> DockerStep | None:
        """Give a waiting container its turn.

        Returns:
            The step, which runs; None where no container waits that is as a fresh one would be.
        """
        if step not in self._coming:
            return None
        one = self._coming[step]
        if not one.lane.is_free or not gate.fits(one.command, command):
            self._discard(step)
            return None
        del self._coming[step]
        one.lane.take()
        try:
            one.lane.user = await self._turn(one, command)
        finally:
            one.lane.release()
        return one.lane.user

    async def at_once(self, step: str, command: Command, *, due: int) -> DockerStep | None:
        """Start a step in a network that is free, or in a new one where that pays.

        Args:
            step: as of `base.Workspace.start`.
            command: what it runs.
            due: how many other steps of the build wait to be started.

        Returns:
            The step, which runs; None where an ordinary container is the better way, or the only one.
        """
        if not gate.fits(command, command) or not (self._lanes or due):
            return None
        try:
            image = await self._image(command.image)
            lane = await self._chosen_lane(command.image, due) if image.may_wait else None
            return None if lane is None else await self._in_lane(lane, step, command, image)
        except _FAILURES as failure:
            _log.info("no container starts in a shared network: %s", failure)
            return None

    async def _in_lane(self, lane: Lane, step: str, command: Command, image: gate.Image) -> DockerStep | None:
        lane.take()
        try:
            await lane.holder()
            begun_at = asyncio.get_running_loop().time()
            waiting = await self._opened(step, command, lane, image)
            lane.user = await self._begun(waiting, lane, command, command)
            self._lasted_s = asyncio.get_running_loop().time() - begun_at
        finally:
            lane.release()
        return lane.user

    async def _chosen_lane(self, image: str, due: int) -> Lane | None:
        self._lanes = [lane for lane in self._lanes if not lane.has_failed]
        lane = self._free_lane()
        if lane is not None:
            self._is_patient = True
        elif self._is_patient:
            lane = await self._soon_free()
            if lane is None and due > len(self._lanes) < self._most and self._is_patient:
                lane = Lane(self._hands, image)
                self._lanes.append(lane)
        return lane

    def _own_lanes(self) -> list[Lane]:
        """Return those in which no container waits for its turn."""
        waited_for = {one.lane for one in self._coming.values()}
        return [lane for lane in self._lanes if not lane.has_failed and lane not in waited_for]

    def _free_lane(self) -> Lane | None:
        return next((lane for lane in self._own_lanes() if lane.is_free), None)

    async def _soon_free(self) -> Lane | None:
        """Wait for a step to end, as long as an ordinary container would take longer to start.

        Steps that do little end meanwhile. Those that do much must not be waited for: after one wait in
        vain there is no other until a network is found free.
        """
        lane = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_COSTS_MORE * self._lasted_s):
                while lane is None and (used := self._own_lanes()):
                    await _first(lane.until_free() for lane in used)
                    lane = self._free_lane()  # else another start was faster
        self._is_patient = lane is not None or not self._lasted_s
        return lane

    async def _turn(self, one: _Coming, command: Command) -> DockerStep | None:
        try:
            waiting = await one.opening
        except _FAILURES:
            return None
        finally:
            self._places.give_back()
        try:
            image, is_connected = await asyncio.gather(
                self._image(command.image), runs((await one.lane.holder()).container)
            )
        except _FAILURES as failure:
            _log.info("a waiting container cannot begin: %s", failure)
            await self._close(waiting)
            return None
        except asyncio.CancelledError:
            await asyncio.wait({asyncio.create_task(self._close(waiting))})
            raise
        if not is_connected:
            self._forget(one.lane)
        if image.id != waiting.image or not is_connected:
            await self._close(waiting)
            return None
        return await self._begun(waiting, one.lane, one.command, command)

    async def _begun(
        self, waiting: _Waiting, lane: Lane, expected: Command, command: Command
    ) -> DockerStep | None:
        """Give a container its turn; it is gone where it could not begin."""
        try:
            running = await self._told(waiting, lane, expected, command)
        except asyncio.CancelledError:
            # It may begin at this moment: until it is gone, the step has not ended.
            await asyncio.wait({asyncio.create_task(self._close(waiting))})
            raise
        if running is None:
            await self._close(waiting)
        return running

    async def _told(
        self, waiting: _Waiting, lane: Lane, expected: Command, command: Command
    ) -> DockerStep | None:
        script = self._hands.config("", command)["Cmd"][1]
        text = gate.turn(expected, command, script, mark=waiting.mark, files=waiting.files)
        try:
            await waiting.stream.write_in(text)
            told, rest = await gate.heard(waiting.stream, waiting.mark)
        except _FAILURES as failure:
            _log.info("a waiting container cannot begin: %s", failure)
            return None
        if told != gate.BEGUN:
            if told == gate.CHANGED:
                self._forget(lane)
            return None
        log = self._hands.log(waiting.container, waiting.mark)
        return DockerStep(waiting.container, waiting.stream, log, head=rest)

    # Opening

    def _first_lane(self, image: str) -> Lane:
        """Return the network of those that wait: the first that there is."""
        self._lanes = [lane for lane in self._lanes if not lane.has_failed]
        if not self._lanes:
            self._lanes.append(Lane(self._hands, image))
        return self._lanes[0]

    async def _open(self, step: str, command: Command, lane: Lane) -> _Waiting:
        image = await self._image(command.image)
        if not image.may_wait:
            raise ValueError(f"containers of image {command.image!r} are not started ahead")
        return await self._opened(step, command, lane, image)

    async def _opened(self, step: str, command: Command, lane: Lane, image: gate.Image) -> _Waiting:
        holder = await lane.holder()
        mark = uuid.uuid4().hex
        config = gate.configured(
            self._hands.config(step, command), command, mark=mark, network=holder.container.id
        )
        container = await self._hands.make(config)
        stream = container.attach(stdin=True, stdout=True, stderr=True)
        try:
            await stream.__aenter__()
            await container.start()
        except BaseException as failure:
            await asyncio.wait({self._hands.remove(container)})
            await shut(stream)
            if not isinstance(failure, asyncio.CancelledError) and not await runs(holder.container):
                self._forget(lane)
            raise
        return _Waiting(container, stream, image.id, mark, holder.files)

    async def _image(self, name: str) -> gate.Image:
        return gate.Image.of(await self._docker.images.inspect(name))

    # Closing

    def _discard(self, step: str) -> None:
        one = self._coming.pop(step)
        one.opening.cancel()
        closing = asyncio.create_task(self._end(one.opening))
        self._discards.add(closing)
        closing.add_done_callback(self._discards.discard)

    async def _end(self, task: "asyncio.Task[_Waiting]") -> None:
        await asyncio.wait({task})
        self._places.give_back()
        if not has_failed(task):
            await self._close(task.result())

    async def _close(self, waiting: _Waiting) -> None:
        await shut(waiting.stream)
        await asyncio.wait({self._hands.remove(waiting.container)})

    def _forget(self, lane: Lane) -> None:
        """Use a network no more, nobody does: another is made where one is wanted again."""
        for step in [step for step, one in self._coming.items() if one.lane is lane]:
            self._discard(step)
        if lane in self._lanes:
            self._lanes.remove(lane)
            lane.give_up()

    async def settle(self) -> None:
        """Let nothing wait any more. The networks are left to who removes all that the build has."""
        for step in list(self._coming):
            self._discard(step)
        while self._discards:
            await asyncio.wait(self._discards)
        lanes, self._lanes = self._lanes, []
        for lane in lanes:
            await lane.settle()

    async def let_go(self) -> None:
        """Close the connections to what waits, which ends it."""
        for one in self._coming.values():
            one.opening.cancel()
            with contextlib.suppress(asyncio.CancelledError, *_FAILURES):
                await shut((await one.opening).stream)
        self._coming.clear()


def _note(task: "asyncio.Task[_Waiting]") -> None:
    """Write down why nothing waits; the step has an ordinary container then."""
    if has_failed(task) and not task.cancelled():
        _log.info("no container waits: %s", task.exception())


async def _first(waits: Iterable[Awaitable[None]]) -> None:
    """Wait until one is done."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
