"""``codefresh version``: of this command, or of a part of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from headrace.cli.app import VERSION
from headrace.cli.verbs import leaf, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App

COMPONENTS = ("client", "api", "hermes", "nomios", "openapi")


@leaf("version")
@click.argument("name", required=False, type=click.Choice(COMPONENTS), metavar="[COMPONENT]")
@click.option("-c", "--component", type=click.Choice(COMPONENTS), default="client", help="Which part.")
@pass_app
def version(app: App, name: str | None, component: str) -> None:
    """Print a version."""
    part = name or component
    if part == "client":
        click.echo(f"client version: {VERSION}")
    elif part == "api":
        click.echo(f"api version: {app.api.version.get_server_version().get('current_commit')}")
    elif part == "hermes":
        click.echo(f"hermes version: {app.api.version.get_hermes_version()}")
    elif part == "nomios":
        click.echo(f"nomios version: {_text(app.api.request('GET', '/nomios/version'))}")
    else:
        document = app.api.request("GET", "/api/openapi.json")
        click.echo(f"openapi version: {document['info']['version']}")


def _text(answer: Any) -> object:  # noqa: ANN401 — JSON edge
    return answer.get("version") if isinstance(answer, dict) else answer
