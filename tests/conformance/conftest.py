"""What several suites run on: the queue of a database, and Docker alone."""

import contextlib

import pytest

from conformance.feed_kinds import Queue
from conformance.runtime_kinds import DOCKER, DOCKER_AHEAD, made


@pytest.fixture
async def builds(database, tmp_path):
    """The queue of builds in a database."""
    async with contextlib.AsyncExitStack() as stack:
        found = Queue(database, tmp_path, stack)
        yield found
    found.hub.close()


@pytest.fixture(params=[DOCKER, DOCKER_AHEAD])
async def docker(request, tmp_path):
    """Docker alone: what no other runtime can."""
    async for found in made(request.param, tmp_path):
        yield found
