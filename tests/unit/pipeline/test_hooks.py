import pytest

from headrace.pipeline.compile import compile_plan
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.plan import Annotate, DescribeImage, Entry, Group, Retry, from_json, to_json
from headrace.pipeline.validate import validate

SHELL = {"image": "alpine", "commands": ["true"]}


def plan_of(hooks=None, /, step=None, **root):
    body = {"version": "1.0", "steps": {"unit": {**SHELL, **(step or {})}}, **root}
    if hooks is not None:
        body["hooks"] = hooks
    plan = compile_plan(body, variables={})
    assert from_json(to_json(plan)) == plan
    return plan


def messages(hook, **root):
    document = {"version": "1.0", "steps": {"unit": SHELL}, "hooks": {"on_finish": hook}, **root}
    return [error.message for error in validate(document).errors]


def set_of(entries):
    return {"annotations": {"set": [{"annotations": entries}]}}


def commands(hook):
    group, *members = hook.steps
    assert {step.parent for step in members} <= {group.name}
    names = [step.name.removeprefix(f"{group.name}#") for step in members]
    return [
        (name, step.action.image, step.action.commands) for name, step in zip(names, members, strict=True)
    ]


@pytest.mark.parametrize(
    "written",
    [
        ["echo a"],
        {"exec": ["echo a"]},
        {"exec": {"image": "alpine", "commands": ["echo a"]}},
        {"image": "alpine", "commands": ["echo a"]},
        {"steps": {"exec": {"image": "alpine", "commands": ["echo a"]}}},
        {"exec": {"steps": {"exec": {"image": "alpine", "commands": ["echo a"]}}}},
    ],
)
def test_every_form_of_a_hook_with_one_step_means_the_same(written):
    hook = plan_of({"on_finish": written}).hooks.on_finish
    assert commands(hook) == [("exec", "alpine", ("echo a",))]
    assert commands(plan_of(step={"hooks": {"on_fail": written}}).steps[0].hooks.on_fail) == commands(hook)


@pytest.mark.parametrize("around", [lambda steps: steps, lambda steps: {"exec": steps}])
def test_a_hook_of_several_steps_keeps_their_order_and_mode(around):
    several = {
        "mode": "parallel",
        "fail_fast": False,
        "steps": {"a": SHELL, "b": {**SHELL, "fail_fast": True}},
    }
    hook = plan_of({"on_fail": around(several)}).hooks.on_fail
    assert hook.group.action == Group(mode="parallel")
    assert [(step.name, step.fail_fast) for step in hook.steps[1:]] == [
        ("#on_fail#a", False),
        ("#on_fail#b", True),
    ]


def test_a_hook_may_have_data_only():
    hook = plan_of({"on_success": {"annotations": {"set": [{"annotations": ["done"]}]}}}).hooks.on_success
    assert (commands(hook), hook.annotate) == ([], (Annotate(set=(Entry(name="done"),)),))


def test_a_hook_may_have_steps_and_data():
    written = {"exec": ["true"], "annotations": {"set": [{"annotations": [{"status": "ok"}]}]}}
    hook = plan_of({"on_success": written}).hooks.on_success
    assert commands(hook) == [("exec", "alpine", ("true",))]
    assert hook.annotate[0].set == (Entry(name="status", text="ok"),)


def test_old_style_fields_come_to_the_same_as_hooks():
    data = {"annotations": {"unset": [{"entity_type": "project", "entity_id": "demo", "annotations": ["a"]}]}}
    old = plan_of(step={"on_fail": data}).steps[0].hooks
    assert old == plan_of(step={"hooks": {"on_fail": data}}).steps[0].hooks
    assert old.on_fail.annotate == (Annotate(entity_type="project", entity_id="demo", unset=("a",)),)


def test_old_and_new_hooks_of_one_step_exclude_each_other():
    with pytest.raises(SpecErrors) as wrong:
        plan_of(step={"on_fail": {}, "hooks": {"on_success": ["true"]}})
    assert [error.message for error in wrong.value.errors] == [
        'Either old "on_success/on_fail/on_finish" or new "hooks" should be used'
    ]


def test_old_style_fields_and_a_hook_on_election_go_together():
    hooks = plan_of(step={"on_fail": {}, "hooks": {"on_elected": ["true"]}}).steps[0].hooks
    assert (commands(hooks.on_fail), commands(hooks.on_elected)) == ([], [("exec", "alpine", ("true",))])


def test_annotations_of_a_step_itself_are_those_of_its_success():
    hooks = plan_of(step={"annotations": {"set": [{"annotations": ["a"]}]}, "on_success": {}}).steps[0].hooks
    assert hooks.on_success.annotate == (Annotate(set=(Entry(name="a"),)),)


@pytest.mark.parametrize(
    ("value", "entry"),
    [
        (10.45, Entry(name="x", text="10.45")),
        (9999, Entry(name="x", text="9999")),
        (True, Entry(name="x", text="true")),
        ("Hello World", Entry(name="x", text="Hello World")),
        ("file:Dockerfile", Entry(name="x", text="file:Dockerfile")),
        ({"evaluate": "1 + 1"}, Entry(name="x", text="1 + 1", evaluate=True)),
    ],
)
def test_the_value_of_an_annotation_is_a_text_or_an_expression(value, entry):
    written = {"annotations": {"set": [{"annotations": [{"x": value}], "display": "x"}]}}
    assert plan_of({"on_finish": written}).hooks.on_finish.annotate == (Annotate(set=(entry,), display="x"),)


def test_metadata_is_of_the_images_that_it_names_or_of_the_step_s_own():
    written = {
        "metadata": {"set": [{"CF_QUALITY": True}, {"${{build.imageId}}": [{"tested": "85%"}, "seen"]}]}
    }
    assert plan_of({"on_finish": written}).hooks.on_finish.describe == (
        DescribeImage(set=(Entry(name="CF_QUALITY", text="true"),)),
        DescribeImage(image="${{build.imageId}}", set=(Entry(name="tested", text="85%"), Entry(name="seen"))),
    )


@pytest.mark.parametrize("key", ["debug", "on_start", "on_finish", "on_fail", "hooks", "stage"])
def test_a_step_of_a_hook_has_neither_stage_nor_breakpoints_nor_hooks(key):
    assert messages({"exec": {**SHELL, key: {}}}) == [f'"{key}" is not allowed']
    assert messages({"steps": {"a": {**SHELL, key: {}}}}) == [f'"{key}" is not allowed']


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ("echo", '"on_finish" must be an object. Current value: echo '),
        ({"exec": "echo"}, '"exec" must be an object. Current value: echo '),
        ({"exec": {"commands": ["echo"]}}, '"image" is required'),
        ([5], '"0" must be a string. Current value: 5 '),
        ({"exec": ["a"], "steps": {}}, '"steps" conflict with forbidden peer "exec"'),
        ({"mode": "x", "steps": {}}, '"mode" must be one of [sequential, parallel]. Current value: x '),
        ({"steps": {"a": {"type": "pending-approval"}}}, '"type" can\'t be pending-approval'),
        ({"annotations": {"somewhere": []}}, '"somewhere" is not allowed'),
        ({"annotations": {"set": [{}]}}, '"annotations" is required'),
        (
            {"annotations": {"set": [{"entity_type": "step", "annotations": []}]}},
            '"entity_type" must be one of [project, pipeline, build, image]. Current value: step ',
        ),
        (
            {"annotations": {"set": [{"annotations": ["a-b"]}]}},
            '"a-b" with value "a-b" fails to match the required pattern: /^[A-Za-z0-9_]+$/',
        ),
        (set_of([{"a": ["x"]}]), '"a" must be a string. Current value: x '),
        (set_of([{"a": {"evaluate": 1}}]), '"evaluate" must be a string'),
        ({"annotations": {"unset": [{"display": "a", "annotations": ["a"]}]}}, '"display" is not allowed'),
        ({"metadata": {}}, '"set" is required'),
    ],
)  # fmt: skip
def test_a_hook_that_is_wrong_says_why(hook, said):
    assert messages(hook) == [said]


def test_what_is_wrong_in_a_hook_is_said_of_no_step():
    document = {"version": "1.0", "steps": {"unit": {**SHELL, "hooks": {"on_fail": {"exec": "x"}}}}}
    [error] = validate(document).errors
    assert (error.step_name, error.level, error.path) == ("", "workflow", "steps.unit.hooks.on_fail.exec")


def test_a_hook_without_an_image_runs_on_alpine_though_the_validator_wants_one():
    written = {"exec": {"commands": ["echo"]}}
    assert messages(written) == ['"image" is required']
    assert commands(plan_of({"on_finish": written}).hooks.on_finish) == [("exec", "alpine", ("echo",))]


def test_a_moment_that_does_not_exist_is_refused():
    document = {"version": "1.0", "steps": {"unit": SHELL}, "hooks": {"on_start": ["a"]}}
    assert [error.path for error in validate(document).errors] == ["hooks.on_start"]


@pytest.mark.parametrize(
    ("written", "retry"),
    [
        ({}, Retry()),
        ({"maxAttempts": 3}, Retry(max_attempts=3)),
        ({"maxAttempts": "3", "delay": 3}, Retry(max_attempts=3, delay_s=3)),
        ({"exponentialFactor": 1.5}, Retry(factor=1.5)),
        ({"maxAttempts": 0.5}, Retry()),
    ],
)  # fmt: skip
def test_a_retry_has_the_documented_defaults(written, retry):
    assert plan_of(step={"retry": written}).steps[0].retry == retry
