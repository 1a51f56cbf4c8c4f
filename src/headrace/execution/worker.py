"""The loop that claims builds and runs them, several at a time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from headrace.execution.ports import BuildFeed, BuildOrder, Clock
from headrace.execution.run import run
from headrace.execution.ports import LogSink, SecretSource
from headrace.execution.settings import ExecutionSettings
from headrace.execution.tasks import call_off, quietly
from headrace.runtimes.base import Runtime

_log = logging.getLogger(__name__)


class Worker:
    """Runs builds of one feed on one runtime.

    Order of calls: `run` once, as a task; `stop` from anywhere, twice is safe.

    Args:
        slots: builds at a time.
        alive: ids of builds that are not to be swept from this machine at the start; None
            leaves what other workers of this machine may own alone.
    """

    def __init__(
        self,
        *,
        runtime: Runtime,
        feed: BuildFeed,
        logs: LogSink,
        secrets: SecretSource,
        clock: Clock,
        settings: ExecutionSettings,
        slots: int,
        alive: Callable[[], Awaitable[frozenset[str]]] | None = None,
    ) -> None:
        self._runtime = runtime
        self._feed = feed
        self._logs = logs
        self._secrets = secrets
        self._clock = clock
        self._settings = settings
        self._slots = slots
        self._alive = alive
        self._builds: dict[asyncio.Task[None], str] = {}
        self._stopping = asyncio.Event()
        self._freed = asyncio.Event()
        self._ended = asyncio.Event()
