import base64
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from asgi import Client
from headrace.http.server import Api
from headrace.kit.clock import SystemClock
from headrace.resources.accounts import service as accounts
from headrace.resources.api_keys import service as api_keys
from headrace.resources.users import routes, service
from headrace.resources.users.sessions import Sessions

PASSWORD = "correct horse"


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
def people(database, clock):
    """Ada, admin of `acme` and member of `zoo`; Otto, alone in `other`."""
    with database.transaction() as db:
        now = clock.now()
        acme, zoo, other = (accounts.create(db, name, now=now) for name in ("acme", "zoo", "other"))
        ada = service.create(
            db, acme.id, "ada", password=PASSWORD, email="ada@example.org", is_account_admin=True, now=now
        )
        service.join(db, zoo.id, ada.id)
        otto = service.create(db, other.id, "otto", password=None, now=now)
        return {"ada": ada, "otto": otto, "acme": acme, "zoo": zoo, "other": other}


@pytest.fixture
def key_of(database, people, clock):
    def make(name="ada", *scopes):
        user = people[name]
        with database.transaction() as db:
            return api_keys.create(
                db, user.active_account_id, user_id=user.id, name="k", scopes=scopes, now=clock.now()
            )

    return make


@pytest.fixture
def client(database, clock):
    sessions = Sessions(b"s" * 32, clock)
    application = Api(
        routes.router.routes,
        database=database,
        authenticate=api_keys.Authenticator(lambda db, token: service.presence(db, sessions, token), clock),
        provide={Sessions: sessions},
    )
    yield Client(application)
    application.close()


def login(client, user="ada", password=PASSWORD):
    return client.post("/api/auth/login", {"user": user, "password": password})


def by_session(token):
    return {"headers": {"x-access-token": token}}


def test_a_key_sees_its_user_in_its_own_account(client, people, key_of):
    ada, acme = people["ada"], people["acme"]
    assert client.with_key(key_of()).get("/api/user").json() == {
        "_id": ada.id,
        "userName": "ada",
        "email": "ada@example.org",
        "roles": ["User"],
        "activeAccountName": "acme",
        "defaultAccount": 0,
        "user_data": {"image": ""},
        "status": "new",
        "account": [
            {
                "_id": acme.id,
                "name": "acme",
                "runtimeEnvironment": "default",
                "admins": [ada.id],
                "features": {},
            }
        ],
    }


@pytest.mark.parametrize("scope", ["build:read:status", "pipeline:run"])
@pytest.mark.parametrize("path", ["/api/user", "/api/user/context", "/api/execution-contexts/current"])
def test_every_valid_key_may_ask_who_it_is(client, key_of, scope, path):
    assert client.with_key(key_of("ada", scope)).get(path).status == 200


@pytest.mark.parametrize(
    "path", ["/api/user", "/api/user/context", "/api/execution-contexts/current", "/api/user/firebaseAuth"]
)
def test_without_a_key_nothing_is_answered(client, path):
    assert client.get(path).status == 401


def test_firebase_is_not_offered(client, key_of):
    assert client.with_key(key_of()).get("/api/user/firebaseAuth").status == 501


def test_a_login_gives_a_session_that_clients_can_decode(client, people):
    answer = login(client).json()
    assert answer["user"] == {"userName": "ada", "email": "ada@example.org"}
    payload = msgspec.json.decode(_unpadded(answer["accessToken"].split(".")[1]))
    assert payload["_id"] == people["ada"].id
    assert payload["accountId"] == people["acme"].id
    assert client.get("/api/user", **by_session(answer["accessToken"])).json()["activeAccountName"] == "acme"


def _unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize(("user", "password"), [("ada", "wrong"), ("nobody", PASSWORD), ("otto", "")])
def test_a_wrong_login_does_not_say_what_was_wrong(client, people, user, password):  # noqa: ARG001
    answer = login(client, user, password)
    assert answer.status == 401
    assert answer.json()["message"] == "user name or password is wrong"


def test_a_session_ends_after_twelve_hours(client, people, clock):  # noqa: ARG001
    token = login(client).json()["accessToken"]
    clock.time += timedelta(hours=12)
    assert client.get("/api/user", **by_session(token)).status == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJfaWQiOiJ4In0."])
def test_a_forged_session_is_refused(client, people, token):  # noqa: ARG001
    assert client.get("/api/user", **by_session(token)).status == 401


def test_a_logout_ends_every_session_of_the_user(client, people):  # noqa: ARG001
    first, second = (login(client).json()["accessToken"] for _ in range(2))
    assert client.post("/api/auth/logout", **by_session(first)).status == 200
    assert client.get("/api/user", **by_session(second)).status == 401
    assert login(client).status == 200


def test_changing_the_account_gives_a_session_there(client, people, key_of):
    zoo = people["zoo"]
    answer = client.with_key(key_of()).post(f"/api/user/changeaccount/{zoo.id}")
    user = client.get("/api/user", **by_session(answer.json()["accessToken"])).json()
    assert user["activeAccountName"] == "zoo"
    assert [account["name"] for account in user["account"]] == ["acme", "zoo"]
    assert user["defaultAccount"] == 1


def test_a_foreign_account_cannot_be_entered(client, people, key_of):
    answer = client.with_key(key_of()).post(f"/api/user/changeaccount/{people['other'].id}")
    assert answer.status == 404


def test_a_key_with_scopes_cannot_turn_into_a_session(client, people, key_of):
    narrow = client.with_key(key_of("ada", "general"))
    assert narrow.post(f"/api/user/changeaccount/{people['zoo'].id}").status == 403


def test_a_session_dies_with_the_key_that_asked_for_it(client, people, key_of, database):
    key = key_of()
    answer = client.with_key(key).post(f"/api/user/changeaccount/{people['zoo'].id}")
    token = answer.json()["accessToken"]
    assert client.get("/api/user", **by_session(token)).status == 200
    with database.transaction() as db:
        api_keys.revoke_any(db, people["acme"].id, key.partition(".")[0])
    assert client.get("/api/user", **by_session(token)).status == 401


def test_the_users_of_ones_own_account_are_listed(client, people, key_of):
    mine = client.with_key(key_of())
    listed = mine.get(f"/api/accounts/{people['acme'].id}/users").json()
    assert [user["userName"] for user in listed] == ["ada"]
    assert mine.get(f"/api/accounts/{people['other'].id}/users").status == 404
    narrow = client.with_key(key_of("ada", "build"))
    assert narrow.get(f"/api/accounts/{people['acme'].id}/users").status == 403


def test_the_first_start_makes_an_admin_whose_password_is_said_once(client, database, clock):
    with database.transaction() as db:
        password = service.create_first(db, now=clock.now())
        assert service.create_first(db, now=clock.now()) is None
    token = login(client, "admin", password).json()["accessToken"]
    user = client.get("/api/user", **by_session(token)).json()
    assert user["activeAccountName"] == "default"
    assert "Admin" in user["roles"]
