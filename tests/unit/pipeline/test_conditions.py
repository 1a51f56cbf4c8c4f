import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.pipeline.conditions import ConditionFailed, evaluate, fill_expression, holds
from headrace.pipeline.plan import StepCondition, When
from headrace.pipeline.variables import Scope, StepFacts

SCOPE = Scope(
    {"CF_BRANCH": "master", "NUMBER": "5", "my-var": "dashed", "MESSAGE": 'it\\\'s \\"fine\\"'},
    {
        "tests": StepFacts(result="failure", members={"workingDirectory": "/w", "name": "tests"}),
        "some-clone": StepFacts(result="success", members={"workingDirectory": "/c"}),
    },
)


@pytest.mark.parametrize(
    "expression",
    [
        '"${{CF_BRANCH}}" == "master"',
        "'${{CF_BRANCH}}' == 'master'",
        'includes("${{NOPE}}", "{{NOPE}}") == true',
        'includes("${{CF_BRANCH}}", "{{CF_BRANCH}}") == false',
        "${{CF_BRANCH}} == 'master'",
        "${{steps.tests.result}} === 'failure'",
        "steps.tests.result == 'failure' && tests.result == 'error'",
        "steps.nope.result == null",
        "steps.some-clone.result == 'success'",
        "workflow.result == 'running'",
        "CF_BRANCH == 'master'",
        "true == 'true' && 5 == '5' && null == null && !null",
        "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 10 / 4 == 2.5 && 7 % 4 == 3 && -2 + 3 == 1",
        "'a' + 1 == 'a1' && 'b' > 'a' && 'B' < 'a' && ${{NUMBER}} >= 5 && 1 !== 2",
        "false || true && true",
        "true || upper(5)",
        "!(false && upper(5))",
        "String(5) == '5' && Number('3.4') == 3.4 && Boolean('') == false && Boolean('x')",
        "round(1.95) == 2 && floor(1.95) == 1 && 1.79E+308 > 1",
        "upper('a') == 'A' && lower('A') == 'a' && trim(' a ') == 'a'",
        "trimLeft(' a ') == 'a ' && trimRight(' a ') == ' a'",
        "replace('a.b.c', '.', '-') == 'a-b-c'",
        'substring("hello world",6,11)=="world"',
        "length('abc') == 3 && indexOf('abc','c') == 2 && indexOf('abc','x') == -1",
        r"match('v1.2', '^v\\d+\\.\\d+$', false) && match('ABC', 'b', true) && !match('ABC', 'b', false)",
        "Variable('my-var') == 'dashed' && Member('some-clone','working-directory') == '/c'",
        '"${{MESSAGE}}" == \'it\\\'s "fine"\'',
        "'line\nbreak' != ''",
        r"'\u0041\x42\n' == 'AB' + '\n'",
    ],
)
def test_the_expression_is_true(expression):
    assert evaluate(expression, SCOPE) is True


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("", "a value is missing before the end at character 1"),
        ("1 ==", "a value is missing before the end at character 5"),
        ("(1", r"'\)' is missing before the end"),
        ("1 1", "an operator is missing before '1' at character 3"),
        ("'abc", "a string is not closed"),
        ("a # b", "unexpected character '#"),
        ("nope('x')", "unknown function 'nope' at character 1"),
        ("upper(5)", "upper takes a string, not a number"),
        ("upper()", "upper takes 1 arguments, not 0"),
        ("Number('hello')", "spells a number, not 'hello'"),
        ("1 / 0", "division by zero"),
        ("null + 1", "takes a number, not null"),
        ("match('a', '(')", "regular expression"),
        ("Variable(1)", "Variable takes 1 strings"),
        ("(" * 100 + "1" + ")" * 100, "nested deeper"),
        ("1" + " + 1" * 4000, "longer than 12000 characters"),
    ],
)
def test_a_wrong_expression_names_its_place(expression, complaint):
    with pytest.raises(ConditionFailed, match=complaint):
        evaluate(expression, SCOPE)


@given(st.text(alphabet="'\"\\ =|&()truea", max_size=40))
def test_a_value_never_leaves_the_literal_it_stands_in(value):
    scope = Scope({"CF_COMMIT_MESSAGE": value})
    for quote in ("'", '"'):
        text = f"{quote}${{{{CF_COMMIT_MESSAGE}}}}{quote}"
        assert isinstance(evaluate(text, scope), str), fill_expression(text, scope)


@given(st.text(alphabet="'\"\\ =!<>|&()+-*/%.,0123456789eabtruesp", max_size=60))
def test_an_expression_gives_a_value_or_its_declared_error(text):
    try:
        value = evaluate(text, SCOPE)
    except ConditionFailed:
        return
    assert value is None or isinstance(value, str | float | bool)


@given(st.text(max_size=40), st.text(max_size=10), st.text(max_size=10))
def test_functions_take_any_text(text, part, other):
    scope = Scope({"A": text, "B": part, "C": other})
    for call in ("replace(Variable('A'), Variable('B'), Variable('C'))", "trim(A)", "indexOf(A, B)", "A < B"):
        evaluate(call, scope)


def test_without_conditions_a_step_runs():
    assert holds(None, Scope())
    assert holds(When(), Scope())


@pytest.mark.parametrize(
    ("when", "branch", "runs"),
    [
        (When(branch_only=("master",)), "master", True),
        (When(branch_only=("master", "/^feature\\/.*/i")), "FEATURE/x", True),
        (When(branch_only=("master",)), "other", False),
        (When(branch_only=("master",)), None, False),
        (When(branch_ignore=("/^dev/",)), "develop", False),
        (When(branch_ignore=("/^dev/",)), None, True),
        (When(branch_only=("/./",), branch_ignore=("master",)), "master", False),
        (When(branch_only=("/^((?!tag)).*/gi",)), "main", True),
    ],
)
def test_branches_are_matched_by_name_or_expression(when, branch, runs):
    assert holds(when, Scope({} if branch is None else {"CF_BRANCH": branch})) is runs


@pytest.mark.parametrize(
    ("on", "result", "runs"),
    [
        (("success",), "success", True),
        (("success",), "approved", True),
        (("failure",), "denied", True),
        (("finished",), "skipped", True),
        (("finished",), "running", False),
        (("failure", "skipped"), "skipped", True),
        (("pending",), None, True),
        (("success",), None, False),
    ],
)
def test_a_step_waits_for_results_of_others(on, result, runs):
    scope = Scope(steps={} if result is None else {"a": StepFacts(result=result)})
    assert holds(When(steps_all=(StepCondition(name="a", on=on),)), scope) is runs
    assert holds(When(steps_any=(StepCondition(name="a", on=on),)), scope) is runs


def test_all_needs_every_one_and_any_needs_one():
    mixed = (("yes", "1 == 1"), ("no", "1 == 2"))
    assert not holds(When(all_of=mixed), Scope())
    assert holds(When(any_of=mixed), Scope())


def test_a_failed_condition_is_named():
    with pytest.raises(ConditionFailed, match="Failed to evaluate condition 'broken'"):
        holds(When(all_of=(("broken", "1 +"),)), Scope())
    with pytest.raises(ConditionFailed, match="Failed to evaluate branch"):
        holds(When(branch_only=("/(/",)), Scope({"CF_BRANCH": "x"}))


@pytest.mark.parametrize(
    "expression",
    ["${{TOKEN}} ==", "'${{TOKEN}}' + (", "Number(TOKEN)", "Number(substring(TOKEN, 0, 5))", "${{ URL }} &&"],
)
def test_the_error_of_an_expression_shows_no_part_of_a_secret(expression):
    secret = "d4tabase's s3cret"
    scope = Scope({"TOKEN": secret, "URL": "at ${{TOKEN}}"}, hidden={secret})
    with pytest.raises(ConditionFailed) as failure:
        evaluate(expression, scope)
    assert "d4tab" not in str(failure.value)
    assert "s3cret" not in str(failure.value)


def test_a_variable_that_is_named_bare_has_what_is_named_within_it_filled_in():
    scope = Scope({"A": "${{B}}!", "B": "b", "EXPORTED": "${{B}}"}, literal=frozenset({"EXPORTED"}))
    assert evaluate("A == 'b!' && Variable('A') == 'b!'", scope) is True
    assert evaluate("length(EXPORTED) == 6", scope) is True
