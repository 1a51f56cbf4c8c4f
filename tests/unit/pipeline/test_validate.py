import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.pipeline.validate import details_answer, lint_answer, validate

HEAD = "version: '1.0'\nsteps:\n"


def messages(text):
    return [problem.message for problem in validate(text).errors]


def step(body):
    return messages(f"{HEAD}  a: {body}\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version: '1.0'\nsteps: {}\nfoo: 1\n", ['"foo" is not allowed. Current value: 1 ']),
        (
            "version: '1.0'\nsteps: {}\nfoo: {a: 1}\n",
            ['"foo" is not allowed. Current value: [object Object] '],
        ),
        (
            "foo: 1\n",
            ['"version" is required', '"steps" is required', '"foo" is not allowed. Current value: 1 '],
        ),
        ("version: 2\nsteps: 5\n", ["Current version: 2.0 is invalid. please change version to 1.0"]),
        (
            "version: 1\nsteps: {}\nmode: foo\n",
            ['"mode" must be one of [sequential, parallel]. Current value: foo '],
        ),
        ("[]", ['"value" must be an object. Current value:  ']),
        ("version: 1.0\nsteps: {}\n", []),
    ],
)
def test_the_root_is_checked(text, expected):
    assert sorted(messages(text)) == sorted(expected)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{}", ['"image" is required']),
        ("{image: 1}", ['"image" must be a string. Current value: 1 ']),
        ("{image: a, title: ''}", ['"title" is not allowed to be empty']),
        ("{image: a, title: null}", ['"title" must be a string']),
        ("{image: a, commands: echo hi}", ['"commands" must be an array. Current value: echo hi ']),
        ("{image: a, commands: [5]}", ['"0" must be a string. Current value: 5 ']),
        ("{image: a, shell: zsh}", ['"shell" must be one of [sh, bash]. Current value: zsh ']),
        (
            "{image: a, commands: [b], cmd: c}",
            ['"commands" conflict with forbidden peer "cmd". Current value: b '],
        ),
        (
            "{image: a, environment: {a: b}}",
            ['"environment" must be an array. Current value: [object Object] '],
        ),
        (
            "{image: a, volumes: [abc]}",
            ['"0" with value "abc" fails to match the required pattern: /:/. Current value: abc '],
        ),
        ("{image: a, volumes: ['../x:/y']}", ['"0" leaves the shared volume']),
        ("{image: a, registry_contexts: [x]}", ["'registry_contexts' not allowed"]),
        ("{image: a, stage: two}", ['"stage" must be one of []. Current value: two ']),
        ("{image: a, strict_fail_fast: '${{A}}'}", []),
        ("{image: a, fail_fast: Yes, whatever: 1}", []),
        ("{image: a, fail-fast: '${{A}}'}", []),
        ("{arguments: {image: a}}", []),
        (
            "{type: build, image_name: a, dockerfil: b}",
            ['"dockerfil" is not allowed. Did you mean "dockerfile"?'],
        ),
        ("{type: build, image_name: a, platform: x}", ['"platform" is not allowed']),
        ("{type: pending-approval, qqqqqqqqqqq: 1}", ['"qqqqqqqqqqq" is not allowed']),
        ("{type: push}", ['"candidate" is required']),
        ("{type: deploy, kind: kubernetes, cluster: c, namespace: n}", ['"service" is required']),
        ("{type: parallel}", ['"steps" is required and must be an array of type steps']),
        ("{type: parallel, steps: {b: {type: pending-approval}}}", ['"type" can\'t be pending-approval']),
        ("{type: parallel, steps: {a: {image: x}}}", ["step name exist more than once"]),
        (
            "{image: a, on_fail: {}, hooks: {on_fail: {}}}",
            ['Either old "on_success/on_fail/on_finish" or new "hooks" should be used'],
        ),
        (
            "{image: a, when: {steps: {all: [], any: []}}}",
            ['"value" contains a conflict between exclusive peers [all, any]'],
        ),
        ("null", ['"a" must be an object']),
    ],
)
def test_steps_are_checked_in_the_words_of_the_original(body, expected):
    assert step(body) == expected


def test_names_are_checked():
    found = messages(f"{HEAD}  a.b: {{image: x}}\n  {'n' * 151}: {{image: x}}\n")
    assert found == [
        'step name cannot contain ".", "#", "$", "[", or "]"',
        "step name length is limited to 150",
    ]


def test_a_malformed_timeout_and_a_missing_version_only_warn():
    found = validate(
        f"{HEAD}  a: {{image: x, timeout: 5d}}\n  b: {{type: helm}}\n  c: {{type: 'x:latest'}}\n"
    )
    assert found.is_valid
    assert [(warning.line, warning.step_name) for warning in found.warnings] == [(3, "a"), (4, "b"), (5, "c")]


def test_both_forms_of_the_answer_name_line_and_step():
    found = validate(f"{HEAD}  a:\n    type: git-clone\n    rpo: x\n    timeout: 5d\n")
    detail = details_answer(found)["details"][1]
    assert (detail["lines"], detail["stepName"], detail["level"]) == (5, "a", "step")
    assert detail["suggestion"] == {"from": "rpo", "to": "repo"}
    lint = lint_answer(found)
    assert lint["summarize"] == "✖ 3 problems (2 errors, 1 warning)"
    assert '5  error  "rpo" is not allowed. Did you mean "repo"?' in lint["message"]
    assert "5d" in lint["warningMessage"]
    assert lint["documentationLinks"].endswith("for git-clone documentation\n")


def test_a_good_file_has_a_short_answer():
    found = validate(f"{HEAD}  a: {{image: x}}\n")
    assert lint_answer(found) == details_answer(found) == {"valid": True}


def test_steps_that_are_kept_elsewhere_are_not_checked():
    assert validate({"kind": "pipeline", "spec": {"specTemplate": {"url": "http://x"}, "steps": 5}}).is_valid


def test_places_in_a_pipeline_document_begin_at_its_spec():
    found = validate("kind: pipeline\nspec:\n  steps:\n    a: {}\n")
    assert [(error.path, error.line) for error in found.errors] == [("spec.steps.a.image", 4)]


@given(st.text(alphabet="ab: -\n[]{}&*'\"versionstep10.", max_size=80))
def test_validating_never_raises(text):
    found = validate(text)
    lint_answer(found)
    details_answer(found)
