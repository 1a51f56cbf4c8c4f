"""Which steps wait for which."""

import json

from headrace.pipeline.compile import compile_plan
from headrace.resources.builds.shape import needs

STEP = {"image": "alpine", "commands": ["true"]}


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
