"""A host outside that does not answer holds up what asked it, and nothing else."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from factories import make_build
from headrace.integrations.git import hosts
from headrace.resources.events import reports, repository, scheduler
from headrace.resources.events.schemas import Report

pytestmark = pytest.mark.enable_socket
YAML = b"version: '1.0'\nsteps: {unit: {image: alpine, commands: ['true']}}\n"
STEPS = {"unit": {"image": "alpine", "commands": ["true"]}}
CRON = {"type": "cron", "name": "nightly", "message": "good morning", "expression": "0 6 * * *"}
WAIT_S = 20


@pytest.fixture
def engine_name():
    """What waits for a host does not depend on the database."""
    return "sqlite"


@pytest.fixture
def silent(client, monkeypatch):
    """A Git host that says nothing before `answering` is set; its context is the account's default."""
    monkeypatch.setattr(hosts, "TIMEOUT_S", WAIT_S * 2)  # a busy machine must not end the silence

    class Silent(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

        def do_GET(self):
            server.asked.release()
            server.answering.wait(WAIT_S * 2)
            self.send_response(200)
            self.send_header("content-length", str(len(YAML)))
            self.end_headers()
            self.wfile.write(YAML)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    server.answering, server.asked = threading.Event(), threading.Semaphore(0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    auth = {"type": "basic", "apiURL": f"http://127.0.0.1:{server.server_port}", "password": "p"}
    body = {
        "metadata": {"name": "my-git", "default": True},
        "spec": {"type": "git.github", "data": {"auth": auth}},
    }
    assert client.post("/api/contexts", body).status == 200
    yield server
    server.answering.set()
    server.shutdown()
    server.server_close()
    thread.join()


def make(client, name, **spec):
    document = {"kind": "pipeline", "metadata": {"name": name}, "spec": spec}
    answer = client.post("/api/pipelines", document)
    assert answer.status == 200, answer.text


def in_repository(client, name, **spec):
    template = {"location": "git", "repo": "acme/shop", "path": "ci.yml", "revision": "main"}
    make(client, name, specTemplate=template, **spec)


@pytest.fixture
def remote(client, silent):
    """A pipeline whose YAML the silent host has."""
    in_repository(client, "p/remote")
    return silent


async def test_a_request_that_waits_for_a_host_holds_no_thread_that_others_share(client, remote):
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    run = asyncio.create_task(client.send("POST", "/api/pipelines/run/p%2Fremote", json={}))
    async with asyncio.timeout(WAIT_S):
        while not remote.asked.acquire(blocking=False):  # noqa: ASYNC110 - the host tells no loop
            await asyncio.sleep(0.01)
        # Logs are read there, and times looked at; requests have threads of their own.
        assert await asyncio.to_thread(lambda: "free") == "free"
        assert (await client.send("GET", "/api/pipelines/p%2Fremote")).status == 200
    remote.answering.set()
    assert (await run).status == 200


def test_a_time_whose_pipeline_waits_for_a_host_keeps_no_other_from_coming(client, silent, installation):
    in_repository(client, "p/remote", cronTriggers=[CRON])
    make(client, "p/plain", steps=STEPS, cronTriggers=[CRON])
    apart = scheduler.Apart()

    def tick():
        parts = (installation.database, installation.box, installation.networks)
        now = datetime.now(UTC) + timedelta(days=1)
        return scheduler.tick(*parts, base_url="http://testserver", now=now, apart=apart)

    def built():
        found = client.get("/api/workflow").json()["workflows"]["docs"]
        return sorted(build["pipelineName"] for build in found)

    assert tick() == 1
    assert silent.asked.acquire(timeout=WAIT_S)
    assert tick() == 0
    assert len(apart) == 1
    assert len(built()) == 1
    silent.answering.set()
    begun = threading.Event()
    threading.Thread(target=until, args=(lambda: len(apart) == 0, begun), daemon=True).start()
    assert begun.wait(WAIT_S)
    assert len(built()) == 2
    assert tick() == 0


def test_a_host_that_is_slow_to_hear_of_a_build_delays_no_other(client, silent, installation, people):
    told = threading.Event()

    class Quick(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            told.set()
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

    apart = scheduler.Apart()
    parts = (installation.database, installation.box, installation.networks)

    def due(moment):
        with installation.database.reading() as db:
            return [one.context for one in repository.reports_due(db, moment, limit=9)]

    def report(context):
        build = make_build(installation.database, people["admin"], status="success")
        fields = dict.fromkeys(("provider", "repo", "revision", "title", "reported"), "")
        with installation.database.transaction() as db:
            repository.add_report(
                db,
                Report(
                    **{**fields, "provider": "github", "repo": "acme/shop", "context": context},
                    build_id=build.id,
                    account_id=build.account_id,
                    attempts=0,
                    due_at=datetime.now(UTC),
                ),
            )

    with ThreadingHTTPServer(("127.0.0.1", 0), Quick) as quick:
        thread = threading.Thread(target=quick.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        auth = {"type": "basic", "apiURL": f"http://127.0.0.1:{quick.server_port}", "password": "p"}
        body = {"metadata": {"name": "quick"}, "spec": {"type": "git.github", "data": {"auth": auth}}}
        assert client.post("/api/contexts", body).status == 200
        for context in ("my-git", "my-git", "quick"):
            report(context)
        reports.tell(*parts, public_url="http://testserver", apart=apart)
        assert silent.asked.acquire(timeout=WAIT_S)
        assert told.wait(WAIT_S)
        report("my-git")
        reports.tell(*parts, public_url="http://testserver", apart=apart)  # asks nobody twice
        moment = datetime.now(UTC)
        assert due(moment) == ["my-git", "my-git"]
        silent.answering.set()  # what no host of that kind answers
        begun = threading.Event()
        threading.Thread(target=until, args=(lambda: len(apart) == 0, begun), daemon=True).start()
        assert begun.wait(WAIT_S)
        assert due(moment) == ["my-git", "my-git"]  # after a failure the rest waits for the next look
        quick.shutdown()
        thread.join()


def until(condition, event):
    """Set an event once a condition holds."""
    while not condition():
        threading.Event().wait(0.01)
    event.set()
