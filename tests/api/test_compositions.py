import msgspec
import pytest
from sqlalchemy import select

from headrace.pipeline.plan import LaunchComposition, Plan
from headrace.resources.builds.model import builds

BODY = {"name": "shop", "vars": ["TAG=1.0"], "yamlJson": '{"services": {"web": {"image": "nginx"}}}'}
ROUTES = [
    ("GET", "/api/compositions"),
    ("POST", "/api/compositions"),
    ("GET", "/api/compositions/shop"),
    ("PUT", "/api/compositions/shop"),
    ("PATCH", "/api/compositions/shop"),
    ("POST", "/api/compositions/shop/duplicate"),
    ("POST", "/api/compositions/shop/run"),
    ("DELETE", "/api/compositions/shop"),
]


@pytest.fixture
def shop(client):
    answer = client.post("/api/compositions", BODY)
    assert answer.status == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_request_without_a_key_is_401(client, method, path):
    assert client.with_key(None).call(method, path, json=BODY).status == 401


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_key_without_the_scope_is_403(client, key_of, method, path):
    assert client.with_key(key_of("admin", "pipeline")).call(method, path, json=BODY).status == 403


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if "shop" in route[1]])
def test_a_composition_of_another_account_is_404(stranger, method, path):
    answer = stranger.call(method, path, json={})
    assert answer.status == 404
    assert "could not find composition 'shop'" in answer.json()["message"]


def test_a_composition_is_stored_by_name(client, shop):
    assert shop == {"_id": shop["_id"], **BODY, "isAdvanced": False, "created": shop["created"]}
    assert client.get("/api/compositions").json() == [shop]
    for wanted in (shop["_id"], "shop"):
        assert client.get(f"/api/compositions/{wanted}").json() == shop


def test_what_is_not_given_stays(client, shop):
    changed = client.call("PUT", "/api/compositions/shop", json={"name": "store", "isAdvanced": True}).json()
    assert changed == {**shop, "name": "store", "isAdvanced": True}
    assert client.call("PATCH", f"/api/compositions/{shop['_id']}", json={"vars": []}).json()["vars"] == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": None}, 400),
        ({"yamlJson": None}, 400),
        ({"yamlJson": "{"}, 400),
        ({"yamlJson": "services: web"}, 400),
        ({}, 409),
    ],
)
@pytest.mark.usefixtures("shop")
def test_what_cannot_be_is_refused(client, change, status):
    assert client.post("/api/compositions", {**BODY, **change}).status == status


def test_a_composition_is_copied_once(client, shop):
    copy = client.post("/api/compositions/shop/duplicate", {}).json()
    assert (copy["name"], copy["yamlJson"]) == ("shop-copy", shop["yamlJson"])
    assert client.post("/api/compositions/shop/duplicate", {}).status == 409
    assert client.call("PATCH", "/api/compositions/shop", json={"name": "shop-copy"}).status == 409


@pytest.mark.usefixtures("shop")
def test_a_composition_is_deleted(client):
    assert client.delete("/api/compositions/shop").json() == {}
    assert client.get("/api/compositions").json() == []


@pytest.mark.usefixtures("shop")
def test_launching_starts_a_build_of_one_step(client, database, shop):
    answer = client.post("/api/compositions/shop/run", {"vars": ["TAG=2.0", {"key": "A", "value": "b"}]})
    assert answer.status == 200, answer.text
    with database.reading() as db:
        plan = db.execute(select(builds.c.plan)).scalar_one()
    [step] = msgspec.json.decode(plan, type=Plan).steps
    assert step.title == "Launching composition shop"
    assert step.action == LaunchComposition(
        composition=shop["_id"], environment_name="shop", variables=("TAG=2.0", "A=b")
    )
    listed = client.get("/api/workflow?trigger=launch-composition").json()["workflows"]["docs"]
    assert [one["id"] for one in listed] == [answer.json()]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("body", [{"vars": "TAG=1"}, {"vars": [[1]]}, [1]])
def test_variables_of_the_wrong_shape_are_400(client, body):
    assert client.post("/api/compositions/shop/run", body).status == 400
    assert client.get("/api/workflow").json()["workflows"]["docs"] == []
