"""The feeds that the conformance suite runs on: the queue in a database, and the fake in memory."""

import asyncio
from datetime import UTC, datetime

from fakes import MemoryFeed, MovedClock
from headrace.execution.ports import Decision
from headrace.integrations.clusters import Networks
from headrace.kit.crypto import SecretBox
from headrace.kit.ids import new_id
from headrace.pipeline.plan import Plan, PlannedStep, RunCommands
from headrace.resources.accounts import service as accounts
from headrace.resources.builds import debugging, queue, repository, service
from headrace.resources.builds.feed import Addresses, DatabaseFeed
from headrace.resources.builds.schemas import BuildRequest, DebugBody
from headrace.resources.builds.secrets import DatabaseSecrets
from headrace.resources.users import service as users
from headrace.storage.signals import Signals

DEADLINE_S = 10
PLAN = Plan(
    steps=(
        PlannedStep(
            name="unit",
            type="freestyle",
            title="unit",
            action=RunCommands(image="alpine", commands=("true",)),
        ),
    )
)
ADDRESSES = Addresses(public_url="http://ci.example", step_url="http://steps.example")


class Queue:
    """One database with its account, and the workers that a test starts on it."""

    def __init__(self, database, tmp_path, stack):
        self.database, self._stack = database, stack
        self.box = SecretBox({"test": b"k" * 32})
        self.locks = tmp_path / "workers"
        self.hub = Signals(database)
        self.hub.start()
        now = datetime.now(UTC)
        with database.transaction() as db:
            self.account = accounts.create(db, "acme", now=now)
            self.user = users.create(
                db, self.account.id, "ada", password=None, is_account_admin=True, now=now
            )

    async def worker(self, *, locks=None, poll_s=0.05, limits=None):
        feed = DatabaseFeed(
            self.database,
            self.hub,
            secrets=DatabaseSecrets(self.database, self.box, Networks()),
            locks=locks or self.locks,
            addresses=ADDRESSES,
            limits=limits,
            poll_s=poll_s,
        )
        await feed.start()
        self._stack.push_async_callback(feed.close)
        return feed

    def start(self, **more):
        values = {
            "build_id": new_id(),
            "account_id": self.account.id,
            "user_id": self.user.id,
            "initiator": "ada",
            "pipeline_id": "b" * 24,
            "pipeline_name": "demo/ci",
            "project": "demo",
            "plan": PLAN,
            "yaml": "version: '1.0'",
            "variables": {},
            "trigger_kind": "build",
        }
        with self.database.transaction() as db:
            return service.start(db, BuildRequest(**values | more))

    def build(self, build_id):
        with self.database.reading() as db:
            return repository.anybody_s(db, build_id)

    def steps(self, build_id):
        with self.database.reading() as db:
            return repository.steps(db, build_id)

    def terminate(self, build_id):
        with self.database.transaction() as db:
            service.terminate(db, service.find(db, self.account.id, build_id))

    def decide(self, build_id, result):
        with self.database.transaction() as db:
            build = service.find(db, self.account.id, build_id)
            decision = Decision(step=build.waiting_step, result=result, by=("ada", "user"))
            service.decide(db, build, decision, now=datetime.now(UTC))

    def debug(self, build_id, script):
        with self.database.transaction() as db:
            build = service.find(db, self.account.id, build_id)
            debugging.ask(db, build, "ada", DebugBody(action="run", script=script))

    def expire(self, feed):
        """Let the lease of a worker run out, as if it had hung for long."""
        with self.database.transaction() as db:
            queue.renew(db, feed.owner, lease_s=-1)


class Memory:
    """The fake, with the same handles for a test."""

    def __init__(self):
        self.feed = MemoryFeed(MovedClock())

    async def worker(self):
        return self.feed

    def start(self):
        return self.feed.enqueue(PLAN).build_id

    def build(self, build_id):
        return self.feed.builds[build_id]

    def steps(self, build_id):
        return self.feed.builds[build_id].steps

    def terminate(self, build_id):
        self.feed.builds[build_id].stop.set()

    def decide(self, build_id, result):
        self.feed.decide(self.feed.builds[build_id], result, by=("ada", "user"))

    def debug(self, build_id, script):
        self.feed.debug(self.feed.builds[build_id], "unit", "before", "run", script)


async def until(holds):
    """Wait until a condition holds."""
    async with asyncio.timeout(DEADLINE_S):
        while not holds():  # noqa: ASYNC110 - a row of a database tells nobody
            await asyncio.sleep(0.01)
