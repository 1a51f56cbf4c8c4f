"""Whatever is sent, the answer is JSON with a message, and never a failure of the server.

FUZZ_CALLS=10000 makes the calls many and random; by default they are a few and the same each time.
"""

import json
import os
import string
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests import Request
from schemathesis import GenerationMode

from factories import make_build
from headrace.http.scopes import LABELS
from headrace.http.server import MAX_BODY_BYTES

CALLS = int(os.environ.get("FUZZ_CALLS", "2000"))
ENGINES = 2
SPEC = json.loads((Path(__file__).parents[2] / "openapi.json").read_text())
OPERATIONS = [
    found.ok()
    for found in schemathesis.openapi.from_dict(SPEC | {"servers": [{"url": "/api"}]})
    .exclude(path="/changes")  # it lasts as long as its query says
    .get_all_operations()
]
NOT_OFFERED = 501
CONDUCT = {304, 409, 412, 413, 422, 429}
HEADERS = {name.lower() for name in SPEC["components"]["headers"]}
DEEP = 100_000
PIPELINE = {
    "kind": "pipeline",
    "metadata": {"name": "fuzz/ci"},
    "spec": {"steps": {"unit": {"image": "alpine", "commands": ["true"]}}},
}


@pytest.fixture
def known(client, database, people, key_of):
    """Texts that name something in the account: where a path leads on."""
    context = {"metadata": {"name": "shared"}, "spec": {"type": "secret", "data": {"A": "1"}}}
    assert client.post("/api/contexts", context).status == 200
    pipeline = client.post("/api/pipelines", PIPELINE).json()
    build = make_build(database, people["admin"], status="success")
    return [
        "shared",
        "fuzz/ci",
        "fuzz",
        pipeline["metadata"]["id"],
        build.id,
        build.progress_id,
        key_of("member").partition(".")[0],
        people["admin"].active_account_id,
    ]


@pytest.fixture
def keys(client, key_of):
    """Keys of all widths: the more able ones more often."""
    narrow = [key_of("admin", scope) for scope in ("build:read:status", "pipeline", "project", "general")]
    rights = [str(scope) for group in LABELS.values() for scope in group]
    reader = key_of("member", *(right for right in rights if right.endswith(":read")))
    return [client.key, client.key, client.key, reader, *narrow, key_of("stranger"), None, "no key"]


def check(answer, sent):
    """The promise of every answer."""
    assert answer.status < 500 or answer.status == NOT_OFFERED, (sent, answer.text)
    if answer.status >= 400:
        problem = answer.json()
        assert problem["status"] == answer.status, sent
        assert problem["message"], sent
    elif answer.headers.get("content-type", "").startswith("application/json"):
        answer.json()


def check_told(operation, answer):
    """The document tells of the conduct: no header of it, and no answer, that the operation does not name."""
    responses = SPEC["paths"][operation.path][operation.method.lower()]["responses"]
    if answer.status in CONDUCT:
        assert str(answer.status) in responses, (operation.label, answer.status)
    if answer.status < 300:
        told = {name.lower() for name in responses["200"].get("headers", {})}
        assert set(answer.headers) & HEADERS <= told, (operation.label, answer.headers)


def test_no_call_that_fits_or_misses_the_document_makes_the_server_fail(client, known, keys):
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    cases = st.sampled_from(OPERATIONS).flatmap(
        lambda operation: st.sampled_from(modes).flatmap(
            lambda mode: operation.as_strategy(generation_mode=mode)
        )
    )

    @settings(
        max_examples=CALLS // ENGINES,
        deadline=None,
        database=None,
        derandomize="FUZZ_CALLS" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, key=st.sampled_from(keys), name=st.sampled_from([None, *known]))
    def call(case, key, name):
        if name is not None:
            for parameter in case.path_parameters or {}:
                case.path_parameters[parameter] = name
        arguments = case.as_transport_kwargs(base_url="http://testserver/api")
        request = Request(
            **{one: arguments.get(one) for one in ("method", "url", "params", "json", "data", "headers")}
        ).prepare()
        headers = {one: text for one, text in request.headers.items() if one.lower() != "authorization"} | (
            {} if key is None else {"authorization": key}
        )
        body = request.body.encode() if isinstance(request.body, str) else request.body
        headers = {
            one: text if isinstance(text, str) else text.decode("latin-1") for one, text in headers.items()
        }
        answer = client.with_key(None).call(request.method, request.path_url, content=body, headers=headers)
        check(answer, (request.method, request.path_url, body))
        check_told(case.operation, answer)

    call()


BODIES = {
    "broken": b'{"a": ',
    "no JSON": b"\x00\xff\xfe",
    "broken UTF-8": b'{"name": "\xff"}',
    "half a pair": b'{"name": "\\ud800", "yaml": "\\ud800", "projectName": "\\udfff"}',
    "a list": b"[]",
    "null": b"null",
    "a number": b"1",
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep values": b'{"spec": ' + b"[" * 500 + b"]" * 500 + b"}",
    "huge number": b'{"priority": 1' + b"0" * 5000 + b', "name": 1e400, "spec": {"concurrency": 1e400}}',
    "big integer": b'{"spec": {"concurrency": 99999999999999999999, "priority": -99999999999999999999}}',
    "NUL": b'{"name": "a\\u0000b", "projectName": "a\\u0000b", "metadata": {"name": "a\\u0000b"}}',
    "NUL in a key": b'{"a\\u0000b": 1, "variables": {"a\\u0000b": "1"}}',
    "wrong types": b'{"name": [], "metadata": 1, "spec": "x", "variables": 7, "scopes": {}, "yaml": {}}',
    "inner wrong types": b'{"metadata": {"name": {}}, "spec": {"steps": [1], "triggers": {"a": 1}}}',
    "the same key twice": b'{"name": "a", "name": 1}',
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_the_wrong_shape_is_refused_and_named(client, name):
    for operation in OPERATIONS:
        if operation.method.upper() == "GET" or not operation.body:
            continue
        path = operation.path
        for parameter in operation.path_parameters:
            path = path.replace("{" + parameter.name + "}", "x")
        answer = client.call(operation.method.upper(), "/api" + path, content=BODIES[name])
        check(answer, (operation.label, name))


@pytest.mark.parametrize(
    ("size", "status"), [(MAX_BODY_BYTES, 400), (MAX_BODY_BYTES + 1, 413), (10**18, 413)]
)
def test_a_body_over_a_mebibyte_is_refused(client, size, status):
    body = b"[" + b" " * (min(size, MAX_BODY_BYTES + 1) - 1)
    headers = {"content-length": str(size)}
    answer = client.call("POST", "/api/projects", content=body, headers=headers)
    assert answer.status == status
    check(answer, size)


def test_a_body_that_does_not_say_its_length_is_refused_as_it_grows(client):
    headers = {"content-length": "unknown"}
    body = b" " * (MAX_BODY_BYTES + 1)
    assert client.call("POST", "/api/projects", content=body, headers=headers).status == 413


PATHS = [
    "//api/user",
    "/api//user",
    "/api///pipelines",
    "/api/./user",
    "/api/../user",
    "/api/%2e%2e/user",
    "/api/%2e/user",
    "/api/pipelines/%2e%2e",
    "/api/pipelines/..%2f..%2fetc%2fpasswd",
    "/api/pipelines/%2F",
    "/api/pipelines/%2F%2F",
    "/api/pipelines/a%2Fb%2Fc%2Fd",
    "/api/pipelines/%00",
    "/api/pipelines/a%00b",
    "/api/pipelines/%ff",
    "/api/pipelines/%ed%a0%80",
    "/api/pipelines/%",
    "/api/pipelines/%zz",
    "/api/pipelines/" + "a" * 60_000,
    "/api/" + "a/" * 5_000,
    "/api/builds/" + "%2F" * 5_000,
    "/api/assets/..%2Fserver.py",
    "/api/assets/%2Fetc%2Fpasswd",
    "/api/openapi.json/",
    "/api/workflow?" + "&".join(f"a{number}=1" for number in range(5_000)),
    "/api/workflow?status=" + "x" * 60_000,
    "/api/workflow?limit=1e9",
    "/api/workflow?limit=%00",
    "/api/workflow?page=9223372036854775808",
    "/api/workflow?%ff=%ff",
    "/api/workflow?branchName=%ed%a0%80",
    "/api/workflow?startDate=9999-12-31&endDate=9999-12-31",
    "/api/workflow?startDate=0000-00-00",
    "/api/pipelines?labels[a",
    "/api/pipelines?labels[]=&labels[[]]=1&labels=",
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:40])
def test_no_path_makes_the_server_fail_or_leave_its_folder(client, path):
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "get", "\u00e9"):
        answer = client.call(method, path)
        if method == "HEAD":
            assert answer.status < 500
        else:
            check(answer, (method, path))
        assert b"root:" not in answer.content


@pytest.mark.parametrize("path", ["//api/user", "///api/user", "/api/user/", "//api/user/"])
def test_repeated_first_slashes_and_a_last_one_are_passed_over(client, path):
    assert client.get(path).status == 200


@pytest.mark.parametrize(
    "key", [*string.punctuation, "\u00e9", "a" * 60_000, "x.y.z", "\x7f", "Bearer ", "0" * 24 + "."]
)
def test_no_key_makes_the_server_fail(client, key):
    answer = client.call("GET", "/api/user", headers={"authorization": key})
    check(answer, key)
    assert answer.status == 401
