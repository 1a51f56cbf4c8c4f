"""An error says what is wrong on one line and what helps on the next; a traceback is never printed."""

import pytest

from headrace.cli import __main__ as command
from headrace.cli import cures
from headrace.client.errors import Unreachable


@pytest.mark.parametrize(
    ("answer", "says", "helps"),
    [
        (
            (401, {"message": "no such key"}),
            "Please create or update your authentication context; caused by Error: no such key",
            "/user/keys, then: codefresh auth create-context local --api-key KEY --url http://127.0.0.1:",
        ),
        (
            (403, {"message": "no", "context": {"missingScopes": ["build:read"]}}),
            "You do not have permissions to perform this action; caused by Error: no",
            "the key lacks the scope build:read: edit it at http://127.0.0.1:",
        ),
        ((403, {"message": "no"}), "You do not have permissions", "ask an administrator of the account"),
        ((404, b"<h1>shop</h1>"), "<h1>shop</h1>", "is not this API: correct the address, or log in to"),
        (
            (200, b"<html>", {"Content-Type": "text/html"}),
            "answers with a web page",
            "correct the address http",
        ),
        ((429, {"message": "slow"}, {"Retry-After": "90"}), "slow", "come again in 90 s"),
        ((200, [1]), "another form than this command reads (AttributeError", None),
        ((200, {"workflows": {"docs": [7]}}), "another form than this command reads (AttributeError", None),
    ],
)
def test_an_answer_that_is_no_help_is_told_with_what_helps(server, codefresh, answer, says, helps):
    server.answers["GET /api/workflow"] = answer
    code, out, err = codefresh("get", "builds")
    first, *rest = err.splitlines()
    assert (code, out) == (1, "")
    assert first.startswith("Error: ")
    assert says in first
    assert [line for line in rest if not line.startswith("What helps: ")] == []
    assert (helps is None and rest == []) or helps in rest[0]


def test_a_server_that_is_away_is_told_with_its_address(socket_enabled, codefresh):  # noqa: ARG001
    key = {"CF_API_KEY": "k.1", "CF_URL": "http://127.0.0.1:1", "CF_ARG_REQUEST_MAX_RETRIES": "1"}
    code, _, err = codefresh("get", "builds", env=key)
    assert code == 1
    assert "no answer from http://127.0.0.1:1: " in err
    assert "What helps: nothing listens at http://127.0.0.1:1: start the server there" in err


@pytest.mark.parametrize(
    ("kind", "helps"),
    [
        ("gaierror", "the name in URL is unknown"),
        ("TimeoutError", "allow more time"),
        ("SSLCertVerificationError", "SSL_CERT_FILE"),
        ("SSLError", "write http://"),
        ("RemoteDisconnected", "write https://"),
    ],
)
def test_each_way_not_to_connect_has_its_own_cure(kind, helps):
    error = Unreachable("no answer")
    error.__cause__ = type(kind, (OSError,), {})()
    assert helps in cures.cure_of(error, None)


def test_a_noun_that_is_nearly_one_is_named(codefresh):
    code, _, err = codefresh("get", "pipelnes")
    assert code == 1
    assert "no command 'get pipelnes'; did you mean 'pipelines'? There are: agents" in err


def test_a_saved_context_that_cannot_be_read_is_named_with_its_file(codefresh):
    codefresh.config.write_text("contexts: [")
    code, _, err = codefresh("get", "builds")
    assert code == 1
    assert f"Error: cannot read {codefresh.config}" in err


def test_a_stopped_command_exits_with_130(codefresh, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "take_globals", stopped)  # as Ctrl-C comes from outside, at any line
    assert codefresh("get", "builds")[0] == 130
