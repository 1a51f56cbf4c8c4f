"""Containers whose image may have to be pulled first."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiodocker import Docker
from aiodocker.containers import DockerContainer
from aiodocker.exceptions import DockerError

from headrace.runtimes.base import Command, RegistryLogin, Say
from headrace.runtimes.docker.logins import domain_of, stored_login

_NOT_FOUND = 404


async def made_with_image(
    make: Callable[[], Awaitable[DockerContainer]],
    docker: Docker,
    command: Command,
    *,
    logins: Path,
    say: Say,
) -> DockerContainer:
    """Make a container; where the engine lacks its image, pull that and try once more.

    Args:
        make: makes it.
        docker: the engine.
        command: whose image it is, with the login that comes first.
        logins: what ``docker login`` has stored, for all others.
        say: hears that something is pulled.

    Raises:
        DockerError: it cannot be made, or the image cannot be pulled.
    """
    try:
        return await make()
    except DockerError as error:
        if error.status != _NOT_FOUND or "image" not in error.message.lower():
            raise
    await say(f"Pulling image {command.image}")
    login = command.login or await asyncio.to_thread(stored_login, logins, command.image)
    await _pull(docker, command.image, login)
    return await make()


async def _pull(docker: Docker, image: str, login: RegistryLogin | None) -> None:
    if login is None:
        await docker.images.pull(image)
        return
    if domain_of(image) != image.partition("/")[0]:
        image = f"docker.io/{image}" if "/" in image else f"docker.io/library/{image}"
    await docker.images.pull(image, auth={"username": login.username, "password": login.password})
