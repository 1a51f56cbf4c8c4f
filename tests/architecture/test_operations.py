"""The list of the public API's operations is whole, and is the reference's where that is at hand."""

import re
import sys

import pytest

from architecture.tree import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import operations
from openapi import all_routes

REFERENCE = ROOT.parent / "shared/reference/api.md"
ROUTES = {operations.address(route.method, route.path): route for route in all_routes()}
ROW = re.compile(r"^\| (P\d) \| ([A-Z]+) `([^`]+)`[^|]*\| ([\w.-]+) · ([\w.-]+) \|", re.MULTILINE)


def test_no_operation_is_listed_twice():
    addresses = [operations.address(row["method"], row["path"]) for row in operations.listed()]
    assert len(addresses) == len(set(addresses))


def test_every_operation_that_is_needed_first_is_real():
    states = {
        row["path"]: operations.state(ROUTES.get(operations.address(row["method"], row["path"])))
        for row in operations.listed()
        if row["priority"] == "P0"
    }
    assert {path for path, state in states.items() if state != operations.REAL} == set()


def test_no_operation_is_unknown():
    missing = {
        row["path"]
        for row in operations.listed()
        if operations.address(row["method"], row["path"]) not in ROUTES
    }
    assert missing == set()


def test_the_list_has_every_operation_of_the_reference():
    if not REFERENCE.is_file():
        pytest.skip(f"no reference here: {REFERENCE} is missing")
    names = ("priority", "method", "path", "operation", "sdk")
    listed = {tuple(row[name] for name in names) for row in operations.listed()}
    assert set(ROW.findall(REFERENCE.read_text())) <= listed
