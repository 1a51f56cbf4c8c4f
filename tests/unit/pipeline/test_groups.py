import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.pipeline.compile import compile_plan
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.plan import Group, Retry, SuccessCriteria

SHELL = {"image": "alpine", "commands": ["true"]}


def planned(steps, **root):
    plan = compile_plan({"version": "1.0", "steps": steps} | root, variables={"LIMIT": "3s"})
    return {step.name: step for step in plan.steps}


def parallel(steps, **more):
    return {"type": "parallel", "steps": steps, **more}


def errors(steps, **root):
    with pytest.raises(SpecErrors) as failure:
        planned(steps, **root)
    return [(error.path, error.message) for error in failure.value.errors]


def test_members_follow_their_group_and_name_it():
    steps = planned({"g": parallel({"a": SHELL, "h": parallel({"b": SHELL})}), "c": SHELL})
    assert [(name, step.parent) for name, step in steps.items()] == [
        ("g", None),
        ("a", "g"),
        ("h", "g"),
        ("b", "h"),
        ("c", None),
    ]
    assert steps["g"].action == Group(mode="parallel")


def test_members_take_time_limit_and_retry_of_their_group_unless_they_have_their_own():
    members = {
        "takes": SHELL,
        "own": SHELL | {"timeout": "5s", "retry": {"maxAttempts": 4}},
        "none": SHELL | {"timeout": None, "retry": {"maxAttempts": 1}},
        "inner": parallel({"deep": SHELL}),
    }
    steps = planned({"g": parallel(members, timeout="${{LIMIT}}", retry={"maxAttempts": 2})})
    limits = {name: step.timeout_s for name, step in steps.items()}
    assert limits == {"g": None, "takes": 3, "own": 5, "none": None, "inner": None, "deep": 3}
    assert steps["deep"].retry == Retry(max_attempts=2)
    assert steps["own"].retry == Retry(max_attempts=4)
    assert steps["g"].retry is None


def test_the_root_decides_the_failures_of_members_too():
    steps = planned({"g": parallel({"a": SHELL})}, fail_fast=False, strict_fail_fast=True)
    assert [(step.fail_fast, step.strict_fail_fast) for step in steps.values()] == [(False, True)] * 2


@pytest.mark.parametrize(
    ("written", "criteria"),
    [
        ({"steps": ["a"]}, SuccessCriteria(only=("a",))),
        ({"steps": {"only": ["a"], "ignore": ["b"]}}, SuccessCriteria(only=("a",), ignore=("b",))),
        ({"condition": {"any": {"x": "true"}}}, SuccessCriteria(any_of=(("x", "true"),))),
    ],
)
def test_success_criteria_are_read_on_a_group_and_at_the_root(written, criteria):
    group = parallel({"a": SHELL, "b": SHELL}, success_criteria=written)
    assert planned({"g": group})["g"].action.success_criteria == criteria
    plan = compile_plan({"version": "1.0", "steps": {"a": SHELL}, "success_criteria": written}, variables={})
    assert plan.success_criteria == criteria


def test_wrong_criteria_are_refused_with_their_place():
    wrong = {"steps": {"only": []}, "other": 1}
    assert errors({"g": parallel({"a": SHELL}, success_criteria=wrong)}) == [
        ("steps.g.success_criteria.steps.only", '"only" must contain at least 1 items'),
        ("steps.g.success_criteria.other", '"other" is not allowed. Did you mean "steps"?'),
    ]


def test_scale_makes_a_member_of_each_entry():
    when = {"condition": {"all": {"x": "true"}}}
    body = SHELL | {
        "title": "T",
        "when": when,
        "fail_fast": False,
        "environment": ["A=1"],
        "scale": {
            "one": {"environment": ["A=2"], "image": "busybox"},
            "two": None,
            "three": {"title": "Own"},
        },
    }
    steps = planned({"s": body})
    assert list(steps) == ["s", "one", "two", "three"]
    assert steps["s"].when is not None
    assert (steps["s"].fail_fast, steps["one"].fail_fast) == (False, True)
    assert [steps[name].when for name in ("one", "two")] == [None, None]
    assert (steps["one"].action.image, steps["one"].action.environment) == ("busybox", ("A=1", "A=2"))
    assert [step.title for step in steps.values()] == ["T", "T (one)", "T (two)", "Own"]


def test_a_matrix_makes_a_member_of_each_combination_the_last_field_fastest():
    steps = planned({"m": {"commands": ["true"], "matrix": {"image": ["a", "b"], "shell": ["sh", "bash"]}}})
    assert [(name, step.action.image, step.action.shell) for name, step in steps.items() if step.parent] == [
        ("m_1", "a", "sh"),
        ("m_2", "a", "bash"),
        ("m_3", "b", "sh"),
        ("m_4", "b", "bash"),
    ]


def test_a_strict_type_may_be_multiplied_in_a_build():
    clone = {"type": "git-clone", "scale": {"x": {"repo": "a/b"}, "y": {"repo": "c/d"}}}
    assert [step.action.repo for step in planned({"c": clone}).values() if step.parent] == ["a/b", "c/d"]


def test_matrix_and_scale_together_make_groups_in_a_group():
    body = {"commands": ["true"], "scale": {"x": {}, "y": {}}, "matrix": {"image": ["a", "b"]}}
    assert {name: step.parent for name, step in planned({"s": body}).items()} == {
        "s": None,
        "x": "s",
        "x_1": "x",
        "x_2": "x",
        "y": "s",
        "y_1": "y",
        "y_2": "y",
    }


@pytest.mark.parametrize(
    ("steps", "root", "found"),
    [
        ({"s": SHELL | {"scale": {"a": {}}}}, {"mode": "parallel"}, "steps.s.scale"),
        ({"s": SHELL | {"scale": [1]}}, {}, "steps.s.scale"),
        ({"s": SHELL | {"scale": {"a": 1}}}, {}, "steps.s.scale.a"),
        ({"s": SHELL | {"scale": {"t": {}}}, "t": SHELL}, {}, "steps.t"),
        ({"s": SHELL | {"matrix": {"image": "a"}}}, {}, "steps.s.matrix.image"),
        ({"s": SHELL | {"matrix": {"image": ["a"] * 20, "shell": ["sh"] * 20}}}, {}, "steps.s.matrix"),
        ({"s": {"type": "pending-approval", "scale": {"a": {}}}}, {}, "steps.s.scale.a.type"),
        ({"s": {"type": "parallel", "steps": [SHELL]}}, {}, "steps.s.steps"),
        ({"s": parallel({"a": SHELL}, when={"nothing": 1})}, {}, "steps.s.when.nothing"),
    ],
)
def test_what_cannot_be_a_group_is_refused_with_its_place(steps, root, found):
    assert [path for path, _ in errors(steps, **root)] == [found]


NAMES = st.sampled_from("abcdefgh")
LEAF = st.fixed_dictionaries(
    {"image": st.just("alpine")},
    optional={
        "fail_fast": st.booleans(),
        "scale": st.dictionaries(NAMES, st.just({"image": "busybox"}), min_size=1, max_size=3),
        "matrix": st.just({"shell": ["sh", "bash"], "image": ["x", "y"]}),
        "timeout": st.sampled_from(["5s", None]),
    },
)
TREES = st.recursive(
    LEAF,
    lambda inner: st.builds(parallel, st.dictionaries(NAMES, inner, min_size=1, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, TREES, min_size=1, max_size=4))
def test_every_step_is_planned_once_and_after_its_group(steps):
    try:
        plan = compile_plan({"version": "1.0", "steps": steps}, variables={})
    except SpecErrors:  # a name stands twice
        return
    seen = {None: Group(mode="parallel")}
    for step in plan.steps:
        assert step.name not in seen
        assert isinstance(seen[step.parent], Group)
        seen[step.name] = step.action
    groups = {name for name, action in seen.items() if isinstance(action, Group)}
    assert groups == {None, *(step.parent for step in plan.steps)}
