"""What one build leaves in its volume for the next one, and what it must not leave."""

import msgspec
import pytest

from fakes import MemoryFeed, MemoryLogs, MemoryRecords, MemoryReports, MemorySecrets, MovedClock
from headrace.execution.exports import SHARED_FILE
from headrace.execution.run import run
from headrace.execution.settings import ExecutionSettings
from headrace.pipeline.compile import compile_plan
from headrace.runtimes.fake import FakeRuntime

SECRET = "hush-hush"
KEPT = "e" * 24
ALPINE = {"image": "alpine"}
TELL = ALPINE | {"commands": [f"cf_export TOLD={SECRET} --mask"]}
FAIL = ALPINE | {"commands": [f"cf_export TOLD={SECRET} --mask", "exit 1"]}


async def play(runtime, document, **records):
    """Run a build that goes on with the kept volume; return its record."""
    clock = MovedClock()
    feed = MemoryFeed(clock)
    record = feed.enqueue(compile_plan({"version": "1.0", **document}, variables={}), {})
    await run(
        msgspec.structs.replace(await feed.claim(), volume=KEPT, keep_volume=True),
        runtime=runtime,
        feed=feed,
        logs=MemoryLogs(),
        secrets=MemorySecrets(),
        records=MemoryRecords(**records),
        reports=MemoryReports(),
        clock=clock,
        settings=ExecutionSettings(inactivity_s=0),
    )
    return record


@pytest.mark.parametrize(
    "document",
    [
        {"steps": {"a": TELL}},
        {"steps": {"a": TELL, "b": TELL}, "mode": "parallel"},
        {"steps": {"a": FAIL | {"retry": {"maxAttempts": 3, "delay": 5}}}, "mode": "parallel"},
        {"steps": {"a": ALPINE | {"commands": ["true"], "hooks": {"on_finish": TELL}}}},
    ],
    ids=["in order", "in parallel", "tried again", "in a hook"],
)
async def test_no_secret_export_stays_in_a_volume_that_is_kept(document):
    runtime = FakeRuntime()
    await play(runtime, document)
    assert runtime.files[KEPT]
    assert not [place for place, content in runtime.files[KEPT].items() if SECRET.encode() in content]


async def test_what_an_earlier_build_could_not_hand_on_is_no_export_of_this_one():
    runtime = FakeRuntime()
    runtime.files[KEPT] = {SHARED_FILE: b"STALE=1\n", "cache/a": b"kept"}
    record = await play(runtime, {"steps": {"a": ALPINE | {"cmd": ["true"]}}})
    assert record.steps["a"].exports == {}
    assert runtime.files[KEPT]["cache/a"] == b"kept"


async def test_no_login_of_a_cluster_stays_in_a_volume_that_is_kept():
    runtime = FakeRuntime()
    show = {"steps": {"a": ALPINE | {"commands": ["cat $KUBECONFIG > copied"]}}}
    await play(runtime, show, kubeconfig={"text": f"token: {SECRET}", "secrets": [SECRET]})
    files = runtime.files[KEPT]
    assert SECRET.encode() in files.pop("copied")  # what a step itself copies is its own affair
    assert files["sensitive/.kube/config"] == b""
    assert not [place for place, content in files.items() if SECRET.encode() in content]


async def test_without_clusters_there_is_no_kubeconfig():
    runtime = FakeRuntime()
    await play(runtime, {"steps": {"a": ALPINE | {"commands": ["echo $KUBECONFIG > told"]}}})
    assert runtime.files[KEPT]["told"].strip() == b""
    assert "sensitive/.kube/config" not in runtime.files[KEPT]
