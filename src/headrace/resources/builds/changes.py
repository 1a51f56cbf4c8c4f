"""What has changed in an account, live: a hint, after which a page reads its list again."""

import asyncio
from collections.abc import AsyncIterator

from headrace.http.sse import HEARTBEAT, event
from headrace.storage.signals import Signals, of_account

_HEARTBEAT_S = 15.0
_CALM_S = 0.2  # many changes at once are told once

# The tags of operations: whatever one of them may have changed is told by its tag.
KINDS = (
    "abac",
    "accounts",
    "agents",
    "annotations",
    "builds",
    "clusters",
    "compositions",
    "contexts",
    "environments",
    "helm",
    "images",
    "pipelines",
    "projects",
    "registries",
    "repos",
    "runtime-environments",
    "service-users",
    "step-types",
    "teams",
    "tokens",
    "triggers",
    "users",
)


async def changes(hub: Signals, account_id: str, seconds: float) -> AsyncIterator[bytes]:
    """Yield an event ``changed`` for each kind that has changed in the account, for a while."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    kinds = {of_account(account_id, kind): kind for kind in KINDS}
    with hub.listening(*kinds) as wait:
        yield HEARTBEAT  # the headers go out at once
        while (left := end - loop.time()) > 0:
            if await wait.next(min(left, _HEARTBEAT_S)):
                heard = sorted(wait.heard)
                wait.heard.clear()
                for topic in heard:
                    yield event("changed", {"kind": kinds[topic]})
                await asyncio.sleep(_CALM_S)
            else:
                yield HEARTBEAT
