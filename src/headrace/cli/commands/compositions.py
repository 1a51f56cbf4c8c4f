"""Compositions: ``create composition`` and ``delete composition``; `lists` shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from headrace.cli.errors import Refused
from headrace.cli.files import mapping, read_document, read_text
from headrace.cli.verbs import Array, leaf, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App


def _fields(name: str | None, compose_file: str, variable: tuple[str, ...], *, advanced: bool) -> Any:  # noqa: ANN401 — JSON edge
    variables = [f"{key}={value}" for key, value in mapping(variable).items()]
    return {"name": name, "isAdvanced": advanced, "vars": variables, "yamlJson": read_text(compose_file)}


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
    app.api.compositions.create(_fields(name, compose_file, variable, advanced=advanced))
    click.echo(f"Composition: '{name}' created")


@leaf("replace composition")
@click.argument("name", required=False)
@click.option("-f", "--filename", help="Take everything from a file: name, yamlJson, vars, isAdvanced.")
@click.option("-c", "--compose-file", help="The document of services.")
@click.option("-v", "--variable", cls=Array, metavar="KEY=VALUE", help="Variables of the document.")
@click.option("-a", "--advanced", is_flag=True, help="It says itself how its services are built.")
@pass_app
def replace_composition(
    app: App,
    name: str | None,
    filename: str | None,
    compose_file: str | None,
    variable: tuple[str, ...],
    *,
    advanced: bool,
) -> None:
    """Replace a composition, all of it."""
    if filename is not None:
        document = read_document(filename)
        body: Any = document if isinstance(document, dict) else {}
    elif compose_file is not None:
        body = _fields(name, compose_file, variable, advanced=advanced)
    else:
        raise Refused("the document of services is missing; give its file: --compose-file FILE")
    if not body.get("name"):
        raise Refused("Missing name of the composition")
    app.api.compositions.update(app.api.compositions.get(body["name"])["_id"], body)
    click.echo(f"Composition: '{body['name']}' replaced")


@leaf("delete composition")
@click.argument("name")
@pass_app
def delete_composition(app: App, name: str) -> None:
    """Delete a composition."""
    app.api.compositions.delete(app.api.compositions.get(name)["_id"])
    click.echo(f"Composition: '{name}' deleted")
