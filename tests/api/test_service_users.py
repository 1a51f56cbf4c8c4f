"""Users that are machines: keys and teams, no password."""

import pytest

UNKNOWN = "6923f0a41c2b9f3a7d0000b0"
ROUTES = [
    ("GET", "/api/service-users"),
    ("POST", "/api/service-users"),
    ("GET", "/api/service-users/{robot}"),
    ("PATCH", "/api/service-users/{robot}"),
    ("DELETE", "/api/service-users/{robot}"),
    ("GET", "/api/auth/key/service-user/{robot}"),
    ("POST", "/api/auth/key/service-user/{robot}"),
    ("GET", "/api/auth/key/service-user/{robot}/{key}"),
    ("PATCH", "/api/auth/key/service-user/{robot}/{key}"),
    ("DELETE", "/api/auth/key/service-user/{robot}/{key}"),
]


@pytest.fixture(params=["sqlite"])
def engine_name(request):
    """What is stored is stored as people and keys are, whose tests have both engines."""
    return request.param


@pytest.fixture
def ops(client):
    return client.post("/api/team", {"name": "ops"}).json()["_id"]


@pytest.fixture
def robot(client, ops):
    """A service user in a team."""
    answer = client.post("/api/service-users", {"userName": "robot", "teamIds": [ops]})
    assert answer.status == 200, answer.text
    return answer.json()


@pytest.fixture
def key(client, robot):
    """The text of a key of the service user."""
    return client.post(f"/api/auth/key/service-user/{robot['_id']}", {"name": "deploy"}).text


@pytest.fixture
def ask(robot, key):
    def send(by, method, path, *, user=robot["_id"]):
        return by.call(
            method, path.format(robot=user, key=key.partition(".")[0]), json={"name": "x", "userName": "x"}
        )

    return send


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_only_an_admin_with_the_scope_has_to_do_with_service_users(client, key_of, ask, method, path):
    assert ask(client.with_key(None), method, path).status == 401
    assert ask(client.with_key(key_of("admin", "pipeline")), method, path).status == 403
    assert ask(client.with_key(key_of("member")), method, path).status == 403


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if "{" in route[1]])
def test_what_is_no_service_user_of_the_account_is_404(client, stranger, people, ask, method, path):
    assert ask(stranger, method, path).status == 404
    for nobody in (people["member"].id, UNKNOWN):
        assert ask(client, method, path, user=nobody).status == 404
    assert client.get(f"/api/accounts/{people['admin'].active_account_id}/users").status == 200


def test_a_service_user_is_made_shown_and_listed_apart_from_people(client, people, robot, ops):
    assert robot == {"_id": robot["_id"], "userName": "robot", "teams": [{"_id": ops}], "roles": ["User"]}
    assert client.get(f"/api/service-users/{robot['_id']}").json() == robot
    assert client.get("/api/service-users").json() == [robot]
    listed = client.get(f"/api/accounts/{people['admin'].active_account_id}/users").json()
    assert [one["userName"] for one in listed] == ["ada", "mel"]
    assert client.post("/api/service-users", {"userName": "robot"}).status == 409
    assert client.post("/api/service-users", {"userName": " "}).status == 400


def test_a_service_user_with_an_unknown_team_is_not_made(client):
    assert client.post("/api/service-users", {"userName": "robot", "teamIds": [UNKNOWN]}).status == 404
    assert client.get("/api/service-users").json() == []


def test_what_a_change_leaves_out_is_taken_away_but_for_the_name(client, robot, ops):
    place = f"/api/service-users/{robot['_id']}"
    changed = client.patch(place, {"teamIds": [ops], "assignAdminRole": True}).json()
    assert changed == {**robot, "roles": ["User", "Admin"]}
    assert client.patch(place, {"userName": "android"}).json() == {
        **robot,
        "userName": "android",
        "teams": [],
    }


def test_it_does_what_its_teams_allow_with_the_scopes_of_its_key(client, robot, key, ops):
    document = {
        "kind": "pipeline",
        "metadata": {"name": "demo/a", "labels": {"tags": ["dev"]}},
        "spec": {"steps": {"unit": {"image": "alpine", "commands": ["true"]}}},
    }
    client.post("/api/pipelines", document)
    machine = client.with_key(key)
    assert machine.get("/api/user").json()["userName"] == "robot"
    assert machine.get("/api/pipelines/demo%2Fa").status == 404
    client.post("/api/abac", {"team": ops, "resource": "pipeline", "action": "read", "tags": ["dev"]})
    assert machine.get("/api/pipelines/demo%2Fa").status == 200
    narrow = {"name": "few", "scopes": ["build:read"]}
    other = client.post(f"/api/auth/key/service-user/{robot['_id']}", narrow).text
    assert client.with_key(other).get("/api/pipelines/demo%2Fa").status == 403


def test_keys_are_listed_changed_and_revoked(client, robot, key):
    place = f"/api/auth/key/service-user/{robot['_id']}"
    [listed] = client.get(place).json()
    assert (listed["name"], listed["subject"]) == ("deploy", {"type": "user", "ref": robot["_id"]})
    one = f"{place}/{listed['_id']}"
    assert client.get(one).json() == listed
    assert client.patch(one, {"scopes": ["build:read"]}).json()["scopes"] == ["build:read"]
    assert client.delete(one).json() == {}
    assert client.with_key(key).get("/api/user").status == 401
    assert client.get(one).status == 404


def test_a_key_with_scopes_gives_no_more_than_it_has(client, key_of, robot):
    narrow = client.with_key(key_of("admin", "general"))
    place = f"/api/auth/key/service-user/{robot['_id']}"
    assert narrow.post(place, {"name": "all"}).status == 403
    assert narrow.post(place, {"name": "some", "scopes": ["general"]}).status == 200
    assert narrow.post("/api/service-users", {"userName": "boss", "assignAdminRole": True}).status == 403


def test_it_cannot_log_in(client, robot):
    for password in ("", "x"):
        login = {"user": robot["userName"], "password": password}
        assert client.with_key(None).post("/api/auth/login", login).status == 401


def test_it_is_deleted_with_its_keys_and_its_name_is_free(client, robot, key):
    assert client.delete(f"/api/service-users/{robot['_id']}").json() == {}
    assert client.with_key(key).get("/api/user").status == 401
    assert client.get("/api/service-users").json() == []
    assert client.post("/api/service-users", {"userName": "robot"}).status == 200


def test_the_last_admin_who_can_log_in_stays(client, people, robot):
    client.patch(f"/api/service-users/{robot['_id']}", {"assignAdminRole": True})
    account = people["admin"].active_account_id
    assert client.delete(f"/api/accounts/{account}/{people['admin'].id}/admin").status == 409
    assert client.delete(f"/api/accounts/{account}/{people['admin'].id}").status == 409
