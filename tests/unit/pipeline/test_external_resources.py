import pytest

from headrace.pipeline.compile import compile_plan
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.forecast import forecast
from headrace.pipeline.plan import from_json, to_json

GOOD = {"type": "git", "repo": "a/b", "revision": "main", "source": "x", "destination": "x"}
URL = {"type": "url", "source": "https://h.example/x", "destination": "x"}
STEPS = {"unit": {"image": "alpine", "commands": ["true"]}}


def plan_of(*resources):
    spec = {"steps": STEPS, "externalResources": list(resources)}
    document = {"version": "1.0", "kind": "pipeline", "metadata": {"name": "p/q"}, "spec": spec}
    return compile_plan(document, variables={})


def test_a_plan_keeps_what_is_copied_and_tells_it_first():
    plan = plan_of({**GOOD, "id": "one"}, {**GOOD, "id": "one"}, {**GOOD, "id": "no name"})
    assert from_json(to_json(plan)) == plan
    told = forecast(plan, {})
    assert [step.name for step in told.hooks["externalResources"]] == ["one", "2", "3"]
    assert [step.name for step in told.steps] == ["unit"]


def test_without_any_the_plan_is_the_same():
    assert plan_of() == compile_plan({"version": "1.0", "steps": STEPS}, variables={})


@pytest.mark.parametrize(
    ("resource", "place", "words"),
    [
        ("x", "", "must be an object"),
        ({**GOOD, "type": "svn"}, ".type", "must be 'git', 'cloud' or 'url'"),
        ({**GOOD, "revision": None}, ".revision", "is required"),
        ({**GOOD, "source": 5}, ".source", "must be a text"),
        ({**GOOD, "isFolder": "yes"}, ".isFolder", "must be true or false"),
        ({**GOOD, "destination": "/etc/x"}, ".destination", "leads out of the volume"),
        ({**GOOD, "destination": "/codefresh/volumes"}, ".destination", "leads out of the volume"),
        ({**GOOD, "destination": "a/../../x"}, ".destination", "leads out of the volume"),
        ({**GOOD, "source": "../x"}, ".source", "is not in the repository"),
        ({**GOOD, "repo": "https://me:pw@h/a/b"}, ".repo", "holds a login"),
        ({**GOOD, "type": "url"}, ".repo", "is not allowed where the type is url"),
        ({**URL, "source": "ftp://h/x"}, ".source", "is no address"),
        ({**URL, "source": "https://me:pw@h/x"}, ".source", "holds a login"),
        ({**URL, "isFolder": True}, ".isFolder", "must be false where the type is url"),
        ({**URL, "destination": "/etc/x"}, ".destination", "leads out of the volume"),
        ({**URL, "type": "cloud"}, ".type", "does not copy this yet: type 'cloud'"),
    ],
)
def test_a_wrong_one_names_its_place(resource, place, words):
    with pytest.raises(SpecErrors) as failure:
        plan_of(GOOD, resource)
    assert failure.value.errors[0].path == f"spec.externalResources.1{place}"
    assert words in failure.value.errors[0].message
