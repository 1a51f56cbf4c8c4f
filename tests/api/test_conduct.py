"""How the API treats its callers, whatever they ask: versions, few bytes, limits, origins."""

import gzip
import threading

import pytest
from sqlalchemy.exc import OperationalError

from api.conftest import ADDRESSES
from asgi import Client
from headrace.app.installation import Installation
from headrace.app.settings import Settings
from headrace.http.auth import PAGE_HEADER, SESSION_COOKIE
from headrace.resources.users import service as users

PROJECT = {"projectName": "web"}
ORIGIN = "https://portal.example.org"
CONTEXT = {"kind": "context", "metadata": {"name": "c"}, "spec": {"type": "config", "data": {"A": "1"}}}


@pytest.fixture
def serve(database_url, tmp_path, key_of):
    """A server on the same database with other settings, and its admin."""
    opened = []

    def start(**settings):
        found = Installation(
            Settings(data=str(tmp_path / "data"), database_url=database_url, runtime="fake", **settings)
        )
        application = found.api(ADDRESSES)
        opened.extend((application, found))
        return Client(application, key_of())

    yield start
    for one in opened:
        one.close()


@pytest.fixture
def context(client):
    assert client.post("/api/contexts", CONTEXT).status == 200
    return "/api/contexts/c"


def changed(value):
    return {**CONTEXT, "spec": {"type": "config", "data": {"A": value}}}


def test_a_document_that_the_client_has_is_not_sent_again(client, context):
    first = client.get(context)
    again = client.get(context, headers={"if-none-match": first.headers["etag"]})
    assert (again.status, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    client.put(context, changed("2"))
    later = client.get(context, headers={"if-none-match": first.headers["etag"]})
    assert later.status == 200
    assert later.headers["etag"] != first.headers["etag"]


def test_what_is_kept_encrypted_is_stored_by_no_browser(client, context):
    answer = client.get(context + "?decrypt=true", headers={"accept-encoding": "gzip"})
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers


def test_a_document_is_written_only_over_what_the_client_has_seen(client, context):
    tag = client.get(context).headers["etag"]
    assert client.put(context, changed("2"), headers={"if-match": tag}).status == 200
    late = client.put(context, changed("3"), headers={"if-match": tag})
    assert late.status == 412
    assert late.json()["name"] == "PRECONDITION_FAILED"
    assert client.get(context).json()["spec"]["data"] == {"A": "2"}
    assert client.delete(context, headers={"if-match": tag}).status == 412
    assert client.delete(context, headers={"if-match": client.get(context).headers["etag"]}).status == 200


def test_if_match_needs_something_to_match(client, context):
    assert client.put("/api/contexts/none", CONTEXT, headers={"if-match": "*"}).status == 404
    assert client.put(context, changed("2"), headers={"if-match": '"0"'}).status == 412
    assert client.put(context, changed("2"), headers={"if-match": "*"}).status == 200


def test_if_match_tells_nothing_to_a_key_that_may_not_read(client, key_of):
    client.post("/api/projects", PROJECT)
    project = "/api/projects/" + client.get("/api/projects/name/web").json()["id"]
    writer = client.with_key(key_of("admin", "project:write"))
    answer = writer.patch(project, {"projectName": "shop"}, headers={"if-match": '"0"'})
    assert answer.status == 403
    assert answer.json()["context"] == {"missingScopes": ["project:read"]}


def test_of_two_who_write_at_once_over_the_same_version_one_is_refused(client, context):
    tag = client.get(context).headers["etag"]
    together = threading.Barrier(2)
    statuses = []

    def write(value):
        together.wait()
        statuses.append(client.put(context, changed(value), headers={"if-match": tag}).status)

    threads = [threading.Thread(target=write, args=(value,)) for value in ("2", "3")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 412]


def test_a_long_document_comes_in_gzip_to_those_who_take_it(client):
    plain = client.get("/api/openapi.json")
    packed = client.get("/api/openapi.json", headers={"accept-encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) * 4 < len(plain.content)
    assert packed.headers["etag"] != plain.headers["etag"]
    assert "Accept-Encoding" in packed.headers["vary"]
    seen = {"accept-encoding": "gzip", "if-none-match": packed.headers["etag"]}
    assert client.get("/api/openapi.json", headers=seen).status == 304
    head = client.call("HEAD", "/api/openapi.json", headers={"accept-encoding": "gzip"})
    assert (head.headers["content-encoding"], head.content) == ("gzip", b"")


def test_no_other_site_learns_from_the_length_of_an_answer(client, database, installation, people):
    """A browser can be made to send the cookie, not the header of our pages."""
    with database.transaction() as db:
        users.create(
            db, people["admin"].active_account_id, "pat", password="long enough", now=installation.clock.now()
        )
    login = {"user": "pat", "password": "long enough"}
    token = client.with_key(None).post("/api/auth/login", login).json()["accessToken"]
    cookie = {"cookie": f"{SESSION_COOKIE}={token}", "accept-encoding": "gzip"}
    browser = client.with_key(None)
    long = {"A": "word " * 1000}
    client.post("/api/contexts", {**CONTEXT, "spec": {"type": "config", "data": long}})
    path = "/api/contexts/c"
    assert "content-encoding" not in browser.get(path, headers=cookie).headers
    assert "content-encoding" in browser.get(path, headers={**cookie, PAGE_HEADER: "1"}).headers


def test_a_key_over_its_rate_is_refused_until_later(serve, key_of):
    client = serve(rate_limit=3)
    for left in ("2", "1", "0"):
        headers = client.get("/api/user").headers
        assert (headers["ratelimit-limit"], headers["ratelimit-remaining"]) == ("3", left)
    refused = client.get("/api/user")
    assert refused.status == 429
    assert refused.json()["name"] == "TOO_MANY_REQUESTS"
    assert 0 < int(refused.headers["retry-after"]) <= 20
    assert client.with_key(key_of("member")).get("/api/user").status == 200


def test_guesses_at_a_password_are_stopped_before_it_is_looked_at(serve, database, people, installation):
    client = serve(failure_limit=2)
    with database.transaction() as db:
        users.create(
            db, people["admin"].active_account_id, "pat", password="long enough", now=installation.clock.now()
        )
    right = {"user": "pat", "password": "long enough"}
    for _ in range(4):
        assert client.post("/api/auth/login", right).status == 200
    statuses = [client.post("/api/auth/login", {**right, "password": "guess"}).status for _ in range(3)]
    assert statuses == [401, 401, 429]
    refused = client.post("/api/auth/login", right)
    assert refused.status == 429
    assert refused.headers["retry-after"]


def test_wrong_keys_are_stopped_and_a_right_one_from_there_is_not(serve):
    client = serve(failure_limit=2)
    wrong = client.with_key("6923f0a41c2b9f3a7d000000.none")
    assert [wrong.get("/api/user").status for _ in range(3)] == [401, 401, 429]
    assert client.get("/api/user").status == 200


PREFLIGHT = {"origin": ORIGIN, "access-control-request-method": "GET"}


def test_no_page_of_another_origin_may_call_unless_it_is_named(client):
    assert client.call("OPTIONS", "/api/user", headers=PREFLIGHT).status == 405
    answer = client.get("/api/user", headers={"origin": ORIGIN})
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_page_of_a_named_origin_may_call_with_a_key_and_not_with_cookies(serve):
    client = serve(cors_origins=f"https://other.example.org, {ORIGIN}/")
    asked = client.with_key(None).call("OPTIONS", "/api/user", headers=PREFLIGHT)
    assert asked.status == 204
    assert asked.headers["access-control-allow-origin"] == ORIGIN
    assert "Authorization" in asked.headers["access-control-allow-headers"]
    for key, status in ((client.key, 200), (None, 401)):
        answer = client.with_key(key).get("/api/user", headers={"origin": ORIGIN})
        assert answer.status == status
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "access-control-allow-credentials" not in answer.headers
    stranger = client.get("/api/user", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in stranger.headers
    evil = {**PREFLIGHT, "origin": ORIGIN + ".evil.example"}
    assert client.call("OPTIONS", "/api/user", headers=evil).status == 405


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("failure", "status", "code", "said"),
    [
        (
            OperationalError("a statement", {}, OSError("no route to 10.0.0.7")),
            503,
            "1503",
            "is away or full",
        ),
        (RuntimeError("a bug"), 500, "5000", "its log has the reason"),
    ],
)
def test_a_failure_of_the_server_is_an_answer_that_tells_nothing_of_its_inside(
    client, database, monkeypatch, caplog, failure, status, code, said
):
    def broken():
        raise failure

    monkeypatch.setattr(database, "transaction", broken)
    answer = client.post("/api/projects", PROJECT)
    assert (answer.status, answer.json()["code"]) == (status, code)
    assert said in answer.json()["message"]
    assert ("retry-after" in answer.headers) == (status == 503)
    for word in ("10.0.0.7", "a bug", "statement"):
        assert word not in answer.text
    assert "10.0.0.7" in caplog.text or "a bug" in caplog.text
