"""The command `headrace`: serve, worker, and the administration of an installation."""

import sys
from collections.abc import Callable
from typing import Any

import click
import msgspec

from headrace.app.admin import COMMANDS
from headrace.app.settings import Settings, SettingsInvalid, read


def setting_options(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command one option for each named field of `Settings`."""
    fields = {field.name: field for field in msgspec.structs.fields(Settings)}

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for name in reversed(names):
            field = fields[name]
            flag = "--" + name.replace("_", "-")
            text = field.type.__metadata__[0].description
            command = click.option(flag, name, default=None, is_flag=field.default is False, help=text)(
                command
            )
        return command

    return add


def settings_from(options: dict[str, Any]) -> Settings:
    """Read the settings, or leave with the reason."""
    try:
        return read({name: value for name, value in options.items() if value is not False})
    except SettingsInvalid as problem:
        raise click.ClickException(str(problem)) from None


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Headrace: a CI/CD server that speaks the Codefresh API."""


_SHARED = (
    "data",
    "database_url",
    "runtime",
    "docker_host",
    "docker_config",
    "no_start_ahead",
    "environment",
    "environment_address",
    "workers",
    "public_url",
    "step_url",
    "git_image",
    "grace_s",
    "debug_minutes",
    "debug_image",
)
_KEPT = ("volume_days", "volume_gb", "cluster_networks")
_LOGGED = ("drain_s", "log_level", "log_limit_mb", "report_limit_mb")
_ASKED = ("rate_limit", "failure_limit", "cors_origins", "audit_days")


@main.command()
@setting_options(*_SHARED, *_KEPT, "host", "port", "no_worker", "log_transport", *_LOGGED, *_ASKED)
def serve(**options: Any) -> None:  # noqa: ANN401 - click hands over what was typed
    """Serve the API and run builds."""
    from headrace.app.server import serve as run  # noqa: PLC0415 - `--help` stays quick

    sys.exit(run(settings_from(options)))


@main.command()
@setting_options(*_SHARED, *_KEPT, *_LOGGED)
def worker(**options: Any) -> None:  # noqa: ANN401 - the same
    """Run builds without serving HTTP, on the data folder and database of a server."""
    from headrace.app.worker import work  # noqa: PLC0415 - the same

    sys.exit(work(settings_from(options)))


for _command in COMMANDS:
    main.add_command(_command)

if __name__ == "__main__":
    main()
