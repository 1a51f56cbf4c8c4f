import pytest

UNKNOWN = "6923f0a41c2b9f3a7d0000b0"
ROUTES = [
    ("GET", "/api/team"),
    ("POST", "/api/team"),
    ("GET", "/api/team/{user}/findTeamsByUser"),
    ("PUT", "/api/team/{team}/{user}/assignUserToTeam"),
    ("PUT", "/api/team/{team}/{user}/deleteUserFromTeam"),
    ("PUT", "/api/team/{team}/renameTeam"),
    ("DELETE", "/api/team/{team}"),
]


@pytest.fixture
def ops(client, people):
    answer = client.post("/api/team", {"name": "ops", "tags": ["a"], "users": [people["member"].id]})
    assert answer.status == 200, answer.text
    return answer.json()


def made(answer):
    """The teams of an answer that somebody has made: all but the one of all users."""
    return [team for team in answer.json() if team["name"] != "users"]


@pytest.fixture
def call(client, ops, people):
    """Call an operation on the team and its member."""

    def send(method, path, *, by=client, body=None, team=ops["_id"], user=people["member"].id):
        return by.call(method, path.format(team=team, user=user), json=body or {"name": "x"})

    return send


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_request_without_a_key_is_401(client, call, method, path):
    assert call(method, path, by=client.with_key(None)).status == 401


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_key_without_the_scope_is_403(client, key_of, call, method, path):
    assert call(method, path, by=client.with_key(key_of("admin", "pipeline"))).status == 403


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if "{" in route[1]])
def test_a_team_of_another_account_is_404(stranger, call, method, path):
    assert call(method, path, by=stranger).status == 404


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[0] != "GET"])
def test_only_an_admin_changes_teams(client, key_of, call, method, path):
    assert call(method, path, by=client.with_key(key_of("member"))).status == 403


def test_a_team_is_listed_with_its_members(client, people, ops):
    member = {"_id": people["member"].id, "userName": "mel", "email": ""}
    account = people["member"].active_account_id
    assert ops == {
        "_id": ops["_id"],
        "name": "ops",
        "type": "default",
        "account": account,
        "tags": ["a"],
        "users": [member],
    }
    assert made(client.get("/api/team")) == [ops]


def test_users_come_and_go(client, people, ops, call):
    admin = people["admin"].id
    for _ in range(2):  # who is in it stays
        both = call("PUT", "/api/team/{team}/{user}/assignUserToTeam", user=admin).json()
        assert [user["userName"] for user in both["users"]] == ["ada", "mel"]
    assert [team["name"] for team in made(client.get(f"/api/team/{admin}/findTeamsByUser"))] == ["ops"]
    left = call("PUT", "/api/team/{team}/{user}/deleteUserFromTeam", user=admin).json()
    assert left == ops
    assert made(client.get(f"/api/team/{admin}/findTeamsByUser")) == []
    assert call("PUT", "/api/team/{team}/{user}/deleteUserFromTeam", user=admin).status == 404


def test_only_users_of_the_account_are_in_its_teams(client, people, call):
    stranger = people["stranger"].id
    assert call("PUT", "/api/team/{team}/{user}/assignUserToTeam", user=stranger).status == 404
    refused = client.post("/api/team", {"name": "odd", "users": [stranger]})
    assert (refused.status, "users" in refused.json()["message"]) == (400, True)
    assert [team["name"] for team in made(client.get("/api/team"))] == ["ops"]


@pytest.mark.usefixtures("ops")
def test_a_name_is_taken_once_in_an_account(client, stranger, call):
    assert client.post("/api/team", {"name": "ops"}).status == 409
    assert stranger.post("/api/team", {"name": "ops"}).status == 200
    assert client.post("/api/team", {"name": "dev"}).status == 200
    assert call("PUT", "/api/team/{team}/renameTeam", body={"name": "dev"}).status == 409
    assert call("PUT", "/api/team/{team}/renameTeam", body={"name": "run"}).json()["name"] == "run"


def test_a_deleted_team_leaves_its_users(client, people, ops):
    assert client.delete(f"/api/team/{ops['_id']}").json() == {}
    assert made(client.get("/api/team")) == []
    users = client.get(f"/api/accounts/{people['member'].active_account_id}/users").json()
    assert "mel" in {user["userName"] for user in users}
    assert client.delete(f"/api/team/{UNKNOWN}").status == 404
