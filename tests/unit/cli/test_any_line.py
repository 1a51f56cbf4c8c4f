"""Whatever is typed, saved or answered: an exit code and a line that says why, never a traceback."""

import json
import socket
import threading

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace.cli.commands import MODULES, words_of
from headrace.cli.verbs import VERBS, build_root

# These go on until something happens elsewhere, or run steps on this machine.
ENDLESS = {"watch", "wait"}
AVOIDED = {"--watch", "-w", "--attach", "-a", "--local", "--follow", "--f", "-f", "--watch-interval"}
COMMANDS = sorted(
    " ".join([verb, nouns[0]]).strip()
    for listed in MODULES.values()
    for verb, nouns in map(words_of, listed)
    if nouns[0] not in ENDLESS
)
FILES = ("p.yml", "binary.yml", "folder.yml", "none.yml", "deep.json", "text")
WORDS = st.sampled_from(
    [
        "",
        "x",
        "a/b",
        "K=V",
        "=",
        "-1",
        "9" * 30,
        "nan",
        "true",
        "5b4f927dc70d080001536fe3",
        "\udcff",
        "%s",
        *FILES,
    ]
) | st.text(max_size=6).filter(lambda word: "\0" not in word and word not in AVOIDED)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["docs", "metadata", "name", "id", "_id", "projects", "workflows", "spec", "status"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


def options_of(command):
    """The options of a command that it may be given here."""
    verb, _, noun = command.rpartition(" ")
    found = VERBS[verb].get_command(click.Context(build_root()), noun)
    return [word for one in found.params for word in one.opts if word.startswith("-") and word not in AVOIDED]


@st.composite
def lines(draw):
    """A command line: a command, and words and options of it in any order."""
    command = draw(st.sampled_from(COMMANDS))
    word = st.sampled_from(options_of(command) or ["--help"]) | WORDS
    more = draw(st.lists(word, max_size=6))
    return [*command.split(), *more, *(["-d"] if command in ("run", "restart") else [])]


@pytest.fixture
def folder(codefresh):
    """Files of every kind beside the command."""
    (codefresh.home / "p.yml").write_text("kind: pipeline\nmetadata: {name: a/b}\nspec: {steps: {}}\n")
    (codefresh.home / "binary.yml").write_bytes(bytes(range(256)))
    (codefresh.home / "folder.yml").mkdir()
    (codefresh.home / "deep.json").write_text("[" * 100_000)
    (codefresh.home / "text").write_text("text")
    return codefresh


@pytest.mark.usefixtures("server")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(words=lines(), answer=JSON, status=st.sampled_from([200, 200, 200, 401, 404, 500, 503]))
def test_any_words_and_any_answer_end_in_a_code_and_a_reason(folder, server, words, answer, status):
    server.answer = lambda _: (status, json.dumps(answer).encode())
    code, _, err = folder("--request-max-retries", "1", *words)
    assert code in (0, 1), (words, answer)
    assert "Traceback" not in err
    if code == 1 and words[0] != "validate":
        assert "Error: " in err or "rror" in err, (words, answer, err)


def broken_host(answer):
    """A host that says this to everybody and hangs up; its address and how to end it."""
    host = socket.create_server(("127.0.0.1", 0))

    def serve():
        try:
            while True:
                connection, _ = host.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)
        except OSError:
            return

    thread = threading.Thread(target=serve)
    thread.start()
    return host, thread


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "closed the connection"),
        (b"SSH-2.0-x\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>", "with a web page"),
        (b"HTTP/1.1 500 Oh\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>", "<html>"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1", "broke off: broken answer: IncompleteRead"),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "was redirected"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\xff\xfe\xff", "has another form"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "has another form"),
    ],
)
@pytest.mark.usefixtures("socket_enabled")
def test_a_host_that_is_no_server_of_ours_is_told_as_such(codefresh, answer, said):
    host, thread = broken_host(answer)
    url = f"http://127.0.0.1:{host.getsockname()[1]}"
    env = {"CF_API_KEY": "a.b", "CF_URL": url}
    code, out, err = codefresh("--request-max-retries", "2", "get", "pipelines", env=env)
    with host:
        host.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert (code, out) == (1, "")
    assert said in err
    assert "Traceback" not in err


def test_a_silent_host_is_given_up_after_the_time_that_was_asked_for(codefresh, socket_enabled):  # noqa: ARG001 — opens the socket
    with socket.create_server(("127.0.0.1", 0)) as host:
        env = {"CF_API_KEY": "a.b", "CF_URL": f"http://127.0.0.1:{host.getsockname()[1]}"}
        words = ("--request-max-retries", "1", "--request-timeout", "50", "get", "builds")
        code, _, err = codefresh(*words, env=env)
    assert code == 1
    assert "is silent: try again, allow more time" in err


@pytest.mark.parametrize(
    ("saved", "said"),
    [
        (b"\xff\xfe\x00", "cannot read"),
        (b"a: [", "cannot read"),
        (b"contexts:\n\tl: x", "cannot read"),
        (b"[]", "holds no contexts"),
        (b"contexts: 1\ncurrent-context: l", "Please create an authentication context"),
        (b"contexts: {l: 1}\ncurrent-context: l", "Please create an authentication context"),
        (b"current-context: [1]", "Please create an authentication context"),
        (b"contexts: {l: {type: X}}\ncurrent-context: l", "has an unknown type"),
        (b"contexts: {l: {type: APIKey, url: [1]}}\ncurrent-context: l", "is no address of a server"),
        (b"contexts: {l: {type: APIKey, url: 'http://['}}\ncurrent-context: l", "is no address of a server"),
        (b"contexts: {l: {type: APIKey, url: 'ftp://x'}}\ncurrent-context: l", "is no address of a server"),
    ],
)
def test_a_broken_file_of_contexts_is_named_and_may_be_logged_into_again(server, codefresh, saved, said):
    codefresh.config.write_bytes(saved)
    code, out, err = codefresh("get", "projects", logged_in=False)
    assert (code, out) == (1, "")
    assert said in err
    assert "another form" not in err
    if b"contexts" in saved and b"\t" not in saved:
        words = ("auth", "create-context", "new", "--api-key", "a.b", "--url", server.url)
        assert codefresh(*words, logged_in=False)[0] == 0


def test_one_broken_context_does_not_hide_the_others(codefresh):
    codefresh("auth", "get-contexts")
    text = codefresh.config.read_text().replace("contexts:\n", "contexts:\n  odd:\n    type: Odd\n", 1)
    codefresh.config.write_text(text)
    code, out, _ = codefresh("auth", "get-contexts", logged_in=False)
    assert code == 0
    assert [line.split()[-1] for line in out.splitlines()] == ["STATUS", "Valid", "usable"]


@pytest.mark.parametrize(
    "url",
    ["x", "http://", "http:///", "http://[", "http://a:b", "http://a:99999", "http://a b", "http://a\nb"],
)
@pytest.mark.parametrize("words", ["auth create-context --api-key k", "get projects"])
def test_an_address_of_nothing_is_named(codefresh, words, url):
    env = {"CF_API_KEY": "k", "CF_URL": url}
    code, _, err = codefresh(*words.split(), *(["--url", url] if "auth" in words else []), env=env)
    assert code == 1
    assert f"{url!r} is no address of a server" in err


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "1e30", "soon"])
@pytest.mark.parametrize("option", ["--request-timeout", "--request-retry-delay", "--request-max-retries"])
def test_a_number_that_is_none_is_named(codefresh, option, value):
    code, _, err = codefresh(option, value, "get", "projects")
    assert code == 1
    assert f"option '{option}' needs a number from 0 on, not '{value}'" in err


def test_a_word_that_is_no_text_is_told_as_such(codefresh):
    code, _, err = codefresh("get", "pipeline", "\udcff")
    assert code == 1
    assert "has characters that cannot be sent or printed" in err


def test_a_file_name_with_a_null_is_a_file_that_cannot_be_read(codefresh):
    assert "Failed to read file; caused by Error: " in codefresh("create", "-f", "\0.yml")[2]
