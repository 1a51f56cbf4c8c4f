"""The document of the API: what programs read is true, whole, and names what clients know."""

import json
from collections import Counter
from pathlib import Path

import pytest

from asgi import Client
from headrace.app.installation import routes
from headrace.client.made.operations import OPERATIONS
from headrace.http.conduct import resolved

FILE = Path(__file__).parents[2] / "openapi.json"
SPEC = json.loads(FILE.read_text())
ALL = [
    (method, path, operation) for path, item in SPEC["paths"].items() for method, operation in item.items()
]


def _label(one):
    return one if isinstance(one, str) else ""


# The operations that every client of the public API relies on: method, path, operationId, SDK name.
PUBLIC = """
GET /user users-get users.get
GET /user/context users-notify-context-created auth.notifyContextCreated
POST /user/changeaccount/{accountId} users-change-account users.changeAccount
POST /auth/key tokens-generate tokens.generate
DELETE /auth/key/{id} tokens-delete tokens.delete
GET /auth/key/{id} tokens-get-by-id tokens.getById
PATCH /auth/key/{id} tokens-patch tokens.patch
GET /auth/keys tokens-list tokens.list
GET /projects projects-list projects.list
POST /projects projects-create projects.create
GET /projects/name/{name} projects-get-by-name projects.getByName
GET /projects/{id} projects-get projects.get
DELETE /projects/{id} projects-delete projects.delete
PATCH /projects/{id} projects-patch projects.patch
GET /pipelines pipelines-list pipelines.list
POST /pipelines pipelines-create pipelines.create
POST /pipelines/run/{name} pipelines-run pipelines.run
POST /pipelines/yaml/validator pipelines-validate-yaml pipelines.validateYaml
GET /pipelines/{name} pipelines-get pipelines.get
POST /pipelines/debug/{name} pipelines-debug pipelines.debug
GET /pipelines/names pipelines-get-names pipelines.getNames
POST /pipelines/run pipelines-run-yaml pipelines.runYaml
DELETE /pipelines/{name} pipelines-delete pipelines.delete
PUT /pipelines/{name} pipelines-replace pipelines.replace
GET /builds/{buildId} workflows-get-build workflows.getBuild
POST /builds/{serviceId}/ workflows-build-by-service workflows.buildByService
GET /workflow workflows-list workflows.list
GET /builds/rebuild/{id} workflows-restart workflows.restart
GET /progress/{id} progress-get progress.get
GET /progress/download/{id} progress-download progress.download
DELETE /progress/{id} progress-terminate progress.terminate
GET /contexts contexts-list contexts.list
POST /contexts contexts-create contexts.create
DELETE /contexts/{name} contexts-delete contexts.delete
GET /contexts/{name} contexts-get contexts.get
PATCH /contexts/{name} contexts-patch contexts.patch
PUT /contexts/{name} contexts-replace contexts.replace
GET /contexts/{name}/prepare contexts-prepare contexts.prepare
GET /annotations annotations-list annotations.list
POST /annotations annotations-create annotations.create
DELETE /annotations annotations-delete annotations.delete
GET /workflow/{buildId}/pending-approval/approve workflow-approve workflows.approve
GET /workflow/{buildId}/pending-approval/deny workflow-deny workflows.deny
"""


def test_a_server_serves_the_committed_document_under_its_own_address(api):
    served = Client(api).get("/api/openapi.json?disableFilter=true").json()
    assert served.pop("servers") == [{"url": "http://testserver/api"}]
    assert served == {name: value for name, value in SPEC.items() if name != "servers"}


def test_the_document_has_every_route():
    assert {(route.method.lower(), route.operation) for route in routes()} == {
        (method, operation["operationId"]) for method, _, operation in ALL
    }


@pytest.mark.parametrize("line", PUBLIC.strip().splitlines())
def test_an_operation_keeps_the_names_that_clients_know(line):
    method, path, operation_id, sdk = line.split()
    operation = SPEC["paths"][path][method.lower()]
    assert (operation["operationId"], operation["x-sdk-interface"]) == (operation_id, sdk)


@pytest.mark.parametrize("sdk", sorted(set(OPERATIONS) & {one["x-sdk-interface"] for _, _, one in ALL}))
def test_our_client_calls_what_the_document_says(sdk):
    (found,) = [(m.upper(), path.rstrip("/")) for m, path, one in ALL if one["x-sdk-interface"] == sdk]
    known = OPERATIONS[sdk]
    assert found == (known.method, known.path.rstrip("/"))


@pytest.mark.parametrize("name", ["operationId", "x-sdk-interface"])
def test_no_name_is_given_twice(name):
    times = Counter(operation[name] for _, _, operation in ALL)
    assert [one for one, number in times.items() if number > 1] == []


@pytest.mark.parametrize(
    ("method", "path", "operation"), ALL, ids=lambda one: one if isinstance(one, str) else ""
)
def test_an_operation_is_described_as_openapi_3_1_asks(method, path, operation):
    in_path = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
    assert in_path == [part.split("}")[0] for part in path.split("{")[1:]]
    assert all(one["required"] for one in operation["parameters"] if one["in"] == "path")
    assert len({(one["in"], one["name"]) for one in operation["parameters"]}) == len(operation["parameters"])
    assert all(resolved(answer, SPEC)["description"] for answer in operation["responses"].values())
    assert operation["summary"]
    assert operation["tags"][0] in {tag["name"] for tag in SPEC["tags"]}
    assert method in ("get", "post", "put", "patch", "delete")


def test_every_reference_leads_to_a_schema():
    def references(value):
        if isinstance(value, dict):
            if "$ref" in value:
                yield value["$ref"]
            value = value.values()
        if isinstance(value, dict | list | type({}.values())):
            for one in value:
                yield from references(one)

    known = {f"#/components/{kind}/{name}" for kind, found in SPEC["components"].items() for name in found}
    assert set(references(SPEC)) <= known
    assert SPEC["openapi"].startswith("3.1")


def told(method, path):
    """What the document tells of an operation: headers of the request, of the answer, and all statuses."""
    operation = SPEC["paths"][path][method]
    asked = {one["name"] for one in operation["parameters"] if one["in"] == "header"}
    return asked, set(operation["responses"]["200"].get("headers", {})), set(operation["responses"])


def test_the_document_tells_what_a_reader_and_a_writer_may_ask_and_is_answered():
    pace = {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
    errors = {"200", "400", "401", "403", "404", "429", "503", "default"}
    assert told("get", "/projects") == (
        {"If-None-Match"},
        {"ETag", "Link", *pace},
        errors | {"304"},
    )
    writes = errors | {"409", "422"}
    assert told("post", "/projects") == (
        {"Idempotency-Key"},
        {"Idempotency-Replayed", *pace},
        writes | {"413"},
    )
    keys = {"If-Match", "Idempotency-Key"}
    assert told("patch", "/projects/{id}") == (keys, {"Idempotency-Replayed", *pace}, writes | {"412", "413"})
    # No document stands where this one writes; a login is nobody's yet, and is not tried too often.
    assert told("delete", "/annotations")[0] == keys
    assert told("put", "/agent/{agentId}/status")[0] == {"Idempotency-Key"}
    assert told("post", "/auth/login") == (
        set(),
        set(),
        {"200", "400", "404", "413", "429", "503", "default"},
    )


def test_every_answer_that_says_when_to_go_on_is_told_to_do_so():
    refused = SPEC["components"]["responses"]["TooManyRequests"]
    assert "Retry-After" in refused["headers"]
    assert all("429" in one["responses"] for _, _, one in ALL if one["security"])


def test_the_document_is_valid_by_the_rules_of_openapi_3_1():
    """Also the values that examples and defaults have, by the schemas that they stand in."""
    from openapi_spec_validator import OpenAPIV31SpecValidator  # noqa: PLC0415 - a second of imports

    assert [str(one) for one in OpenAPIV31SpecValidator(SPEC).iter_errors()] == []
    broken = SPEC | {"info": {"title": "no version"}}
    assert [one.message for one in OpenAPIV31SpecValidator(broken).iter_errors()]


def test_a_reader_of_openapi_takes_the_document():
    import schemathesis  # noqa: PLC0415 - a second of imports

    found = [result.ok() for result in schemathesis.openapi.from_dict(SPEC).get_all_operations()]
    assert len(found) == len(ALL)


def test_the_page_shows_every_operation_with_its_command(api):
    page = Client(api).get("/api/")
    assert page.headers["content-type"].startswith("text/html")
    missing = [one["operationId"] for _, _, one in ALL if f'id="{one["operationId"]}"' not in page.text]
    assert missing == []
    assert page.text.count("<pre><code>curl ") == len(ALL)
