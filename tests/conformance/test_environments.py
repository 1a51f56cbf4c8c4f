"""What outlives a build, on the runtimes that have containers; the local one has nothing of it."""

import asyncio

import pytest

from conformance.runtime_kinds import DOCKER, KINDS, made
from headrace.pipeline.compose_ports import Port
from headrace.runtimes.base import Command, Service, StepCouldNotStart

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(90)]
SERVE = "mkdir -p /w; echo served > /w/index.html; exec httpd -f -p 8080 -h /w"
ONE, TWO = "1" * 24, "2" * 24


@pytest.fixture(params=["fake", DOCKER])
async def kind(request, tmp_path):
    async for found in made(request.param, tmp_path):
        yield found


@pytest.fixture
def environments(kind):
    return kind.runtime.environments


async def say(_line):
    pass


def service(*cmd, name="web", image="alpine:latest", **fields):
    return Command(image=image, cmd=cmd, working_directory="", service=Service(hosts=(name,), **fields))


LASTING = service("sleep", "300")


async def states(environments, environment_id=ONE):
    found = (await environments.found()).get(environment_id)
    return None if found is None else {one.name: one.state for one in found}


async def until(environments, wanted, environment_id=ONE):
    async with asyncio.timeout(20):
        while await states(environments, environment_id) != wanted:  # noqa: ASYNC110 - the engine changes it
            await asyncio.sleep(0.05)


async def test_services_are_found_by_their_environment(environments):
    await environments.launch(ONE, {"web": LASTING, "db": service("sleep", "300", name="db")}, say=say)
    await environments.launch(TWO, {"web": LASTING}, say=say)
    assert await states(environments) == {"web": "running", "db": "running"}
    assert await states(environments, TWO) == {"web": "running"}


async def test_an_environment_outlives_its_runtime_and_every_sweep(kind, environments):
    await environments.launch(ONE, {"web": LASTING}, say=say)
    workspace = await kind.runtime.open("one")
    await workspace.destroy(keep_volume=False)
    await kind.runtime.sweep(await kind.runtime.builds(), frozenset(await kind.runtime.volumes()))
    again = kind.runtime if kind.name == "fake" else kind.make()
    assert await states(again.environments) == {"web": "running"}
    assert await again.environments.engine() == await environments.engine() != ""
    if again is not kind.runtime:
        await again.close()


async def test_it_is_paused_stopped_and_started(environments):
    await environments.launch(ONE, {"web": LASTING, "db": LASTING}, say=say)
    for wish, state in (
        ("pause", "paused"),
        ("unpause", "running"),
        ("pause", "paused"),
        ("stop", "stopped"),
        ("start", "running"),
    ):
        for _ in range(2):
            await environments.change(ONE, wish)
        assert await states(environments) == {"web": state, "db": state}


async def test_a_service_that_ends_says_how(environments):
    await environments.launch(ONE, {"web": service("sh", "-c", "exit 3"), "db": LASTING}, say=say)
    await until(environments, {"web": "stopped", "db": "running"})
    found = {one.name: one.exit_code for one in (await environments.found())[ONE]}
    assert found == {"web": 3, "db": None}


async def test_removed_is_all_of_it_and_nothing_else(kind, environments):
    await environments.launch(ONE, {"web": service("sleep", "300", own_volumes=(("v", "/v"),))}, say=say)
    await environments.launch(TWO, {"web": LASTING}, say=say)
    await asyncio.gather(environments.remove(ONE), environments.remove(ONE))
    assert list(await environments.found()) == [TWO]
    await environments.remove(TWO)
    assert await kind.leftovers() == []


async def test_a_service_that_does_not_start_is_named(kind, environments):
    broken = service("sleep", "1", image="nowhere.invalid/none:1")
    if kind.name == "fake":
        broken = Command(image="x", environment={"FAKE_START_FAILS": "no"}, service=Service(hosts=("web",)))
    with pytest.raises(StepCouldNotStart, match="service 'db' did not start"):
        await environments.launch(ONE, {"web": LASTING, "db": broken}, say=say)
    await environments.remove(ONE)
    assert await states(environments) is None


async def test_a_port_is_open_on_this_machine_alone(environments, kind):
    await environments.launch(ONE, {"web": service("sh", "-c", SERVE, ports=(Port(8080),))}, say=say)
    (found,) = (await environments.found())[ONE]
    place = found.ports["8080/tcp"]
    assert place.startswith("127.0.0.1:")
    if kind.name == "docker":
        assert b"served" in await fetched(environments)


async def fetched(environments):
    """What a GET of ``/`` is answered at the one open port, once somebody listens there."""
    async with asyncio.timeout(20):
        while True:
            (found,) = (await environments.found())[ONE]
            for place in found.ports.values():  # another one after each start
                host, _, port = place.partition(":")
                try:
                    reader, writer = await asyncio.open_connection(host, int(port))
                    writer.write(b"GET / HTTP/1.0\r\n\r\n")
                    answer = await reader.read()
                    writer.close()
                except ConnectionError:
                    continue
                if answer:
                    return answer
            await asyncio.sleep(0.05)


@pytest.fixture
async def docker(tmp_path):
    async for found in made("docker", tmp_path):
        yield found.runtime.environments


@pytest.mark.docker
async def test_services_find_each_other_and_no_other_environment(docker):
    ask = "for i in 1 2 3 4 5 6 7 8 9; do wget -q -O - http://web:8080/ && exit 0; sleep 1; done; exit 1"
    await docker.launch(
        ONE, {"web": service("sh", "-c", SERVE), "ask": service("sh", "-c", ask, name="ask")}, say=say
    )
    await docker.launch(TWO, {"out": service("sh", "-c", "wget -q -O - http://web:8080/")}, say=say)
    await until(docker, {"web": "running", "ask": "stopped"})
    await until(docker, {"out": "stopped"}, TWO)
    found = await docker.found()
    assert [one.exit_code for one in found[ONE] if one.name == "ask"] == [0]
    assert found[TWO][0].exit_code != 0


@pytest.mark.docker
async def test_what_is_to_be_started_again_is(docker):
    script = f"test -f /seen || {{ touch /seen; exit 1; }}; {SERVE}"
    web = service("sh", "-c", script, restart="on-failure:3", ports=(Port(8080),))
    await docker.launch(ONE, {"web": web}, say=say)
    assert b"served" in await fetched(docker)


@pytest.mark.docker
async def test_a_port_that_is_taken_is_a_refusal(docker):
    await docker.launch(ONE, {"web": service("sleep", "300", ports=(Port(8080),))}, say=say)
    taken = int((await docker.found())[ONE][0].ports["8080/tcp"].rpartition(":")[2])
    with pytest.raises(StepCouldNotStart, match=str(taken)):
        await docker.launch(TWO, {"web": service("sleep", "300", ports=(Port(80, taken),))}, say=say)


def test_the_local_runtime_has_none(tmp_path):
    assert KINDS["local"](tmp_path).runtime.environments is None
