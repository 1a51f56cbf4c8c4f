"""Tasks that must end well: clean-up that outlives cancellation, helpers that are called off."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

_log = logging.getLogger(__name__)
T = TypeVar("T")


async def survive(work: Coroutine[object, object, T]) -> T:
    """Do the work to its end, also where the caller is cancelled meanwhile.

    The cancellation is swallowed: what is left after the work is only to return.
    """
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            _log.debug("cancelled during work that must end; it goes on")
    return task.result()


async def quietly(work: Coroutine[object, object, None], what: str, *, deadline_s: float) -> None:
    """Do the work as well as it goes: a failure is logged, and so is a deadline that was missed."""
    task = asyncio.ensure_future(asyncio.wait_for(work, deadline_s))
    await asyncio.wait({task})
    if failure := task.exception():
        _log.error("%s failed", what, exc_info=failure)


async def call_off(tasks: Iterable["asyncio.Future[Any]"]) -> None:
    """Cancel tasks and wait until they have ended; what they come to is of no interest any more."""
    waited = list(tasks)
    for task in waited:
        task.cancel()
    await survive(_gather(waited))


async def _gather(tasks: list["asyncio.Future[Any]"]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
