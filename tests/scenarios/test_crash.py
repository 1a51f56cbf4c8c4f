"""The worker is killed at every report of a build, and the build is taken up again."""

import asyncio

import pytest

from fakes import Killed, MemoryFeed, MemoryLogs, MemoryRecords, MemoryReports, MemorySecrets, MovedClock
from headrace.execution.run import run
from headrace.execution.settings import ExecutionSettings
from headrace.pipeline.breakpoints import debugging
from headrace.pipeline.compile import compile_plan
from headrace.pipeline.plan import hook_steps
from headrace.pipeline.status import BuildStatus
from headrace.pipeline.step_type import read_step_type
from headrace.runtimes.fake import FakeRuntime

SEQUENTIAL = """
version: '1.0'
steps:
  one: {image: alpine, commands: ['echo ran-one', 'cf_export A=1 --mask', 'cf_export B=2']}
  two: {image: alpine, fail_fast: false, commands: ['echo ran-two', 'exit 4']}
  skip: {image: alpine, commands: ['true'], when: {branch: {only: [none]}}}
  ask: {type: pending-approval}
  last: {image: alpine, commands: ['echo "ran-last $A $B"']}
"""
PARALLEL = SEQUENTIAL.replace("steps:", "mode: parallel\nsteps:").replace(
    "last: {", "last: {when: {steps: [{name: ask, 'on': [approved]}, {name: one}]}, "
)
GROUPED = """
version: '1.0'
steps:
  group:
    type: parallel
    steps:
      one: {image: alpine, commands: ['echo ran-one', 'cf_export A=1 --mask']}
      inner:
        type: parallel
        fail_fast: false
        steps:
          two: {image: alpine, commands: ['echo ran-two', 'exit 4']}
          skip: {image: alpine, commands: ['true'], when: {branch: {only: [none]}}}
  set: {image: alpine, commands: ['cf_export B=2']}
  ask: {type: pending-approval}
  last: {image: alpine, commands: ['echo "ran-last $A $B"']}
"""
WAITING = GROUPED.replace("steps:", "mode: parallel\nsteps:", 1).replace(
    "last: {", "last: {when: {steps: [{name: ask, 'on': [approved]}, {name: group}, {name: set}]}, "
)
TEXTS = pytest.mark.parametrize(
    "text",
    [SEQUENTIAL, PARALLEL, GROUPED, WAITING],
    ids=["sequential", "parallel", "groups", "groups-in-parallel-mode"],
)
ENDS = {"one": "success", "two": "error", "skip": "skipped", "ask": "approved", "last": "success"}
GROUPS_END = {"group": "success", "inner": "success", "set": "success"}


class World:
    """The machine and the store, which outlive the worker's process."""

    def __init__(self, text, **how):
        self.clock = MovedClock()
        self.feed, self.logs, self.secrets = MemoryFeed(self.clock), MemoryLogs(), MemorySecrets()
        self.records = MemoryRecords()
        self.runtime = FakeRuntime(self.clock)
        self.record = self.feed.enqueue(compile_plan(text, variables={}, **how))

    async def run(self, **settings):
        order = await self.feed.claim()
        await run(
            order,
            runtime=self.runtime,
            feed=self.feed,
            logs=self.logs,
            secrets=self.secrets,
            records=self.records,
            reports=MemoryReports(),
            clock=self.clock,
            settings=ExecutionSettings(inactivity_s=0, **settings),
        )

    async def run_to_the_end(self):
        while not self.record.status.is_final:
            if self.record.status is BuildStatus.PENDING_APPROVAL:
                self.feed.decide(self.record, "approved")
            await self.run()

    def printed(self, step):
        return self.logs.text(self.record.build_id, step)


def ends_of(world):
    ends = ENDS | GROUPS_END
    return {name: ends[name] for name in world.record.statuses}


async def reports_of(text):
    world = World(text)
    await world.run_to_the_end()
    return world.feed.calls


async def crash_at(world, index, *, stored):
    """Run until the process dies at this report; say whether it did."""
    world.feed.dies_at, world.feed.dies_after_storing = index, stored
    try:
        await world.run_to_the_end()
    except Killed:
        world.feed.crash()
        return True
    return False


@TEXTS
@pytest.mark.parametrize("adoptable", [True, False], ids=["adopted", "lost"])
@pytest.mark.parametrize("stored", [True, False], ids=["after-storing", "before-storing"])
async def test_a_killed_build_ends_as_if_nothing_had_happened(text, adoptable, stored):
    for index in range(await reports_of(text)):
        world = World(text)
        workspace = await world.runtime.open(world.record.build_id)
        workspace.adoptable = adoptable

        assert await crash_at(world, index, stored=stored)
        done = {name for name, state in world.record.steps.items() if state.status.is_final}
        started = set(workspace.commands)
        workspace.commands.clear()
        await world.run_to_the_end()

        again = {name.rpartition("-")[0] for name in workspace.commands}
        assert not again & done, f"report {index}: a completed step ran again, after {started}"
        assert world.record.statuses == ends_of(world), f"report {index}"
        assert world.record.status is BuildStatus.SUCCESS, f"report {index}"
        assert "ran-last ***** 2" in world.printed("last") or "ran-last 1 2" in world.printed("last"), index


@TEXTS
async def test_the_output_of_an_adopted_step_is_stored_once(text):
    for index in range(await reports_of(text)):
        world = World(text)
        assert await crash_at(world, index, stored=True)
        await world.run_to_the_end()
        for step in ("one", "two", "last"):
            assert world.printed(step).count(f"ran-{step}") == 1, (index, world.printed(step))


GIVES = {
    "kind": "step-type",
    "metadata": {"name": "acme/gives", "version": "1.0.0"},
    "spec": {
        "returns": '{"required": ["A"], "properties": {"A": {}, "B": {}}}',
        "steps": {
            "one": {"image": "alpine", "commands": ["cf_export A=s3cret --mask", "cf_export INNER=in"]},
            "two": {"image": "alpine", "commands": ['echo "$INNER"', "echo B=2 >> /meta/env_vars_to_export"]},
        },
    },
}
USES = """
version: '1.0'
steps:
  group: {type: acme/gives}
  last: {image: alpine, commands: ['echo "ran-last [$A] $B [$INNER] ${{steps.group.output.B}}"']}
"""


@pytest.mark.parametrize("stored", [True, False], ids=["after-storing", "before-storing"])
async def test_a_step_type_hands_on_the_same_after_every_crash(stored):
    def world():
        return World(USES, resolve=lambda _: read_step_type(GIVES))

    whole = world()
    await whole.run_to_the_end()
    for index in range(whole.feed.calls):
        killed = world()
        assert await crash_at(killed, index, stored=stored)
        await killed.run_to_the_end()
        assert killed.record.status is BuildStatus.SUCCESS, (index, killed.record.reason)
        assert killed.record.statuses == whole.record.statuses
        assert "ran-last [*****] 2 [] 2" in killed.printed("last"), (index, killed.printed("last"))
        assert "in\n" in killed.printed("group.two"), index


TRIED = {
    "kind": "step-type",
    "metadata": {"name": "acme/tried", "version": "1.0.0"},
    "spec": {
        "steps": {
            "one": {
                "image": "alpine",
                "commands": ["echo ran-one", "cf_export A=$CF_CURRENT_ATTEMPT"],
                "hooks": {"on_success": ["echo hooked-one"]},
            },
            "two": {
                "image": "alpine",
                "commands": [
                    "cat /codefresh/volume/done && exit 0",
                    "echo ran-two > /codefresh/volume/done",
                    "exit 3",
                ],
            },
        },
    },
}
TRIES = """
version: '1.0'
steps:
  group: {type: acme/tried, retry: {maxAttempts: 2, delay: 60}, hooks: {on_finish: [echo finished]}}
  last: {image: alpine, commands: ['echo "ran-last in attempt $A"']}
"""


@pytest.mark.parametrize("stored", [True, False], ids=["after-storing", "before-storing"])
async def test_a_step_type_is_tried_as_often_as_it_says_after_every_crash(stored):
    def world():
        return World(TRIES, resolve=lambda _: read_step_type(TRIED))

    whole = world()
    await whole.run_to_the_end()
    assert whole.record.steps["group"].tries == 2
    for index in range(whole.feed.calls):
        killed = world()
        assert await crash_at(killed, index, stored=stored)
        await killed.run_to_the_end()
        assert killed.record.status is BuildStatus.SUCCESS, (index, killed.record.reason)
        assert killed.record.statuses == whole.record.statuses
        assert (killed.record.steps["group"].tries, killed.record.steps["group"].attempt) == (2, 2), index
        counts = [("group.one", "\nran-one", 2), ("group.one", "\nhooked-one", 2), ("group", "\nfinished", 1)]
        for step, line, count in counts:
            assert killed.printed(step).count(line) == count, (index, killed.printed(step))
        assert "ran-last in attempt 2" in killed.printed("last"), index


SLOW = {
    "kind": "step-type",
    "metadata": {"name": "acme/slow", "version": "1.0.0"},
    "spec": {
        "steps": {
            "one": {"image": "alpine", "commands": ["sleep 20"]},
            "two": {
                "image": "alpine",
                "failFast": False,
                "retry": {"maxAttempts": 9, "delay": 30},
                "commands": ["sleep 3", "exit 1"],
            },
            "three": {"image": "alpine", "commands": ["echo three"]},
        },
    },
}
SLOWER = "version: '1.0'\nsteps: {group: {type: acme/slow, timeout: 1m, retry: {maxAttempts: 2, delay: 5}}}"


async def test_each_attempt_of_a_step_type_has_the_whole_time_and_its_own_retries_end_with_it():
    world = World(SLOWER, resolve=lambda _: read_step_type(SLOW))
    since = world.clock.now()
    await world.run()
    assert (world.clock.now() - since).total_seconds() == 60 + 5 + 60
    assert world.record.statuses == {
        "group": "error",
        "group.one": "success",
        "group.two": "error",
        "group.three": "pending",
    }
    assert world.record.steps["group"].reason == "step timed out after 60 s"
    assert world.printed("group.two").count("Attempt 1 of 9 failed") == 2
    assert "three" not in world.printed("group.three")


async def test_a_build_that_stops_between_two_attempts_of_a_step_type_is_terminated():
    world = World(SLOWER.replace("delay: 5", "delay: 300"), resolve=lambda _: read_step_type(SLOW))
    store = world.feed.step_changed

    async def stop_at_the_wait(build_id, state):
        await store(build_id, state)
        if state.retry_at is not None and state.name == "group":
            world.record.stop.set()

    world.feed.step_changed = stop_at_the_wait
    await world.run()
    assert world.record.statuses["group"] == "terminated"
    assert world.record.status is BuildStatus.TERMINATED


LONG = "version: '1.0'\nsteps: {long: {image: alpine, commands: ['sleep 60', 'echo done']}}"


async def lose(world):
    """Start the build and lose its worker while the step runs, on a runtime that cannot adopt."""
    workspace = await world.runtime.open(world.record.build_id)
    workspace.adoptable = False
    world.feed.dies_at, world.feed.dies_after_storing = world.feed.calls + 2, True
    with pytest.raises(Killed):
        await world.run()
    world.feed.crash()


async def test_a_step_that_is_lost_twice_fails_with_a_reason():
    world = World(LONG)
    await lose(world)
    await lose(world)
    await world.run()
    assert world.record.statuses == {"long": "error"}
    assert "the worker that ran this step was lost" in world.record.reason
    assert "the worker that ran this step was lost" in world.printed("long")


async def test_a_lost_step_fails_at_once_where_retrying_is_off():
    world = World(LONG)
    await lose(world)
    await world.run(retry_lost_steps=False)
    assert world.record.statuses == {"long": "error"}


async def test_a_cancelled_run_leaves_the_step_to_be_adopted():
    world = World(LONG)
    task = asyncio.ensure_future(world.run())
    async with asyncio.timeout(10):
        await world.record.until(lambda record: "long" in record.steps and record.steps["long"].output_from)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await world.feed.release(world.record.build_id)
    await world.run()
    assert world.record.statuses == {"long": "success"}
    assert world.record.steps["long"].attempt == 1
    assert world.printed("long").count("done") == 1


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (OSError(28, "No space left on device"), "No space left on device on the server"),
        (RuntimeError("a bug"), "internal error of the engine (RuntimeError)"),
    ],
)
async def test_a_failure_of_our_own_ends_the_build_with_a_reason(failure, reason):
    world = World(LONG)

    async def broken(*_names, **_options):
        raise failure

    world.logs.open = broken
    await world.run()
    assert world.record.status is BuildStatus.ERROR
    assert world.record.reason.startswith(reason)


HOOKED = """
version: '1.0'
hooks:
  on_elected: ['echo build-elected']
  on_finish:
    mode: parallel
    steps: {x: {image: alpine, commands: ['echo build-x']}, y: {image: alpine, commands: ['true']}}
steps:
  one:
    image: alpine
    fail_fast: false
    retry: {maxAttempts: 2, delay: 60}
    commands: ['echo ran-one', 'exit 1']
    hooks:
      on_elected: ['echo elected']
      on_fail: {exec: ['echo failed'], annotations: {set: [{annotations: [done]}]}}
      on_finish: ['echo finished']
  two: {image: alpine, commands: ['echo two']}
"""


@pytest.mark.parametrize("adoptable", [True, False], ids=["adopted", "lost"])
@pytest.mark.parametrize("stored", [True, False], ids=["after-storing", "before-storing"])
async def test_a_crash_in_a_hook_or_between_attempts_repeats_nothing_that_ended(adoptable, stored):
    for index in range(await reports_of(HOOKED)):
        world = World(HOOKED)
        workspace = await world.runtime.open(world.record.build_id)
        workspace.adoptable = adoptable

        assert await crash_at(world, index, stored=stored)
        done = {name for name, state in world.record.steps.items() if state.status.is_final or state.outcome}
        tries = world.record.steps["one"].attempt if "one" in world.record.steps else 0
        waits = "one" in world.record.steps and world.record.steps["one"].retry_at is not None
        workspace.commands.clear()
        await world.run_to_the_end()

        again = {hooked(world, name.rpartition("-")[0]) for name in workspace.commands}
        assert not again & done, f"report {index}: {again & done} ran again"
        assert world.record.statuses == {"one": "error", "two": "success"}, f"report {index}"
        assert world.record.status is BuildStatus.SUCCESS, f"report {index}"
        assert world.record.steps["one"].tries == 2, f"report {index}"
        assert world.records.annotations["build", None] == {"done": ""}, f"report {index}"
        if waits:
            assert world.record.steps["one"].attempt == tries + 1, f"report {index}"
        if adoptable:
            assert world.printed("one").count("ran-one") == 2, world.printed("one")
            for line in ("\nelected", "\nfailed", "\nfinished"):
                assert world.printed("one").count(line) == 1, (index, world.printed("one"))


HOOKED_APPROVAL = """
version: '1.0'
steps:
  ask:
    type: pending-approval
    fail_fast: false
    hooks:
      on_elected: ['echo asked']
      on_success: ['echo agreed']
      on_fail: ['echo refused']
      on_finish: ['echo decided']
  last: {image: alpine, commands: ['echo ran-last'], when: {steps: [{name: ask, 'on': [finished]}]}}
"""


@pytest.mark.parametrize("mode", ["sequential", "parallel"])
@pytest.mark.parametrize("stored", [True, False], ids=["after-storing", "before-storing"])
async def test_the_hooks_of_an_approval_run_once_whatever_crashes(mode, stored):
    text = HOOKED_APPROVAL.replace("steps:", f"mode: {mode}\nsteps:", 1)
    for index in range(await reports_of(text)):
        world = World(text)
        assert await crash_at(world, index, stored=stored)
        await world.run_to_the_end()
        assert world.record.statuses == {"ask": "approved", "last": "success"}, index
        for line, count in {"asked": 1, "agreed": 1, "refused": 0, "decided": 1}.items():
            assert world.printed("ask").count(f"\n{line}\n") == count, (index, world.printed("ask"))


COPIED = """
version: '1.0'
kind: pipeline
spec:
  externalResources:
  - {id: a, type: git, repo: acme/app, revision: main, source: a, destination: a}
  - {id: b, type: git, repo: acme/app, revision: main, source: b, destination: b}
  steps:
    one: {image: alpine, commands: ['echo ran-one']}
    ask: {type: pending-approval}
    last: {image: alpine, commands: ['echo ran-last']}
"""


@pytest.mark.parametrize("adoptable", [True, False], ids=["adopted", "lost"])
@pytest.mark.parametrize("stored", [True, False], ids=["after-storing", "before-storing"])
async def test_what_was_copied_before_a_crash_or_an_approval_is_not_copied_again(adoptable, stored):
    def world():
        made = World(COPIED)
        made.secrets.contexts[None] = {"base_url": "https://git", "username": "", "password": ""}
        return made

    whole = world()
    await whole.run_to_the_end()
    for index in range(whole.feed.calls):
        killed = world()
        workspace = await killed.runtime.open(killed.record.build_id)
        workspace.adoptable = adoptable
        assert await crash_at(killed, index, stored=stored)
        done = {name for name, state in killed.record.steps.items() if state.status.is_final}
        workspace.commands.clear()
        await killed.run_to_the_end()
        again = {hooked(killed, name.rpartition("-")[0]) for name in workspace.commands}
        assert not again & done, f"report {index}: {again & done} ran again"
        assert killed.record.status is BuildStatus.SUCCESS, (index, killed.record.reason)
        assert {killed.record.steps[f"#external_resources#{name}"].status.value for name in "ab"} == {
            "success"
        }


def hooked(world, unit):
    """The step of a unit; hooks are numbered after the steps of the plan."""
    prefix, _, number = unit.rpartition("-")
    if prefix != "hook":
        return unit
    steps = (*world.record.plan.steps, *hook_steps(world.record.plan))
    return steps[int(number)].name


async def test_a_stop_during_the_wait_for_the_next_attempt_ends_the_step():
    class Stopped(MovedClock):
        async def sleep(self, seconds):
            if seconds == 60:
                world.record.stop.set()
                await asyncio.Event().wait()
            await super().sleep(seconds)

    world = World(HOOKED)
    world.clock.__class__ = Stopped
    async with asyncio.timeout(10):
        await world.run()
    assert world.record.statuses == {"one": "terminated", "two": "pending"}
    assert world.record.status is BuildStatus.TERMINATED
    assert "finished" not in world.printed("one")
    assert "build-x" not in world.printed("Initializing Process")


BUILD = """
version: '1.0'
steps:
  build: {type: build, image_name: acme/app, tag: '1', dockerfile: {content: FROM alpine}}
  push: {type: push, candidate: '${{build}}', registry: registry.example.org}
  use: {image: '${{build}}', commands: ['echo "used ${{build}}"']}
"""


@pytest.mark.parametrize("stored", [True, False], ids=["after-storing", "before-storing"])
async def test_a_build_that_a_crash_ended_is_built_again(stored):
    for index in range(await reports_of(BUILD)):
        world = World(BUILD)
        assert await crash_at(world, index, stored=stored)
        await world.run_to_the_end()
        assert world.record.statuses == {"build": "success", "push": "success", "use": "success"}, index
        assert "used acme/app:1" in world.printed("use"), index


DEBUGGED = """
version: '1.0'
steps:
  one: {image: alpine, commands: ['echo ran-one'], debug: {phases: {before: true, after: true}}}
  two: {image: alpine, commands: ['echo never-printed'], debug: {phases: {override: true}}}
  last: {image: alpine, commands: ['echo "ran-last $A"']}
"""
COMMANDS = (
    ("one", "before", "run", "echo looked-around"),
    ("one", "before", "continue"),
    ("one", "after", "step-over"),
    ("two", "before", "continue"),
    ("two", "override", "run", "cf_export A=by-hand"),
    ("two", "override", "continue"),
)


def debugged():
    world = World(DEBUGGED)
    world.record.plan = debugging(world.record.plan)
    for command in COMMANDS:
        world.feed.debug(world.record, *command)
    return world


@pytest.mark.parametrize("stored", [True, False], ids=["after-storing", "before-storing"])
async def test_a_debugged_build_goes_on_at_its_breakpoints_after_every_crash(stored):
    whole = debugged()
    await whole.run_to_the_end()
    for index in range(whole.feed.calls):
        killed = debugged()
        assert await crash_at(killed, index, stored=stored)
        await killed.run_to_the_end()
        assert killed.record.status is BuildStatus.SUCCESS, (index, killed.record.reason)
        assert killed.printed("one").count("ran-one") == 1, index
        assert killed.printed("one").count("looked-around\n") <= 2, index  # announced, and printed once
        assert killed.printed("two").count("Debugger: continue by dev") >= 1, index
        assert "never-printed" not in killed.printed("two"), index
        if "cf_export" in killed.printed("two") and "exit code 0" in killed.printed("two"):
            assert "ran-last by-hand" in killed.printed("last"), index


TIMES_OUT = """
version: '1.0'
steps:
  one: {image: alpine, fail_fast: false, commands: ['true'], debug: {phases: {before: true}}}
  last: {image: alpine, commands: ['echo never-printed']}
"""


@pytest.mark.parametrize("stored", [True, False], ids=["after-storing", "before-storing"])
async def test_a_debug_session_that_timed_out_ends_the_build_after_every_crash(stored):
    def world():
        made = World(TIMES_OUT)
        made.record.plan = debugging(made.record.plan)
        return made

    whole = world()
    await whole.run_to_the_end()
    for index in range(whole.feed.calls):
        killed = world()
        assert await crash_at(killed, index, stored=stored)
        await killed.run_to_the_end()
        assert killed.record.status is BuildStatus.ERROR, index
        assert "debug session timed out" in killed.record.reason, index
        assert killed.printed("last") == "", index
