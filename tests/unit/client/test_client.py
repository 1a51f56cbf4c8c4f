"""`Client`: its methods are those of the document, and it repeats only what is safe to repeat."""

import importlib.util
import inspect
import itertools
import json
import re
from pathlib import Path

import pytest

from headrace.client import Client, RequestOptions, TimedOut, TooManyRequests, Unreachable
from headrace.client.events import follow
from headrace.client.follow import ROUNDS, BuildMoved, Line, StepMoved, heard, wait
from headrace.client.names import option, snake
from unit.cli.stub import running_stub

ROOT = Path(__file__).parents[3]
SPEC = json.loads((ROOT / "openapi.json").read_text())
OPERATIONS = [
    (operation["x-sdk-interface"], method.upper(), path, operation)
    for path, item in SPEC["paths"].items()
    for method, operation in item.items()
]


def load_tool():
    """`tools/sdk.py`, which is a script and no part of the package."""
    spec = importlib.util.spec_from_file_location("sdk", ROOT / "tools/sdk.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SDK = load_tool()


@pytest.fixture
def stub(socket_enabled):  # noqa: ARG001 — opens the socket
    with running_stub() as running:
        yield running


@pytest.fixture
def client(stub):
    waits = []
    found = Client(stub.url + "/api/", "k.1", options=RequestOptions(attempts=3), sleep=waits.append)
    object.__setattr__(found, "waits", waits)
    return found


def method_of(client, sdk):
    found = client
    for name in sdk.split("."):
        found = getattr(found, snake(name))
    return found


def test_every_operation_is_a_method_that_sends_its_request(client, stub):
    for sdk, method, path, operation in OPERATIONS:
        target = re.sub(r"\{(\w+)\}", r"<\1>", path)
        call = method_of(client, sdk)
        needed = [
            one
            for one in inspect.signature(call).parameters.values()
            if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD
        ]
        given = {one.name: {} if one.name == "body" else "x" for one in needed}
        for one in operation["parameters"]:
            if one["in"] == "query" and one["required"]:
                given[snake(one["name"])] = "q"
        stub.requests.clear()
        bare = "/api" + re.sub(r"<\w+>", "x", target)
        slash = "/" * (sdk == "contexts.create")
        stub.answers[f"{method} {bare}{slash}"] = b"event: end\ndata: 1\n\n"
        answer = call(**given)
        if inspect.isgenerator(answer):
            assert [event.name for event in answer] == ["end"]
        assert [line.partition("?")[0] for line in stub.lines] == [f"{method} {bare}{slash}"], sdk


def test_options_are_words_of_python_and_become_those_of_the_api(client, stub):
    stub.answers["GET /api/pipelines/a%2Fb"] = {}
    stub.answers["GET /api/pipelines"] = {"docs": []}
    client.pipelines.get("a/b", decrypt_variables=True)
    client.pipelines.list(limit=25, labels={"tags": "x"})
    assert stub.lines == [
        "GET /api/pipelines/a%2Fb?decryptVariables=true",
        "GET /api/pipelines?labels%5Btags%5D=x&limit=25",
    ]


@pytest.mark.parametrize(
    ("wire", "name"),
    [("getBuild", "get_build"), ("id", "id"), ("from", "from_"), ("runYaml", "run_yaml"), ("a-b", "a_b")],
)
def test_names_are_told_in_the_words_of_python(wire, name):
    assert snake(wire) == name


def test_an_option_that_is_named_like_a_field_of_the_path_gets_an_underscore():
    assert [option("name", ["name"]), option("body", []), option("buildId", ["name"])] == [
        "name_",
        "body_",
        "build_id",
    ]


def test_the_made_files_are_those_of_the_document():
    for name, text in SDK.made(SPEC).items():
        assert (ROOT / SDK.MADE / name).read_text() == text, f"run: .venv/bin/python tools/sdk.py ({name})"


def test_a_run_carries_an_id_and_is_repeated_with_it(client, stub):
    stub.answers["POST /api/pipelines/run/p"] = [(502, b""), (200, b'"b1"')]
    assert client.pipelines.run("p", req_id="once") == "b1"
    assert stub.lines == ["POST /api/pipelines/run/p?reqId=once"] * 2


def test_a_create_whose_answer_was_lost_is_not_repeated_without_a_key(client, stub):
    stub.answers["POST /api/x"] = (502, {"message": "bad gateway"})
    with pytest.raises(Exception, match="bad gateway"):
        client.request("POST", "/api/x", {})
    assert len(stub.requests) == 1


def test_a_keyed_request_is_repeated_with_one_key(client, stub):
    stub.answers["POST /api/x"] = [(502, b""), (504, b""), (200, {"id": "1"})]
    assert client.request("POST", "/api/x", {}, is_keyed=True) == {"id": "1"}
    (key,) = {request.headers["Idempotency-Key"] for request in stub.requests}
    assert re.fullmatch(r"[0-9a-f-]{36}", key)


def test_a_create_and_a_restart_carry_a_key_of_their_own(client, stub):
    stub.answers |= {
        "POST /api/projects": [(502, b""), (200, {"id": "p"})],
        "GET /api/builds/rebuild/b": [(504, b""), (200, b'"b2"')],
    }
    assert client.projects.create({"projectName": "x"}) == {"id": "p"}
    assert client.workflows.restart("b") == "b2"
    keys = [request.headers["Idempotency-Key"] for request in stub.requests]
    assert keys[0] == keys[1] != keys[2] == keys[3]


def test_a_request_that_reached_nobody_is_repeated_whatever_it_is(socket_enabled):  # noqa: ARG001
    waits = []
    lonely = Client("http://127.0.0.1:1", options=RequestOptions(attempts=3), sleep=waits.append)
    with pytest.raises(Unreachable, match="refused") as failure:
        lonely.request("POST", "/api/x", {})
    assert (waits, type(failure.value.__cause__)) == ([0.5, 1.0], ConnectionRefusedError)


def test_a_limit_is_waited_out_as_the_server_says(client, stub):
    stub.answers["POST /api/x"] = [(429, {"message": "slow"}, {"Retry-After": "7"}), (200, {"ok": 1})]
    assert client.request("POST", "/api/x", {}) == {"ok": 1}
    assert client.waits == [7.0]


def test_a_limit_of_more_than_a_minute_is_an_error_that_says_so(client, stub):
    stub.answers["GET /api/user"] = (429, {"message": "slow"}, {"Retry-After": "3600"})
    with pytest.raises(TooManyRequests) as failure:
        client.users.get()
    assert (failure.value.retry_after_s, client.waits) == (3600.0, [])


def test_a_web_page_is_no_answer_of_the_api(client, stub):
    stub.answers["GET /api/user"] = (200, b"<!doctype html>", {"Content-Type": "text/html"})
    with pytest.raises(Unreachable, match="web page"):
        client.users.get()


def test_an_address_without_http_is_refused():
    with pytest.raises(ValueError, match="begins with http"):
        Client("ci.example", "k")


STREAM = b"""id: 1
event: step
data: {"name": "unit", "status": "running"}

id: 2
event: log
data: {"step": "unit", "text": "one\\n"}

id: 3
event: status
data: {"status": "success"}

"""


def test_a_build_is_followed_to_its_end(client, stub):
    stub.answers["GET /api/builds/b/logs/stream"] = STREAM
    told = [StepMoved("unit", "running"), Line("unit", "one\n"), BuildMoved("success")]
    assert list(heard(client, "b")) == told
    assert list(client.follow("b")) == [Line("unit", "one\n")]


def test_a_broken_stream_is_resumed_after_the_last_event(client, stub):
    first, rest = STREAM[: STREAM.index(b"id: 3")], STREAM[STREAM.index(b"id: 3") :]
    stub.answers["GET /api/builds/b/logs/stream"] = [(200, first), (200, rest)]
    assert [type(one) for one in heard(client, "b")] == [StepMoved, Line, BuildMoved]
    assert [request.headers.get("Last-Event-ID") for request in stub.requests] == [None, "2"]


def test_a_server_that_goes_away_while_it_tells_is_waited_for(client, stub):
    first, rest = STREAM[: STREAM.index(b"id: 3")], STREAM[STREAM.index(b"id: 3") :]
    gone = [(503, {"message": "starting"})] * client.options.attempts * 3
    stub.answers["GET /api/builds/b/logs/stream"] = [(200, first), *gone, (200, rest)]
    away = []
    assert [type(one) for one in heard(client, "b", lambda: away.append(1))] == [StepMoved, Line, BuildMoved]
    assert away == [1]
    assert stub.requests[-1].headers["Last-Event-ID"] == "2"
    assert sum(client.waits) > client.options.retry_delay_s * client.options.attempts * 3


def test_a_server_that_stays_away_is_given_up(client, stub):
    first = STREAM[: STREAM.index(b"id: 3")]
    stub.answers["GET /api/builds/b/logs/stream"] = [(200, first), (503, {"message": "starting"})]
    with pytest.raises(Unreachable, match="starting"):
        list(heard(client, "b"))
    assert len(stub.requests) == 1 + ROUNDS * client.options.attempts


def test_a_host_that_takes_a_request_of_minutes_to_fail_is_not_waited_for_all_rounds(client, stub):
    first = STREAM[: STREAM.index(b"id: 3")]
    stub.answers["GET /s"] = [(200, first), (503, {"message": "starting"})]
    times = itertools.count(0, 100)
    told = follow(client, "/s", last="", is_last=lambda _: False, patience=ROUNDS, clock=lambda: next(times))
    with pytest.raises(Unreachable, match="starting"):
        list(told)
    assert len(stub.requests) == 1 + 7 * client.options.attempts


def test_a_server_that_was_never_there_is_not_waited_for(client, stub):
    stub.answers["GET /api/builds/b/logs/stream"] = (503, {"message": "starting"})
    with pytest.raises(Unreachable, match="starting"):
        list(heard(client, "b"))
    assert len(stub.requests) == client.options.attempts


def test_a_wait_ends_with_the_build(client, stub):
    stub.answers["GET /api/builds/b"] = [(200, {"status": "running"}), (200, {"status": "error"})]
    assert client.wait("b")["status"] == "error"
    assert client.waits == [0.2]


def test_a_wait_that_is_too_long_says_how_the_build_is(client, stub):
    stub.answers["GET /api/builds/b"] = {"status": "running"}
    times = iter([0.0, 4.0, 5.0])
    with pytest.raises(TimedOut, match="still running after 5 s"):
        wait(client, "b", timeout_s=5, clock=lambda: next(times))
