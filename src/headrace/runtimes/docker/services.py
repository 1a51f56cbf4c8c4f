"""What a container of a composition has beyond a step's: names, networks, volumes of its own."""

import json
from collections.abc import Mapping
from typing import Any

from aiodocker import Docker

from headrace.runtimes.base import Command, Service, StepCouldNotStart

NETWORK_LABEL = "io.headrace.network"
_STEP_LABEL = "io.headrace.step"
_OWN = "build"  # the label of services on the build's own network


def is_ordinary(command: Command) -> bool:
    """Tell whether a command is a step on the build's own network."""
    return command.service is None and not command.network and not command.stack_of


def own_words(command: Command) -> dict[str, Any]:
    """Return what runs in the place of the image's own entry point and command."""
    given = {"Entrypoint": command.entry_point, "Cmd": command.cmd}
    return {key: list(words) for key, words in given.items() if words is not None}


def labels_of(network: str) -> dict[str, str]:
    """Return the label by which the services of a network are found again."""
    return {NETWORK_LABEL: network or _OWN}


async def adapt(
    docker: Docker, config: dict[str, Any], command: Command, *, name: str, labels: Mapping[str, str]
) -> None:
    """Change the configuration of a step's container into what the command asks for.

    Args:
        docker: the engine; a network that is missing is made there.
        config: as of a step; changed in place.
        command: with a service, a network or a shared network stack.
        name: of the build's objects on the engine; its own network has it.
        labels: of the build's objects.

    Raises:
        StepCouldNotStart: the service whose network stack is to be shared is not there.
    """
    host = config["HostConfig"]
    own = labels_of(command.network)
    if command.service is not None:
        as_service(config, command.service, prefix=f"{name}-{command.network or _OWN}", own={**labels, **own})
    if command.service is not None or command.network:
        config["Labels"] |= own
    if command.stack_of:
        host["NetworkMode"] = f"container:{await _container(docker, command.stack_of, labels)}"
        host.pop("ExtraHosts", None)  # names are those of the one whose stack it is
        config.pop("Hostname", None)
        return
    network = f"{name}-{command.network}" if command.network else name
    if command.network:
        await _make_network(docker, network, {**labels, **own})
        host["NetworkMode"] = network
    if command.service is not None:
        aliases = {"Aliases": list(command.service.hosts)}
        config["NetworkingConfig"] = {"EndpointsConfig": {network: aliases}}


def as_service(config: dict[str, Any], service: Service, *, prefix: str, own: Mapping[str, str]) -> None:
    """Change the configuration of a container into that of a service.

    Args:
        config: changed in place.
        service: what it has beyond a step.
        prefix: of the names of its volumes.
        own: labels of its volumes.
    """
    host = config["HostConfig"]
    host["Mounts"] = [
        {
            "Type": "volume",
            "Source": f"{prefix}-{volume}",
            "Target": target,
            "VolumeOptions": {"Labels": dict(own)},
        }
        for volume, target in service.own_volumes
    ]
    host["Mounts"] += [{"Type": "volume", "Target": target} for target in service.scratch]
    host |= {
        "Tmpfs": dict(service.tmpfs),
        "Privileged": service.privileged,
        "CapAdd": list(service.add_capabilities),
        "CapDrop": list(service.drop_capabilities),
        "ReadonlyRootfs": service.read_only,
        "Init": service.init,
        "ExtraHosts": [*host.get("ExtraHosts", ()), *service.extra_hosts],
    }
    if service.shared_memory_bytes:
        host["ShmSize"] = service.shared_memory_bytes
    given = {"Hostname": service.hostname, "User": service.user, "StopSignal": service.stop_signal}
    config |= {key: value for key, value in given.items() if value}


async def _make_network(docker: Docker, network: str, labels: Mapping[str, str]) -> None:
    if not await docker.networks.list(filters={"name": [f"^{network}$"]}):
        await docker.networks.create({"Name": network, "Labels": dict(labels)})


async def _container(docker: Docker, service: str, labels: Mapping[str, str]) -> str:
    wanted = [f"{key}={value}" for key, value in {**labels, _STEP_LABEL: service}.items()]
    found = await docker.containers.list(filters=json.dumps({"label": wanted}))
    if not found:
        raise StepCouldNotStart("the service that holds the shared network has ended; see its log")
    return str(found[0].id)
