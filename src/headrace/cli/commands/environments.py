"""Environments: ``delete environment``; `lists` shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from headrace.cli.verbs import leaf, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App


@leaf("delete environment")
@click.argument("id")
@pass_app
def delete_environment(app: App, id: str) -> None:  # noqa: A002 - the name in the usage
    """Terminate an environment: its services, their volumes and its network."""
    app.api.envs.terminate(id)
    click.echo(f"Environment: '{id}' deleted")
