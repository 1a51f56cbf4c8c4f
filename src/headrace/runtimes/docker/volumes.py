"""The volumes of builds on the engine: made once, found again by their label, measured."""

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiodocker import Docker
from aiodocker.exceptions import DockerError
from aiodocker.volumes import DockerVolume

from headrace.runtimes.docker.files import VolumeInContainer, VolumeOnDisk, files_of
from headrace.runtimes.volume import size_bytes

LABEL = "io.headrace.volume"
_GONE_OR_IN_USE = (404, 409)


class EngineVolume:
    """One volume.

    Args:
        docker: the engine.
        base: address of its API, with the version.
        name: of the volume; one that is there already is taken as it is.
        labels: for a volume that is made.
    """

    def __init__(self, docker: Docker, base: str, name: str, labels: Mapping[str, str]) -> None:
        self.name = name
        self.mountpoint = ""  # on the engine's machine; known once the volume was made
        self._docker = docker
        self._base = base
        self._labels = dict(labels)
        self._making: asyncio.Task[VolumeOnDisk | VolumeInContainer] | None = None

    async def files(self) -> VolumeOnDisk | VolumeInContainer:
        """Return the files in it; the volume is made first where it is missing."""
        if self._making is None or _has_failed(self._making):
            self._making = asyncio.create_task(self._make())
        # The engine makes it also for a caller that is cancelled: `settle` waits for that.
        return await asyncio.shield(self._making)

    async def _make(self) -> VolumeOnDisk | VolumeInContainer:
        wanted = {"Name": self.name, "Labels": self._labels}
        async with self._docker.session.post(f"{self._base}/volumes/create", json=wanted) as answer:
            made = await answer.json()
            if not answer.ok:
                raise DockerError(answer.status, made)
        self.mountpoint = made["Mountpoint"]
        return files_of(self.mountpoint, self._docker.session, self._base)

    async def settle(self) -> None:
        """Return when it is made, or not; write what still waits to be written."""
        if self._making is not None:
            await asyncio.wait({self._making})
            if not _has_failed(self._making):
                await self._making.result().flush()

    async def remove(self) -> None:
        """Remove it. Safe twice."""
        self._making = None
        await remove(self._docker, self.name)


async def remove(docker: Docker, name: str) -> None:
    """Remove a volume; that it is gone is as good, one that a container has stays."""
    try:
        await DockerVolume(docker, name).delete()  # type: ignore[no-untyped-call]
    except DockerError as error:
        if error.status not in _GONE_OR_IN_USE:
            raise


async def sizes(docker: Docker, base: str, installation: Mapping[str, str]) -> dict[str, int]:
    """Return the volumes of an installation: sizes in bytes by id, 0 where nobody can tell.

    Args:
        docker: the engine.
        base: address of its API, with the version.
        installation: the label that its volumes carry.
    """
    labels = [*(f"{key}={value}" for key, value in installation.items()), LABEL]
    listed = await docker.volumes.list(filters={"label": labels})  # type: ignore[no-untyped-call]
    found: dict[str, Any] = {one["Labels"][LABEL]: one for one in listed["Volumes"] or []}
    told: dict[str, int] | None = None
    measured = {}
    for volume, entry in found.items():
        place = entry["Mountpoint"]
        if os.access(place, os.R_OK | os.X_OK):
            measured[volume] = await asyncio.to_thread(size_bytes, Path(place))
        else:
            told = await _told_sizes(docker, base) if told is None else told
            measured[volume] = told.get(entry["Name"], 0)
    return measured


async def _told_sizes(docker: Docker, base: str) -> dict[str, int]:
    """Ask the engine, which takes as long as its disk needs."""
    async with docker.session.get(f"{base}/system/df") as answer:
        told = json.loads(await answer.text())
    return {one["Name"]: max(0, one["UsageData"]["Size"]) for one in told.get("Volumes") or []}


def _has_failed(task: "asyncio.Task[Any]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
