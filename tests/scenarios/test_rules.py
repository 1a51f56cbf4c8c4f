"""Rules of the language that show in a build, on the fake runtime."""

import pytest

from fakes import MemoryFeed, MemoryLogs, MemoryRecords, MemoryReports, MemorySecrets, MovedClock
from headrace.execution.run import run
from headrace.execution.settings import ExecutionSettings
from headrace.pipeline.compile import compile_plan, compile_step
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.status import BuildStatus
from headrace.runtimes.fake import FakeRuntime

SECRET = "Gr3en hill/\nsecond+line"
FORMS = ("Gr3en", "hill", "second+line", "second%2Bline", "c2Vjb25kK2xpbmU")


class Built:
    """A build that has ended: its record, its logs, its annotations."""

    def __init__(self, record, logs, records):
        self.record, self.annotations = record, records.annotations
        self.logs = {step: logs.text(record.build_id, step) for step in record.statuses}


async def build(steps, *, variables=None, secrets=None, root="", git=None, answer=""):
    clock, logs, records = MovedClock(), MemoryLogs(), MemoryRecords()
    feed, source = MemoryFeed(clock), MemorySecrets(git=git)
    given = {**(variables or {})}
    given |= {name: source.ref(name, value) for name, value in (secrets or {}).items()}
    plan = compile_plan(f"version: '1.0'\n{root}\nsteps:\n{steps}", variables=given)
    record = feed.enqueue(plan, given)
    while not record.status.is_final:
        await run(
            await feed.claim(),
            runtime=FakeRuntime(clock),
            feed=feed,
            logs=logs,
            secrets=source,
            records=records,
            reports=MemoryReports(),
            clock=clock,
            settings=ExecutionSettings(inactivity_s=0),
        )
        if record.status is BuildStatus.PENDING_APPROVAL:
            feed.decide(record, answer)
    return Built(record, logs, records)


async def test_anchors_may_be_parked_in_indicators():
    built = await build(
        "  a: {<<: *said, image: alpine}\n", root="indicators: [&said {commands: ['echo parked']}]"
    )
    assert "parked" in built.logs["a"]


def test_a_field_of_the_step_itself_wins_over_its_arguments():
    action = compile_step("a", {"image": "own", "arguments": {"image": "other", "cmd": ["x"]}})
    assert (action.image, action.cmd) == ("own", ("x",))


async def test_the_environment_of_a_step_wins_over_exports_and_those_over_the_build():
    built = await build(
        """
  export: {image: alpine, commands: ['cf_export A=exported B=exported']}
  read: {image: alpine, environment: ['A=own'], commands: ['echo "$A $B $C ${{A}}"']}
""",
        variables={"A": "build", "B": "build", "C": "build"},
    )
    assert "own exported build exported" in built.logs["read"]


async def test_variables_of_the_build_are_there_in_hooks_and_groups():
    built = await build(
        """
  group:
    type: parallel
    steps:
      in: {image: alpine, commands: ['echo "group $A"']}
  a: {image: alpine, commands: ['true'], hooks: {on_finish: ['echo "hook $A ${{A}}"']}}
""",
        variables={"A": "seen"},
    )
    assert "group seen" in built.logs["in"]
    assert "hook seen seen" in built.logs["a"]


async def test_a_step_knows_its_name_and_the_volume():
    built = await build(
        "  my-step: {image: alpine, commands: ['echo \"$CF_STEP_NAME ${{CF_STEP_NAME}}\"']}\n"
    )
    assert "my-step my-step" in built.logs["my-step"]


async def test_a_step_publishes_its_description():
    built = await build("""
  a: {image: alpine, description: what it is for, commands: ['true']}
  b: {image: alpine, commands: ['echo "${{steps.a.description}}, ${{a.nothing}}"'], fail_fast: false}
""")
    assert "what it is for" in built.logs["b"]


@pytest.mark.parametrize(("answer", "said"), [("approved", "agreed"), ("denied", "refused")])
async def test_hooks_of_an_approval_run_before_the_question_and_after_the_answer(answer, said):
    built = await build(
        """
  ask:
    type: pending-approval
    fail_fast: false
    hooks:
      on_elected: ['echo asked']
      on_success: ['echo agreed']
      on_fail: ['echo refused as ${{ask.result}}']
      on_finish: ['echo decided']
  last: {image: alpine, commands: ['true']}
""",
        answer=answer,
    )
    words = [
        word for word in ("asked", "Waiting", "agreed", "refused", "decided") if word in built.logs["ask"]
    ]
    assert words == ["asked", "Waiting", said, "decided"]
    assert built.logs["ask"].index("asked") < built.logs["ask"].index("Waiting")
    assert built.record.statuses == {"ask": answer, "last": "success"}


async def test_nobody_is_asked_where_the_hook_on_election_fails():
    built = await build("""
  ask: {type: pending-approval, hooks: {on_elected: ['exit 1'], on_finish: ['echo closed']}}
  last: {image: alpine, commands: ['true']}
""")
    assert built.record.statuses == {"ask": "error", "last": "pending"}
    assert "closed" in built.logs["ask"]
    assert "Waiting" not in built.logs["ask"]


async def test_a_skipped_step_runs_no_hook():
    built = await build("""
  a:
    image: alpine
    commands: ['true']
    when: {condition: {all: {no: 'false'}}}
    hooks: {on_elected: ['echo elected'], on_finish: ['echo finished']}
""")
    assert (built.record.statuses, built.logs["a"]) == ({"a": "skipped"}, "")


@pytest.mark.parametrize("kind", ["freestyle", "composition", "deploy"])
def test_loose_types_pass_over_unknown_keys(kind):
    own = {
        "freestyle": {"image": "alpine"},
        "composition": {
            "composition": {"a": {"image": "x"}},
            "composition_candidates": {"a": {"command": "x"}},
        },
        "deploy": {"kind": "kubernetes", "cluster": "c", "namespace": "n", "service": "s"},
    }[kind]
    assert compile_step("a", {"type": kind, **own, "whatever": 1}) == compile_step("a", {"type": kind, **own})


def expression(size):
    return "'" + "x" * (size - len("'' == ''")) + "' == ''"


async def test_a_condition_has_at_most_12_000_characters_before_and_after_it_is_filled():
    body = "  a: {image: alpine, commands: ['true'], when: {condition: {all: {long: \"%s\"}}}}\n"
    built = await build(body % expression(12_000))
    assert built.record.statuses == {"a": "skipped"}
    with pytest.raises(SpecErrors, match="longer than 12000 characters"):
        await build(body % expression(12_001))
    filled = await build(body % "'${{LONG}}' == ''", variables={"LONG": "x" * 12_000})
    assert filled.record.status is BuildStatus.ERROR
    assert "12000" in filled.record.reason


async def test_a_secret_is_nowhere_that_a_build_tells_of():
    """In whatever form: as it is, by its lines, percent-encoded, in base64."""
    built = await build(
        r"""
  a:
    image: alpine
    title: 'of ${{TOKEN}}'
    description: '${{TOKEN}}'
    fail_fast: false
    environment: ['FAKE_OUTPUT=${{TOKEN}} c2Vjb25kK2xpbmU= second%2Bline']
    commands: ['cf_export a_CF_OUTPUT_URL=https://example.org/second+line', 'exit 3']
    hooks:
      on_fail:
        exec: ['echo "hook ${{TOKEN}}"']
        annotations:
          set: [{annotations: [{leak: '${{TOKEN}}'}, {worked: {evaluate: "upper('a') + '${{TOKEN}}'"}}]}]
  b:
    image: alpine
    fail_fast: false
    commands: ['true']
    environment: ['FAKE_START_FAILS=no ${{TOKEN}}']
  c: {image: alpine, commands: ['true'], when: {condition: {all: {q: "Number('${{TOKEN}}') == 1"}}}}
""",
        secrets={"TOKEN": SECRET},
    )
    assert built.record.statuses == {"a": "error", "b": "error", "c": "error"}
    told = [built.record.reason, repr(built.annotations), *built.logs.values()]
    for state in built.record.steps.values():
        told += [state.reason, state.title, state.link, repr(state.members)]
    assert [(form, text) for text in told for form in FORMS if form in text] == []
    assert "*****" in built.logs["a"]
