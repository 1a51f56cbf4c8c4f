"""Compositions: ``create composition`` and ``delete composition``; `lists` shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from headrace.cli.files import mapping, read_text
from headrace.cli.verbs import Array, leaf, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App


@leaf("create composition")
@click.argument("name")
@click.option("-c", "--compose-file", required=True, help="The document of services.")
@click.option("-v", "--variable", cls=Array, metavar="KEY=VALUE", help="Variables of the document.")
@click.option("-a", "--advanced", is_flag=True, help="It says itself how its services are built.")
@pass_app
def create_composition(
    app: App, name: str, compose_file: str, variable: tuple[str, ...], *, advanced: bool
) -> None:
    """Store a document of services by name."""
    variables: Any = [f"{key}={value}" for key, value in mapping(variable).items()]
    document = read_text(compose_file)
    app.api.compositions.create(
        {"name": name, "isAdvanced": advanced, "vars": variables, "yamlJson": document}
    )
    click.echo(f"Composition: '{name}' created")


@leaf("delete composition")
@click.argument("name")
@pass_app
def delete_composition(app: App, name: str) -> None:
    """Delete a composition."""
    app.api.compositions.delete(app.api.compositions.get(name)["_id"])
    click.echo(f"Composition: '{name}' deleted")
