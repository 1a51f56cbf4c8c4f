"""Every example of the reference does what it says, copied into a shell or a program: all three forms."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from sqlalchemy import delete, update

from e2e.server import Server, make_key, until
from headrace.app.installation import routes
from headrace.client import ApiError, Client
from headrace.execution.ports import Launch, Report
from headrace.http.openapi import document
from headrace.http.samples import curl
from headrace.http.sse import Events
from headrace.kit.ids import new_id
from headrace.resources.accounts import service as accounts
from headrace.resources.builds import service as builds
from headrace.resources.environments import service as launched
from headrace.resources.environments.model import environments as launched_environments
from headrace.resources.runtime_environments import service as environments
from headrace.resources.runtime_environments.schemas import Worker
from headrace.resources.users import repository as people
from headrace.resources.users import service as users
from headrace.runtimes.base import LaunchedService
from headrace.storage.engine import Database, sqlite_url
from headrace.storage.reports import ReportStore

ROUTES = {route.operation: route for route in routes()}
SAMPLES = {
    operation["operationId"]: {one["label"]: one["source"] for one in operation["x-codeSamples"]}
    for item in document(ROUTES.values(), version="", server_url="")["paths"].values()
    for operation in item.values()
}
PASSWORD = ROUTES["auth-login"].example.body["password"]
PIPELINE = "/api/pipelines/my-project%2Fmy-basic-pipeline"
ASK = {"ask": {"type": "pending-approval"}}
PAUSE = {"hello": {"image": "alpine", "commands": ["true"], "debug": {"phases": {"before": True}}}}
HELLO = {"hello": {"image": "alpine", "commands": ["echo hello"]}}
# What is offered only to say that it is not: so the summary, on which the page of operations rests.
NOT_OFFERED = {name for name, route in ROUTES.items() if "not offered" in route.summary}
# Their senders prove that they know a secret, which an example has not.
UNSIGNED = {"triggers-events-run", "triggers-git-receive", "webhooks-git-receive"}
# Those that speak to the registry or cluster of the examples, which there is not, answer 400 and say so.
AWAY = ("namespaces", "pods", "services", "test", "workloads")
OTHERWISE = {
    "push-workflow-data": 201,
    "images-tag": 400,
    "registries-test": 400,
    "kubernetes-generate-image-pull-secret": 400,
    **{f"clusters-{name}": 400 for name in AWAY},
    **{f"helm-releases-{name}": 400 for name in ("get", "history", "list")},
    "helm-charts-promote-helm3": 400,
    "helm-sections-create": 404,  # its board is only an example
    "charts-list": 404,  # so is its repository
    "repos-git-list": 400,  # so is the password of the integration
    "repos-git-get-repo": 400,
    "accounts-add-existing-user-to-account": 409,  # is in it
    "accounts-add-pending-user-without-account": 404,  # the account is only an example
    # Their teams and rules are only examples, too.
    **{
        f"abac-rules-{name}": 404 for name in ("create", "create-or-delete", "create-in-batch", "tags-create")
    },
    "pipelines-analyze": 400,
    "test-reporting-open": 302,
    "teams-synchronize-client-with-group": 400,
    "agents-report-task": 403,  # with the agent's own key
}
# What an operation makes, so that it is not there before.
CLEARED = {
    "clusters-create": ("/api/clusters/local/cluster/prod",),
    "compositions-create": ("/api/compositions/shop",),
    "compositions-duplicate": ("/api/compositions/shop-copy",),
    "helm-repos-create": ("/api/helm/repos/charts",),
    "repos-create": ("/api/services/acme%2Fshop",),
    "contexts-create": ("/api/contexts/shared-config",),
    "registries-create": ("/api/registries/main",),
    "steps-create": ("/api/step-types/acme%2Fhello",),
}
OF_BUILDS = {"BUILD_ID", "PROGRESS_ID", "DATA_ID", "TOKEN"}
WAITING = {"workflow-approve", "workflow-deny"}


@pytest.fixture(scope="module")
def server(tmp_path_factory, migrated_sqlite):
    if shutil.which("curl") is None:
        pytest.skip("no curl here: install the package curl")
    data = tmp_path_factory.mktemp("examples") / "data"
    data.mkdir()
    shutil.copyfile(migrated_sqlite, data / "headrace.db")
    url = sqlite_url(data / "headrace.db")
    key = make_key(url)
    database = Database(url)
    with database.transaction() as db:
        acme = accounts.by_name(db, "acme")
        users.create(db, acme.id, "admin", password=PASSWORD, is_account_admin=True, now=datetime.now(UTC))
        for user_id in users.members(db, acme.id):  # the key is that of an admin of the installation
            people.change(db, user_id, is_platform_admin=True)
    database.close()
    with Server(data, "--runtime", "fake", "--rate-limit", "0", key=key) as found:
        yield found


class Town:
    """What there is on a server before an example runs: the values of its variables."""

    def __init__(self, server):
        self.server = server

    def make(self, operation, **path):
        """Send the example body of an operation that creates."""
        route = ROUTES[operation]
        place = f"/api{route.path}".format(**path)
        status, answer = self.server.call(route.method, place, route.example.body)
        assert status in (200, 409), answer
        return answer

    def clear(self, *paths):
        for path in paths:
            status, answer = self.server.call("DELETE", path)
            assert status in (200, 404), answer

    def variables(self, operation):
        """Make everything that an example may name, but not what it makes itself."""
        self.make("projects-create")
        self.make("pipelines-create")
        self.make("contexts-create")
        self.make("steps-create")
        self.make("registries-create")
        self.make("clusters-create", provider="local")
        self.make("compositions-create")
        self.make("annotations-create")
        self.make("images-add-from-external-source")
        metadata = ROUTES["images-upsert-metadata"].example
        image = f"/api/images/{quote(metadata.path['dockerImageId'], safe='')}"
        assert self.server.call("POST", f"{image}/metadata", metadata.body)[0] == 200
        git = {
            "kind": "context",
            "metadata": {"name": "github"},
            "spec": {"type": "git.github", "data": {"auth": {"type": "basic", "password": "x"}}},
        }
        assert self.server.call("POST", "/api/contexts", git)[0] in (200, 409)
        needed = set(re.findall(r"\$([A-Z_]+)", curl(ROUTES[operation])))
        account_id = self.server.get("/api/user")["account"][0]["_id"]
        key = self.make("tokens-generate")
        pipeline_id = self.server.get(PIPELINE)["metadata"]["id"]
        found = {
            "ACCOUNT_ID": account_id,
            "PROJECT_ID": self.server.get("/api/projects/name/my-project")["id"],
            "KEY_ID": key.partition(".")[0],
            "AGENT_ID": (agent := self.agent("runner")),
            "TASK": self.task(agent) if operation in ("agents-get-task", "agents-report-task") else "",
            "EVENT": quote(self.event(), safe=""),
            "PIPELINE_ID": pipeline_id,
            "RUNTIME_ENVIRONMENT": self.environment(operation),
            "TRIGGER_ID": pipeline_id,
            **(self.built(operation) if needed & OF_BUILDS else {}),
            **self.gathered(account_id),
        }
        link = f"/api/hermes/triggers/{found['EVENT']}/my-project%2Fmy-basic-pipeline"
        assert self.server.call("POST", link, {})[0] == 200
        assert self.server.call("POST", "/api/webhooks/git")[0] == 200
        if operation == "triggers-events-create":
            self.clear(f"/api/hermes/events/{found['EVENT']}")
        if operation in ("accounts-add-account", "accounts-delete-account"):
            for one in self.server.get("/api/admin/accounts?name=new-account"):
                self.clear(f"/api/admin/accounts/{one['_id']}")
        if operation == "accounts-delete-account":  # not that of the key
            found["ACCOUNT_ID"] = self.make("accounts-add-account")["_id"]
        if operation == "agent-create":
            for one in self.server.get("/api/agents?name=my-agent"):
                self.clear(f"/api/agent/{one['id']}")
        self.clear(*CLEARED.get(operation, ()))
        if operation.startswith("envs-"):
            self.launched(operation, self.build(operation))
        if operation in ("pipelines-create", "projects-create", "projects-delete"):
            self.clear(PIPELINE)
        if operation == "projects-create":
            self.clear(f"/api/projects/{found['PROJECT_ID']}")
        return found

    def build(self, operation):
        """Return a build that is where the operation wants it: waiting, or ended."""
        if operation in WAITING:
            return self.server.reached(self.server.run(ASK), "pending-approval")
        if operation != "workflow-debug":
            return self.server.reached(self.server.run(HELLO), "success")
        build_id = self.server.run(PAUSE, path=PIPELINE.replace("/pipelines/", "/pipelines/debug/"))
        until(lambda: self.server.build(build_id)["paused"], f"build {build_id} to wait at its breakpoint")
        return self.server.build(build_id)

    def built(self, operation):
        """Return what an example may name of such a build."""
        build = self.build(operation)
        url = self.server.get(f"/api/progress/{build['progress']}")["location"]["url"]
        token = url.partition("token=")[2]
        if operation.startswith("test-reporting-"):
            token = self.reported(build["id"])
        return {
            "BUILD_ID": build["id"],
            "PROGRESS_ID": build["progress"],
            "DATA_ID": self.server.call("POST", f"/api/workflow/{build['id']}/data", {"a": 1})[1]["_id"],
            "TOKEN": token,
        }

    def reported(self, build_id):
        """Keep the report of the examples with a build; return the token in its addresses."""
        report_id, page = ROUTES["test-reporting-open"].example.path["path"].split("/")
        files = [(page, [b"all passed"]), (ROUTES["test-reporting-file"].example.path["path"], [b"{}"])]
        report = Report(
            id=report_id, step="unit", page=page, files=2, size_bytes=12, created_at=datetime.now(UTC)
        )
        ReportStore(self.server.data / "reports").keep(build_id, report, files)
        answer = self.server.call("GET", f"/api/testReporting/{build_id}/{report_id}/{page}")[1]
        return answer["url"].split("/")[3]

    def agent(self, name):
        """Make an agent of this name where there is none; return its id."""
        status, answer = self.server.call("POST", "/api/agents", {"name": name})
        return answer["id"] if status == 200 else self.server.get(f"/api/agents/name/{name}")["id"]

    def task(self, agent_id):
        """Ask an agent to look at the cluster of the examples; return the id of the task."""
        return self.server.call("POST", f"/api/agent/{agent_id}/tasks", {"cluster": "prod"})[1]["_id"]

    def gathered(self, account_id):
        """Make a board with a section, a Helm repository, a repository, and a team with a user."""
        self.make("helm-repos-create")
        assert self.server.call("POST", "/api/services?context=github", ROUTES["repos-create"].example.body)[
            0
        ] in (200, 409)
        self.clear("/api/helm/boards")
        self.server.call("POST", "/api/helm/boards", {"name": "production"})
        board_id = self.server.get("/api/helm/boards/name/production")["_id"]
        section = {"boardId": board_id, "name": "main"}
        for team in self.server.get("/api/team"):
            if team["name"] != "users":
                self.clear(f"/api/team/{team['_id']}")
        for user in self.server.get(f"/api/accounts/{account_id}/users"):
            if user["userName"] in ("kim@example.org", "temporary"):
                self.clear(f"/api/accounts/{account_id}/{user['_id']}")
        for machine in self.server.get("/api/service-users"):
            self.clear(f"/api/service-users/{machine['_id']}")
        # Somebody who may be taken out: not the user of the key.
        made = self.server.call("POST", f"/api/accounts/{account_id}/adduser", {"userDetails": "temporary"})[
            1
        ]
        user_id = made["_id"]
        team_id = self.server.call("POST", "/api/team", {"name": "ops", "users": [user_id]})[1]["_id"]
        machine = {"userName": "robot"}
        machine_id = self.server.call("POST", "/api/service-users", machine)[1]["_id"]
        key = self.server.call("POST", f"/api/auth/key/service-user/{machine_id}", {"name": "deploy"})[1]
        allowed = {"team": team_id, "resource": "pipeline", "action": "run", "tags": ["dev"]}
        rule = self.server.call("POST", "/api/abac", allowed)[1][0]["id"]
        return {
            "BOARD_ID": board_id,
            "SECTION_ID": self.server.call("POST", "/api/helm/boards/sections", section)[1]["_id"],
            "KEY": key.partition(".")[0],
            "RULE": rule,
            "SERVICE_USER_ID": machine_id,
            "TEAM_ID": team_id,
            "USER_ID": user_id,
        }

    def event(self):
        """Make the event of the example where there is none; return its URI."""
        self.make("triggers-events-create")
        return self.server.get("/api/hermes/events")[0]["uri"]

    def launched(self, operation, build):
        """Have an environment in the state that the example needs, on an engine that nobody asks."""
        status = {"envs-start": "stopped", "envs-unpause": "paused"}.get(operation, "running")
        launch = Launch(name="shop", composition="", entry_point="", services={"web": "a"}, engine="none")
        database = Database(sqlite_url(self.server.data / "headrace.db"))
        with database.transaction() as db:
            db.execute(delete(launched_environments))
            made = launched.begin(db, builds.anybody_s(db, build["id"]), launch)
            account_id = build["accountId"]
            launched.runs(db, account_id, made.id, (LaunchedService(name="web", image="a", state="running"),))
            db.execute(update(launched_environments).values(status=status))
        database.close()

    def environment(self, operation):
        """Report a worker of another environment, which the example may delete."""
        if operation != "runtime-envs-delete":
            return "default"
        now, name = datetime.now(UTC), f"elsewhere-{new_id()}"  # one that was deleted does not come back
        worker = Worker(
            id=new_id(),
            environment=name,
            runtime="fake",
            host="test",
            capacity=1,
            running=0,
            started_at=now,
            seen_at=now,
        )
        database = Database(sqlite_url(self.server.data / "headrace.db"))
        with database.transaction() as db:
            environments.report(db, worker)
        database.close()
        return name


def expected_of(operation):
    if operation in NOT_OFFERED:
        return 501
    return 401 if operation in UNSIGNED else OTHERWISE.get(operation, 200)


def shell(server, command, variables):
    """Run a line in a shell that knows the server, the key and the variables of the example."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    known = {"PATH": path, "CF_URL": server.url, "CF_API_KEY": server.key, **variables}
    return subprocess.run(
        ["bash", "-euc", command], env=known, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("operation", sorted(ROUTES))
def test_an_example_works_as_printed(server, operation):
    command = curl(ROUTES[operation]) + r" --silent --show-error --max-time 30 --write-out '\n%{http_code}'"
    done = shell(server, command, Town(server).variables(operation))
    answer, _, status = done.stdout.rpartition("\n")
    assert (done.returncode, done.stderr) == (0, ""), command
    assert int(status) == expected_of(operation), f"{command}\n{answer}"
    assert answer


def decoded(variables):
    """The variables as a client takes them, which encodes what it is given."""
    return {name: unquote(value) for name, value in variables.items()}


@pytest.mark.parametrize("operation", sorted(ROUTES))
def test_the_example_of_our_command_works_as_printed(server, operation):
    command = SAMPLES[operation]["codefresh"]
    done = shell(server, command, decoded(Town(server).variables(operation)))
    if expected_of(operation) < 300:
        assert (done.returncode, done.stderr) == (0, ""), command
        assert done.stdout or ROUTES[operation].result_type is Events  # there may be no event
    else:
        assert (done.returncode, done.stdout) == (1, ""), command
        assert done.stderr.startswith("Error: ")


@pytest.mark.parametrize("operation", sorted(ROUTES))
def test_the_example_of_the_python_client_works_as_printed(server, operation):
    variables = {name.lower(): value for name, value in decoded(Town(server).variables(operation)).items()}
    client = Client(server.url, server.key)
    code, wanted = compile(SAMPLES[operation]["Python"], operation, "exec"), expected_of(operation)
    if wanted < 300:
        exec(code, {"client": client, **variables})  # noqa: S102 — the example is ours
    else:
        with pytest.raises(ApiError) as refused:
            exec(code, {"client": client, **variables})  # noqa: S102 — the example is ours
        assert refused.value.status == wanted


def test_the_examples_of_the_python_client_have_the_types_that_it_asks_for(tmp_path):
    names = sorted(
        {found for one in SAMPLES.values() for found in re.findall(r"\$([A-Z_]+)", one["codefresh"])}
    )
    lines = ["from headrace.client import Client", 'client = Client("http://h")']
    lines += [f'{name.lower()} = ""' for name in names]
    (tmp_path / "examples.py").write_text("\n".join([*lines, *(one["Python"] for one in SAMPLES.values())]))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file=", "examples.py"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "MYPYPATH": str(Path(__file__).parents[2] / "src")},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.stdout == "Success: no issues found in 1 source file\n"
