"""The rules of teams: a name is taken once, and members are users of the account."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from headrace.http.errors import BadRequest, Conflict, NotFound
from headrace.http.paging import Pages
from headrace.http.rights import EVERYBODY
from headrace.resources.teams import repository
from headrace.resources.teams.schemas import TeamBody, TeamOut, TeamUserOut
from headrace.resources.users import service as users


def listed(db: Connection, account_id: str, pages: Pages | None = None) -> list[TeamOut]:
    """Return the teams of an account by name, with their members by name.

    A user who left the account is in none of its teams.
    """
    people = users.members(db, account_id)
    inside = repository.members(db, account_id)
    return [
        TeamOut(
            id=team.id,
            name=team.name,
            type=team.source.partition("/")[0] or "default",
            account=account_id,
            tags=team.tags,
            users=sorted(
                (
                    TeamUserOut(id=user_id, user_name=people[user_id].name, email=people[user_id].email)
                    for user_id in inside.get(team.id, ())
                    if user_id in people
                ),
                key=lambda user: user.user_name,
            ),
        )
        for team in repository.listed(db, account_id, pages)
    ]


def of_user(db: Connection, account_id: str, user_id: str, pages: Pages) -> list[TeamOut]:
    """Return the teams that a user is in. Raises `NotFound` for a user of no such account."""
    _member(db, account_id, user_id)
    found = [team for team in listed(db, account_id) if any(user.id == user_id for user in team.users)]
    return list(pages.cut(found, lambda team: team.name))


def create(db: Connection, account_id: str, body: TeamBody) -> TeamOut:
    """Create a team.

    Raises:
        BadRequest: a member is no user of the account.
        Conflict: the name is taken.
    """
    people = users.members(db, account_id)
    if strangers := [one for one in body.users if one not in people]:
        raise BadRequest(
            f"users: {strangers[0]!r} is no user of this account; "
            f"GET /api/accounts/{account_id}/users lists them"
        )
    with _free(db, body.name):
        made = repository.add(db, account_id, name=body.name, tags=body.tags, now=datetime.now(UTC))
    for user_id in dict.fromkeys(body.users):
        repository.add_member(db, made, user_id)
    return _shown(db, account_id, made)


def rename(db: Connection, account_id: str, team_id: str, name: str) -> TeamOut:
    """Rename a team.

    Raises:
        NotFound: there is none.
        Conflict: the name is taken, or it is the team of all users.
    """
    _refuse_everybody(_find(db, account_id, team_id))
    with _free(db, name):
        repository.rename(db, account_id, team_id, name)
    return _shown(db, account_id, team_id)


def delete(db: Connection, account_id: str, team_id: str) -> None:
    """Delete a team with its rules; its members stay in the account.

    Raises:
        NotFound: there is none.
        Conflict: it is the team of all users.
    """
    _refuse_everybody(_find(db, account_id, team_id))
    repository.remove(db, account_id, team_id)


def assign(db: Connection, account_id: str, team_id: str, user_id: str) -> TeamOut:
    """Put a user into a team; one who is in it stays. Raises `NotFound` for either."""
    _find(db, account_id, team_id)
    _member(db, account_id, user_id)
    if user_id not in repository.members(db, account_id).get(team_id, ()):
        repository.add_member(db, team_id, user_id)
    return _shown(db, account_id, team_id)


def take_out(db: Connection, account_id: str, team_id: str, user_id: str) -> TeamOut:
    """Take a user out of a team. Raises `NotFound` for a team that is none or lacks the user."""
    team = _find(db, account_id, team_id)
    if not repository.remove_member(db, team_id, user_id):
        raise NotFound(f"could not find the user {user_id!r} in team {team.name!r}")
    return _shown(db, account_id, team_id)


def put_into(db: Connection, account_id: str, user_id: str, team_ids: Iterable[str]) -> None:
    """Put a user into exactly these teams of an account. Raises `NotFound` for one that is none."""
    wanted = dict.fromkeys(team_ids)
    for team_id in wanted:
        _find(db, account_id, team_id)
    repository.leave_all(db, account_id, user_id)
    for team_id in wanted:
        repository.add_member(db, team_id, user_id)


def ids_by_user(db: Connection, account_id: str) -> dict[str, list[str]]:
    """Return the ids of the teams of each user of an account who is in some, sorted."""
    found: dict[str, list[str]] = {}
    for team_id, user_ids in sorted(repository.members(db, account_id).items()):
        for user_id in user_ids:
            found.setdefault(user_id, []).append(team_id)
    return found


def _shown(db: Connection, account_id: str, team_id: str) -> TeamOut:
    return next(team for team in listed(db, account_id) if team.id == team_id)


def _find(db: Connection, account_id: str, team_id: str) -> repository.Team:
    found = repository.by_id(db, account_id, team_id)
    if found is None:
        raise NotFound(f"could not find the team {team_id!r}")
    return found


def _refuse_everybody(team: repository.Team) -> None:
    if team.name == EVERYBODY:
        raise Conflict(
            f"each new user comes into the team {EVERYBODY!r}, so it stays; change its rules instead"
        )


def _member(db: Connection, account_id: str, user_id: str) -> None:
    if user_id not in users.members(db, account_id):
        raise NotFound(f"could not find the user {user_id!r} in this account")


@contextmanager
def _free(db: Connection, name: str) -> Iterator[None]:
    try:
        with db.begin_nested():
            yield
    except IntegrityError:
        raise Conflict(f"a team named {name!r} exists already; choose another name") from None
