import pytest

ENTITY = "entityId=5b4f927dc70d080001536fe3&entityType=workflow"
BODY = {"entityId": "5b4f927dc70d080001536fe3", "entityType": "workflow", "key": "cov", "value": "75%"}
ROUTES = [("GET", f"?{ENTITY}"), ("POST", ""), ("DELETE", f"?{ENTITY}")]


def listed(client, more=""):
    return client.get(f"/api/annotations?{ENTITY}{more}").json()


@pytest.mark.parametrize(("method", "query"), ROUTES)
def test_a_request_without_a_key_is_401(client, method, query):
    assert client.with_key(None).call(method, f"/api/annotations{query}", json=BODY).status == 401


@pytest.mark.parametrize(("method", "query"), ROUTES)
def test_a_key_without_the_scope_is_403(client, key_of, method, query):
    narrow = client.with_key(key_of("admin", "pipeline"))
    assert narrow.call(method, f"/api/annotations{query}", json=BODY).status == 403


def test_annotations_of_another_account_do_not_exist(client, stranger):
    client.post("/api/annotations", BODY)
    assert listed(stranger) == []
    assert stranger.delete(f"/api/annotations?{ENTITY}&key=cov").status == 404
    assert len(listed(client)) == 1


def test_an_annotation_is_set_listed_and_deleted(client):
    made = client.post("/api/annotations", BODY).json()
    assert made == {**BODY, "_id": made["_id"], "accountId": made["accountId"], "type": "percentage"} | {
        "display": False
    }
    client.post("/api/annotations", {**BODY, "key": "a"})
    assert [one["key"] for one in listed(client)] == ["a", "cov"]
    assert listed(client, "&key=cov") == [made]
    assert client.delete(f"/api/annotations?{ENTITY}&key=cov").json() == {}
    assert client.delete(f"/api/annotations?{ENTITY}&key=cov").status == 404
    assert client.delete(f"/api/annotations?{ENTITY}").status == 200
    assert listed(client) == []


def test_a_second_value_of_a_key_replaces_the_first(client):
    client.post("/api/annotations", BODY)
    client.post("/api/annotations", {**BODY, "value": "80%"})
    assert [one["value"] for one in listed(client)] == ["80%"]


@pytest.mark.parametrize(
    ("value", "text", "kind"),
    [
        ("1.5", "1.5", "number"),
        (7, "7", "number"),
        ("75%", "75%", "percentage"),
        (True, "true", "boolean"),
        ("https://example.org/a", "https://example.org/a", "link"),
        ("one two", "one two", "text"),
        ("", "", "text"),
    ],
)
def test_the_type_shows_in_the_text(client, value, text, kind):
    made = client.post("/api/annotations", {**BODY, "value": value}).json()
    assert (made["value"], made["type"]) == (text, kind)


def test_an_image_is_named(client):
    body = {"entityName": "acme/app:1", "entityType": "image", "key": "k", "value": "v"}
    assert client.post("/api/annotations", body).json()["entityId"] == "acme/app:1"
    assert len(client.get("/api/annotations?entityType=image&entityId=acme/app:1").json()) == 1


@pytest.mark.parametrize("missing", ["entityId", "entityType", "key", "value"])
def test_a_missing_field_is_named(client, missing):
    answer = client.post("/api/annotations", {key: value for key, value in BODY.items() if key != missing})
    assert answer.status == 400
    assert missing in answer.json()["message"]


def test_a_list_needs_an_entity(client):
    assert client.get("/api/annotations").status == 400
