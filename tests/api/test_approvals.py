"""Approving and refusing builds that wait."""

import pytest

from factories import make_build, run_to
from headrace.execution.ports import Decision, StepState
from headrace.pipeline.status import BuildStatus, StepStatus
from headrace.resources.builds import queue, repository

VERBS = ["approve", "deny"]


@pytest.fixture
def build(installation, database, people):
    build = make_build(database, people["admin"])
    run_to(installation, build, BuildStatus.PENDING_APPROVAL)
    return build


def path(build, verb):
    return f"/api/workflow/{build.id}/pending-approval/{verb}"


@pytest.mark.parametrize("verb", VERBS)
def test_without_a_key_it_is_401(client, build, verb):
    assert client.with_key(None).get(path(build, verb)).status == 401


@pytest.mark.parametrize("verb", VERBS)
def test_without_the_scope_it_is_403(client, key_of, build, verb):
    narrow = client.with_key(key_of("admin", "build", "pipeline:run"))
    answer = narrow.get(path(build, verb))
    assert (answer.status, answer.json()["context"]) == (403, {"missingScopes": ["pipeline:approve"]})


@pytest.mark.parametrize("verb", VERBS)
def test_a_build_of_another_account_is_404(stranger, client, build, verb):
    assert stranger.get(path(build, verb)).status == 404
    assert client.get(f"/api/builds/{build.id}").json()["status"] == "pending-approval"


def test_a_waiting_build_says_for_what_and_until_when(client, build):
    waits = client.get(f"/api/builds/{build.id}").json()["pendingApproval"]
    assert waits["step"] == "ask"
    assert waits["until"].endswith("Z")


@pytest.mark.parametrize(("verb", "result"), [("approve", "approved"), ("deny", "denied")])
def test_a_decision_brings_the_build_back_to_a_worker(client, database, key_of, build, verb, result):
    answer = client.with_key(key_of("admin", "pipeline:approve")).get(path(build, verb))
    assert (answer.status, answer.json()) == (200, {"status": result})
    shown = client.get(f"/api/builds/{build.id}").json()
    assert (shown["status"], shown["pendingApproval"]) == ("running", None)
    with database.transaction() as db:
        order = queue.claim(db, "a" * 24, lease_s=20).order
    assert order.decision == Decision(step="ask", result=result, by=("ada", "api-key"))


@pytest.mark.parametrize("verb", VERBS)
def test_a_second_decision_is_refused(client, build, verb):
    assert client.get(path(build, "approve")).status == 200
    answer = client.get(path(build, verb))
    assert answer.status == 400
    assert "waits for no approval" in answer.json()["message"]


@pytest.mark.parametrize("verb", VERBS)
def test_a_build_that_does_not_wait_is_refused(client, database, people, verb):
    answer = client.get(path(make_build(database, people["admin"]), verb))
    assert (answer.status, "its status is pending" in answer.json()["message"]) == (400, True)


@pytest.mark.parametrize("verb", VERBS)
def test_head_decides_nothing(client, build, verb):
    assert client.call("HEAD", path(build, verb)).status == 405
    assert client.get(f"/api/builds/{build.id}").json()["status"] == "pending-approval"


@pytest.mark.parametrize("verb", VERBS)
def test_a_reason_travels_with_the_decision(client, database, build, verb):
    assert client.get(path(build, verb) + "?reason=%20looks%20good%20").status == 200
    with database.transaction() as db:
        order = queue.claim(db, "a" * 24, lease_s=20).order
    assert order.decision.reason == "looks good"


def test_a_reason_has_an_end(client, build):
    assert client.get(path(build, "approve") + "?reason=" + "x" * 1001).status == 400
    assert client.get(f"/api/builds/{build.id}").json()["status"] == "pending-approval"


def test_a_decided_step_says_who_decided_and_why(client, database, build):
    state = StepState(
        name="ask", status=StepStatus.DENIED, decided_by=("ada", "user"), decided_because="not on Fridays"
    )
    with database.transaction() as db:
        repository.store_step(db, build.id, state)
    shown = {step["name"]: step for step in client.get(f"/api/builds/{build.id}/steps").json()}
    assert shown["ask"]["decision"] == {"by": "ada", "reason": "not on Fridays"}
    assert {step["decision"] for name, step in shown.items() if name != "ask"} <= {None}
