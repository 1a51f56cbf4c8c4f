"""``create`` and ``diff runtime-environments``."""

import pytest

NAMED = "GET /api/runtime-environments/"
OLD = {"metadata": {"name": "big"}, "version": 1, "description": "two cores"}
NEW = {"metadata": {"name": "big"}, "version": 2, "description": "eight cores", "workers": [{"id": "w1"}]}


@pytest.fixture
def two_versions(server):
    server.answers |= {f"{NAMED}big?version=1": OLD, f"{NAMED}big": NEW, f"{NAMED}small": OLD}
    return server


@pytest.mark.parametrize(
    "words",
    [
        ("big", "1", "big"),
        ("--first-name", "big", "--first-version", "1", "--second-name=big"),
        ("--first-version=1", "--first-name", "big"),
    ],
)
@pytest.mark.usefixtures("two_versions")
def test_two_versions_are_compared_line_by_line(codefresh, words):
    code, out, err = codefresh("diff", "runtime-environments", *words)
    assert (code, err) == (0, "")
    changed = [line for line in out.splitlines() if line[0] in "+-"]
    assert changed == [
        "--- big version 1",
        "+++ big version newest",
        '-  "version": 1,',
        '-  "description": "two cores"',
        '+  "version": 2,',
        '+  "description": "eight cores"',
    ]


@pytest.mark.usefixtures("two_versions")
def test_equal_ones_print_nothing_but_a_word_for_people(codefresh):
    expected = (0, "", "big version newest and big version newest are equal\n")
    assert codefresh("diff", "re", "big") == expected


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Error: Must Provide a runtime environment name\n"),
        (("big", "one"), "Error: Invalid value for '[VERSION]': 'one' is not a valid integer."),
        (("gone",), "Error: could not find"),
    ],
)
def test_what_cannot_be_compared_is_an_error(codefresh, words, message):
    code, out, err = codefresh("diff", "runtime-environment", *words)
    assert (code, out) == (1, "")
    assert err.startswith(message)


def test_who_would_create_one_reads_what_makes_it(server, codefresh):
    code, out, err = codefresh("create", "re", "cluster")
    assert (code, out, server.requests) == (1, "", [])
    assert "headrace worker --environment NAME" in err
