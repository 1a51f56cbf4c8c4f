"""What a worker does for the environments on its engine: carries out wishes, and tells how they are."""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from headrace.resources.environments import keeping
from headrace.resources.environments import service as environments
from headrace.resources.environments.schemas import Environment
from headrace.runtimes.base import EngineFailed, Environments
from headrace.storage.engine import Database
from headrace.storage.signals import Signals

_log = logging.getLogger(__name__)
Result = TypeVar("Result")

_POLL_S = 2.0  # signals of another process do not come through SQLite
_LOOK_EVERY = 5  # polls


class EnvironmentKeeper:
    """Looks after the environments of one engine, for all accounts. `run` it once, as a task."""

    def __init__(self, database: Database, hub: Signals, environments: Environments) -> None:
        self._database, self._hub, self._environments = database, hub, environments
        self._engine = ""

    async def run(self) -> None:
        """Look after them until it is cancelled; no failure ends it."""
        with self._hub.listening(environments.WISHED) as news:
            polls = 0
            while True:
                try:
                    if polls % _LOOK_EVERY == 0 or await self._is_wanted():
                        await self.look()
                except (EngineFailed, SQLAlchemyError) as failure:
                    _log.warning("environments could not be looked after, trying again: %s", failure)
                polls = 0 if await news.next(_POLL_S) else polls + 1

    async def _is_wanted(self) -> bool:
        return any(one.wish for one in await self._rows())

    async def _rows(self) -> list[Environment]:
        def read() -> list[Environment]:
            with self._database.reading() as db:
                return keeping.known(db, self._engine)

        return await asyncio.to_thread(read)

    async def look(self) -> None:
        """Compare the records with the engine once, and do what is to be done."""
        self._engine = self._engine or await self._environments.engine()
        before = await self._rows()
        found = await self._environments.found()
        if not before and not found:
            return
        work = await self._in_transaction(lambda db: keeping.compare(db, self._engine, before, found))
        for one in work.wishes:
            await self._carry_out(one)
        for orphan in work.orphans:
            _log.info("environment %s is on no record any more; removing what is left of it", orphan)
            await self._environments.remove(orphan)

    async def _carry_out(self, one: Environment) -> None:
        try:
            if one.wish == "terminate":
                await self._environments.remove(one.id)
                await self._in_transaction(lambda db: environments.failed(db, one.account_id, one.id))
                return
            if one.wish:
                await self._environments.change(one.id, one.wish)
            services = (await self._environments.found()).get(one.id, ())
            await self._in_transaction(lambda db: keeping.done(db, one, services))
        except EngineFailed as failure:
            reason = f"to {one.wish} it failed: {failure}"
            _log.warning("environment %s: %s", one.id, reason)
            await self._in_transaction(lambda db: keeping.refused(db, one, reason))

    async def _in_transaction(self, work: Callable[[Connection], Result]) -> Result:
        def run() -> Result:
            with self._database.transaction() as db:
                return work(db)

        return await asyncio.to_thread(run)
