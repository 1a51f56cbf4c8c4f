"""A request with an idempotency key that is sent again gets its first answer again."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from headrace.http.auth import Caller
from headrace.http.errors import Conflict
from headrace.resources.answers import service as answers
from headrace.resources.answers.model import first_answers
from headrace.resources.builds.model import builds

PIPELINE = {
    "kind": "pipeline",
    "metadata": {"name": "web/ci"},
    "spec": {"steps": {"unit": {"image": "alpine", "commands": ["true"]}}},
}
KEY = {"idempotency-key": "7c1f3a1e-2f6d-4b0c-9a6f-0b8f4f1b7c11"}
RUN = "/api/pipelines/run/web%2Fci"


class Moment:
    at = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self):
        return self.at


@pytest.fixture
def pipeline(client):
    assert client.post("/api/pipelines", PIPELINE).status == 200


def count(database, table):
    with database.reading() as db:
        return db.execute(select(func.count()).select_from(table)).scalar_one()


@pytest.mark.usefixtures("pipeline")
def test_a_run_sent_again_starts_no_second_build(client, database):
    first = client.post(RUN, {}, headers=KEY)
    again = client.post(RUN, {}, headers=KEY)
    assert (again.status, again.content) == (first.status, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert count(database, builds) == 1
    assert client.post(RUN, {}, headers={"idempotency-key": "another"}).json() != first.json()


@pytest.mark.usefixtures("pipeline")
def test_three_identical_runs_of_the_official_client_are_one_build(client, database):
    ids = {client.post(RUN + "?reqId=933705ff-8091-4cb3-b676-c73595096c92", {}).json() for _ in range(3)}
    assert len(ids) == 1
    assert count(database, builds) == 1


@pytest.mark.usefixtures("pipeline")
def test_a_restart_sent_again_starts_no_second_build(client, database):
    build = client.post(RUN, {}).json()
    ids = {client.get(f"/api/builds/rebuild/{build}", headers=KEY).json() for _ in range(2)}
    assert len(ids) == 1
    assert count(database, builds) == 2


@pytest.mark.parametrize(
    ("path", "body"), [(RUN, {"branch": "main"}), (RUN + "?reqId=1", {}), ("/api/projects", {})]
)
@pytest.mark.usefixtures("pipeline")
def test_a_key_with_another_request_is_refused(client, path, body):
    client.post(RUN, {}, headers=KEY)
    refused = client.post(path, body, headers=KEY)
    assert refused.status == 422
    assert refused.json()["name"] == "IDEMPOTENCY_KEY_REUSED"


def test_an_error_is_not_kept(client, database):
    assert client.post(RUN, {}, headers=KEY).status == 404
    assert count(database, first_answers) == 0
    client.post("/api/pipelines", PIPELINE)
    assert client.post(RUN, {}, headers=KEY).status == 200


def test_a_key_is_its_callers_own(client, stranger, key_of):
    first = client.post("/api/projects", {"projectName": "web"}, headers=KEY)
    for other in (stranger, client.with_key(key_of("member"))):
        answer = other.post("/api/projects", {"projectName": "web"}, headers=KEY)
        assert "idempotency-replayed" not in answer.headers
    renewed = client.with_key(key_of("admin"))
    assert renewed.post("/api/projects", {"projectName": "web"}, headers=KEY).content == first.content


def test_the_answer_goes_to_no_key_that_may_not_ask(client, key_of):
    client.post("/api/projects", {"projectName": "web"}, headers=KEY)
    reader = client.with_key(key_of("admin", "project:read"))
    assert reader.post("/api/projects", {"projectName": "web"}, headers=KEY).status == 403


def test_a_new_key_is_kept_sealed_and_given_again(client, database):
    made = [client.post("/api/auth/key", {"name": "ci"}, headers=KEY).text for _ in range(2)]
    assert made[0] == made[1]
    assert client.with_key(made[0]).get("/api/user").status == 200
    with database.reading() as db:
        assert made[0].partition(".")[2] not in db.execute(select(first_answers.c.answer)).scalar_one()


def test_a_narrower_key_of_the_same_user_gets_no_wider_key_again(client, key_of):
    wide = {"name": "ci", "scopes": ["pipeline", "general"]}
    assert client.post("/api/auth/key", wide, headers=KEY).status == 200
    narrow = client.with_key(key_of("admin", "general"))
    assert narrow.post("/api/auth/key", wide, headers=KEY).status == 403


@pytest.mark.usefixtures("pipeline")
def test_requests_at_the_same_time_do_the_work_once(client, database):
    together = threading.Barrier(4)
    found = []

    def run():
        together.wait()
        found.append(client.post(RUN, {}, headers=KEY))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status for answer in found} == {200}
    assert len({answer.content for answer in found}) == 1
    assert count(database, builds) == 1


def test_an_operation_with_transactions_of_its_own_is_carried_out_once(client, database):
    cluster = {
        "selector": "local",
        "host": "https://203.0.113.7:6443",
        "clientCa": "",
        "serviceAccountToken": "t",
        "provider": "local",
        "type": "sat",
    }
    first = client.post("/api/clusters/local/cluster", cluster, headers=KEY)
    again = client.post("/api/clusters/local/cluster", cluster, headers=KEY)
    assert (again.status, again.content) == (first.status, first.content)
    if first.status < 400:
        assert again.headers["idempotency-replayed"] == "true"
    else:
        assert count(database, first_answers) == 0


def test_a_first_request_that_is_not_answered_yet_is_named(database, installation, people):
    """Only an operation with transactions of its own leaves its claim for others to see."""
    ada = people["admin"]
    caller = Caller(
        account_id=ada.active_account_id,
        account_name="acme",
        user_id=ada.id,
        user_name="ada",
        kind="session",
    )
    clock = Moment()
    memory = answers.SealedAnswers(installation.box, clock)
    with database.transaction() as db:
        assert memory.begin(db, caller, "k", asked="a" * 64) is None
    with database.transaction() as db, pytest.raises(Conflict, match="not answered yet"):
        memory.begin(db, caller, "k", asked="a" * 64)
    clock.at += timedelta(minutes=3)  # the server that claimed it is dead
    with database.transaction() as db:
        assert memory.begin(db, caller, "k", asked="a" * 64) is None
        memory.drop(db, caller, "k")
    assert count(database, first_answers) == 0


@pytest.mark.parametrize("key", [" ", "a" * 256, "a\x7f"])
def test_a_key_of_the_wrong_form_is_refused(client, key):
    answer = client.post("/api/projects", {"projectName": "web"}, headers={"idempotency-key": key})
    assert answer.status == 400
    assert "Idempotency-Key" in answer.json()["message"]


def test_an_answer_is_kept_for_a_day(client, database):
    client.post("/api/projects", {"projectName": "web"}, headers=KEY)
    now = datetime.now(UTC)
    for moment, left in ((now, 1), (now + timedelta(hours=23), 1), (now + timedelta(days=2), 0)):
        with database.transaction() as db:
            answers.forget(db, moment)
        assert count(database, first_answers) == left
