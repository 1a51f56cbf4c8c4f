"""The JSON Schema of the language agrees with the validator."""

from pathlib import Path

import jsonschema_rs
import pytest

from headrace.pipeline.document import load
from headrace.pipeline.language import MEANINGS, json_schema
from headrace.pipeline.spec import ROOT_FIELDS
from headrace.pipeline.steps import STEP_TYPES
from headrace.pipeline.validate import validate

SCENARIOS = sorted(Path(__file__).parents[2].glob("scenarios/*/codefresh.yml"))


@pytest.fixture(scope="module")
def checked():
    return jsonschema_rs.Draft7Validator(json_schema())


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.parent.name)
def test_what_the_validator_takes_fits_the_schema(path, checked):
    text = path.read_text()
    found = load(text).data
    if not validate(text).is_valid or found.get("kind") == "pipeline":
        return
    assert [(list(one.instance_path), one.message) for one in checked.iter_errors(found)] == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{image: alpine, fail_fast: maybe}", ["fail_fast"]),
        ("{image: alpine, commands: ls}", ["commands"]),
        ("{image: alpine, shell: zsh}", ["shell"]),
        ("{image: alpine, when: {branch: {onyl: [main]}}}", ["when", "branch"]),
        ("{type: pending-approval, timeout: {duration: 3, timeUnit: days}}", ["timeout", "timeUnit"]),
        ("{image: alpine, retry: {maxAttempts: -1}}", ["retry", "maxAttempts"]),
    ],
)
def test_a_mistake_of_a_field_is_one_in_both(text, place, checked):
    document = f"version: '1.0'\nsteps:\n  one: {text}\n"
    assert not validate(document).is_valid
    places = [list(one.instance_path) for one in checked.iter_errors(load(document).data)]
    assert places == [["steps", "one", *place]]


def test_every_declared_field_has_a_meaning():
    names = set(ROOT_FIELDS) | {name for one in STEP_TYPES.values() for name in one.fields}
    assert names - set(MEANINGS) == set()
