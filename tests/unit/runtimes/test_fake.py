"""What only the fake does: failures on request, time by the clock that was given."""

import pytest

from headrace.runtimes.base import Command, StepCouldNotStart, StepExit
from headrace.runtimes.fake import FakeRuntime


class Moved:
    """A clock that stands still and remembers."""

    def __init__(self):
        self.slept = []

    async def sleep(self, seconds):
        self.slept.append(seconds)


async def unheard(_line):
    pass


async def start(runtime, script="", **environment):
    workspace = await runtime.open("b1")
    return await workspace.start(
        "unit-1", Command(image="any", script=script, environment=environment), say=unheard
    )


async def test_the_exit_code_is_as_asked():
    assert await (await start(FakeRuntime(), "true", FAKE_EXIT_CODE="7")).wait() == StepExit(7)


async def test_memory_runs_out_as_asked():
    running = await start(FakeRuntime(), "true", FAKE_OOM="1")
    assert await running.wait() == StepExit(137, out_of_memory=True)


async def test_a_start_fails_as_asked():
    with pytest.raises(StepCouldNotStart, match="no such image"):
        await start(FakeRuntime(), FAKE_START_FAILS="no such image")


async def test_output_comes_before_that_of_the_script():
    running = await start(FakeRuntime(), "echo after", FAKE_OUTPUT="before\n")
    assert b"".join([chunk async for chunk in running.output()]) == b"before\nafter\n"


async def test_time_passes_by_the_clock_that_was_given():
    clock = Moved()
    await (await start(FakeRuntime(clock), "sleep 5", FAKE_SLEEP_S="3600")).wait()
    assert clock.slept == [5, 3600]


async def test_a_second_worker_adopts_from_the_first_byte():
    runtime = FakeRuntime()
    first = await start(runtime, "echo one")
    assert [chunk async for chunk in first.output()] == [b"one\n"]
    again = await (await runtime.open("b1")).adopt("unit-1")
    assert [chunk async for chunk in again.output()] == [b"one\n"]
    assert await again.wait() == StepExit(0)


async def test_a_machine_that_cannot_adopt_loses_the_step():
    runtime = FakeRuntime()
    lost = await start(runtime, "sleep 60")
    workspace = await runtime.open("b1")
    workspace.adoptable = False
    assert await workspace.adopt("unit-1") is None
    assert (await lost.wait()).exit_code == 137
