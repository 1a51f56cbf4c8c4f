"""How long a step waits before it is tried again. Source: `reference/pipeline-yaml.md` 4.6."""

import asyncio
from datetime import datetime
from typing import Any

from headrace.execution.site import Site
from headrace.pipeline.fields import MAX_TIMEOUT_S
from headrace.pipeline.plan import Retry


def delay_s(retry: Retry, tried: int) -> float:
    """The wait after the attempt of this number, from 1.

    With a factor of 1 all waits are equal. Otherwise the first is the delay to the power of the
    factor, and each is the one before to that power, up to the longest time-out.
    """
    wait = retry.delay_s
    if retry.factor != 1:
        for _ in range(tried):
            try:
                wait = min(wait**retry.factor, MAX_TIMEOUT_S)
            except OverflowError:
                wait = MAX_TIMEOUT_S
    return min(wait, MAX_TIMEOUT_S)


async def wait_until(site: Site, moment: datetime) -> bool:
    """Wait, but not when the build is to stop; tell whether the moment has come."""
    left = (moment - site.clock.now()).total_seconds()
    sleeping = asyncio.ensure_future(site.clock.sleep(max(0.0, left)))
    waited: set[asyncio.Future[Any]] = {sleeping, site.stop}
    try:
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    finally:
        sleeping.cancel()
    return not site.stop.done()
