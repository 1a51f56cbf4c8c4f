"""`headrace worker` beside `headrace serve --no-worker`: one data folder, either database."""

import http.client
import re
import threading

import pytest

from e2e.server import DEADLINE_S, Server, Worker, make_key, processes_of, until

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

ASK = {"type": "pending-approval"}


def echo(*commands):
    return {"image": "alpine:latest", "commands": list(commands)}


@pytest.fixture
def words(database_url):
    """What the server and its workers have in common."""
    return "--runtime", "local", "--database-url", database_url, "--workers", "2"


@pytest.fixture
def server(database_url, words, tmp_path):
    with Server(tmp_path / "data", *words, "--no-worker", key=make_key(database_url)) as running:
        yield running


@pytest.fixture
def worker(server, words):
    """Start a worker: its name in this test."""
    started = []

    def begin(name="worker"):
        started.append(Worker(server.data, *words, name=name))
        return started[-1]

    yield begin
    for each in started:
        each.kill()


def follow(server, build_id, into):
    """Take the live log of a build as it comes, until the server ends it."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
    connection.request("GET", f"/api/builds/{build_id}/logs/stream", headers={"Authorization": server.key})
    answer = connection.getresponse()
    while chunk := answer.read1():
        into.append(chunk.decode())
    connection.close()


def test_a_build_waits_for_a_worker_and_its_log_is_followed_through_the_server(server, worker):
    build_id = server.run({"a": echo('echo first; until [ -e go ]; do sleep 0.02; done; echo "last"')})
    assert server.build(build_id)["status"] == "pending"
    told = []
    reader = threading.Thread(target=follow, args=(server, build_id, told), daemon=True)
    reader.start()
    worker()
    until(lambda: re.search(r"\] first", "".join(told)), "the first line")
    assert server.build(build_id)["status"] == "running"
    for volume in (server.data / "builds/volumes").iterdir():
        (volume / "go").touch()
    reader.join(DEADLINE_S)
    assert not reader.is_alive()
    assert "] last" in "".join(told)
    assert server.build(build_id)["status"] == "success"


def test_a_request_to_terminate_reaches_the_worker(server, worker):
    build_id = server.run({"a": echo("echo begun; sleep 60")})
    worker()
    until(lambda: "] begun" in server.log(build_id, "a"), "the step to begin")
    status, answer = server.call("DELETE", f"/api/progress/{server.build(build_id)['progress']}")
    assert status == 200, answer
    assert server.ended(build_id)["status"] == "terminated"
    until(lambda: not processes_of(server.data), "its process to be gone")


@pytest.mark.parametrize(("verb", "end"), [("approve", "success"), ("deny", "denied")])
def test_a_decision_reaches_the_worker(server, worker, verb, end):
    build_id = server.run({"before": echo("echo kept >file"), "ask": ASK, "after": echo("cat file")})
    worker()
    server.reached(build_id, "pending-approval")
    status, answer = server.call("GET", f"/api/workflow/{build_id}/pending-approval/{verb}")
    assert status == 200, answer
    assert server.ended(build_id)["status"] == end
    assert ("] kept" in server.log(build_id, "after")) == (verb == "approve")


def test_the_builds_of_a_killed_worker_are_taken_over_by_another(server, worker):
    steps = {
        "done": echo("echo once"),
        "slow": echo("echo begun; [ -e again ] || { touch again; sleep 60; }"),
    }
    builds = [server.run(steps) for _ in range(2)]
    first = worker("first")
    for build_id in builds:
        until(lambda build_id=build_id: "] begun" in server.log(build_id, "slow"), "the step to begin")
    worker("second")
    first.kill()
    for build_id in builds:
        assert server.ended(build_id)["status"] == "success"
        steps = server.steps(build_id)
        assert (steps["done"]["attempt"], steps["slow"]["attempt"]) == (1, 2)
        assert server.log(build_id, "done").count("] once") == 1


def test_a_worker_that_is_asked_to_stop_finishes_its_builds_and_takes_no_more(server, worker):
    running = worker()
    build_id = server.run({"a": echo("echo begun; sleep 0.5; echo done")})
    until(lambda: "] begun" in server.log(build_id, "a"), "the step to begin")
    assert running.stop() == 0
    assert server.build(build_id)["status"] == "success"
    later = server.run({"a": echo("echo later")})
    worker("second")
    assert server.ended(later)["status"] == "success"
