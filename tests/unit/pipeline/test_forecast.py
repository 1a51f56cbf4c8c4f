import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes import MemoryFeed, MemoryLogs, MemoryRecords, MemoryReports, MemorySecrets, MovedClock
from headrace.execution.run import run
from headrace.execution.settings import ExecutionSettings
from headrace.pipeline.compile import compile_plan
from headrace.pipeline.forecast import forecast
from headrace.runtimes.fake import FakeRuntime

SHELL = {"image": "alpine", "commands": ["echo hello"]}
VARIABLES = {"CF_BRANCH": "main", "TARGET": "prod"}


def told(steps, variables=VARIABLES, secrets=(), **root):
    plan = compile_plan({"version": "1.0", "steps": steps} | root, variables=variables)
    return {step.name: step for step in forecast(plan, variables, secrets).steps}


def verdicts(steps, **root):
    return {name: (step.verdict, step.reason) for name, step in told(steps, **root).items()}


def when(expression):
    return SHELL | {"when": {"condition": {"all": {"it": expression}}}}


def test_a_condition_on_what_is_known_is_decided_and_shows_what_it_read():
    step = told({"a": when("'${{TARGET}}' == 'test'")})["a"]
    assert (step.verdict, step.conditions[0].holds) == ("skipped", False)
    assert step.conditions[0].values == {"TARGET": "prod"}


def test_a_condition_on_a_step_that_runs_is_known_only_after_it():
    found = verdicts({"a": SHELL, "b": SHELL | {"when": {"steps": [{"name": "a", "on": ["success"]}]}}})
    assert found["b"] == ("open", "known only after a")


def test_a_condition_on_a_step_that_is_skipped_is_decided():
    found = verdicts({"a": when("false"), "b": when("steps.a.result == 'skipped'")})
    assert (found["a"][0], found["b"][0]) == ("skipped", "runs")


def test_a_variable_that_an_earlier_step_may_export_is_known_only_after_it():
    exports = SHELL | {"commands": ["cf_export TARGET=test"]}
    asks = when("'${{TARGET}}' == 'prod'")
    found = verdicts({"before": asks, "exports": exports, "after": asks})
    assert (found["before"][0], found["after"]) == ("runs", ("open", "known only after exports"))


def test_a_secret_decides_nothing_and_stays_a_reference():
    steps = {"a": when("'${{TOKEN}}' == 'x'") | {"image": "${{TOKEN}}/${{TARGET}}"}}
    step = told(steps, secrets=["TOKEN"])["a"]
    assert (step.verdict, step.image, step.secrets) == ("open", "${{TOKEN}}/prod", ("TOKEN",))


def test_only_what_a_build_step_names_of_the_secrets_reaches_it():
    build = {"type": "build", "image_name": "app", "build_arguments": ["T=${{TOKEN}}"]}
    step = told({"b": build}, secrets=["OTHER", "TOKEN"])["b"]
    assert step.secrets == ("TOKEN",)
    assert step.makes == ("app",)


def test_secrets_of_stores_are_named_as_they_are_written():
    steps = {"a": SHELL | {"environment": ["K=${{ secrets.vault.app/db@password }}"]}, "b": SHELL}
    found = told(steps)
    assert (found["a"].secrets, found["b"].secrets) == (("secrets.vault.app/db@password",), ())


def test_secrets_of_stores_are_named_wherever_they_are_read_and_decide_nothing():
    hooked = SHELL | {"environment": ["K=${{secrets.vault.hook}}"]}
    steps = {
        "a": when("'${{secrets.vault.mode}}' == 'x'"),
        "b": when("URL == 'x'") | {"title": "to ${{secrets.vault.title}}"},
        "c": SHELL | {"services": {"composition": {"db": {"image": "${{secrets.vault.image}}"}}}},
        "d": SHELL | {"hooks": {"on_finish": {"exec": hooked}}},
    }
    found = told(steps, VARIABLES | {"URL": "ada:${{secrets.vault.pw}}"})
    assert (found["a"].verdict, found["a"].reason) == ("open", "known only after its store is asked")
    assert found["b"].verdict == "open"
    assert found["b"].title == "to ${{secrets.vault.title}}"
    named = {
        name: [one.removeprefix("secrets.vault.") for one in step.secrets] for name, step in found.items()
    }
    assert named == {"a": ["mode", "pw"], "b": ["pw"], "c": ["image", "pw"], "d": ["hook", "pw"]}


def test_the_services_and_the_criteria_of_the_build_name_their_secrets():
    root = {
        "services": {"composition": {"db": {"image": "x", "environment": ["PW=${{secrets.vault.db}}"]}}},
        "success_criteria": {"condition": {"all": {"it": "'${{secrets.vault.ok}}' == 'yes'"}}},
    }
    plan = compile_plan({"version": "1.0", "steps": {"a": SHELL}, **root}, variables={})
    assert forecast(plan, {}).secrets == ("secrets.vault.db", "secrets.vault.ok")


def test_hooks_are_told_with_their_images():
    hook = {"exec": {"image": "notify:${{TARGET}}", "commands": ["true"]}}
    step = told({"a": SHELL | {"hooks": {"on_success": hook}}})["a"]
    assert [(one.name, one.image) for one in step.hooks["on_success"]] == [("exec", "notify:prod")]


def test_a_condition_that_cannot_be_worked_out_fails_and_nothing_follows():
    found = verdicts({"a": when("'1' +"), "b": SHELL})
    assert (found["a"][0], found["b"][0]) == ("fails", "not-reached")


def test_what_tests_the_result_of_a_parallel_pipeline_is_known_last():
    found = verdicts({"a": SHELL, "b": when("workflow.result == 'success'")}, mode="parallel")
    assert found["b"] == ("open", "known only after all other steps")


def test_a_chain_of_waiting_steps_in_the_wrong_order_is_told():
    waits = {
        f"s{n}": SHELL | {"when": {"steps": [{"name": f"s{n + 1}", "on": ["success"]}]}} for n in range(400)
    }
    found = verdicts(waits | {"s400": when("false")}, mode="parallel")
    assert found["s399"][0] == "skipped"
    assert {verdict for verdict, _ in found.values()} <= {"skipped", "open"}


def test_steps_that_ask_for_each_other_are_told_in_one_way_only():
    either = {"condition": {"any": {"x": "true", "y": "steps.b.result == 'success'"}}}
    waits = {"steps": [{"name": "a", "on": ["success"]}]}
    found = verdicts({"a": SHELL | {"when": either}, "b": SHELL | {"when": waits}}, mode="parallel")
    assert found == {"a": ("runs", ""), "b": ("open", "known only after a")}


NAMES = ("a", "b", "c", "d", "e")
EXPRESSIONS = (
    "true",
    "false",
    "'${{TARGET}}' == 'prod'",
    "'${{TARGET}}' == 'test'",
    "steps.a.result == 'skipped'",
    "steps.b.result == 'success'",
    "workflow.result == 'success'",
    "'${{CF_BRANCH}}' != 'main'",
)
CONDITIONS = st.one_of(
    st.none(),
    st.builds(
        lambda word, texts: {"condition": {word: dict(zip("xyz", texts, strict=False))}},
        st.sampled_from(["all", "any"]),
        st.lists(st.sampled_from(EXPRESSIONS), min_size=1, max_size=3),
    ),
    st.builds(
        lambda name, on: {"steps": [{"name": name, "on": [on]}]},
        st.sampled_from(NAMES),
        st.sampled_from(["success", "skipped", "finished", "failure"]),
    ),
    st.builds(lambda branch: {"branch": {"only": [branch]}}, st.sampled_from(["main", "other", "/ma.*/"])),
)
EXPORTS = {"image": "alpine", "commands": ["cf_export TARGET=test"]}
EXPECTED = {"runs": {"success"}, "skipped": {"skipped"}, "fails": {"error"}}


@st.composite
def pipelines(draw):
    def body(name):
        condition = draw(CONDITIONS)
        more = {} if condition is None else {"when": condition}
        if name in ("c", "d") and draw(st.booleans()):
            members = {f"{name}{n}": body(f"{name}{n}") for n in range(2)}
            return {"type": "parallel", "steps": members} | more
        return draw(st.sampled_from([SHELL, SHELL, EXPORTS])) | more

    mode = draw(st.sampled_from(["sequential", "parallel"]))
    return {"version": "1.0", "mode": mode, "steps": {name: body(name) for name in NAMES}}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pipelines())
def test_what_is_told_is_what_a_run_does(document):
    plan = compile_plan(document, variables=VARIABLES)
    found = forecast(plan, VARIABLES)
    assert [step.name for step in found.steps] == [step.name for step in plan.steps]
    statuses = asyncio.run(ran(plan))
    for step, planned in zip(found.steps, plan.steps, strict=True):
        assert planned.when or planned.parent or step.verdict in ("runs", "not-reached")
        if step.verdict in EXPECTED:
            assert statuses[step.name] in EXPECTED[step.verdict], (step, statuses)


async def ran(plan):
    clock = MovedClock()
    feed = MemoryFeed(clock)
    record = feed.enqueue(plan, VARIABLES)
    order = await feed.claim()
    await run(
        order,
        runtime=FakeRuntime(clock),
        feed=feed,
        clock=clock,
        settings=ExecutionSettings(inactivity_s=0, stop_grace_s=2),
        logs=MemoryLogs(),
        secrets=MemorySecrets(),
        records=MemoryRecords(),
        reports=MemoryReports(),
    )
    return record.statuses


@pytest.mark.parametrize("name", ["CF_BUILD_ID", "CF_BUILD_URL"])
def test_what_differs_between_builds_is_not_told(name):
    step = told({"a": SHELL | {"image": f"app:${{{{{name}}}}}"}}, variables={name: "x"})["a"]
    assert step.image == f"app:${{{{{name}}}}}"
