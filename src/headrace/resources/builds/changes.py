"""What has changed in an account, live: a hint, after which a page reads its list again."""

import asyncio
from collections.abc import AsyncIterator

from headrace.http.sse import HEARTBEAT, event
from headrace.resources.builds.service import changed_in
from headrace.storage.signals import Signals

_HEARTBEAT_S = 15.0
_CALM_S = 0.2  # many changes at once are told once


async def changes(hub: Signals, account_id: str) -> AsyncIterator[bytes]:
    """Yield an event ``changed`` whenever builds of the account have changed, until cancelled."""
    with hub.listening(changed_in(account_id)) as wait:
        yield HEARTBEAT  # the headers go out at once
        while True:
            if await wait.next(_HEARTBEAT_S):
                yield event("changed", {"kind": "builds"})
                await asyncio.sleep(_CALM_S)
            else:
                yield HEARTBEAT
