"""The audit log: every call that writes, or would have; never what it said."""

import csv
import io
from datetime import timedelta

import pytest

from headrace.http.auth import PAGE_HEADER
from headrace.resources.audit import repository, service

LIST, FILE = "/api/audit", "/api/audit/download"
PROJECT = {"projectName": "web"}
SECRET = {
    "kind": "context",
    "metadata": {"name": "s"},
    "spec": {"type": "secret", "data": {"TOKEN": "s3cret-value"}},
}


def entries(client, query=""):
    answer = client.get(f"{LIST}?{query}")
    assert answer.status == 200, answer.text
    return answer.json()["docs"]


def rows(answer):
    return list(csv.DictReader(io.StringIO(answer.text)))


@pytest.mark.parametrize("path", [LIST, FILE])
def test_only_an_admin_with_the_scope_reads_the_log(client, key_of, path):
    assert client.with_key(None).get(path).status == 401
    assert client.with_key(key_of("admin", "pipeline")).get(path).status == 403
    assert client.with_key(key_of("member")).get(path).status == 403
    assert client.with_key(key_of("admin", "audit:read")).get(path).status == 200


def test_a_write_is_noted_with_who_what_and_from_where(client, people):
    assert client.post("/api/projects", PROJECT, headers={"user-agent": "curl/8\x07"}).status == 200
    (entry,) = entries(client)
    made = client.get("/api/projects/name/web").json()["id"]
    assert {**entry, "id": "", "createdAt": ""} == {
        "id": "",
        "createdAt": "",
        "userId": people["admin"].id,
        "userName": "ada",
        "keyId": client.key.partition(".")[0],
        "buildId": None,
        "action": "projects.create",
        "entity": "projects",
        "entityId": made,
        "method": "POST",
        "path": "/projects",
        "status": 200,
        "address": "",
        "userAgent": "curl/8",
    }
    assert len(entry["id"]) == 24
    assert entry["createdAt"].endswith("Z")


def test_what_only_reads_is_not_noted(client):
    assert client.get("/api/projects").status == 200
    assert client.post("/api/pipelines/yaml/validator", {"yaml": "a: 1"}).status == 200
    assert entries(client) == []


def test_a_refused_write_is_noted_though_nothing_was_done(client, key_of):
    member = client.with_key(key_of("member"))
    assert member.post("/api/team", {"name": "ops"}).status == 403
    assert client.post("/api/projects", {}).status == 400
    assert [(one["userName"], one["action"], one["status"]) for one in entries(client)] == [
        ("ada", "projects.create", 400),
        ("mel", "teams.create", 403),
    ]
    assert client.get("/api/projects").json()["total"] == 0


def test_no_secret_comes_into_the_log(client, database, people):
    assert client.post("/api/contexts?skipValidation=query-secret", SECRET).status in (200, 400)
    assert client.post("/api/contexts", SECRET).status in (200, 409)
    key = client.post("/api/auth/key", {"name": "k"}).text
    with database.reading() as db:
        found = repository.page(db, people["admin"].active_account_id, repository.Wanted(), limit=10)
    assert len(found) == 3
    assert found[0].entity_id == ""  # the answer is the key
    for secret in ("s3cret-value", "query-secret", key.partition(".")[2]):
        assert secret not in str(found)


def test_a_request_that_is_answered_again_is_noted_once(client):
    for _ in range(2):
        assert client.post("/api/projects", PROJECT, headers={"idempotency-key": "one"}).status == 200
    assert len(entries(client)) == 1


def test_a_client_that_has_saved_a_key_is_noted(client):
    answer = client.get("/api/user/context", headers={"user-agent": "codefresh-cli-v1"})
    assert answer.json() == {}
    (entry,) = entries(client)
    assert (entry["action"], entry["userAgent"]) == ("auth.notifyContextCreated", "codefresh-cli-v1")


def test_an_agent_that_lives_is_no_entry(client):
    made = client.post("/api/agents", {"name": "far"}).json()
    assert client.with_key(made["token"]).put(f"/api/agent/{made['id']}/status", {}).status == 200
    assert [one["action"] for one in entries(client)] == ["agents.create"]
    assert entries(client)[0]["entityId"] == made["id"]


def test_a_log_is_of_one_account(client, stranger):
    client.post("/api/projects", PROJECT)
    stranger.post("/api/projects", PROJECT)
    assert [one["userName"] for one in entries(client)] == ["ada"]
    assert [one["userName"] for one in entries(stranger)] == ["otto"]


@pytest.fixture
def history(client):
    """Five projects that were created, one of them deleted."""
    for number in range(5):
        client.post("/api/projects", {"projectName": f"p{number}"})
    project = client.get("/api/projects/name/p3").json()["id"]
    assert client.delete(f"/api/projects/{project}").status == 200
    return project


def test_pages_go_on_where_the_last_one_ended(client, history):
    seen, cursor = [], ""
    for _ in range(3):
        page = client.get(f"{LIST}?limit=2{cursor}").json()
        seen += page["docs"]
        cursor = f"&before={page['next']}"
    assert page["next"] is None
    assert len({one["id"] for one in seen}) == 6
    assert seen == entries(client)
    assert seen[0]["entityId"] == history


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("action=projects.delete", 1),
        ("entity=projects", 6),
        ("entity=pipelines", 0),
        ("userName=ada&rs_status=200", 6),
        ("userName=mel", 0),
        ("rs_status=403", 0),
        ("search=delete", 1),
        ("search=%25", 0),
        ("from=2000-01-01&to=2999-12-31", 6),
        ("to=2000-01-01", 0),
        ("from=2999-01-01T00:00:00Z", 0),
    ],
)
@pytest.mark.usefixtures("history")
def test_entries_are_chosen(client, query, number):
    assert len(entries(client, query)) == number
    assert len(rows(client.get(f"{FILE}?{query}"))) == number


def test_the_day_of_an_entry_counts_to_its_end(client, history):
    day = entries(client, f"entityId={history}")[0]["createdAt"][:10]
    assert len(entries(client, f"from={day}&to={day}")) == 6


@pytest.mark.parametrize(
    "query", ["from=x", "from=2026-13-01", "limit=0", "before=x", "rs_status=x", "to=9999-12-31"]
)
def test_what_is_no_day_or_page_is_refused(client, query):
    assert client.get(f"{LIST}?{query}").status == 400


@pytest.mark.usefixtures("history")
def test_the_file_is_a_table_in_the_order_that_was_asked(client):
    answer = client.get(FILE)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    newest = [row["id"] for row in rows(answer)]
    assert newest == [one["id"] for one in entries(client)]
    assert [row["id"] for row in rows(client.get(f"{FILE}?sortType=ASK&sortField=id"))] == newest[::-1]


def test_no_cell_of_the_file_is_a_formula(client):
    client.post("/api/projects", PROJECT, headers={"user-agent": "=HYPERLINK(1)"})
    (row,) = rows(client.get(FILE))
    assert row["userAgent"] == "'=HYPERLINK(1)"


def test_what_is_older_than_the_days_that_it_is_kept_goes(client, database, installation):
    client.post("/api/projects", PROJECT)
    later = installation.clock.now() + timedelta(days=31)
    for days, left in ((0, 1), (32, 1), (30, 0)):
        with database.transaction() as db:
            service.forget(db, later, days=days)
        assert len(entries(client)) == left


def test_a_page_that_writes_by_its_cookie_is_noted_without_a_key(client, database, people, installation):
    from headrace.resources.users import service as users  # noqa: PLC0415 - for this test alone

    with database.transaction() as db:
        account = people["admin"].active_account_id
        users.create(db, account, "pat", password="long enough", now=installation.clock.now())
    login = {"user": "pat", "password": "long enough"}
    token = client.with_key(None).post("/api/auth/login", login).json()["accessToken"]
    headers = {"x-access-token": token, PAGE_HEADER: "1"}
    assert client.with_key(None).post("/api/projects", PROJECT, headers=headers).status == 200
    (entry,) = entries(client)
    assert (entry["userName"], entry["keyId"]) == ("pat", None)
