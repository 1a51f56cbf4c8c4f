"""Runtime environments are what workers report and accounts say about them; agents report themselves."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from factories import ADDRESSES, make_build
from headrace.kit.ids import new_id
from headrace.pipeline.status import BuildStatus
from headrace.resources.builds import queue, repository, service
from headrace.resources.runtime_environments import service as environments
from headrace.resources.runtime_environments.schemas import Worker
from headrace.runtimes.fake import FakeRuntime

PATH = "/api/runtime-environments"


@pytest.fixture
def worker(database):
    """Report a worker."""

    def report(environment="default", *, running=0, capacity=2, seen_s=0.0):
        now = datetime.now(UTC)
        found = Worker(
            id=new_id(),
            environment=environment,
            runtime="docker",
            host="machine",
            capacity=capacity,
            running=running,
            started_at=now,
            seen_at=now - timedelta(seconds=seen_s),
        )
        with database.transaction() as db:
            environments.report(db, found)

    return report


def names(client):
    return [one["metadata"]["name"] for one in client.get(PATH).json()]


def test_there_is_a_default_before_any_worker(client):
    (found,) = client.get(PATH).json()
    assert (found["metadata"]["name"], found["isDefault"], found["version"]) == ("default", True, 1)
    assert found["status"]["healthStatus"] == "unhealthy"


def test_an_environment_shows_the_state_of_its_workers(client, worker):
    worker(running=1)
    worker(capacity=4)
    worker(seen_s=300, running=2)
    status = client.get(f"{PATH}/default").json()
    assert status["status"] == {"healthStatus": "healthy", "capacity": 6, "running": 1}
    assert [one["alive"] for one in status["workers"]] == [True, True, False]
    assert status["runtimeScheduler"]["type"] == "docker"


def test_a_worker_reports_itself_and_leaves(client, installation):
    async def look():
        _, feed = installation.worker(FakeRuntime(), ADDRESSES)
        await feed.start()
        inside = await asyncio.to_thread(client.get, f"{PATH}/default")
        await feed.close()
        return inside.json()

    assert [one["runtime"] for one in asyncio.run(look())["workers"]] == ["fake"]
    assert client.get(f"{PATH}/default").json()["workers"] == []


def test_an_account_describes_an_environment_in_versions(client, stranger):
    answer = client.put(f"{PATH}/default?description=ours&extend=default", {"tags": ["x"]})
    assert (answer.json()["version"], answer.json()["description"], answer.json()["tags"]) == (
        2,
        "ours",
        ["x"],
    )
    client.put(f"{PATH}/default", {"description": "still ours"})
    assert client.get(f"{PATH}/default").json()["version"] == 3
    assert client.get(f"{PATH}/default?version=2").json()["description"] == "ours"
    assert [one["version"] for one in client.get(f"{PATH}/default?history=true").json()] == [1, 2, 3]
    assert client.get(f"{PATH}/default?version=9").status == 404
    assert stranger.get(f"{PATH}/default").json()["version"] == 1


def test_an_unknown_environment_is_404(client):
    for method, path in (("GET", "no"), ("PUT", "no"), ("PUT", "default/no"), ("GET", "no/base-images")):
        assert client.call(method, f"{PATH}/{path}", json={}).status == 404


def test_the_default_is_chosen_and_others_may_go(client, worker, key_of):
    worker("big/iron")
    assert names(client) == ["big/iron", "default"]
    assert client.put(f"{PATH}/default/big%2Firon").json()["isDefault"] is True
    assert client.delete(f"{PATH}/big%2Firon").status == 409
    client.put(f"{PATH}/default/default")
    assert client.delete(f"{PATH}/big%2Firon").status == 409
    assert client.with_key(key_of("member")).delete(f"{PATH}/big%2Firon?force=true").status == 403
    assert client.delete(f"{PATH}/big%2Firon?force=true").status == 200
    assert names(client) == ["default"]


def test_the_images_of_the_engine_are_listed(client):
    (image,) = client.get(f"{PATH}/default/base-images").json()
    assert image["component"] == "git-clone"


@pytest.mark.parametrize(
    ("spec", "body", "wanted"),
    [
        ({}, {}, "default"),
        ({"runtimeEnvironment": {"name": "big"}}, {}, "big"),
        (
            {"runtimeEnvironment": {"name": "big"}},
            {"userMachineConfig": {"runtimeName": "default"}},
            "default",
        ),
        ({}, {"userMachineConfig": {"runtimeName": "nowhere"}}, "default"),
    ],
)
def test_a_run_names_its_environment_and_its_workers_take_it(client, database, worker, spec, body, wanted):
    worker("big")
    steps = {"unit": {"image": "alpine", "commands": ["true"]}}
    client.post("/api/pipelines", {"metadata": {"name": "demo/ci"}, "spec": {"steps": steps, **spec}})
    build_id = client.post("/api/pipelines/run/demo%2Fci", body).json()
    other = {"default": "big", "big": "default"}[wanted]
    with database.transaction() as db:
        assert queue.claim(db, new_id(), lease_s=9, environment=other) is None
        assert queue.claim(db, new_id(), lease_s=9, environment=wanted).order.build_id == build_id


# Builds that find no worker


def status(database, build):
    with database.reading() as db:
        found = repository.anybody_s(db, build.id)
    return str(found.status), found.error


def look(database, **later):
    now = datetime.now(UTC) + timedelta(**later)
    with database.transaction() as db:
        service.delay(db, environments.look_after(db, now), now=now)


def test_a_build_without_a_worker_is_delayed_then_taken(database, people, worker):
    build = make_build(database, people["admin"])
    look(database)
    assert status(database, build) == ("pending", "")
    look(database, minutes=2)
    assert status(database, build) == ("delayed", "")
    worker()
    with database.transaction() as db:
        assert queue.claim(db, new_id(), lease_s=9).order.build_id == build.id


def test_a_build_that_a_limit_holds_back_is_not_delayed(database, people):
    build = make_build(database, people["admin"], concurrency=0)
    look(database, minutes=2)
    assert status(database, build) == ("pending", "")


@pytest.mark.parametrize(("report", "found"), [({}, "pending"), ({"running": 2}, "delayed")])
def test_a_worker_that_is_full_is_no_worker(database, people, worker, report, found):
    build = make_build(database, people["admin"], created_at=datetime.now(UTC) - timedelta(minutes=5))
    worker(**report)
    look(database)
    assert status(database, build)[0] == found


def test_a_delay_ends_after_a_week(database, people):
    build = make_build(database, people["admin"])
    look(database, minutes=2)
    look(database, days=7, minutes=3)
    assert status(database, build) == ("terminated", "Delay time limit exceeded")


def test_of_too_many_delayed_builds_the_oldest_end(database, people, monkeypatch):
    monkeypatch.setattr(service, "_MOST_DELAYED", 2)  # a thousand builds take too long here
    old = datetime.now(UTC) - timedelta(minutes=9)
    made = [make_build(database, people["admin"], created_at=old + timedelta(seconds=n)) for n in range(3)]
    look(database)
    found = [status(database, build) for build in made]
    assert found[0] == ("terminated", "Maximum delayed workflows exceeded")
    assert [one for one, _ in found[1:]] == ["delayed", "delayed"]


# Termination policies


def policy(**more):
    return {"termination_policy": [{"type": "branch", "event": "onCreate", **more}]}


@pytest.mark.parametrize(
    ("more", "ended"),
    [
        ({}, {"same"}),
        ({"ignoreTrigger": True}, {"same", "trigger"}),
        ({"ignoreBranch": True}, {"same", "trigger", "branch"}),
        ({"branchName": "/^dev$/"}, set()),
        ({"branchName": "^main$"}, {"same"}),
    ],
)
def test_a_start_ends_earlier_builds_by_branch_and_trigger(database, people, more, ended):
    facts = {
        "same": {"branch": "main", "trigger_id": "t"},
        "trigger": {"branch": "main", "trigger_id": "u"},
        "branch": {"branch": "dev", "trigger_id": "t"},
        "pipeline": {"branch": "main", "trigger_id": "t", "pipeline_id": "c" * 24},
    }
    made = {name: make_build(database, people["admin"], **fields) for name, fields in facts.items()}
    made["stranger"] = make_build(database, people["stranger"], **facts["same"])
    new = make_build(database, people["admin"], branch="main", trigger_id="t", **policy(**more))
    assert {name for name, build in made.items() if status(database, build)[0] == "terminated"} == ended
    assert status(database, new)[0] == "pending"


def test_a_termination_ends_the_children(database, people):
    rule = {"type": "annotation", "key": "cf_predecessor", "event": "onTerminate"}
    parent = make_build(database, people["admin"], termination_policy=[rule])
    child = make_build(database, people["admin"], annotations={"cf_predecessor": parent.id})
    other = make_build(database, people["admin"], annotations={"cf_predecessor": "x"})
    with database.transaction() as db:
        service.terminate(db, parent)
    assert [status(database, one)[0] for one in (parent, child, other)] == [
        "terminated",
        "terminated",
        "pending",
    ]


def test_a_start_ends_earlier_builds_with_its_annotation(database, people):
    rule = {"type": "annotation", "key": "stage", "event": "onCreate"}
    first, other = (
        make_build(database, people["admin"], annotations={"stage": value}) for value in ("qa", "prod")
    )
    make_build(database, people["admin"], annotations={"stage": "qa"}, termination_policy=[rule])
    assert [status(database, one)[0] for one in (first, other)] == ["terminated", "pending"]


def test_a_waiting_approval_takes_room_where_the_pipeline_says_so(database, people):
    make_build(database, people["admin"], status=BuildStatus.PENDING_APPROVAL)
    held = make_build(database, people["admin"], concurrency=1, counts_waiting=True)
    free = make_build(database, people["admin"], concurrency=1)
    with database.transaction() as db:
        assert queue.claim(db, new_id(), lease_s=9).order.build_id == free.id
        assert queue.claim(db, new_id(), lease_s=9) is None
    assert status(database, held)[0] == "pending"


# Agents and data


def test_an_agent_lives_from_its_first_report(client, stranger):
    made = client.post("/api/agents", {"name": "far", "runtimes": ["default"]}).json()
    path = f"/api/agent/{made['id']}"
    assert made["status"]["healthStatus"] == "unhealthy"
    agent = client.with_key(made["token"])
    assert agent.put(f"{path}/status", {"message": "All good"}).json()["status"]["healthStatus"] == "healthy"
    assert agent.get("/api/pipelines").status == 403
    assert agent.get(f"{path}/tasks").json() == []
    assert client.post("/api/agents", {"name": "far"}).status == 409
    assert [one["name"] for one in client.get("/api/agents?name=far").json()] == ["far"]
    assert stranger.get("/api/agents").json() == []
    assert client.put(path, {"name": "near"}).json()["runtimes"] == ["default"]
    assert client.get("/api/agents/name/far").status == 404
    assert client.delete(path).status == 200
    assert agent.get("/api/agents").status == 401


def test_data_of_a_build_is_sealed_and_shown_on_request(client, database, people):
    build = make_build(database, people["admin"])
    path = f"/api/workflow/{build.id}/data"
    made = client.post(path, {"coverage": 75})
    assert made.status == 201
    item = made.json()["_id"]
    (listed,) = client.get(path).json()["docs"]
    assert listed == client.get(f"{path}/{item}").json()
    assert "data" not in listed
    assert client.get(f"{path}/{item}?decrypt=true").json()["data"] == {"coverage": 75}
    assert client.get(f"{path}/{'0' * 24}").status == 404
