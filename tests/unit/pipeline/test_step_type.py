import copy

import pytest

from headrace.pipeline import catalogue
from headrace.pipeline.compile import compile_plan
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.plan import Group, Outputs
from headrace.pipeline.step_type import latest, read_step_type

SCHEMA = """
{
  "type": "object", "additionalProperties": false, "required": ["WHO"],
  "properties": {
    "WHO": {"type": "string"},
    "TIMES": {"type": "integer", "default": 2},
    "LOUD": {"type": "boolean"},
    "MORE": {"type": "array", "items": {"type": "string"}},
    "KIND": {"enum": ["a", "b"]},
    "timeout": {"type": "string"}
  }
}
"""


def document(arguments=SCHEMA, **spec):
    return {
        "version": "1.0",
        "kind": "step-type",
        "metadata": {"name": "acme/hello", "version": "1.0.0"},
        "spec": {"arguments": arguments, **spec},
    }


def static(**steps):
    return document(steps=steps or {"main": {"image": "alpine", "commands": ["echo ${{WHO}} ${{KIND}}"]}})


def templated(text):
    return document(stepsTemplate=text, delimiters={"left": "[[", "right": "]]"})


def plan(step_type, step, variables=None, **root):
    definition = read_step_type(step_type)
    pipeline = {"version": "1.0", "steps": {"use": {"type": "acme/hello", **step}}, **root}
    names = ("acme/hello", "acme/hello:1.0.0")
    return compile_plan(
        pipeline, variables=variables or {}, resolve=lambda name: definition if name in names else None
    )


def steps(step_type, step, variables=None, **root):
    return {one.name: one for one in plan(step_type, step, variables, **root).steps}


def refusals(step_type, step, variables=None):
    with pytest.raises(SpecErrors) as caught:
        plan(step_type, step, variables)
    return [(error.path, error.message) for error in caught.value.errors]


def test_a_step_becomes_a_group_and_its_members_follow():
    planned = plan(static(), {"arguments": {"WHO": "ada"}}).steps
    assert [(step.name, step.parent) for step in planned] == [("use", None), ("use.main", "use")]
    assert planned[0].action == Group(mode="sequential", outputs=Outputs())
    assert planned[0].type == "acme/hello"
    assert planned[1].action.commands == ("echo ada ",)
    assert planned[1].action.working_directory == "/codefresh/volume"


def test_what_the_using_step_says_belongs_to_the_group():
    step = {
        "arguments": {"WHO": "ada"},
        "title": "Greet",
        "description": "words",
        "stage": "one",
        "fail_fast": False,
        "when": {"branch": {"only": ["main"]}},
        "timeout": "5m",
        "retry": {"maxAttempts": 3},
        "hooks": {"on_finish": {"exec": {"image": "alpine", "commands": ["true"]}}},
    }
    planned = steps(static(), step, stages=["one"])
    group, member = planned["use"], planned["use.main"]
    assert (group.title, group.description, group.stage, group.fail_fast) == ("Greet", "words", "one", False)
    assert group.when.branch_only == ("main",)
    assert group.hooks.on_finish is not None
    assert (member.title, member.stage, member.fail_fast, member.when) == ("Greet", "one", True, None)
    assert (group.timeout_s, group.retry.max_attempts) == (300, 3)
    assert (member.timeout_s, member.retry) == (None, None)


def test_a_built_in_type_may_be_a_variable():
    document = {"version": "1.0", "steps": {"a": {"type": "${{T}}", "image": "alpine"}}}
    (planned,) = compile_plan(document, variables={"T": "freestyle"}).steps
    assert (planned.type, planned.action.image) == ("freestyle", "alpine")


def test_a_type_may_be_a_variable():
    assert "use.main" in steps(
        static(), {"type": "${{T}}", "arguments": {"WHO": "a"}}, {"T": "acme/hello:1.0.0"}
    )


def test_an_unknown_type_or_version_is_refused_by_name():
    assert refusals(static(), {"type": "acme/hello:9.0.0"}) == [
        ("steps.use.type", "there is no step type 'acme/hello:9.0.0'")
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ("WHO", '"WHO" is required')),
        ({"WHO": 1}, ("WHO", '"WHO" must be a string')),
        ({"WHO": "a", "FOO": 1}, ("FOO", '"FOO" is not allowed')),
        ({"WHO": "a", "TIMES": "many"}, ("TIMES", '"TIMES" must be an integer')),
        ({"WHO": "a", "MORE": ["a", 1]}, ("MORE.1", '"1" must be a string')),
        ({"WHO": "a", "KIND": "c"}, ("KIND", '"KIND" must be one of [a, b]')),
    ],
)
def test_arguments_are_checked_by_the_schema(arguments, expected):
    place, message = expected
    assert refusals(static(), {"arguments": arguments}) == [(f"steps.use.arguments.{place}", message)]


def test_arguments_of_the_old_form_stand_beside_the_type():
    planned = steps(static(), {"WHO": "ada", "unknown": 1})
    assert planned["use.main"].action.commands == ("echo ada ",)


def test_a_timeout_among_the_arguments_is_an_argument():
    text = "main: {image: alpine, commands: ['[[ .Arguments.timeout ]]']}"
    planned = steps(templated(text), {"arguments": {"WHO": "a", "timeout": "7"}, "timeout": "1m"})
    assert planned["use.main"].action.commands == ("7",)
    assert planned["use"].timeout_s == 60


def test_a_list_in_the_place_of_a_whole_value_stays_a_list():
    step_type = static(
        main={"image": "alpine", "commands": "${{MORE}}", "environment": ["L=${{MORE}}", "T=${{TIMES}}"]}
    )
    action = steps(step_type, {"arguments": {"WHO": "a", "MORE": ["x", "y"]}})["use.main"].action
    assert action.commands == ("x", "y")
    assert action.environment == ('L=["x", "y"]', "T=2")


def test_a_template_gives_the_steps():
    text = """
    main:
      image: alpine
      environment:
      [[- range $k, $v := .Arguments ]]
        - '[[ $k ]]=[[ $v ]]'
      [[- end ]]
    """
    planned = steps(templated(text), {"arguments": {"WHO": "ada"}})
    assert planned["use.main"].action.environment == ("TIMES=2", "WHO=ada")


def test_references_among_the_arguments_stay_references():
    text = "main: {image: alpine, commands: ['echo [[ .Arguments.WHO ]]']}"
    for variables in ({}, {"TOKEN": "known"}):
        planned = steps(templated(text), {"arguments": {"WHO": "${{TOKEN}}"}}, variables)
        assert planned["use.main"].action.commands == ("echo ${{TOKEN}}",)


def test_a_reference_decides_by_its_value_and_may_stand_for_any_type():
    text = "main: {image: alpine, commands: [[ if .Arguments.LOUD ]][loud][[ else ]][quiet][[ end ]]}"
    step = {"arguments": {"WHO": "a", "LOUD": "${{LOUD}}"}}
    assert steps(templated(text), step, {"LOUD": "true"})["use.main"].action.commands == ("loud",)
    assert steps(templated(text), step, {"LOUD": "false"})["use.main"].action.commands == ("quiet",)
    assert refusals(templated(text), step, {"LOUD": "maybe"})[0][0] == "steps.use.arguments.LOUD"
    ((place, message),) = refusals(templated(text), step)
    assert place == "steps.use.type"
    assert "line 1: the template depends on '${{LOUD}}'" in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("main: {image: alpine", "stepsTemplate gives no YAML"),
        ("- a", "stepsTemplate gives no map of steps"),
        ("main: {title: 1}", 'steps.main.image: "image" is required'),
        ("main: {type: acme/other}", "a step type may not use another one, 'acme/other'"),
        ("main: {type: helm}", "a step type may not use another one, 'helm'"),
        ("main: {type: parallel, steps: {a: {image: b}}}", "a step type may not use 'parallel'"),
        ("main: {type: pending-approval}", "a step type may not use 'pending-approval'"),
        ("{}", "has 0 steps"),
        ("[[ nope ]]", "stepsTemplate: line 1: no function named 'nope'"),
    ],
)
def test_a_template_that_gives_wrong_steps_is_refused_at_the_using_step(text, expected):
    found = refusals(templated(text), {"arguments": {"WHO": "a"}})
    assert {place for place, _ in found} == {"steps.use.type"}
    assert any(expected in message for _, message in found), found


def test_members_have_their_own_spelling_of_fail_fast_and_know_each_other():
    planned = steps(
        static(
            one={"image": "a", "failFast": False, "name": "x", "stage": "none"},
            two={"image": "a", "fail_fast": False, "when": {"steps": [{"name": "one", "on": ["success"]}]}},
            three={"image": "a", "working_directory": "sub"},
        ),
        {"arguments": {"WHO": "a"}},
    )
    assert [planned[f"use.{name}"].fail_fast for name in ("one", "two", "three")] == [False, True, True]
    assert planned["use.two"].when.steps_all[0].name == "use.one"
    assert planned["use.three"].action.working_directory == "/codefresh/volume/sub"


def test_a_working_directory_of_the_using_step_is_where_members_start():
    planned = steps(static(), {"arguments": {"WHO": "a"}, "working_directory": "${{clone}}"})
    assert planned["use.main"].action.working_directory == "${{clone}}"


def test_declared_returns_are_the_outputs():
    step_type = document(
        returns='{"required": ["A"], "properties": {"A": {}, "B": {}}}', steps={"main": {"image": "a"}}
    )
    group = steps(step_type, {"arguments": {"WHO": "a"}})["use"]
    assert group.action.outputs == Outputs(names=("A", "B"), required=("A",))


def test_a_step_type_may_be_used_in_a_hook():
    pipeline = {
        "version": "1.0",
        "hooks": {"on_finish": {"steps": {"tell": {"type": "acme/hello", "arguments": {"WHO": "ada"}}}}},
        "steps": {"a": {"image": "alpine"}},
    }
    planned = compile_plan(pipeline, variables={}, resolve=lambda _: read_step_type(static()))
    names = [(step.name, step.parent) for step in planned.hooks.on_finish.steps]
    assert names[1:] == [
        ("#on_finish#tell", "#on_finish"),
        ("#on_finish#tell.main", "#on_finish#tell"),
    ]


def test_the_latest_version_is_the_highest_pre_releases_included():
    assert latest(["1.9.0", "1.10.0-rc.1", "1.2.0"]) == "1.10.0-rc.1"
    assert latest(["1.0.0-rc.1", "1.0.0"]) == "1.0.0"
    assert latest([]) is None


def test_all_mistakes_of_a_document_are_named_at_once():
    wrong = copy.deepcopy(static())
    wrong["metadata"] = {"name": "a b", "version": "1"}
    wrong["spec"]["arguments"] = "{"
    with pytest.raises(SpecErrors) as caught:
        read_step_type(wrong)
    assert [error.path for error in caught.value.errors] == [
        "metadata.name",
        "metadata.version",
        "spec.arguments",
    ]


def test_a_schema_reads_nothing_from_outside():
    with pytest.raises(SpecErrors, match="is no JSON Schema"):
        read_step_type(document('{"$ref": "http://127.0.0.1/x.json"}', steps={"main": {"image": "a"}}))


@pytest.mark.parametrize("name", catalogue.documents())
def test_every_step_type_of_the_catalogue_compiles_with_its_examples(name):
    metadata = catalogue.documents()[name]["metadata"]
    assert metadata["examples"]
    for example in metadata["examples"]:
        pipeline = {"version": "1.0", "steps": example["workflow"]}
        planned = compile_plan(pipeline, variables={"CF_BRANCH": "PROJ-1"}).steps
        assert planned[0].type.partition(":")[0] == name
        assert planned[1].parent == planned[0].name


def test_a_step_type_of_the_catalogue_stands_in_for_its_earlier_versions():
    assert catalogue.resolve("codefresh-run:1.5.3").version == "1.6.0"
    assert catalogue.resolve("codefresh-run:1.6.0").version == "1.6.0"
    assert catalogue.resolve("codefresh-run:2.0.0") is None
    assert catalogue.resolve("codefresh-run:latest") is None
    assert catalogue.resolve("acme/none") is None
