"""What the Terraform provider and the Go SDK send, and the fields that they read back.

Both take 200 and 201 for success and nothing else; the provider encodes the first slash of a name only.
"""

import pytest


@pytest.fixture
def send(client):
    """Send a request as these clients do; the answer must be one that they take."""

    def call(method, path, body=None):
        answer = client.call(method, f"/api{path}", json=body)
        assert answer.status in (200, 201), (method, path, answer.text)
        return answer

    return call


def gone(client, path, words):
    answer = client.get(f"/api{path}")
    assert answer.status == 404
    assert words in answer.json()["message"]


def test_a_project_is_managed(client, send):
    body = {"projectName": "shop", "tags": ["a"], "variables": [{"key": "K", "value": "1"}]}
    made = send("POST", "/projects", body).json()["id"]
    read = send("GET", f"/projects/{made}").json()
    assert (read["projectName"], read["tags"]) == ("shop", ["a"])
    assert [(one["key"], one["value"]) for one in read["variables"]] == [("K", "1")]
    assert send("GET", "/projects/name/shop").json()["id"] == made
    send("PATCH", f"/projects/{made}", {**body, "id": made, "tags": ["b"]})
    assert send("GET", f"/projects/{made}").json()["tags"] == ["b"]
    send("DELETE", f"/projects/{made}")
    gone(client, f"/projects/{made}", "not find")


def test_a_pipeline_with_two_slashes_in_its_name_is_managed(client, send):
    send("POST", "/projects", {"projectName": "team/shop"})
    yaml = "version: '1.0'\nsteps:\n  hello:\n    image: alpine\n    commands:\n      - echo hello\n"
    body = {
        "version": "1.0",
        "metadata": {"name": "team/shop/ci", "originalYamlString": yaml, "labels": {"tags": ["x"]}},
        "spec": {
            "variables": [{"key": "A", "value": "1"}],
            "triggers": [{"name": "t", "type": "git", "repo": "acme/shop", "events": ["push.heads"]}],
            "steps": {"hello": {"image": "alpine", "commands": ["echo hello"]}},
            "stages": [],
            "concurrency": 1,
        },
    }
    made = send("POST", "/pipelines", body).json()["metadata"]
    assert len(made["id"]) == 24
    read = send("GET", f"/pipelines/{made['id']}").json()
    assert (read["metadata"]["revision"], read["metadata"]["originalYamlString"]) == (made["revision"], yaml)
    assert send("GET", "/pipelines/team%2Fshop/ci").json()["metadata"]["id"] == made["id"]
    body["metadata"] |= {"id": made["id"], "revision": made["revision"], "description": "changed"}
    send("PUT", "/pipelines/team%2Fshop/ci", body)
    again = send("GET", f"/pipelines/{made['id']}").json()
    assert again["metadata"]["description"] == "changed"
    assert again["spec"]["triggers"][0]["name"] == "t"
    send("DELETE", f"/pipelines/{made['id']}")
    assert client.get(f"/api/pipelines/{made['id']}").status == 404


@pytest.mark.parametrize(
    ("kind", "data", "shown"),
    [
        ("config", {"A": "1"}, {"A": "1"}),
        ("secret", {"A": "1"}, {"A": "*****"}),
        ("yaml", {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_a_context_is_managed(client, send, kind, data, shown):
    body = {"metadata": {"name": "c1"}, "spec": {"type": kind, "data": data}}
    assert send("POST", "/contexts", body).json()["metadata"]["name"] == "c1"
    assert send("GET", "/contexts/c1").json()["spec"] == {"type": kind, "data": shown}
    assert send("GET", "/contexts/c1?decrypt=true").json()["spec"]["data"] == data
    send("PUT", "/contexts/c1", {**body, "spec": {"type": kind, "data": {}}})
    assert send("GET", "/contexts/c1").json()["spec"]["data"] == {}
    send("DELETE", "/contexts/c1")
    gone(client, "/contexts/c1", "Context c1 not found")


def test_every_scope_that_terraform_knows_is_kept_as_it_was_sent(client, send):
    ours = ["agent", "agents", "audit", "build", "cluster", "clusters", "helm", "pipeline", "project"]
    theirs = ["environments-v2", "github-action", "kubernetes", "view", "workflow"]
    rest = ["repos", "runner-installation", "step-type", "step-types"]
    text = send("POST", "/auth/key", {"name": "tf", "scopes": [*theirs, *rest, *ours]}).text
    read = send("GET", f"/auth/key/{text.partition('.')[0]}").json()
    assert read["scopes"] == sorted([*ours, *theirs, *rest])
    assert client.with_key(text).get("/api/clusters").status == 200
    only = send("POST", "/auth/key", {"name": "tf2", "scopes": theirs}).text
    assert client.with_key(only).get("/api/workflow").status == 403


def test_a_key_is_the_whole_answer_and_is_managed(client, send):
    text = send("POST", "/auth/key", {"name": "tf", "scopes": ["pipeline", "helm", "repos"]}).text
    assert text.count(".") == 1
    assert not text.startswith('"')
    made = text.partition(".")[0]
    assert client.with_key(text).get("/api/helm/boards").status == 200
    read = send("GET", f"/auth/key/{made}").json()
    assert (read["_id"], read["name"], sorted(read["scopes"])) == (made, "tf", ["helm", "pipeline", "repos"])
    send("PATCH", f"/auth/key/{made}", {"name": "tf2", "scopes": ["build"]})
    assert {one["name"] for one in send("GET", "/auth/keys").json()} >= {"tf2"}
    send("DELETE", f"/auth/key/{made}")
    assert client.with_key(text).get("/api/user").status == 401


def test_a_step_type_is_managed(client, send):
    document = {
        "version": "1.0",
        "kind": "step-type",
        "metadata": {"name": "acme/hello", "version": "1.0.0"},
        "spec": {"steps": {"main": {"image": "alpine", "commands": ["true"]}}},
    }
    send("POST", "/step-types", document)
    document["metadata"]["version"] = "1.1.0"
    send("PUT", "/step-types/acme%2Fhello", document)
    assert send("GET", "/step-types/acme%2Fhello/versions").json() == ["1.1.0", "1.0.0"]
    assert send("GET", "/step-types/acme%2Fhello:1.0.0").json()["metadata"]["version"] == "1.0.0"
    send("DELETE", "/step-types/acme%2Fhello:1.0.0")
    send("DELETE", "/step-types/acme%2Fhello")
    assert client.get("/api/step-types/acme%2Fhello").status == 404


def test_a_registry_is_managed(client, send):
    body = {
        "name": "main",
        "provider": "other",
        "domain": "r.example.org",
        "username": "u",
        "password": "p",
        "repositoryPrefix": "acme",
        "default": True,
        "behindFirewall": False,
    }
    made = send("POST", "/registries", body).json()["_id"]
    read = send("GET", f"/registries/{made}").json()
    assert {name: read[name] for name in ("name", "provider", "domain", "username", "repositoryPrefix")} == {
        name: body[name] for name in ("name", "provider", "domain", "username", "repositoryPrefix")
    }
    send("PUT", f"/registries/{made}", {**body, "_id": made, "name": "renamed"})
    assert send("GET", f"/registries/{made}").json()["name"] == "renamed"
    send("DELETE", f"/registries/{made}")
    assert client.get(f"/api/registries/{made}").status == 404


def test_a_team_is_managed(send, people):
    member, admin = people["member"].id, people["admin"].id
    made = send("POST", "/team", {"name": "ops", "users": [member], "tags": ["x"]}).json()["_id"]
    send("PUT", f"/team/{made}/renameTeam", {"name": "run"})
    send("PUT", f"/team/{made}/{admin}/assignUserToTeam")
    send("PUT", f"/team/{made}/{member}/deleteUserFromTeam")
    [read] = [one for one in send("GET", "/team").json() if one["name"] != "users"]
    assert (read["_id"], read["name"], [user["_id"] for user in read["users"]]) == (made, "run", [admin])
    send("DELETE", f"/team/{made}")
    assert [one["name"] for one in send("GET", "/team").json()] == ["users"]


def test_the_current_account_is_read(send, people):
    user = send("GET", "/user").json()
    [account] = [one for one in user["account"] if one["name"] == user["activeAccountName"]]
    assert account["_id"] == people["admin"].active_account_id
    users = send("GET", f"/accounts/{account['_id']}/users").json()
    assert {user["userName"] for user in users} == {"ada", "mel"}


def test_the_go_sdk_runs_and_follows_a_pipeline(send):
    body = {"metadata": {"name": "p/ci"}, "spec": {"steps": {"a": {"image": "alpine", "commands": ["true"]}}}}
    send("POST", "/pipelines", {"kind": "pipeline", **body})
    text = send("POST", "/pipelines/run/p%2Fci", {"branch": "main", "variables": {"A": "1"}}).text
    build = send("GET", f"/builds/{text.strip(chr(34))}").json()
    assert (build["pipelineName"], build["created"][-1], build.get("finished")) == ("p/ci", "Z", None)
    progress = send("GET", f"/progress/{build['progress']}").json()
    assert (progress["id"], progress["status"]) == (build["progress"], build["status"])
    assert set(progress["location"]) >= {"type", "url"}
    send("POST", "/contexts", {"metadata": {"name": "gh"}, "spec": {"type": "git.github", "data": {}}})
    assert send("GET", "/contexts/git/default").json()["metadata"]["name"] == "gh"
