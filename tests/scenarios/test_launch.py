"""Launching an environment: what is left of it when something goes wrong on the way."""

import asyncio

import pytest

from fakes import Killed, MemoryFeed, MemoryLogs, MemoryRecords, MemoryReports, MemorySecrets, MovedClock
from headrace.execution.run import run
from headrace.execution.settings import ExecutionSettings
from headrace.pipeline.compile import compile_plan
from headrace.pipeline.status import BuildStatus
from headrace.runtimes.fake import FakeRuntime
from headrace.runtimes.local import LocalRuntime

REGISTRIES = [
    {"name": "main", "domain": "r.example.org", "username": "u", "password": "main-pass", "is_default": True},
    {"name": "other", "domain": "r.example.org", "username": "u", "password": "other-pass"},
]
SERVICES = {"web": {"image": "alpine", "command": "sleep 300"}}


class Site:
    """One build with one step, and the machine."""

    def __init__(self, services=SERVICES, runtime=None, **fields):
        self.clock = MovedClock()
        self.feed, self.logs, self.records = MemoryFeed(self.clock), MemoryLogs(), MemoryRecords()
        self.runtime = runtime or FakeRuntime(self.clock)
        step = {"type": "launch-composition", "composition": {"services": services}} | fields
        plan = compile_plan({"version": "1.0", "steps": {"shop": step}}, variables={})
        self.record = self.feed.enqueue(plan)

    async def play(self):
        order = await self.feed.claim()
        await run(
            order,
            runtime=self.runtime,
            feed=self.feed,
            logs=self.logs,
            secrets=MemorySecrets(registries=REGISTRIES),
            records=self.records,
            reports=MemoryReports(),
            clock=self.clock,
            settings=ExecutionSettings(inactivity_s=0),
        )
        return self.record.status

    @property
    def log(self):
        return self.logs.text(self.record.build_id, "shop")

    async def found(self):
        return await self.runtime.environments.found()


async def test_what_could_not_start_leaves_nothing_behind():
    broken = {"db": {"image": "alpine", "environment": {"FAKE_START_FAILS": "no room"}}}
    site = Site(SERVICES | broken)
    assert await site.play() is BuildStatus.ERROR
    assert "service 'db' did not start: no room" in site.log
    assert (await site.found(), site.records.environments) == ({}, {})


async def test_a_build_that_is_stopped_meanwhile_leaves_nothing_behind():
    site = Site()
    begun, never = asyncio.Event(), asyncio.Event()
    launch = site.runtime.environments.launch

    async def slowly(environment_id, services, *, say):
        await launch(environment_id, services, say=say)
        begun.set()
        await never.wait()

    site.runtime.environments.launch = slowly
    playing = asyncio.create_task(site.play())
    await begun.wait()
    site.record.stop.set()
    assert await playing is BuildStatus.TERMINATED
    assert (await site.found(), site.records.environments) == ({}, {})


async def test_one_that_was_replaced_while_it_started_is_taken_down():
    site = Site()
    launch = site.runtime.environments.launch

    async def replaced(environment_id, services, *, say):
        await launch(environment_id, services, say=say)
        site.records.environments.clear()

    site.runtime.environments.launch = replaced
    assert await site.play() is BuildStatus.ERROR
    assert "was terminated while it started" in site.log
    assert await site.found() == {}


@pytest.mark.parametrize("stored", [False, True])
async def test_after_a_crash_at_any_report_there_is_one(stored):
    calm = Site()
    await calm.play()
    for index in range(calm.feed.calls):
        site = Site()
        site.feed.dies_at, site.feed.dies_after_storing = index, stored
        with pytest.raises(Killed):
            await site.play()
        site.feed.crash()
        while not site.record.status.is_final:
            await site.play()
        assert site.record.status is BuildStatus.SUCCESS
        assert len(await site.found()) == 1
        assert site.records.environments.keys() == (await site.found()).keys()


async def test_the_local_runtime_refuses_with_the_cure(tmp_path):
    site = Site(runtime=LocalRuntime(tmp_path / "builds"))
    assert await site.play() is BuildStatus.ERROR
    assert "the local runtime starts nothing that outlives a build" in site.log
    assert "start the server with --runtime docker" in site.log
    assert site.records.environments == {}


async def test_registry_contexts_choose_the_login():
    commands = {}
    site = Site({"db": {"image": "r.example.org/db"}}, registry_contexts=["other"])
    launch = site.runtime.environments.launch

    async def noting(environment_id, services, *, say):
        commands.update(services)
        await launch(environment_id, services, say=say)

    site.runtime.environments.launch = noting
    assert await site.play() is BuildStatus.SUCCESS
    assert commands["db"].login.password == "other-pass"


async def test_a_name_that_is_too_long_is_refused():
    site = Site(environment_name="x" * 256)
    assert await site.play() is BuildStatus.ERROR
    assert "environment_name is longer than 255 characters" in site.log
