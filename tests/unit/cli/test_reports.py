"""``get test-reports``."""

import json

FAILURE = {"name": "sells", "suite": "shop", "message": "1 is not 2\nshop.py:3"}
RESULTS = {"passed": 3, "failed": 1, "skipped": 0, "duration": 1.5, "failures": [FAILURE]}
TESTED = {"id": "a1", "step": "unit", "type": "Junit", "url": "", "results": RESULTS}
PAGE = {
    "id": "b2",
    "step": "cover",
    "type": "coverage",
    "url": "http://ci/api/testReporting/5/b2/i.html",
    "results": None,
}
ADDRESS = "GET /api/builds/5/reports"


def test_reports_are_listed_with_what_became_of_the_tests(server, codefresh):
    server.answers[ADDRESS] = [TESTED, PAGE]
    lines = [line.split() for line in codefresh("get", "test-reports", "5")[1].splitlines()]
    assert lines[0] == ["STEP", "TYPE", "PASSED", "FAILED", "SKIPPED", "URL"]
    assert lines[1] == ["unit", "Junit", "3", "1", "0"]
    assert lines[2] == ["cover", "coverage", "-", "-", "-", PAGE["url"]]


def test_failed_tests_are_named_one_on_a_line(server, codefresh):
    server.answers[ADDRESS] = [TESTED, PAGE]
    lines = codefresh("get", "test-reports", "5", "--failed")[1].splitlines()
    assert [line.split() for line in lines] == [
        ["STEP", "SUITE", "TEST", "MESSAGE"],
        ["unit", "shop", "sells", "1", "is", "not", "2"],
    ]


def test_scripts_get_the_whole_message(server, codefresh):
    server.answers[ADDRESS] = [TESTED]
    found = json.loads(codefresh("get", "test-report", "5", "--failed", "-o", "json")[1])
    assert found == {"step": "unit", "suite": "shop", "test": "sells", "message": FAILURE["message"]}


def test_a_build_that_is_not_there_is_an_error(server, codefresh):
    server.answers[ADDRESS] = (404, {"message": "could not find build '5'"})
    code, out, err = codefresh("get", "test-reports", "5")
    assert (code, out) == (1, "")
    assert "could not find build '5'" in err
