"""Every command of the reference does what it says, when it is copied into a shell."""

import os
import shutil
import subprocess
from datetime import UTC, datetime

import pytest

from e2e.server import Server, make_key
from headrace.app.installation import routes
from headrace.http.openapi import curl
from headrace.resources.accounts import service as accounts
from headrace.resources.users import service as users
from headrace.storage.engine import Database, sqlite_url

ROUTES = {route.operation: route for route in routes()}
PASSWORD = ROUTES["auth-login"].example.body["password"]
PIPELINE = "/api/pipelines/my-project%2Fmy-basic-pipeline"
ASK = {"ask": {"type": "pending-approval"}}
HELLO = {"hello": {"image": "alpine", "commands": ["echo hello"]}}
# What is offered only to say that it is not.
NOT_OFFERED = {"firebase-auth", "pipelines-debug"}
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
    database.close()
    with Server(data, "--runtime", "fake", key=key) as found:
        yield found


class Town:
    """What there is on a server before an example runs: the values of its variables."""

    def __init__(self, server):
        self.server = server

    def make(self, operation):
        """Send the example body of an operation that creates."""
        route = ROUTES[operation]
        status, answer = self.server.call(route.method, f"/api{route.path}", route.example.body)
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
        git = {
            "kind": "context",
            "metadata": {"name": "github"},
            "spec": {"type": "git.github", "data": {"auth": {"type": "basic", "password": "x"}}},
        }
        assert self.server.call("POST", "/api/contexts", git)[0] in (200, 409)
        build_id = self.server.run(ASK if operation in WAITING else HELLO)
        wanted = ("pending-approval",) if operation in WAITING else ("success",)
        build = self.server.reached(build_id, *wanted)
        location = self.server.get(f"/api/progress/{build['progress']}")["location"]
        key = self.make("tokens-generate")
        found = {
            "ACCOUNT_ID": build["accountId"],
            "BUILD_ID": build_id,
            "PROGRESS_ID": build["progress"],
            "PROJECT_ID": self.server.get("/api/projects/name/my-project")["id"],
            "KEY_ID": key.partition(".")[0],
            "TOKEN": location["url"].partition("token=")[2],
        }
        if operation == "steps-create":
            self.clear("/api/step-types/acme%2Fhello")
        if operation == "contexts-create":
            self.clear("/api/contexts/shared-config")
        if operation in ("pipelines-create", "projects-create", "projects-delete"):
            self.clear(PIPELINE)
        if operation == "projects-create":
            self.clear(f"/api/projects/{found['PROJECT_ID']}")
        return found


@pytest.mark.parametrize("operation", sorted(ROUTES))
def test_an_example_works_as_printed(server, operation):
    known = {
        "PATH": os.environ["PATH"],
        "CF_URL": server.url,
        "CF_API_KEY": server.key,
        **Town(server).variables(operation),
    }
    command = curl(ROUTES[operation]) + r" --silent --show-error --max-time 30 --write-out '\n%{http_code}'"
    done = subprocess.run(
        ["bash", "-euc", command], env=known, capture_output=True, text=True, check=False, timeout=60
    )
    answer, _, status = done.stdout.rpartition("\n")
    assert (done.returncode, done.stderr) == (0, ""), command
    assert int(status) == (501 if operation in NOT_OFFERED else 200), f"{command}\n{answer}"
    assert answer
