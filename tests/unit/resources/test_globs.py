"""Globs over the files that a push changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from headrace.resources.triggers.globs import BadGlob, alternatives, any_matches


@pytest.mark.parametrize(
    ("glob", "files", "matches"),
    [
        ("", ["a"], True),
        ("", [], True),
        ("*.md", ["README.md"], True),
        ("*.md", ["docs/a.md"], False),
        ("**/*.md", ["docs/a/b.md"], True),
        ("**/*.md", ["a.md"], True),
        ("docs/**", ["docs/a/b.txt"], True),
        ("docs/**", ["docs"], False),
        ("a/**/b", ["a/b"], True),
        ("a/**/b", ["a/x/y/b"], True),
        ("{a/*,b/**}", ["b/c/d"], True),
        ("{a/*, b/**}", ["a/c/d", "b/c"], True),
        ("{a,b{c,d}}/x", ["bd/x"], True),
        ("./src/*.py", ["src/a.py"], True),
        ("/Dockerfile", ["Dockerfile"], True),
        ("/Dockerfile", ["x/Dockerfile"], False),
        ("!{vendor/**,*.md}", ["vendor/a", "README.md"], False),
        ("!{vendor/**,*.md}", ["vendor/a", "main.go"], True),
        ("!docs/**", ["docs/a"], False),
        ("**", [".github/workflows/x.yml"], False),
        (".github/**", [".github/workflows/x.yml"], True),
        ("src/**", ["src/.hidden"], False),
        ("*", [".env"], False),
        (".*", [".env"], True),
        ("file?.[ch]", ["file1.c"], True),
        ("file?.[!ch]", ["file1.c"], False),
        ("[a-f]*", ["go"], False),
        ("\\*.txt", ["*.txt"], True),
        ("\\*.txt", ["a.txt"], False),
        ("{a", ["{a"], True),
    ],
)
def test_a_glob_matches_changed_files(glob, files, matches):
    assert any_matches(glob, files) is matches


@pytest.mark.parametrize("glob", ["{a,b}" * 20, "a" * 70_000, "{" * 40 + "a" + "}" * 40])
def test_a_glob_that_comes_to_too_much_is_refused(glob):
    with pytest.raises(BadGlob):
        alternatives(glob)


def test_many_stars_cost_little():
    assert not any_matches("*a" * 2000 + "b", ["a" * 4000])


NAMES = some.text("ab.*{},/!?[]-\\", max_size=30)


@given(NAMES, some.lists(NAMES, max_size=3))
def test_no_glob_makes_the_matcher_fail(glob, files):
    try:
        assert any_matches(glob, files) in (True, False)
    except BadGlob:
        return


@given(some.lists(some.text("abc", min_size=1, max_size=5), min_size=1, max_size=4))
def test_a_path_matches_itself_and_everything_above(parts):
    path = "/".join(parts)
    assert any_matches(path, [path])
    assert any_matches("**", [path])
    assert any_matches("!other/**", [path])
    assert not any_matches("!" + path, [path])
