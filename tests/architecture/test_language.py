"""The page of the language: every rule has tests that exist, or says why it is not there."""

import ast
import functools
import re

import pytest

from architecture.tree import ROOT

TESTS = ROOT / "tests"
ROW = re.compile(r"^\| (?P<section>[\d.]+[ab]?) \| (?P<priority>\S+) \| (?P<rule>.+) \| (?P<shown>.+) \|$")
SECTIONS = (
    *("1.1", "1.2", "1.3", "1.4", "1.5", "2.1", "2.2", "2.3", "2.4", "2.5"),
    *("3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7", "3.8", "3.9", "3.9a", "3.9b", "3.10"),
    *("4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.8", "4.9", "4.10", "4.11", "4.12", "4.13"),
    *("5.1", "5.2", "5.3", "5.4", "5.5", "6.1", "6.2", "6.3", "7.1", "7.2", "7.3", "7.4", "7.5"),
    *("8.1", "8.2", "9.1", "9.2", "9.3", "9.4", "9.5", "10.1", "10.2", "11.1", "11.2", "11.3", "11.4", "12"),
)


def table():
    page = (ROOT / "docs" / "language.md").read_text()
    return page[page.index("| § |") :].splitlines()[2:]


@functools.cache
def functions(path):
    """The names of the tests of a file."""
    tree = ast.parse((TESTS / path).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def exists(shown):
    path, _, name = shown.partition("::")
    if not name:
        return (TESTS / "scenarios" / path / "expect.yml").is_file()
    return (TESTS / path).is_file() and name in functions(path)


def test_every_row_is_whole():
    assert [line for line in table() if not ROW.match(line)] == []
    rows = [ROW.match(line).groupdict() for line in table()]
    assert {row["priority"] for row in rows} == {"P0", "P1", "P2"}
    rules = [(row["section"], row["rule"]) for row in rows]
    assert len(rules) == len(set(rules))


def test_every_section_has_its_rules_in_order():
    sections = [ROW.match(line)["section"] for line in table()]
    assert tuple(dict.fromkeys(sections)) == SECTIONS
    assert sections == sorted(sections, key=SECTIONS.index)


@pytest.mark.parametrize("line", table(), ids=lambda line: line[2:60])
def test_a_rule_is_shown_by_tests_that_exist_or_says_why_it_is_not_there(line):
    row = ROW.match(line)
    if row["shown"].startswith("not done: "):
        assert row["priority"] == "P2"
        assert len(row["shown"].split()) > 4
        return
    assert re.fullmatch(r"(`[^`]+`(, )?)+", row["shown"])
    assert [shown for shown in re.findall(r"`([^`]+)`", row["shown"]) if not exists(shown)] == []
