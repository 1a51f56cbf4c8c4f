"""Teams: what creates and changes them; `lists` shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from headrace.cli.verbs import Array, leaf, pass_app

if TYPE_CHECKING:
    from collections.abc import Mapping

    from headrace.cli.app import App


@leaf("create teams")
@click.argument("name")
@click.option("-u", "--user-id", cls=Array, metavar="ID", help="Users of the account.")
@click.option("-t", "--tag", cls=Array, metavar="TAG", help="Tags of the team.")
@pass_app
def create_team(app: App, name: str, user_id: tuple[str, ...], tag: tuple[str, ...]) -> None:
    """Create a team."""
    app.api.teams.create({"name": name, "tags": list(tag), "users": list(user_id)})
    click.echo(f"Team: {name} created")


@leaf("patch teams")
@click.option("-t", "--team-id", required=True, help="Id of the team.")
@click.option("-u", "--user-id", required=True, help="Id of the user.")
@pass_app
def patch_teams(app: App, team_id: str, user_id: str) -> None:
    """Put a user into a team."""
    app.api.teams.add_user(team_id, user_id)
    click.echo(f"User: {user_id} was assigned to team: {team_id}")


@leaf("delete teams")
@click.option("-t", "--team-id", required=True, help="Id of the team.")
@click.option("-u", "--user-id", required=True, help="Id of the user.")
@pass_app
def delete_teams(app: App, team_id: str, user_id: str) -> None:
    """Take a user out of a team."""
    app.api.teams.remove_user(team_id, user_id)
    click.echo(f"User: {user_id} was removed from team: {team_id}")


@leaf("synchronize teams")
@click.argument("client_name", metavar="CONTEXT")
@click.option("-t", "--client-type", required=True, help="github or gitlab.")
@click.option("--access-token", "--tk", help="For this once, in the place of the context's own.")
@click.option("--disable-notifications", "--no-notify", is_flag=True, help="Nobody is told in any case.")
@pass_app
def synchronize_teams(
    app: App, client_name: str, client_type: str, access_token: str | None, *, disable_notifications: bool
) -> None:
    """Make teams of the groups that the git CONTEXT sees."""
    made: Mapping[str, Any] = app.api.teams.synchronize_client_with_group(
        client_name,
        client_type,
        access_token=access_token,
        disable_notifications=disable_notifications or None,
    )
    told = {
        "created": "created",
        "deleted": "deleted, its group is gone",
        "skipped": "skipped, the name is taken",
    }
    for key, words in told.items():
        for name in made[key]:
            click.echo(f"Team: {name} {words}")
    if made["unknownUsers"]:
        click.echo(f"No users of this account: {', '.join(made['unknownUsers'])}", err=True)
    click.echo(f"Synchronized {len(made['teams'])} teams with {client_name}")
