"""The database as the source of builds for a worker: fills `execution.ports.BuildFeed`."""

import asyncio
import contextlib
import fcntl
import functools
import logging
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from headrace.execution.ports import BuildOrder, ClaimLost, DebugCommand, SecretRef, StepState
from headrace.http.errors import ApiError, BadRequest
from headrace.kit.ids import new_id
from headrace.pipeline.plan import Phase
from headrace.pipeline.status import BUILD_MOVES, BuildStatus, move
from headrace.resources.api_keys import service as api_keys
from headrace.resources.builds import debugging, queue, repository, restarts, service, volumes
from headrace.resources.builds.schemas import Build
from headrace.resources.builds.secrets import KEY, DatabaseSecrets
from headrace.resources.builds.volumes import VolumeLimits
from headrace.resources.runtime_environments import service as environments
from headrace.resources.runtime_environments.schemas import DEFAULT, Worker
from headrace.storage import signals
from headrace.storage.engine import AWAY, Database, cause
from headrace.storage.signals import Signals

_log = logging.getLogger(__name__)

LEASE_S = 20.0
_RENEW_S = 5.0
_POLL_S = 1.0
_PATIENCE_S = 60.0  # how long a report waits for a database that is away
_THREADS = 4  # of PostgreSQL; SQLite has one writer at a time
# What a build's own key may do: run pipelines, read what became of them.
KEY_SCOPES = ("pipeline:run", "pipeline:read", "build:read")

Result = TypeVar("Result")


class Addresses(msgspec.Struct, frozen=True):
    """Where the server is reached."""

    public_url: str  # by people
    step_url: str  # by steps: ``CF_URL``


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker says of itself."""

    environment: str = DEFAULT  # the runtime environment whose builds it takes
    runtime: str = ""
    capacity: int = 0  # builds at a time


class DatabaseFeed:
    """Builds from the database. Order of calls: `start`, then the port's, then `close`.

    Args:
        database: where the queue is.
        hub: wakes this feed.
        secrets: is told the key of each claimed build.
        locks: folder of lock files: on one machine they tell which workers live.
        addresses: what a build is told of the server.
        limits: which volumes are kept for later builds.
        place: which builds this worker takes, and what it reports of itself.
        poll_s: seconds after which the feed looks again where no signal came.
    """

    def __init__(
        self,
        database: Database,
        hub: Signals,
        *,
        secrets: DatabaseSecrets,
        locks: Path,
        addresses: Addresses,
        limits: VolumeLimits | None = None,
        place: Place | None = None,
        poll_s: float = _POLL_S,
    ) -> None:
        self.owner = new_id()
        self._database = database
        self._hub = hub
        self._secrets = secrets
        self._locks = locks
        self._addresses = addresses
        self._limits = limits or VolumeLimits()
        self._place = place or Place()
        self._started_at = datetime.now(UTC)
        self._poll_s = poll_s
        self._pool = ThreadPoolExecutor(1 if database.is_sqlite else _THREADS, thread_name_prefix="feed")
        self._stops: dict[str, asyncio.Event] = {}  # one for each build that is held
        self._strays: frozenset[str] = frozenset()
        self._lock_file = -1
        self._open = contextlib.ExitStack()
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take the lock that shows this worker alive, and take over what dead ones left."""
        self._locks.mkdir(parents=True, exist_ok=True)
        fresh = self._locks / f"{self.owner}.new"  # others see the lock when it is taken, not before
        self._lock_file = os.open(fresh, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock_file, fcntl.LOCK_EX)
        fresh.rename(self._locks / f"{self.owner}.lock")
        self._queued = self._open.enter_context(self._hub.listening(service.QUEUED))
        self._stopped = self._open.enter_context(self._hub.listening(service.STOPPED))
        await self._in_transaction(self._take_over)
        await self._in_transaction(self._report)
        self._keeper = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Give back what is still held. Safe twice."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
            await self._in_transaction(self._leave)
            self._open.close()
            os.close(self._lock_file)
            (self._locks / f"{self.owner}.lock").unlink(missing_ok=True)
            self._pool.shutdown()

    def _leave(self, db: Connection) -> None:
        queue.give_back(db, self.owner)
        environments.retire(db, self.owner)

    def _report(self, db: Connection) -> None:
        """Say that this worker lives."""
        worker = Worker(
            id=self.owner,
            environment=self._place.environment,
            runtime=self._place.runtime,
            host=socket.gethostname()[:255],
            capacity=self._place.capacity,
            running=len(self._stops),
            started_at=self._started_at,
            seen_at=datetime.now(UTC),
        )
        environments.report(db, worker)

    async def alive(self) -> frozenset[str]:
        """Return the ids of builds whose volumes and containers are still needed."""
        return await self._in_transaction(queue.unended)

    async def surplus(self, sizes: Mapping[str, int]) -> frozenset[str]:
        """Return which volumes of this machine are to be removed; see `volumes.drop_surplus`."""
        return await self._in_transaction(lambda db: volumes.drop_surplus(db, sizes, self._limits))

    async def claim(self) -> BuildOrder | None:
        """Claim the next build; see `BuildFeed.claim`."""
        try:
            claimed = await self._in_transaction(self._claim)
        except AWAY as failure:
            _log.warning("no build can be claimed: %s", cause(failure))
            return None
        if claimed is None:
            return None
        build_id = claimed.order.build_id
        self._stops[build_id] = asyncio.Event()
        if claimed.stop_requested:
            self._stops[build_id].set()
        return claimed.order

    def _claim(self, db: Connection) -> queue.Claim | None:
        claimed = queue.claim(db, self.owner, lease_s=LEASE_S, environment=self._place.environment)
        if claimed is None:
            return None
        order = claimed.order
        key = api_keys.mint_for_build(
            db,
            order.build_id,
            account_id=order.account_id,
            user_id=claimed.user_id,
            scopes=KEY_SCOPES,
            now=datetime.now(UTC),
        )
        self._secrets.hold(order.build_id, order.account_id, key)
        told: dict[str, str | SecretRef] = {
            "CF_URL": self._addresses.step_url,
            "CF_BUILD_URL": f"{self._addresses.public_url}/build/{order.build_id}",
            "CF_API_KEY": SecretRef(KEY),
        }
        volume = volumes.take(db, claimed)
        if claimed.volume_from and not volume and order.attempt == 1:
            order = restarts.clone_again(db, order)
        order = msgspec.structs.replace(
            order,
            variables={**order.variables, **told},
            volume=volume,
            keep_volume=self._keeps(claimed.pipeline_id),
        )
        return msgspec.structs.replace(claimed, order=order)

    def _keeps(self, pipeline_id: str | None) -> bool:
        return pipeline_id is not None and self._limits.days > 0

    async def wake(self, timeout_s: float) -> None:
        """Return when there may be a build; see `BuildFeed.wake`."""
        await self._queued.next(timeout_s)

    async def build_started(self, build_id: str) -> None:
        """Say that the build is running; one that was taken up again is already."""

        def store(db: Connection) -> None:
            build = self._held(db, build_id)
            if build.status is not BuildStatus.ELECTED:
                return
            now = datetime.now(UTC)
            self._change(
                db,
                build,
                status=move(build.status, BuildStatus.RUNNING),
                started_at=build.started_at or now,
            )

        await self._patiently(store)

    async def step_changed(self, build_id: str, state: StepState) -> None:
        """Store the state of a step."""

        def store(db: Connection) -> None:
            self._hold(db, build_id)
            repository.store_step(db, build_id, state)
            signals.publish(db, service.changed(build_id))

        await self._patiently(store)

    async def waiting(self, build_id: str, step: str, until: datetime, on_timeout: str) -> None:
        """Say that the build waits for an approval."""

        def store(db: Connection) -> None:
            build = self._held(db, build_id)
            if build.status is BuildStatus.TERMINATING:
                self._close(db, build, BuildStatus.TERMINATED, "terminated")
                return
            self._change(
                db,
                build,
                status=move(build.status, BuildStatus.PENDING_APPROVAL),
                waiting_step=step,
                waiting_until=until,
                waiting_final=on_timeout,
                decision=None,
                owner=None,
                lease_until=None,
            )
            signals.publish(db, service.QUEUED)

        await self._patiently(store)
        self._forget(build_id)

    async def finished(
        self, build_id: str, status: BuildStatus, reason: str = "", steps: Sequence[StepState] = ()
    ) -> None:
        """Say how the build ended, and the steps that end with it."""

        def store(db: Connection) -> None:
            build = self._held(db, build_id)
            for state in steps:
                repository.store_step(db, build_id, state)
            # A request to stop that came as the build ended by itself has the last word.
            final = status if status in BUILD_MOVES[build.status] else BuildStatus.TERMINATED
            if build.pipeline_id is not None and self._keeps(build.pipeline_id):
                volumes.leave(db, build.id, build.pipeline_id, now=datetime.now(UTC))
            self._close(db, build, final, reason)

        await self._patiently(store)
        self._forget(build_id)

    async def stop_requested(self, build_id: str) -> None:
        """Return when somebody asks this build to stop."""
        event = self._stops.get(build_id)
        await (asyncio.Event() if event is None else event).wait()

    async def debug_command(self, build_id: str, step: str, phase: Phase, after: str) -> DebugCommand:
        """Return the next command to a step that waits at a breakpoint, once there is one."""
        with self._hub.listening(debugging.asked(build_id)) as wait:
            while True:
                found = await self._in_transaction(
                    lambda db: debugging.first(db, build_id, step, phase, after=after)
                )
                if found is not None:
                    return found
                await wait.next(self._poll_s)

    async def release(self, build_id: str) -> None:
        """Give a claim back unfinished."""

        def store(db: Connection) -> None:
            queue.give_back(db, self.owner, build_id)
            signals.publish(db, service.QUEUED)

        try:
            await self._in_transaction(store)
        finally:  # what the database did not hear is given back once it answers: see `_give_back_strays`
            self._forget(build_id)

    async def _patiently(self, work: Callable[[Connection], None]) -> None:
        """Store what became of a build, again where the database is away: it is as true said twice."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _PATIENCE_S
        while True:
            try:
                return await self._in_transaction(work)
            except AWAY as failure:
                if loop.time() >= until:
                    raise
                _log.warning("a report waits for the database: %s", cause(failure))
                await asyncio.sleep(self._poll_s)

    async def _in_transaction(self, work: Callable[[Connection], Result]) -> Result:
        def run() -> Result:
            with self._database.transaction() as db:
                return work(db)

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)

    def _hold(self, db: Connection, build_id: str) -> None:
        """Make sure that this worker still holds the build."""
        if not repository.hold(db, build_id, self.owner, now=datetime.now(UTC)):
            raise ClaimLost(f"build {build_id} is held by another worker, or has ended")

    def _held(self, db: Connection, build_id: str) -> Build:
        self._hold(db, build_id)
        build = repository.anybody_s(db, build_id)
        if build is None:
            raise ClaimLost(f"build {build_id} is gone")
        return build

    def _change(self, db: Connection, build: Build, **values: object) -> None:
        repository.change(db, build.id, **values)
        service.tell(db, build.account_id, build.id)

    def _close(self, db: Connection, build: Build, status: BuildStatus, reason: str) -> None:
        service.close(db, build, status, reason=reason, now=datetime.now(UTC))

    def _forget(self, build_id: str) -> None:
        self._stops.pop(build_id, None)
        self._secrets.forget(build_id)

    async def _keep(self) -> None:
        """Renew leases, hear requests to stop, end waits that are due, bury dead workers."""
        loop = asyncio.get_running_loop()
        renewed = loop.time()
        while True:
            await self._stopped.next(self._poll_s)
            renew = loop.time() - renewed >= _RENEW_S
            try:
                look = functools.partial(self._look, frozenset(self._stops), renew=renew)
                stopping = await self._in_transaction(look)
            except AWAY as failure:
                _log.warning("the queue cannot be looked after: %s", cause(failure))
                continue
            except (SQLAlchemyError, ApiError, OSError):
                _log.exception("the queue could not be looked after; trying again in %g s", self._poll_s)
                continue
            for build_id in stopping:
                if build_id in self._stops:
                    self._stops[build_id].set()
            if renew:
                renewed = loop.time()

    def _look(self, holds: frozenset[str], db: Connection, *, renew: bool) -> list[str]:
        if renew:
            queue.renew(db, self.owner, lease_s=LEASE_S)
            self._give_back_strays(db, holds)
            self._report(db)
        for build, decision in queue.due(db):
            with contextlib.suppress(BadRequest):  # another server was quicker
                service.decide(db, build, decision, now=datetime.now(UTC))
        self._take_over(db)
        return queue.to_stop(db, self.owner) if holds else []

    def _give_back_strays(self, db: Connection, holds: frozenset[str]) -> None:
        """Free builds that are this worker's in the database alone, where a claim or its end was not heard.

        One that was just claimed looks the same for a moment, so it takes two looks.
        """
        strays = queue.held(db, self.owner) - holds
        for build_id in strays & self._strays:
            _log.warning("build %s is given back: this worker does not know of it", build_id)
            queue.give_back(db, self.owner, build_id)
            signals.publish(db, service.QUEUED)
        self._strays = strays

    def _take_over(self, db: Connection) -> None:
        """Free the builds of workers that died on this machine: their locks are free."""
        for owner, path in self._dead():
            queue.give_back(db, owner)
            path.unlink(missing_ok=True)
            signals.publish(db, service.QUEUED)

    def _dead(self) -> Iterator[tuple[str, Path]]:
        for path in self._locks.glob("*.lock"):
            if path.stem == self.owner:
                continue
            try:
                handle = os.open(path, os.O_RDWR)
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            else:
                yield path.stem, path
            finally:
                os.close(handle)
