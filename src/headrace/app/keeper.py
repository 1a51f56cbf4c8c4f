"""What a server does by itself: times, builds without a worker, reports to Git hosts, what is deleted."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

from headrace.app.installation import Installation
from headrace.resources.answers import service as answers
from headrace.resources.audit import service as audit
from headrace.resources.builds import service as builds
from headrace.resources.events import reports, scheduler
from headrace.resources.removals import service as removals
from headrace.resources.runtime_environments import service as environments

_log = logging.getLogger(__name__)

_LOOK_S = 1.0
_REST_S = 10.0  # after a failure
_TIDY_S = 3600.0


@contextlib.asynccontextmanager
async def keeping(installation: Installation, public_url: str) -> AsyncIterator[None]:
    """Do so while the block lasts. Several servers of one installation may."""
    box, database = installation.box, installation.database

    apart, told_apart = scheduler.Apart(), scheduler.Apart()

    def fire() -> None:
        scheduler.tick(database, box, installation.networks, base_url=public_url, apart=apart)

    def look_after() -> None:
        now = datetime.now(UTC)
        with database.transaction() as db:
            builds.delay(db, environments.look_after(db, now), now=now)

    def report() -> None:
        reports.tell(database, box, installation.networks, public_url=public_url, apart=told_apart)

    def tidy() -> None:
        with database.transaction() as db:
            answers.forget(db, datetime.now(UTC))
            audit.forget(db, datetime.now(UTC), days=installation.settings.audit_days)

    def clear() -> None:
        removals.clear(database, installation.forget_files)

    # A host that is slow keeps no time from coming: each has a task of its own.
    tasks = [
        asyncio.create_task(_again(work, pause_s))
        for work, pause_s in (
            (fire, _LOOK_S),
            (look_after, _REST_S),
            (report, _LOOK_S),
            (tidy, _TIDY_S),
            (clear, _REST_S),
        )
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _again(work: Callable[[], None], pause_s: float) -> None:
    while True:
        rest_s = pause_s
        try:
            await asyncio.to_thread(work)
        except Exception:  # noqa: BLE001 - one bad row must not end the clock of all others
            _log.exception("%s failed; trying again in %g s", work.__name__, _REST_S)
            rest_s = _REST_S
        await asyncio.sleep(rest_s)
