import json
import stat

import pytest

from headrace.cli.app import App
from headrace.cli.errors import Refused
from headrace.cli.preferences import Preferences

DEFAULTS = """\
    output:
      pretty: false
      dateFormat: default
    request:
      timeout: 30000
      maxAttempts: 10
      retryDelay: 500
    logs:
      fallback:
        interval: 5000
        maxAttempts: 1000
"""
FRESH = f"currentProfile: default\nprofiles:\n  default:\n{DEFAULTS}"
NAMES = """\
logs.fallback.interval
logs.fallback.maxAttempts
output.dateFormat
output.pretty
request.maxAttempts
request.retryDelay
request.timeout
"""
BUILD = {"id": "60d7bc98dabf78f109a24e97", "status": "success", "created": "2024-01-02T03:04:05.678Z"}


@pytest.fixture
def saved(codefresh):
    """The file of preferences; it is not there yet."""
    return codefresh.home / ".Codefresh" / "cli-config" / "config.yaml"


@pytest.fixture
def write(saved):
    """Write the file of preferences."""

    def write(text):
        saved.parent.mkdir(parents=True)
        saved.write_text(text)

    return write


def test_without_a_file_every_property_has_its_default_and_none_is_made(codefresh, saved):
    code, out, err = codefresh("cli-config", logged_in=False)
    assert (code, err) == (0, "")
    assert [line.rstrip() for line in out.splitlines()] == [
        "Current profile: | default |",
        "",
        "KEY                         VALUE",
        "logs.fallback.interval      5000",
        "logs.fallback.maxAttempts   1000",
        "output.dateFormat           'default'",
        "output.pretty               false",
        "request.maxAttempts         10",
        "request.retryDelay          500",
        "request.timeout             30000",
    ]
    assert not saved.exists()


@pytest.mark.parametrize("words", [("cli-config", "-o", "yaml"), ("cli-config", "show", "-o=yaml")])
def test_all_as_yaml_in_the_order_of_the_file(codefresh, words):
    text = "".join(line.removeprefix("    ") for line in DEFAULTS.splitlines(keepends=True))
    assert codefresh(*words) == (0, f"Current profile: | default |\n\n{text}\n", "")


def test_some_as_json(codefresh):
    out = codefresh("cli-config", "get", "retry", env={"CF_ARG_OUTPUT": "json"})[1]
    heading, _, text = out.partition("\n\n")
    assert heading == "Current profile: | default |"
    assert text == '{\n    "request": {\n        "retryDelay": 500\n    }\n}\n'


@pytest.mark.parametrize("command", ["get", "set"])
def test_without_a_name_the_names_of_all_are_listed(codefresh, command):
    assert codefresh("cli-config", command) == (0, f"Available properties:\n\n{NAMES}", "")


def test_set_writes_the_whole_profile_as_the_official_client_does(codefresh, saved):
    code, out, _ = codefresh("cli-config", "set", "request.timeout", "4000")
    assert (code, out.splitlines()[0]) == (0, "Property set on profile: | default |")
    assert saved.read_text() == FRESH.replace("30000", "4000")
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert [path.name for path in saved.parent.iterdir()] == ["config.yaml"]


def test_what_no_client_knows_stays_in_the_file(codefresh, saved, write):
    write("mine: 1\nprofiles:\n  default:\n    output:\n      width: 80\n  other:\n    more: [a]\n")
    codefresh("cli-config", "set", "output.pretty", "true")
    text = saved.read_text()
    assert "mine: 1\n" in text
    assert "width: 80\n      pretty: true\n" in text
    assert "  other:\n    more:\n      - a\n" in text


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("output.pretty", "1", "pretty: true"),
        ("output.pretty", "null", "pretty: false"),
        ("output.dateFormat", "date-diff", "dateFormat: date-diff"),
        ("request.maxAttempts", "0", "maxAttempts: 0"),
        ("request.timeout", "null", "timeout: 0"),
    ],
)
def test_a_value_becomes_one_of_the_kind_of_its_property(codefresh, saved, name, value, kept):
    assert codefresh("cli-config", "set", name, value)[0] == 0
    assert f" {kept}\n" in saved.read_text()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["output.pretty", "yes"], 'Validation error: property "output.pretty" should be boolean, true or'),
        (["request.timeout", "abc"], 'Validation error: property "request.timeout" should be integer from 0'),
        (["request.timeout", "9" * 5000], 'Validation error: property "request.timeout" should be integer'),
        (
            ["output.dateFormat", "xx"],
            "should be equal to one of the allowed values: default, date, datetime",
        ),
        (["output.dateFormat", "null"], "should be equal to one of the allowed values: default, date, datet"),
        (["request.timeout"], 'No value provided for property "request.timeout"; for what it may be: code'),
        (["timeout", "4"], "Did you mean property: request.timeout?"),
        (["request", "4"], "following properties: request.maxAttempts, request.retryDelay, request.timeout"),
        (["nope", "4"], 'Property "nope" is not supported; for the names of all: codefresh cli-config get'),
    ],
)
def test_what_cannot_be_set_is_an_error_and_changes_nothing(codefresh, saved, words, complaint):
    code, out, err = codefresh("cli-config", "set", *words)
    assert (code, out) == (1, "")
    assert complaint in err
    assert not saved.exists()


def test_a_profile_is_made_with_defaults_and_chosen_by_its_name(codefresh, saved):
    codefresh("cli-config", "set", "request.timeout", "4000")
    assert codefresh("cli-config", "profile", "two") == (0, 'Profile "two" was created\n', "")
    listed = "Current profile: | two |\n\nAvailable profiles:\ndefault\ntwo\n"
    assert codefresh("cli-config", "profile") == (0, listed, "")
    assert saved.read_text().endswith(f"  two:\n{DEFAULTS}")
    assert codefresh("cli-config", "profile", "default")[1] == 'Using profile "default"\n'
    assert "4000" in codefresh("cli-config", "get", "request.timeout")[1]


def test_help_says_what_a_property_is_and_which_has_no_effect(codefresh):
    heading, *rows = codefresh("cli-config", "help")[1].splitlines()
    assert heading.split() == ["KEY", "TYPE", "DEFAULT", "ENUM", "DESCRIPTION"]
    assert [row.split()[0] for row in rows] == NAMES.split()
    assert {row.split()[0] for row in rows if "Without effect here" in row} == set(NAMES.split()[:2])
    assert codefresh("cli-config", "help", "pretty")[1].splitlines()[0].split() == [
        *("KEY", "TYPE", "DEFAULT", "DESCRIPTION")
    ]
    assert codefresh("cli-config", "help", "nope") == (0, "no properties\n", "")


@pytest.mark.parametrize(
    ("words", "env", "day"),
    [
        ([], {}, "2024-01-02"),
        (["--date-format", "YYYY"], {}, "2024"),
        (["--date-format", "default"], {}, "2024-01-02, 03:04:05"),
        ([], {"CF_ARG_DATE_FORMAT": "YYYY"}, "2024"),
    ],
)
def test_dates_look_as_preferred_unless_the_line_says_otherwise(server, codefresh, write, words, env, day):
    write("profiles:\n  default:\n    output:\n      dateFormat: date\n")
    server.answers["GET /api/workflow"] = {"workflows": {"docs": [BUILD], "total": 1}}
    out = codefresh("get", "builds", "--select-columns", "created", *words, env=env)[1]
    assert out.splitlines()[1].strip() == day


@pytest.mark.parametrize(
    ("words", "sign"), [([], True), (["--pretty", "false"], False), (["--no-pretty"], False)]
)
def test_tables_are_pretty_where_preferred(server, codefresh, write, words, sign):
    write("currentProfile: mine\nprofiles:\n  mine:\n    output:\n      pretty: true\n")
    server.answers["GET /api/workflow"] = {"workflows": {"docs": [BUILD], "total": 1}}
    assert ("SUCCESS ✓" in codefresh("get", "builds", *words)[1]) is sign


@pytest.mark.parametrize(
    ("words", "env", "times"),
    [([], {}, 3), (["--request-max-retries", "2"], {}, 2), ([], {"CF_ARG_REQUEST_MAX_RETRIES": "4"}, 4)],
)
def test_a_request_is_sent_as_often_as_preferred(server, codefresh, write, words, env, times):
    write("profiles:\n  default:\n    request:\n      maxAttempts: 3\n")
    server.answers["GET /api/projects"] = (503, {"message": "busy"})
    assert codefresh("get", "projects", *words, env=env)[0] == 1
    assert len(server.requests) == times


def test_time_and_delay_of_requests_are_as_preferred(codefresh, write):
    write("profiles:\n  default:\n    request:\n      timeout: 1500\n      retryDelay: '20'\n")
    home = {"HOME": str(codefresh.home)}
    options = App(environ=home).options
    assert (options.timeout_s, options.attempts, options.retry_delay_s) == (1.5, 10, 0.02)
    assert App(environ=home, asked={"timeout_s": 9.0}).options.timeout_s == 9


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[", "correct it, or remove it, and every property has its default again"),
        ("- a\n", "holds no profiles; remove it"),
        ("profiles: 3\n", "profiles must hold names and values, not 3; correct or remove it"),
        ("profiles:\n  default:\n    request: [1]\n", "profiles.default.request must hold names and values"),
        (
            "profiles:\n  default:\n    request:\n      timeout: abc\n",
            "profiles.default.request.timeout should be integer from 0 to 999999999; it is 'abc'; to mend it",
        ),
    ],
)
def test_a_broken_file_is_named_with_what_mends_it_and_nothing_is_asked(
    server, codefresh, saved, write, text, complaint
):
    write(text)
    for words in (("get", "builds"), ("cli-config",)):
        code, out, err = codefresh(*words)
        assert (code, out, server.lines) == (1, "", [])
        assert str(saved) in err
        assert complaint in err


def test_what_the_error_proposes_mends_the_file(codefresh, saved, write):
    write("profiles:\n  default:\n    request:\n      timeout: abc\n")
    proposed = codefresh("get", "builds")[2].rpartition("to mend it: codefresh ")[2]
    assert codefresh(*proposed.split())[0] == 0
    assert json.loads(codefresh("cli-config", "-o", "json")[1].partition("\n\n")[2])["request"] == {
        "timeout": 30000,
        "maxAttempts": 10,
        "retryDelay": 500,
    }
    assert saved.read_text().startswith("profiles:\n  default:\n    request:\n      timeout: 30000\n")


def test_a_home_that_cannot_be_read_has_no_preferences(server, codefresh):
    server.answers["GET /api/workflow"] = {"workflows": {"docs": [], "total": 0}}
    (codefresh.home / "file").write_text("")
    key = "60d7bc98dabf78f109a24e97.env"
    env = {"HOME": str(codefresh.home / "file"), "CF_API_KEY": key, "CF_URL": server.url}
    assert codefresh("get", "builds", env=env) == (0, "no available resources\n", "")
    code, _, err = codefresh("cli-config", "profile", "two", env=env)
    assert code == 1
    assert str(codefresh.home / "file") in err


def test_without_any_home_there_are_defaults_and_no_place_to_keep_others():
    preferences = Preferences(None)
    assert preferences.value("request.timeout") == 30000
    preferences.set("request.timeout", 1)
    with pytest.raises(Refused, match=r"no home folder is known.*; set HOME"):
        preferences.save()


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        (("get", "request.t"), ["request.timeout"]),
        (("set", "output.p"), ["output.pretty"]),
        (("profile", ""), ["default"]),
    ],
)
def test_a_shell_completes_names(codefresh, words, answers):
    assert codefresh("__complete", "cli-config", *words)[1].split() == answers
