"""What has changed in an account, live: a hint, after which a page reads its list again."""

import asyncio
from collections.abc import AsyncIterator

from headrace.http.sse import HEARTBEAT, event
from headrace.resources.builds.service import changed_in
from headrace.storage.signals import Signals

_HEARTBEAT_S = 15.0
_CALM_S = 0.2  # many changes at once are told once


async def changes(hub: Signals, account_id: str, seconds: float) -> AsyncIterator[bytes]:
    """Yield an event ``changed`` whenever builds of the account have changed, for a while."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    with hub.listening(changed_in(account_id)) as wait:
        yield HEARTBEAT  # the headers go out at once
        while (left := end - loop.time()) > 0:
            if await wait.next(min(left, _HEARTBEAT_S)):
                yield event("changed", {"kind": "builds"})
                await asyncio.sleep(_CALM_S)
            else:
                yield HEARTBEAT
