"""Which steps wait for which."""

import json
from datetime import UTC, datetime

from headrace.execution.ports import StepState
from headrace.pipeline.compile import compile_plan
from headrace.pipeline.status import StepStatus
from headrace.resources.builds.shape import hooks, needs

STEP = {"image": "alpine", "commands": ["true"]}


def at(second):
    return datetime(2026, 11, 28, 12, 0, second, tzinfo=UTC)


def needs_of(steps, **root):
    return needs(compile_plan(json.dumps({"version": "1.0", **root, "steps": steps}), variables={}))


def test_steps_in_sequence_wait_for_the_one_before():
    assert needs_of({"a": STEP, "b": STEP, "c": STEP}) == {"a": [], "b": ["a"], "c": ["b"]}


def test_steps_side_by_side_wait_for_what_their_conditions_name():
    after = {
        **STEP,
        "when": {
            "steps": [{"name": "a", "on": ["success"]}, {"name": "b"}, {"name": "a", "on": ["failure"]}]
        },
    }
    assert needs_of({"a": STEP, "b": STEP, "c": after}, mode="parallel") == {
        "a": [],
        "b": [],
        "c": ["a", "b"],
    }


def test_members_of_a_group_wait_within_it_alone():
    group = {"type": "parallel", "steps": {"x": STEP, "y": STEP}}
    assert needs_of({"a": STEP, "all": group, "z": STEP}) == {
        "a": [],
        "all": ["a"],
        "x": [],
        "y": [],
        "z": ["all"],
    }


def test_hooks_are_told_by_their_step_and_moment():
    states = [
        StepState(name="unit", status=StepStatus.ERROR, started_at=at(1)),
        StepState(name="unit#on_finish", status=StepStatus.RUNNING, started_at=at(3)),
        StepState(name="unit#on_fail", status=StepStatus.SUCCESS, started_at=at(2)),
        StepState(name="unit#on_fail#exec", status=StepStatus.SUCCESS, started_at=at(2)),
    ]
    found = hooks({state.name: state for state in states})
    assert {owner: [(one.moment, one.status) for one in ones] for owner, ones in found.items()} == {
        "unit": [("on_fail", "success"), ("on_finish", "running")]
    }
