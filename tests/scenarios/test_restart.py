"""A build goes on from the step that failed in another one."""

import pytest

from fakes import MemoryFeed, MemoryLogs, MemoryRecords, MemoryReports, MemorySecrets, MovedClock
from headrace.execution.run import run
from headrace.execution.settings import ExecutionSettings
from headrace.pipeline.compile import compile_plan
from headrace.pipeline.status import StepStatus
from headrace.resources.builds.restarts import carried
from headrace.runtimes.fake import FakeRuntime

SEQUENTIAL = """
version: '1.0'
steps:
  one: {image: alpine, commands: ['cf_export A=s3cret-value --mask', 'cf_export B=2']}
  skipped: {image: alpine, commands: ['true'], when: {branch: {only: [none]}}}
  group:
    type: parallel
    steps:
      good: {image: alpine, commands: ['cf_export C=3']}
      bad: {image: alpine, commands: ['echo "got $B $C"', 'exit ${{CODE}}']}
  last: {image: alpine, commands: ['echo "end $A $B $C ${{steps.one.result}}"']}
"""
PARALLEL = SEQUENTIAL.replace("steps:", "mode: parallel\nsteps:", 1).replace(
    "last: {", "last: {when: {steps: [{name: group}, {name: one}]}, "
)


class World:
    def __init__(self):
        self.clock = MovedClock()
        self.feed, self.logs, self.secrets = MemoryFeed(self.clock), MemoryLogs(), MemorySecrets()
        self.runtime = FakeRuntime(self.clock)

    async def build(self, text, code, states=()):
        variables = {"CODE": code}
        record = self.feed.enqueue(compile_plan(text, variables=variables), variables)
        record.steps.update({state.name: state for state in states})
        await run(
            await self.feed.claim(),
            runtime=self.runtime,
            feed=self.feed,
            logs=self.logs,
            secrets=self.secrets,
            records=MemoryRecords(),
            reports=MemoryReports(),
            clock=self.clock,
            settings=ExecutionSettings(inactivity_s=0),
        )
        return record

    def log(self, record, step):
        return self.logs.text(record.build_id, step)


@pytest.mark.parametrize("text", [SEQUENTIAL, PARALLEL], ids=["sequential", "parallel"])
async def test_what_went_well_is_not_run_again(text):
    world = World()
    failed = await world.build(text, "3")
    again = await world.build(text, "0", carried(failed.plan, failed.steps))

    assert failed.status == "error"
    assert again.status == "success"
    assert {name: status for name, status in again.history if status == "running"}.keys() == {
        "group",
        "bad",
        "last",
    }
    assert [name for name, state in again.steps.items() if state.previously_executed] == ["one", "good"]
    assert "end ***** 2 3 success" in world.log(again, "last")
    assert "Step 'one' was executed by an earlier build" in world.log(again, "Initializing Process")


async def test_a_group_that_went_well_comes_along_whole():
    text = """
version: '1.0'
steps:
  group:
    type: parallel
    fail_fast: false
    steps:
      bad: {image: alpine, commands: ['exit 1']}
      good: {image: alpine, commands: ['true']}
  last: {image: alpine, commands: ['exit ${{CODE}}']}
"""
    world = World()
    failed = await world.build(text, "1")
    states = {state.name: state.status for state in carried(failed.plan, failed.steps)}
    assert states == {
        "group": StepStatus.SUCCESS,
        "bad": StepStatus.ERROR,
        "good": StepStatus.SUCCESS,
    }
