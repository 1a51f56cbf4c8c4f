"""Services on the runtimes that have containers; the local one refuses them with the cure."""

import pytest

from conformance.runtime_kinds import DOCKER, KINDS, made
from headrace.runtimes.base import Command, Service, StepCouldNotStart

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(90)]
SERVE = ("sh", "-c", "mkdir /w; echo served > /w/index.html; httpd -p 8080 -h /w; echo up; sleep 60")
ASK = "for i in 1 2 3 4 5 6 7 8 9; do wget -q -O - http://{}:8080/ && exit 0; sleep 1; done; exit 1"


@pytest.fixture
async def workspace(kind):
    opened = await kind.runtime.open("one")
    yield opened
    await opened.destroy(keep_volume=False)


@pytest.fixture
async def contained(docker):
    """A workspace of Docker alone."""
    opened = await docker.runtime.open("one")
    yield opened
    await opened.destroy(keep_volume=False)


@pytest.fixture(params=["fake", DOCKER])
async def kind(request, tmp_path):
    async for found in made(request.param, tmp_path):
        yield found


async def say(_line):
    pass


def service(*cmd, name="web", **fields):
    of_service = {key: fields.pop(key) for key in list(fields) if key in Service.__struct_fields__}
    return Command(
        image="alpine:latest",
        cmd=cmd,
        working_directory="",
        service=Service(hosts=(name,), **of_service),
        **fields,
    )


async def finish(running):
    printed = b"".join([chunk async for chunk in running.output()])
    return printed.decode(), (await running.wait()).exit_code


async def run(workspace, step, script, **fields):
    wanted = Command(image="alpine:latest", script=script, **fields)
    return await finish(await workspace.start(step, wanted, say=say))


async def test_a_service_prints_and_ends_as_a_step_does(workspace):
    running = await workspace.start("s", service("sh", "-c", "echo hello; exit 3"), say=say)
    assert await finish(running) == ("hello\n", 3)


async def test_cleared_services_are_gone_and_others_stay(kind, workspace):
    mine = await workspace.start("a", service("sleep", "60", network="n1"), say=say)
    await workspace.start("b", service("sleep", "60", network="n2"), say=say)
    await mine.stop(0)
    await workspace.clear("n1")
    await workspace.clear("n1")
    later = await kind.runtime.open("one")
    assert await later.adopt("a") is None
    assert await later.adopt("b") is not None


async def test_services_go_with_their_build(kind, workspace):
    await workspace.start("a", service("sleep", "60", network="n1", own_volumes=(("v", "/v"),)), say=say)
    await workspace.destroy(keep_volume=False)
    assert await kind.leftovers() == []


async def test_the_local_runtime_refuses_with_the_cure(tmp_path):
    workspace = await KINDS["local"](tmp_path).runtime.open("one")
    with pytest.raises(StepCouldNotStart, match="--runtime docker"):
        await workspace.start("a", service("true"), say=say)


async def test_a_service_is_found_by_its_names(contained):
    await contained.start("a", service(*SERVE, name="web.local"), say=say)
    assert await run(contained, "s", ASK.format("web.local")) == ("served\n", 0)


async def test_a_network_of_its_own_is_seen_by_who_joins_it_alone(contained):
    await contained.start("a", service(*SERVE, network="n1"), say=say)
    assert (await run(contained, "in", ASK.format("web"), network="n1"))[1] == 0
    assert (await run(contained, "out", "wget -q -O - http://web:8080/"))[1] != 0


async def test_a_shared_network_stack_has_one_localhost(contained):
    await contained.start("a", service(*SERVE, network="n1"), say=say)
    assert await run(contained, "s", ASK.format("localhost"), network="n1", stack_of="a") == ("served\n", 0)
    with pytest.raises(StepCouldNotStart, match="has ended"):
        await run(contained, "t", "true", network="n1", stack_of="never")


async def test_a_service_sees_the_volume_where_it_asks_for_it(contained):
    await contained.write("app/note", b"shared")
    seen = await contained.start("a", service("cat", "/d/note", volumes=(("app", "/d"),)), say=say)
    assert await finish(seen) == ("shared", 0)
    unseen = await contained.start("b", service("ls", "/codefresh"), say=say)
    assert (await finish(unseen))[1] != 0


async def test_own_volumes_are_kept_among_the_services_of_a_network(contained):
    volume = (("data", "/d"),)
    written = service("sh", "-c", "echo kept > /d/x", network="n1", own_volumes=volume)
    await finish(await contained.start("a", written, say=say))
    read = await contained.start("b", service("cat", "/d/x", network="n1", own_volumes=volume), say=say)
    assert await finish(read) == ("kept\n", 0)
    await contained.clear("n1")
    again = await contained.start("c", service("ls", "/d", network="n1", own_volumes=volume), say=say)
    assert await finish(again) == ("", 0)
