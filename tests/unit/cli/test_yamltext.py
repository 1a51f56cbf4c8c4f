import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headrace.cli import yamltext

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=120)
)
DOCUMENTS = st.dictionaries(
    st.text("abc-_", min_size=1),
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abc: #", min_size=1), inner),
        max_leaves=8,
    ),
    min_size=1,
)


@given(DOCUMENTS)
@example({"k": "\n"})
@example({"k": "\n \n0"})
@example({"k": "x" * 50 + " " + "y" * 50 + "\n  indented\n\nlast \n\n"})
def test_what_is_written_reads_back_the_same(document):
    assert yamltext.load_any(yamltext.dump(document)) == document


@given(DOCUMENTS)
def test_a_config_file_reads_back_the_same_in_both_ways(document):
    text = yamltext.dump_config(document)
    assert yamltext.load_any(text) == document
    assert yamltext.load(text) == document


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("alpine:latest", "alpine:latest"),
        ("a: b", "'a: b'"),
        ("yes", "'yes'"),
        ("12", "'12'"),
        ("1_000", "1_000"),
        ("", "''"),
        ("-x", "'-x'"),
        ("a{b},c", "a{b},c"),
        ("#x", "'#x'"),
        ("a#x", "a#x"),
        ("2024-01-01", "'2024-01-01'"),
        ("tab\there", '"tab\\there"'),
        ("one\ntwo\n", "|\n  one\n  two"),
        ("one\ntwo", "|-\n  one\n  two"),
        (5000, "5000"),
        ([], "[]"),
        ({}, "{}"),
        (["x", {"z": 1}], "\n  - x\n  - z: 1"),
    ],
)
def test_scalars_are_written_in_the_official_style(value, written):
    text = yamltext.dump({"k": value})
    assert text in (f"k: {written}\n", f"k:{written}\n")


def test_a_broken_document_says_where():
    with pytest.raises(ValueError, match="line 2"):
        yamltext.load("a: [\n")
