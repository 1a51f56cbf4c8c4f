"""What a runtime is told of the steps that come next, so that it can make them ready."""

import pytest

from fakes import MemoryFeed, MemoryLogs, MemoryRecords, MemoryReports, MemorySecrets, MovedClock
from headrace.execution.run import run
from headrace.execution.settings import ExecutionSettings
from headrace.pipeline.compile import compile_plan
from headrace.runtimes.fake import FakeRuntime

ECHO = {"image": "alpine", "commands": ["echo $A"]}
FAIL = {"image": "alpine", "commands": ["exit 1"]}
ASK = {"type": "pending-approval"}


async def play(steps, variables=None, **document):
    """Run a build; return its record and workspace."""
    clock = MovedClock()
    feed, runtime = MemoryFeed(clock), FakeRuntime(clock)
    variables = variables or {}
    plan = compile_plan({"version": "1.0", "steps": steps, **document}, variables=variables)
    record = feed.enqueue(plan, variables)
    await run(
        await feed.claim(),
        runtime=runtime,
        feed=feed,
        logs=MemoryLogs(),
        secrets=MemorySecrets(),
        records=MemoryRecords(),
        reports=MemoryReports(),
        clock=clock,
        settings=ExecutionSettings(inactivity_s=0),
    )
    return record, runtime.workspaces[record.build_id]


async def told(steps, *arguments, **document):
    """The names of what was expected, each time that something was said."""
    _, workspace = await play(steps, *arguments, **document)
    return [list(guess) for guess in workspace.guesses]


async def test_the_next_two_steps_are_told_while_one_runs():
    steps = {"one": ECHO, "two": ECHO, "three": ECHO, "four": ECHO}
    assert await told(steps) == [["two-1", "three-1"], ["three-1", "four-1"], ["four-1"], []]


async def test_every_step_that_was_told_of_and_runs_has_the_name_and_image_that_were_told():
    steps = {f"s{number}": ECHO | {"image": f"image:{number % 3}"} for number in range(6)}
    _, workspace = await play(steps)
    guessed = {step: command.image for guess in workspace.guesses for step, command in guess.items()}
    ran = {step: command.image for step, command in workspace.commands.items()}
    assert ran == guessed | {"s0-1": "image:0"}


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (ECHO | {"when": {"branch": {"only": ["none"]}}}, "condition"),
        (ECHO | {"when": {"condition": {"all": {"known": "'${{NOT}}' == 'yes'"}}}}, "value to come"),
        (ECHO | {"when": {"steps": [{"name": "one", "on": ["failure"]}]}}, "step to come"),
        (ECHO | {"volumes": ["./folder:/data"]}, "mount"),
        (ECHO | {"services": {"composition": {"db": {"image": "db"}}}}, "services"),
        ({"image": "alpine", "cmd": ["true"]}, "no script"),
        ({"type": "git-clone", "repo": "https://example.org/a/b"}, "clone"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_step_that_may_not_start_or_is_of_another_kind_is_passed_over(step, why):
    assert why
    assert (await told({"one": ECHO, "odd": step, "last": ECHO}))[0] == ["last-1"]


@pytest.mark.parametrize("step", [ASK, {"type": "parallel", "steps": {"in": ECHO}}])
async def test_nothing_behind_an_approval_or_a_group_is_told(step):
    guesses = await told({"one": ECHO, "two": ECHO, "hold": step, "last": ECHO})
    assert guesses[0] == ["two-1"]
    assert guesses[1] == []


async def test_in_parallel_mode_nothing_is_told():
    assert await told({"one": ECHO, "two": ECHO}, mode="parallel") == []


async def test_members_of_a_group_do_not_take_back_what_follows_it():
    group = {"type": "parallel", "steps": {"in": ECHO, "out": ECHO}}
    assert await told({"group": group, "last": ECHO}) == [["last-1"], ["last-1"], []]


async def test_what_comes_no_more_is_taken_back_before_the_hooks_of_the_build():
    hooks = {"on_finish": {"exec": {"image": "alpine", "commands": ["true"]}}}
    record, workspace = await play({"one": FAIL, "two": ECHO}, hooks=hooks)
    assert record.statuses["one"] == "error"
    assert [list(guess) for guess in workspace.guesses] == [["two-1"], []]


async def test_a_directory_of_a_step_that_runs_does_not_hide_the_next_one():
    steps = {"one": ECHO, "two": ECHO | {"working_directory": "${{one}}"}}
    assert (await told(steps))[0] == ["two-1"]


async def test_the_variables_of_the_build_are_told_and_no_script():
    _, workspace = await play({"one": ECHO, "two": ECHO}, {"A": "a"})
    guess = workspace.guesses[0]["two-1"]
    assert guess.environment["A"] == "a"
    assert "echo" not in guess.script


async def test_a_step_that_is_skipped_is_told_of_no_more():
    steps = {
        "one": ECHO | {"commands": ["cf_export SKIP=yes"]},
        "two": ECHO | {"when": {"condition": {"all": {"go": "'${{SKIP}}' != 'yes'"}}}},
        "three": ECHO,
        "four": ECHO,
    }
    record, workspace = await play(steps)
    assert record.statuses["two"] == "skipped"
    assert list(workspace.guesses[0]) == ["two-1", "three-1"]
    assert list(workspace.guesses[1]) == ["four-1"]
    assert "two-1" not in workspace.commands
