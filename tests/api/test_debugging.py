"""Builds that wait at a breakpoint: what they show, and what is asked of them."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from factories import make_build
from headrace.execution.ports import Pause, StepState
from headrace.pipeline.status import BuildStatus, StepStatus
from headrace.resources.builds import debugging, repository, service

SINCE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def waits(database, build, *names, phase="before"):
    with database.transaction() as db:
        for name in names:
            pause = Pause(phase=phase, since=SINCE, until=SINCE + timedelta(minutes=15))
            state = StepState(name=name, status=StepStatus.RUNNING, attempt=0, paused=pause)
            repository.store_step(db, build.id, state)


@pytest.fixture
def build(database, people):
    return make_build(database, people["admin"], status=BuildStatus.RUNNING)


@pytest.fixture
def paused(database, build):
    waits(database, build, "deploy")
    return build


def path(build):
    return f"/api/workflow/{build.id}/debug"


def commands(database, build, step="deploy", phase="before"):
    found, after = [], ""
    with database.reading() as db:
        while command := debugging.first(db, build.id, step, phase, after=after):
            found.append((command.action, command.text, command.by))
            after = command.id
    return found


def test_without_a_key_it_is_401(client, paused):
    assert client.with_key(None).post(path(paused), {"action": "continue"}).status == 401


def test_without_the_scope_it_is_403(client, key_of, paused):
    narrow = client.with_key(key_of("admin", "build", "pipeline:approve"))
    answer = narrow.post(path(paused), {"action": "continue"})
    assert (answer.status, answer.json()["context"]) == (403, {"missingScopes": ["pipeline:run"]})


def test_a_build_of_another_account_is_404(stranger, database, paused):
    assert stranger.post(path(paused), {"action": "continue"}).status == 404
    assert commands(database, paused) == []


def test_a_build_says_at_which_breakpoints_it_waits_and_until_when(client, paused):
    pause = {
        "step": "deploy",
        "phase": "before",
        "since": "2026-01-02T03:04:05.000Z",
        "until": "2026-01-02T03:19:05.000Z",
    }
    assert client.get(f"/api/builds/{paused.id}").json()["paused"] == [pause]
    steps = {step["name"]: step for step in client.get(f"/api/builds/{paused.id}/steps").json()}
    assert (steps["deploy"]["paused"], steps["ask"]["paused"]) == (pause, None)


@pytest.mark.parametrize("action", ["continue", "step-over", "finish"])
def test_the_worker_is_told_how_the_step_goes_on(client, database, key_of, paused, action):
    answer = client.with_key(key_of("admin", "pipeline:run")).post(path(paused), {"action": action})
    told = {name: answer.json()[name] for name in ("step", "phase", "action")}
    assert (answer.status, told) == (200, {"step": "deploy", "phase": "before", "action": action})
    assert commands(database, paused) == [(action, "", "ada")]


def test_scripts_come_in_the_order_they_were_sent(client, database, paused):
    for script in ("env", "ls -la", "cat a"):
        assert client.post(path(paused), {"action": "run", "script": script}).status == 200
    assert [text for _, text, _ in commands(database, paused)] == ["env", "ls -la", "cat a"]


def test_a_command_is_of_the_breakpoint_that_it_was_sent_to(client, database, paused):
    assert client.post(path(paused), {"action": "continue"}).status == 200
    assert commands(database, paused, phase="after") == []


def test_of_several_steps_one_is_to_be_named(client, database, paused):
    waits(database, paused, "ask")
    answer = client.post(path(paused), {"action": "continue"})
    assert answer.status == 400
    assert "name one: ask, deploy" in answer.json()["message"]
    assert client.post(path(paused), {"action": "continue", "step": "ask"}).json()["step"] == "ask"


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"action": "continue", "step": "nope"}, "those that do: deploy"),
        ({"action": "run"}, "script: needed for the action 'run'"),
        ({"action": "continue", "script": "env"}, "script: needed for the action 'run'"),
        ({"action": "jump"}, "action"),
        ({}, "action"),
    ],
)
def test_a_wrong_command_is_refused_with_its_cure(client, database, paused, body, complaint):
    answer = client.post(path(paused), body)
    assert (answer.status, complaint in answer.json()["message"]) == (400, True)
    assert commands(database, paused) == []


def test_a_build_that_waits_at_no_breakpoint_is_refused(client, build):
    answer = client.post(path(build), {"action": "continue"})
    assert answer.status == 400
    assert "waits at no breakpoint, its status is running" in answer.json()["message"]


def test_what_was_asked_is_forgotten_when_the_build_has_ended(client, database, paused):
    assert client.post(path(paused), {"action": "run", "script": "echo secret"}).status == 200
    with database.transaction() as db:
        service.close(db, paused, BuildStatus.ERROR, reason="", now=datetime.now(UTC))
    assert commands(database, paused) == []
    assert client.get(f"/api/builds/{paused.id}").json()["paused"] == []


def test_a_step_that_has_ended_waits_no_more(client, database, paused):
    with database.transaction() as db:
        state = repository.steps(db, paused.id)["deploy"]
        repository.store_step(db, paused.id, msgspec.structs.replace(state, status=StepStatus.ERROR))
    assert client.get(f"/api/builds/{paused.id}").json()["paused"] == []
    assert client.post(path(paused), {"action": "continue"}).status == 400
