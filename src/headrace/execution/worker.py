"""The loop that claims builds and runs them, several at a time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from headrace.execution.ports import BuildFeed, BuildOrder, Clock, LogSink, Records, ReportSink, SecretSource
from headrace.execution.run import run
from headrace.execution.settings import ExecutionSettings
from headrace.execution.tasks import call_off, quietly, survive
from headrace.runtimes.base import Runtime

_log = logging.getLogger(__name__)
_VOLUMES_EVERY_S = 3600.0


class Worker:
    """Runs builds of one feed on one runtime.

    Order of calls: `run` once, as a task; `stop` from anywhere, twice is safe.

    Args:
        slots: builds at a time.
        alive: ids of builds that are not to be swept from this machine at the start; None
            leaves what other workers of this machine may own alone.
        surplus: tells by their sizes which volumes of this machine are to be removed; asked at the
            start and every hour. None leaves them alone.
    """

    def __init__(  # noqa: PLR0913  # one per port
        self,
        *,
        runtime: Runtime,
        feed: BuildFeed,
        logs: LogSink,
        secrets: SecretSource,
        records: Records,
        reports: ReportSink,
        clock: Clock,
        settings: ExecutionSettings,
        slots: int,
        alive: Callable[[], Awaitable[frozenset[str]]] | None = None,
        surplus: Callable[[Mapping[str, int]], Awaitable[frozenset[str]]] | None = None,
    ) -> None:
        self._runtime = runtime
        self._feed = feed
        self._logs = logs
        self._secrets = secrets
        self._records = records
        self._reports = reports
        self._clock = clock
        self._settings = settings
        self._slots = slots
        self._alive = alive
        self._surplus = surplus
        self._builds: dict[asyncio.Task[None], str] = {}
        self._stopping = asyncio.Event()
        self._freed = asyncio.Event()
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Claim and run builds until `stop`; no failure of a build or of the feed ends it."""
        keeper = asyncio.create_task(self._keep_volumes())
        try:
            if self._alive is not None:
                found = await self._runtime.builds()
                await self._runtime.sweep(found - await self._alive())
            while not self._stopping.is_set():
                self._freed.clear()
                if len(self._builds) >= self._slots:
                    await self._first_of(self._freed.wait())
                else:
                    await self._claim()
        finally:
            await call_off([keeper])
            self._ended.set()

    async def _keep_volumes(self) -> None:
        """Remove volumes that nobody will go on with, now and then."""
        while self._surplus is not None:
            await quietly(
                self._remove_volumes(self._surplus), "removal of volumes", deadline_s=_VOLUMES_EVERY_S
            )
            await self._clock.sleep(_VOLUMES_EVERY_S)

    async def _remove_volumes(
        self, surplus: Callable[[Mapping[str, int]], Awaitable[frozenset[str]]]
    ) -> None:
        found = await self._runtime.volumes()
        await self._runtime.sweep(frozenset(), await surplus(found))

    async def stop(self, grace_s: float) -> None:
        """Take no new builds, and give up or end those that run.

        Args:
            grace_s: how long builds may go on whose steps would end with this process. Steps of
                a runtime that adopts go on by themselves, so their builds are released at once.
        """
        self._stopping.set()
        await self._ended.wait()
        if self._builds and not self._runtime.adopts:
            await asyncio.wait(self._builds, timeout=grace_s)
        await call_off(self._builds)

    async def _claim(self) -> None:
        """Claim a build and start it, or wait until there may be one."""
        claim = asyncio.ensure_future(self._feed.claim())
        await asyncio.wait({claim})  # a claim that was begun is not given up: its build would be lost
        if failure := claim.exception():
            pause_s = self._settings.poll_s
            _log.error("builds cannot be claimed; the next try is in %g s", pause_s, exc_info=failure)
            await self._first_of(self._clock.sleep(pause_s))
        elif order := claim.result():
            self._launch(order)
        else:
            await self._first_of(self._freed.wait(), self._feed.wake(self._settings.poll_s))

    async def _first_of(self, *waits: Awaitable[object]) -> None:
        """Wait for the first of these, or for `stop`."""
        tasks = [asyncio.ensure_future(wait) for wait in (*waits, self._stopping.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await call_off(tasks)

    def _launch(self, order: BuildOrder) -> None:
        task = asyncio.create_task(self._one(order))
        self._builds[task] = order.build_id
        task.add_done_callback(self._free)

    def _free(self, task: asyncio.Task[None]) -> None:
        del self._builds[task]
        self._freed.set()

    async def _one(self, order: BuildOrder) -> None:
        """Run one build, and release the claim where it did not come to an end or a wait."""
        build = asyncio.create_task(
            run(
                order,
                runtime=self._runtime,
                feed=self._feed,
                logs=self._logs,
                secrets=self._secrets,
                records=self._records,
                reports=self._reports,
                clock=self._clock,
                settings=self._settings,
            )
        )
        try:
            await asyncio.wait({build})
        except asyncio.CancelledError:
            await call_off([build])
        if not build.cancelled():
            failure = build.exception()
            if failure is None:
                return
            _log.error("the end of build %s could not be reported", order.build_id, exc_info=failure)
            await self._first_of(self._clock.sleep(self._settings.poll_s))
        release = self._feed.release(order.build_id)
        await survive(
            quietly(
                release, f"release of build {order.build_id}", deadline_s=self._settings.destroy_deadline_s
            )
        )
