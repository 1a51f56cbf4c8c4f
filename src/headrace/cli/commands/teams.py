"""Teams: what creates and changes them; `lists` shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from headrace.cli.verbs import Array, leaf, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App


@leaf("create teams")
@click.argument("name")
@click.option("-u", "--user-id", cls=Array, metavar="ID", help="Users of the account.")
@click.option("-t", "--tag", cls=Array, metavar="TAG", help="Tags of the team.")
@pass_app
def create_team(app: App, name: str, user_id: tuple[str, ...], tag: tuple[str, ...]) -> None:
    """Create a team."""
    app.call("teams.create", {"name": name, "tags": list(tag), "users": list(user_id)})
    click.echo(f"Team: {name} created")


@leaf("patch teams")
@click.option("-t", "--team-id", required=True, help="Id of the team.")
@click.option("-u", "--user-id", required=True, help="Id of the user.")
@pass_app
def patch_teams(app: App, team_id: str, user_id: str) -> None:
    """Put a user into a team."""
    app.call("teams.addUser", teamId=team_id, userId=user_id)
    click.echo(f"User: {user_id} was assigned to team: {team_id}")


@leaf("delete teams")
@click.option("-t", "--team-id", required=True, help="Id of the team.")
@click.option("-u", "--user-id", required=True, help="Id of the user.")
@pass_app
def delete_teams(app: App, team_id: str, user_id: str) -> None:
    """Take a user out of a team."""
    app.call("teams.removeUser", teamId=team_id, userId=user_id)
    click.echo(f"User: {user_id} was removed from team: {team_id}")
