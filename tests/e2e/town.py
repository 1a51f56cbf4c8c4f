"""People with keys on a real server, and the two clients in their hands.

account = Town(server, database).account()
cli = Cli(program, home, server.url, account.key())
assert cli("create", "project", "p").code == 0
"""

import itertools
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from e2e import official
from headrace.resources.accounts import service as accounts
from headrace.resources.api_keys import service as api_keys
from headrace.resources.environments import repository as environments
from headrace.resources.users import service as users
from headrace.runtimes.base import LaunchedService

OURS = Path(sys.executable).parent / "codefresh"
ALPINE = "alpine:latest"


def step(*commands, **fields):
    """A freestyle step."""
    return {"image": ALPINE, "commands": list(commands), **fields}


STEPS = {
    "ok": {"hello": step("echo hello from ok")},
    "fail": {"broken": step("echo about to fail", "exit 3")},
    "slow": {"sleeper": step("echo now I sleep", "sleep 60")},
    "approval": {"ask": {"type": "pending-approval"}, "after": step("echo it was allowed")},
    "vars": {"show": step("echo 'values: ${{sample-var1}} ${{SAMPLE_VAR2}} ${{A}}'")},
    "seed": {"PrintFileList": step("ls -l", title="Listing files")},
}
TRIGGER = {
    "type": "git",
    "provider": "github",
    "name": "my-trigger",
    "repo": "kostis-codefresh/nestjs-example",
    "events": ["push"],
    "branchRegex": "/./",
}


class Town:
    """Accounts on a server, made in its database.

    Args:
        server: a started `Server`.
        database: the `Database` under it.
    """

    def __init__(self, server, database):
        self.server, self.database = server, database
        self._numbers = itertools.count(1)

    def account(self, user=None, password=None):
        """Make an account with nothing in it: every test may use the names of its scenario."""
        name = f"acme-{next(self._numbers)}"
        return Account(self, name, user or f"dev-{name}", password)


class Account:
    """An account and its one user, who is its admin."""

    def __init__(self, town, name, user, password):
        self.name, self.server, self._database = name, town.server, town.database
        now = datetime.now(UTC)
        with self._database.transaction() as db:
            self.id = accounts.create(db, name, now=now).id
            made = users.create(db, self.id, user, is_account_admin=True, password=password, now=now)
        self.user_id = made.id
        self._full_key = self.key()

    def key(self, *scopes):
        """Make a key with these scopes; without any it may do everything."""
        with self._database.transaction() as db:
            return api_keys.create(
                db, self.id, user_id=self.user_id, name="test", scopes=scopes, now=datetime.now(UTC)
            )

    def call(self, method, path, body=None):
        """Send a request with full access; return the answer, which must be a success."""
        status, answer = self.server.call(method, path, body, {"Authorization": self._full_key})
        assert status < 300, (method, path, status, answer)
        return answer

    def pipeline(self, kind, name=None, steps=None, **spec):
        """Make one of the fixture's pipelines in project `p`, or one of other steps; return its id."""
        document = {
            "version": "1.0",
            "kind": "pipeline",
            "metadata": {"name": name or f"p/{kind}"},
            "spec": {"steps": steps or STEPS[kind], **spec},
        }
        return self.call("POST", "/api/pipelines", document)["metadata"]["id"]

    def run(self, name, **body):
        """Run a pipeline; return the id of the build."""
        return self.call("POST", f"/api/pipelines/run/{name.replace('/', '%2F')}", body)

    def environment(self, name, build_id, *, status="running", image="nginx"):
        """Put an environment on an engine at which nobody works: what is asked of it stays asked."""
        now = datetime.now(UTC)
        service = LaunchedService(name="web", image=image, state=status, ports={"80/tcp": "127.0.0.1:9"})
        with self._database.transaction() as db:
            environments.add(
                db,
                self.id,
                now=now,
                name=name,
                status=status,
                wish="",
                reason="",
                engine="elsewhere",
                composition="services",
                entry_point="web",
                services=(service,),
                build_id=build_id,
                repo="",
                branch="",
                revision="",
            )

    def build(self, build_id):
        """A build as the API shows it."""
        return self.call("GET", f"/api/builds/{build_id}")

    def builds(self):
        """All builds, newest first."""
        return self.call("GET", "/api/workflow?limit=100")["workflows"]["docs"]


class Cli:
    """A client with a home of its own.

    Args:
        program: which one.
        home: its folder.
        url: of the server.
        key: that it sends; none leaves it to `~/.cfconfig`.
    """

    def __init__(self, program, home, url, key=None):
        self.program, self.home, self.url, self.key = program, home, url, key
        home.mkdir(parents=True, exist_ok=True)

    def __call__(self, *words, **environment):
        """Run a command line; return what it printed and its exit code."""
        if self.key:
            environment = {"CF_API_KEY": self.key, "CF_URL": self.url, **environment}
        return official.run_client(self.program, list(words), self.home, environment)

    def ok(self, *words, **environment):
        """Run a command line that must succeed; return its standard output."""
        done = self(*words, **environment)
        assert done.code == 0, (words, done)
        return done.stdout

    def json(self, *words):
        """Run a command line with `-o json`; return what it printed."""
        return json.loads(self.ok(*words, "-o", "json"))

    def having(self, key):
        """The same client with another key."""
        return Cli(self.program, self.home, self.url, key)

    def write(self, name, text):
        """Put a file into the folder where the client works; an object is written as JSON."""
        path = self.home / name
        path.write_text(text if isinstance(text, str) else json.dumps(text))
        return path


def rows(table):
    """The rows of a printed table, each a list of words; the head is the first."""
    return [line.split() for line in table.splitlines() if line.strip()]


def curl(*words):
    """Run curl; return what the server said."""
    program = shutil.which("curl")
    assert program, "curl is needed: it is what the seed page uses"
    done = subprocess.run([program, "-sS", *words], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout
