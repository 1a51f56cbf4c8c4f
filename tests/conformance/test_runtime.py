"""One suite for every runtime: what `runtimes.base` promises, on fake, local and docker."""

import asyncio
import os
import signal
import subprocess
from pathlib import Path

import msgspec
import pytest

from conformance.runtime_kinds import (
    ADDED_WAIT_S,
    DOCKER,
    DOCKER_AHEAD,
    KINDS,
    RuntimeKind,
    kill_once_started,
    made,
)
from headrace.runtimes.base import VOLUME, Command, RegistryLogin, StepCouldNotStart, StepExit
from headrace.runtimes.docker import DockerRuntime, DockerSettings

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(90)]
CRASHING = Path(__file__).with_name("crashing_worker.py")


@pytest.fixture(params=["fake", "local", DOCKER, DOCKER_AHEAD])
async def kind(request, tmp_path):
    """Every runtime; scripts keep to what the fake knows."""
    async for found in made(request.param, tmp_path):
        yield found


@pytest.fixture(params=["local", DOCKER, DOCKER_AHEAD])
async def real(request, tmp_path):
    """The runtimes with real processes."""
    async for found in made(request.param, tmp_path):
        yield found


class Said(list):
    async def __call__(self, line):
        self.append(line)


def command(script, **fields):
    return Command(image="alpine:latest", script=script, **fields)


async def finish(running):
    printed = b"".join([chunk async for chunk in running.output()])
    return printed.decode(), await running.wait()


async def run(workspace, wanted, step="unit-1"):
    return await finish(await workspace.start(step, wanted, say=Said()))


async def until_printed(running, text):
    """Take output until ``text`` arrived; return the rest of the stream."""
    stream = running.output()
    seen = b""
    async with asyncio.timeout(20):
        while text not in seen:
            seen += await anext(stream)
    return stream


async def test_output_and_exit_code_come_back(kind: RuntimeKind):
    workspace = await kind.runtime.open("b1")
    printed, result = await run(workspace, command("echo one\necho two\nexit 3"))
    assert printed == "one\ntwo\n"
    assert (result.exit_code, result.out_of_memory) == (3, False)


async def test_both_streams_are_one_output(real):
    workspace = await real.runtime.open("b1")
    printed, result = await run(workspace, command("echo out; echo err >&2"))
    assert sorted(printed.split()) == ["err", "out"]
    assert result.exit_code == 0


async def test_a_step_sees_its_environment_as_it_is(kind):
    workspace = await kind.runtime.open("b1")
    wanted = command('echo "$GREETING"', environment={"GREETING": "a  b=c 'd' \"e\" $f ü"})
    assert await run(workspace, wanted) == (
        "a  b=c 'd' \"e\" $f ü\n",
        StepExit(0),
    )


async def test_the_servers_environment_stays_with_the_server(real, monkeypatch):
    monkeypatch.setenv("SERVER_SECRET", "leaked")
    workspace = await real.runtime.open("b1")
    printed, _ = await run(workspace, command("env"))
    assert "leaked" not in printed


async def test_a_step_starts_in_the_volume(kind):
    workspace = await kind.runtime.open("b1")
    assert (await run(workspace, command("pwd")))[0] == f"{VOLUME}\n"


@pytest.mark.parametrize("folder", [f"{VOLUME}/new/deep", "/newfolder/deep"])
async def test_a_missing_working_directory_is_made(kind, folder):
    workspace = await kind.runtime.open("b1")
    assert await run(workspace, command("pwd", working_directory=folder)) == (
        f"{folder}\n",
        StepExit(0),
    )


async def test_an_empty_working_directory_is_the_images_own(kind):
    workspace = await kind.runtime.open("b1")
    assert (await run(workspace, command("pwd", working_directory="")))[0] == "/\n"


async def test_no_byte_of_a_big_output_is_lost(real):
    workspace = await real.runtime.open("b1")
    printed, _ = await run(workspace, command("seq 1 200000"))
    assert printed == "".join(f"{number}\n" for number in range(1, 200_001))


async def test_bytes_that_are_no_text_arrive(real):
    workspace = await real.runtime.open("b1")
    running = await workspace.start("unit-1", command(r"printf '\377\000\376'"), say=Said())
    assert b"".join([chunk async for chunk in running.output()]) == b"\xff\x00\xfe"


async def test_a_prompt_without_a_newline_arrives_while_the_step_waits(kind):
    workspace = await kind.runtime.open("b1")
    running = await workspace.start("unit-1", command("printf 'name? '\nsleep 60"), say=Said())
    stream = await until_printed(running, b"name? ")
    await running.stop(1)
    assert [chunk async for chunk in stream if chunk != b"Terminated\n"] == []


async def test_a_step_that_heeds_the_request_ends_before_the_grace_time(kind):
    workspace = await kind.runtime.open("b1")
    running = await workspace.start("unit-1", command("echo up\nsleep 60"), say=Said())
    stream = await until_printed(running, b"up")
    async with asyncio.timeout(20):
        await running.stop(60)
    [_ async for _ in stream]
    assert (await running.wait()).exit_code == 128 + signal.SIGTERM


async def test_a_handler_of_the_script_is_called(real):
    workspace = await real.runtime.open("b1")
    script = "trap 'echo cleaning; exit 9' TERM\necho up\nsleep 60 & wait"
    running = await workspace.start("unit-1", command(script), say=Said())
    stream = await until_printed(running, b"up")
    await running.stop(30)
    assert b"".join([chunk async for chunk in stream]) == b"cleaning\n"
    assert (await running.wait()).exit_code == 9


async def test_a_step_that_ignores_the_request_is_forced(kind):
    workspace = await kind.runtime.open("b1")
    script = "trap '' TERM\necho up\nsleep 60"
    running = await workspace.start("unit-1", command(script), say=Said())
    stream = await until_printed(running, b"up")
    async with asyncio.timeout(20):
        await running.stop(0.2)
    [_ async for _ in stream]
    assert (await running.wait()).exit_code == 128 + signal.SIGKILL


async def test_stop_is_safe_twice_and_after_the_end(kind):
    workspace = await kind.runtime.open("b1")
    running = await workspace.start("unit-1", command("sleep 60"), say=Said())
    await asyncio.gather(running.stop(0.2), running.stop(0.2))
    [_ async for _ in running.output()]
    await running.wait()
    await running.stop(0.2)


async def test_steps_of_a_build_share_the_volume(kind):
    workspace = await kind.runtime.open("b1")
    await run(workspace, command("echo kept > file"))
    assert (await run(workspace, command("cat file"), "other-1"))[0] == "kept\n"


async def test_two_builds_see_nothing_of_each_other(kind):
    one, two = await kind.runtime.open("b1"), await kind.runtime.open("b2")
    await asyncio.gather(run(one, command("echo 1 > file")), run(two, command("echo 2 > file")))
    printed = await asyncio.gather(run(one, command("cat file")), run(two, command("cat file")))
    assert [text for text, _ in printed] == ["1\n", "2\n"]


async def test_files_written_before_a_step_are_there_for_it(kind):
    workspace = await kind.runtime.open("b1")
    await workspace.write("in/put", b"given\n")
    assert await workspace.read("in/put") == b"given\n"
    assert (await run(workspace, command("cat in/put")))[0] == "given\n"


async def test_a_written_file_has_its_mode(real):
    workspace = await real.runtime.open("b1")
    await workspace.write("tool", b"#!/bin/sh\necho works\n", mode=0o755)
    assert (await run(workspace, command("./tool")))[0] == "works\n"


async def test_files_of_a_step_can_be_read_after_it(kind):
    workspace = await kind.runtime.open("b1")
    await run(workspace, command("echo A=1 >> exports\nexit 4"))
    assert await workspace.read("exports") == b"A=1\n"
    assert await workspace.read("/exports") == b"A=1\n"
    assert await workspace.read("absent") is None
    await workspace.write("exports", b"")
    assert (await run(workspace, command("cat exports"), "next-1"))[0] == ""


@pytest.fixture
def far(docker, monkeypatch):
    """Docker with its disk out of reach: as for a server without root, or on another machine."""
    monkeypatch.setattr("headrace.runtimes.docker.files.os.access", lambda *_: False)
    return docker


async def test_files_travel_through_the_engine_where_its_disk_is_out_of_reach(far):
    workspace = await far.runtime.open("b1")
    await workspace.write("in/tool", b"#!/bin/sh\necho works\n", mode=0o755)
    assert await workspace.read("in/tool") == b"#!/bin/sh\necho works\n"
    assert (await run(workspace, command("./in/tool; echo A=1 > exports; ln -s / link")))[0] == "works\n"
    assert await workspace.read("exports") == b"A=1\n"
    assert await workspace.read("absent") is None
    assert await workspace.read("link") is None
    await workspace.write("exports", b"")
    assert (await run(workspace, command("cat exports"), "next-1"))[0] == ""


async def test_no_link_is_mounted_where_the_disk_is_out_of_reach(far):
    workspace = await far.runtime.open("b1")
    await run(workspace, command("mkdir real; ln -s / real/link"))
    with pytest.raises(StepCouldNotStart, match="link"):
        await workspace.start("bad-1", command("true", volumes=(("real/link", "/data"),)), say=Said())
    wanted = command("echo x > /data/file", volumes=(("real", "/data"),))
    assert (await run(workspace, wanted, "next-1"))[1].exit_code == 0


async def test_what_was_written_last_is_kept_with_the_volume(far):
    workspace = await far.runtime.open("b1")
    await run(workspace, command("true"))
    await workspace.write("file", b"late\n")
    await workspace.destroy(keep_volume=True)
    again = await far.runtime.open("b1")
    assert (await run(again, command("cat file"), "next-1"))[0] == "late\n"


async def test_a_link_out_of_the_volume_is_never_followed(real):
    workspace = await real.runtime.open("b1")
    await run(workspace, command("ln -s /etc/passwd link; ln -s /etc folder"))
    assert await workspace.read("link") is None
    assert await workspace.read("folder/passwd") is None
    await workspace.write("link", b"mine")
    assert (await run(workspace, command("cat link; test ! -L link")))[0] == "mine"


async def test_a_folder_of_the_volume_can_be_had_at_another_place(real):
    workspace = await real.runtime.open("b1")
    wanted = command("echo x > /data/cache/file", volumes=(("cache", "/data/cache"),))
    assert (await run(workspace, wanted))[1].exit_code == 0
    assert await workspace.read("cache/file") == b"x\n"


@pytest.mark.parametrize(
    "volumes",
    [(("out/../..", "/data"),), (("link", "/data"),), (("a", VOLUME),), (("a", "/d"), ("b", "/d"))],
    ids=["parent", "link", "the volume's own place", "same place twice"],
)
async def test_a_wrong_mount_prevents_the_start(real, volumes):
    workspace = await real.runtime.open("b1")
    await run(workspace, command("ln -s / link"))
    with pytest.raises(StepCouldNotStart):
        await workspace.start("bad-1", command("true", volumes=volumes), say=Said())
    assert (await run(workspace, command("echo fine"), "next-1"))[0] == "fine\n"


async def test_a_program_that_is_not_there_prevents_the_start(kind):
    workspace = await kind.runtime.open("b1")
    wanted = Command(image="alpine:latest", entry_point=("/nonexistent/program",))
    with pytest.raises(StepCouldNotStart, match="/nonexistent/program"):
        await workspace.start("bad-1", wanted, say=Said())


async def test_a_program_gets_its_words_as_they_are(real):
    workspace = await real.runtime.open("b1")
    wanted = Command(image="alpine:latest", entry_point=("printf", "%s|"), cmd=("a b", "$c", "'"))
    assert (await run(workspace, wanted))[0] == "a b|$c|'|"


async def test_a_script_may_be_longer_than_an_argument(kind):
    workspace = await kind.runtime.open("b1")
    script = "echo first\n" + "# padding\n" * 30_000 + "echo last\nexit 6"
    assert await run(workspace, command(script)) == ("first\nlast\n", StepExit(6))


async def test_a_script_that_is_no_shell_fails_as_a_step(real):
    workspace = await real.runtime.open("b1")
    printed, result = await run(workspace, command("if (; then"))
    assert "yntax error" in printed
    assert result.exit_code == 2


async def test_a_bash_script_runs_in_bash(real):
    workspace = await real.runtime.open("b1")
    script = "x=(1 2); echo ${#x[@]}"
    wanted = Command(image="tools:latest", script=script, shell="bash")  # noqa: S604 - a name
    assert (await run(workspace, wanted))[0] == "2\n"


async def test_destroy_ends_what_runs_and_is_safe_twice(kind):
    workspace = await kind.runtime.open("b1")
    running = await workspace.start("unit-1", command("echo up\nsleep 60"), say=Said())
    stream = await until_printed(running, b"up")
    async with asyncio.timeout(30):
        await workspace.destroy(keep_volume=False)
        [_ async for _ in stream]
    await workspace.destroy(keep_volume=False)
    assert await kind.leftovers() == []


async def test_destroy_is_safe_after_a_failed_start_and_without_one(kind):
    await (await kind.runtime.open("never")).destroy(keep_volume=False)
    workspace = await kind.runtime.open("b1")
    with pytest.raises(StepCouldNotStart):
        await workspace.start(
            "bad-1", Command(image="alpine:latest", entry_point=("/nonexistent/x",)), say=Said()
        )
    await workspace.destroy(keep_volume=False)
    assert await kind.leftovers() == []


async def test_a_kept_volume_is_there_when_the_build_is_opened_again(kind):
    workspace = await kind.runtime.open("b1")
    await run(workspace, command("echo kept > file"))
    await workspace.destroy(keep_volume=True)
    again = await kind.runtime.open("b1")
    assert (await run(again, command("cat file"), "next-1"))[0] == "kept\n"


async def test_a_removed_volume_is_empty_when_the_build_is_opened_again(kind):
    workspace = await kind.runtime.open("b1")
    await run(workspace, command("echo gone > file"))
    await workspace.destroy(keep_volume=False)
    again = await kind.runtime.open("b1")
    assert (await run(again, command("cat file"), "next-1"))[1].exit_code == 1


async def test_a_later_build_goes_on_with_a_kept_volume(kind):
    first = await kind.runtime.open("b1")
    await run(first, command("echo kept > file"))
    await first.destroy(keep_volume=True)
    second = await kind.runtime.open("b2", volume="b1")
    assert (await run(second, command("cat file; echo more >> file")))[0] == "kept\n"
    await second.destroy(keep_volume=True)
    assert set(await kind.runtime.volumes()) == {"b1"}
    third = await kind.runtime.open("b3", volume="b1")
    assert (await run(third, command("cat file")))[0] == "kept\nmore\n"
    await third.destroy(keep_volume=False)
    assert await kind.leftovers() == []


async def test_a_kept_volume_that_is_gone_begins_empty(kind):
    workspace = await kind.runtime.open("b2", volume="b1")
    assert "empty\n" in (await run(workspace, command("cat file || echo empty")))[0]
    await workspace.destroy(keep_volume=True)
    assert set(await kind.runtime.volumes()) == {"b1"}


async def test_volumes_are_measured(kind):
    workspace = await kind.runtime.open("b1")
    await workspace.write("file", b"x" * 100_000)
    await run(workspace, command("true"))
    await workspace.destroy(keep_volume=True)
    assert 100_000 <= (await kind.runtime.volumes())["b1"] < 1_000_000


async def test_a_build_waits_until_the_one_before_has_let_go_of_the_volume(real):
    first = await real.runtime.open("b1")
    await run(first, command("echo kept > file"))
    going, second = await asyncio.gather(
        first.destroy(keep_volume=True), real.runtime.open("b2", volume="b1")
    )
    assert going is None
    assert (await run(second, command("cat file")))[0] == "kept\n"


async def test_sweep_removes_other_builds_only(kind):
    dead, alive = await kind.runtime.open("dead"), await kind.runtime.open("alive")
    await run(dead, command("echo 1 > file"))
    await run(alive, command("echo 2 > file"))
    await kind.sweep(but="alive")
    assert (await run(alive, command("cat file"), "next-1"))[0] == "2\n"
    await alive.destroy(keep_volume=False)
    assert await kind.leftovers() == []


async def test_a_step_that_never_was_cannot_be_adopted(kind):
    assert await (await kind.runtime.open("b1")).adopt("unit-1") is None


def crash_a_worker(kind, tmp_path, script):
    """Start a step in another process, and kill that process without warning."""
    kill_once_started(CRASHING, kind.name, tmp_path, script)


async def until_nothing_is_left(kind):
    async with asyncio.timeout(20):
        while await kind.leftovers():  # noqa: ASYNC110 - the kernel and the engine tell nobody
            await asyncio.sleep(ADDED_WAIT_S)


async def test_sweep_removes_what_a_killed_worker_left(real, tmp_path):
    await asyncio.to_thread(crash_a_worker, real, tmp_path, "echo up; sleep 300")
    await real.sweep()
    await until_nothing_is_left(real)


async def test_a_step_of_a_killed_worker_is_adopted_whole_or_gone(real, tmp_path):
    await asyncio.to_thread(crash_a_worker, real, tmp_path, "echo up; sleep 1; echo more; exit 5")
    workspace = await real.runtime.open("crashed")
    adopted = await workspace.adopt("unit-1")
    if real.can_adopt:
        assert await finish(adopted) == ("up\nmore\n", StepExit(5))
    else:
        assert adopted is None
        assert real.processes() == []
    assert (await run(workspace, command("echo on"), "next-1"))[0] == "on\n"


async def test_a_step_that_ended_meanwhile_is_adopted_with_its_output(docker, tmp_path):
    await asyncio.to_thread(crash_a_worker, docker, tmp_path, "echo up; echo A=1 > exports; exit 7")
    workspace = await docker.runtime.open("crashed")
    adopted = await workspace.adopt("unit-1")
    assert await finish(adopted) == ("up\n", StepExit(7))
    assert await workspace.read("exports") == b"A=1\n"


async def test_a_step_killed_for_memory_says_so(docker):
    workspace = await docker.runtime.open("b1")
    script = "echo up; while [ ! -e go ]; do sleep 0.05; done; tail /dev/zero"
    running = await workspace.start("unit-1", command(script), say=Said())
    stream = await until_printed(running, b"up")
    limit = ["update", "--memory", "20m", "--memory-swap", "20m", running.container.id]
    subprocess.run(["/usr/bin/docker", *limit], check=True, capture_output=True)  # noqa: ASYNC221
    await workspace.write("go", b"")
    [_ async for _ in stream]
    assert await running.wait() == StepExit(137, out_of_memory=True)


async def test_steps_reach_this_machine_by_its_gateway(docker):
    gateway = await docker.runtime.gateway()
    server = await asyncio.start_server(greet, gateway, 0)
    port = server.sockets[0].getsockname()[1]
    workspace = await docker.runtime.open("b1")
    async with server:
        for name in (gateway, "host.docker.internal"):
            printed, _ = await run(workspace, command(f"wget -qO- http://{name}:{port}/"), f"{name}-1")
            assert printed == "hello\n"


async def greet(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.0 200 OK\r\n\r\nhello\n")
    writer.close()


async def test_two_installations_on_one_engine_leave_each_other_alone(docker, tmp_path):
    ours = await docker.runtime.open("b1")
    await run(ours, command("echo ours > file"))
    other_place = tmp_path / "other"
    other_place.mkdir()
    other = KINDS["docker"](other_place)
    await run(await other.runtime.open("b1"), command("echo theirs > file"))
    await other.sweep()
    assert await other.leftovers() == []
    await other.runtime.close()
    assert (await run(ours, command("cat file"), "next-1"))[0] == "ours\n"


async def test_an_engine_that_is_gone_is_named(tmp_path):
    runtime = DockerRuntime(DockerSettings(host=f"unix://{tmp_path}/none.sock"))
    workspace = await runtime.open("b1")
    with pytest.raises(StepCouldNotStart, match="the Docker engine does not answer"):
        await workspace.start("unit-1", command("true"), say=Said())
    await runtime.close()


async def test_a_private_image_is_pulled_with_its_login(docker, monkeypatch):
    registry = os.environ.get("ENGINE_REGISTRY_AUTH")
    if not registry:
        pytest.skip("no registry with a password; tools/engine-up starts one")
    image = f"{registry}/headrace-test/private:latest"
    push_with_login(image, registry, monkeypatch)
    workspace = await docker.runtime.open("b1")
    with pytest.raises(StepCouldNotStart, match=r"no basic auth credentials|unauthorized"):
        await workspace.start("unit-1", Command(image=image, script="true"), say=Said())
    said = Said()
    login = RegistryLogin(registry, "ci", "ci")
    wanted = Command(image=image, script="echo pulled", login=login)
    running = await workspace.start("unit-2", wanted, say=said)
    assert (await finish(running))[0] == "pulled\n"
    assert said == [f"Pulling image {image}"]
    subprocess.run(["/usr/bin/docker", "rmi", "-f", image], check=True, capture_output=True)  # noqa: ASYNC221
    await workspace.destroy(keep_volume=False)


async def test_a_private_image_is_pulled_with_the_login_that_docker_has_stored(docker, monkeypatch):
    registry = os.environ.get("ENGINE_REGISTRY_AUTH")
    if not registry:
        pytest.skip("no registry with a password; tools/engine-up starts one")
    image = f"{registry}/headrace-test/stored:latest"
    logins = push_with_login(image, registry, monkeypatch) / "config.json"
    runtime = DockerRuntime(msgspec.structs.replace(docker.runtime._settings, logins=logins))
    workspace = await runtime.open("b2")
    running = await workspace.start("unit-1", Command(image=image, script="echo pulled"), say=Said())
    assert (await finish(running))[0] == "pulled\n"
    subprocess.run(["/usr/bin/docker", "rmi", "-f", image], check=True, capture_output=True)  # noqa: ASYNC221
    await workspace.destroy(keep_volume=False)
    await runtime.close()


def push_with_login(image, registry, monkeypatch):
    """Put an image into the registry and forget it on the engine; return the folder of the login."""
    config = Path(os.environ["DOCKER_CONFIG"]) / "headrace-test"
    monkeypatch.setenv("DOCKER_CONFIG", str(config))
    for words in (
        ["login", "-u", "ci", "-p", "ci", registry],
        ["tag", "alpine:latest", image],
        ["push", image],
        ["rmi", image],
    ):
        subprocess.run(["/usr/bin/docker", *words], check=True, capture_output=True)
    return config
