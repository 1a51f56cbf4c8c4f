"""Which volume a build gets, on both databases: the one its pipeline's last build left, or a new one."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from headrace.execution.ports import StepState
from headrace.pipeline.compile import compile_plan
from headrace.pipeline.status import BuildStatus, StepStatus
from headrace.resources.builds.model import volumes
from headrace.resources.builds.volumes import VolumeLimits

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_name(request):
    """What holds the builds: the database of this engine."""
    return request.param


async def claimed(builds, feed, **more):
    build_id = builds.start(**more)
    order = await feed.claim()
    assert order.build_id == build_id
    await feed.build_started(build_id)
    return order


async def ended(builds, feed, status=BuildStatus.SUCCESS, **more):
    order = await claimed(builds, feed, **more)
    await feed.finished(order.build_id, status)
    return order


async def test_the_first_build_of_a_pipeline_has_a_volume_of_its_own(builds):
    order = await claimed(builds, await builds.worker())
    assert (order.volume, order.keep_volume) == ("", True)


@pytest.mark.parametrize("status", [BuildStatus.SUCCESS, BuildStatus.ERROR, BuildStatus.TERMINATED])
async def test_the_next_build_goes_on_with_the_volume_of_the_last(builds, status):
    feed = await builds.worker()
    first = await ended(builds, feed, status)
    second = await ended(builds, feed)
    third = await claimed(builds, feed)
    assert (second.volume, third.volume) == (first.build_id, first.build_id)


async def test_the_volume_of_another_pipeline_is_never_given(builds):
    feed = await builds.worker()
    await ended(builds, feed)
    assert (await claimed(builds, feed, pipeline_id="c" * 24)).volume == ""


async def test_a_build_of_no_pipeline_keeps_nothing(builds):
    feed = await builds.worker()
    order = await ended(builds, feed, pipeline_id=None)
    assert (order.volume, order.keep_volume) == ("", False)
    assert await feed.surplus({order.build_id: 1}) == {order.build_id}


async def test_two_builds_at_once_never_share_a_volume(builds):
    feed = await builds.worker()
    first = await ended(builds, feed)
    orders = [await claimed(builds, feed), await claimed(builds, feed)]
    assert [order.volume for order in orders] == [first.build_id, ""]


async def test_reset_volume_begins_with_an_empty_one(builds):
    feed = await builds.worker()
    await ended(builds, feed)
    assert (await claimed(builds, feed, options={"resetVolume": True})).volume == ""


async def test_a_build_that_is_claimed_again_finds_its_volume(builds):
    feed = await builds.worker()
    first = await ended(builds, feed)
    second = await claimed(builds, feed)
    await feed.release(second.build_id)
    again = await feed.claim()
    assert (again.build_id, again.attempt, again.volume) == (second.build_id, 2, first.build_id)


async def test_a_build_goes_on_with_the_volume_of_a_named_build_as_that_left_it(builds):
    feed = await builds.worker()
    one, two = await claimed(builds, feed), await claimed(builds, feed)
    await feed.finished(one.build_id, BuildStatus.ERROR)
    await feed.finished(two.build_id, BuildStatus.SUCCESS)
    third = await ended(builds, feed, volume_from=one.build_id)
    assert third.volume == one.build_id
    late = await claimed(builds, feed, volume_from=one.build_id)
    assert late.volume == "", "another build has changed it since"


CLONED = compile_plan(
    """
version: '1.0'
steps:
  main_clone: {type: git-clone, repo: acme/app}
  unit: {image: alpine, commands: ['true']}
  last: {image: alpine, commands: ['false']}
""",
    variables={},
)


def carried(*names):
    return [
        StepState(name=name, status=StepStatus.SUCCESS, previously_executed=True, exports={name: "x"})
        for name in names
    ]


async def test_a_build_that_goes_on_from_a_failed_step_has_its_states_and_its_volume(builds):
    feed = await builds.worker()
    failed = await ended(builds, feed, BuildStatus.ERROR, options={"resetVolume": True})
    order = await claimed(
        builds,
        feed,
        plan=CLONED,
        volume_from=failed.build_id,
        carried=carried("main_clone", "unit"),
        options={"resetVolume": True},
    )
    assert order.volume == failed.build_id
    assert {name: state.previously_executed for name, state in order.steps.items()} == {
        "main_clone": True,
        "unit": True,
    }


async def test_clones_are_done_again_where_the_volume_is_gone(builds):
    feed = await builds.worker()
    order = await claimed(
        builds, feed, plan=CLONED, volume_from="e" * 24, carried=carried("main_clone", "unit")
    )
    assert (order.volume, [*order.steps]) == ("", ["unit"])
    await feed.release(order.build_id)
    assert [*(await feed.claim()).steps] == ["unit"]


async def test_a_kept_volume_is_no_surplus_until_it_is_too_old(builds):
    feed = await builds.worker()
    order = await ended(builds, feed)
    assert await feed.surplus({order.build_id: 1}) == frozenset()
    with builds.database.transaction() as db:
        db.execute(update(volumes).values(free_since=LONG_AGO))
    assert await feed.surplus({order.build_id: 1}) == {order.build_id}
    assert (await claimed(builds, feed)).volume == ""


async def test_the_oldest_volumes_go_where_all_are_too_big_together(builds):
    feed = await builds.worker()
    orders = [await claimed(builds, feed) for _ in range(3)]
    for order in orders:
        await feed.finished(order.build_id, BuildStatus.SUCCESS)
    sizes = {order.build_id: 8 * 10**9 for order in orders}
    assert await feed.surplus(sizes) == {orders[0].build_id}


async def test_the_volume_of_a_running_build_is_never_surplus(builds):
    feed = await builds.worker()
    first = await ended(builds, feed)
    running, own = await claimed(builds, feed), await claimed(builds, feed)
    assert running.volume == first.build_id
    sizes = {first.build_id: 10**15, own.build_id: 10**15, "f" * 24: 1}
    assert await feed.surplus(sizes) == {"f" * 24}


async def test_nothing_is_kept_where_the_limit_is_zero_days(builds):
    feed = await builds.worker(limits=VolumeLimits(days=0))
    order = await ended(builds, feed)
    assert not order.keep_volume
    assert (await claimed(builds, feed)).volume == ""
