"""``services`` and compositions in a pipeline file: what they come to, what is refused with its place."""

import pytest

from headrace.pipeline.compile import compile_plan
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.plan import Readiness, RunComposition, Setup

DB = {"composition": {"db": {"image": "postgres"}}}
STEP = {"image": "alpine", "commands": ["true"]}


def plan_of(step, **root):
    return compile_plan({"version": "1.0", "steps": {"one": step}, **root}, variables={})


def errors_of(step, **root):
    with pytest.raises(SpecErrors) as failure:
        plan_of(step, **root)
    return [(error.path, error.message) for error in failure.value.errors]


def test_services_of_the_build_and_of_a_step():
    plan = plan_of(STEP | {"services": DB}, services=DB | {"name": "data"})
    assert plan.services.name == "data"
    assert plan.steps[0].services.composition == DB["composition"]


def test_a_list_names_services_of_the_build():
    plan = plan_of(STEP | {"services": ["data", "db"]}, services=DB | {"name": "data"})
    assert plan.steps[0].services is None


def test_a_name_that_the_build_does_not_have_is_refused():
    [(path, message)] = errors_of(STEP | {"services": ["dbs"]}, services=DB)
    assert path == "steps.one.services.0"
    assert "is no service of this pipeline" in message


def test_readiness_has_its_defaults_and_its_least_values():
    ready = {"image": "alpine", "commands": ["true"], "periodSeconds": 0.1, "initialDelaySeconds": 7}
    setup = {"image": "alpine", "commands": ["go"]}
    services = plan_of(STEP, services=DB | {"readiness": ready, "setup": setup}).services
    assert services.readiness == Readiness(image="alpine", commands=("true",), period_s=1, initial_delay_s=7)
    assert services.setup == Setup(image="alpine", commands=("go",))


@pytest.mark.parametrize(
    ("services", "path"),
    [
        ({"name": "x"}, "services.composition"),
        (DB | {"readiness": {"commands": ["true"]}}, "services.readiness.image"),
        (DB | {"readyness": {}}, "services.readyness"),
        (DB | {"shared_host_network": "${{X}}"}, "services.shared_host_network"),
        ({"composition": {"db": {"build": "."}}}, "services.composition"),
    ],
)
def test_what_is_wrong_has_its_place(services, path):
    assert path in [place for place, _ in errors_of(STEP, services=services)]


def test_a_composition_is_kept_as_it_is_written():
    body = {
        "type": "composition",
        "composition": "compose.yml",
        "composition-candidates": {"test": {"image": "a", "command": "b"}},
        "composition_variables": ["A=${{B}}"],
    }
    assert plan_of(body).steps[0].action == RunComposition(
        composition="compose.yml",
        candidates={"test": {"image": "a", "command": "b"}},
        variables=("A=${{B}}",),
    )


@pytest.mark.parametrize(
    ("candidates", "path"),
    [
        (
            {"test": {"image": "a", "working_directory": "/x"}},
            "composition_candidates.test.working_directory",
        ),
        ({"test": {"image": "a", "commands": ["x"]}}, "composition_candidates.test.commands"),
        ({}, "composition_candidates"),
    ],
)
def test_a_candidate_has_one_command_in_the_words_of_compose(candidates, path):
    body = {"type": "composition", "composition": {"services": DB["composition"]}}
    errors = errors_of(body | {"composition_candidates": candidates})
    assert f"steps.one.{path}" in [place for place, _ in errors]
