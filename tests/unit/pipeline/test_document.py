import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.pipeline.document import MAX_DEPTH, MAX_NODES, load, of_mapping
from headrace.pipeline.errors import SpecErrors


def complaint(text):
    with pytest.raises(SpecErrors) as failure:
        load(text)
    return failure.value.errors[0]


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("0123", 123),
        ("0o17", 15),
        ("0x1F", 31),
        ("2024-01-02", "2024-01-02"),
        ("~", None),
        ("", None),
        ("True", True),
        ("1.5e3", 1500.0),
        ("'1'", "1"),
        ("${{CF_BRANCH}}", "${{CF_BRANCH}}"),
        ("...", "..."),
        ("!!str 5", "5"),
        ("!!float 5", 5.0),
        ("=", "="),
    ],
)
def test_scalars_follow_the_core_schema(scalar, value):
    assert load(f"key: {scalar}\n").data == {"key": value}


def test_a_huge_number_becomes_what_javascript_makes_of_it():
    assert load("a: " + "9" * 5000).data["a"] == float("inf")
    assert load("a: 12345678901234567890").data["a"] == 12345678901234567890.0


def test_keys_are_strings_in_the_order_of_the_file():
    assert list(load("on: 1\n2: x\ntrue: y\na: z\n").data) == ["on", "2", "true", "a"]


def test_every_key_and_item_knows_its_line():
    document = load("steps:\n  a:\n    commands:\n    - x\n    - y\n")
    assert document.line(("steps", "a", "commands", 1)) == 5
    assert document.line(("steps", "a", "image")) == 2
    assert document.line(("nope",)) == 0


def test_anchors_may_be_redefined_and_merged():
    text = "a: &x {k: 1, l: 1}\nb: &x {k: 2}\nc: {<<: *x, m: 3}\nd: {k: 9, <<: [*x, {n: 4}]}\n"
    assert load(text).data["c"] == {"k": 2, "m": 3}
    assert load(text).data["d"] == {"k": 9, "n": 4}


def test_blanks_after_a_colon_do_no_harm():
    assert load("a:\t\n  b: 1\n").data == {"a": {"b": 1}}


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "duplicated mapping key 'a'", 3),
        ("a: [1\n", "did not find expected", 2),
        ("a: *nope\n", "undefined alias 'nope'", 1),
        ("a: &x [*x]\n", "within its own anchor", 1),
        ("a: 1\n---\nb: 2\n", "more than one document", 2),
        ("a: !!python/object:os.system {}\n", "unknown tag", 1),
        ("a: !!int x\n", "'x' is no int", 1),
        ("a: 1\nb: \x00\n", "unacceptable character", 2),
        ("a: \ud800\n", "surrogate", 1),
        ("? [a]\n: 1\n", "cannot be a key", 1),
        ("a:\n  b: 1\n \tc: 2\n", "both spaces and tabs", 3),
        ("a: {<<: 5}\n", "only maps can be merged", 1),
        ("", "the file is empty", 0),
    ],
)
def test_a_text_that_is_no_document_says_where(text, words, line):
    error = complaint(text)
    assert words in error.message
    assert error.line == line


def test_deep_nesting_is_refused():
    assert "nested deeper" in complaint("[" * 100_000).message
    deep: object = 1
    for _ in range(MAX_DEPTH + 2):
        deep = [deep]
    with pytest.raises(SpecErrors, match="nested deeper"):
        of_mapping({"a": deep})


def test_a_bomb_of_aliases_is_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert "too large" in complaint("\n".join(lines)).message


@given(st.text(max_size=80) | st.text(alphabet="ab: -\n\t[]{}&*!<'\"#|>%,?~", max_size=80))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(SpecErrors):
        load(text)


def test_stored_values_are_taken_as_they_are():
    assert of_mapping({"b": [1, None, {"c": 1.5}], "a": True}).data == {"b": [1, None, {"c": 1.5}], "a": True}
    with pytest.raises(SpecErrors, match="bytes"):
        of_mapping({"a": b"x"})


def test_an_unquoted_reference_is_a_text_and_a_key():
    document = load("tag: ${{CF_BRANCH}}\nset:\n- ${{build.imageId}}:\n  - A: 1\n")
    assert document.data == {"tag": "${{CF_BRANCH}}", "set": [{"${{build.imageId}}": [{"A": 1}]}]}


def test_a_document_that_is_too_large_names_its_line_and_a_cure():
    text = "a:\n" + "- x\n" * MAX_NODES
    with pytest.raises(SpecErrors) as failure:
        load(text)
    (error,) = failure.value.errors
    assert error.line > MAX_NODES - 10
    assert "100,000 values" in error.message
    assert "step type" in error.hint
    load("a:\n" + "- x\n" * (MAX_NODES - 10))
