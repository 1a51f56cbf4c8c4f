import os

import pytest

from headrace.resources.registries import service

BODY = {
    "username": "ci",
    "password": "s3cr3t-password",
    "domain": "registry.example.org",
    "name": "main",
    "behindFirewall": False,
    "provider": "other",
}
ROUTES = [
    ("GET", "/api/registries"),
    ("POST", "/api/registries"),
    ("POST", "/api/registries/test"),
    ("GET", "/api/registries/main"),
    ("PUT", "/api/registries/main"),
    ("PATCH", "/api/registries/main"),
    ("PATCH", "/api/registries/main/default"),
    ("DELETE", "/api/registries/main"),
]


def made(client, **fields):
    answer = client.post("/api/registries", {**BODY, **fields})
    assert answer.status == 200, answer.text
    return answer.json()


def accesses(database, box, people):
    with database.reading() as db:
        return {each.name: each for each in service.accesses(db, box, people["admin"].active_account_id)}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_request_without_a_key_is_401(client, method, path):
    assert client.with_key(None).call(method, path, json=BODY).status == 401


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_key_without_the_scope_is_403(client, key_of, method, path):
    assert client.with_key(key_of("admin", "pipeline")).call(method, path, json=BODY).status == 403


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[0] != "GET"])
def test_only_admins_change_registries(client, key_of, method, path):
    made(client)
    assert client.with_key(key_of("member")).call(method, path, json=BODY).status == 403


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if "main" in route[1]])
def test_a_registry_of_another_account_is_404(client, stranger, method, path):
    made(client)
    answer = stranger.call(method, path, json={})
    assert answer.status == 404
    assert "could not find registry 'main'" in answer.json()["message"]


def test_a_registry_is_created_and_its_password_never_comes_back(client, database):
    created = made(client)
    assert created == {
        "_id": created["_id"],
        "name": "main",
        "provider": "other",
        "kind": "standard",
        "behindFirewall": False,
        "default": True,
        "primary": True,
        "domain": "registry.example.org",
        "username": "ci",
    }
    assert client.get("/api/registries").json() == [created]
    assert client.get(f"/api/registries/{created['_id']}").json() == created
    with database.reading() as db:
        stored = db.exec_driver_sql("SELECT document FROM registries").scalars().all()
    assert "s3cr3t-password" not in str(stored)


def test_the_first_registry_is_the_default_until_another_is(client):
    first, second = made(client), made(client, name="second", domain="second.example.org")
    assert (first["default"], second["default"]) == (True, False)
    assert client.call("PATCH", f"/api/registries/{second['_id']}/default").json()["default"] is True
    assert [each["default"] for each in client.get("/api/registries").json()] == [False, True]


def test_the_only_registry_is_no_default_where_it_says_so(client):
    assert made(client, default=False)["default"] is False
    assert made(client, name="second")["default"] is False
    assert made(client, name="third", default=True)["default"] is True


def test_what_is_not_given_stays(client, database, box, people):
    made(client)
    answer = client.call("PATCH", "/api/registries/main", json={"username": "other", "repositoryPrefix": "t"})
    assert (answer.json()["username"], answer.json()["repositoryPrefix"]) == ("other", "t")
    access = accesses(database, box, people)["main"]
    assert (access.username, access.password, access.prefix) == ("other", "s3cr3t-password", "t")
    client.call("PUT", "/api/registries/main", json={"password": "new", "name": "renamed"})
    assert accesses(database, box, people)["renamed"].password == "new"


@pytest.mark.parametrize(
    ("fields", "username", "password"),
    [
        ({"provider": "gcr", "keyfile": "{}"}, "_json_key", "{}"),
        ({"provider": "acr", "clientId": "id", "clientSecret": "cs"}, "id", "cs"),
        ({"provider": "ecr", "username": "AWS", "password": "token"}, "AWS", "token"),
    ],
)
def test_each_provider_has_its_way_to_log_in(client, database, box, people, fields, username, password):
    made(client, **{"username": "", "password": "", **fields})
    access = accesses(database, box, people)["main"]
    assert (access.username, access.password, access.refusal) == (username, password, "")


def test_keys_of_aws_are_refused_with_the_cure(client, database, box, people):
    body = {"name": "aws", "provider": "ecr", "accessKeyId": "A", "region": "us-east-1"}
    kept = client.post("/api/registries", {**body, "secretAccessKey": "B"}).json()
    assert (kept["domain"], kept["region"], kept["accessKeyId"]) == ("", "us-east-1", "A")
    assert "aws ecr get-login-password" in accesses(database, box, people)["aws"].refusal
    client.call("PATCH", "/api/registries/aws", json={"password": "token"})
    assert "aws ecr get-login-password" in accesses(database, box, people)["aws"].refusal
    assert "aws ecr get-login-password" in client.post("/api/registries/test", body).json()["message"]


@pytest.mark.parametrize(
    ("given", "domain"),
    [
        ("https://Index.docker.io/v1/", "docker.io"),
        ("https://r.example.org/", "r.example.org"),
        ("r.example.org:5000", "r.example.org:5000"),
    ],
)
def test_a_domain_may_be_written_as_a_url(client, given, domain):
    assert made(client, domain=given)["domain"] == domain


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": None}, 400),
        ({"domain": None}, 400),
        ({"domain": None, "provider": "ecr"}, 400),
        ({"domain": "a b"}, 400),
        ({"provider": "ftp"}, 400),
    ],
)
def test_a_registry_that_cannot_be_is_refused(client, change, status):
    assert client.post("/api/registries", {**BODY, **change}).status == status


def test_a_name_is_taken_once(client):
    made(client)
    made(client, name="other")
    assert client.post("/api/registries", BODY).status == 409
    assert client.call("PATCH", "/api/registries/other", json={"name": "main"}).status == 409


def test_a_registry_is_deleted(client):
    created = made(client)
    assert client.delete(f"/api/registries/{created['_id']}").json() == {}
    assert client.get("/api/registries").json() == []


@pytest.mark.enable_socket
@pytest.mark.parametrize(("password", "status"), [("ci", 200), ("wrong", 400), ("", 400)])
def test_the_connection_is_tried_for_real(client, password, status):
    domain = os.environ.get("ENGINE_REGISTRY_AUTH")
    if not domain:
        pytest.skip("no registry with a password; tools/engine-up starts one")
    username = "ci" if password else ""
    body = {**BODY, "domain": domain, "username": username, "password": password}
    answer = client.post("/api/registries/test", body)
    assert answer.status == status, answer.text
    assert "wrong" not in answer.text


@pytest.mark.enable_socket
def test_a_registry_that_does_not_answer_is_named(client):
    answer = client.post("/api/registries/test", {**BODY, "domain": "127.0.0.1:1"})
    assert answer.status == 400
    assert "127.0.0.1:1 does not answer" in answer.json()["message"]
