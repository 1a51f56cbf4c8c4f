"""Compose documents: what of them a service container takes over, and what is said of the rest.

Source: the Compose file reference, versions 2 and 3, and `reference/pipeline-yaml.md` 3.6 and 6.1.
Nothing is dropped in silence: a key is honoured, is true anyway, earns a note, or is an error.
"""

import posixpath
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from headrace.pipeline.compose_ports import Port, PortUnreadable, read_ports
from headrace.pipeline.variables import VOLUME

_REFERENCE = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<bare>[A-Za-z_]\w*)"
    r"|\{(?P<name>[A-Za-z_]\w*)(?:(?P<operator>:?[-?+])(?P<word>[^{}]*))?\})",
    re.ASCII,
)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_VOLUME_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgKMG]?)(?:i?[bB])?")
_RESTART = re.compile(r"no|always|unless-stopped|on-failure(:\d{1,6})?")
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3}
# True of every service anyway, or without a meaning where nobody sits at a terminal.
_TRUE_ANYWAY = frozenset(
    {"ports", "expose", "labels", "stdin_open", "tty", "pull_policy", "platform", "scale"}
)
_ROOT_SILENT = frozenset({"version", "services", "volumes", "name"})
_CURES = {
    "build": "build the image in a step of type build, and name it in 'image'",
    "extends": "write the service out",
}
_REASONS = {
    "healthcheck": "say when the services can be used in 'readiness'",
    "restart": "a service that ends is not started again",
    "networks": "all services of a composition share one network",
    "network_mode": "all services of a composition share one network",
    "deploy": "there is one container of each service",
}


class CompositionRefused(ValueError):
    """A compose document cannot be run; the text says why, one problem a line."""


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """A place inside of a service container that outlives a write."""

    target: str  # absolute
    shared: str | None = None  # path below the build's volume; "" is all of it
    name: str = ""  # of a volume of the composition; with neither, the volume has no name


class ServiceDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """One service of a composition."""

    name: str
    image: str
    entry_point: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    environment: Mapping[str, str | None] = {}  # None: the build's value of that name
    env_files: tuple[str, ...] = ()  # paths below the build's volume, lowest precedence first
    working_directory: str = ""
    user: str = ""
    hostname: str = ""
    hosts: tuple[str, ...] = ()  # beside its name
    mounts: tuple[Mount, ...] = ()
    tmpfs: Mapping[str, str] = {}
    privileged: bool = False
    add_capabilities: tuple[str, ...] = ()
    drop_capabilities: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    init: bool = False
    read_only: bool = False
    shared_memory_bytes: int = 0
    stop_signal: str = ""
    ports: tuple[Port, ...] = ()  # only of a composition that outlives its build, as `restart`
    restart: str = ""  # ``no``, ``always``, ``unless-stopped``, ``on-failure`` or ``on-failure:3``
    depends_on: tuple[str, ...] = ()


class Composition(msgspec.Struct, frozen=True):
    """The services of a document in the order in which they start, and what is to be told of it."""

    services: tuple[ServiceDefinition, ...]
    notes: tuple[str, ...] = ()


def read_composition(
    document: object,
    *,
    variables: Mapping[str, str],
    volume: str,
    folder: str = "",
    candidates: Mapping[str, Any] | None = None,
    lasting: bool = False,
) -> Composition:
    """Read a compose document, or the map of its services alone.

    Args:
        document: plain values, with the engine's own ``${{NAME}}`` filled in.
        variables: what ``${NAME}`` stands for; an unknown one is empty, as with compose.
        volume: the name by which a service mounts the build's volume (``CF_VOLUME_NAME``).
        folder: below that volume, where relative paths begin.
        candidates: service definitions to lay over those of the document.
        lasting: it outlives the build: its ports are opened and its services may be started again,
            and nothing of it may lie in the build's volume.

    Raises:
        CompositionRefused: with all its problems.
    """
    reader = _Reader(variables, volume, folder, lasting=lasting)
    services = reader.services_of(document)
    for name, body in reader.filled(dict(candidates or {})).items():
        under = services.get(name)
        services[name] = {**under, **body} if isinstance(under, dict) and isinstance(body, dict) else body
    read = {name: reader.service(str(name), body) for name, body in services.items()}
    ordered = reader.ordered({name: service for name, service in read.items() if service is not None})
    if not services:
        reader.errors.append("it has no services")
    if reader.errors:
        raise CompositionRefused("\n".join(dict.fromkeys(reader.errors)))
    return Composition(ordered, tuple(dict.fromkeys(reader.notes)))


class _Reader:
    """Reads one document; collects problems and notes."""

    def __init__(self, variables: Mapping[str, str], volume: str, folder: str, *, lasting: bool) -> None:
        self.errors: list[str] = []
        self.notes: list[str] = []
        self._variables, self._volume, self._folder = variables, volume, folder
        self._name = ""
        self._keys = {**_KEYS, **_LASTING_KEYS} if lasting else _KEYS
        self._lasting = lasting

    # The document

    def services_of(self, document: object) -> dict[str, Any]:
        """Return the definitions, with the variables of compose filled in."""
        if not isinstance(document, dict):
            self.errors.append("a composition is a map of services")
            return {}
        services = document.get("services") if "services" in document else document
        if services is not document:
            self._check_root(document)
        if not isinstance(services, dict):
            self.errors.append("'services' is a map of services")
            return {}
        return {name: self.filled(body) for name, body in services.items() if name != "version"}

    def _check_root(self, document: dict[str, Any]) -> None:
        for key, value in document.items():
            if key in _ROOT_SILENT or str(key).startswith("x-"):
                continue
            self.notes.append(f"{key!r} is passed over" + _reason(key))
            if key in ("secrets", "configs") and value:
                self.errors.append(f"{key!r} of compose are not known here; use variables of the build")
        for name, body in (document.get("volumes") or {}).items():
            if isinstance(body, dict) and body.get("external"):
                self.errors.append(f"volume {name!r} is external; a build has volumes of its own only")

    def filled(self, value: Any) -> Any:  # noqa: ANN401  # JSON's edge
        """Return a value with the variables of compose filled in, at any depth."""
        if isinstance(value, str):
            return _REFERENCE.sub(self._value, value)
        if isinstance(value, dict):
            return {key: self.filled(item) for key, item in value.items()}
        return [self.filled(item) for item in value] if isinstance(value, list) else value

    def _value(self, found: re.Match[str]) -> str:
        if found["dollar"]:
            return "$"
        name, operator, word = found["name"] or found["bare"], found["operator"] or "", found["word"] or ""
        value = self._variables.get(name)
        is_set = bool(value) if operator.startswith(":") else value is not None
        match operator.lstrip(":"):
            case "-":
                return (value or "") if is_set else word
            case "+":
                return word if is_set else ""
            case "?" if not is_set:
                self.errors.append(f"variable {name!r} is needed: {word or 'it is not set'}")
            case _ if value is None:
                self.notes.append(f"variable {name!r} is not among the composition variables; it is empty")
        return value or ""

    # One service

    def service(self, name: str, body: object) -> ServiceDefinition | None:
        """Read one definition; None where it is none."""
        self._name = name
        if not _HOST.fullmatch(name):
            self._fail("the name of a service is a host name: letters, digits, '_', '.' and '-'")
        if not isinstance(body, dict):
            self._fail("a service is a map")
            return None
        values: dict[str, Any] = {}
        for key, value in body.items():
            if value is None:
                continue
            if (read := self._keys.get(key)) is not None:
                values |= read(self, value)
            elif key in _CURES:
                self._fail(f"{key!r} is not known here; {_CURES[key]}")
            elif key not in _TRUE_ANYWAY and not str(key).startswith("x-"):
                self._note(f"{key!r} is passed over" + _reason(key))
        if not values.get("image"):
            self._fail("'image' is missing")
            return None
        extra = values.pop("links", ()), values.pop("aliases", ())
        depends = dict.fromkeys([*values.pop("depends_on", ()), *(link for link, _ in extra[0])])
        named = values.pop("container_name", ())
        return ServiceDefinition(
            name=name, depends_on=tuple(depends), hosts=tuple(dict.fromkeys([*named, *extra[1]])), **values
        )

    def ordered(self, services: dict[str, ServiceDefinition]) -> tuple[ServiceDefinition, ...]:
        """Put services after those that they depend on, else as written."""
        placed: dict[str, ServiceDefinition] = {}
        left = dict(services)
        for service in services.values():
            for other in service.depends_on:
                if other not in services:
                    self.errors.append(f"service {service.name!r} depends on {other!r}, which is not there")
                    return ()
        while left:
            ready = next((one for one in left.values() if placed.keys() >= {*one.depends_on}), None)
            if ready is None:
                self.errors.append(f"services depend on each other in a circle: {', '.join(left)}")
                return ()
            placed[ready.name] = left.pop(ready.name)
        return tuple(placed.values())

    def _fail(self, text: str) -> None:
        self.errors.append(f"service {self._name!r}: {text}")

    def _note(self, text: str) -> None:
        self.notes.append(f"service {self._name!r}: {text}")

    # Values

    def text(self, value: object) -> str:
        """Return a scalar as compose reads it."""
        if isinstance(value, dict | list):
            self._fail(f"{value!r} is no single value")
            return ""
        if value is None or isinstance(value, bool):
            return {True: "true", False: "false", None: ""}[value]
        return str(value)

    def flag(self, value: object) -> bool:
        """Return a Boolean, also one written as text."""
        return self.text(value).lower() in ("true", "yes", "on", "1")

    def texts(self, value: object) -> tuple[str, ...]:
        """Return a list of texts; a single one is a list of one."""
        return tuple(self.text(item) for item in (value if isinstance(value, list) else [value]))

    def words(self, value: object) -> tuple[str, ...]:
        """Return a command: a list as it is, a text split as a shell splits it."""
        if isinstance(value, list):
            return self.texts(value)
        try:
            return tuple(shlex.split(self.text(value)))
        except ValueError as error:
            self._fail(f"{value!r}: {error}")
            return ()

    def environment(self, value: object) -> dict[str, str | None]:
        """Return variables, of a map or a list; None where the value is the build's."""
        if isinstance(value, dict):
            return {str(name): None if given is None else self.text(given) for name, given in value.items()}
        pairs = (text.partition("=") for text in self.texts(value))
        return {name: given if equals else None for name, equals, given in pairs}

    def env_files(self, value: object) -> tuple[str, ...]:
        """Return paths below the build's volume."""
        entries = value if isinstance(value, list) else [value]
        paths = [str(entry.get("path", "")) if isinstance(entry, dict) else str(entry) for entry in entries]
        found = [self._below(path) for path in paths]
        for path, below in zip(paths, found, strict=True):
            if below is None:
                self._fail(f"env_file {path!r} is not in the build's volume")
        return tuple(below for below in found if below is not None)

    def mounts(self, value: object) -> dict[str, Any]:
        """Return the volumes of a service, in short and long form."""
        mounts: list[Mount] = []
        tmpfs: dict[str, str] = {}
        for entry in value if isinstance(value, list) else [value]:
            source, target, kind = self._parts(entry)
            if kind == "tmpfs":
                tmpfs[target] = ""
            elif not target.startswith("/"):
                self._fail(f"volume {entry!r} has no absolute target")
            elif (mount := self._mount(source, target)) is not None:
                mounts.append(mount)
                if self._lasting and mount.shared is not None:
                    self._fail(
                        f"volume {entry!r} is the build's, which ends with it; put the files into an image "
                        "(a step of type build), or name a volume of the composition"
                    )
        return {"mounts": tuple(mounts)} | ({"tmpfs": tmpfs} if tmpfs else {})

    def _parts(self, entry: object) -> tuple[str, str, str]:
        if isinstance(entry, dict):
            kind, source = str(entry.get("type", "volume")), str(entry.get("source") or "")
            return source, str(entry.get("target") or ""), kind
        first, colon, rest = str(entry).partition(":")
        target, _, mode = rest.partition(":")
        if mode and mode not in ("rw", "z", "Z"):
            self._note(f"volume {entry!r}: mode {mode!r} is passed over")
        return (first, target, "volume") if colon else ("", first, "volume")

    def _mount(self, source: str, target: str) -> Mount | None:
        if not source:
            return Mount(target=target)
        if "${{" in source:  # a template: what it means is known when it is filled in
            return Mount(target=target, shared="")
        if source == self._volume or source.startswith(f"{self._volume}/"):
            source = VOLUME + source.removeprefix(self._volume)
        if source.startswith(("/", ".")):
            below = self._below(source)
            if below is None:
                self._fail(
                    f"volume {source!r} is a folder of the machine, which a build does not see; "
                    "name a volume, or a path below ${{CF_VOLUME_NAME}}"
                )
                return None
            return Mount(target=target, shared=below)
        if not _VOLUME_NAME.fullmatch(source):
            self._fail(f"{source!r} is no name of a volume; use letters, digits, '_', '.' and '-'")
            return None
        return Mount(target=target, name=source)

    def _below(self, path: str) -> str | None:
        """Where a path is below the build's volume; None outside of it."""
        whole = posixpath.normpath(posixpath.join(VOLUME, self._folder, path))
        if whole == VOLUME:
            return ""
        return whole.removeprefix(f"{VOLUME}/") if whole.startswith(f"{VOLUME}/") else None

    def depends_on(self, value: object) -> tuple[str, ...]:
        """Return names; a condition other than that it was started earns a note."""
        if not isinstance(value, dict):
            return self.texts(value)
        for name, body in value.items():
            condition = body.get("condition") if isinstance(body, dict) else None
            if condition not in (None, "service_started"):
                self._note(f"condition {condition!r} on {name!r} is passed over; only the order is kept")
        return tuple(value)

    def links(self, value: object) -> tuple[tuple[str, str], ...]:
        """Return (service, alias); an alias of another service is no name that we give."""
        pairs = [text.partition(":") for text in self.texts(value)]
        for name, _, alias in pairs:
            if alias and alias != name:
                self._note(f"link alias {alias!r} is passed over; the host name of {name!r} is {name!r}")
        return tuple((name, alias) for name, _, alias in pairs)

    def aliases(self, value: object) -> tuple[str, ...]:
        """Return the further names of the long form of ``networks``."""
        if not isinstance(value, dict):
            return ()
        found = [body.get("aliases") or [] for body in value.values() if isinstance(body, dict)]
        return tuple(name for names in found for name in self.texts(names))

    def tmpfs(self, value: object) -> dict[str, str]:
        """Return mount options by target."""
        parts = [text.partition(":") for text in self.texts(value)]
        return {target: options for target, _, options in parts}

    def size(self, value: object) -> int:
        """Return bytes of ``64m``, ``1gb`` or a number."""
        found = _SIZE.fullmatch(self.text(value).strip())
        if found is None:
            self._fail(f"{value!r} is no size; write a number with k, m or g")
            return 0
        return int(float(found[1]) * 1024 ** _POWERS[found[2].lower()])

    def ports(self, value: object) -> tuple[Port, ...]:
        """Return the ports that are to be opened on the machine."""
        try:
            return read_ports(value if isinstance(value, list) else [value])
        except PortUnreadable as refusal:
            self._fail(str(refusal))
            return ()

    def restart(self, value: object) -> str:
        """Return when a service that ended is started again."""
        policy = "no" if value is False else self.text(value)
        if "${{" not in policy and not _RESTART.fullmatch(policy):  # a template is filled in later
            self._fail(f"restart {policy!r} is not known; use no, always, unless-stopped or on-failure")
        return policy

    def extra_hosts(self, value: object) -> tuple[str, ...]:
        """Return ``name:address`` entries."""
        if isinstance(value, dict):
            return tuple(f"{name}:{self.text(address)}" for name, address in value.items())
        return tuple(text.replace("=", ":", 1) if ":" not in text else text for text in self.texts(value))


def _reason(key: object) -> str:
    return f"; {_REASONS[str(key)]}" if str(key) in _REASONS else ""


_KEYS: Mapping[str, Callable[[_Reader, Any], dict[str, Any]]] = {
    "image": lambda read, value: {"image": read.text(value).strip()},
    "command": lambda read, value: {"cmd": read.words(value)},
    "entrypoint": lambda read, value: {"entry_point": read.words(value)},
    "environment": lambda read, value: {"environment": read.environment(value)},
    "env_file": lambda read, value: {"env_files": read.env_files(value)},
    "working_dir": lambda read, value: {"working_directory": read.text(value)},
    "user": lambda read, value: {"user": read.text(value)},
    "hostname": lambda read, value: {"hostname": read.text(value)},
    "container_name": lambda read, value: {"container_name": (read.text(value),)},
    "volumes": lambda read, value: read.mounts(value),
    "tmpfs": lambda read, value: {"tmpfs": read.tmpfs(value)},
    "privileged": lambda read, value: {"privileged": read.flag(value)},
    "cap_add": lambda read, value: {"add_capabilities": read.texts(value)},
    "cap_drop": lambda read, value: {"drop_capabilities": read.texts(value)},
    "extra_hosts": lambda read, value: {"extra_hosts": read.extra_hosts(value)},
    "init": lambda read, value: {"init": read.flag(value)},
    "read_only": lambda read, value: {"read_only": read.flag(value)},
    "shm_size": lambda read, value: {"shared_memory_bytes": read.size(value)},
    "stop_signal": lambda read, value: {"stop_signal": read.text(value)},
    "depends_on": lambda read, value: {"depends_on": read.depends_on(value)},
    "links": lambda read, value: {"links": read.links(value)},
    "networks": lambda read, value: {"aliases": read.aliases(value)},
}
_LASTING_KEYS: Mapping[str, Callable[[_Reader, Any], dict[str, Any]]] = {
    "ports": lambda read, value: {"ports": read.ports(value)},
    "restart": lambda read, value: {"restart": read.restart(value)},
}
