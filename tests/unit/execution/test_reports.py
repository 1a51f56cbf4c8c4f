"""Which reports a step keeps, and where they are found afterwards."""

import os

import pytest

from fakes import MemoryFeed, MemoryLogs, MemoryRecords, MemoryReports, MemorySecrets, MovedClock
from headrace.execution.errors import StepRefused
from headrace.execution.own_work import OwnWork
from headrace.execution.reports import ANNOTATION, report_id, wanted_reports
from headrace.execution.run import run
from headrace.execution.settings import ExecutionSettings
from headrace.pipeline.compile import compile_plan, compile_step
from headrace.pipeline.plan import KeepReports, RunCommands
from headrace.runtimes.fake import FakeRuntime

HOME = "/codefresh/volume/app"


@pytest.mark.parametrize(
    "image",
    [
        "codefresh/cf-docker-test-reporting",
        "codefresh/cf-docker-test-reporting:1.3.0",
        "quay.io/codefresh/cf-docker-test-reporting:latest",
        "registry.example.org:5000/mirror/codefresh/cf-docker-test-reporting@sha256:00",
    ],
)
def test_the_image_of_the_original_is_done_by_the_engine(image):
    found = compile_step("report", {"image": image, "environment": ["REPORT_DIR=out"]})
    assert found == KeepReports(environment=("REPORT_DIR=out",))


@pytest.mark.parametrize(
    "body",
    [
        {"image": "acme/cf-docker-test-reporting"},
        {"image": "codefresh/cf-docker-test-reporting-more"},
        {"image": "codefresh/cf-docker-test-reporting", "commands": ["ls"]},
        {"image": "codefresh/cf-docker-test-reporting", "cmd": ["ls"]},
    ],
)
def test_another_image_and_own_commands_run_in_a_container(body):
    assert isinstance(compile_step("report", body), RunCommands)


def wanted(directory=HOME, **environment):
    return wanted_reports(
        {name.replace("_0", ".0").replace("_1", ".1"): v for name, v in environment.items()}, directory
    )


def test_results_of_allure_are_kept_where_nothing_is_said():
    (one,) = wanted()
    assert (one.path, one.page, one.clears) == ("app/allure-results", "", True)


def test_a_folder_is_below_the_working_directory_and_its_page_below_the_folder():
    (one,) = wanted(REPORT_DIR="coverage", REPORT_INDEX_FILE="lcov/index.html")
    assert (one.path, one.page, one.clears) == ("app/coverage", "lcov/index.html", False)


def test_a_page_alone_is_a_report():
    (one,) = wanted(REPORT_INDEX_FILE="out/result.html")
    assert (one.path, one.page) == ("app/out/result.html", "result.html")


def test_results_of_junit_alone_are_a_report():
    (one,) = wanted(JUNIT_DIR="/codefresh/volume/junit")
    assert (one.path, one.results) == ("junit", "")


def test_results_beside_a_report_are_read_for_it():
    (one,) = wanted(REPORT_DIR="out", JUNIT_DIR="junit")
    assert (one.path, one.results) == ("app/out", "app/junit")


def test_several_are_told_apart_by_their_numbers():
    found = wanted_reports(
        {"ALLURE_DIR.10": "a", "REPORT_DIR.9": "b", "REPORT_TYPE.9": "Mocha", "REPORT_DIR": "c"}, HOME
    )
    assert [(one.number, one.path, one.type) for one in found] == [
        ("9", "app/b", "Mocha"),
        ("10", "app/a", ""),
    ]


@pytest.mark.parametrize(("text", "clears"), [("true", True), ("", False), ("false", False), ("0", False)])
def test_files_go_from_the_volume_where_that_is_wanted(text, clears):
    (one,) = wanted(REPORT_DIR="out", CLEAR_TEST_REPORT=text)
    assert one.clears is clears


@pytest.mark.parametrize("path", ["../../..", "/etc", "/codefresh/volumes", "../../../codefresh"])
@pytest.mark.parametrize("name", ["REPORT_DIR", "REPORT_INDEX_FILE", "JUNIT_DIR", "ALLURE_DIR"])
def test_a_path_that_leaves_the_volume_is_refused(name, path):
    with pytest.raises(StepRefused, match=f"{name}: .* is not in the volume"):
        wanted(**{name: path})


def test_too_many_reports_are_refused():
    with pytest.raises(StepRefused, match="at most 20 reports, and this one names 21"):
        wanted_reports({f"REPORT_DIR.{number}": "out" for number in range(21)}, HOME)


class Play:
    """Runs a pipeline on the fake runtime, of a server at ``http://ci``."""

    def __init__(self):
        self.clock = MovedClock()
        self.feed, self.logs = MemoryFeed(self.clock), MemoryLogs()
        self.records, self.reports = MemoryRecords(), MemoryReports()
        self.runtime = FakeRuntime(self.clock)

    async def run(self, *steps):
        lines = ["version: '1.0'", "steps:", *(f"  {step}" for step in steps)]
        self.record = self.feed.enqueue(compile_plan("\n".join(lines), variables={}), {})
        self.record.variables = {"CF_BUILD_URL": f"http://ci/build/{self.record.build_id}"}
        await run(
            await self.feed.claim(),
            runtime=self.runtime,
            feed=self.feed,
            logs=self.logs,
            secrets=MemorySecrets(),
            records=self.records,
            reports=self.reports,
            clock=self.clock,
            settings=ExecutionSettings(git_image="git", inactivity_s=0),  # threads move no clock
        )
        return self.record


TESTS = "tests: {image: alpine, commands: ['mkdir -p out', 'echo a > out/a.html', 'echo b > out/b.xml']}"
IMAGE = "image: codefresh/cf-docker-test-reporting"


async def test_a_report_is_linked_by_the_step_its_variable_and_the_build():
    play = Play()
    record = await play.run(
        TESTS,
        f"report: {{{IMAGE}, environment: [REPORT_DIR=out, REPORT_INDEX_FILE=a.html]}}",
        "says: {image: alpine, commands: ['echo at ${{report_CF_OUTPUT_URL}}']}",
    )
    link = f"http://ci/api/testReporting/{record.build_id}/{report_id('report', '')}/a.html"
    assert record.steps["report"].link == link
    assert f"at {link}\n" in play.logs.text(record.build_id, "says")
    assert f"The report is at {link}\n" in play.logs.text(record.build_id, "report")
    assert play.records.annotations["build", None] == {ANNOTATION: link}


async def test_several_reports_are_linked_by_the_page_of_the_build():
    play = Play()
    environment = "[REPORT_DIR.0=out, REPORT_INDEX_FILE.0=a.html, JUNIT_DIR.1=out]"
    record = await play.run(TESTS, f"report: {{{IMAGE}, environment: {environment}}}")
    assert record.steps["report"].link == f"http://ci/build/{record.build_id}?view=tests"


async def test_a_step_of_the_catalogue_is_linked_under_its_own_name():
    play = Play()
    record = await play.run(
        TESTS,
        "report: {type: test-reporting, arguments: {report_dir: out, report_index_file: a.html}}",
        "says: {image: alpine, commands: ['echo at ${{report_CF_OUTPUT_URL}}']}",
    )
    link = f"http://ci/api/testReporting/{record.build_id}/{report_id('report.main', '')}/a.html"
    assert f"at {link}\n" in play.logs.text(record.build_id, "says")


async def test_kept_files_are_removed_by_a_step_of_their_own_where_that_is_wanted():
    play = Play()
    record = await play.run(
        TESTS, f"report: {{{IMAGE}, environment: [REPORT_DIR=out, CLEAR_TEST_REPORT=true]}}"
    )
    command = play.runtime.workspaces[record.build_id].commands["report-1-clear"]
    assert command.environment == {"HR_PATH": "/codefresh/volume/out"}
    assert command.image == "git"


async def test_the_next_attempt_replaces_what_an_earlier_one_kept():
    play = Play()
    environment = "[REPORT_DIR.0=out, REPORT_DIR.1=no]"
    step = f"report: {{{IMAGE}, retry: {{maxAttempts: 2, delay: 1}}, environment: {environment}}}"
    record = await play.run(TESTS, step)
    assert record.status.value == "error"
    assert len(play.reports.kept) == 1
    assert play.logs.text(record.build_id, "report").count("Kept /codefresh/volume/out") == 2


async def test_a_disk_that_is_full_fails_the_step_and_not_the_engine():
    play = Play()

    def fail(*_):
        raise OSError(28, "No space left on device")

    play.reports.keep = fail
    record = await play.run(TESTS, f"report: {{{IMAGE}, environment: [REPORT_DIR=out]}}")
    assert record.statuses["report"] == "error"
    assert "cannot be kept: No space left on device" in play.logs.text(record.build_id, "report")


async def test_a_name_of_a_file_that_is_no_utf_8_is_told_with_its_bytes():
    async def work(tell):
        tell(os.fsdecode(b"report-\xff.xml is no whole XML"))
        return 0

    running = OwnWork(work)
    assert b"".join([chunk async for chunk in running.output()]) == b"report-\\udcff.xml is no whole XML\n"
    assert (await running.wait()).exit_code == 0


async def test_a_build_keeps_so_much_and_no_more():
    play = Play()
    play.reports.limits = play.reports.limits.__class__(most_bytes=3)
    record = await play.run(
        TESTS,
        f"one: {{{IMAGE}, fail_fast: false, environment: [REPORT_DIR=out]}}",
        f"two: {{{IMAGE}, fail_fast: false, environment: [REPORT_INDEX_FILE=out/a.html]}}",
        f"three: {{{IMAGE}, fail_fast: false, environment: [REPORT_INDEX_FILE=out/a.html]}}",
    )
    assert record.statuses == {"tests": "success", "one": "error", "two": "success", "three": "error"}
