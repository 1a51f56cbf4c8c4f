import copy

import jsonschema_rs
import pytest
from sqlalchemy import event

from headrace.kit.ids import is_id
from headrace.pipeline.document import load
from headrace.resources.pipelines.yaml_text import to_yaml

NOWHERE = "6923f0a41c2b9f3a7d000000"
FULL = "my-project%2Fmy-basic-pipeline"
ROUTES = [
    ("GET", "/api/pipelines", "pipeline:read"),
    ("POST", "/api/pipelines", "pipeline:write"),
    ("GET", "/api/pipelines/names", "pipeline:read"),
    ("GET", f"/api/pipelines/{FULL}", "pipeline:read"),
    ("PUT", f"/api/pipelines/{FULL}", "pipeline:write"),
    ("DELETE", f"/api/pipelines/{FULL}", "pipeline:write"),
]
STEPS = {
    "main_clone": {"type": "git-clone", "repo": "${{CF_REPO_OWNER}}/${{CF_REPO_NAME}}", "git": "github-1"},
    "PrintFileList": {"title": "Listing files", "image": "alpine:latest", "commands": ["ls -l"]},
    "a": {"image": "alpine"},
}
SEED = {
    "version": "1.0",
    "kind": "pipeline",
    "metadata": {
        "name": "my-project/my-basic-pipeline",
        "description": "my description",
        "labels": {"key1": "value1", "key2": "value2"},
        "deprecate": {"applicationPort": "8080"},
        "project": "my-project",
    },
    "spec": {
        "triggers": [
            {
                "type": "git",
                "provider": "github",
                "name": "my-trigger",
                "repo": "kostis-codefresh/nestjs-example",
                "events": ["push"],
                "branchRegex": "/./",
            }
        ],
        "contexts": [],
        "variables": [
            {"key": "PORT", "value": 5000, "encrypted": False},
            {"key": "SECRET", "value": "secret-value", "encrypted": True},
        ],
        "steps": STEPS,
        "stages": [],
    },
}


def seed(**metadata):
    body = copy.deepcopy(SEED)
    body["metadata"] |= metadata
    return body


def made(client, body=SEED):
    answer = client.post("/api/pipelines", body)
    assert answer.status == 200, answer.text
    return answer.json()


def plain(client, name, **metadata):
    return made(client, {"metadata": {"name": name, **metadata}, "spec": {"steps": {}}})


def stored(database):
    with database.reading() as db:
        return db.exec_driver_sql("SELECT document FROM pipelines").scalar()


@pytest.mark.parametrize(("method", "path"), [route[:2] for route in ROUTES])
def test_a_request_without_a_key_is_401(client, method, path):
    assert client.with_key(None).call(method, path, json={}).status == 401


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_a_key_without_the_scope_is_403(client, key_of, method, path, scope):
    answer = client.with_key(key_of("admin", "build", "project", "pipeline:run")).call(method, path, json={})
    assert (answer.status, answer.json()["context"]) == (403, {"missingScopes": [scope]})


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_pipeline_of_another_account_is_404(client, stranger, method):
    pipeline = made(client)
    for reference in (FULL, pipeline["metadata"]["id"]):
        answer = stranger.call(method, f"/api/pipelines/{reference}", json=SEED)
        assert answer.status == 404
    assert stranger.get("/api/pipelines").json() == {"docs": [], "count": 0}
    assert stranger.get("/api/pipelines/names").json() == []


def test_the_404_holds_the_words_that_clients_look_for(client):
    message = client.get("/api/pipelines/nope%2Fnope").json()["message"]
    assert message.startswith("could not find pipeline 'nope/nope'")
    assert "not found" in message


def test_the_seed_document_is_stored_with_all_its_keys_in_order(client):
    body = seed()
    body["extra"] = {"z": 1, "a": 2}
    body["spec"]["packId"] = "small"
    pipeline = made(client, body)
    assert client.get(f"/api/pipelines/{FULL}").json() == pipeline
    assert list(pipeline["spec"]["steps"]) == ["main_clone", "PrintFileList", "a"]
    assert list(pipeline["extra"]) == ["z", "a"]
    assert pipeline["spec"]["packId"] == "small"
    assert pipeline["spec"]["steps"] == STEPS
    metadata = pipeline["metadata"]
    assert is_id(metadata["id"])
    assert {key: metadata[key] for key in SEED["metadata"]} == SEED["metadata"]
    assert (metadata["revision"], metadata["shortName"]) == (0, "my-basic-pipeline")
    assert metadata["created_at"].endswith("Z")
    assert client.get("/api/projects/my-project").json()["id"] == metadata["projectId"]


def test_secrets_are_sealed_and_shown_as_a_mask(client, database):
    pipeline = made(client)
    assert pipeline["spec"]["variables"] == [
        {"key": "PORT", "value": 5000, "encrypted": False},
        {"key": "SECRET", "value": "*****", "encrypted": True},
    ]
    assert "secret-value" not in stored(database)


def test_secrets_in_clear_need_the_right_to_write(client, key_of):
    made(client)
    path = f"/api/pipelines/{FULL}?decryptVariables=true"
    assert client.with_key(key_of("admin", "pipeline:read")).get(path).status == 403
    clear = client.get(path).json()["spec"]
    assert clear["variables"][1]["value"] == "secret-value"
    assert len(clear["triggers"][0]["secret"]) == 40


def test_the_short_form_of_a_trigger_gets_id_endpoint_and_secret(client):
    pipeline = made(client)
    trigger = pipeline["spec"]["triggers"][0]
    assert is_id(trigger["id"])
    assert trigger["secret"] == "*****"
    assert trigger["endpoint"].startswith("http://testserver/api/")
    assert trigger["endpoint"].endswith(trigger["id"])
    assert trigger["branchRegex"] == "/./"


def test_what_was_got_replaces_itself(client):
    made(client)
    got = client.get(f"/api/pipelines/{FULL}").json()
    clear = client.get(f"/api/pipelines/{FULL}?decryptVariables=true").json()["spec"]
    replaced = client.put(f"/api/pipelines/{FULL}?disableRevisionCheck=true", got).json()
    assert replaced["metadata"].pop("updated_at") > got["metadata"].pop("updated_at")
    assert replaced["metadata"].pop("revision") == got["metadata"].pop("revision") + 1
    assert replaced == got
    assert client.get(f"/api/pipelines/{FULL}?decryptVariables=true").json()["spec"] == clear


def test_a_short_form_replaces_without_a_new_trigger_id_or_secret(client):
    made(client)
    before = client.get(f"/api/pipelines/{FULL}?decryptVariables=true").json()["spec"]["triggers"]
    client.put(f"/api/pipelines/{FULL}", SEED)
    assert client.get(f"/api/pipelines/{FULL}?decryptVariables=true").json()["spec"]["triggers"] == before


def test_what_was_got_can_be_deleted_and_created_again(client):
    got = made(client)
    assert client.delete(f"/api/pipelines/{FULL}").json() == {}
    assert client.get(f"/api/pipelines/{FULL}").status == 404
    again = made(client, got)
    assert again["metadata"]["id"] != got["metadata"]["id"]
    for derived in ("id", "created_at", "updated_at"):
        again["metadata"].pop(derived)
        got["metadata"].pop(derived)
    for document in (again, got):
        document["spec"]["triggers"][0].pop("endpoint")
    secret = {"key": "SECRET", "value": "*****", "encrypted": True}
    at = got["spec"]["variables"].index(secret)
    got["spec"]["variables"][at] = {**secret, "value": ""}  # and not the text that stood for it
    assert again == got


MASKED = [{"key": "NEW", "value": "*****", "encrypted": True}]
CRON = {"name": "nightly", "expression": "@daily", "message": "good morning", "variables": MASKED}


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ({"variables": MASKED}, "spec.variables.NEW"),
        ({"cronTriggers": [CRON]}, "trigger 'nightly', variables.NEW"),
    ],
)
def test_a_mask_under_a_new_name_becomes_no_secret(client, spec, place):
    got = made(client)
    answer = client.put(f"/api/pipelines/{FULL}", {**got, "spec": {**got["spec"], **spec}})
    told = "***** keeps a stored secret, and there is none here; give its value"
    assert (answer.status, answer.json()["message"]) == (400, f"{place}: {told}")
    run = client.post(f"/api/pipelines/run/{FULL}", {"variables": MASKED})
    assert (run.status, run.json()["message"]) == (400, f"variables.NEW: {told}")


def test_a_secret_that_is_no_longer_encrypted_is_emptied(client):
    body = made(client)
    body["spec"]["variables"][1]["encrypted"] = False
    changed = client.put(f"/api/pipelines/{FULL}", body).json()
    assert changed["spec"]["variables"][1] == {"key": "SECRET", "value": "", "encrypted": False}


def test_the_same_name_twice_is_409_and_names_it(client):
    made(client)
    answer = client.post("/api/pipelines", SEED)
    assert answer.status == 409
    assert "'my-project/my-basic-pipeline'" in answer.json()["message"]


def test_a_stale_revision_is_refused_unless_the_check_is_off(client):
    first = made(client)
    client.put(f"/api/pipelines/{FULL}", first)
    answer = client.put(f"/api/pipelines/{FULL}", first)
    assert answer.status == 409
    assert "has revision 1, not 0" in answer.json()["message"]
    replaced = client.put(f"/api/pipelines/{FULL}?disableRevisionCheck=true", first).json()
    assert replaced["metadata"]["revision"] == 2


def test_another_name_renames(client):
    pipeline = made(client)
    plain(client, "my-project/taken")
    assert client.put(f"/api/pipelines/{FULL}", seed(name="my-project/taken")).status == 409
    renamed = client.put(f"/api/pipelines/{FULL}", seed(name="other/p", project="other")).json()
    assert renamed["metadata"]["id"] == pipeline["metadata"]["id"]
    assert renamed["metadata"]["project"] == "other"
    assert client.get(f"/api/pipelines/{FULL}").status == 404
    assert client.get("/api/pipelines/other/p").json() == renamed


def test_the_names_of_pipelines_are_told_without_their_documents(client, database):
    made = [plain(client, f"demo/{name}")["metadata"] for name in "abc"]
    said = []

    def listen(*arguments):
        said.append(arguments[2])

    event.listen(database.engine, "before_cursor_execute", listen)
    try:
        found = client.get("/api/pipelines/names").json()
    finally:
        event.remove(database.engine, "before_cursor_execute", listen)
    assert [one["metadata"] for one in found] == [
        {"id": one["id"], "name": one["name"]} for one in reversed(made)
    ]
    assert not [statement for statement in said if "pipelines.document" in statement]


def test_a_search_for_a_part_of_a_name_also_finds_an_id(client):
    made = plain(client, "demo/a")["metadata"]
    plain(client, f"demo/like-{made['id']}")
    found = client.get(f"/api/pipelines?limit=5&id={made['id']}").json()
    assert [one["metadata"]["name"] for one in found["docs"]] == [f"demo/like-{made['id']}", "demo/a"]
    assert found["count"] == 2


@pytest.mark.parametrize(
    "path", ["kostis%2Fexample%2Fci", "kostis%2Fexample/ci", "kostis/example/ci", "kostis/example%2Fci"]
)
def test_names_with_several_slashes_are_found_in_every_spelling(client, path):
    pipeline = plain(client, "kostis/example/ci")
    assert pipeline["metadata"]["project"] == "kostis/example"
    assert client.get(f"/api/pipelines/{path}").json() == pipeline


def test_the_project_of_a_name_is_what_the_document_says(client):
    assert plain(client, "a/b/c", project="a")["metadata"]["shortName"] == "b/c"
    assert plain(client, "alone", project="a")["metadata"]["name"] == "a/alone"


def test_lists_are_filtered_and_paged_newest_first(client):
    plain(client, "demo/ci", labels={"tags": ["a", "b"], "x": "y"})
    plain(client, "demo/ci-nightly", labels={"tags": ["a"], "x": "y"})
    last = plain(client, "tools/CI")

    def names(query):
        answer = client.get(f"/api/pipelines?{query}").json()
        return [one["metadata"]["name"] for one in answer["docs"]], answer["count"]

    assert names("") == (["tools/CI", "demo/ci-nightly", "demo/ci"], 3)
    assert names("offset=0&id=ci&limit=25") == (["tools/CI", "demo/ci-nightly", "demo/ci"], 3)
    assert names("id=demo%2Fci") == (["demo/ci"], 1)
    assert names("id=demo/ci&id=tools/CI") == (["tools/CI", "demo/ci"], 2)
    assert names("id=ci") == ([], 0)
    assert names(f"id={last['metadata']['id']}") == (["tools/CI"], 1)
    assert names("labels%5Btags%5D=a%2Cb&labels%5Bx%5D=y") == (["demo/ci"], 1)
    assert names("labels=x=y") == (["demo/ci-nightly", "demo/ci"], 2)
    assert names(f"projectId={last['metadata']['projectId']}") == (["tools/CI"], 1)
    assert names("limit=1&offset=1") == (["demo/ci-nightly"], 3)
    assert names("limit=0") == (["tools/CI", "demo/ci-nightly", "demo/ci"], 3)
    assert client.get("/api/pipelines/names").json()[0] == {
        "metadata": {"id": last["metadata"]["id"], "name": "tools/CI"}
    }


WRONG = [
    ({}, ["metadata: is required"]),
    ({"metadata": {}}, ["metadata.name: is required"]),
    ({"metadata": {"name": "alone"}}, ["metadata.name: 'alone' is no name"]),
    ({"metadata": {"name": "a//b"}}, ["metadata.name"]),
    ({"metadata": {"name": "a/b"}, "kind": "context"}, ["kind: must be 'pipeline'"]),
    ({"metadata": {"name": "a/b"}, "spec": []}, []),
    ({"metadata": {"name": "a/b"}, "spec": {"variables": [{"value": 1}]}}, ["spec.variables.0"]),
    (
        {
            "metadata": {"name": "a/b"},
            "spec": {"triggers": [{"repo": "x"}], "contexts": [1], "concurrency": "many", "priority": 2**70},
        },
        [
            "spec.triggers.0.name",
            "spec.triggers.0.repo",
            "spec.contexts",
            "spec.concurrency",
            "spec.priority",
        ],
    ),
    (
        {"metadata": {"name": "a/b"}, "spec": {"steps": {"x": {"commands": ["ls"]}, "y": {"image": 1}}}},
        ['spec.steps.x.image: "image" is required', "spec.steps.y.image"],
    ),
    (
        {"metadata": {"name": "a/b", "originalYamlString": "version: '1.0'\nsteps: 5\n"}},
        ["line 2, steps"],
    ),
]


@pytest.mark.parametrize(("body", "places"), WRONG)
def test_a_wrong_document_is_refused_with_all_its_problems(client, body, places):
    answer = client.post("/api/pipelines", body)
    if not places:
        assert answer.status == 200  # an empty list is as good as no spec
        return
    assert answer.status == 400
    for place in places:
        assert place in answer.json()["message"]
    assert len(answer.json()["context"]["errors"]) == len(places)
    assert client.get("/api/pipelines").json()["count"] == 0
    assert client.get("/api/projects").json()["total"] == 0


TEXT = """\
# kept
version: '1.0'
steps:
  '2': {image: alpine}  # numbers stay in their order
  '1': {image: alpine}
stages: [one]
"""


def text_of_build(client, name):
    build_id = client.post(f"/api/pipelines/run/{name}", {}).json()
    return client.get(f"/api/builds/{build_id}").json()["userYamlDescriptor"]


def test_the_text_of_a_file_stands_for_its_fields_and_is_what_a_build_shows(client):
    body = {"metadata": {"name": "a/b", "originalYamlString": TEXT}, "spec": {"priority": 3}}
    made = client.post("/api/pipelines", body).json()
    assert list(made["spec"]["steps"]) == ["2", "1"]
    assert (made["spec"]["stages"], made["spec"]["priority"]) == (["one"], 3)
    assert made["metadata"]["originalYamlString"] == TEXT
    assert client.get("/api/pipelines/a%2Fb").json()["spec"] == made["spec"]
    assert text_of_build(client, "a%2Fb") == TEXT


def test_whichever_of_text_and_steps_was_changed_counts(client):
    body = {"metadata": {"name": "a/b", "originalYamlString": TEXT}, "spec": {}}
    got = client.post("/api/pipelines", body).json()
    got["metadata"]["originalYamlString"] = "version: '1.0'\nsteps:\n  new: {image: alpine}\n"
    got = client.put("/api/pipelines/a%2Fb", got).json()
    assert list(got["spec"]["steps"]) == ["new"]
    assert "stages" not in got["spec"]
    got["spec"]["steps"] = {"inline": {"image": "alpine"}}
    got["metadata"]["originalYamlString"] = TEXT
    got = client.put("/api/pipelines/a%2Fb", got).json()
    assert list(got["spec"]["steps"]) == ["inline"]
    assert "inline" in text_of_build(client, "a%2Fb")


def test_a_reader_that_wants_the_text_gets_one_that_says_what_the_fields_say(client):
    steps = {name: {"image": "alpine"} for name in ("10", "9")}
    client.post("/api/pipelines", {"metadata": {"name": "a/b"}, "spec": {"steps": steps}})
    assert "originalYamlString" not in client.get("/api/pipelines/a%2Fb").json()["metadata"]
    text = client.get("/api/pipelines/a%2Fb?withText=true").json()["metadata"]["originalYamlString"]
    assert list(load(text).data["steps"]) == ["10", "9"]
    stale = {"metadata": {"name": "a/c", "originalYamlString": TEXT}, "spec": {"steps": steps}}
    client.post("/api/pipelines", stale)
    assert client.get("/api/pipelines/a%2Fc").json()["metadata"]["originalYamlString"] == TEXT
    text = client.get("/api/pipelines/a%2Fc?withText=true").json()["metadata"]["originalYamlString"]
    assert list(load(text).data["steps"]) == ["10", "9"]
    client.post("/api/pipelines", {"metadata": {"name": "a/none"}, "spec": {}})
    assert "originalYamlString" not in client.get("/api/pipelines/a%2Fnone?withText=true").json()["metadata"]


def test_a_wrong_text_is_refused_with_its_lines_and_replaces_nothing(client):
    body = {"metadata": {"name": "a/b", "originalYamlString": TEXT}, "spec": {}}
    got = client.post("/api/pipelines", body).json()
    for text, place in (
        ("version: '1.0'\nsteps: 5\n", "line 2, steps"),
        ("a: [", "line 2"),
        ("[]", "must be an object"),
    ):
        got["metadata"]["originalYamlString"] = text
        answer = client.put("/api/pipelines/a%2Fb", got)
        assert answer.status == 400
        assert place in answer.json()["message"]
    assert client.get("/api/pipelines/a%2Fb").json()["metadata"]["originalYamlString"] == TEXT


def test_over_a_hundred_names_are_refused(client):
    assert client.get("/api/pipelines?" + "&".join(f"id=p{number}" for number in range(101))).status == 400
    body = {"metadata": {"name": "a/b"}, "spec": {"contexts": ["c"] * 101}}
    assert "at most 100" in client.post("/api/pipelines", body).json()["message"]


def test_a_wrong_document_replaces_nothing(client):
    pipeline = made(client)
    assert client.put(f"/api/pipelines/{FULL}", {**SEED, "spec": {"steps": {"x": 1}}}).status == 400
    assert client.get(f"/api/pipelines/{FULL}").json() == pipeline


@pytest.mark.parametrize("value", [2**80, -(2**63), 1e300, "\ud83d\ude00", [[[]]], {"deep": None}])
def test_odd_values_come_back_as_they_were(client, value):
    body = seed()
    body["spec"]["packId"] = value
    answer = client.post("/api/pipelines", body)
    assert answer.status in (200, 400)
    if answer.status == 200:
        assert (
            answer.json()["spec"]["packId"] == pytest.approx(value)
            if isinstance(value, float | int)
            else value
        )


def test_deep_nesting_is_refused(client):
    nested = "[" * 500 + "]" * 500
    content = f'{{"metadata": {{"name": "a/b"}}, "spec": {{"x": {nested}}}}}'.encode()
    answer = client.call("POST", "/api/pipelines", content=content)
    assert answer.status == 400
    assert "deep" in answer.json()["message"]


def test_a_template_elsewhere_is_stored_without_steps(client):
    template = {"location": "git", "repo": "o/r", "path": "./codefresh.yml"}
    body = {"metadata": {"name": "a/b"}, "spec": {"specTemplate": template}}
    assert made(client, body)["spec"]["specTemplate"] == template


GOOD = "version: '1.0'\nsteps:\n  a:\n    image: alpine\n"
BAD = "version: '1.0'\nsteps:\n  a:\n    title: x\n"


def test_the_validator_takes_any_key_and_no_other(client, key_of):
    body = {"yaml": GOOD, "outputFormat": "lint"}
    assert client.with_key(None).post("/api/pipelines/yaml/validator", body).status == 401
    narrow = client.with_key(key_of("admin", "build:read:status"))
    assert narrow.post("/api/pipelines/yaml/validator", body).json() == {"valid": True}


def test_the_validator_answers_in_both_forms(client):
    lint = client.post("/api/pipelines/yaml/validator", {"yaml": BAD, "outputFormat": "lint"}).json()
    assert lint["valid"] is False
    assert '"image" is required' in lint["message"]
    assert lint["summarize"] == "✖ 1 problem (1 error, 0 warnings)"
    classic = client.post("/api/pipelines/yaml/validator", {"yaml": BAD}).json()
    assert [one["message"] for one in classic["details"]] == ['"image" is required']
    assert client.post("/api/pipelines/yaml/validator", {}).status == 400


def test_the_validator_tells_what_is_wrong_around_the_steps_of_a_whole_document(client):
    text = (
        "version: '1.0'\nkind: pipeline\nmetadata:\n  name: a/b\nspec:\n  concurrency: many\n  triggers:\n"
        "  - name: push\n    repo: nowhere\n  steps:\n    a: {image: alpine, commands: 5}\n"
    )
    full = client.post("/api/pipelines/yaml/validator", {"yaml": text, "outputFormat": "full"}).json()
    assert full["valid"] is False
    assert [(one["lines"], one["path"]) for one in full["details"]] == [
        (6, "spec.concurrency"),
        (9, "spec.triggers.0.repo"),
        (11, "spec.steps.a.commands"),
    ]
    assert full["details"][1]["actionItems"] == "write owner/name"


def test_the_validator_gives_warnings_beside_errors_where_both_are_wanted(client):
    text = f"{BAD}  b:\n    image: alpine\n    timeout: soon\n"
    full = client.post("/api/pipelines/yaml/validator", {"yaml": text, "outputFormat": "full"}).json()
    assert full["valid"] is False
    assert [one["lines"] for one in full["details"]] == [3]
    assert [(one["lines"], one["path"]) for one in full["warnings"]] == [(7, "steps.b.timeout")]
    fine = client.post("/api/pipelines/yaml/validator", {"yaml": GOOD, "outputFormat": "full"}).json()
    assert fine == {"valid": True, "details": [], "warnings": []}


@pytest.mark.parametrize(
    "text",
    [
        *("yes", "on", "null", "~", "1.0", "12e4567", "0x10", "1:30", "2026-01-01", "=", "<<"),
        *("", " a", "a: b", "a #b", "- x", "it's", '"q"', "${{CF_BRANCH}}", "ls -l", "é"),
        *("x\ny", "x \ny\n", "\n", "a\n\n", "\ttab"),
    ],
)
def test_texts_survive_the_yaml_that_a_build_keeps(text):
    assert load(to_yaml({"steps": {"a": [text]}})).data == {"steps": {"a": [text]}}


def test_the_schema_describes_both_forms(client):
    assert client.with_key(None).get("/api/pipelines/schema").status == 401
    schema = jsonschema_rs.Draft7Validator(client.get("/api/pipelines/schema").json())
    assert schema.is_valid(SEED)
    assert schema.is_valid({"version": "1.0", "steps": STEPS})
    wrong = copy.deepcopy(SEED)
    wrong["spec"]["triggers"][0]["events"] = ["pushed"]
    wrong["spec"]["concurrency"] = -1
    places = {".".join(map(str, one.instance_path)) for one in schema.iter_errors(wrong)}
    assert places == {"spec.concurrency", "spec.triggers.0.events.0"}
    parts = client.get("/api/pipelines/schema").json()["definitions"]
    assert parts["step:git-clone"]["x-docs"].endswith("/steps/git-clone/")


def test_the_validator_looks_for_what_a_named_file_names_in_the_account_of_the_key(client, key_of):
    clone = "{type: git-clone, repo: a/b, git: gone}"
    body = {"yaml": f"version: '1.0'\nsteps:\n  a: {clone}\n", "outputFormat": "lint"}
    assert client.post("/api/pipelines/yaml/validator", body).json() == {"valid": True}
    named = {**body, "name": "codefresh"}
    answer = client.post("/api/pipelines/yaml/validator", named).json()
    assert "Git 'gone' does not exist." in answer["message"]
    narrow = client.with_key(key_of("admin", "build:read:status"))
    assert narrow.post("/api/pipelines/yaml/validator", named).json() == {"valid": True}


def test_the_validator_knows_the_variables_of_the_pipeline_that_it_is_told(client):
    registry = "{type: push, candidate: x, registry: '${{PORT}}${{NOPE}}'}"
    client.post("/api/pipelines", SEED)
    client.post("/api/registries", {"name": "own", "domain": "r.example.org"})
    body = {
        "yaml": f"version: '1.0'\nsteps:\n  a: {registry}\n",
        "outputFormat": "lint",
        "name": "my-project/my-basic-pipeline",
    }
    answer = client.post("/api/pipelines/yaml/validator", body).json()
    assert "uses a variable 'NOPE'" in answer["warningMessage"]
