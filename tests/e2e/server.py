"""A real `headrace serve` or `headrace worker` for one test, and a client that speaks to it.

server = Server(data, "--runtime", "local")
build_id = server.run(steps)
assert server.ended(build_id)["status"] == "success"
assert server.stop() == 0
"""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from headrace.kit.crypto import open_key_file
from headrace.resources.accounts import service as accounts
from headrace.resources.api_keys import service as api_keys
from headrace.resources.users import service as users
from headrace.runtimes import engine_answers
from headrace.storage.engine import Database, sqlite_url
from headrace.storage.logs import LogStore

HEADRACE = Path(sys.executable).parent / "headrace"
FINAL = ("success", "error", "denied", "terminated")
DEADLINE_S = 40.0
_LOOK_S = 0.01
_ADDRESS = re.compile(r" at http://127\.0\.0\.1:(\d+),")


def until(condition, what, deadline_s=DEADLINE_S):
    """Wait for a condition; return what it gave, or fail with ``what`` was waited for."""
    end = time.monotonic() + deadline_s
    while True:
        if found := condition():
            return found
        assert time.monotonic() < end, f"waited {deadline_s:g} s for {what}"
        time.sleep(_LOOK_S)


def make_key(url):
    """Make an account, an admin and a key in a migrated database; return the key."""
    database, now = Database(url), datetime.now(UTC)
    with database.transaction() as db:
        account = accounts.create(db, "acme", now=now)
        admin = users.create(db, account.id, "ada", is_account_admin=True, password=None, now=now)
        key = api_keys.create(db, account.id, user_id=admin.id, name="test", now=now)
    database.close()
    return key


def prepare(data, migrated):
    """Make a data folder from a migrated SQLite file; return the key of its admin."""
    data.mkdir(parents=True)
    shutil.copyfile(migrated, data / "headrace.db")
    return make_key(sqlite_url(data / "headrace.db"))


def engine():
    """The address of the Docker engine that tests may use; None where none answers."""
    host = os.environ.get("DOCKER_HOST", "")
    return host if host and engine_answers(host) else None


class Process:
    """One process of `headrace`; its standard output and its log are files beside the data folder."""

    def __init__(self, *words, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.out, self.err = folder / "stdout.txt", folder / "stderr.txt"
        environment = {name: text for name, text in os.environ.items() if not name.startswith("HEADRACE_")}
        self._from = self.err.stat().st_size if self.err.exists() else 0
        with self.out.open("ab") as out, self.err.open("ab") as err:
            self.process = subprocess.Popen(
                [str(HEADRACE), *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=folder,  # a `headrace.toml` of the checkout is not ours
                env=environment,
            )

    @property
    def said(self):
        """The log of this process: of a file that several in turn may share, its part."""
        return self.err.read_bytes()[self._from :].decode(errors="replace")

    def kill(self):
        """End it as a crash does."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ask it to end; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


class Worker(Process):
    """`headrace worker`, ready to claim."""

    def __init__(self, data, *words, name="worker"):
        super().__init__("worker", "--data", str(data), *words, folder=data.with_name(f"{data.name}-{name}"))
        until(lambda: "builds at a time" in self.said or self.process.poll() is not None, "the worker")
        assert self.process.poll() is None, self.said


class Server(Process):
    """`headrace serve` on a free port, ready to answer; started again on the same data, it goes on.

    Args:
        data: its data folder.
        words: more of its command line.
        key: sent with each request.
    """

    def __init__(self, data, *words, key=""):
        words = ("serve", "--data", str(data), "--port", "0", *words)
        super().__init__(*words, folder=data.with_name(f"{data.name}-server"))
        self.data, self.key = data, key
        self.port = int(until(self._address, "the server's address")[1])
        until(self._is_ready, "/readyz")

    def _address(self):
        assert self.process.poll() is None, self.said
        return _ADDRESS.search(self.said)

    def _is_ready(self):
        try:
            return self.call("GET", "/readyz")[0] == 200
        except OSError:
            assert self.process.poll() is None, self.said
            return False

    @property
    def url(self):
        """Where it is reached."""
        return f"http://127.0.0.1:{self.port}"

    def call(self, method, path, body=None, headers=None):
        """Send one request; return the status and the answer, parsed where it is JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        sent = {"Authorization": self.key} if self.key else {}
        try:
            connection.request(
                method,
                path,
                None if body is None else json.dumps(body),
                {"Content-Type": "application/json", **sent, **(headers or {})},
            )
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        if answer.headers.get_content_type() == "application/json":
            return answer.status, json.loads(data)
        return answer.status, data.decode()

    def get(self, path):
        """Return what a GET answers, which must be a success."""
        status, answer = self.call("GET", path)
        assert status == 200, (path, status, answer)
        return answer

    def run(self, steps, *, mode=None, path="/api/pipelines/run", **body):
        """Queue a build of these steps, by default without a pipeline; return its id."""
        document = {"version": "1.0", "steps": steps, **({"mode": mode} if mode else {})}
        body = {"userYamlDescriptor": json.dumps(document), **body}
        status, answer = self.call("POST", path, body)
        assert status == 200, answer
        return answer

    def build(self, build_id):
        """Return a build as the API shows it."""
        return self.get(f"/api/builds/{build_id}")

    def steps(self, build_id):
        """Return the steps of a build by name."""
        return {step["name"]: step for step in self.get(f"/api/builds/{build_id}/steps")}

    def ended(self, build_id):
        """Wait for the end of a build; return it."""
        return self.reached(build_id, *FINAL)

    def reached(self, build_id, *statuses):
        """Wait until a build has one of these statuses; return it."""

        def look():
            build = self.build(build_id)
            return build if build["status"] in statuses else None

        return until(look, f"build {build_id} to be {' or '.join(statuses)}")

    def log(self, build_id, step):
        """Return the stored log of a step as text."""
        return logs(self.data).read(build_id, step).decode()


def logs(data):
    """The logs of an installation, read from its files."""
    return LogStore(data / "logs")


def processes_of(data):
    """Return the command lines of processes that run steps below a data folder; they are called by it."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if line.startswith(f"{data}/builds".encode()):
                found.append(line.replace(b"\0", b" ").decode(errors="replace"))
    return found


def containers_of(data, kind="containers"):
    """Return what the Docker engine still has of an installation: containers, networks, volumes."""
    installation = open_key_file(data / "secrets.key").derive("name").hex()[:12]
    docker = shutil.which("docker")
    assert docker, "the docker command is needed to look for what is left"
    verb = {"containers": ("ps", "-a"), "networks": ("network", "ls"), "volumes": ("volume", "ls")}[kind]
    done = subprocess.run(
        [docker, *verb, "-q", "--filter", f"label=io.headrace.installation={installation}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()
