"""Compositions at run time: found, filled in, and made into the commands of their services."""

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from headrace.execution.errors import StepRefused
from headrace.execution.images import Registries
from headrace.execution.site import Site
from headrace.pipeline.compose import Composition, CompositionRefused, ServiceDefinition, read_composition
from headrace.pipeline.document import load
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.plan import strings
from headrace.pipeline.variables import (
    VOLUME,
    DirectoryUnknown,
    Scope,
    TextTooLong,
    parse_environment,
    substitute,
    working_directory,
)
from headrace.runtimes.base import Command, RegistryLogin, RunningStep, Service, StepCouldNotStart

_MOST_BYTES = 1_048_576  # of a compose or environment file


class Resolved(msgspec.Struct, frozen=True):
    """A composition that can be started."""

    composition: Composition
    environments: Mapping[str, Mapping[str, str]]  # by service


class Member(msgspec.Struct):
    """One service that runs, or has."""

    name: str
    running: RunningStep | None  # None: it ended under an earlier claim
    exit_code: int | None = None


async def resolve(
    site: Site,
    scope: Scope,
    composition: dict[str, Any] | str,
    variables: tuple[str, ...],
    *,
    directory: str | None = None,
    candidates: Mapping[str, Any] | None = None,
    lasting: bool = False,
) -> Resolved:
    """Find a composition and read it.

    Args:
        site: its volume has the files.
        scope: what ``${{NAME}}`` may refer to.
        composition: a document, the path of one below ``directory``, or the name of a stored one.
        variables: ``NAME=value``, for the ``${NAME}`` of compose.
        directory: as written in ``working_directory``.
        candidates: definitions to lay over those of the document.
        lasting: it outlives the build.

    Raises:
        StepCouldNotStart: there is none, or it cannot be run; the text says why.
    """
    try:
        folder = _below(working_directory(directory, scope))
        stored: tuple[str, ...] = ()
        name = "" if isinstance(composition, dict) else substitute(composition, scope).strip()
        document: object = composition
        if name:
            document, stored = await _find(site, name, folder)
        await site.board.stores.open(strings((document, *stored, *variables, candidates)), scope)
        given = {name: value or "" for name, value in _pairs((*stored, *variables), scope).items()}
        read = read_composition(
            _filled(document, scope),
            variables=given,
            volume=scope.look_up("CF_VOLUME_NAME") or "",
            folder=folder,
            candidates=_filled(candidates or {}, scope),
            lasting=lasting,
        )
        environments = {
            service.name: await _environment(site, service, given, scope) for service in read.services
        }
    except CompositionRefused as refusal:
        raise StepCouldNotStart(
            "the composition cannot be run: " + "; ".join(str(refusal).splitlines())
        ) from refusal
    except (DirectoryUnknown, StepRefused, TextTooLong, SpecErrors) as refusal:
        raise StepCouldNotStart(f"the composition cannot be read: {refusal}") from refusal
    return Resolved(read, environments)


async def login_for(site: Site, image: str, contexts: Sequence[str] = ()) -> RegistryLogin | None:
    """Return the account's login to pull an image with; it is masked in every log from now on.

    Args:
        site: of the build.
        image: what is pulled.
        contexts: names of registries that come first where a domain has several.

    Raises:
        StepCouldNotStart: one of the contexts does not exist.
    """
    try:
        login = Registries(await site.registries()).login_for(image, contexts)
    except StepRefused as refusal:
        raise StepCouldNotStart(str(refusal)) from refusal
    if login is not None:
        site.board.secrets.add(login.password)
    return login


def _below(directory: str) -> str:
    """A directory as a path below the volume; the volume itself where it lies outside."""
    return posixpath.relpath(directory, VOLUME) if directory.startswith(f"{VOLUME}/") else ""


def _pairs(entries: tuple[str, ...], scope: Scope) -> dict[str, str]:
    parsed = parse_environment(substitute(entry, scope) for entry in entries)
    return {name: scope.look_up(name) or "" if value is None else value for name, value in parsed.items()}


def _filled(value: Any, scope: Scope) -> Any:  # noqa: ANN401  # JSON's edge
    if isinstance(value, str):
        return substitute(value, scope)
    if isinstance(value, dict):
        return {key: _filled(item, scope) for key, item in value.items()}
    return [_filled(item, scope) for item in value] if isinstance(value, list) else value


async def _find(site: Site, name: str, folder: str) -> tuple[object, tuple[str, ...]]:
    """Return the document of a file in the volume, else of a stored composition, and its variables."""
    place = posixpath.normpath(posixpath.join(VOLUME, folder, name))
    content = await _read(site, place)
    if content is not None:
        return load(content).data, ()
    try:
        stored = await site.records.composition(site.build_id, name)
    except LookupError:
        raise StepCouldNotStart(
            f"composition {name!r} is no file at {place}, and none is stored under that name; clone the "
            "repository before, write it out, or create the composition"
        ) from None
    return load(stored.text).data, stored.variables


async def _read(site: Site, path: str) -> str | None:
    if not path.startswith(f"{VOLUME}/"):
        return None
    content = await site.workspace.read(path.removeprefix(f"{VOLUME}/"))
    if content is not None and len(content) > _MOST_BYTES:
        raise StepCouldNotStart(f"{path} is longer than {_MOST_BYTES} bytes")
    return None if content is None else content.decode(errors="replace")


async def _environment(
    site: Site, service: ServiceDefinition, given: Mapping[str, str], scope: Scope
) -> dict[str, str]:
    """Return what a service is told: its own environment, and nothing that it does not name."""
    merged: dict[str, str | None] = {}
    for path in service.env_files:
        content = await _read(site, f"{VOLUME}/{path}")
        if content is None:
            raise StepCouldNotStart(f"env_file {path!r} of service {service.name!r} is not in the volume")
        lines = (line.strip() for line in content.splitlines())
        merged |= parse_environment(line for line in lines if line and not line.startswith("#"))
    merged |= service.environment
    known = {
        name: given.get(name, scope.look_up(name)) if value is None else value
        for name, value in merged.items()
    }
    return {name: value for name, value in known.items() if value is not None}


def service_command(
    service: ServiceDefinition,
    environment: Mapping[str, str],
    *,
    network: str,
    stack_of: str = "",
    hosts: tuple[str, ...] = (),
) -> Command:
    """Make the command of a service.

    Args:
        service: as read.
        environment: all that it is told.
        network: where it is found.
        stack_of: the service whose network stack it shares.
        hosts: further names by which it is found.
    """
    return Command(
        image=service.image,
        entry_point=service.entry_point,
        cmd=service.cmd,
        environment=environment,
        working_directory=service.working_directory,
        volumes=tuple((m.shared or ".", m.target) for m in service.mounts if m.shared is not None),
        network=network,
        stack_of=stack_of,
        service=Service(
            hosts=tuple(dict.fromkeys([service.name, *service.hosts, *hosts])),
            own_volumes=tuple((mount.name, mount.target) for mount in service.mounts if mount.name),
            scratch=tuple(m.target for m in service.mounts if not m.name and m.shared is None),
            tmpfs=service.tmpfs,
            hostname=service.hostname,
            user=service.user,
            privileged=service.privileged,
            add_capabilities=service.add_capabilities,
            drop_capabilities=service.drop_capabilities,
            extra_hosts=service.extra_hosts,
            read_only=service.read_only,
            init=service.init,
            shared_memory_bytes=service.shared_memory_bytes,
            stop_signal=service.stop_signal,
            ports=service.ports,
            restart=service.restart,
        ),
    )
