"""The worker is killed at every report of a build with services, and the build is taken up again."""

import asyncio
import contextlib

import pytest

from headrace.pipeline.status import BuildStatus
from scenarios.test_crash import World, reports_of

SERVICES = """
version: '1.0'
services:
  composition: {db: {image: postgres}}
  readiness: {image: alpine, commands: ['true']}
  setup: {image: alpine, commands: ['echo set-up']}
steps:
  one: {image: alpine, commands: ['echo ran-one']}
  own:
    image: alpine
    commands: ['echo ran-own']
    services: {composition: {cache: {image: redis}, once: {image: alpine, command: echo once}}}
  ask: {type: pending-approval}
  last: {image: alpine, commands: ['echo ran-last']}
"""
ENDS = {"one": "success", "own": "success", "ask": "approved", "last": "success"}
COMPOSITION = """
version: '1.0'
steps:
  tests:
    type: composition
    composition: {version: '2', services: {db: {image: postgres}}}
    composition_candidates: {unit: {image: alpine, command: echo ran-unit}}
"""


async def crash_at(world, index, *, stored):
    """Run until the process dies at this report, be it in a task of a step or of its services."""
    world.feed.dies_at, world.feed.dies_after_storing = index, stored
    with contextlib.suppress(asyncio.CancelledError):
        await world.run_to_the_end()
    world.feed.crash()


def services_left(workspace):
    return [name for name in workspace.processes if workspace.commands[name].service is not None]


def is_closed(record):
    return all(state.status.is_final for state in record.steps.values())


@pytest.mark.parametrize("adoptable", [True, False], ids=["adopted", "lost"])
@pytest.mark.parametrize("stored", [True, False], ids=["after-storing", "before-storing"])
async def test_services_are_there_again_after_a_crash_and_end_with_the_build(adoptable, stored):
    for index in range(await reports_of(SERVICES)):
        world = World(SERVICES)
        workspace = await world.runtime.open(world.record.build_id)
        workspace.adoptable = adoptable
        await crash_at(world, index, stored=stored)
        await world.run_to_the_end()
        assert world.record.statuses == ENDS, f"report {index}"
        assert world.record.status is BuildStatus.SUCCESS, f"report {index}"
        assert is_closed(world.record), f"report {index}: {world.record.steps}"
        assert services_left(workspace) == [], f"report {index}"


@pytest.mark.parametrize("stored", [True, False], ids=["after-storing", "before-storing"])
async def test_a_composition_that_was_lost_begins_again_once(stored):
    for index in range(await reports_of(COMPOSITION)):
        world = World(COMPOSITION)
        workspace = await world.runtime.open(world.record.build_id)
        await crash_at(world, index, stored=stored)
        await world.run_to_the_end()
        assert world.record.statuses == {"tests": "success"}, f"report {index}"
        assert services_left(workspace) == [], f"report {index}"
