"""What users do with the client, against a real server: scenarios A01 to A46 of `docs/compatibility.md`.

Every test runs with the unmodified official client and with ours, in an account of its own.
"""

import json
import os
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from e2e.server import until
from e2e.town import OURS, STEPS, TRIGGER, curl, rows

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

ID = re.compile(r"[0-9a-f]{24}")
FOREIGN_ID = "5b4f927dc70d080001536fe3"
SEED = {
    "version": "1.0",
    "kind": "pipeline",
    "metadata": {
        "name": "my-project/my-basic-pipeline",
        "description": "my description",
        "labels": {"key1": "value1", "key2": "value2"},
        "deprecate": {"applicationPort": "8080"},
        "project": "my-project",
    },
    "spec": {
        "triggers": [TRIGGER],
        "contexts": [],
        "variables": [
            {"key": "PORT", "value": 5000, "encrypted": False},
            {"key": "SECRET", "value": "secret-value", "encrypted": True},
        ],
        "steps": STEPS["seed"],
        "stages": [],
    },
}
PIPELINE = "my-project/my-basic-pipeline"
NO_PERMISSION = "You do not have permissions to perform this action"
FINAL = ("success", "error", "denied", "terminated")


class GitHost(BaseHTTPRequestHandler):
    """Speaks like GitHub and has one repository."""

    def do_GET(self):
        shop = {"full_name": "acme/shop", "private": False, "ssh_url": "", "clone_url": ""}
        body = json.dumps(shop if self.path.startswith("/api/v3/repos/") else [shop]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def git_host():
    """The address of a Git host."""
    with ThreadingHTTPServer(("127.0.0.1", 0), GitHost) as host:
        thread = threading.Thread(target=host.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{host.server_port}"
        host.shutdown()
        thread.join()


@pytest.fixture
def seed(cli):
    """The seed's project and pipeline, made with the client."""
    cli.ok("create", "project", "my-project")
    cli.write("seed.yml", yaml.safe_dump(SEED))
    assert cli.ok("create", "pipeline", "-f", "seed.yml") == f"Pipeline {PIPELINE} created\n"


def reached(account, build_id, *statuses):
    """Wait until a build has one of these statuses; return its status."""

    def look():
        status = account.build(build_id)["status"]
        return status if status in statuses else None

    return until(look, f"build {build_id} to be {' or '.join(statuses)}")


def no_key(cli):
    """The same client without a key in its environment."""
    return cli.having(None)


# Log in


def test_a01_a02_an_auth_context_is_created_then_updated(cli, acme):
    words = ("auth", "create-context", "--api-key", acme.key(), "--url", cli.url)
    user = no_key(cli)
    assert user.ok(*words) == "Created new context: default\nSwitched to context: default\n"
    saved = yaml.safe_load((cli.home / ".cfconfig").read_text())
    assert saved["current-context"] == "default"
    assert {"type", "name", "url", "token"} <= set(saved["contexts"]["default"])
    assert "Updated context: default" in user.ok(*words)


def test_a03_a_wrong_key_is_not_stored(cli):
    done = no_key(cli)("auth", "create-context", "bad", "--api-key", "nope.nope", "--url", cli.url)
    assert done.code == 1
    assert done.stderr.startswith("Error: API Key is not valid; caused by Error: Please create or update")
    config = cli.home / ".cfconfig"
    assert not config.exists() or "bad" not in config.read_text()


def test_a04_a05_contexts_are_listed_and_choose_the_account(cli, acme, town):
    other, user = town.account(), no_key(cli)
    other.call("POST", "/api/projects", {"projectName": "of-the-other"})
    user.ok("auth", "create-context", "second", "--api-key", other.key(), "--url", cli.url)
    user.ok("auth", "create-context", "--api-key", acme.key(), "--url", cli.url)
    listed = rows(user.ok("auth", "get-contexts"))
    assert ["*", "default", cli.url, acme.name, "Valid"] in listed
    assert ["second", cli.url, other.name, "Valid"] in listed
    assert "of-the-other" not in user("get", "projects").stdout
    assert user.ok("auth", "use-context", "second") == "Switched to context second\n"
    assert "of-the-other" in user.ok("get", "projects")


def test_a06_without_a_context_the_cure_is_said_and_nothing_is_sent(cli):
    # Nothing listens at that address: a request would fail with another message.
    done = no_key(cli)("get", "pipelines", CF_URL="http://127.0.0.1:9")
    assert done.code == 1
    assert done.stderr.startswith("Error: Authentication error: Please create an authentication context")


# Projects and pipelines


def test_a07_to_a10_a_project_is_created_once_listed_and_shown(cli):
    assert cli.ok("create", "project", "my-project") == 'Project: "my-project" created\n'
    again = cli("create", "project", "my-project")
    assert (again.code, again.stderr) == (1, 'Error: Project already exists: "my-project"\n')
    head, row = rows(cli.ok("get", "projects"))
    assert (head, row[0]) == (["NAME", "PIPELINES", "LAST_UPDATED", "TAGS"], "my-project")
    shown = cli.json("get", "project", "my-project")
    assert shown["projectName"] == "my-project"
    assert ID.fullmatch(shown["id"])
    assert shown["pipelinesNumber"] == 0  # the official table shows a 0 as blank


@pytest.mark.usefixtures("seed")
def test_a11_a12_a_pipeline_is_created_from_its_spec_once(cli):
    assert PIPELINE in cli.ok("get", "pipelines")
    again = cli("create", "pipeline", "-f", "seed.yml")
    assert again.code == 1
    assert again.stderr.startswith("Error: ")
    assert PIPELINE in again.stderr


@pytest.mark.usefixtures("seed")
def test_a13_a_pipeline_makes_the_round_trip_without_its_secret(cli):
    text = cli.ok("get", "pipeline", PIPELINE, "-o", "yaml")
    assert "secret-value" not in text
    written = {one["key"]: one["value"] for one in yaml.safe_load(text)["spec"]["variables"]}
    assert written == {"PORT": 5000, "SECRET": "*****"}
    cli.write("x.yml", text)
    cli.ok("delete", "pipeline", PIPELINE)
    cli.ok("create", "-f", "x.yml")
    shown = cli.json("get", "pipeline", PIPELINE)
    metadata, spec = shown["metadata"], shown["spec"]
    assert (metadata["description"], metadata["labels"]) == (
        "my description",
        {"key1": "value1", "key2": "value2"},
    )
    assert spec["steps"] == SEED["spec"]["steps"]
    assert {name: spec["triggers"][0][name] for name in TRIGGER} == TRIGGER
    values = {variable["key"]: variable["value"] for variable in spec["variables"]}
    assert values == {"PORT": 5000, "SECRET": ""}  # the text that stood for it is no secret


@pytest.mark.usefixtures("seed")
def test_a14_pipelines_are_listed_as_ids_names_and_wide(cli):
    assert ID.fullmatch(cli.ok("get", "pipelines", "-o", "id").strip())
    assert cli.ok("get", "pipelines", "-o", "name").strip() == f"pipeline/{PIPELINE}"
    assert rows(cli.ok("get", "pipelines", "-o", "wide"))[0] == ["ID", "NAME", "UPDATED", "CREATED"]


def test_a15_an_unknown_pipeline_is_named(cli):
    done = cli("get", "pipeline", "nope/nope")
    assert done.code == 1
    assert done.stderr.startswith("Error: Pipeline 'nope/nope' was not found.")


# Run


def test_a16_a_run_is_followed_to_its_success(cli, acme):
    acme.pipeline("ok")
    log = cli.ok("run", "p/ok")
    assert re.search(r"Step: +\S*hello|Step: .*hello", log), log
    assert log.count("hello from ok") == 1


def test_a17_a_failing_run_ends_with_1_and_is_listed_as_error(cli, acme):
    acme.pipeline("fail")
    assert cli("run", "p/fail").code == 1
    assert cli.json("get", "builds")["status"] == "error"


def test_a18_an_unknown_pipeline_cannot_be_run(cli):
    done = cli("run", "nope")
    assert (done.code, done.stderr) == (1, "Error: Passed pipeline id: nope does not exist\n")


def test_a19_undeclared_variables_reach_the_steps(cli, acme):
    acme.pipeline("vars")
    assert "values: sample1 SAMPLE2" in cli.ok(
        "run", "p/vars", "-v", "sample-var1=sample1", "-v", "SAMPLE_VAR2=SAMPLE2"
    )


def test_a20_a_detached_run_prints_its_id_and_keeps_branch_and_trigger(cli, acme):
    acme.pipeline("seed", triggers=[TRIGGER])
    build_id = cli.ok("run", "p/seed", "-b", "master", "-t", "my-trigger", "-d").strip()
    assert ID.fullmatch(build_id)
    listed = cli.json("get", "builds")
    assert (listed["id"], listed["branch"], listed["trigger"]) == (build_id, "master", "my-trigger")


@pytest.mark.parametrize("style", ["the object of the page", "a list"])
def test_a21_a22_curl_runs_a_pipeline_by_id_and_reads_the_build(acme, style):
    pipeline_id, key = acme.pipeline("vars"), acme.key()
    variables = {"sample-var1": "sample1", "SAMPLE_VAR2": "SAMPLE2"}
    body = {
        "serviceId": pipeline_id,
        "type": "build",
        "repoOwner": "kostis-codefresh",
        "branch": "master",
        "repoName": "nestjs-example",
        "variables": variables
        if style != "a list"
        else [{"key": name, "value": text} for name, text in variables.items()],
    }
    answer = curl(
        f"{acme.server.url}/api/builds/{pipeline_id}",
        "--compressed",
        *("-H", "content-type:application/json; charset=utf-8", "-H", f"Authorization: {key}"),
        *("--data-binary", json.dumps(body)),
    )
    build_id = json.loads(answer)
    assert ID.fullmatch(build_id)
    assert reached(acme, build_id, *FINAL) == "success"
    assert "values: sample1 SAMPLE2" in acme.server.log(build_id, "show")
    headers = ("--header", "Accept: application/json", "--header", f"Authorization: {key}")
    build = json.loads(curl("-X", "GET", *headers, f"{acme.server.url}/api/builds/{build_id}"))
    assert (build["id"], build["status"], build["pipelineName"]) == (build_id, "success", "p/vars")
    assert build["created"] <= build["started"] <= build["finished"]


# Builds


def test_a23_one_build_is_one_row_with_the_status_of_the_api(cli, acme):
    acme.pipeline("ok")
    build_id = acme.run("p/ok")
    status = reached(acme, build_id, *FINAL)
    head, row = rows(cli.ok("get", "builds", build_id))
    assert head[:3] == ["ID", "PIPELINE-NAME", "STATUS"]
    assert row[:3] == [build_id, "p/ok", status]


def test_a24_builds_are_listed_newest_first_page_by_page(cli, acme):
    acme.pipeline("ok")
    newest_first = [acme.run("p/ok") for _ in range(3)][::-1]
    assert cli.ok("get", "builds", "-l", "2", "-o", "id").split() == newest_first[:2]
    assert cli.ok("get", "builds", "-l", "2", "--page", "2", "-o", "id").split() == newest_first[2:]


def test_a25_builds_are_listed_by_status(cli, acme):
    acme.pipeline("ok")
    acme.pipeline("fail")
    failed, done = acme.run("p/fail"), acme.run("p/ok")
    reached(acme, failed, "error")
    reached(acme, done, "success")
    assert cli.ok("get", "builds", "-s", "error", "-o", "id").split() == [failed]


# Rights


def test_a26_a_key_that_only_reads_starts_nothing(cli, acme):
    acme.pipeline("ok")
    done = cli.having(acme.key("pipeline:read"))("run", "p/ok", "-d")
    assert done.code == 1
    assert NO_PERMISSION in done.stderr
    assert acme.builds() == []


def test_a27_a_key_that_runs_and_reads_is_enough_to_follow(cli, acme):
    acme.pipeline("ok")
    log = cli.having(acme.key("pipeline:run", "pipeline:read", "build:read")).ok("run", "p/ok")
    assert "hello from ok" in log


def test_a28_a_key_that_reads_projects_creates_none(cli, acme):
    done = cli.having(acme.key("project:read"))("create", "project", "z")
    assert done.code == 1
    assert NO_PERMISSION in done.stderr


def test_a29_a30_a_token_is_shown_once_works_and_is_dead_when_deleted(cli, acme):
    acme.pipeline("ok")
    scopes = ("-s", "pipeline:run", "-s", "pipeline:read", "-s", "build:read")
    printed = cli.ok("create", "token", "ci", *scopes)
    assert printed.startswith("Token created:")
    token = re.search(r"[0-9a-f]{24}\.\S+", printed)[0]
    holder = cli.having(token)
    assert "hello from ok" in holder.ok("run", "p/ok")
    table = cli.ok("get", "tokens")
    assert rows(table)[0] == ["ID", "NAME", "TOKEN_PREFIX", "CREATED", "SCOPES"]
    assert token not in table
    found = next(row for row in rows(table) if row[1] == "ci")
    assert "pipeline:run" in " ".join(found)
    assert cli.ok("delete", "token", found[0]) == f"Deleted token: '{found[0]}'\n"
    refused = holder("run", "p/ok", "-d")
    assert refused.code == 1
    assert "Please create or update your authentication context" in refused.stderr


# Approvals


@pytest.mark.parametrize(("verb", "said"), [("approve", "approved"), ("deny", "denied")])
def test_a31_a32_an_approval_is_answered(cli, acme, verb, said):
    acme.pipeline("approval")
    build_id = acme.run("p/approval")
    reached(acme, build_id, "pending-approval")
    answering = cli.having(acme.key("pipeline:approve", "build:read"))
    assert answering.ok(verb, build_id) == f"Workflow {build_id} has been {said}.\n"
    assert (reached(acme, build_id, *FINAL) == "success") == (verb == "approve")


# Further than the first stone


def test_a33_a_running_build_is_terminated_and_waited_for(cli, acme):
    acme.pipeline("slow")
    build_id = acme.run("p/slow")
    reached(acme, build_id, "running")
    assert cli.ok("terminate", build_id) == f"Build: {build_id} terminated\n"
    said = cli.ok("wait", build_id, "-s", "terminated", "-t", "1")
    assert said == f"Build: {build_id} status: terminated reached\n"


def test_a34_the_log_of_a_finished_build_is_printed_with_or_without_times(cli, acme):
    acme.pipeline("ok")
    build_id = acme.run("p/ok")
    reached(acme, build_id, "success")
    stamp = re.compile(r"\[\d{4}-\d\d-\d\dT[\d:.]+Z\]")
    full, bare = cli.ok("logs", build_id), cli.ok("logs", build_id, "--no-timestamps")
    assert "hello from ok" in bare
    assert not stamp.search(bare)
    assert stamp.sub("", full) == bare


def test_a35_a_followed_log_ends_with_its_build(cli, acme):
    acme.pipeline(
        "short", steps={"nap": {"image": "alpine", "commands": ["echo begun", "sleep 3", "echo woke"]}}
    )
    build_id = acme.run("p/short")
    log = cli.ok("logs", "-f", build_id)
    assert (log.count("begun"), log.count("woke")) == (1, 1)
    assert acme.build(build_id)["status"] == "success"


def test_a36_a_build_is_restarted_detached_and_followed(cli, acme):
    acme.pipeline("vars")
    build_id = acme.run("p/vars", variables={"A": "kept"})
    reached(acme, build_id, "success")
    second = cli.ok("restart", build_id, "-d").strip()
    assert ID.fullmatch(second)
    assert second != build_id
    assert "kept" in cli.ok("restart", build_id)


def test_a37_a_file_is_validated(cli):
    cli.write("ok.yml", yaml.safe_dump({"version": "1.0", "steps": STEPS["ok"]}))
    cli.write("bad.yml", yaml.safe_dump({"version": "1.0", "steps": {"hello": {"commands": ["echo"]}}}))
    assert cli.ok("validate", "ok.yml") == "Yaml is valid!\n"
    bad = cli("validate", "bad.yml")
    assert bad.code == 1
    assert "image" in bad.stdout + bad.stderr


@pytest.mark.usefixtures("seed")
def test_a38_a_pipeline_is_replaced_and_keeps_its_id(cli):
    before = cli.json("get", "pipeline", PIPELINE)
    text = cli.ok("get", "pipeline", PIPELINE, "-o", "yaml")
    cli.write("x.yml", text.replace("my description", "another one"))
    assert cli.ok("replace", "-f", "x.yml") == f"Pipeline '{PIPELINE}' updated\n"
    after = cli.json("get", "pipeline", PIPELINE)
    assert after["metadata"]["description"] == "another one"
    assert after["metadata"]["id"] == before["metadata"]["id"]


def test_a39_a41_a_config_context_is_kept_and_given_to_a_run(cli, acme):
    acme.pipeline("vars")
    cli.ok("create", "context", "config", "c1", "-v", "A=1-from-c1", "-v", "B=x=y")
    shown = yaml.safe_load(cli.ok("get", "context", "c1", "-o", "yaml"))
    assert shown["spec"]["data"] == {"A": "1-from-c1", "B": "x=y"}
    assert "1-from-c1" in cli.ok("run", "p/vars", "-c", "c1")
    unknown = cli("run", "p/vars", "-c", "c2", "-d")
    assert unknown.code == 1
    assert "Failed to verify context" in unknown.stderr


def test_a40_a_secret_context_is_masked_until_an_admin_asks(cli):
    cli.ok("create", "context", "secret", "s1", "-v", "T=top")
    assert "top" not in cli.ok("get", "context", "s1", "-o", "yaml")
    assert "T: top" in cli.ok("get", "context", "s1", "-o", "yaml", "--decrypt")


def test_a42_an_annotation_is_set_listed_and_deleted(cli, acme):
    acme.pipeline("ok")
    build_id = acme.run("p/ok")
    cli.ok("create", "annotation", "workflow", build_id, "cov=75%")
    assert "75%" in cli.ok("get", "annotation", "workflow", build_id)
    cli.ok("delete", "annotation", "workflow", build_id, "cov")
    assert "75%" not in cli.ok("get", "annotation", "workflow", build_id)


def test_a43_a_step_type_is_created_shown_replaced_used_and_deleted(cli, acme):
    document = {
        "version": "1.0",
        "kind": "step-type",
        "metadata": {"name": "acme/hello", "version": "1.0.0", "categories": ["utility"]},
        "spec": {
            "arguments": '{"required": ["WHO"], "properties": {"WHO": {"type": "string"}}}',
            "steps": {"main": {"image": "alpine", "commands": ["echo hello ${{WHO}}"]}},
        },
    }
    cli.write("step.yml", yaml.safe_dump(document))
    assert cli.ok("create", "-f", "step.yml") == "Step-type acme/hello created\n"
    head, shown = rows(cli.ok("get", "step-types", "acme/hello"))
    assert head[:3] == ["NAME", "VERSION", "CATEGORY"]
    assert shown[:3] == ["acme/hello", "1.0.0", "utility"]
    assert "acme/hello" in cli.ok("get", "step-types", "--private")
    document["metadata"]["version"] = "1.1.0"
    cli.write("step.yml", yaml.safe_dump(document))
    assert cli.ok("replace", "-f", "step.yml") == "Step-type 'acme/hello' updated\n"
    assert rows(cli.ok("get", "step-types", "acme/hello", "--versions")) == [
        ["VERSION"],
        ["1.1.0"],
        ["1.0.0"],
    ]
    acme.pipeline("custom", steps={"greet": {"type": "acme/hello:1.0.0", "arguments": {"WHO": "you"}}})
    assert "hello you" in cli.ok("run", "p/custom")
    assert cli.ok("delete", "step-type", "acme/hello") == "Step-type 'acme/hello' deleted.\n"
    gone = cli("get", "step-types", "acme/hello")
    assert gone.code == 1
    assert "was not found" in gone.stderr


LISTS = (
    "agents",
    "boards",
    "builds",
    "clusters",
    "compositions",
    "contexts",
    "environments",
    "helm-repo",
    "images",
    "registry",
    "repository",
    "runtime-environments",
    "step-types",
    "system-runtime-environments",
    "teams",
    "tokens",
    "triggers",
    "trigger-events",
    "trigger-types",
)
# What an account has without anybody making it.
NEVER_EMPTY = ("contexts", "runtime-environments", "step-types", "teams", "tokens", "trigger-types")


@pytest.mark.parametrize("noun", LISTS)
def test_a44_every_list_of_the_makers_is_answered(cli, acme, noun):
    auth = {"type": "basic", "password": "x"}
    document = {
        "metadata": {"name": "gh", "default": True},
        "spec": {"type": "git.github", "data": {"auth": auth}},
    }
    acme.call("POST", "/api/contexts", document)
    printed = cli.ok("get", noun)
    if noun == "system-runtime-environments" and cli.program != OURS:
        assert printed == ""  # it hides the command from users of a platform
    else:
        assert (printed == "no available resources\n") == (noun not in NEVER_EMPTY)


def test_a44_the_repositories_of_a_git_host_are_listed_added_and_forgotten(cli, acme, git_host):
    auth = {"type": "basic", "password": "good", "apiHost": git_host}
    document = {
        "metadata": {"name": "gh", "default": True},
        "spec": {"type": "git.github", "data": {"auth": auth}},
    }
    acme.call("POST", "/api/contexts", document)
    head, row = rows(cli.ok("get", "repository", "-a"))
    assert (head, row) == (
        ["GIT_CONTEXT", "OWNER", "NAME", "REPO_SHORTCUT"],
        ["gh", "acme", "shop", "acme/shop"],
    )
    assert cli.ok("add", "repository", "acme/shop") == (
        'Found repository "shop" at context "gh"\nRepository added: acme/shop\n'
    )
    assert rows(cli.ok("get", "repository"))[1] == ["gh", "acme", "shop", "acme/shop"]
    assert cli.ok("delete", "repository", "acme/shop") == "Successfully deleted repo: acme/shop\n"
    assert cli.ok("get", "repository") == "no available resources\n"


def test_a_team_gets_and_loses_a_user(cli, acme):
    user = acme.call("GET", "/api/user")

    def row_of(name):
        """The line of a team; everybody is in the team of all users."""
        return next(line for line in cli.ok("get", "teams").splitlines() if line.split()[1] == name)

    assert cli.ok("create", "team", "ops", "-t", "a") == "Team: ops created\n"
    [team] = [one for one in cli.json("get", "teams") if one["name"] == "ops"]
    words = ("-t", team.get("id") or team["_id"], "-u", user["_id"])
    assert cli.ok("patch", "team", *words) == f"User: {words[3]} was assigned to team: {words[1]}\n"
    assert user["userName"] in row_of("ops")
    assert cli.ok("delete", "team", *words) == f"User: {words[3]} was removed from team: {words[1]}\n"
    assert user["userName"] not in row_of("ops")


def test_a48_a_program_on_the_sdk_touches_every_resource(acme, official_program):
    environment = {
        "PATH": os.environ["PATH"],
        "NODE_PATH": str(official_program.program.parents[1]),
        "CF_URL": acme.server.url,
        "CF_API_KEY": acme.key(),
    }
    program = Path(__file__).with_name("sdk_program.js")
    done = subprocess.run(
        ["node", program], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "every resource was touched\n"), done.stderr


def test_a45_the_makers_own_story_runs_through(cli):
    cli.write("p.yml", yaml.safe_dump({**SEED, "metadata": {"name": "mine/test"}}))
    cli.ok("create", "project", "mine")
    cli.ok("create", "-f", "p.yml")
    cli.ok("run", "mine/test")
    cli.ok("delete", "pipeline", "mine/test")
    cli.ok("delete", "project", "mine")


def test_a46_the_server_tells_its_version(cli):
    assert cli.ok("version", "-c", "api").startswith("api version: ")
