import pytest

from headrace.client.api import Client, RequestOptions, error_of, jwt_payload, query_string
from headrace.client.errors import (
    ApiError,
    Forbidden,
    NotFound,
    ServerError,
    Unauthorized,
    Unreachable,
)
from headrace.client.events import Event, follow, parse
from headrace.client.transport import proxy_for
from unit.cli.stub import running_stub

KEY = "60d7bc98dabf78f109a24e97.8c1f0a"


@pytest.fixture
def stub(socket_enabled):  # noqa: ARG001 — opens the socket
    with running_stub() as running:
        yield running


@pytest.fixture
def api(stub):
    waits = []
    return Client(url=stub.url, key=KEY, options=RequestOptions(attempts=3), sleep=waits.append), waits


def test_a_path_field_is_one_encoded_segment(api, stub):
    stub.answers["GET /api/pipelines/demo%2Fci%20x"] = {"a": 1}
    assert api[0].call("pipelines.get", name="demo/ci x") == {"a": 1}


def test_an_answer_that_is_no_json_is_text_and_an_empty_one_is_none(api, stub):
    stub.answers |= {"POST /api/auth/key": b"60d7bc98dabf78f109a24e97.x", "DELETE /api/progress/p": b""}
    assert api[0].call("tokens.generate", {}) == "60d7bc98dabf78f109a24e97.x"
    assert api[0].call("progress.terminate", id="p") is None


def test_a_server_that_is_away_is_asked_again_after_longer_and_longer(api, stub):
    stub.answers["GET /api/user"] = [(503, {"message": "away"}), (502, b"<html>"), (200, {"ok": True})]
    assert api[0].call("users.get") == {"ok": True}
    assert api[1] == [0.5, 1.0]


def test_a_server_that_stays_away_is_named(api, stub):
    stub.answers["GET /api/user"] = (503, {"message": "away"})
    with pytest.raises(Unreachable, match=f"no answer from {stub.url}: away"):
        api[0].call("users.get")
    assert len(stub.requests) == 3


@pytest.mark.enable_socket
def test_a_port_where_nobody_listens_is_unreachable():
    lonely = Client(url="http://127.0.0.1:1", key=KEY, options=RequestOptions(attempts=1))
    with pytest.raises(Unreachable, match="refused"):
        lonely.call("users.get")


@pytest.mark.parametrize("status", [400, 404, 409, 429, 500])
def test_an_error_of_the_server_is_its_message_and_is_not_repeated(api, stub, status):
    stub.answers["GET /api/user"] = (status, {"message": "what is wrong"})
    with pytest.raises(ApiError, match=r"\Awhat is wrong\Z"):
        api[0].call("users.get")
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (401, '{"message":"no such key"}', Unauthorized, "no such key"),
        (404, "<html>", NotFound, "<html>"),
        (302, "", ApiError, "the request was redirected"),
        (500, "", ServerError, "the server answered 500 without a reason"),
        (418, "plain", ApiError, "plain"),
    ],
)
def test_an_error_is_of_the_kind_of_its_status(status, body, kind, message):
    error = error_of(status, body)
    assert type(error) is kind
    assert error.message.startswith(message)


def test_a_missing_scope_is_named():
    error = error_of(403, '{"message":"no","code":"1003","context":{"missingScopes":["pipeline:run"]}}')
    assert isinstance(error, Forbidden)
    assert (error.missing_scopes, error.code) == (("pipeline:run",), "1003")


def test_an_error_never_shows_the_key():
    assert KEY not in error_of(401, f'{{"message":"bad {KEY}"}}', key=KEY).message
    assert KEY not in repr(Client(url="http://h", key=KEY))


def test_a_session_token_is_told_from_a_key():
    assert jwt_payload(KEY) is None
    assert jwt_payload("e30.eyJfaWQiOiJ1In0.sig") == {"_id": "u"}
    assert jwt_payload("a.b.c") is None


def test_requests_of_a_step_carry_its_session(stub):
    environ = {"HOSTNAME": "pod", "CF_BUILD_ID": "b1"}
    Client(url=stub.url, key=KEY, environ=environ).call("users.get")
    headers = stub.requests[0].headers
    assert headers["X-Pagination-Session-Id"] == "pod:b1"
    assert headers["User-Agent"] == "headrace-python"


def test_query_strings_repeat_lists_and_bracket_mappings():
    query = {"a": [1, 2], "none": None, "yes": True, "labels": {"tags": "a,b", "x": "y"}, "empty": []}
    assert query_string(query) == "?a=1&a=2&yes=true&labels%5Btags%5D=a%2Cb&labels%5Bx%5D=y"
    assert query_string({}) == ""


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://ci.example", "http://p:1"),
        ("http://ci.exempt.example", None),
        ("http://127.0.0.1:8080", None),
        ("http://localhost", None),
        ("https://ci.example", None),
    ],
)
def test_a_loopback_address_and_an_exempt_one_go_through_no_proxy(url, proxy):
    assert proxy_for(url, {"HTTP_PROXY": "http://p:1", "no_proxy": "x, .exempt.example"}) == proxy


def test_a_plain_request_goes_through_the_proxy_by_its_whole_address(stub):
    stub.answers["GET http://ci.example/api/user"] = {"through": "proxy"}
    through = Client(url="http://ci.example", key=KEY, environ={"http_proxy": stub.url})
    assert through.call("users.get") == {"through": "proxy"}


def test_an_archive_is_fetched_without_the_key(api, stub):
    stub.answers["GET /archive?sig=x"] = {"steps": []}
    assert api[0].fetch(stub.url + "/archive?sig=x") == {"steps": []}
    assert "Authorization" not in stub.requests[0].headers


def test_events_are_split_and_one_that_was_cut_off_is_dropped():
    lines = b": hello\nid: 1\nevent: log\ndata: a\ndata: b\n\nid: 2\nevent: log\ndata: cut".splitlines(
        keepends=True
    )
    assert list(parse(lines)) == [Event("1", "log", "a\nb")]


def test_a_stream_that_only_breaks_is_given_up(api, stub):
    stub.answers["GET /s"] = b""
    with pytest.raises(Unreachable, match="broke off 3 times"):
        list(follow(api[0], "/s", last="", is_last=lambda _: True))
