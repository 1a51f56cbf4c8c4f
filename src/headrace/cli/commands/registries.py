"""Image registries: ``create registry standard`` and ``delete registry``; `lists` shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from headrace.cli.verbs import leaf, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App
    from headrace.client.made import types


@leaf("create registry standard")
@click.argument("name")
@click.option("--username", required=True, help="Who logs in.")
@click.option("--password", required=True, help="With what.")
@click.option("--domain", required=True, help="Where it is: registry.example.org or host:port.")
@click.option("--behind-firewall", is_flag=True, help="It is reached from the runtime alone.")
@pass_app
def create_registry(
    app: App, name: str, username: str, password: str, domain: str, *, behind_firewall: bool
) -> None:
    """Create a registry, after its login was tried; the first one is the default."""
    body: types.RegistryFields = {
        "username": username,
        "password": password,
        "domain": domain,
        "name": name,
        "behindFirewall": behind_firewall,
        "provider": "other",
    }
    if not behind_firewall:
        app.api.registries.test(body)
    app.api.registries.create(body)
    click.echo(f"Registry: {name} created")


@leaf("delete registry")
@click.argument("registry_id", metavar="ID")
@pass_app
def delete_registry(app: App, registry_id: str) -> None:
    """Delete a registry; images in it stay."""
    app.api.registries.delete(registry_id)
    click.echo(f"Registry '{registry_id}' deleted.")
