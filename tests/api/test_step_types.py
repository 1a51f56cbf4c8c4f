import pytest

DOCUMENT = {
    "version": "1.0",
    "kind": "step-type",
    "metadata": {"name": "acme/hello", "version": "1.0.0", "categories": ["utility"], "tags": ["greets"]},
    "spec": {
        "arguments": '{"type": "object", "required": ["WHO"], "properties": {"WHO": {"type": "string"}}}',
        "steps": {"main": {"image": "alpine", "commands": ["echo hello ${{WHO}}"]}},
    },
}
NAME = "/api/step-types/acme%2Fhello"
ROUTES = [
    ("GET", "/api/step-types"),
    ("POST", "/api/step-types"),
    ("GET", "/api/step-types/names"),
    ("GET", NAME),
    ("GET", f"{NAME}/versions"),
    ("PUT", NAME),
    ("DELETE", NAME),
]


def document(**metadata):
    return {**DOCUMENT, "metadata": {**DOCUMENT["metadata"], **metadata}}


def names(client, query=""):
    return [one["metadata"]["name"] for one in client.get(f"/api/step-types?limit=0{query}").json()["docs"]]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_request_without_a_key_is_401(client, method, path):
    assert client.with_key(None).call(method, path, json=DOCUMENT).status == 401


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_key_without_the_scope_is_403(client, key_of, method, path):
    held = "step-type:write" if method == "GET" else "step-type:read"
    assert client.with_key(key_of("admin", held)).call(method, path, json=DOCUMENT).status == 403


def test_a_step_type_of_another_account_does_not_exist(client, stranger):
    client.post("/api/step-types", DOCUMENT)
    assert stranger.get(NAME).status == 404
    assert stranger.get(f"{NAME}/versions").status == 404
    assert stranger.put(NAME, DOCUMENT).status == 404
    assert stranger.delete(NAME).status == 404
    assert "acme/hello" not in names(stranger)
    assert client.get(NAME).status == 200


def test_a_public_one_that_is_named_for_its_account_may_be_read_by_others(client, stranger):
    client.post("/api/step-types", document(isPublic=True))
    assert stranger.get(NAME).json()["metadata"]["name"] == "acme/hello"
    assert "acme/hello" in names(stranger, "&public=true")
    assert stranger.put(NAME, DOCUMENT).status == 404
    assert stranger.delete(NAME).status == 404


def test_a_public_one_under_a_foreign_name_is_not_shared(client, stranger):
    client.post("/api/step-types", document(isPublic=True, name="somebody/hello"))
    assert stranger.get("/api/step-types/somebody/hello").status == 404


def test_a_step_type_is_stored_with_what_readers_need(client):
    made = client.post("/api/step-types", DOCUMENT).json()
    metadata = made["metadata"]
    assert (made["kind"], made["spec"], made["metrics"]) == ("step-type", DOCUMENT["spec"], {})
    assert (metadata["latest"], metadata["official"], metadata["isPublic"]) == (True, False, False)
    assert len(metadata["id"]) == 24
    assert metadata["created_at"].endswith("Z")
    assert client.get(NAME).json() == made
    assert client.get("/api/step-types/acme/hello").json() == made
    assert client.get("/api/step-types/acme%2Fhello:1.0.0").json() == made


def test_the_same_version_again_is_a_conflict(client):
    client.post("/api/step-types", DOCUMENT)
    answer = client.post("/api/step-types", DOCUMENT)
    assert answer.status == 409
    assert "Step-type already exists: 'acme/hello:1.0.0'" in answer.json()["message"]


def test_the_latest_version_is_the_highest_by_semver(client):
    for version in ("1.9.0", "1.10.0", "1.10.1-rc.1", "0.1.0"):
        assert client.post("/api/step-types", document(version=version)).status == 200
    assert client.get(f"{NAME}/versions").json() == ["1.10.1-rc.1", "1.10.0", "1.9.0", "0.1.0"]
    assert client.get(NAME).json()["metadata"]["version"] == "1.10.1-rc.1"
    assert client.get(f"{NAME}:1.9.0").json()["metadata"]["latest"] is False
    listed = client.get("/api/step-types?id=acme/hello").json()
    assert [one["metadata"]["version"] for one in listed["docs"]] == ["1.10.1-rc.1"]
    assert listed["count"] == 1


def test_a_replaced_version_changes_in_its_place(client):
    client.post("/api/step-types", DOCUMENT)
    client.put(NAME, document(description="new"))
    assert client.get(f"{NAME}/versions").json() == ["1.0.0"]
    assert client.get(NAME).json()["metadata"]["description"] == "new"


def test_a_replacement_with_a_new_version_adds_one(client):
    client.post("/api/step-types", DOCUMENT)
    client.put(NAME, document(version="1.1.0"))
    assert client.get(f"{NAME}/versions").json() == ["1.1.0", "1.0.0"]


def test_a_replacement_without_a_version_is_for_the_latest(client):
    client.post("/api/step-types", document(version="2.0.0"))
    without = document(description="new")
    del without["metadata"]["version"]
    assert client.put(NAME, without).json()["metadata"]["version"] == "2.0.0"


def test_a_replacement_under_another_name_is_refused(client):
    client.post("/api/step-types", DOCUMENT)
    assert client.put(NAME, document(name="acme/other")).status == 400
    assert client.put(f"{NAME}:1.0.0", document(version="2.0.0")).status == 400


def test_what_is_not_there_is_worded_as_the_official_client_expects(client):
    for answer in (
        client.get(NAME),
        client.put(NAME, DOCUMENT),
        client.delete(NAME),
        client.get(f"{NAME}/versions"),
    ):
        assert (answer.status, "not find" in answer.json()["message"]) == (404, True)
    client.post("/api/step-types", DOCUMENT)
    assert client.get(f"{NAME}:9.9.9").status == 404
    assert client.delete(f"{NAME}:9.9.9").status == 404


def test_one_version_is_deleted_or_all_of_them(client):
    for version in ("1.0.0", "2.0.0"):
        client.post("/api/step-types", document(version=version))
    assert client.delete(f"{NAME}:2.0.0").status == 200
    assert (
        client.get(NAME).json()["metadata"] | {"version": "1.0.0", "latest": True}
        == (client.get(NAME).json()["metadata"])
    )
    client.post("/api/step-types", document(version="2.0.0"))
    assert client.delete(NAME).status == 200
    assert client.get(NAME).status == 404


def test_lists_are_filtered_and_paged(client):
    client.post("/api/step-types", DOCUMENT)
    client.post("/api/step-types", document(name="acme/bye", categories=["other"], title="Farewell"))
    own = "&private=true"
    assert names(client, own) == ["acme/bye", "acme/hello"]
    assert names(client, f"{own}&category=other") == ["acme/bye"]
    assert names(client, f"{own}&tag=greets&id=hello") == ["acme/hello"]
    assert names(client, f"{own}&freeText=farewell") == ["acme/bye"]
    assert names(client, f"{own}&stage=graduated") == []
    assert names(client, f"{own}&official=true") == []
    page = client.get("/api/step-types?private=true&limit=1&offset=1").json()
    assert ([one["metadata"]["name"] for one in page["docs"]], page["count"]) == (["acme/hello"], 2)
    assert client.get("/api/step-types/names?id=acme/").json() == ["acme/bye", "acme/hello"]


def test_the_catalogue_is_there_for_everybody_and_cannot_be_changed(client, stranger):
    for reader in (client, stranger):
        assert "slack-notifier" in names(reader, "&official=true")
    shown = client.get("/api/step-types/slack-notifier").json()
    assert (shown["metadata"]["official"], shown["metadata"]["isPublic"]) == (True, True)
    assert client.get("/api/step-types/slack-notifier/versions").json() == [shown["metadata"]["version"]]
    assert client.get("/api/step-types/slack-notifier:99.0.0").status == 404
    assert client.delete("/api/step-types/slack-notifier").status == 403
    assert client.put("/api/step-types/slack-notifier", shown).status == 403


def test_an_own_step_type_stands_before_one_of_the_catalogue(client):
    client.post("/api/step-types", document(name="slack-notifier"))
    assert client.get("/api/step-types/slack-notifier").json()["metadata"]["official"] is False
    assert names(client, "&id=slack-notifier") == ["slack-notifier"]
    client.delete("/api/step-types/slack-notifier")
    assert client.get("/api/step-types/slack-notifier").json()["metadata"]["official"] is True


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"metadata": {"name": "a b"}}, "metadata.name"),
        ({"metadata": {"name": "acme/x", "version": "latest"}}, "metadata.version"),
        ({"kind": "pipeline"}, "kind"),
        ({"spec": {}}, "spec"),
        ({"spec": {"steps": {"main": {}}}}, "spec.steps.main.image"),
        ({"spec": {"steps": {"main": {"type": "acme/other"}}}}, "spec.steps.main.type"),
        ({"spec": {"arguments": "{", "steps": {"main": {"image": "a"}}}}, "spec.arguments"),
        ({"spec": {"returns": '{"type": 1}', "steps": {"main": {"image": "a"}}}}, "spec.returns"),
        ({"spec": {"stepsTemplate": "main:\n  image: {{ if }}"}}, "spec.stepsTemplate"),
        ({"spec": {"stepsTemplate": "x", "delimiters": {"left": 1}}}, "spec.delimiters"),
        ({"metadata": {"name": "freestyle"}}, "metadata.name"),
    ],
)
def test_a_wrong_document_is_refused_with_its_place(client, change, place):
    answer = client.post("/api/step-types", {**DOCUMENT, **change})
    assert answer.status == 400
    assert place in answer.json()["message"]


def run(client, account_yaml):
    return client.post("/api/pipelines/run", {"userYamlDescriptor": account_yaml})


USING = "version: '1.0'\nsteps:\n  greet: {type: '%s', arguments: {WHO: you}}\n"


def test_a_build_takes_the_step_types_of_its_account(client, stranger):
    client.post("/api/step-types", DOCUMENT)
    build = run(client, USING % "acme/hello").json()
    assert len(build) == 24
    answer = run(stranger, USING % "acme/hello")
    assert answer.status == 400
    assert "there is no step type 'acme/hello'" in answer.json()["message"]


def test_a_build_is_refused_whose_arguments_are_wrong(client):
    client.post("/api/step-types", DOCUMENT)
    answer = run(client, "version: '1.0'\nsteps:\n  greet: {type: acme/hello, arguments: {WHO: 1}}\n")
    assert answer.status == 400
    assert 'steps.greet.arguments.WHO: "WHO" must be a string' in answer.json()["message"]


def test_a_build_keeps_the_version_that_it_was_planned_with(client):
    client.post("/api/step-types", DOCUMENT)
    assert run(client, USING % "acme/hello:1.0.0").status == 200
    assert run(client, USING % "acme/hello:1.0.1").status == 400
