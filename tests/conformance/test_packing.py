"""Files of the volume as a tar: what `Workspace.pack` promises, on fake, local and docker."""

import io
import tarfile

import pytest

from conformance.runtime_kinds import DOCKER, made
from headrace.runtimes.base import Command
from headrace.runtimes.volume import TooMuch

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(90)]
FAR = pytest.param("far", marks=DOCKER.marks)
FILES = "mkdir -p out/deep; printf '%s' one > out/a; printf '%s' two > out/deep/b; printf '%s' more > beside"
LINKS = (
    "ln -s /etc etc; ln -s /etc/passwd link; mkdir -p real; ln -s /etc real/etc; ln -s /etc/passwd real/link"
)


async def _silent(_line):
    """Say nothing."""


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Open a workspace after a script has run in it; ``far`` is Docker with its disk out of reach."""

    async def filled(name, script):
        if name == "far":
            monkeypatch.setattr("headrace.runtimes.docker.files.os.access", lambda *_: False)
        kinds = made(DOCKER.values[0] if name == "far" else name, tmp_path)
        kind = await anext(kinds)
        workspace = await kind.runtime.open("b1")
        running = await workspace.start("unit-1", Command(image="alpine:latest", script=script), say=_silent)
        async for _ in running.output():
            pass
        assert (await running.wait()).exit_code == 0
        yield workspace
        async for _ in kinds:
            pass

    return filled


@pytest.fixture(params=["fake", "local", DOCKER, FAR])
async def workspace(request, opened):
    async for found in opened(request.param, FILES):
        yield found


@pytest.fixture(params=["local", DOCKER, FAR])
async def odd(request, opened):
    """A volume with links and what is no file."""
    async for found in opened(request.param, f"{FILES}; {LINKS}; mkfifo real/pipe; echo x > real/file"):
        yield found


async def packed(workspace, path, *, most_bytes=1000, most_files=10):
    """The files at a path of the volume, as they were packed."""
    out = io.BytesIO()
    await workspace.pack(path, out, most_bytes=most_bytes, most_files=most_files)
    out.seek(0)
    with tarfile.open(fileobj=out) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


async def test_a_folder_or_a_file_is_packed(workspace):
    assert await packed(workspace, "out") == {"a": b"one", "deep/b": b"two"}
    assert await packed(workspace, "/out/deep/") == {"b": b"two"}
    assert await packed(workspace, "out/deep/b") == {"b": b"two"}
    assert {"out/a", "out/deep/b", "beside"} <= (await packed(workspace, "")).keys()


@pytest.mark.parametrize("path", ["absent", "out/absent"])
async def test_what_is_not_there_cannot_be_packed(workspace, path):
    with pytest.raises(FileNotFoundError):
        await packed(workspace, path)


async def test_a_path_out_of_the_volume_is_no_path(workspace):
    with pytest.raises(ValueError, match="leaves the volume"):
        await packed(workspace, "out/../../x")


async def test_no_more_is_packed_than_was_wanted(workspace):
    assert len(await packed(workspace, "out", most_bytes=6, most_files=2)) == 2
    with pytest.raises(TooMuch):
        await packed(workspace, "out", most_bytes=5)
    with pytest.raises(TooMuch, match="more than 1 files"):
        await packed(workspace, "out", most_files=1)


async def test_no_link_is_packed_and_none_is_followed(odd):
    assert await packed(odd, "real") == {"file": b"x\n"}
    for path in ("etc/passwd", "real/etc/passwd"):
        with pytest.raises(OSError, match=r"\w"):
            await packed(odd, path)
