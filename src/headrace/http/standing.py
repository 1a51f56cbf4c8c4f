"""Whether a reader whose answer has no end may go on: asked again and again while it is served.

A stream is admitted at its beginning and may last for days. So whoever serves one also waits for
`until_refused`: a key that was revoked, a session that is over or a rule that was taken away ends it, too.
"""

import asyncio
import logging
from collections.abc import Callable

from headrace.http.errors import ApiError
from headrace.storage.engine import AWAY, cause
from headrace.storage.signals import Signals, of_account

LOOK_S = 30.0  # behind the signals, which may be lost; and for what has none, as the end of a key by time
_CALM_S = 0.2  # many changes at once are one look
# The kinds of operations that take rights away. Pipelines, whose tags count, change all day: they have time.
_KINDS = ("abac", "accounts", "service-users", "teams", "tokens", "users")
_log = logging.getLogger(__name__)


async def until_refused(hub: Signals, account_id: str, admit: Callable[[], object]) -> ApiError:
    """Return the refusal as soon as a reader is not admitted any more; wait while it is.

    Args:
        hub: tells of changes.
        account_id: of the reader.
        admit: asks what was asked at the beginning, in a thread; raises the refusal.
    """
    with hub.listening(*(of_account(account_id, kind) for kind in _KINDS)) as wait:
        while True:
            if await wait.next(LOOK_S):
                await asyncio.sleep(_CALM_S)
            try:
                await asyncio.to_thread(admit)
            except ApiError as refusal:
                return refusal
            except AWAY as failure:  # nobody has taken anything away
                _log.warning("no database to admit a reader again: %s", cause(failure))
