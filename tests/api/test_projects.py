import pytest

NOWHERE = "6923f0a41c2b9f3a7d000000"
ROUTES = [
    ("GET", "/api/projects", "project:read"),
    ("POST", "/api/projects", "project:write"),
    ("GET", "/api/projects/name/x", "project:read"),
    ("GET", f"/api/projects/{NOWHERE}", "project:read"),
    ("PATCH", f"/api/projects/{NOWHERE}", "project:write"),
    ("DELETE", f"/api/projects/{NOWHERE}", "project:write"),
]


def made(client, name="my-project", **more):
    answer = client.post("/api/projects", {"projectName": name, **more})
    assert answer.status == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(("method", "path"), [route[:2] for route in ROUTES])
def test_a_request_without_a_key_is_401(client, method, path):
    assert client.with_key(None).call(method, path, json={}).status == 401


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_a_key_without_the_scope_is_403(client, key_of, method, path, scope):
    answer = client.with_key(key_of("admin", "build", "pipeline")).call(method, path, json={})
    assert (answer.status, answer.json()["context"]) == (403, {"missingScopes": [scope]})


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("by", ["id", "projectName"])
def test_a_project_of_another_account_is_404(client, stranger, method, by):
    answer = stranger.call(method, f"/api/projects/{made(client)[by]}", json={})
    assert answer.status == 404
    assert "not found" in answer.json()["message"]


def test_a_name_of_another_account_is_404(client, stranger):
    made(client)
    assert stranger.get("/api/projects/name/my-project").status == 404
    assert stranger.get("/api/projects").json() == {"projects": [], "total": 0}


def test_a_project_is_found_by_id_and_by_name(client):
    project = made(client, tags=["x", "y"])
    assert project["tags"] == ["x", "y"]
    assert project["pipelinesNumber"] == 0
    for path in (project["id"], "name/my-project", "my-project"):
        assert client.get(f"/api/projects/{path}").json() == project


def test_names_may_hold_slashes(client):
    project = made(client, "team/app")
    assert client.get("/api/projects/name/team%2Fapp").json() == project
    assert client.get("/api/projects/name/team/app").json() == project


def test_the_same_name_twice_is_409_and_says_so(client):
    made(client)
    answer = client.post("/api/projects", {"projectName": "my-project"})
    assert answer.status == 409
    assert "Project already exists: 'my-project'" in answer.json()["message"]


def test_two_accounts_may_use_one_name(client, stranger):
    assert made(client)["id"] != made(stranger)["id"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "projectName"),
        ({"projectName": ""}, "projectName"),
        ({"projectName": []}, "projectName"),
        ({"projectName": "p", "variables": [{"value": "1"}]}, "variables[0]"),
        ({"projectName": "p", "variables": [{"key": "", "value": "1"}]}, "variables.0.key"),
    ],
)
def test_a_wrong_body_names_its_place(client, body, place):
    answer = client.post("/api/projects", body)
    assert answer.status == 400
    assert place in answer.json()["message"]


def test_encrypted_variables_are_masked_and_kept_by_the_mask(client, database):
    variables = [{"key": "A", "value": "1"}, {"key": "B", "value": "hidden-2", "encrypted": True}]
    project = made(client, variables=variables)
    shown = [
        {"key": "A", "value": "1", "encrypted": False},
        {"key": "B", "value": "*****", "encrypted": True},
    ]
    assert project["variables"] == shown
    with database.reading() as db:
        before = db.exec_driver_sql("SELECT variables FROM projects").scalar()
    assert "hidden-2" not in before
    assert client.patch(f"/api/projects/{project['id']}", {"variables": shown}).json()["variables"] == shown
    with database.reading() as db:
        assert db.exec_driver_sql("SELECT variables FROM projects").scalar() == before


def test_a_secret_that_is_no_longer_encrypted_is_emptied(client):
    project = made(client, variables=[{"key": "B", "value": "2", "encrypted": True}])
    body = {"variables": [{"key": "B", "value": "*****", "encrypted": False}]}
    changed = client.patch(f"/api/projects/{project['id']}", body).json()
    assert changed["variables"] == [{"key": "B", "value": "", "encrypted": False}]


def test_a_patch_changes_only_what_it_names(client):
    project = made(client, tags=["x"], variables=[{"key": "A", "value": "1"}])
    changed = client.patch(f"/api/projects/{project['id']}", {"tags": ["y"]}).json()
    assert (changed["tags"], changed["variables"]) == (["y"], project["variables"])


def test_lists_are_filtered_and_paged_newest_first(client):
    for name, tags in (("alpha", ["x"]), ("beta", ["x", "y"]), ("Alphabet", ["y"])):
        made(client, name, tags=tags)

    def names(query):
        answer = client.get(f"/api/projects?{query}").json()
        return [one["projectName"] for one in answer["projects"]], answer["total"]

    assert names("") == (["Alphabet", "beta", "alpha"], 3)
    assert names("name=alpha") == (["Alphabet", "alpha"], 2)
    assert names("tags=x&tags=y") == (["beta"], 1)
    assert names("limit=1&offset=1") == (["beta"], 3)
    assert names("limit=0") == (["Alphabet", "beta", "alpha"], 3)
    assert names("name=%25") == ([], 0)


def test_a_rename_reaches_the_names_of_pipelines(client):
    project = made(client)
    body = {"metadata": {"name": "my-project/ci"}, "spec": {"steps": {}}}
    pipeline = client.post("/api/pipelines", body).json()
    assert client.get("/api/projects/my-project").json()["pipelinesNumber"] == 1
    client.patch(f"/api/projects/{project['id']}", {"projectName": "yours"})
    renamed = client.get("/api/pipelines/yours%2Fci").json()
    assert renamed["metadata"]["id"] == pipeline["metadata"]["id"]
    assert (renamed["metadata"]["name"], renamed["metadata"]["project"]) == ("yours/ci", "yours")
    assert client.get("/api/pipelines/my-project%2Fci").status == 404


def test_a_rename_to_a_taken_name_is_409(client):
    made(client, "taken")
    answer = client.patch(f"/api/projects/{made(client)['id']}", {"projectName": "taken"})
    assert answer.status == 409


def test_a_project_with_pipelines_stays(client):
    project = made(client)
    client.post("/api/pipelines", {"metadata": {"name": "my-project/ci"}, "spec": {"steps": {}}})
    refused = client.delete(f"/api/projects/{project['id']}")
    assert refused.status == 409
    assert "has 1 pipelines; delete them first" in refused.json()["message"]
    client.delete("/api/pipelines/my-project%2Fci")
    assert client.delete(f"/api/projects/{project['id']}").json() == {}
    assert client.get(f"/api/projects/{project['id']}").status == 404
