"""A step that the worker does itself, without a process: what it says is its output."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from headrace.execution.tasks import call_off
from headrace.runtimes.base import StepExit

Tell = Callable[[str], None]  # takes one line
Work = Callable[[Tell], Awaitable[int]]  # returns the exit code


class OwnWork:
    """Work that has begun; fills `base.RunningStep`. It ends with this process and is begun again.

    Args:
        work: does it, and tells what happens; returns the exit code. A `LookupError` of it is a
            failure whose text is for the log.
    """

    def __init__(self, work: Work) -> None:
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._work = asyncio.create_task(self._run(work))

    async def output(self) -> AsyncIterator[bytes]:
        """Yield what happens, line by line."""
        while (line := await self._lines.get()) is not None:
            yield line

    async def wait(self) -> StepExit:
        """Return 0 when all is done, else 1."""
        await asyncio.wait({self._work})
        return StepExit(1 if self._work.cancelled() else self._work.result())

    async def stop(self, grace_s: float) -> None:  # noqa: ARG002  # the contract's shape
        """Give it up where it is."""
        await call_off([self._work])
        self._lines.put_nowait(None)  # it may never have begun

    async def _run(self, work: Work) -> int:
        try:
            return await work(self._tell)
        except LookupError as refusal:
            self._tell(str(refusal))
            return 1
        finally:
            self._lines.put_nowait(None)

    def _tell(self, line: str) -> None:
        # A line may name a file of the volume, and such a name need not be UTF-8.
        self._lines.put_nowait(f"{line}\n".encode(errors="backslashreplace"))
