"""Files in a build's volume: straight on disk where this process may, else as archives.

Through the engine a file costs 33 ms (it mounts the stopped container for it), on disk next to
nothing. The disk is open to a server that runs as root beside its engine.
"""

import asyncio
import base64
import errno
import io
import json
import os
import tarfile
import tempfile
from pathlib import Path
from typing import IO

import aiohttp
from aiodocker.containers import DockerContainer
from aiodocker.exceptions import DockerError

from headrace.runtimes import volume
from headrace.runtimes.base import VOLUME
from headrace.runtimes.docker.context import Ignore, pack_folder, repack

_NOT_FOUND = 404
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None)
_HEAD_BYTES = 4096  # of a file in a tar, with a long name
_GO_SYMLINK = 1 << 27  # of Go's file mode, which the engine speaks


class VolumeOnDisk:
    """The volume's folder, as the engine told its place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def read(self, path: str) -> bytes | None:
        """Return a file; None if there is none."""
        return volume.read(self._folder, path)

    async def write(self, path: str, content: bytes, mode: int) -> None:
        """Write a file."""
        volume.write(self._folder, path, content, mode)

    async def make_source(self, path: str) -> None:
        """Make sure that a path can be mounted elsewhere; see `volume.make_source`."""
        volume.make_source(self._folder, path)

    async def pack(self, folder: str, ignore: Ignore, out: IO[bytes]) -> None:
        """Write a folder as the context of a build; see `context.pack_folder`."""
        await asyncio.to_thread(pack_folder, self._folder, folder, ignore, out)

    async def pack_files(self, path: str, out: IO[bytes], most_bytes: int, most_files: int) -> None:
        """Write a folder, or a file, as a tar; see `base.Workspace.pack`."""
        await asyncio.to_thread(
            volume.pack_whole, self._folder, path, out, most_bytes=most_bytes, most_files=most_files
        )

    async def use(self, container: DockerContainer) -> None:
        """Nothing waits to be written."""

    async def flush(self) -> None:
        """Nothing waits to be written."""


class VolumeInContainer:
    """The volume as seen through the newest container; writes wait for one and travel together."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base
        self._container: DockerContainer | None = None
        self._waiting: dict[str, tuple[bytes, int]] = {}

    async def read(self, path: str) -> bytes | None:
        """Return a file; None if there is none, or no container yet."""
        name = "/".join(volume.parts(path))
        if name in self._waiting:
            return self._waiting[name][0]
        if self._container is None:
            return None
        try:
            archive = await self._container.get_archive(f"{VOLUME}/{name}")
        except DockerError as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        with archive:
            member = archive.next()
            stream = archive.extractfile(member) if member is not None and member.isreg() else None
            return None if stream is None else stream.read()

    async def write(self, path: str, content: bytes, mode: int) -> None:
        """Keep a file for the next container, which gets it before it starts."""
        self._waiting["/".join(volume.parts(path))] = (content, mode)

    async def make_source(self, path: str) -> None:
        """Make sure that a path can be mounted elsewhere; the engine makes folders that are missing.

        Raises:
            ValueError: a symbolic link is in the way; mounted, it would lead out of the volume.
        """
        names = volume.parts(path)
        for depth in range(1, len(names) + 1 if self._container is not None else 1):
            if await self._is_link("/".join(names[:depth])):
                raise ValueError(f"volume source {path!r} passes through a link; name a real folder")

    async def _is_link(self, name: str) -> bool:
        url = f"{self._base}/containers/{self._container.id if self._container else ''}/archive"
        async with self._session.head(url, params={"path": f"{VOLUME}/{name}"}) as answer:
            if answer.status == _NOT_FOUND:
                return False
            answer.raise_for_status()
            told = json.loads(base64.b64decode(answer.headers["X-Docker-Container-Path-Stat"]))
            return bool(told["mode"] & _GO_SYMLINK)

    async def pack(self, folder: str, ignore: Ignore, out: IO[bytes]) -> None:
        """Write a folder as the context of a build.

        Raises:
            FileNotFoundError: there is no such folder.
        """
        await self.flush()
        with tempfile.TemporaryFile() as given:
            await self._fetch(folder, given)
            await asyncio.to_thread(repack, given, ignore, out)

    async def pack_files(self, path: str, out: IO[bytes], most_bytes: int, most_files: int) -> None:
        """Write a folder, or a file, as a tar; see `base.Workspace.pack`."""
        names = volume.parts(path)
        for depth in range(1, len(names) + 1):
            if self._container is None or await self._is_link("/".join(names[:depth])):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        await self.flush()
        with tempfile.TemporaryFile() as given:
            most = most_bytes + most_files * _HEAD_BYTES
            await self._fetch(path, given, most_bytes=most)
            await asyncio.to_thread(_only_files, given, out, most_bytes, most_files)

    async def _fetch(self, path: str, given: IO[bytes], *, most_bytes: int | None = None) -> None:
        """Fetch the archive of a path, as the engine gives it, and go to its beginning."""
        if self._container is None:
            raise FileNotFoundError(errno.ENOENT, "nothing is in the volume yet", path)
        url = f"{self._base}/containers/{self._container.id}/archive"
        params = {"path": f"{VOLUME}/{'/'.join(volume.parts(path))}"}
        async with self._session.get(url, params=params, timeout=_NO_TIMEOUT) as answer:
            if answer.status == _NOT_FOUND:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            answer.raise_for_status()
            async for chunk in answer.content.iter_any():
                if most_bytes is not None and given.tell() + len(chunk) > most_bytes:
                    raise volume.TooMuch(f"more than {most_bytes // 1024 // 1024} MB")
                given.write(chunk)
        given.seek(0)

    async def use(self, container: DockerContainer) -> None:
        """Take a new container, not yet started, and give it what waits."""
        self._container = container
        await self.flush()

    async def flush(self) -> None:
        """Write what waits, where there is a container to do it with."""
        if self._waiting and self._container is not None:
            waiting, self._waiting = self._waiting, {}
            await put_files(self._container, VOLUME, waiting)


def _only_files(given: IO[bytes], out: IO[bytes], most_bytes: int, most_files: int) -> None:
    """Pack the files of an archive of the engine; the name of the folder leads every path there."""
    packing = volume.Packing(out, most_bytes=most_bytes, most_files=most_files)
    with tarfile.open(fileobj=given) as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isreg() else None
            if stream is not None:
                path = member.name.strip("/")
                packing.add(path.partition("/")[2] or path, member.size, stream)
    packing.close()


async def put_files(container: DockerContainer, folder: str, files: dict[str, tuple[bytes, int]]) -> None:
    """Write files below a folder of a container: (content, mode) by relative path."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, (content, mode) in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    await container.put_archive(folder, packed.getvalue())  # type: ignore[no-untyped-call]


def files_of(mountpoint: str, session: aiohttp.ClientSession, base: str) -> VolumeOnDisk | VolumeInContainer:
    """Choose how to reach a volume that the engine keeps at ``mountpoint``.

    Args:
        mountpoint: folder on the engine's machine, which may be another.
        session: for requests that the library has no call for.
        base: address of the engine's API, with its version.
    """
    if os.access(mountpoint, os.R_OK | os.W_OK | os.X_OK):
        return VolumeOnDisk(Path(mountpoint))
    return VolumeInContainer(session, base)
