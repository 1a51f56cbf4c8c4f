"""One started container: its output, its end, how it is stopped."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncGenerator, AsyncIterator

import aiohttp
from aiodocker import Docker
from aiodocker.containers import DockerContainer
from aiodocker.exceptions import DockerError
from aiodocker.stream import Stream

from headrace.runtimes.base import StepExit

_KILLED = 137
_HEAD = struct.Struct(">BxxxL")  # of a frame: which stream, how many bytes
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None)


class DockerStep:
    """A started step; fills `base.RunningStep`.

    Args:
        container: started, or about to be.
        stream: of its output, to be attached before the start; None for an adopted step, whose
            output is read again from the engine's log.
        logs: address of that log.
        head: what was taken from the stream already.
    """

    def __init__(
        self, container: DockerContainer, stream: Stream | None, logs: "EngineLog", *, head: bytes = b""
    ) -> None:
        self.container = container
        self.ended = asyncio.Event()  # its end was taken
        self._stream = stream
        self._logs = logs
        self._head = head
        self._drained: asyncio.Event | None = None

    @property
    def has_ended(self) -> bool:
        """Whether its end was taken."""
        return self.ended.is_set()

    async def attach(self) -> None:
        """Open the stream of the output; to be done before the container starts."""
        if self._stream is not None:
            await self._stream.__aenter__()

    async def detach(self) -> None:
        """Give the stream of the output back. Safe twice."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()

    async def abandon(self) -> None:
        """Give the stream back where nobody takes it; who does sees its end."""
        if self._drained is None:
            await self.detach()

    async def output(self) -> AsyncIterator[bytes]:
        """Yield what the step prints until it ends."""
        self._drained = asyncio.Event()
        try:
            if self._stream is None:
                async for chunk in self._logs.follow():
                    yield chunk
            else:
                if self._head:
                    yield self._head
                while message := await self._stream.read_out():
                    yield message.data
        finally:
            await self.detach()
            self._drained.set()

    async def wait(self) -> StepExit:
        """Return how the container ended, after its output was taken where somebody takes it."""
        result = await self.container.wait()
        if self._drained is not None:
            await self._drained.wait()
        self.ended.set()
        code = int(result["StatusCode"])
        if code != _KILLED:
            return StepExit(code)
        state = (await self.container.show())["State"]
        return StepExit(code, out_of_memory=bool(state["OOMKilled"]))

    async def stop(self, grace_s: float) -> None:
        """Send TERM to every process, KILL after the grace time; return when the container stands.

        The engine reaches the first process only; the others are then asked from within. In the
        other order a script could end by itself before its own handler was called.
        """
        with contextlib.suppress(DockerError):  # it ended, or has no shell to ask with
            await self.container.kill(signal="SIGTERM")
            asked = await self.container.exec(["/bin/sh", "-c", "kill -TERM -1"])
            await asked.start(detach=True)
        with contextlib.suppress(DockerError):  # it was removed
            try:
                await asyncio.wait_for(self.container.wait(), grace_s)
            except TimeoutError:
                await self.container.kill(signal="SIGKILL")
                await self.container.wait()


class EngineLog:
    """What a container printed, as the engine keeps it; bytes, which the library's reader is not.

    Args:
        docker: the engine.
        base: address of its API, with the version.
        container: id.
        mark: ends the line after which the step's own output begins, in stdout and in stderr; empty:
            all of it is.
    """

    def __init__(self, docker: Docker, base: str, container: str, mark: str = "") -> None:
        self._session = docker.session
        self._url = f"{base}/containers/{container}/logs"
        self._mark = f"{mark}\n".encode() if mark else b""

    async def has_mark(self) -> bool:
        """Tell whether the line with the mark was printed yet; what follows it is not asked for."""
        seen = b""
        async with contextlib.aclosing(self._read(follow=False)) as chunks:
            async for _, chunk in chunks:
                seen += chunk
                if self._mark in seen:
                    return True
        return False

    async def follow(self) -> AsyncIterator[bytes]:
        """Yield everything from the first byte of the step, until the container has ended."""
        before: dict[int, bytes | None] = {}  # by stream; None: its mark has come
        async for stream, chunk in self._read(follow=True):
            seen = before.get(stream, b"" if self._mark else None)
            if seen is None:
                yield chunk
                continue
            _, found, rest = (seen + chunk).partition(self._mark)
            before[stream] = None if found else seen + chunk
            if rest:
                yield rest

    async def _read(self, *, follow: bool) -> AsyncGenerator[tuple[int, bytes], None]:
        query = {"stdout": "1", "stderr": "1", "follow": str(int(follow))}
        async with self._session.get(self._url, params=query, timeout=_NO_TIMEOUT) as answer:
            answer.raise_for_status()
            with contextlib.suppress(asyncio.IncompleteReadError):  # the end
                while True:
                    head = await answer.content.readexactly(_HEAD.size)
                    stream, size = _HEAD.unpack(head)
                    yield stream, await answer.content.readexactly(size)
