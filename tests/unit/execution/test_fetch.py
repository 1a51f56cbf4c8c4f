"""Files at addresses, fetched into the volume before the first step."""

import pytest

from fakes import MemoryFeed, MemoryLogs, MemoryRecords, MemoryReports, MemorySecrets, MovedClock
from headrace.execution.run import run
from headrace.execution.settings import ExecutionSettings
from headrace.pipeline.compile import compile_plan
from headrace.runtimes.fake import FakeRuntime

AT = "https://files.example.org/rules/strict.json"
STEPS = {"unit": {"image": "alpine", "commands": ["true"]}}


async def fetched(source, destination, *, variables=None, files=None):
    """Run a pipeline with one resource; returns the build, its first log and the files of its volume."""
    clock = MovedClock()
    feed, logs, records, runtime = MemoryFeed(clock), MemoryLogs(), MemoryRecords(), FakeRuntime(clock)
    records.files = {AT: b"{}"} if files is None else files
    resource = {"type": "url", "source": source, "destination": destination}
    spec = {"steps": STEPS, "externalResources": [resource]}
    document = {"version": "1.0", "kind": "pipeline", "metadata": {"name": "p/q"}, "spec": spec}
    record = feed.enqueue(compile_plan(document, variables={}), variables or {})
    await run(
        await feed.claim(),
        runtime=runtime,
        feed=feed,
        logs=logs,
        secrets=MemorySecrets(),
        records=records,
        reports=MemoryReports(),
        clock=clock,
        settings=ExecutionSettings(inactivity_s=0),
    )
    return record, logs.text(record.build_id, "Initializing Process"), runtime.files.get(record.build_id, {})


@pytest.mark.parametrize(
    ("destination", "path"),
    [
        ("conf/rules.json", "conf/rules.json"),
        ("/codefresh/volume/a", "a"),
        ("conf/", "conf/strict.json"),
        ("/codefresh/volume", "strict.json"),
    ],
)
async def test_a_file_is_there_before_the_first_step(destination, path, monkeypatch):
    monkeypatch.setattr("headrace.runtimes.fake.FakeWorkspace.destroy", _leave)  # so that it can be looked at
    record, log, files = await fetched(AT, destination)
    assert record.statuses == {"unit": "success"}
    assert files[path] == b"{}"
    assert f"Fetched {AT} to /codefresh/volume/{path}, 0.0 kB\n" in log


async def _leave(_self, *, keep_volume):
    """Leave the files."""


async def test_variables_are_filled_in_and_a_signature_is_not_told():
    source = "https://files.example.org/${{LEVEL}}.json?sig=abc"
    variables = {"LEVEL": "strict"}
    files = {"https://files.example.org/strict.json?sig=abc": b"x"}
    record, log, _ = await fetched(source, "rules", variables=variables, files=files)
    assert record.status.value == "success"
    assert "Fetched https://files.example.org/strict.json to" in log
    assert "sig=abc" not in log


@pytest.mark.parametrize(
    ("source", "destination", "words"),
    [
        ("https://files.example.org/gone", "x", "0.source: https://files.example.org/gone answers 404"),
        ("https://files.example.org/${{NOBODY}}", "x", "0.source: NOBODY has no value"),
        ("https://files.example.org/", "x/", "has no name of a file"),
        ("https://files.example.org/%2e%2e", "x/", "has no name of a file"),
        ("https://files.example.org/a%2fb", "x/", "has no name of a file"),
        (AT, "${{UP}}/x", "leads out of the volume"),
    ],
)
async def test_what_cannot_be_fetched_ends_the_build_with_its_place(source, destination, words):
    record, log, _ = await fetched(source, destination, variables={"UP": "../.."})
    assert record.status.value == "error"
    assert record.statuses == {"unit": "pending"}
    assert "spec.externalResources.0" in log
    assert words in log
