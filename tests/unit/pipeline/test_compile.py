import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.pipeline.compile import compile_plan, render
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.plan import RunCommands, StepCondition, from_json, to_json
from headrace.pipeline.variables import Scope

SHELL = {"image": "alpine", "commands": ["true"]}


def plan_of(steps, variables=None, **root):
    return compile_plan({"version": "1.0", "steps": steps} | root, variables=variables or {})


def paths_of(steps, **root):
    with pytest.raises(SpecErrors) as failure:
        plan_of(steps, **root)
    return [error.path for error in failure.value.errors]


def test_steps_keep_the_order_of_the_file():
    plan = plan_of({"b": SHELL, "a": SHELL, "c": SHELL}, stages=["one"], mode="parallel")
    assert [step.name for step in plan.steps] == ["b", "a", "c"]
    assert (plan.mode, plan.stages) == ("parallel", ("one",))


def test_a_text_and_its_values_give_the_same_plan():
    text = "version: '1.0'\nsteps:\n  a:\n    image: alpine\n    commands: ['true']\n"
    assert compile_plan(text, variables={}) == plan_of({"a": SHELL})


def test_a_pipeline_document_stands_for_its_spec():
    document = {
        "kind": "pipeline",
        "metadata": {"name": "p/q"},
        "spec": {"steps": {"a": SHELL}, "triggers": []},
    }
    assert compile_plan(document, variables={}) == plan_of({"a": SHELL})


def test_all_errors_come_at_once_by_line():
    text = "version: '1.0'\nsteps:\n  a: {shell: zsh}\n  b:\n    type: git-clone\n    rpo: x\n"
    with pytest.raises(SpecErrors) as failure:
        compile_plan(text, variables={})
    found = [(error.line, error.path) for error in failure.value.errors]
    assert found == [
        (3, "steps.a.image"),
        (3, "steps.a.shell"),
        (4, "steps.b.repo"),
        (6, "steps.b.rpo"),
    ]


def test_a_failure_rule_is_inherited_from_the_root():
    plan = plan_of({"a": SHELL, "b": SHELL | {"fail_fast": True}}, fail_fast=False, strict_fail_fast=True)
    assert [(step.fail_fast, step.strict_fail_fast) for step in plan.steps] == [(False, True), (True, True)]


def test_a_root_fail_fast_that_is_no_boolean_is_refused_when_a_build_starts():
    with pytest.raises(SpecErrors) as refusal:
        compile_plan("{version: '1.0', fail_fast: maybe, steps: {a: {image: x}}}", variables={})
    (error,) = refusal.value.errors
    assert (error.path, error.message) == ("fail_fast", '"fail_fast" must be a boolean')


def test_a_variable_decides_a_boolean_when_it_is_known():
    steps = {"a": SHELL | {"fail_fast": "${{STOP}}"}}
    assert not plan_of(steps, {"STOP": "no"}).steps[0].fail_fast
    assert paths_of(steps) == ["steps.a.fail_fast"]


def test_a_secret_never_reaches_a_plan():
    class Address:
        path = "build/variables/TOKEN"

    steps = {"a": SHELL | {"commands": ["echo ${{TOKEN}}"]}}
    stored = to_json(plan_of(steps, {"TOKEN": Address()}))
    assert b"${{TOKEN}}" in stored
    assert b"build/variables" not in stored


def test_values_of_variables_stay_out_of_texts():
    steps = {"a": {"image": "${{IMAGE}}", "environment": ["A=${{VALUE}}"]}}
    stored = to_json(plan_of(steps, {"IMAGE": "alpine", "VALUE": "hidden-value"}))
    assert b"hidden-value" not in stored


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [("45m", 2700), ("1.5h", 5400), ("30s", 30), ("0s", None), (None, None), ("5d", None)],
)
def test_a_timeout_is_in_seconds_and_a_malformed_one_is_none(timeout, seconds):
    assert plan_of({"a": SHELL | {"timeout": timeout}}).steps[0].timeout_s == seconds


def test_a_timeout_may_be_a_variable():
    assert plan_of({"a": SHELL | {"timeout": "${{T}}"}}, {"T": "2m"}).steps[0].timeout_s == 120


def test_conditions_are_kept_as_they_are_written():
    when = {
        "branch": {"only": ["master"], "ignore": ["/^dev/"]},
        "condition": {"all": {"x": "'${{A}}' == 'b'"}, "any": {"y": "true"}},
        "steps": [{"name": "b", "on": ["failure"]}, {"name": "c"}],
    }
    planned = plan_of({"a": SHELL | {"when": when}}).steps[0].when
    assert planned.branch_only == ("master",)
    assert planned.all_of == (("x", "'${{A}}' == 'b'"),)
    assert planned.any_of == (("y", "true"),)
    assert planned.steps_all == (StepCondition(name="b", on=("failure",)), StepCondition(name="c"))


def test_breakpoints_mean_nothing_where_nobody_debugs():
    debugged = SHELL | {"debug": {"phases": {"before": True}}}
    plan = plan_of({"a": debugged})
    assert (plan.debug, plan.steps[0].breakpoints) == (False, ("before",))


@pytest.mark.parametrize(
    "body",
    [
        {"type": "travis", "services": {}, "test": {"image": "alpine", "command": "true"}},
        {"type": "${{TYPE}}"},
    ],
)
def test_a_type_that_is_not_run_is_refused(body):
    assert paths_of({"a": body}) == ["steps.a.type"]


def test_every_template_of_an_action_is_filled():
    action = RunCommands(
        image="${{I}}",
        commands=("echo ${{A}}", "${{NOPE}}"),
        environment=("X=${{A}}",),
        working_directory="${{I}}",
    )
    filled = render(action, Scope({"I": "alpine", "A": "1"}))
    assert filled == RunCommands(
        image="alpine", commands=("echo 1", "${{NOPE}}"), environment=("X=1",), working_directory="${{I}}"
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
KEYS = st.sampled_from(
    [
        "type",
        "image",
        "commands",
        "cmd",
        "entry_point",
        "shell",
        "environment",
        "volumes",
        "when",
        "timeout",
        "fail_fast",
        "strict_fail_fast",
        "title",
        "stage",
        "repo",
        "depth",
        "credentials",
        "working_directory",
        "arguments",
        "steps",
        "hooks",
        "image_name",
        "buildx",
        "retry",
        "services",
        "scale",
        "matrix",
        "success_criteria",
        "debug",
    ]
)
VALUES = JSON | st.sampled_from(
    [
        "freestyle",
        "git-clone",
        "pending-approval",
        "build",
        "push",
        "deploy",
        "parallel",
        "composition",
        "alpine",
    ]
)
STEPS = st.dictionaries(
    st.text(min_size=1, max_size=6), st.dictionaries(KEYS, VALUES, max_size=5) | JSON, max_size=4
)


ROOT = st.sampled_from(["fail_fast", "mode", "stages", "hooks", "success_criteria", "x"])


@given(STEPS, st.dictionaries(ROOT, JSON, max_size=2))
def test_compiling_gives_a_plan_or_spec_errors(steps, root):
    document = {"version": "1.0", "steps": steps, **root}
    try:
        plan = compile_plan(document, variables={})
    except SpecErrors:
        return
    assert plan == compile_plan(document, variables={})
    assert [step.name for step in plan.steps] == list(steps)
    assert from_json(to_json(plan)) == plan


@given(st.text(alphabet="ab: -\n[]{}&*'\"versionstep10.", max_size=80))
def test_any_text_compiles_or_is_refused(text):
    with contextlib.suppress(SpecErrors):
        compile_plan(text, variables={})


def test_ten_thousand_steps_are_within_the_limits_of_a_document():
    step = "  s{0}: {{title: step {0}, stage: all, image: alpine, commands: [a, b]}}\n"
    steps = "".join(step.format(number) for number in range(10_000))
    plan = compile_plan(f"version: '1.0'\nstages: [all]\nsteps:\n{steps}", variables={})
    assert (len(plan.steps), plan.steps[-1].name) == (10_000, "s9999")
