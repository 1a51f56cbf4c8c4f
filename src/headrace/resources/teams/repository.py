"""The rows of teams."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from headrace.http.paging import Pages
from headrace.kit.ids import new_id
from headrace.resources.teams.model import team_members, teams


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """One team."""

    id: str
    account_id: str
    name: str
    tags: list[str]
    source: str
    remote: str
    created_at: datetime


def listed(db: Connection, account_id: str, pages: Pages | None = None) -> list[Team]:
    """Return the teams of an account by name."""
    query = select(teams).where(teams.c.account_id == account_id)
    return [Team(**row) for row in (pages or Pages()).read(db, query, teams.c.name, teams.c.id)]


def by_id(db: Connection, account_id: str, team_id: str) -> Team | None:
    """Find a team of an account."""
    query = select(teams).where(teams.c.account_id == account_id, teams.c.id == team_id)
    row = db.execute(query).mappings().first()
    return Team(**row) if row else None


def add(
    db: Connection,
    account_id: str,
    *,
    name: str,
    tags: list[str],
    now: datetime,
    source: str = "",
    remote: str = "",
) -> str:
    """Store a new team; return its id. Raises `sqlalchemy.exc.IntegrityError` for a taken name."""
    made = new_id()
    row = {"id": made, "account_id": account_id, "name": name, "tags": tags, "created_at": now}
    row |= {"source": source, "remote": remote}
    db.execute(insert(teams).values(row))
    return made


def rename(db: Connection, account_id: str, team_id: str, name: str) -> None:
    """Rename a team. Raises `sqlalchemy.exc.IntegrityError` for a taken name."""
    same = (teams.c.account_id == account_id, teams.c.id == team_id)
    db.execute(update(teams).where(*same).values(name=name))


def remove(db: Connection, account_id: str, team_id: str) -> None:
    """Delete a team; its members stay in the account."""
    db.execute(delete(teams).where(teams.c.account_id == account_id, teams.c.id == team_id))


def members(db: Connection, account_id: str) -> dict[str, list[str]]:
    """Return the ids of the members of each team of an account that has some, sorted."""
    query = (
        select(team_members)
        .join(teams, teams.c.id == team_members.c.team_id)
        .where(teams.c.account_id == account_id)
        .order_by(team_members.c.user_id)
    )
    found: dict[str, list[str]] = {}
    for row in db.execute(query):
        found.setdefault(row.team_id, []).append(row.user_id)
    return found


def leave_all(db: Connection, account_id: str, user_id: str) -> None:
    """Take a user out of all teams of an account."""
    there = select(teams.c.id).where(teams.c.account_id == account_id)
    db.execute(
        delete(team_members).where(team_members.c.user_id == user_id, team_members.c.team_id.in_(there))
    )


def add_member(db: Connection, team_id: str, user_id: str) -> None:
    """Put a user into a team who is not in it."""
    db.execute(insert(team_members).values(team_id=team_id, user_id=user_id))


def remove_member(db: Connection, team_id: str, user_id: str) -> int:
    """Take a user out of a team; return 1, or 0 where the user was not in it."""
    same = (team_members.c.team_id == team_id, team_members.c.user_id == user_id)
    return db.execute(delete(team_members).where(*same)).rowcount
