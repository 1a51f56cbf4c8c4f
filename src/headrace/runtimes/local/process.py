"""One started step of the local runtime: a bubblewrap process, its output pipe, its end.

No thread and no helper process per step: the end is seen through a pidfd, which works the same
on every event loop. The process is started from the loop's thread on purpose: the kernel ties
``--die-with-parent`` to the *thread* that made the child.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from headrace.runtimes.base import StepCouldNotStart, StepExit

STARTED_FD = 3  # the step's shell writes one byte here, then closes it
_CHUNK_BYTES = 256 * 1024
_LONG_CHUNK_BYTES = 64 * 1024
_SIGNALLED = 128
_COMPLAINTS = ("bwrap: ", "headrace: ")
# Python ignores these; what it runs must not inherit that.
_DEFAULT_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


class LocalStep:
    """A started step; fills `base.RunningStep`."""

    def __init__(self, pid: int, output_fd: int) -> None:
        """Watch a process that was just started; takes over ``output_fd``."""
        self.pid = pid
        self._output_fd = output_fd
        self._first = b""  # output that was read before anybody asked
        self._loop = asyncio.get_running_loop()
        self._exit: asyncio.Future[StepExit] = self._loop.create_future()
        self._drained: asyncio.Future[None] | None = None
        pidfd = os.pidfd_open(pid)
        self._loop.add_reader(pidfd, self._reap, pidfd)

    def _reap(self, pidfd: int) -> None:
        self._loop.remove_reader(pidfd)
        os.close(pidfd)
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self._exit.set_result(StepExit(code if code >= 0 else _SIGNALLED - code))

    @property
    def is_running(self) -> bool:
        """The process has not ended yet."""
        return not self._exit.done()

    async def output(self) -> AsyncIterator[bytes]:
        """Yield what the step prints until its last process has closed the pipe."""
        self._drained = self._loop.create_future()
        try:
            if self._first:
                yield self._first
            while chunk := await self._read():
                yield chunk
                if len(chunk) >= _LONG_CHUNK_BYTES:  # a flood must not keep the loop to itself
                    await asyncio.sleep(0)
        finally:
            self._close()
            self._drained.set_result(None)

    async def _read(self) -> bytes:
        while True:
            try:
                return os.read(self._output_fd, _CHUNK_BYTES)
            except BlockingIOError:
                await readable(self._output_fd)

    async def wait(self) -> StepExit:
        """Return how the process ended, after its output was taken where somebody takes it."""
        result = await asyncio.shield(self._exit)
        if self._drained is not None:
            await asyncio.shield(self._drained)
        return result

    async def stop(self, grace_s: float) -> None:
        """Send TERM to every process of the step, KILL after the grace time; return when all are gone."""
        if self.is_running and grace_s > 0:
            for pid in descendants(self.pid)[1:]:  # the first is bubblewrap's own reaper
                _send(pid, signal.SIGTERM)
            await asyncio.wait([self._exit], timeout=grace_s)
        if self.is_running:
            # The first process of the namespace takes all others with it; bubblewrap then ends
            # by itself. Before that process exists, bubblewrap is the whole step.
            first = next(iter(descendants(self.pid)), self.pid)
            _send(first, signal.SIGKILL)
            await asyncio.wait([self._exit])

    async def abandon(self) -> None:
        """End the step at once, and its output where nobody is taking it."""
        await self.stop(0)
        if self._drained is None:
            self._close()

    def _close(self) -> None:
        if self._output_fd >= 0:
            os.close(self._output_fd)
            self._output_fd = -1

    async def complaint(self) -> str:
        """Return why the step never ran; empty if it did (a shell may dislike its first line)."""
        await asyncio.wait([self._exit])
        self._first = await self._read()
        said = self._first.decode(errors="replace").strip()
        if "Read-only file system" in said:
            said += "; this machine's folders are read-only to steps, choose one below /codefresh/volume"
        return said.partition(": ")[2] if said.startswith(_COMPLAINTS) else ""


async def start_process(arguments: list[str], environment: Mapping[str, str], *, name: str) -> LocalStep:
    """Start bubblewrap; return when the step's own program runs.

    Args:
        arguments: its path first.
        environment: whole.
        name: what it calls itself among the processes of this machine.

    Raises:
        StepCouldNotStart: it never did; the text is bubblewrap's or the system's.
    """
    started, started_far = os.pipe()
    output, output_far = os.pipe()
    try:
        os.set_blocking(output, False)
        with contextlib.suppress(PermissionError):  # the user has used up what pipes may hold
            fcntl.fcntl(output, fcntl.F_SETPIPE_SZ, _CHUNK_BYTES)
        pid = os.posix_spawn(  # noqa: ASYNC221 - returns within a millisecond
            arguments[0],
            [name, *arguments[1:]],
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, output_far, 1),
                (os.POSIX_SPAWN_DUP2, output_far, 2),
                (os.POSIX_SPAWN_DUP2, started_far, STARTED_FD),
            ],
            setsid=True,
            setsigmask=(),
            setsigdef=_DEFAULT_SIGNALS,
        )
    except OSError as error:
        os.close(output)
        os.close(started)
        raise StepCouldNotStart(f"the process could not be made: {error.strerror}") from error
    finally:
        os.close(started_far)
        os.close(output_far)
    step = LocalStep(pid, output)
    try:
        await readable(started)
        ran = os.read(started, 1)
        complaint = "" if ran else await step.complaint()
    except asyncio.CancelledError:
        await step.abandon()
        raise
    finally:
        os.close(started)
    if complaint:
        await step.abandon()
        raise StepCouldNotStart(complaint)
    return step


async def readable(descriptor: int) -> None:
    """Return when a descriptor can be read or its other side is closed."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _resolve, ready)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def descendants(pid: int) -> list[int]:
    """Return the processes below ``pid``, parents first; empty when it is gone."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        parent = waiting.pop(0)
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{parent}/task"):  # noqa: PTH208
                text = Path(f"/proc/{parent}/task/{thread}/children").read_text()
                waiting += map(int, text.split())
        if parent != pid:
            found.append(parent)
    return found


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
