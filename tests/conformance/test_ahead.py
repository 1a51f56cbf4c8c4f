"""Containers that are started before their step's turn: on Docker, and nobody can tell.

`test_runtime.py` runs whole on them, too (``docker-ahead``); here is what only they have.
"""

import asyncio
import subprocess
from pathlib import Path

import pytest

from conformance.runtime_kinds import ADDED_WAIT_S, DOCKER, kill_once_started, made, until_open
from headrace.runtimes.base import VOLUME, Command, StepCouldNotStart, StepExit
from headrace.runtimes.docker.gate import LABEL

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(120)]
WAITING_WORKER = Path(__file__).with_name("waiting_worker.py")


@pytest.fixture(params=[DOCKER])
async def plain(request, tmp_path):
    """Docker, where nothing waits that the test does not ask for."""
    async for found in made(request.param, tmp_path):
        yield found


async def silent(_line):
    pass


def command(script, **fields):
    return Command(**{"image": "alpine:latest", "script": script, **fields})


async def start(workspace, wanted, step="unit-1"):
    return await workspace.start(step, wanted, say=silent)


async def finish(running):
    printed = b"".join([chunk async for chunk in running.output()])
    return printed.decode(), await running.wait()


async def run(workspace, wanted, step="unit-1"):
    return await finish(await start(workspace, wanted, step))


async def run_expected(workspace, wanted, step="unit-1", guess=None):
    """Run a step whose container waits first; return also whether it has had it."""
    await workspace.expect([(step, guess or wanted)])
    await until_open(workspace)
    running = await start(workspace, wanted, step)
    return *await finish(running), has_waited(running)


def has_waited(running):
    return (
        docker("inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', running.container.id) != ""
    )


def docker(*words):
    return subprocess.run(
        ["/usr/bin/docker", *words], check=True, capture_output=True, text=True
    ).stdout.strip()


def containers(kind, step):
    """Ids of the containers of a step, in any state."""
    labels = {"installation": kind.installation, "step": step}
    filters = [word for name, value in labels.items() for word in ("-f", f"label=io.headrace.{name}={value}")]
    return docker("ps", "-aq", "--no-trunc", *filters).split()


async def until_gone(kind, step):
    await until_left(kind, step, [])


async def until_left(kind, step, wanted):
    async with asyncio.timeout(20):
        while containers(kind, step) != wanted:  # noqa: ASYNC110 - the engine tells nobody
            await asyncio.sleep(ADDED_WAIT_S)


LOOK = """{ env; echo; set; echo; tr '\\0' '\\n' </proc/1/environ; tr '\\0' '|' </proc/1/cmdline; echo
readlink /proc/1/cwd /proc/1/exe; readlink /proc/1/fd/0; umask; echo "$0 $# $-"
grep -E 'Sig[BICP]|ShdPnd|Cap|Seccomp|NoNew|Uid|Gid' /proc/1/status; ls /proc | grep -E '^[0-9]+$' | head -1
mount | grep -v overlay | sed 's/,.*//'; } 2>&1 | grep -vE "HOSTNAME=|SHLVL=0|^_=" | sort"""


@pytest.mark.parametrize(
    ("image", "shell"), [("alpine:latest", "sh"), ("tools:latest", "sh"), ("tools:latest", "bash")]
)
async def test_a_step_sees_what_it_would_see_in_a_container_of_its_own(plain, image, shell):
    workspace = await plain.runtime.open("b1")
    wanted = command(LOOK, image=image, shell=shell, environment={"A": "b c", "PATH": "/bin:/usr/bin"})
    printed, _ = await run(workspace, wanted)
    again, _, waited = await run_expected(workspace, wanted, "next-1")
    assert waited
    assert again.splitlines() == printed.splitlines()


async def test_what_became_known_meanwhile_counts(plain):
    workspace = await plain.runtime.open("b1")
    guess = command("echo never", environment={"OLD": "1", "SAME": "s"})
    values = {"OLD": "2", "SAME": "s", "NEW": 'it\'s\n"two" $lines \\ `x` ü'}
    wanted = command('printf "%s|" "$OLD" "$SAME" "$NEW"; echo "it\'s"; exit 7', environment=values)
    assert await run_expected(workspace, wanted, guess=guess) == (
        f"2|s|{values['NEW']}|it's\n",
        StepExit(7),
        True,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"image": "tools:latest"},
        {"shell": "bash", "image": "tools:latest"},
        {"environment": {"A": "1", "with.dot": "1"}},
        {"environment": {"A": "1", "IFS": "x"}},
        {"environment": {}},
        {"volumes": (("folder", "/data"),)},
        {"working_directory": ""},
        {"working_directory": f"{VOLUME}/is/missing"},
    ],
    ids=" ".join,
)
async def test_a_step_that_differs_in_more_has_another_container(plain, changes):
    workspace = await plain.runtime.open("b1")
    guess = command("true", environment={"A": "1"})
    wanted = command("echo fine", **{"environment": {"A": "1"}, **changes})
    await workspace.expect([("unit-1", guess)])
    await until_open(workspace)
    (waiting,) = containers(plain, "unit-1")
    running = await start(workspace, wanted)
    assert running.container.id != waiting
    assert await finish(running) == ("fine\n", StepExit(0))
    await until_left(plain, "unit-1", [running.container.id])


async def test_nothing_of_a_step_happens_before_its_turn(plain):
    workspace = await plain.runtime.open("b1")
    first = await start(workspace, command("while [ ! -e go ]; do sleep 0.05; done; ls"))
    wanted = command("touch file; pwd", working_directory=f"{VOLUME}/below")
    await workspace.expect([("next-1", wanted)])
    await until_open(workspace)
    (waiting,) = containers(plain, "next-1")
    assert docker("top", waiting, "-o", "pid,args").splitlines()[1].split()[1:] == ["/bin/sh"]
    await workspace.write("go", b"")
    assert await finish(first) == ("go\n", StepExit(0))
    await workspace.destroy(keep_volume=False)


async def test_a_directory_that_a_step_before_made_is_used(plain):
    workspace = await plain.runtime.open("b1")
    first = await start(workspace, command("while [ ! -e go ]; do sleep 0.05; done; rm -r new; mkdir new"))
    await workspace.write("new/old", b"")
    wanted = command("pwd; ls", working_directory=f"{VOLUME}/new")
    await workspace.expect([("next-1", wanted)])
    await until_open(workspace)
    await workspace.write("go", b"")
    await finish(first)
    running = await start(workspace, wanted, "next-1")
    assert has_waited(running)
    assert await finish(running) == (f"{VOLUME}/new\n", StepExit(0))


async def test_what_is_expected_no_more_is_removed(plain):
    workspace = await plain.runtime.open("b1")
    await start(workspace, command("sleep 60"))
    await workspace.expect([("skipped-1", command("true")), ("next-1", command("true"))])
    await until_open(workspace)
    assert containers(plain, "skipped-1")
    await workspace.expect([("next-1", command("true"))])
    await until_gone(plain, "skipped-1")
    assert containers(plain, "next-1")
    await workspace.expect([])
    await until_gone(plain, "next-1")
    await workspace.destroy(keep_volume=False)


async def test_destroy_removes_what_waits_and_what_is_being_started(plain):
    workspace = await plain.runtime.open("b1")
    await workspace.write("file", b"")
    await workspace.expect([("one-1", command("true"))])
    await until_open(workspace)
    await workspace.expect([("two-1", command("true")), ("one-1", command("true"))])
    await workspace.destroy(keep_volume=False)
    assert await plain.leftovers() == []


async def test_a_start_that_is_called_off_leaves_no_container(plain):
    workspace = await plain.runtime.open("b1")
    await workspace.write("file", b"")
    await workspace.expect([("next-1", command("touch ran"))])
    starting = asyncio.create_task(start(workspace, command("sleep 60"), "next-1"))
    await asyncio.sleep(0)
    starting.cancel()
    await asyncio.wait({starting})
    assert starting.cancelled()
    assert containers(plain, "next-1") == []


async def test_no_more_containers_wait_than_there_are_cores(plain, monkeypatch):
    monkeypatch.setattr("headrace.runtimes.docker.runtime.os.cpu_count", lambda: 1)
    runtime = plain.make()
    one, two = await runtime.open("b1"), await runtime.open("b2")
    for workspace in (one, two):
        await workspace.write("file", b"")
        await workspace.expect([("unit-1", command("true")), ("next-1", command("true"))])
        await until_open(workspace)
    assert len(containers(plain, "unit-1")) == 1
    assert containers(plain, "next-1") == []
    await one.destroy(keep_volume=False)
    assert (await run_expected(two, command("echo on"), "other-1"))[1:] == (StepExit(0), True)
    await two.destroy(keep_volume=False)
    await runtime.close()


# What a step finds of those before it: nothing


@pytest.mark.parametrize("file", ["/etc/hosts", "/etc/resolv.conf", "/etc/hostname"])
async def test_no_step_sees_what_another_wrote_into_a_file_of_the_network(plain, file):
    workspace = await plain.runtime.open("b1")
    look = command(f"cat {file}")
    before, _, waited = await run_expected(workspace, look, "one-1")
    assert waited
    changed = command(f"echo 192.0.2.1 elsewhere >> {file}; tail -n 1 {file}")
    assert (await run_expected(workspace, changed, "two-1"))[0] == "192.0.2.1 elsewhere\n"
    after, _, waited = await run_expected(workspace, look, "three-1")
    assert not waited
    assert "elsewhere" not in after
    again, _, waited = await run_expected(workspace, look, "four-1")
    assert waited
    assert len(again.splitlines()) == len(before.splitlines())
    assert "elsewhere" not in again


async def test_a_port_on_which_connections_linger_is_free_for_the_next_step(plain):
    workspace = await plain.runtime.open("b1")
    serve = (
        "import socket\n"
        "s = socket.socket(); s.bind(('127.0.0.1', 7777)); s.listen()\n"
        "c = socket.create_connection(('127.0.0.1', 7777)); a, _ = s.accept()\n"
        "a.close(); c.close(); print('served')"
    )
    wanted = command(f'python3 -c "{serve}"', image="python:3")
    assert await run_expected(workspace, wanted, "one-1") == ("served\n", StepExit(0), True)
    assert await run_expected(workspace, wanted, "two-1") == ("served\n", StepExit(0), False)


async def test_connections_to_others_leave_the_network_as_it_was(plain):
    workspace = await plain.runtime.open("b1")
    server = await asyncio.start_server(hang_up, await plain.runtime.gateway(), 0)
    port = server.sockets[0].getsockname()[1]
    wanted = command(f"nc host.docker.internal {port} </dev/null")
    async with server:
        for step in ("one-1", "two-1"):
            assert await run_expected(workspace, wanted, step) == ("hello\n", StepExit(0), True)


async def hang_up(_reader, writer):
    writer.write(b"hello\n")
    writer.close()


LISTEN = """python3 -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 7777)); s.listen()
import os, time; print('up', flush=True)
while not os.path.exists('go'): time.sleep(0.05)"
"""


async def test_no_two_steps_have_a_network_at_the_same_time(plain):
    workspace = await plain.runtime.open("b1")
    wanted = command(LISTEN, image="python:3")
    await workspace.write("file", b"")
    await workspace.expect([("one-1", wanted), ("two-1", wanted), ("three-1", wanted)])
    await until_open(workspace)
    both = await asyncio.gather(start(workspace, wanted, "one-1"), start(workspace, wanted, "two-1"))
    both.append(await start(workspace, wanted, "three-1"))
    outputs = [running.output() for running in both]
    assert [await anext(output) for output in outputs] == [b"up\n"] * 3
    assert [has_waited(running) for running in both] == [True, False, False]
    await workspace.write("go", b"")
    for running, output in zip(both, outputs, strict=True):
        assert [chunk async for chunk in output] == []
        assert await running.wait() == StepExit(0)


async def test_an_image_that_was_made_anew_meanwhile_is_the_one_that_runs(plain, tmp_path):
    image = f"headrace-test-ahead:{tmp_path.name[-40:].lower().replace('_', '-')}x"
    docker("tag", "alpine:latest", image)
    workspace = await plain.runtime.open("b1")
    try:
        wanted = command("command -v git || echo none", image=image)
        assert (await run_expected(workspace, wanted, "one-1"))[0] == "none\n"
        await workspace.expect([("two-1", wanted)])
        await until_open(workspace)
        docker("tag", "tools:latest", image)
        assert (await run(workspace, wanted, "two-1"))[0].endswith("/git\n")
        await workspace.destroy(keep_volume=False)
    finally:
        docker("rmi", image)


async def test_a_step_keeps_its_network_where_the_next_one_cannot_wait(plain):
    workspace = await plain.runtime.open("b1")
    server = await asyncio.start_server(hang_up, await plain.runtime.gateway(), 0)
    port = server.sockets[0].getsockname()[1]
    go_on = f"nc host.docker.internal {port} </dev/null"
    wanted = command(f"echo up; while [ ! -e go ]; do sleep 0.05; done; {go_on}")
    await workspace.write("file", b"")
    await workspace.expect([("one-1", wanted)])
    await until_open(workspace)
    running = await start(workspace, wanted, "one-1")
    assert has_waited(running)
    lacking = command("true", shell="bash")  # noqa: S604 - a name; the image has none
    await workspace.expect([("two-1", lacking)])
    await until_open(workspace)
    await until_gone(plain, "two-1")
    async with server:
        await workspace.write("go", b"")
        assert await finish(running) == ("up\nhello\n", StepExit(0))
    with pytest.raises(StepCouldNotStart, match="/bin/bash"):
        await start(workspace, lacking, "two-1")


@pytest.mark.parametrize("victim", ["the container", "its network"])
async def test_a_step_whose_waiting_container_was_ended_by_others_has_its_own(plain, victim):
    workspace = await plain.runtime.open("b1")
    await workspace.write("file", b"")
    wanted = command("grep -o eth0 /proc/net/dev")
    await workspace.expect([("one-1", wanted)])
    await until_open(workspace)
    (waiting,) = containers(plain, "one-1")
    if victim == "the container":
        docker("kill", waiting)
    else:
        holder = docker("inspect", "--format", "{{.HostConfig.NetworkMode}}", waiting).partition(":")[2]
        docker("rm", "-f", holder)
    assert await run(workspace, wanted, "one-1") == ("eth0\n", StepExit(0))
    assert await run_expected(workspace, wanted, "two-1") == ("eth0\n", StepExit(0), True)


# Many at once

BESIDE = """import os, socket, sys
s = socket.socket(); s.bind(('127.0.0.1', 7777)); s.listen()
open('up.' + sys.argv[1], 'w').close()
import time
while len([name for name in os.listdir('.') if name.startswith('up.')]) < int(sys.argv[2]): time.sleep(0.05)
print(os.readlink('/proc/self/ns/net'))
"""


async def test_steps_that_start_at_once_share_networks_and_never_at_the_same_time(plain):
    workspace = await plain.runtime.open("b1")
    await workspace.write("beside.py", BESIDE.encode())

    async def one(number, at_once, done):
        script = f"python3 beside.py {number} {done + at_once}"
        printed, result = await run(workspace, command(script, image="python:3"), f"unit-{number}")
        assert result == StepExit(0)
        return printed.strip()

    # None ends before all of these run, each with a server on the same port.
    assert len(set(await asyncio.gather(*(one(number, 8, 0) for number in range(8))))) == 8
    # Steps that do not wait for each other need no network each.
    many = await asyncio.gather(*(one(number, 0, 8) for number in range(8, 24)))
    assert len(set(many)) < len(many)
    await workspace.destroy(keep_volume=False)
    assert await plain.leftovers() == []


async def test_a_file_that_a_step_changed_is_as_it_was_for_those_that_start_after_it(plain):
    workspace = await plain.runtime.open("b1")
    wanted = command("grep -c elsewhere /etc/hosts; echo 192.0.2.1 elsewhere >> /etc/hosts")
    ended = await asyncio.gather(*(run(workspace, wanted, f"unit-{number}") for number in range(8)))
    assert ended == [("0\n", StepExit(0))] * 8


async def test_steps_of_an_image_that_may_not_wait_start_at_once_too(plain, tmp_path):
    image = f"headrace-test-home:{tmp_path.name[-40:].lower().replace('_', '-')}x"
    workspace = await plain.runtime.open("b1")
    made_of = docker("create", "alpine:latest")
    docker("commit", "-c", f"WORKDIR {VOLUME}/home", made_of, image)
    try:
        many = [
            run(workspace, command("pwd", image=image, working_directory=""), f"unit-{number}")
            for number in range(6)
        ]
        assert await asyncio.gather(*many) == [(f"{VOLUME}/home\n", StepExit(0))] * 6
        await workspace.destroy(keep_volume=False)
        assert await plain.leftovers() == []
    finally:
        docker("rm", made_of)
        docker("rmi", image)


# Without the worker


async def test_a_container_that_waited_for_a_killed_worker_never_begins(plain, tmp_path):
    await asyncio.to_thread(kill_once_started, WAITING_WORKER, tmp_path, "")
    workspace = await plain.runtime.open("crashed")
    assert await workspace.adopt("next-1") is None
    assert containers(plain, "next-1") == []
    assert (await run(workspace, command("ls"), "next-2"))[0] == ""
    await workspace.destroy(keep_volume=False)
    assert await plain.leftovers() == []


async def test_a_step_that_had_waited_goes_on_without_its_worker(plain, tmp_path):
    script = """echo up; while [ ! -e go ]; do sleep 0.05; done
wget -qO- http://host.docker.internal:1 || echo more; exit 5"""
    await asyncio.to_thread(kill_once_started, WAITING_WORKER, tmp_path, script)
    workspace = await plain.runtime.open("crashed")
    adopted = await workspace.adopt("next-1")
    assert has_waited(adopted)
    await workspace.write("go", b"")
    printed, result = await finish(adopted)
    assert printed.startswith("up\n")
    assert printed.endswith("Connection refused\nmore\n")
    assert result == StepExit(5)
    await workspace.destroy(keep_volume=False)
    assert await plain.leftovers() == []


async def test_closing_the_runtime_ends_what_waits_and_not_what_runs(plain):
    runtime = plain.make()
    workspace = await runtime.open("b1")
    wanted = command("echo up; while [ ! -e go ]; do sleep 0.05; done; exit 4")
    await workspace.write("file", b"")
    await workspace.expect([("one-1", wanted), ("two-1", wanted)])
    await until_open(workspace)
    running = await start(workspace, wanted, "one-1")
    assert has_waited(running)
    await runtime.close()
    await running.detach()
    (left,) = containers(plain, "two-1")
    assert await asyncio.to_thread(docker, "wait", left) == "0"
    again = await plain.runtime.open("b1")
    await again.write("go", b"")
    assert await finish(await again.adopt("one-1")) == ("up\n", StepExit(4))
    assert await again.adopt("two-1") is None
