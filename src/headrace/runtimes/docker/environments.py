"""Environments on a Docker Engine: containers, a network and volumes that carry an environment's label.

They carry no label of a build, so that nothing which cleans up after builds finds them.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import aiohttp
from aiodocker import Docker
from aiodocker.containers import DockerContainer
from aiodocker.exceptions import DockerError

from headrace.pipeline.compose_ports import Port
from headrace.runtimes.base import Command, EngineFailed, LaunchedService, Say, StepCouldNotStart, Wish
from headrace.runtimes.docker.errors import reason
from headrace.runtimes.docker.pulls import made_with_image
from headrace.runtimes.docker.removal import remove_labelled
from headrace.runtimes.docker.services import as_service, own_words

LABEL = "io.headrace.environment"
_INSTALLATION = "io.headrace.installation"
_SERVICE = "io.headrace.service"
_PLACE = "io.headrace.place"  # in the order of their start
_STATES: Mapping[str, Literal["running", "paused", "stopped"]] = {
    "running": "running",
    "restarting": "running",
    "paused": "paused",
}
_EXIT_CODE = re.compile(r"Exited \((\d+)\)")
_SO_ALREADY = (304, 409)  # stopped, paused … already, or going at this moment
_BUSY = (403, 409)  # somebody else is removing the same
_TRIES = 50
_BETWEEN_TRIES_S = 0.2
_MOST_OUTPUT = {"max-size": "10m", "max-file": "3"}  # nobody ends these logs


class DockerEnvironments:
    """Fills `base.Environments`.

    Args:
        connection: gives the engine.
        installation: label of what is ours.
        logins: what ``docker login`` has stored, for pulls.
        address: of this machine, where ports are opened.
    """

    def __init__(
        self, connection: Callable[[], Docker], *, installation: str, logins: Path, address: str
    ) -> None:
        self._connection, self._installation = connection, installation
        self._logins, self._address = logins, address

    async def engine(self) -> str:
        """Return the engine's own id."""
        async with _answering():
            return str((await self._connection().system.info())["ID"])

    async def launch(self, environment_id: str, services: Mapping[str, Command], *, say: Say) -> None:
        """Start services in their order; see `base.Environments.launch`."""
        docker, network = self._connection(), self._name(environment_id)
        labels = {_INSTALLATION: self._installation, LABEL: environment_id}
        try:
            await docker.networks.create({"Name": network, "Labels": labels})
        except (DockerError, aiohttp.ClientError, OSError) as error:
            raise StepCouldNotStart(reason(error)) from error
        for place, (name, command) in enumerate(services.items()):
            await say(f"Starting service {name!r} from image {command.image}")
            config = self._config(
                command, network, {**labels, _SERVICE: name, _PLACE: f"{place:04}"}, own=labels
            )
            try:
                container = await made_with_image(
                    lambda config=config: docker.containers.create(config),  # type: ignore[misc]
                    docker,
                    command,
                    logins=self._logins,
                    say=say,
                )
                await container.start()
            except (DockerError, aiohttp.ClientError, OSError) as error:
                raise StepCouldNotStart(f"service {name!r} did not start: {reason(error)}") from error

    def _config(
        self, command: Command, network: str, labels: Mapping[str, str], *, own: Mapping[str, str]
    ) -> dict[str, Any]:
        service = command.service
        if service is None:
            raise ValueError("an environment consists of services")
        config: dict[str, Any] = {
            "Image": command.image,
            "Env": [f"{name}={value}" for name, value in command.environment.items()],
            "Labels": dict(labels),
            "ExposedPorts": {_key(port): {} for port in service.ports},
            "HostConfig": {
                "NetworkMode": network,
                "PortBindings": self._bindings(service.ports),
                "LogConfig": {"Type": "json-file", "Config": _MOST_OUTPUT},
            },
            "NetworkingConfig": {"EndpointsConfig": {network: {"Aliases": list(service.hosts)}}},
        }
        if command.working_directory:
            config["WorkingDir"] = command.working_directory
        if service.restart:
            policy, _, count = service.restart.partition(":")
            config["HostConfig"]["RestartPolicy"] = {"Name": policy, "MaximumRetryCount": int(count or 0)}
        as_service(config, service, prefix=network, own=own)
        return config | own_words(command)

    def _bindings(self, ports: tuple[Port, ...]) -> dict[str, list[dict[str, str]]]:
        found: dict[str, list[dict[str, str]]] = {}
        for port in ports:
            opened = {"HostIp": self._address, "HostPort": str(port.host or "")}
            found.setdefault(_key(port), []).append(opened)
        return found

    async def found(self) -> dict[str, tuple[LaunchedService, ...]]:
        """Return what is there, by the labels."""
        filters = {"label": [f"{_INSTALLATION}={self._installation}", LABEL]}
        docker = self._connection()
        async with _answering():
            containers = await docker.containers.list(all=1, filters=json.dumps(filters))
            networks = await docker.networks.list(filters=filters)
            volumes = (await docker.volumes.list(filters=filters))["Volumes"] or []  # type: ignore[no-untyped-call]
        found: dict[str, list[LaunchedService]] = {one["Labels"][LABEL]: [] for one in (*networks, *volumes)}
        for container in sorted(containers, key=lambda one: str(one["Labels"].get(_PLACE))):
            found.setdefault(container["Labels"][LABEL], []).append(_shown(container))
        return {environment_id: tuple(services) for environment_id, services in found.items()}

    async def change(self, environment_id: str, wish: Wish) -> None:
        """Do so with each container; see `base.Environments.change`."""
        async with _answering():
            containers = await self._containers(environment_id)
            if wish == "start":
                for container in containers:
                    if container["State"] == "paused":
                        await _tolerant(container.unpause())
                    await _tolerant(container.start())
            else:
                await asyncio.gather(*(_changed(container, wish) for container in containers))

    async def _containers(self, environment_id: str) -> list[DockerContainer]:
        labels = [f"{_INSTALLATION}={self._installation}", f"{LABEL}={environment_id}"]
        found = await self._connection().containers.list(all=1, filters=json.dumps({"label": labels}))
        return sorted(found, key=lambda one: str(one["Labels"].get(_PLACE)))

    async def remove(self, environment_id: str) -> None:
        """Remove all of it; where another process is at it, wait for that."""
        labels = [f"{_INSTALLATION}={self._installation}", f"{LABEL}={environment_id}"]
        async with _answering():
            for left in reversed(range(_TRIES)):
                try:
                    await remove_labelled(self._connection(), {"label": labels})
                except DockerError as error:
                    if error.status not in _BUSY or not left:
                        raise
                    await asyncio.sleep(_BETWEEN_TRIES_S)
                else:
                    return

    def _name(self, environment_id: str) -> str:
        return f"headrace-{self._installation}-e{environment_id}"


def _key(port: Port) -> str:
    return f"{port.container}/{port.protocol}"


def _shown(container: DockerContainer) -> LaunchedService:
    ended = _EXIT_CODE.match(container["Status"])
    ports = [port for port in container["Ports"] or [] if port.get("PublicPort")]
    return LaunchedService(
        name=container["Labels"].get(_SERVICE, ""),
        image=container["Image"],
        state=_STATES.get(container["State"], "stopped"),
        exit_code=int(ended[1]) if ended else None,
        ports={
            f"{port['PrivatePort']}/{port['Type']}": f"{port['IP']}:{port['PublicPort']}"
            for port in sorted(ports, key=lambda port: int(port["PrivatePort"]))
        },
    )


async def _changed(container: DockerContainer, wish: Wish) -> None:
    state = container["State"]
    if state == "paused" and wish in ("stop", "unpause"):
        await _tolerant(container.unpause())
    if wish == "stop":
        await _tolerant(container.stop())
    elif wish == "pause" and state == "running":
        await _tolerant(container.pause())


async def _tolerant(call: Any) -> None:  # noqa: ANN401 - a coroutine of the library
    try:
        await call
    except DockerError as error:
        if error.status not in _SO_ALREADY:
            raise


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    """Turn what the library raises into what the contract says."""
    try:
        yield
    except (DockerError, aiohttp.ClientError, OSError) as error:
        raise EngineFailed(reason(error)) from error
