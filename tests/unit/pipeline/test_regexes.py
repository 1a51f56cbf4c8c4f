import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.pipeline.regexes import MAX_TEXT, BadRegex, search, split_literal


@pytest.mark.parametrize(
    ("pattern", "text", "flags", "found"),
    [
        ("^((?!tag)).*", "main", "gi", True),
        ("^((?!tag).)*$", "a-tag-b", "", False),
        ("^((?!tag).)*$", "feature/" + "x" * 5000, "", True),
        (r"^v\d+(\.\d+){2}$", "v1.22.3", "", True),
        ("^(master|main)$", "main", "", True),
        ("^release/(?<major>[0-9]+)", "release/7", "", True),
        ("feature", "FEATURE/x", "i", True),
        ("[a-c]+$", "xABC", "i", True),
        (r"\/", "a/b", "", True),
        ("a$", "a\n", "", False),
        ("^b", "a\nb", "m", True),
        ("a.b", "a\nb", "", False),
        ("a.b", "a\nb", "s", True),
        ("a[^]b", "a\nb", "", True),
        ("[]", "a", "", False),
        (r"\bfix\b", "a fix!", "", True),
        (r"(?<=v)1", "v1", "", True),
        (r"(?<!v)1", "v1", "", False),
        ("^a{2,3}?$", "aaa", "", True),
        ("^a{2}$", "aaa", "", False),
        ("a{b", "a{b", "", True),
        ("^(a*)*$", "aaab", "", False),
        ("^(?:ab|a)(?:c|bcd)$", "abcd", "", True),
        (r"^[\w.-]+$", "a.b-c_1", "", True),
        ("", "", "", True),
        (r"\u0041\x42", "AB", "", True),
    ],
)
def test_patterns_match_as_in_javascript(pattern, text, flags, found):
    assert search(pattern, text, flags) is found


@pytest.mark.parametrize(
    "pattern", ["(", ")", "*a", "[a", "a{3,2}", "(?x)", "\\", r"(a)\1", "[b-a]", "(" * 50]
)
def test_a_wrong_pattern_is_refused_with_its_place(pattern):
    with pytest.raises(BadRegex, match="at character"):
        search(pattern, "a")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^(a+)+$", "a" * 40 + "b"),
        ("^(a|a)*$", "a" * 40 + "b"),
        (".*.*.*.*x", "a" * 5000),
        ("^(a|b|ab)*c", "ab" * 5000),
    ],
)
def test_a_pattern_that_takes_forever_is_stopped(pattern, text):
    with pytest.raises(BadRegex):
        search(pattern, text)


def test_lengths_and_flags_are_limited():
    with pytest.raises(BadRegex, match="longer"):
        search("a", "a" * (MAX_TEXT + 1))
    with pytest.raises(BadRegex, match="longer"):
        search("a" * 3000, "a")
    with pytest.raises(BadRegex, match="unknown flag"):
        search("a", "a", "q")


@given(st.text(alphabet="ab.*+?|()[]^$\\d{}1,-", max_size=12), st.text(alphabet="ab1\n", max_size=8))
def test_a_pattern_is_searched_or_refused(pattern, text):
    try:
        search(pattern, text)
    except BadRegex:
        return


@given(st.from_regex(r"(\(?[ab.]{1,2}[*+?]?\)?\|?){1,4}", fullmatch=True), st.text(alphabet="ab", max_size=8))
def test_what_both_dialects_share_gives_the_same_answer(pattern, text):
    try:
        expected = re.search(pattern, text) is not None
    except re.error:
        return
    assert search(pattern, text) is expected


def test_a_literal_is_split_at_its_last_slash():
    assert split_literal("/a/b/gi") == ("a/b", "gi")
    assert split_literal("master") is None
    assert split_literal("/a/x") is None
