"""What execution relies on: the promises of `execution.ports.BuildFeed`, kept by every feed."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from conformance.feed_kinds import DEADLINE_S, PLAN, Memory, Queue
from headrace.execution.ports import Decision, Pause, StepState
from headrace.pipeline.status import BuildStatus, StepStatus


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def engine_name(request):
    """What holds the builds: the fake, or the database of this engine."""
    return request.param


@pytest.fixture
async def builds(engine_name, request, tmp_path):
    if engine_name == "memory":
        yield Memory()
        return
    async with contextlib.AsyncExitStack() as stack:
        found = Queue(request.getfixturevalue("database"), tmp_path, stack)
        yield found
    found.hub.close()


async def running(builds, feed):
    build_id = builds.start()
    assert (await feed.claim()).build_id == build_id
    await feed.build_started(build_id)
    return build_id


async def waiting(builds, feed):
    build_id = await running(builds, feed)
    await feed.step_changed(build_id, StepState(name="unit", status=StepStatus.PENDING_APPROVAL))
    await feed.waiting(build_id, "unit", datetime.now(UTC) + timedelta(hours=1), "terminated")
    return build_id


async def test_there_is_nothing_to_claim_in_an_empty_queue(builds):
    feed = await builds.worker()
    assert await feed.claim() is None


async def test_an_order_is_that_of_a_new_build(builds):
    feed = await builds.worker()
    build_id = builds.start()
    order = await feed.claim()
    assert (order.build_id, order.plan, order.attempt) == (build_id, PLAN, 1)
    assert (order.steps, order.decision) == ({}, None)


async def test_the_oldest_build_comes_first_and_each_once(builds):
    feed = await builds.worker()
    started = [builds.start() for _ in range(3)]
    assert [(await feed.claim()).build_id for _ in range(3)] == started
    assert await feed.claim() is None


async def test_reports_move_a_build_to_its_end(builds):
    feed = await builds.worker()
    build_id = await running(builds, feed)
    assert builds.build(build_id).status is BuildStatus.RUNNING
    await feed.step_changed(build_id, StepState(name="unit", status=StepStatus.RUNNING))
    await feed.finished(build_id, BuildStatus.ERROR, "unit failed")
    assert builds.build(build_id).status is BuildStatus.ERROR
    assert await feed.claim() is None


async def test_the_steps_that_end_with_a_build_are_stored_with_its_end(builds):
    feed = await builds.worker()
    build_id = await running(builds, feed)
    state = StepState(name="unit", status=StepStatus.RUNNING)
    await feed.step_changed(build_id, state)
    ended = msgspec.structs.replace(state, status=StepStatus.ERROR, reason="no room")
    await feed.finished(build_id, BuildStatus.ERROR, "no room", [ended])
    assert builds.steps(build_id) == {"unit": ended}


async def test_a_released_build_comes_back_with_its_steps(builds):
    feed = await builds.worker()
    build_id = await running(builds, feed)
    state = StepState(name="unit", status=StepStatus.SUCCESS, exports={"A": "1"})
    await feed.step_changed(build_id, StepState(name="unit", status=StepStatus.RUNNING))
    await feed.step_changed(build_id, state)
    await feed.release(build_id)
    order = await feed.claim()
    assert (order.build_id, order.attempt, order.steps) == (build_id, 2, {"unit": state})
    await feed.build_started(build_id)
    assert builds.build(build_id).status is BuildStatus.RUNNING


async def test_releasing_an_ended_or_waiting_build_does_nothing(builds):
    feed = await builds.worker()
    ended = await running(builds, feed)
    await feed.finished(ended, BuildStatus.SUCCESS)
    waits = await waiting(builds, feed)
    await feed.release(ended)
    await feed.release(waits)
    assert await feed.claim() is None
    assert builds.build(ended).status is BuildStatus.SUCCESS
    assert builds.build(waits).status is BuildStatus.PENDING_APPROVAL


@pytest.mark.parametrize("result", ["approved", "denied"])
async def test_a_decision_brings_a_waiting_build_back(builds, result):
    feed = await builds.worker()
    build_id = await waiting(builds, feed)
    assert await feed.claim() is None
    builds.decide(build_id, result)
    order = await feed.claim()
    assert order.decision == Decision(step="unit", result=result, by=("ada", "user"))
    assert order.steps["unit"].status is StepStatus.PENDING_APPROVAL


async def test_a_step_at_a_breakpoint_hears_one_command_after_the_other(builds):
    feed = await builds.worker()
    build_id = await running(builds, feed)
    now = datetime.now(UTC)
    pause = Pause(phase="before", since=now, until=now + timedelta(minutes=15))
    await feed.step_changed(build_id, StepState(name="unit", status=StepStatus.RUNNING, paused=pause))
    hearing = asyncio.ensure_future(feed.debug_command(build_id, "unit", "before", ""))
    builds.debug(build_id, "env")
    first = await asyncio.wait_for(hearing, DEADLINE_S)
    builds.debug(build_id, "ls")
    assert await feed.debug_command(build_id, "unit", "before", "") == first
    second = await asyncio.wait_for(feed.debug_command(build_id, "unit", "before", first.id), DEADLINE_S)
    assert [(one.action, one.text) for one in (first, second)] == [("run", "env"), ("run", "ls")]
    elsewhere = asyncio.ensure_future(feed.debug_command(build_id, "unit", "after", ""))
    assert not (await asyncio.wait([elsewhere], timeout=0))[0]
    elsewhere.cancel()


async def test_a_running_build_hears_that_it_is_to_stop(builds):
    feed = await builds.worker()
    build_id = await running(builds, feed)
    stop = asyncio.create_task(feed.stop_requested(build_id))
    builds.terminate(build_id)
    await asyncio.wait_for(stop, DEADLINE_S)
    assert builds.build(build_id).status is BuildStatus.TERMINATING
    await feed.finished(build_id, BuildStatus.TERMINATED)
    assert builds.build(build_id).status is BuildStatus.TERMINATED


async def test_nobody_is_told_to_stop_who_is_not_asked_to(builds):
    feed = await builds.worker()
    build_id = await running(builds, feed)
    stop = asyncio.create_task(feed.stop_requested(build_id))
    await feed.step_changed(build_id, StepState(name="unit", status=StepStatus.RUNNING))
    assert not stop.done()
    stop.cancel()


async def test_a_build_that_came_before_the_wait_wakes_too(builds):
    feed = await builds.worker()
    assert await feed.claim() is None
    builds.start()
    await asyncio.wait_for(feed.wake(DEADLINE_S * 6), DEADLINE_S)


async def test_a_wait_for_nothing_ends_in_time(builds):
    feed = await builds.worker()
    await asyncio.wait_for(feed.wake(0.01), DEADLINE_S)
