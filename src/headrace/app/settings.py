"""Settings of a server: read once at the start, then passed on as values.

Each field is the option ``--name`` of a command, the variable ``HEADRACE_NAME`` and the key
``name`` in ``headrace.toml`` (in the current folder, or where ``HEADRACE_CONFIG`` says). The
option wins over the variable, the variable over the file. ``docs/settings.md`` is made from here.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from headrace.integrations.clusters import Networks

_PREFIX = "HEADRACE_"
_FILE = "headrace.toml"
_OF_DOCKER = ("docker_host", "docker_config")  # variables of Docker itself, heard where ours are not set

Text = msgspec.Meta


class SettingsInvalid(ValueError):
    """A setting has a wrong value; the message names where it came from."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of `headrace serve` and `headrace worker`."""

    data: Annotated[
        str, Text(description="folder of everything that is embedded: database, logs, secrets key, volumes")
    ] = "./headrace-data"
    host: Annotated[str, Text(description="address to listen on")] = "127.0.0.1"
    port: Annotated[int, Text(ge=0, le=65_535, description="port to listen on; 0 takes a free one")] = 8080
    database_url: Annotated[
        str,
        Text(description="`sqlite:///…` or `postgresql://…`; empty is an SQLite file in the data folder"),
    ] = ""
    runtime: Annotated[
        Literal["auto", "local", "docker", "fake"],
        Text(description="what runs the steps; auto takes Docker where an engine answers, else local"),
    ] = "auto"
    docker_host: Annotated[
        str,
        Text(description="where the Docker Engine is; `DOCKER_HOST` counts, too"),
    ] = "unix:///var/run/docker.sock"
    docker_config: Annotated[
        str,
        Text(description="folder with the logins of `docker login`, for pulls; `DOCKER_CONFIG` counts, too"),
    ] = "~/.docker"
    no_start_ahead: Annotated[
        bool,
        Text(description="start no container before its step's turn: each has a network of its own (docker)"),
    ] = False
    environment_address: Annotated[
        str,
        Text(
            description="address of the worker's machine at which ports of launched compositions are "
            "opened; 0.0.0.0 is all of them (docker)"
        ),
    ] = "127.0.0.1"
    workers: Annotated[
        int, Text(ge=0, le=1000, description="builds that run at the same time; 0 is four for each core")
    ] = 0
    environment: Annotated[
        str,
        Text(min_length=1, max_length=255, description="runtime environment whose builds the worker takes"),
    ] = "default"
    no_worker: Annotated[bool, Text(description="serve HTTP only, run no builds in this process")] = False
    public_url: Annotated[
        str,
        Text(description="address under which users reach the server; empty is http://<host>:<port>"),
    ] = ""
    step_url: Annotated[
        str,
        Text(description="address under which steps reach the server; empty is found for the runtime"),
    ] = ""
    git_image: Annotated[str, Text(description="image that `git-clone` steps run in (docker)")] = (
        "alpine/git:latest"
    )
    grace_s: Annotated[
        float,
        Text(ge=0, le=3600, description="seconds that steps get to end when they are stopped"),
    ] = 10.0
    drain_s: Annotated[
        float,
        Text(ge=0, le=86_400, description="seconds that local builds get to end when the server stops"),
    ] = 30.0
    volume_days: Annotated[
        float,
        Text(
            ge=0,
            le=3650,
            description="days for which the volume of a pipeline's last build is kept for its next one; "
            "0 keeps none",
        ),
    ] = 7.0
    volume_gb: Annotated[
        float,
        Text(ge=0, description="gigabytes that kept volumes may take together; the oldest go first"),
    ] = 20.0
    debug_minutes: Annotated[
        float,
        Text(gt=0, le=1440, description="minutes that a debugged build waits at a breakpoint before it ends"),
    ] = 15.0
    debug_image: Annotated[
        str,
        Text(
            min_length=1,
            description="image with a shell that commands at a breakpoint run in; "
            "in place of a step they run in the step's own",
        ),
    ] = "alpine:latest"
    rate_limit: Annotated[
        int,
        Text(
            ge=0,
            le=100_000_000,
            description="requests that one key or user may make in a minute; 0: no limit",
        ),
    ] = 6000
    audit_days: Annotated[
        int,
        Text(
            ge=0,
            le=36500,
            description="days for which the audit log is kept; 0 keeps it for ever",
        ),
    ] = 365
    failure_limit: Annotated[
        int,
        Text(
            ge=0,
            le=1_000_000,
            description="failed logins, and wrong keys, that one address may send in a minute; 0: no limit",
        ),
    ] = 30
    cors_origins: Annotated[
        str,
        Text(
            description="origins whose pages may call the API with a key, as "
            "`https://portal.example.org,https://other.example.org`, or `*`; empty is none"
        ),
    ] = ""
    cluster_networks: Annotated[
        str,
        Text(
            description="networks in which clusters, Git hosts, secret stores, YAML and files of "
            "pipelines may be, as `10.0.0.0/8,127.0.0.0/8`; empty is all but this machine and its links"
        ),
    ] = ""
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Text(description="what the server's own log holds")
    ] = "info"
    log_limit_mb: Annotated[
        int, Text(ge=1, le=1_000_000, description="megabytes of log that one step may store")
    ] = 1024
    report_limit_mb: Annotated[
        int, Text(ge=1, le=1_000_000, description="megabytes of test reports that one build may keep")
    ] = 512
    log_transport: Annotated[
        Literal["live", "hold"],
        Text(
            description="how the official client gets the log of a running build: live by WebSocket, "
            "or all at the end"
        ),
    ] = "live"

    @property
    def data_path(self) -> Path:
        """The data folder, absolute."""
        return Path(self.data).expanduser().resolve()

    @property
    def effective_database_url(self) -> str:
        """The database, with the default filled in."""
        return self.database_url or f"sqlite:///{self.data_path / 'headrace.db'}"

    @property
    def slots(self) -> int:
        """How many builds run at the same time."""
        return self.workers or 4 * (os.cpu_count() or 1)


def read(options: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Args:
        options: from the command line, by field name; None means not given.
        environment: of the process; None reads the real one.

    Raises:
        SettingsInvalid: a value does not fit, a key is unknown, or the file cannot be read.
    """
    given = os.environ if environment is None else environment
    names = {field.name for field in msgspec.structs.fields(Settings)}
    values = _from_file(given)
    for name in _OF_DOCKER:
        if given.get(name.upper()):
            values.setdefault(name, given[name.upper()])
    for name in names:
        if (text := given.get(_PREFIX + name.upper())) is not None:
            values[name] = text
    values |= {name: value for name, value in options.items() if value is not None and name in names}
    try:
        found = msgspec.convert(values, Settings, strict=False)
        Networks.read(found.cluster_networks)
    except (msgspec.ValidationError, ValueError) as problem:
        raise SettingsInvalid(f"settings: {problem}") from None
    return found


def _from_file(environment: Mapping[str, str]) -> dict[str, Any]:
    named = environment.get(_PREFIX + "CONFIG")
    path = Path(named or _FILE)
    if not named and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise SettingsInvalid(f"{path}: {problem}") from None


def documentation() -> str:
    """Return ``docs/settings.md``: one row for each setting."""
    rows = [
        "# Settings",
        "",
        "Every setting is an option of `headrace serve` and `headrace worker`, an environment variable,",
        "and a key of `headrace.toml`. The option wins over the variable, the variable over the file.",
        "",
        "| option | variable | default | what it is |",
        "|---|---|---|---|",
    ]
    for field in msgspec.structs.fields(Settings):
        meta = field.type.__metadata__[0]
        default = "" if field.default == "" else f"`{field.default}`"
        dashed = field.name.replace("_", "-")
        rows.append(f"| `--{dashed}` | `{_PREFIX}{field.name.upper()}` | {default} | {meta.description} |")
    return "\n".join(rows) + "\n"
