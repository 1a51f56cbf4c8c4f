import asyncio

import pytest

from fakes import MemoryFeed, MemoryLogs, MemoryRecords, MemoryReports, MemorySecrets, MovedClock
from headrace.execution.ports import ClaimLost
from headrace.execution.settings import ExecutionSettings
from headrace.execution.worker import Worker
from headrace.pipeline.compile import compile_plan
from headrace.pipeline.status import BuildStatus
from headrace.runtimes.fake import FakeRuntime

QUICK = "{version: '1.0', steps: {a: {image: alpine, commands: ['true']}}}"
SLOW = "{version: '1.0', steps: {a: {image: alpine, commands: ['echo started', 'trap - TERM', 'sleep 600']}}}"


class Plant:
    """A worker, and what it needs."""

    def __init__(self, *, slots=2, clock=None):
        self.clock = clock or MovedClock()
        self.feed, self.logs, self.runtime = MemoryFeed(self.clock), MemoryLogs(), FakeRuntime(self.clock)
        self.worker = Worker(
            runtime=self.runtime,
            feed=self.feed,
            logs=self.logs,
            secrets=MemorySecrets(),
            records=MemoryRecords(),
            reports=MemoryReports(),
            clock=self.clock,
            settings=ExecutionSettings(inactivity_s=0, poll_s=5),
            slots=slots,
        )

    def enqueue(self, text):
        return self.feed.enqueue(compile_plan(text, variables={}))

    async def __aenter__(self):
        self.task = asyncio.ensure_future(self.worker.run())
        return self

    async def __aexit__(self, *_):
        async with asyncio.timeout(10):
            await self.worker.stop(0)
            await self.task


class StoppedClock(MovedClock):
    """Time stands still: a step that sleeps runs until it is stopped."""

    async def sleep(self, seconds):  # noqa: ARG002
        await asyncio.Event().wait()


async def ended(record):
    async with asyncio.timeout(10):
        await record.ended.wait()


async def started(plant, *records):
    async with asyncio.timeout(10):
        for record in records:
            await record.until(lambda this: "started" in plant.logs.text(this.build_id, "a"))


async def test_builds_run_as_soon_as_they_are_enqueued():
    async with Plant() as plant:
        for _ in range(5):
            record = plant.enqueue(QUICK)
            await ended(record)
            assert record.status is BuildStatus.SUCCESS


async def test_no_more_builds_run_than_there_are_slots():
    async with Plant(slots=2, clock=StoppedClock()) as plant:
        records = [plant.enqueue(SLOW) for _ in range(3)]
        await started(plant, *records[:2])
        assert records[2].status is BuildStatus.PENDING
        records[0].stop.set()
        await started(plant, records[2])


async def test_a_stop_releases_builds_whose_steps_can_be_adopted():
    plant = Plant(clock=StoppedClock())
    record = plant.enqueue(SLOW)
    async with plant:
        await started(plant, record)
    assert record.status is BuildStatus.PENDING
    assert not plant.runtime.workspaces[record.build_id].destroyed


async def test_a_stop_ends_steps_that_would_die_with_the_worker_and_keeps_their_volume():
    plant = Plant(clock=StoppedClock())
    plant.runtime.adopts = False
    record = plant.enqueue(SLOW)
    async with plant:
        await started(plant, record)
    workspace = plant.runtime.workspaces[record.build_id]
    assert record.status is BuildStatus.PENDING
    assert workspace.destroyed
    assert "cf_export" in workspace.files


async def test_a_feed_that_fails_for_a_while_does_not_end_the_loop(caplog):
    plant = Plant()
    claim, failures = plant.feed.claim, iter([OSError("no database")] * 3)

    async def unsteady():
        if failure := next(failures, None):
            raise failure
        return await claim()

    plant.feed.claim = unsteady
    async with plant:
        await ended(plant.enqueue(QUICK))
    assert caplog.text.count("builds cannot be claimed") == 3


async def test_a_build_whose_end_cannot_be_reported_is_released_and_runs_again():
    plant = Plant()
    finished, failures = plant.feed.finished, iter([OSError("no database")] * 2)

    async def unsteady(*words):
        if failure := next(failures, None):
            raise failure
        await finished(*words)

    plant.feed.finished = unsteady
    async with plant:
        record = plant.enqueue(QUICK)
        await ended(record)
    assert (record.status, record.attempt) == (BuildStatus.SUCCESS, 2)


@pytest.mark.parametrize("alive", [frozenset(), frozenset({"kept"})])
async def test_what_other_builds_left_is_swept_at_the_start(alive):
    plant = Plant()

    async def living():
        return alive

    plant.worker._alive = living
    workspace = await plant.runtime.open("kept")
    async with plant:
        await ended(plant.enqueue(QUICK))
    assert workspace.destroyed is not bool(alive)


async def test_surplus_volumes_are_removed_others_stay():
    plant = Plant()
    for name in ("old", "new"):
        await (await plant.runtime.open("b1", volume=name)).write("file", b"text")
        plant.runtime.workspaces.clear()

    async def surplus(sizes):
        assert sizes == {"old": 4, "new": 4}
        removed.set()
        return frozenset({"old"})

    removed = asyncio.Event()
    plant.worker._surplus = surplus
    async with plant:
        await asyncio.wait_for(removed.wait(), 10)
        await ended(plant.enqueue(QUICK))
    assert set(plant.runtime.files) >= {"new"}
    assert "old" not in plant.runtime.files


async def test_a_worker_that_lost_its_claim_does_not_end_the_build():
    async with Plant() as plant:
        record = plant.enqueue(SLOW.replace("sleep 600", "sleep 1"))

        async def taken(*_):
            raise ClaimLost("another worker holds it")

        plant.feed.step_changed = taken
        async with asyncio.timeout(10):
            while plant.worker._builds or record.attempt == 0:  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert not record.status.is_final
        assert record.reason == ""
