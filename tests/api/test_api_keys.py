from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from asgi import Client
from headrace.http.auth import Credential
from headrace.http.scopes import LABELS
from headrace.http.server import Api
from headrace.kit.clock import SystemClock, wire_time
from headrace.resources.accounts import service as accounts
from headrace.resources.api_keys import routes as key_routes
from headrace.resources.api_keys import service
from headrace.resources.users import routes as user_routes
from headrace.resources.users import service as users
from headrace.resources.users.sessions import Sessions


class HandClock(SystemClock):
    """Stands still until it is moved."""

    def __init__(self):
        self.time = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)

    def now(self):
        return self.time


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def authenticate(clock):
    return service.Authenticator(lambda *_: None, clock)


@pytest.fixture
def people(database, clock):
    """Account `acme` with an admin and a member, account `other` with its own admin."""
    with database.transaction() as db:
        acme = accounts.create(db, "acme", now=clock.now())
        other = accounts.create(db, "other", now=clock.now())
        make = {"password": None, "now": clock.now()}
        return {
            "admin": users.create(db, acme.id, "ada", is_account_admin=True, **make),
            "member": users.create(db, acme.id, "mel", **make),
            "stranger": users.create(db, other.id, "otto", is_account_admin=True, **make),
        }


@pytest.fixture
def key_of(database, people, clock):
    def make(who="admin", *scopes):
        user = people[who]
        with database.transaction() as db:
            return service.create(
                db, user.active_account_id, user_id=user.id, name=who, scopes=scopes, now=clock.now()
            )

    return make


@pytest.fixture
def api(database, authenticate, clock):
    routes = [*key_routes.router.routes, *user_routes.router.routes]
    provide = {SystemClock: clock, Sessions: Sessions(b"s" * 32, clock)}
    application = Api(routes, database=database, authenticate=authenticate, provide=provide)
    yield application
    application.close()


@pytest.fixture
def client(api, key_of):
    return Client(api, key_of())


def generated(client, **body):
    answer = client.post("/api/auth/key", {"name": "ci", **body})
    assert answer.status == 200, answer.text
    return answer.text


ROUTES = [
    ("POST", "/api/auth/key"),
    ("GET", "/api/auth/keys"),
    ("GET", "/api/auth/key/6923f0a41c2b9f3a7d000000"),
    ("PATCH", "/api/auth/key/6923f0a41c2b9f3a7d000000"),
    ("DELETE", "/api/auth/key/6923f0a41c2b9f3a7d000000"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_a_key_nothing_is_answered(api, method, path):
    assert Client(api).call(method, path).status == 401


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_key_without_the_scope_is_refused(api, key_of, method, path):
    answer = Client(api, key_of("admin", "build")).call(method, path, json={"name": "x"})
    assert answer.status == 403
    assert answer.json()["context"] == {"missingScopes": ["general"]}


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_the_key_of_another_account_does_not_exist(client, key_of, method):
    key_id = key_of("stranger").partition(".")[0]
    answer = client.call(method, f"/api/auth/key/{key_id}", json={"name": "mine"})
    assert answer.status == 404
    assert "not find" in answer.json()["message"]


def test_a_key_is_answered_bare_and_works_at_once(client):
    key = generated(client)
    key_id, dot, secret = key.partition(".")
    assert len(key_id) == 24
    assert (dot, len(secret)) == (".", 64)
    assert client.with_key(key).get("/api/user").status == 200
    assert client.with_key(f"Bearer {key}").get("/api/user").status == 200


def test_the_secret_is_shown_once(client, database):
    key = generated(client)
    listed = client.get("/api/auth/keys").text
    assert key.partition(".")[2] not in listed
    with database.reading() as db:
        rows = db.exec_driver_sql("SELECT * FROM api_keys").fetchall()
    assert key.partition(".")[2] not in repr(rows)


def test_a_listed_key_has_the_shape_that_clients_read(client, people, clock):
    key = generated(client, scopes=["pipeline:run", "builds:read"])
    mine = client.get("/api/auth/keys").json()[-1]
    key_id, _, secret = key.partition(".")
    assert mine == {
        "_id": key_id,
        "name": "ci",
        "tokenPrefix": secret[:8],
        "created": wire_time(clock.now()),
        "scopes": ["builds:read", "pipeline:run"],
        "subject": {"type": "user", "ref": people["admin"].id},
        "scopeSnapshot": {
            "_id": key_id,
            "scopes": ["builds:read", "pipeline:run"],
            "date": wire_time(clock.now()),
        },
        "expiresAt": None,
        "lastUsedAt": None,
    }
    assert client.get(f"/api/auth/key/{key_id}").json() == mine


@pytest.mark.parametrize("scopes", [{}, {"scopes": []}, {"scopes": ["any"]}, {"scopes": None}])
def test_a_key_without_scopes_may_do_everything_and_lists_none(client, scopes):
    key = generated(client, **scopes)
    assert "scopes" not in client.with_key(key).get("/api/auth/keys").json()[-1]


def test_keys_of_the_same_instant_keep_their_order(client):
    made = [generated(client).partition(".")[0] for _ in range(5)]
    assert [key["_id"] for key in client.get("/api/auth/keys").json()][-5:] == made


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": []}, {"name": "x", "scopes": ["nonsense"]}, {"name": "x", "scopes": "build"}],
)
def test_a_wrong_body_is_refused(client, body):
    assert client.post("/api/auth/key", body).status == 400


def test_a_key_for_a_runtime_environment_names_it(client):
    path = "/api/auth/key?subjectType=runtime-environment"
    assert client.post(path, {"name": "x"}).status == 400
    assert client.post(f"{path}&subjectReference=rt%2Fns", {"name": "x"}).status == 200
    subject = client.get("/api/auth/keys").json()[-1]["subject"]
    assert subject == {"type": "runtime-environment", "ref": "rt/ns"}


def test_a_key_cannot_mint_a_wider_one(api, key_of):
    narrow = Client(api, key_of("admin", "general", "pipeline:read"))
    assert narrow.post("/api/auth/key", {"name": "x", "scopes": ["pipeline:read"]}).status == 200
    for scopes in (["pipeline"], ["any"], [], ["general", "build:read"]):
        answer = narrow.post("/api/auth/key", {"name": "x", "scopes": scopes})
        assert answer.status == 403, scopes


def test_a_key_cannot_patch_a_key_to_be_wider_than_itself(api, key_of):
    key = key_of("admin", "general")
    path = f"/api/auth/key/{key.partition('.')[0]}"
    assert Client(api, key).patch(path, {"scopes": ["build"]}).status == 403
    assert Client(api, key).patch(path, {"scopes": []}).status == 403
    assert Client(api, key).patch(path, {"name": "renamed"}).json()["name"] == "renamed"


def test_patched_scopes_count_from_the_next_request_on(client):
    key = generated(client)
    path = f"/api/auth/key/{key.partition('.')[0]}"
    assert client.patch(path, {"scopes": ["build:read"]}).json()["scopes"] == ["build:read"]
    assert client.with_key(key).get("/api/auth/keys").status == 403


def test_a_key_may_give_on_what_it_holds_in_another_spelling(client):
    narrow = client.with_key(generated(client, scopes=["general", "builds"]))
    assert narrow.post("/api/auth/key", {"name": "x", "scopes": ["build:read", "builds:write"]}).status == 200
    assert narrow.post("/api/auth/key", {"name": "x", "scopes": ["workflow"]}).status == 403


def test_a_revoked_key_is_dead_at_once(client):
    key = generated(client)
    assert client.delete(f"/api/auth/key/{key.partition('.')[0]}").json() == {}
    assert client.with_key(key).get("/api/user").status == 401


@pytest.mark.parametrize("change", [str.upper, lambda key: key + "0", lambda key: key[:-1], lambda _: "x.y"])
def test_a_changed_key_is_unknown(client, change):
    assert client.with_key(change(generated(client))).get("/api/user").status == 401


def test_a_key_ends_when_it_expires(client, clock):
    ends = clock.now() + timedelta(hours=1)
    key = generated(client, expiresAt=wire_time(ends))
    assert client.with_key(key).get("/api/user").status == 200
    clock.time = ends
    assert client.with_key(key).get("/api/user").status == 401
    assert client.post("/api/auth/key", {"name": "x", "expiresAt": wire_time(ends)}).status == 400


def test_a_member_sees_only_their_own_keys(api, key_of, client):
    key = key_of("member")
    member = Client(api, key)
    assert [one["name"] for one in member.get("/api/auth/keys").json()] == ["member"]
    admins = client.get("/api/auth/keys").json()[0]["_id"]
    assert member.get(f"/api/auth/key/{admins}").status == 404
    assert client.get(f"/api/auth/key/{key.partition('.')[0]}").status == 200


def test_the_last_use_is_stored_at_most_once_a_minute(client, database, authenticate, clock):
    def stored():
        authenticate.record_uses(database)
        return client.get("/api/auth/keys").json()[0]["lastUsedAt"]

    client.get("/api/user")
    first = wire_time(clock.now())
    assert stored() == first
    clock.time += timedelta(seconds=59)
    assert stored() == first
    clock.time += timedelta(seconds=1)
    client.get("/api/user")
    assert stored() == wire_time(clock.now())


def test_the_key_of_a_build_dies_with_it_and_is_in_no_list(client, database, people, clock):
    build_id = "6923f0a41c2b9f3a7d000000"
    admin = people["admin"]
    with database.transaction() as db:
        key = service.mint_for_build(
            db,
            build_id,
            account_id=admin.active_account_id,
            user_id=admin.id,
            scopes=["pipeline:run", "general"],
            now=clock.now(),
        )
    holder = client.with_key(key)
    assert holder.get("/api/execution-contexts/current").json() == {
        "_id": build_id,
        "name": "default",
        "accountId": admin.active_account_id,
    }
    assert holder.post("/api/auth/key", {"name": "x", "scopes": ["pipeline:run"]}).status == 403
    assert len(client.get("/api/auth/keys").json()) == 1
    with database.transaction() as db:
        service.revoke_for_build(db, build_id)
    assert holder.get("/api/user").status == 401


def test_a_key_is_found_with_one_query(database, authenticate, key_of):

    key, asked = key_of(), []
    event.listen(database.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    with database.reading() as db:
        caller = authenticate(db, Credential("api-key", key))
    assert caller.user_name == "ada"
    assert len(asked) == 1


def test_the_scopes_are_listed_by_resource(client):
    answer = client.get("/api/scopes").json()
    assert list(answer) == list(LABELS)
    assert set(answer["pipeline"]) == {
        "pipeline",
        "pipeline:approve",
        "pipeline:read",
        "pipeline:run",
        "pipeline:write",
    }
