"""``open``, ``watch``, ``api`` and completion: what the official client lacks."""

import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from headrace.cli.completion import FRESH_S, cache_folder

PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
BUILD_ID = "5b4f927dc70d080001536fe3"
BUILD = {
    "id": BUILD_ID,
    "status": "running",
    "pipelineName": "demo/ci",
    "created": "2024-01-02T03:04:05.678Z",
}
EVENTS = b"""event: step
data: {"name": "unit", "status": "running"}

event: log
data: {"step": "unit", "text": "noise\\n"}

event: step
data: {"name": "unit", "status": "error"}

event: status
data: {"status": "error"}

"""
CHANGES = [b'event: changed\ndata: {"kind": "%s"}\n\n' % kind for kind in (b"builds", b"images", b"builds")]
PIPELINES = {"docs": [{"metadata": {"name": "demo/ci"}}, {"metadata": {"name": "demo/$(touch bad)"}}]}


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ((), "/"),
        (("build",), "/builds"),
        (("build", BUILD_ID), f"/builds/{BUILD_ID}"),
        ((BUILD_ID,), f"/builds/{BUILD_ID}"),
        (("pipeline", "5b1a"), "/pipelines/demo%2Fci"),
        (("demo/ci",), "/pipelines/demo%2Fci"),
        (("demo",), "/projects/demo"),
    ],
)
def test_the_address_of_a_page_is_printed(server, codefresh, words, path):
    pipeline = {"metadata": {"name": "demo/ci"}}
    server.answers |= {
        f"GET /api/builds/{BUILD_ID}": BUILD,
        "GET /api/pipelines/5b1a": pipeline,
        "GET /api/pipelines/demo%2Fci": pipeline,
        "GET /api/projects/name/demo": {"id": "p"},
    }
    assert codefresh("open", *words) == (0, f"{server.url}{path}\n", "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("build", BUILD_ID), f"there is no build '{BUILD_ID}'; see: codefresh get builds"),
        (("nothing",), "there is no project 'nothing'; see: codefresh get projects"),
        (("step", "x"), "cannot open 'step'; there are: build, pipeline, project"),
    ],
)
def test_what_is_not_there_is_not_opened(codefresh, words, says):
    assert codefresh("open", *words) == (1, "", f"Error: {says}\n")


def test_a_watched_build_tells_each_change_and_ends_with_its_result(server, codefresh):
    server.answers |= {
        f"GET /api/builds/{BUILD_ID}": BUILD,
        f"GET /api/builds/{BUILD_ID}/logs/stream": EVENTS,
    }
    assert codefresh("watch", "build", BUILD_ID) == (1, "unit running\nunit error\ndemo/ci error\n", "")


def test_watched_builds_tell_what_changed_and_nothing_twice(server, codefresh):
    def page(status):
        return 200, {"workflows": {"docs": [{**BUILD, "status": status}]}}

    server.answers |= {
        "GET /api/workflow": [page("running"), page("running"), page("success")],
        "GET /api/changes": [(200, b"".join(CHANGES)), (401, {"message": "revoked"})],
    }
    code, out, err = codefresh("watch", "builds", "-l", "5")
    assert (code, out) == (1, f"{BUILD_ID} demo/ci running\n{BUILD_ID} demo/ci success\n")
    assert "revoked" in err
    assert server.lines.count("GET /api/workflow?limit=5&page=1") == 3  # at the start, and for builds alone


def test_watched_builds_are_told_on_when_a_server_that_went_away_is_back(server, codefresh):
    server.answers |= {
        "GET /api/workflow": {"workflows": {"docs": [{**BUILD, "status": "running"}]}},
        "GET /api/changes": [
            (200, b""),
            *[(503, {"message": "starting"})] * 25,
            (401, {"message": "revoked"}),
        ],
    }
    code, out, err = codefresh("watch", "builds")
    assert (code, out) == (1, f"{BUILD_ID} demo/ci running\n")
    assert (err.count("The server is away"), "revoked" in err) == (1, True)


def test_a_watch_ends_quietly_when_its_reader_goes_away(server, codefresh):
    statuses = itertools.cycle(("pending", "running"))
    server.answers |= {
        "GET /api/workflow": lambda _: {"workflows": {"docs": [{**BUILD, "status": next(statuses)}]}},
        "GET /api/changes": b"".join(CHANGES),
    }
    codefresh("version")  # logs in
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", "codefresh --request-retry-delay 1 watch builds | head -n 1"],
        env={"PATH": PATH, "HOME": str(codefresh.home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{BUILD_ID} demo/ci pending\n", "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("watch", "build"), "which build?"),
        (("watch", "builds", BUILD_ID), f"did you mean: codefresh watch build {BUILD_ID}?"),
        (("watch",), "this server does not tell changes; use: codefresh get builds --watch"),
    ],
)
def test_a_watch_that_cannot_be_says_what_can(codefresh, words, says):
    code, out, err = codefresh(*words)
    assert (code, out) == (1, "")
    assert says in err


def test_any_operation_is_called_by_its_name(server, codefresh):
    server.answers |= {
        "GET /api/pipelines/demo%2Fci": {"a": "é"},
        "POST /api/projects": {"id": "p"},
        "GET /api/builds/b/logs/stream": EVENTS,
    }
    assert (
        codefresh("api", "pipelines.get", "name=demo/ci", "decryptVariables=true")[1] == '{\n  "a": "é"\n}\n'
    )
    (codefresh.home / "p.json").write_text('{"projectName": "x"}')
    assert codefresh("api", "projects.create", "-d", "@p.json")[0] == 0
    assert codefresh("api", "projects.create", "-d", '{"projectName": "y"}')[0] == 0
    assert codefresh("api", "workflows.streamLogs", "buildId=b")[1].count("unit") == 3
    codefresh("api", "pipelines.list", "labels[tags]=a", "id=x", "id=y")
    assert server.bodies("POST /api/projects") == [{"projectName": "x"}, {"projectName": "y"}]
    assert server.lines[0] == "GET /api/pipelines/demo%2Fci?decryptVariables=true"
    assert server.lines[-1] == "GET /api/pipelines?labels%5Btags%5D=a&id=x&id=y"
    assert "pipelines.get  GET /api/pipelines/{name}\n" in codefresh("api")[1]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("pipelnes.list",), "no operation 'pipelnes.list'; did you mean 'pipelines.list'?"),
        (("pipelines.get",), "pipelines.get needs name=…"),
        (("pipelines.get", "x"), "'x' is no field; write NAME=VALUE"),
        (("pipelines.get", "nam=x"), "no field 'nam'; there are: name, decryptVariables"),
        (("projects.create", "-d", "{"), "the body is no JSON"),
        (("projects.create", "-d", "@none.json"), "none.json"),
    ],
)
def test_a_wrong_call_says_what_would_be_right(codefresh, words, says):
    code, out, err = codefresh("api", *words)
    assert (code, out) == (1, "")
    assert says in err


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        (("open", "p"), "pipeline\nproject\n"),
        (("get", "builds", "--status", "term"), "terminated\nterminating\n"),
        (("get", "builds", "--pipeline-name", "demo/c"), "demo/ci\n"),
        (("watch", "build", ""), f"{BUILD_ID}\n"),
        (("open", "build", ""), f"{BUILD_ID}\n"),
        (("auth", "use-context", ""), "local\n"),
        (("api", "pipelines.g"), "pipelines.get\npipelines.getNames\n"),
        (("version", ""), ""),
    ],
)
def test_completion_knows_what_a_word_can_be(server, codefresh, words, answers):
    server.answers |= {
        "GET /api/pipelines": PIPELINES,
        "GET /api/workflow": {"workflows": {"docs": [BUILD]}},
    }
    assert codefresh("__complete", *words) == (0, answers, "")


def test_names_are_kept_for_a_while_and_no_longer(server, codefresh):
    server.answers["GET /api/pipelines"] = PIPELINES
    for _ in range(2):
        assert codefresh("__complete", "run", "demo/c")[1] == "demo/ci\n"
    assert len(server.requests) == 1
    (kept,) = cache_folder({"HOME": str(codefresh.home)}).iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    old = time.time() - FRESH_S - 1
    os.utime(kept, (old, old))
    codefresh("__complete", "run", "")
    assert len(server.requests) == 2


@pytest.mark.parametrize("answer", [(500, b""), (401, {}), (200, b"<html>"), (200, {"docs": [7]}), (200, [])])
def test_completion_is_silent_where_the_server_is_no_help(server, codefresh, answer):
    server.answers["GET /api/pipelines"] = answer
    assert codefresh("__complete", "run", "") == (0, "", "")


def test_completion_is_silent_where_nobody_has_logged_in_or_the_file_is_broken(codefresh):
    assert codefresh("__complete", "run", "", logged_in=False) == (0, "", "")
    codefresh.config.write_text("contexts: [")
    assert codefresh("__complete", "run", "") == (0, "", "")


def test_bash_completes_names_and_carries_none_of_them_out(server, codefresh):
    server.answers["GET /api/pipelines"] = PIPELINES
    codefresh("version")  # logs in
    script = (
        "source <(codefresh completion bash); COMP_WORDS=(codefresh run demo); COMP_CWORD=2; "
        "_codefresh_complete; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=codefresh.home,
        env={"PATH": PATH, "HOME": str(codefresh.home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines() == ["demo/ci", "demo/\\$\\(touch\\ bad\\)"]
    assert not (codefresh.home / "bad").exists()
