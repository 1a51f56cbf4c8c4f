import base64
import json
import stat

import pytest

from unit.cli.stub import KEY, USER


def session_token(**payload):
    parts = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, payload)
    )
    return ".".join([*parts, "sig"])


def test_a_first_context_is_saved_as_the_official_client_saves_it(server, codefresh):
    words = ("auth", "create-context", "--api-key", KEY, "--url", server.url)
    code, out, _ = codefresh(*words, logged_in=False)
    assert (code, out) == (0, "Created new context: default\nSwitched to context: default\n")
    assert codefresh.config.read_text() == (
        "contexts:\n  default:\n    type: APIKey\n    name: default\n"
        f"    url: '{server.url}'\n    token: {KEY}\n    beta: false\n    onPrem: false\n"
        "current-context: default\n"
    )
    assert stat.S_IMODE(codefresh.config.stat().st_mode) == 0o600


def test_the_same_name_again_is_an_update_and_unknown_keys_stay(server, codefresh):
    codefresh("version")
    text = codefresh.config.read_text()
    codefresh.config.write_text(
        text.replace("    beta: false\n", "    beta: true\n    mine: 1\n") + "other: [a]\n"
    )
    code, out, _ = codefresh("auth", "create-context", "local", "--api-key", KEY, "--url", server.url)
    assert (code, out.splitlines()[0]) == (0, "Updated context: local")
    saved = codefresh.config.read_text()
    assert "mine: 1" in saved
    assert "other:\n  - a\n" in saved


def test_a_bad_key_is_not_saved(server, codefresh):
    server.answers["GET /api/user"] = (401, {"message": "no such key"})
    code, out, err = codefresh("auth", "create-context", "bad", "--api-key", "no.pe", "--url", server.url)
    assert (code, out) == (1, "")
    assert err.startswith("Error: API Key is not valid; caused by Error: Please create or update your auth")
    assert "no such key" in err
    assert "bad" not in codefresh.config.read_text()
    assert "GET /api/execution-contexts/current" in server.lines


def test_a_session_token_names_itself_and_travels_in_its_own_header(server, codefresh):
    token = session_token(_id="u1", accountId="a1", exp=1999999999)
    codefresh("auth", "create-context", "x", "--api-key", token, "--url", server.url)
    assert "type: JWT\n    name: dev/acme\n" in codefresh.config.read_text()
    assert codefresh("auth", "current-context")[1].splitlines()[1].split()[1] == "dev/acme"
    assert {request.headers.get("x-access-token") for request in server.requests} == {token}


@pytest.mark.parametrize(("answer", "status"), [(USER, "Valid"), ((401, {"message": "gone"}), "Revoked")])
def test_the_list_says_whether_each_key_is_good(server, codefresh, answer, status):
    server.answers["GET /api/user"] = answer
    code, out, _ = codefresh("auth", "get-contexts")
    heading, row = out.splitlines()
    assert (code, heading.split()) == (0, ["CURRENT", "NAME", "URL", "ACCOUNT", "STATUS"])
    assert row.split()[:3] == ["*", "local", server.url]
    assert row.split()[-1] == status


def test_the_list_says_when_a_server_does_not_answer(codefresh):
    codefresh("version")
    codefresh.config.write_text(codefresh.config.read_text().replace("127.0.0.1:", "127.0.0.1:1#"))
    assert "Cant connect to server" in codefresh("auth", "get-contexts")[1]


def test_the_environment_wins_over_the_file(server, codefresh):
    env = {"CF_API_KEY": "60d7bc98dabf78f109a24e97.env", "CF_URL": server.url}
    out = codefresh("auth", "current-context", env=env)[1]
    assert out.startswith("Using authentication context created from CF_API_KEY env variable:\n")
    assert server.requests[0].headers["Authorization"] == env["CF_API_KEY"]


def test_use_context_switches(codefresh):
    assert codefresh("auth", "use-context", "local")[:2] == (0, "Switched to context local\n")
    assert codefresh("auth", "use-context", "nope") == (
        1,
        "",
        "Error: No context exists with the name: nope\n",
    )


def test_without_a_context_nothing_is_asked(server, codefresh):
    code, out, err = codefresh("get", "pipelines", logged_in=False)
    assert (code, out, server.lines) == (1, "", [])
    assert err.startswith("Error: Authentication error: Please create an authentication context")


@pytest.mark.parametrize("text", ["{", "- a\n", "contexts:\n  a:\n    type: Odd\ncurrent-context: a\n"])
def test_a_broken_file_is_named(codefresh, text):
    codefresh.config.write_text(text)
    code, _, err = codefresh("get", "builds")
    assert code == 1
    assert str(codefresh.config) in err
