"""The operations of teams."""

from typing import Any

from headrace.http.auth import Caller
from headrace.http.outside import Outside
from headrace.http.paging import Pages
from headrace.http.routing import Connection, Example, Router
from headrace.http.scopes import Scope
from headrace.kit.crypto import SecretBox
from headrace.resources.teams import service
from headrace.resources.teams.schemas import SyncQuery, SyncTeamsOut, TeamBody, TeamName, TeamOut
from headrace.resources.teams.synchronise import synchronise

router = Router("/team", tag="teams")


@router.route("GET", "", scope=Scope.GENERAL, sdk="teams.list")
def list_teams(caller: Caller, db: Connection, pages: Pages) -> list[TeamOut]:
    """List the teams of the account by name, with their members.

    What a team may do, its rules say (`GET /abac/team/{teamId}`). Each new user comes into the team `users`.
    """
    return service.listed(db, caller.account_id, pages)


@router.route("GET", "/{userId}/findTeamsByUser", scope=Scope.GENERAL, sdk="teams.listByUser")
def list_teams_of_user(
    userId: str,  # noqa: N803 - the wire name
    caller: Caller,
    db: Connection,
    pages: Pages,
) -> list[TeamOut]:
    """List the teams that a user of the account is in."""
    return service.of_user(db, caller.account_id, userId, pages)


@router.route(
    "POST",
    "",
    scope=Scope.GENERAL,
    sdk="teams.create",
    admin=True,
    example=Example(body={"name": "platform", "tags": [], "users": []}),
)
def create_team(body: TeamBody, caller: Caller, db: Connection) -> TeamOut:
    """Create a team of users of the account; the name is unique in it."""
    return service.create(db, caller.account_id, body)


@router.route(
    "PUT", "/{teamId}/{userId}/assignUserToTeam", scope=Scope.GENERAL, sdk="teams.addUser", admin=True
)
def add_user_to_team(teamId: str, userId: str, caller: Caller, db: Connection) -> TeamOut:  # noqa: N803
    """Put a user of the account into a team; one who is in it stays."""
    return service.assign(db, caller.account_id, teamId, userId)


@router.route(
    "PUT", "/{teamId}/{userId}/deleteUserFromTeam", scope=Scope.GENERAL, sdk="teams.removeUser", admin=True
)
def remove_user_from_team(teamId: str, userId: str, caller: Caller, db: Connection) -> TeamOut:  # noqa: N803
    """Take a user out of a team; the user stays in the account."""
    return service.take_out(db, caller.account_id, teamId, userId)


@router.route(
    "PUT",
    "/{id}/renameTeam",
    scope=Scope.GENERAL,
    sdk="teams.rename",
    admin=True,
    example=Example(body={"name": "platform-team"}),
)
def rename_team(id: str, body: TeamName, caller: Caller, db: Connection) -> TeamOut:  # noqa: A002 - the wire name
    """Give a team another name."""
    return service.rename(db, caller.account_id, id, body.name)


@router.route("DELETE", "/{id}", scope=Scope.GENERAL, sdk="teams.delete", admin=True)
def delete_team(id: str, caller: Caller, db: Connection) -> dict[str, Any]:  # noqa: A002 - as above
    """Delete a team with its rules; its members stay in the account."""
    service.delete(db, caller.account_id, id)
    return {}


@router.route(
    "GET",
    "/group/synchronize/name/{name}/type/{type}",
    scope=Scope.GENERAL,
    sdk="teams.synchronizeClientWithGroup",
    admin=True,
    effect=True,
    example=Example(path={"name": "github", "type": "github"}),
)
def synchronize_teams(
    name: str,
    type: str,  # noqa: A002 - the wire name
    query: SyncQuery,
    caller: Caller,
    db: Connection,
    box: SecretBox,
    outside: Outside,
) -> SyncTeamsOut:
    """Make teams of the groups of a Git host, and keep them so.

    ``name`` is a git context of type ``github`` (teams of the organisations of its login) or ``gitlab``
    (its groups). A team is called ``organisation/team``; in it are the users of the account who have the
    same name there. Teams made by hand stay, those of a group that is gone are deleted.
    """
    return synchronise(db, box, outside, caller.account_id, name, type, query)
