"""Removing what carries our labels from an engine, also where others are at it."""

import asyncio
import json
from collections.abc import Awaitable, Mapping
from typing import Any

from aiodocker import Docker
from aiodocker.exceptions import DockerError
from aiodocker.volumes import DockerVolume

_GONE_OR_AT_IT = (404, 409)


async def remove_labelled(
    docker: Docker,
    filters: Mapping[str, list[str]],
) -> None:
    """Remove what carries labels: containers first, then networks and volumes.

    Args:
        docker: the engine.
        filters: which objects, as ``{"label": ["name=value"]}``.
    """
    containers = await docker.containers.list(all=1, filters=json.dumps(filters))
    await asyncio.gather(*(ignore_missing(container.delete(force=True, v=True)) for container in containers))
    for network in await docker.networks.list(filters=filters):
        await ignore_missing((await docker.networks.get(network["Id"])).delete())
    found = await docker.volumes.list(filters=filters)  # type: ignore[no-untyped-call]
    for entry in found["Volumes"] or []:
        await ignore_missing(DockerVolume(docker, entry["Name"]).delete())  # type: ignore[no-untyped-call]


async def ignore_missing(removal: Awaitable[Any]) -> None:
    """Await a removal; that somebody else was faster (404) or is at it (409) is as good."""
    try:
        await removal
    except DockerError as error:
        if error.status not in _GONE_OR_AT_IT:
            raise
