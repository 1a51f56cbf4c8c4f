"""Runs builds: inside the server, and as ``headrace worker``."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator

import uvloop

from headrace.app.environments import EnvironmentKeeper
from headrace.app.installation import CannotOpenInstallation, Installation
from headrace.app.logging import start_logging
from headrace.app.settings import Settings
from headrace.resources.builds.feed import Addresses
from headrace.runtimes.base import Runtime
from headrace.storage import migrations

_log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def working(
    installation: Installation, runtime: Runtime, addresses: Addresses
) -> AsyncIterator[asyncio.Task[None]]:
    """Run builds while the block lasts; yield the task, which ends only if the worker fails."""
    worker, feed = installation.worker(runtime, addresses)
    await feed.start()
    task = asyncio.create_task(worker.run())
    keeper = asyncio.create_task(_keep_environments(installation, runtime))
    try:
        yield task
    finally:
        await worker.stop(installation.settings.drain_s)
        keeper.cancel()
        await asyncio.gather(task, keeper, return_exceptions=True)
        await feed.close()
        await runtime.close()


async def _keep_environments(installation: Installation, runtime: Runtime) -> None:
    """Look after what outlives its builds, where something can."""
    if runtime.environments is not None:
        keeper = EnvironmentKeeper(installation.database, installation.hub, runtime.environments)
        await keeper.run()


def until_signal() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, event.set)
    return event


def work(settings: Settings) -> int:
    """Run builds until a signal; return the exit code."""
    start_logging(settings.log_level)
    try:
        return uvloop.run(_work(settings))
    except (CannotOpenInstallation, migrations.SchemaTooNew, ValueError) as problem:
        _log.error("%s", problem)
        return 1


async def _work(settings: Settings) -> int:
    stop = until_signal()
    installation = Installation(settings)
    installation.open()
    runtime = installation.runtime()
    public = settings.public_url or f"http://{settings.host}:{settings.port}"
    addresses = Addresses(public_url=public, step_url=settings.step_url or public)
    _log.info("worker: %d builds at a time, runtime %s", settings.slots, runtime.name)
    try:
        async with working(installation, runtime, addresses) as task:
            await asyncio.wait(
                {task, asyncio.ensure_future(stop.wait())}, return_when=asyncio.FIRST_COMPLETED
            )
            failed = task.done()
    finally:
        installation.close()
    return 1 if failed else 0
