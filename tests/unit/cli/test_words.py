"""How the command line is read: options anywhere, arrays, flags, environment, mistakes."""

import click
import pytest

from headrace.cli.absent import ABSENT
from headrace.cli.commands import MODULES, words_of
from headrace.cli.verbs import VERBS, Array, build_root, rewrite

OPTIONS = [
    click.Option(["-b", "--branch"]),
    click.Option(["--no-cache", "--nc"], is_flag=True),
    Array(["-t", "--tag"]),
]


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("-b=master", "-b master"),
        ("--branch=a=b", "--branch a=b"),
        ("-t a b -b m", "-t a -t b -b m"),
        ("--nc=false x", "x"),
        ("--nc true x", "--nc x"),
        ("--nc x", "--nc x"),
        ("-- -b=master", "-- -b=master"),
    ],
)
def test_words_are_read_as_the_official_client_reads_them(words, read):
    assert list(rewrite(words.split(), OPTIONS)) == read.split()


@pytest.mark.parametrize(
    "words",
    [
        ("get", "-o", "id", "tokens"),
        ("get", "tokens", "-o=id"),
        ("--request-timeout", "5000", "get", "token", "--output", "id"),
    ],
)
def test_options_may_stand_before_the_noun(server, codefresh, words):
    server.answers["GET /api/auth/keys"] = [{"_id": "k1", "name": "ci"}]
    assert codefresh(*words)[:2] == (0, "k1\n")


def test_options_come_from_the_environment(server, codefresh):
    server.answers["GET /api/auth/keys"] = [{"_id": "k1", "name": "ci"}]
    assert codefresh("get", "tokens", env={"CF_ARG_OUTPUT": "name"})[1] == "token/ci\n"


def test_an_unknown_command_says_what_was_meant_and_exits_with_0(codefresh):
    assert codefresh("delet") == (0, "", "Error: no command 'delet'; did you mean 'delete'?\n")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("get", "nothing"), "no command 'get nothing'; there are: agents"),
        (("get", "builds", "--status", "odd"), "'odd' is not one of"),
        (("approve",), "Missing argument 'BUILD_ID'"),
        (
            ("--request-timeout", "soon", "get", "builds"),
            "option '--request-timeout' needs a number from 0 on",
        ),
        (("--cfconfig",), "option '--cfconfig' needs a value"),
    ],
)
def test_a_wrong_line_exits_with_1_and_says_why(codefresh, words, part):
    code, out, err = codefresh(*words)
    assert (code, out) == (1, "")
    assert part in err


@pytest.mark.parametrize(
    "words", [("--help",), ("help", "run"), ("get",), ("create",), ("create", "context", "git")]
)
def test_help_exits_with_0(codefresh, words):
    code, out, _ = codefresh(*words)
    assert code == 0
    assert "Usage: codefresh" in out


@pytest.mark.parametrize("words", ["", "auth", "patch", "delete", "add", "annotate"])
def test_help_where_a_word_is_missing_exits_as_the_official_client_does(codefresh, words):
    code, out, _ = codefresh(*words.split())
    assert code == 1
    assert "Usage: codefresh" in out


@pytest.mark.parametrize(
    ("words", "said", "shown"),
    [
        ("nope --help", "Error: no command 'nope'; did you mean 'open'?\n", "Usage: codefresh [OPTIONS]"),
        (
            "create nope --help",
            "Error: no command 'create nope'; there are: agent",
            "Usage: codefresh create",
        ),
    ],
)
def test_help_for_a_word_that_nobody_knows_shows_what_there_is(codefresh, words, said, shown):
    code, out, err = codefresh(*words.split())
    assert code == 0
    assert err.startswith(said)
    assert out.startswith(shown)


@pytest.mark.parametrize("words", ["runner init --name x", "upgrade", "install --help"])
def test_a_command_of_the_official_client_that_is_not_here_is_an_error_with_a_way(codefresh, words):
    code, out, err = codefresh(*words.split())
    assert (code, out) == (1, "")
    assert f"'codefresh {words.split()[0]}' is not offered here; " in err


@pytest.mark.parametrize("verb", ["delete", "diff", "patch"])
def test_a_noun_of_the_official_client_that_is_not_here_says_so_too(codefresh, verb):
    code, out, err = codefresh(verb, "sys-re", "x")
    assert (code, out) == (1, "")
    assert err.startswith(f"Error: 'codefresh {verb} sys-re' is not offered here; an environment is what")


def test_no_command_that_is_here_is_called_absent():
    lines = [words_of(line) for listed in MODULES.values() for line in listed]
    here = {word for verb, nouns in lines for word in (verb.split()[:1] or nouns)}
    assert not here & set(ABSENT)


def test_every_listed_command_exists_and_has_a_summary():
    root = build_root()
    for lines in MODULES.values():
        for line in lines:
            path, names = words_of(line)
            verb = VERBS[path]
            command = verb.get_command(click.Context(root), names[-1])
            assert command is not None, line
            assert command.help, line


def test_completion_knows_commands_options_and_pipelines(server, codefresh):
    server.answers["GET /api/pipelines"] = {"docs": [{"metadata": {"name": "demo/ci"}}]}
    assert codefresh("__complete", "get", "pi")[1] == "pipelines\n"
    assert "--branch" in codefresh("__complete", "run", "--b")[1]
    assert codefresh("__complete", "run", "")[1] == "demo/ci\n"
    assert codefresh("__complete", "logs", "") == (0, "", "")


def test_completion_of_a_verb_knows_its_nouns_and_the_options_of_the_usual_one(codefresh):
    assert codefresh("__complete", "replace", "")[1] == "composition\nresource\n"
    assert codefresh("__complete", "replace", "--s")[1] == "--skip-trigger-validation\n"
    assert codefresh("__complete", "create", "--f")[1] == "--filename\n"
    assert codefresh("__complete", "replace", "-f", "")[1] == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_call_back(codefresh, shell):
    assert "codefresh __complete" in codefresh("completion", shell)[1]


def test_help_lists_every_verb_beside_the_commands(codefresh):
    listed = [line.split()[0] for line in codefresh("--help")[1].splitlines() if line.startswith("  ")]
    assert {path for path in VERBS if path and " " not in path} <= set(listed)
    assert "\n  context " in codefresh("create", "--help")[1]
