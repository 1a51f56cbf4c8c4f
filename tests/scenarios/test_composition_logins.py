"""Which registry a composition's images are pulled with."""

from fakes import MemoryFeed, MemoryLogs, MemoryRecords, MemoryReports, MemorySecrets, MovedClock
from headrace.execution.run import run
from headrace.execution.settings import ExecutionSettings
from headrace.pipeline.compile import compile_plan
from headrace.pipeline.status import StepStatus
from headrace.runtimes.fake import FakeRuntime

REGISTRIES = [
    {"name": "main", "domain": "r.example.org", "username": "u", "password": "main-pass", "is_default": True},
    {"name": "other", "domain": "r.example.org", "username": "u", "password": "other-pass"},
]


async def play(*contexts):
    """Run a composition of one candidate; return its state and the logins that were used."""
    service = {"image": "r.example.org/app", "command": "true"}
    step = {
        "type": "composition",
        "composition": {"version": "2", "services": {"db": {"image": "r.example.org/db"}}},
        "composition_candidates": {"test": service},
        "registry_contexts": list(contexts),
    }
    clock = MovedClock()
    feed, runtime = MemoryFeed(clock), FakeRuntime(clock)
    variables = {"WHICH": "other"}
    record = feed.enqueue(
        compile_plan({"version": "1.0", "steps": {"a": step}}, variables=variables), variables
    )
    order = await feed.claim()
    await run(
        order,
        runtime=runtime,
        feed=feed,
        logs=MemoryLogs(),
        secrets=MemorySecrets(registries=REGISTRIES),
        records=MemoryRecords(),
        reports=MemoryReports(),
        clock=clock,
        settings=ExecutionSettings(inactivity_s=0),
    )
    commands = runtime.workspaces[order.build_id].commands.values()
    return record.steps["a"], {command.login.password for command in commands}


async def test_the_default_registry_of_a_domain_comes_first():
    state, used = await play()
    assert (state.status, used) == (StepStatus.SUCCESS, {"main-pass"})


async def test_a_registry_that_the_step_names_comes_before_it():
    assert (await play("${{WHICH}}"))[1] == {"other-pass"}


async def test_a_registry_that_does_not_exist_fails_the_step_by_name():
    state, used = await play("nope")
    assert (state.status, used) == (StepStatus.ERROR, set())
    assert "Registry 'nope' does not exist" in state.reason
