"""Answers from outside that a transaction needs: fetched between two tries of it, never within.

Code inside the transaction asks `Outside.get`. What is not known yet ends the try with
`NeededOutside`; the edge rolls back, fetches, and tries again. So no database waits for a host.
"""

import asyncio
import contextvars
import functools
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from headrace.http.errors import ApiError, BadRequest
from headrace.integrations.clusters import Networks

T = TypeVar("T")

_MOST = 20  # answers that one request may need
_MOST_CALLS = 16  # of one kind at a time


class Calls:
    """Threads for what waits for one kind of system outside.

    Those that are silent hold these until their limit of time; requests, logs and times go on.

    Args:
        name: of the kind.
    """

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(_MOST_CALLS, thread_name_prefix=name)

    async def run(self, work: Callable[..., T], *arguments: Any, **named: Any) -> T:  # noqa: ANN401 - handed on
        """Do the work in one of the threads, when one is free."""
        context = contextvars.copy_context()
        call = functools.partial(context.run, work, *arguments, **named)
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    def begin(self, work: Callable[[], None]) -> None:
        """Do so without waiting for it; the work catches its errors."""
        self._pool.submit(work)


GIT, CLUSTERS, REGISTRIES, SECRETS, FILES = (
    Calls(name) for name in ("git", "clusters", "registries", "secrets", "files")
)


class NeededOutside(Exception):
    """A transaction needs an answer from outside."""

    def __init__(self, key: Hashable, fetch: Callable[[], str]) -> None:
        super().__init__(f"needs {key!r} from outside")
        self.key, self.fetch = key, fetch


class Outside:
    """What one request has learned from outside. For one thread at a time.

    Args:
        networks: where this server may call what somebody named.
    """

    def __init__(self, networks: Networks) -> None:
        self.networks = networks
        self._known: dict[Hashable, str | ApiError] = {}

    def get(self, key: Hashable, fetch: Callable[[], str]) -> str:
        """Return the answer; the first time, end the try.

        Args:
            key: of the answer, the same in every try.
            fetch: asks outside, without a transaction; raises an `ApiError` that says why not.

        Raises:
            NeededOutside: it is not known yet.
            ApiError: as `fetch` raised it.
        """
        if key not in self._known:
            raise NeededOutside(key, fetch)
        found = self._known[key]
        if isinstance(found, ApiError):
            raise found
        return found

    def learn(self, needed: NeededOutside) -> None:
        """Fetch an answer, or the reason why there is none.

        Raises:
            BadRequest: the request has asked for too many.
        """
        if len(self._known) >= _MOST:
            raise BadRequest(
                f"this request needs more than {_MOST} files from elsewhere; send fewer at a time"
            )
        try:
            self._known[needed.key] = needed.fetch()
        except ApiError as problem:
            self._known[needed.key] = problem


def tried(outside: Outside, work: Callable[[], T]) -> T:
    """Do the work, whose transaction begins and ends within it, until it needs nothing more.

    Raises:
        BadRequest: it needs too much; else what the work raises.
    """
    while True:
        try:
            return work()
        except NeededOutside as needed:
            outside.learn(needed)
