"""Environments: what their routes say, and what their keeper does on the engine."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from factories import make_build, make_environment
from headrace.app.environments import EnvironmentKeeper
from headrace.execution.ports import Launch
from headrace.integrations.clusters import Networks
from headrace.resources.accounts.model import accounts
from headrace.resources.builds import repository as build_rows
from headrace.resources.environments import repository
from headrace.resources.pipelines.records import DatabaseRecords
from headrace.runtimes.base import Command, EngineFailed, Service
from headrace.runtimes.fake import FakeRuntime
from log_clients import Streaming

OPERATIONS = ("start", "stop", "pause", "unpause", "terminate", "status", "rename/store")
ONE = ["/api/environments/shop", *(f"/api/environments/shop/{what}" for what in OPERATIONS)]
ALL = ["/api/environments", "/api/environments/all/terminate", *ONE]
DEADLINE_S = 10


class Town:
    """A server with one engine, and the worker's part in it."""

    def __init__(self, installation, people):
        self.database = installation.database
        self.build = make_build(self.database, people["admin"], branch="main", revision="c0ffee")
        self.records = DatabaseRecords(self.database, installation.box, Networks())
        self.engine = FakeRuntime().environments
        self.keeper = EnvironmentKeeper(self.database, installation.hub, self.engine)

    async def begin(self, name="shop", *services, engine="memory"):
        launch = Launch(
            name=name,
            composition="shop-services",
            entry_point="web",
            services=dict.fromkeys(services or ("web",), "alpine"),
            engine=engine,
        )
        return launch, await self.records.environment_begins(self.build.id, launch)

    async def launch(self, name="shop", *services):
        launch, begun = await self.begin(name, *services)
        commands = {
            one: Command(image=image, service=Service(hosts=(one,))) for one, image in launch.services.items()
        }
        await self.engine.launch(begun.id, commands, say=say)
        running = (await self.engine.found())[begun.id]
        await self.records.environment_runs(self.build.id, begun.id, running)
        return begun.id

    async def states(self, environment_id):
        found = (await self.engine.found()).get(environment_id, ())
        return [one.state for one in found]

    def change(self, environment_id, **values):
        with self.database.transaction() as db:
            repository.change(db, self.build.account_id, environment_id, **values)


async def say(_line):
    pass


@pytest.fixture
async def town(installation, people):
    made = Town(installation, people)
    yield made
    for left in await made.engine.found():
        await made.engine.remove(left)


async def get(client, path="", *, status=200):
    answer = await client.send("GET", f"/api/environments{path}")
    assert answer.status == status, answer.text
    return answer.json()


@pytest.mark.parametrize("path", ALL)
def test_a_request_without_a_key_is_401(client, path):
    assert client.with_key(None).get(path).status == 401


@pytest.mark.parametrize("path", ALL)
def test_a_key_without_the_scope_is_403(client, key_of, path):
    assert client.with_key(key_of("admin", "pipeline")).get(path).status == 403


@pytest.mark.parametrize("path", ONE)
async def test_an_environment_of_another_account_is_404(town, stranger, path):
    await town.launch()
    answer = await stranger.send("GET", path)
    assert answer.status == 404
    assert "could not find environment 'shop'" in answer.json()["message"]
    assert await get(stranger) == await get(stranger, "/all/terminate") == []
    await town.keeper.look()
    assert len(await town.engine.found()) == 1


async def test_a_launched_environment_is_shown_with_its_services(town, client):
    launched = await town.launch()
    shown = await get(client, "/shop")
    assert shown == {
        "_id": launched,
        "name": "shop",
        "status": "running",
        "creationStatus": "done",
        "reason": "",
        "composition": "shop-services",
        "entryPoint": "web",
        "buildId": town.build.id,
        "instances": [
            {
                "serviceName": "web",
                "image": "alpine",
                "status": "running",
                "urls": {},
                "sha": "c0ffee",
                "branch": "main",
                "repoName": "",
            }
        ],
        "created": shown["created"],
    }
    assert await get(client, f"/{launched}") == shown
    assert await get(client) == [shown]
    status = {"_id": launched, "name": "shop", "status": "running", "reason": ""}
    assert await get(client, "/shop/status") == status


async def test_environments_are_listed_by_name(town, client):
    for name in ("b", "c", "a"):
        await town.launch(name)
    assert [one["name"] for one in await get(client)] == ["a", "b", "c"]


async def test_one_that_begins_is_in_progress(town, client):
    await town.begin()
    shown = await get(client, "/shop")
    assert (shown["status"], shown["creationStatus"]) == ("creating", "inProgress")
    assert (await get(client, "/shop/pause", status=409))["message"].endswith("wait until it runs")


@pytest.mark.parametrize(
    ("path", "doing", "status"),
    [
        (("pause",), "pausing", "paused"),
        (("pause", "unpause"), "unpausing", "running"),
        (("pause", "stop"), "stopping", "stopped"),
        (("stop",), "stopping", "stopped"),
        (("stop", "start"), "starting", "running"),
    ],
)
async def test_what_is_wished_is_done_by_the_worker(town, client, path, doing, status):
    launched = await town.launch("shop", "web", "db")
    for wish in path:
        answer = await get(client, f"/shop/{wish}")
        await town.keeper.look()
    assert answer["status"] == answer["creationStatus"] == doing
    assert (await get(client, "/shop"))["status"] == status
    assert await town.states(launched) == [status, status]


@pytest.mark.parametrize(("wish", "status"), [("stop", "stopped"), ("pause", "paused")])
async def test_what_is_so_already_is_left_alone(town, client, wish, status):
    await town.launch()
    await get(client, f"/shop/{wish}")
    await town.keeper.look()
    assert (await get(client, f"/shop/{wish}"))["status"] == status


@pytest.mark.parametrize(
    ("first", "then", "words"),
    [
        ("stop", "pause", "is stopped; start it first"),
        ("stop", "unpause", "is stopped; start it first"),
        ("pause", "start", "is paused; unpause it first"),
    ],
)
async def test_what_a_state_does_not_allow_is_refused_with_the_cure(town, client, first, then, words):
    await town.launch()
    await get(client, f"/shop/{first}")
    await town.keeper.look()
    assert words in (await get(client, f"/shop/{then}", status=409))["message"]


async def test_one_thing_is_done_at_a_time_but_an_end_is_always_possible(town, client):
    await town.launch()
    await get(client, "/shop/stop")
    assert "is stopping; ask again" in (await get(client, "/shop/pause", status=409))["message"]
    assert (await get(client, "/shop/stop"))["status"] == "stopping"
    assert (await get(client, "/shop/terminate"))["status"] == "terminating"
    assert "is terminating" in (await get(client, "/shop/start", status=409))["message"]


async def test_a_terminated_environment_is_gone_and_others_stay(town, client):
    launched, other = await town.launch(), await town.launch("other")
    assert (await get(client, f"/{launched}/terminate"))["creationStatus"] == "terminating"
    await town.keeper.look()
    await get(client, "/shop", status=404)
    assert list(await town.engine.found()) == [other]


async def test_all_of_an_account_are_terminated(town, client):
    await town.launch()
    await town.launch("other")
    assert [one["status"] for one in await get(client, "/all/terminate")] == ["terminating", "terminating"]
    await town.keeper.look()
    assert (await get(client), await town.engine.found()) == ([], {})


async def test_an_environment_is_renamed(town, client):
    launched = await town.launch()
    await town.launch("taken")
    assert (await get(client, "/shop/rename/a%2Fstore"))["name"] == "a/store"
    assert (await get(client, "/a%2Fstore"))["_id"] == launched
    assert (
        "already exists: 'taken'" in (await get(client, f"/{launched}/rename/taken", status=409))["message"]
    )
    for name in ("x" * 256, "%20"):
        assert "newName" in (await get(client, f"/{launched}/rename/{name}", status=400))["message"]


async def test_a_launch_of_the_same_name_replaces_the_earlier_one(town, client):
    earlier = await town.launch()
    _, begun = await town.begin()
    assert begun.replaced == (earlier,)
    assert (await get(client, f"/{earlier}"))["status"] == "terminating"
    assert (await get(client, "/shop"))["_id"] == begun.id
    await town.keeper.look()
    assert [one["_id"] for one in await get(client)] == [begun.id]


async def test_one_on_another_engine_is_ended_by_the_worker_there(town, client):
    _, there = await town.begin(engine="elsewhere")
    _, begun = await town.begin()
    assert begun.replaced == ()
    await town.keeper.look()
    assert (await get(client, f"/{there.id}"))["status"] == "terminating"


async def test_one_that_was_given_up_while_it_started_does_not_run(town, client):
    _, begun = await town.begin()
    await get(client, "/shop/terminate")
    with pytest.raises(LookupError, match="terminated while it started"):
        await town.records.environment_runs(town.build.id, begun.id, ())
    await town.records.environment_failed(town.build.id, begun.id)
    await town.records.environment_failed(town.build.id, begun.id)
    assert await get(client) == []


async def test_a_build_of_another_account_cannot_touch_it(town, client, people):
    _, begun = await town.begin()
    foreign = make_build(town.database, people["stranger"])
    with pytest.raises(LookupError):
        await town.records.environment_runs(foreign.id, begun.id, ())
    await town.records.environment_failed(foreign.id, begun.id)
    assert [one["_id"] for one in await get(client)] == [begun.id]


async def test_how_services_are_is_found_out(town, client):
    launched = await town.launch("shop", "web", "db")
    await town.engine.change(launched, "stop")
    await town.keeper.look()
    shown = await get(client, "/shop")
    assert shown["status"] == "stopped"
    assert [(one["status"], one["exitCode"]) for one in shown["instances"]] == [("stopped", 143)] * 2


async def test_one_whose_services_are_gone_says_so(town, client):
    launched = await town.launch()
    await town.engine.remove(launched)
    await town.keeper.look()
    shown = await get(client, "/shop")
    assert (shown["status"], shown["creationStatus"]) == ("error", "error")
    assert "launch it again" in shown["reason"]
    assert "terminate it, and launch" in (await get(client, "/shop/start", status=409))["message"]
    await get(client, "/shop/terminate")
    await town.keeper.look()
    assert await get(client) == []


async def test_what_no_record_knows_is_removed(town):
    launched = await town.launch()
    with town.database.transaction() as db:
        db.execute(accounts.delete().where(accounts.c.id == town.build.account_id))
    await town.keeper.look()
    assert launched not in await town.engine.found()


async def test_what_begins_is_left_alone_while_its_build_runs(town, client):
    _, begun = await town.begin()
    await town.engine.launch(begun.id, {}, say=say)
    await town.keeper.look()
    assert (await get(client, "/shop"))["status"] == "creating"
    assert begun.id in await town.engine.found()


async def test_one_that_began_to_run_during_a_look_is_not_taken_for_gone(town, client):
    _, begun = await town.begin()
    found, web = town.engine.found, Command(image="a", service=Service(hosts=("web",)))

    async def meanwhile():
        seen = await found()
        await town.engine.launch(begun.id, {"web": web}, say=say)
        await town.records.environment_runs(town.build.id, begun.id, (await found())[begun.id])
        return seen

    town.engine.found = meanwhile
    await town.keeper.look()
    assert (await get(client, "/shop"))["status"] == "running"


async def test_what_a_build_left_half_begun_is_removed(town, client):
    _, begun = await town.begin()
    await town.engine.launch(begun.id, {}, say=say)
    with town.database.transaction() as db:
        build_rows.change(db, town.build.id, status="terminated")
    await town.keeper.look()
    assert (await get(client), await town.engine.found()) == ([], {})


async def test_an_engine_with_another_id_keeps_its_environments(town, client):
    launched = await town.launch()
    town.change(launched, engine="before-the-move")
    await town.keeper.look()
    await get(client, "/shop/stop")
    await town.keeper.look()
    assert (await get(client, "/shop"))["status"] == "stopped"


async def test_what_the_engine_refuses_is_told_and_may_be_asked_again(town, client):
    launched = await town.launch()

    async def refuse(*_):
        raise EngineFailed("port 80 is taken")

    change, town.engine.change = town.engine.change, refuse
    await get(client, "/shop/stop")
    await town.keeper.look()
    shown = await get(client, "/shop")
    assert (shown["status"], shown["reason"]) == ("running", "to stop it failed: port 80 is taken")
    town.engine.change = change
    await get(client, "/shop/stop")
    await town.keeper.look()
    assert ((await get(client, "/shop"))["reason"], await town.states(launched)) == ("", ["stopped"])


async def test_an_end_that_the_engine_refuses_is_tried_again(town, client):
    await town.launch()

    async def refuse(*_):
        raise EngineFailed("busy")

    remove, town.engine.remove = town.engine.remove, refuse
    await get(client, "/shop/terminate")
    await town.keeper.look()
    assert (await get(client, "/shop"))["reason"] == "to terminate it failed: busy"
    town.engine.remove = remove
    await town.keeper.look()
    assert await get(client) == []


async def test_a_wish_that_no_worker_hears_says_so(town, client):
    launched = await town.launch()
    await get(client, "/shop/stop")
    town.change(launched, wished_at=datetime.now(UTC) - timedelta(minutes=2))
    assert "no worker on its Docker engine (memory)" in (await get(client, "/shop"))["reason"]


async def test_a_worker_hears_a_wish_at_once_and_readers_are_told(town, client):
    await town.launch()
    keeping = asyncio.create_task(town.keeper.run())
    try:
        async with Streaming(client.app, "/api/changes?seconds=60", client.key) as stream:
            await stream.next()
            await get(client, "/shop/stop")
            async with asyncio.timeout(DEADLINE_S):
                while (await get(client, "/shop"))["status"] != "stopped":
                    assert b'"environments"' in await stream.next()
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def test_an_engine_that_is_away_for_a_while_ends_nothing(town, client):
    await town.launch()
    found, answered = town.engine.found, asyncio.Event()

    async def away():
        answered.set()
        raise EngineFailed("the Docker engine does not answer")

    town.engine.found = away
    keeping = asyncio.create_task(town.keeper.run())
    try:
        await asyncio.wait_for(answered.wait(), DEADLINE_S)
        town.engine.found = found
        await get(client, "/shop/terminate")
        async with asyncio.timeout(DEADLINE_S):
            while await get(client):  # noqa: ASYNC110 - the worker changes it
                await asyncio.sleep(0.01)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


# Rules of teams


@pytest.fixture
def three(client, database, people):
    """Environments of a pipeline for all, of one that is closed, and of one that is gone."""
    before = [one["id"] for one in client.get("/api/abac").json()]
    assert client.post("/api/abac/batch", {"delete": before}).status == 200
    for name in ("dev", "prod", None):
        pipeline_id = "f" * 24
        if name:
            metadata = {"name": f"demo/{name}", "labels": {"tags": [name]}}
            steps = {"unit": {"image": "alpine", "commands": ["true"]}}
            made = client.post(
                "/api/pipelines", {"kind": "pipeline", "metadata": metadata, "spec": {"steps": steps}}
            )
            pipeline_id = made.json()["metadata"]["id"]
        build = make_build(database, people["admin"], pipeline_id=pipeline_id)
        make_environment(database, build, f"{name or 'gone'}-shop")
    team = client.post("/api/team", {"name": "ops", "users": [people["member"].id]}).json()["_id"]

    def allow(*actions):
        rules = {"teams": [team], "actions": actions, "resource": "pipeline", "tags": ["dev"]}
        assert client.post("/api/abac/teamRules", rules).status == 200

    return allow


def test_who_may_not_read_a_build_sees_nothing_of_what_it_launched(client, key_of, three):
    member = client.with_key(key_of("member"))

    def names(of):
        return [one["name"] for one in of.get("/api/environments").json()]

    assert names(client) == ["dev-shop", "gone-shop", "prod-shop"]
    assert names(member) == []
    three("read")
    assert names(member) == ["dev-shop"]
    hidden, missing = (
        member.get(f"/api/environments/{name}").json()["message"] for name in ("prod-shop", "none")
    )
    assert hidden.replace("prod-shop", "none") == missing
    assert member.get("/api/environments/dev-shop/terminate").status == 403


def test_all_are_terminated_that_the_caller_may_change_and_no_other(client, key_of, three):
    member = client.with_key(key_of("member"))
    assert member.get("/api/environments/all/terminate").json() == []
    three("read", "run")
    assert [one["name"] for one in member.get("/api/environments/all/terminate").json()] == ["dev-shop"]
    states = {one["name"]: one["status"] for one in client.get("/api/environments").json()}
    assert states == {"dev-shop": "terminating", "gone-shop": "creating", "prod-shop": "creating"}
