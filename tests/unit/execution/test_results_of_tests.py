"""What is read of the files that test runners write."""

import json

import pytest

from headrace.execution.test_results import MOST_FAILURES, NoResults, joined, read_allure, read_junit

SUITE = b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites>
  <testsuite name="pytest" tests="4" failures="1" errors="1" skipped="1">
    <testcase classname="tests.test_shop" name="test_adds" time="0.25"><system-out>hi</system-out></testcase>
    <testcase classname="tests.test_shop" name="test_sells" time="1,000.5">
      <failure message="assert 1 == 2" type="AssertionError">def test_sells():
&gt;   assert 1 == 2</failure>
    </testcase>
    <testcase file="tests/test_money.py" name="test_pays"><error>no money</error></testcase>
    <testcase classname="tests.test_shop" name="test_waits"><skipped message="later"/></testcase>
  </testsuite>
</testsuites>"""


def test_each_test_is_counted_once_with_what_became_of_it():
    found = read_junit(SUITE)
    assert (found.passed, found.failed, found.skipped, found.duration_s) == (1, 2, 1, 1000.75)


def test_a_failed_test_has_its_name_its_suite_and_what_it_said():
    sells, pays = read_junit(SUITE).failures
    assert (sells.name, sells.suite) == ("test_sells", "tests.test_shop")
    assert sells.message == "assert 1 == 2\ndef test_sells():\n>   assert 1 == 2"
    assert (pays.name, pays.suite, pays.message) == ("test_pays", "tests/test_money.py", "no money")


def test_a_single_suite_may_be_the_root():
    found = read_junit(b'<testsuite><testcase name="a"/></testsuite>')
    assert (found.passed, found.failed) == (1, 0)


def test_xml_of_another_kind_is_passed_over():
    assert read_junit(b"<coverage line-rate='1'><packages/></coverage>") is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no xml",
        b"<testsuite><testcase name='a'>",
        b"<?xml version='1.0' encoding='martian'?><testsuite/>",
        b"<testsuite>\xff\xfe</testsuite>",
    ],
)
def test_what_is_no_whole_xml_says_so(data):
    with pytest.raises(NoResults):
        read_junit(data)


@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY % a SYSTEM "http://127.0.0.1/x"> %a;',
    ],
)
def test_a_document_that_declares_entities_is_refused(declared):
    text = f"<!DOCTYPE t [{declared}]><testsuite><testcase name='&a;'/></testsuite>"
    with pytest.raises(NoResults, match="declares entities"):
        read_junit(text.encode())


def test_depth_costs_nothing():
    data = b"<testsuite>" + b"<properties>" * 100_000 + b"</properties>" * 100_000 + b"</testsuite>"
    assert read_junit(data).passed == 0


def test_more_failures_than_are_kept_are_counted_all_the_same():
    case = b"<testcase name='a'><failure>%s</failure></testcase>" % (b"x" * 10_000)
    found = read_junit(b"<testsuite>" + case * (MOST_FAILURES + 5) + b"</testsuite>")
    assert found.failed == MOST_FAILURES + 5
    assert len(found.failures) == MOST_FAILURES
    assert len(found.failures[0].message) == 4000


def test_a_time_that_is_no_number_counts_nothing():
    cases = "".join(f"<testcase time='{time}'/>" for time in ("nan", "inf", "-3", "soon", "2"))
    assert read_junit(f"<testsuite>{cases}</testsuite>".encode()).duration_s == 2


def result(**fields):
    return json.dumps({"name": "adds", "status": "passed", "start": 1000, "stop": 3000, **fields}).encode()


def test_results_of_allure_are_summed_up():
    details = {"message": "1 is not 2", "trace": "shop.py:3"}
    found, wrong = read_allure(
        {
            "1-result.json": result(),
            "2-result.json": result(
                name="sells", fullName="shop.sells", status="broken", statusDetails=details
            ),
            "3-result.json": result(status="skipped"),
            "4-result.json": b"no json",
        }
    )
    assert (found.passed, found.failed, found.skipped, found.duration_s) == (1, 1, 1, 6)
    assert found.failures[0].message == "1 is not 2\nshop.py:3"
    assert wrong == ["4-result.json"]


def test_the_last_try_of_a_test_counts():
    found, _ = read_allure(
        {
            "b-result.json": result(historyId="one", status="failed", stop=2000),
            "a-result.json": result(historyId="one", stop=4000),
        }
    )
    assert (found.passed, found.failed) == (1, 0)


def test_a_span_that_no_test_can_have_taken_is_not_counted():
    found, _ = read_allure({"1-result.json": result(), "2-result.json": result(stop=1.7e308)})
    alone, _ = read_allure({"1-result.json": result()})
    assert (found.passed, found.duration_s) == (2, alone.duration_s)


def test_no_results_are_none():
    assert read_allure({}) == (None, [])
    assert joined([]) is None


def test_several_files_are_one_summary():
    found = joined([read_junit(SUITE), read_junit(SUITE)])
    assert (found.passed, found.failed, found.skipped, len(found.failures)) == (2, 4, 2, 4)
