"""The queue in the database: limits, claims, leases, stops, decisions and keys, on both engines."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy.exc import OperationalError

from conformance.feed_kinds import DEADLINE_S, PLAN, until
from headrace.execution.ports import ClaimLost, Decision, SecretRef, StepState
from headrace.http.auth import Credential
from headrace.http.errors import BadRequest
from headrace.kit.clock import SystemClock
from headrace.pipeline.status import BuildStatus, StepStatus
from headrace.resources.api_keys import service as api_keys
from headrace.resources.builds import queue, service
from headrace.resources.builds.feed import LEASE_S
from headrace.resources.builds.schemas import Sealed
from headrace.resources.builds.secrets import KEY


async def running(builds, feed, **more):
    """Start a build and let a worker run it."""
    build_id = builds.start(**more)
    order = await feed.claim()
    assert order.build_id == build_id
    await feed.build_started(build_id)
    return build_id


async def waiting(builds, feed, *, for_s=3600, on_timeout="terminated"):
    """Start a build and bring it to its approval."""
    build_id = await running(builds, feed)
    await feed.step_changed(build_id, StepState(name="ask", status=StepStatus.PENDING_APPROVAL))
    await feed.waiting(build_id, "ask", datetime.now(UTC) + timedelta(seconds=for_s), on_timeout)
    return build_id


async def claimed(feed):
    """Return the next build, as soon as there is one."""
    async with asyncio.timeout(DEADLINE_S):
        while (order := await feed.claim()) is None:
            await feed.wake(0.05)
    return order


async def test_a_build_goes_from_pending_to_its_end(builds):
    feed = await builds.worker()
    build_id = builds.start()
    assert builds.build(build_id).status is BuildStatus.PENDING
    await feed.claim()
    assert builds.build(build_id).status is BuildStatus.ELECTED
    await feed.build_started(build_id)
    assert builds.build(build_id).status is BuildStatus.RUNNING
    await feed.finished(build_id, BuildStatus.ERROR, "unit failed")
    ended = builds.build(build_id)
    assert (ended.status, ended.error, ended.owner) == (BuildStatus.ERROR, "unit failed", None)
    assert ended.created_at <= ended.started_at <= ended.finished_at
    assert await feed.claim() is None


async def test_an_order_carries_what_the_build_was_given(builds):
    feed = await builds.worker()
    sealed = Sealed(builds.box.seal("hush", builds.account.id))
    build_id = builds.start(variables={"PORT": "5000", "TOKEN": sealed})
    order = await feed.claim()
    assert (order.plan, order.attempt, order.steps) == (PLAN, 1, {})
    assert order.variables["PORT"] == "5000"
    assert order.variables["CF_URL"] == "http://steps.example"
    assert order.variables["CF_BUILD_URL"] == f"http://ci.example/build/{build_id}"
    assert await feed._secrets.open(build_id, order.variables["TOKEN"]) == "hush"


async def test_the_key_of_a_build_lives_as_long_as_the_build(builds):
    feed = await builds.worker()
    authenticate = api_keys.Authenticator(lambda *_: None, SystemClock())
    build_id = await running(builds, feed)
    order_key = await feed._secrets.open(build_id, SecretRef(KEY))

    def caller():
        with builds.database.reading() as db:
            return authenticate(db, Credential("api-key", order_key))

    held = caller()
    assert (held.build_id, held.account_id) == (build_id, builds.account.id)
    assert held.may("pipeline:run")
    assert not held.may("pipeline:write")
    await feed.finished(build_id, BuildStatus.SUCCESS)
    assert caller() is None


async def test_a_repeated_request_starts_one_build(builds):
    first = builds.start(request_id="same")
    assert builds.start(request_id="same") == first
    assert builds.start(request_id="other") != first


async def test_two_workers_never_hold_the_same_build(builds):
    feeds = [await builds.worker(), await builds.worker()]
    started = {builds.start() for _ in range(20)}

    async def drain(feed):
        found = []
        while order := await feed.claim():
            found.append(order.build_id)
        return found

    claimed = [build_id for found in await asyncio.gather(*map(drain, feeds)) for build_id in found]
    assert len(claimed) == len(started)
    assert set(claimed) == started


async def test_the_more_urgent_and_then_the_older_comes_first(builds):
    feed = await builds.worker()
    older, younger = builds.start(), builds.start()
    urgent = builds.start(priority=5)
    assert [(await feed.claim()).build_id for _ in range(3)] == [urgent, older, younger]


async def test_a_full_pipeline_keeps_its_builds_waiting_and_lets_others_pass(builds):
    feed = await builds.worker()
    first = builds.start(concurrency=1)
    second = builds.start(concurrency=1)
    other = builds.start(pipeline_id="c" * 24, concurrency=1)
    assert [(await feed.claim()).build_id for _ in range(2)] == [first, other]
    assert await feed.claim() is None
    await feed.build_started(first)
    await feed.finished(first, BuildStatus.SUCCESS)
    assert (await feed.claim()).build_id == second


@pytest.mark.parametrize(
    ("limit", "field", "own", "others"),
    [
        ("branch_concurrency", "branch", "main", "dev"),
        ("branch_concurrency", "branch", None, "dev"),
        ("trigger_concurrency", "trigger_id", "d" * 24, "e" * 24),
    ],
)
async def test_a_limit_counts_only_its_branch_or_trigger(builds, limit, field, own, others):
    feed = await builds.worker()
    first = builds.start(**{limit: 1, field: own})
    builds.start(**{limit: 1, field: own})
    elsewhere = builds.start(**{limit: 1, field: others})
    assert [(await feed.claim()).build_id for _ in range(2)] == [first, elsewhere]
    assert await feed.claim() is None


async def test_a_frozen_pipeline_runs_nothing_until_it_is_thawed(builds):
    feed = await builds.worker()
    build_id = builds.start(concurrency=0)
    assert await feed.claim() is None
    with builds.database.transaction() as db:
        service.set_limits(db, "b" * 24, concurrency=None, branch_concurrency=None, trigger_concurrency=None)
    assert (await feed.claim()).build_id == build_id


async def test_two_workers_together_keep_a_limit(builds):
    feeds = [await builds.worker() for _ in range(3)]
    for _ in range(6):
        builds.start(concurrency=2)
    orders = await asyncio.gather(*(feed.claim() for feed in feeds for _ in range(2)))
    assert len([order for order in orders if order]) == 2


async def test_a_build_that_waits_for_an_approval_takes_no_place(builds):
    feed = await builds.worker()
    await waiting(builds, feed)
    limited = builds.start(concurrency=1)
    assert (await feed.claim()).build_id == limited


async def test_a_new_build_wakes_a_worker_at_once(builds):
    feed = await builds.worker()
    assert await feed.claim() is None
    woken = asyncio.create_task(feed.wake(DEADLINE_S * 6))
    builds.start()
    await asyncio.wait_for(woken, DEADLINE_S)


async def test_a_build_that_came_before_the_wait_wakes_too(builds):
    feed = await builds.worker()
    assert await feed.claim() is None
    builds.start()
    await asyncio.wait_for(feed.wake(DEADLINE_S * 6), DEADLINE_S)


async def test_a_lost_signal_costs_no_more_than_the_poll(builds, monkeypatch):
    feed = await builds.worker()
    build_id = await running(builds, feed)
    monkeypatch.setattr(builds.hub, "wake", lambda _topic: None)
    await asyncio.wait_for(feed.wake(0.01), DEADLINE_S)
    builds.terminate(build_id)
    await asyncio.wait_for(feed.stop_requested(build_id), DEADLINE_S)


async def test_a_build_whose_lease_ran_out_is_taken_up_with_its_steps(builds, tmp_path):
    hung = await builds.worker(locks=tmp_path / "elsewhere")
    feed = await builds.worker()
    build_id = await running(builds, hung)
    state = StepState(
        name="unit",
        status=StepStatus.SUCCESS,
        started_at=datetime.now(UTC),
        exports={"VERSION": "7"},
        members={"revision": "abc"},
    )
    await hung.step_changed(build_id, state)
    assert await feed.claim() is None
    builds.expire(hung)
    order = await feed.claim()
    assert (order.build_id, order.attempt, order.steps) == (build_id, 2, {"unit": state})
    await feed.build_started(build_id)
    assert builds.build(build_id).status is BuildStatus.RUNNING


async def test_reports_of_a_worker_that_lost_its_claim_change_nothing(builds, tmp_path):
    hung = await builds.worker(locks=tmp_path / "elsewhere")
    feed = await builds.worker()
    build_id = await running(builds, hung)
    builds.expire(hung)
    assert (await feed.claim()).build_id == build_id
    reports = (
        hung.step_changed(build_id, StepState(name="unit", status=StepStatus.ERROR)),
        hung.waiting(build_id, "unit", datetime.now(UTC), "denied"),
        hung.finished(build_id, BuildStatus.ERROR),
        hung.build_started(build_id),
    )
    for report in reports:
        with pytest.raises(ClaimLost):
            await report
    await hung.release(build_id)
    assert builds.steps(build_id) == {}
    assert (builds.build(build_id).status, builds.build(build_id).owner) == (BuildStatus.RUNNING, feed.owner)


async def test_the_builds_of_a_dead_worker_are_taken_up_at_once(builds):
    dead = await builds.worker()
    build_id = await running(builds, dead)
    dead._keeper.cancel()
    await asyncio.gather(dead._keeper, return_exceptions=True)
    os.close(dead._lock_file)  # as the end of a process does
    dead._keeper = None  # its `close` finds nothing to do, as after a kill
    feed = await builds.worker()
    order = await feed.claim()
    assert (order.build_id, order.attempt) == (build_id, 2)


async def test_the_builds_of_a_worker_that_lives_stay_with_it(builds):
    living = await builds.worker()
    await running(builds, living)
    feed = await builds.worker()
    assert await feed.claim() is None


async def test_a_released_build_is_claimed_again(builds):
    feed, other = await builds.worker(), await builds.worker()
    build_id = await running(builds, feed)
    await feed.release(build_id)
    assert (await other.claim()).build_id == build_id


class Away:
    """The database of some builds that is away when it is told to be."""

    def __init__(self, builds, monkeypatch):
        self.is_away, self.asked = False, 0
        self._transaction = builds.database.transaction
        monkeypatch.setattr(builds.database, "transaction", self.transaction)

    def transaction(self):
        if self.is_away:
            self.asked += 1
            raise OperationalError("a statement", {}, OSError("database or disk is full"))
        return self._transaction()


async def test_a_report_waits_for_a_database_that_is_away(builds, monkeypatch, caplog):
    feed, away = await builds.worker(), Away(builds, monkeypatch)
    build_id = await running(builds, feed)
    away.is_away = True
    report = asyncio.create_task(feed.finished(build_id, BuildStatus.SUCCESS))
    await until(lambda: caplog.text.count("a report waits for the database: database or disk is full") > 1)
    away.is_away = False
    await report
    assert builds.build(build_id).status is BuildStatus.SUCCESS


async def test_a_report_that_waited_too_long_says_what_the_database_says(builds, monkeypatch):
    feed, away = await builds.worker(), Away(builds, monkeypatch)
    build_id = await running(builds, feed)
    monkeypatch.setattr("headrace.resources.builds.feed._PATIENCE_S", 0)
    away.is_away = True
    with pytest.raises(OperationalError, match="disk is full"):
        await feed.finished(build_id, BuildStatus.SUCCESS)
    away.is_away = False


async def test_nothing_is_claimed_while_the_database_is_away(builds, monkeypatch):
    feed, away = await builds.worker(), Away(builds, monkeypatch)
    build_id = builds.start()
    away.is_away = True
    assert await feed.claim() is None
    away.is_away = False
    assert (await feed.claim()).build_id == build_id


async def test_a_release_that_the_database_did_not_hear_is_made_up_for(builds, monkeypatch):
    feed, away = await builds.worker(), Away(builds, monkeypatch)
    build_id = await running(builds, feed)
    away.is_away = True
    with pytest.raises(OperationalError):
        await feed.release(build_id)
    away.is_away = False
    monkeypatch.setattr("headrace.resources.builds.feed._RENEW_S", 0)
    order = await claimed(feed)
    assert (order.build_id, order.attempt) == (build_id, 2)


async def test_a_claim_that_the_worker_did_not_hear_of_is_given_back(builds, monkeypatch):
    feed = await builds.worker()
    build_id = builds.start()
    with builds.database.transaction() as db:
        queue.claim(db, feed.owner, lease_s=LEASE_S)
    monkeypatch.setattr("headrace.resources.builds.feed._RENEW_S", 0)
    assert (await claimed(feed)).build_id == build_id


async def test_an_approved_build_comes_back_with_the_decision(builds):
    feed, other = await builds.worker(), await builds.worker()
    build_id = await waiting(builds, feed)
    assert builds.build(build_id).status is BuildStatus.PENDING_APPROVAL
    assert await other.claim() is None
    builds.decide(build_id, "approved")
    order = await other.claim()
    assert order.decision == Decision(step="ask", result="approved", by=("ada", "user"))
    assert order.steps["ask"].status is StepStatus.PENDING_APPROVAL
    await other.build_started(build_id)
    await other.finished(build_id, BuildStatus.SUCCESS)
    assert builds.build(build_id).status is BuildStatus.SUCCESS


@pytest.mark.parametrize("silence", ["approved", "denied", "terminated"])
async def test_silence_decides_when_the_time_is_over(builds, silence):
    feed = await builds.worker()
    build_id = await waiting(builds, feed, for_s=-1, on_timeout=silence)
    await until(lambda: builds.build(build_id).status is BuildStatus.RUNNING)
    order = await feed.claim()
    assert order.decision == Decision(step="ask", result=silence)


async def test_nobody_decides_on_a_build_that_waits_for_nothing(builds):
    feed = await builds.worker()
    build_id = await running(builds, feed)
    with pytest.raises(BadRequest):
        builds.decide(build_id, "approved")


async def test_a_pending_build_is_terminated_at_once(builds):
    feed = await builds.worker()
    build_id = builds.start()
    builds.terminate(build_id)
    assert builds.build(build_id).status is BuildStatus.TERMINATED
    assert await feed.claim() is None


async def test_a_build_that_waits_for_an_approval_is_taken_up_to_be_ended(builds):
    feed, other = await builds.worker(), await builds.worker()
    build_id = await waiting(builds, feed)
    builds.terminate(build_id)
    assert builds.build(build_id).status is BuildStatus.TERMINATING
    assert builds.build(build_id).waiting_step is None
    assert (await other.claim()).build_id == build_id
    await asyncio.wait_for(other.stop_requested(build_id), DEADLINE_S)
    await other.finished(build_id, BuildStatus.TERMINATED)
    assert builds.build(build_id).status is BuildStatus.TERMINATED


async def test_a_worker_that_slept_past_its_lease_keeps_what_nobody_took(builds):
    feed = await builds.worker()
    build_id = await running(builds, feed)
    builds.expire(feed)
    assert await feed.claim() is None
    await feed.finished(build_id, BuildStatus.SUCCESS)
    assert builds.build(build_id).status is BuildStatus.SUCCESS


async def test_two_servers_that_see_the_same_wait_end_decide_once(builds):
    feed, other = await builds.worker(poll_s=60), await builds.worker(poll_s=60)
    build_id = await waiting(builds, feed, for_s=-1, on_timeout="denied")
    await asyncio.gather(
        *(
            one._in_transaction(partial(one._look, frozenset(), renew=False))
            for one in (feed, other)
            for _ in range(3)
        )
    )
    assert builds.build(build_id).status is BuildStatus.RUNNING
    assert (await feed.claim()).decision.result == "denied"


@pytest.mark.parametrize("started", [True, False])
async def test_a_held_build_hears_that_it_is_to_stop(builds, started):
    feed = await builds.worker(poll_s=DEADLINE_S * 6)  # only the signal can be in time
    build_id = builds.start()
    await feed.claim()
    if started:
        await feed.build_started(build_id)
    stop = asyncio.create_task(feed.stop_requested(build_id))
    builds.terminate(build_id)
    assert builds.build(build_id).status is BuildStatus.TERMINATING
    await asyncio.wait_for(stop, DEADLINE_S)
    await feed.build_started(build_id)
    await feed.finished(build_id, BuildStatus.TERMINATED)
    assert builds.build(build_id).status is BuildStatus.TERMINATED


async def test_a_stop_that_comes_as_the_build_succeeds_has_the_last_word(builds):
    feed = await builds.worker()
    build_id = await running(builds, feed)
    builds.terminate(build_id)
    await feed.finished(build_id, BuildStatus.SUCCESS)
    assert builds.build(build_id).status is BuildStatus.TERMINATED


async def test_a_build_that_nobody_holds_is_taken_up_to_be_ended(builds):
    feed, other = await builds.worker(), await builds.worker()
    build_id = await running(builds, feed)
    builds.terminate(build_id)
    await feed.release(build_id)
    assert (await other.claim()).build_id == build_id
    await asyncio.wait_for(other.stop_requested(build_id), DEADLINE_S)


async def test_a_final_build_stays_as_it_is(builds):
    feed = await builds.worker()
    build_id = await running(builds, feed)
    await feed.finished(build_id, BuildStatus.SUCCESS)
    builds.terminate(build_id)
    assert builds.build(build_id).status is BuildStatus.SUCCESS
