"""Breakpoints: where they may stand, and what a build in debug mode makes of them."""

import pytest

from headrace.pipeline.breakpoints import debugging, phases
from headrace.pipeline.compile import compile_plan
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.step_type import read_step_type

SHELL = {"image": "alpine", "commands": ["true"]}
TYPE = {
    "kind": "step-type",
    "metadata": {"name": "acme/two", "version": "1.0.0"},
    "spec": {"steps": {"one": SHELL, "two": SHELL}},
}


def at(*names):
    return {"debug": {"phases": dict.fromkeys(names, True)}}


def plan_of(steps):
    document = {"version": "1.0", "steps": steps}
    return compile_plan(document, variables={}, resolve=lambda _: read_step_type(TYPE))


def stops(plan):
    return {step.name: step.breakpoints for step in plan.steps if step.breakpoints}


@pytest.mark.parametrize(
    ("debug", "found"),
    [
        ({"phases": {"after": True, "before": True}}, ("before", "after")),
        ({"phases": {"before": "true", "after": "false"}}, ("before",)),
        ({"phases": {"before": False, "elsewhere": True}}, ()),
        ({"phases": ["before"]}, ()),
        ({}, ()),
        (None, ()),
    ],
)
def test_phases_are_those_that_are_turned_on_in_their_order(debug, found):
    assert phases(debug) == found


def test_the_spec_of_a_pipeline_adds_breakpoints_by_the_names_of_steps():
    plan = plan_of({"a": SHELL | at("after"), "b": SHELL})
    found = debugging(plan, {"steps": {"a": at("before")["debug"], "b": at("override")["debug"]}})
    assert found.debug
    assert stops(found) == {"a": ("before", "after"), "b": ("override",)}


def test_a_step_of_a_step_type_stops_before_its_first_member_and_after_its_last():
    found = debugging(plan_of({"a": {"type": "acme/two"} | at("before", "after")}))
    assert stops(found) == {"a.one": ("before",), "a.two": ("after",)}


def test_every_breakpoint_that_cannot_be_is_named_at_once():
    steps = {
        "clone": {"type": "git-clone", "repo": "a/b"} | at("override"),
        "ask": {"type": "pending-approval"} | at("before"),
        "all": {"type": "parallel", "steps": {"a": SHELL}} | at("before"),
    }
    with pytest.raises(SpecErrors) as refused:
        debugging(plan_of(steps), {"steps": {"nope": {}}})
    assert [error.path for error in refused.value.errors] == [
        "spec.debug.steps.nope",
        "steps.clone.debug.phases.override",
        "steps.ask.debug",
        "steps.all.debug",
    ]
    assert all(error.hint for error in refused.value.errors)
