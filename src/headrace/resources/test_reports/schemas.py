"""Reports of tests as they travel."""

from typing import Annotated
from urllib.parse import quote

import msgspec
from msgspec import Meta

from headrace.execution.ports import Report
from headrace.execution.test_results import Results
from headrace.kit.clock import wire_time


class FailureOut(msgspec.Struct):
    """A test that failed."""

    name: str
    suite: Annotated[str, Meta(description="class or file that the test is of")]
    message: Annotated[str, Meta(description="what it said; at most 4,000 characters")]


class ResultsOut(msgspec.Struct, rename="camel"):
    """What became of the tests of a report."""

    passed: int
    failed: Annotated[int, Meta(description="errors of tests are among them")]
    skipped: int
    duration: Annotated[float, Meta(description="seconds of all tests together, as they say")]
    failures: Annotated[list[FailureOut], Meta(description="the first 200")]


class KeptReportOut(msgspec.Struct, rename="camel"):
    """A report that a step kept with its build."""

    id: str
    step: str
    title: Annotated[str, Meta(description="of the step")]
    number: Annotated[str, Meta(description="of several of one step: what stands behind the dot")]
    type: Annotated[str, Meta(description="a word for people, of `REPORT_TYPE`")]
    url: Annotated[str, Meta(description="its first page; empty where it has none")]
    files: int
    size: Annotated[int, Meta(description="bytes of its files together")]
    created: str
    results: Annotated[ResultsOut | None, Meta(description="null where it says nothing of tests")]


def shown(report: Report, build_id: str, base_url: str) -> KeptReportOut:
    """Show a report; ``base_url`` is where the server is reached."""
    page = f"{base_url}/api/testReporting/{build_id}/{report.id}/{quote(report.page)}"
    return KeptReportOut(
        id=report.id,
        step=report.step,
        title=report.title or report.step,
        number=report.number,
        type=report.type,
        url=page if report.page else "",
        files=report.files,
        size=report.size_bytes,
        created=wire_time(report.created_at),
        results=None if report.results is None else _results(report.results),
    )


def _results(results: Results) -> ResultsOut:
    failures = [FailureOut(one.name, one.suite, one.message) for one in results.failures]
    return ResultsOut(results.passed, results.failed, results.skipped, results.duration_s, failures)
