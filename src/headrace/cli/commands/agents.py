"""Runner agents: ``get``, ``create``, ``patch``, ``delete``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from headrace.cli.errors import Refused
from headrace.cli.found import found_by
from headrace.cli.output import Columns, Row, show
from headrace.cli.verbs import Array, leaf, output_options, pass_app

if TYPE_CHECKING:
    from collections.abc import Mapping

    from headrace.cli.app import App
    from headrace.client.made import types

COLUMNS = Columns(default=("name", "runtimes", "status", "reported"))


def _find(app: App, name: str) -> types.AgentOut | None:
    """An agent by its id, else by its name; None where there is neither."""
    return found_by(app.api.agents.get, name) or found_by(app.api.agents.get_by_name, name)


def _existing(app: App, name: str) -> types.AgentOut:
    agent = _find(app, name)
    if agent is None:
        raise Refused(f'No such agent: "{name}"')
    return agent


def _row(agent: Mapping[str, Any]) -> Row:
    status = agent.get("status") or {}
    cells = {
        "name": agent.get("name"),
        "runtimes": agent.get("runtimes"),
        "status": status.get("healthStatus") or "N/A",
        "reported": status.get("reportedAt") or "N/A",
    }
    return Row(id=agent.get("id"), name=f"agent/{agent.get('name')}", info=agent, cells=cells)


@leaf("get agents")
@click.argument("name_or_id", required=False, metavar="[ID|NAME]")
@click.option("-n", "--name", help="Only the agent of this name.")
@output_options
@pass_app
def get_agents(app: App, name_or_id: str | None, name: str | None, **out: Any) -> None:  # noqa: ANN401 — values of `output_options`
    """Show runner agents, or one."""

    def rows() -> list[Row]:
        if name_or_id is not None:
            agent = _find(app, name_or_id)
            return [] if agent is None else [_row(agent)]
        return [_row(one) for one in app.api.agents.list(name=name) or []]

    show(rows, COLUMNS, out)


@leaf("create agent")
@click.argument("name")
@click.option("-r", "--runtimes", cls=Array, metavar="NAME", help="Runtime environments that it serves.")
@pass_app
def create_agent(app: App, name: str, runtimes: tuple[str, ...]) -> None:
    """Create a runner agent and print its key, this once."""
    agent = app.api.agents.create({"name": name, "runtimes": list(runtimes)})
    click.echo(f'Agent: "{agent["name"]}" created')
    click.echo(agent["token"])


@leaf("patch agent")
@click.argument("name", metavar="ID|NAME")
@click.option("-n", "--newName", "--new-name", "new_name", help="Rename the agent.")
@click.option("--runtimes", "--re", cls=Array, metavar="NAME", help="Runtime environments that it serves.")
@pass_app
def patch_agent(app: App, name: str, new_name: str | None, runtimes: tuple[str, ...]) -> None:
    """Rename a runner agent, or change which environments it serves."""
    changes = {"name": new_name, "runtimes": list(runtimes) or None}
    body: Any = {key: value for key, value in changes.items() if value is not None}
    app.api.agents.update(str(_existing(app, name)["id"]), body)
    click.echo(f'Agent: "{name}" patched.')


@leaf("delete agent")
@click.argument("name", metavar="ID|NAME")
@pass_app
def delete_agent(app: App, name: str) -> None:
    """Delete a runner agent and end its key."""
    app.api.agents.delete(str(_existing(app, name)["id"]))
    click.echo(f'Agent "{name}" deleted.')
