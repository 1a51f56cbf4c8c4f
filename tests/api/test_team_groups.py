"""Teams that follow the groups of a Git host."""

import json

import pytest

PATH = "/api/team/group/synchronize/name/host/type/github"
pytestmark = pytest.mark.enable_socket


@pytest.fixture
def integrate(client, git_host):
    def make(kind):
        auth = {"type": "basic", "password": "good", "apiHost": git_host}
        spec = {"type": kind, "data": {"auth": auth}}
        body = {"kind": "context", "metadata": {"name": "host"}, "spec": spec}
        assert client.post("/api/contexts", body).status == 200

    return make


@pytest.fixture
def organisation(integrate, host_answers):
    """Let the organisation of a GitHub have these teams: id and slug → members."""
    integrate("git.github")

    def have(teams):
        host_answers.clear()
        host_answers["/api/v3/user/orgs"] = json.dumps([{"login": "acme"}])
        listed = [{"id": number, "slug": slug, "name": slug.title()} for number, slug in teams]
        host_answers["/api/v3/orgs/acme/teams"] = json.dumps(listed)
        for (_, slug), logins in teams.items():
            members = json.dumps([{"login": login} for login in logins])
            host_answers[f"/api/v3/orgs/acme/teams/{slug}/members"] = members

    return have


def people(client):
    """Who is in which team, and of what type that is; but for the team of all users."""
    return {
        team["name"]: (team["type"], [user["userName"] for user in team["users"]])
        for team in client.get("/api/team").json()
        if team["name"] != "users"
    }


def test_a_request_without_a_key_is_401(client):
    assert client.with_key(None).get(PATH).status == 401


def test_a_key_without_the_scope_or_of_no_admin_is_403(client, key_of):
    assert client.with_key(key_of("admin", "pipeline")).get(PATH).status == 403
    assert client.with_key(key_of("member")).get(PATH).status == 403


def test_a_context_of_another_account_is_404(stranger, organisation):
    organisation({})
    assert stranger.get(PATH).status == 404


def test_teams_are_made_of_groups_with_those_who_are_users_here(client, organisation):
    organisation({(1, "platform"): ["Ada", "mel", "zoe"], (2, "web"): []})
    made = client.get(PATH).json()
    assert (made["created"], made["deleted"], made["skipped"]) == (["acme/platform", "acme/web"], [], [])
    assert made["unknownUsers"] == ["zoe"]
    assert [team["name"] for team in made["teams"]] == ["acme/platform", "acme/web"]
    assert people(client) == {"acme/platform": ("github", ["ada", "mel"]), "acme/web": ("github", [])}


def test_teams_follow_their_groups_and_those_made_by_hand_stay(client, organisation, people_ids):
    assert client.post("/api/team", {"name": "ops", "users": [people_ids["member"]]}).status == 200
    organisation({(1, "platform"): ["ada"], (2, "web"): ["mel"], (3, "old"): ["ada"]})
    before = {team["name"]: team["_id"] for team in client.get(PATH).json()["teams"]}
    organisation({(1, "infra"): ["mel"], (2, "web"): ["mel"]})
    after = client.get(PATH).json()
    assert (after["created"], after["deleted"]) == ([], ["acme/old"])
    assert {team["name"]: team["_id"] for team in after["teams"]} == {
        "acme/infra": before["acme/platform"],
        "acme/web": before["acme/web"],
    }
    expected = {
        "acme/infra": ("github", ["mel"]),
        "acme/web": ("github", ["mel"]),
        "ops": ("default", ["mel"]),
    }
    assert people(client) == expected
    assert client.get(PATH).json() == {**after, "deleted": []}


@pytest.fixture
def people_ids(people):
    return {who: user.id for who, user in people.items()}


def test_a_name_that_a_team_has_already_is_skipped_and_its_members_stay(client, organisation, people_ids):
    client.post("/api/team", {"name": "acme/web", "users": [people_ids["admin"]]})
    organisation({(2, "web"): ["mel"]})
    assert client.get(PATH).json()["skipped"] == ["acme/web"]
    assert people(client) == {"acme/web": ("default", ["ada"])}


def test_groups_of_gitlab_are_taken_too_without_those_who_are_blocked(client, integrate, host_answers):
    integrate("git.gitlab")
    host_answers["/api/v4/groups"] = json.dumps([{"id": 7, "full_path": "acme/sub"}])
    members = [{"username": "ada", "state": "active"}, {"username": "mel", "state": "blocked"}]
    host_answers["/api/v4/groups/7/members/all"] = json.dumps(members)
    made = client.get(PATH.replace("type/github", "type/gitlab")).json()
    assert made["created"] == ["acme/sub"]
    assert people(client) == {"acme/sub": ("gitlab", ["ada"])}


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (PATH.replace("type/github", "type/okta"), 400, "groups are taken from github and gitlab"),
        (PATH.replace("type/github", "type/gitlab"), 400, "'host' is of github, not of gitlab"),
        (PATH.replace("name/host", "name/none"), 404, "could not find a git context 'none'"),
    ],
)
def test_what_cannot_be_is_named(client, organisation, path, status, words):
    organisation({})
    answer = client.get(path)
    assert (answer.status, words in answer.json()["message"]) == (status, True), answer.text


def test_nothing_changes_where_the_host_refuses_half_way(client, organisation, host_answers):
    organisation({(1, "platform"): ["ada"], (2, "web"): ["mel"]})
    assert client.get(PATH).status == 200
    del host_answers["/api/v3/orgs/acme/teams/web/members"]
    answer = client.get(PATH + "?access_token=other&disableNotifications=true")
    assert answer.status == 400
    assert "404" in answer.json()["message"]
    assert "other" not in answer.text
    assert people(client) == {"acme/platform": ("github", ["ada"]), "acme/web": ("github", ["mel"])}


@pytest.mark.parametrize("allowed", [""])
def test_a_host_on_the_machine_of_the_server_is_not_asked(client, organisation):
    organisation({})
    assert "where nobody is called" in client.get(PATH).json()["message"]
