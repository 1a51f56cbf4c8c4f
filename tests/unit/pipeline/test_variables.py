import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.pipeline.variables import (
    VOLUME,
    BuildFacts,
    DirectoryUnknown,
    PullRequest,
    Scope,
    StepFacts,
    TextTooLong,
    clone_directory,
    escape_all,
    merge,
    parse_environment,
    references,
    substitute,
    system_variables,
    working_directory,
)

CLONE = StepFacts(
    result="success",
    members={"type": "git-clone", "workingDirectory": f"{VOLUME}/app", "revision": "abc"},
)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("${{A}}", "one"),
        ("${{ A }}-${{B}}", "one-"),
        ("${{NOPE}}", "${{NOPE}}"),
        ("${{steps.clone.revision}} ${{clone.revision}}", "abc abc"),
        ("${{clone}}", f"{VOLUME}/app"),
        ("${{my-step.result}}", "skipped"),
        ("${{my-step.revision}}", "${{my-step.revision}}"),
        ("${{clone.working-directory}}", f"{VOLUME}/app"),
        ("$A ${A}", "$A ${A}"),
        ("${{A\n}}", "${{A\n}}"),
        ("${{\n${{A}}", "${{\none"),
        ("${{}}", "${{}}"),
    ],
)
def test_references_are_filled_and_unknown_ones_stay(text, filled):
    scope = Scope({"A": "one", "B": ""}, {"clone": CLONE, "my-step": StepFacts(result="skipped")})
    assert substitute(text, scope) == filled


def test_values_are_filled_in_turn_and_cycles_stay():
    scope = Scope({"A": "${{B}}!", "B": "${{C}}", "C": "c", "X": "${{Y}}", "Y": "<${{X}}>"})
    assert substitute("${{A}}", scope) == "c!"
    assert substitute("${{X}}", scope) == "<${{X}}>"


def test_texts_of_strangers_are_never_filled():
    scope = Scope(
        {"SECRET": "s", "CF_COMMIT_MESSAGE": "${{SECRET}}", "EXPORTED": "${{SECRET}}", "M": "${{EXPORTED}}"},
        literal=frozenset({"EXPORTED"}),
    )
    assert substitute("${{CF_COMMIT_MESSAGE}} ${{M}}", scope) == "${{SECRET}} ${{SECRET}}"


def test_a_text_that_doubles_without_end_is_refused():
    variables = {f"V{n}": f"${{{{V{n + 1}}}}}" * 60 for n in range(9)} | {"V9": "x" * 100}
    with pytest.raises(TextTooLong):
        substitute("${{V0}}", Scope(variables))


@given(st.text(alphabet="${}A B\n.x", max_size=60), st.text(alphabet="${}AB", max_size=20))
def test_any_text_can_be_filled(text, value):
    scope = Scope({"A": value, "B": "${{A}}"})
    assert isinstance(substitute(text, scope), str)
    assert substitute(text, Scope()) == text


def test_references_are_listed_in_order():
    assert references("a ${{ B }} ${{steps.c.result}} ${{B}}") == ["B", "steps.c.result", "B"]


@pytest.mark.parametrize(
    ("text", "directory"),
    [
        (None, f"{VOLUME}/app"),
        ("sub", f"{VOLUME}/app/sub"),
        ("/abs/x", "/abs/x"),
        ("${{main_clone}}/sub", f"{VOLUME}/app/sub"),
        ("${{other}}", "/else"),
        ("IMAGE_WORK_DIR", ""),
    ],
)
def test_the_working_directory_follows_the_main_clone(text, directory):
    other = StepFacts(result="success", members={"type": "freestyle", "workingDirectory": "/else"})
    assert working_directory(text, Scope(steps={"main_clone": CLONE, "other": other})) == directory


def test_without_a_main_clone_the_volume_is_home():
    assert working_directory(None, Scope()) == VOLUME
    assert working_directory("sub", Scope(steps={"clone": CLONE})) == f"{VOLUME}/sub"
    assert clone_directory(None, Scope(steps={"main_clone": CLONE})) == VOLUME


def test_a_directory_of_a_step_that_did_not_run_is_refused_by_name():
    with pytest.raises(DirectoryUnknown, match="'main_clone'"):
        working_directory("${{main_clone}}", Scope())


def test_later_layers_win():
    assert merge([{"A": "1", "B": "1"}, {"B": "2"}]) == {"A": "1", "B": "2"}


def test_an_environment_entry_is_cut_at_its_first_equals_sign():
    assert parse_environment(["A=1=2", "B", "C="]) == {"A": "1=2", "B": None, "C": ""}


def facts(**more):
    base = {"build_id": "b1", "account": "acme", "pipeline": "p/q", "url": "http://h", "created_ms": 5}
    return BuildFacts(**base | more)


def test_system_variables_name_branch_and_commit():
    values = system_variables(facts(branch="Feature/X", revision="0123456789", commit_message='it\'s "ok"'))
    assert values["CF_BRANCH_TAG_NORMALIZED"] == "Feature-X"
    assert values["CF_BRANCH_TAG_NORMALIZED_LOWER_CASE"] == "feature-x"
    assert values["CF_SHORT_REVISION"] == "0123456"
    assert values["CF_COMMIT_MESSAGE"] == 'it\\\'s \\"ok\\"'
    assert values["CF_BUILD_URL"] == "http://h/build/b1"


def test_what_is_not_known_gives_no_variable():
    values = system_variables(facts())
    assert "CF_BRANCH" not in values
    assert not [name for name in values if "PULL_REQUEST" in name]


def test_a_pull_request_gives_its_variables():
    values = system_variables(facts(pull_request=PullRequest(action="opened", target="main", title="a 'b'")))
    assert values["CF_PULL_REQUEST_TARGET"] == "main"
    assert values["CF_PULL_REQUEST_TITLE"] == "a \\'b\\'"
    assert "CF_PULL_REQUEST_LABELS" not in values


def test_everything_special_is_escaped():
    assert escape_all("a $(b)\n;") == "a \\$\\(b\\)\\n\\;"
