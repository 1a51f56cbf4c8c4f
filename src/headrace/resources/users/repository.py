"""The rows of users and memberships."""

from datetime import datetime

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    column,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    table,
    update,
)

from headrace.http.paging import Pages
from headrace.http.rights import EVERYBODY
from headrace.resources.users.model import memberships, users

# Stand-ins for tables of other resources, whose models cannot be imported here.
_accounts = table("accounts", column("id"), column("name"))
_api_keys = table("api_keys", column("id"), column("account_id"), column("user_id"))
_teams = table("teams", column("id"), column("account_id"), column("name"))
_team_members = table("team_members", column("team_id"), column("user_id"))


class User(msgspec.Struct, frozen=True, kw_only=True):
    """One user."""

    id: str
    name: str
    email: str
    password_hash: str | None
    is_platform_admin: bool
    is_service: bool = False
    session_epoch: int
    active_account_id: str
    created_at: datetime


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """An account that a user belongs to."""

    account_id: str
    account_name: str
    user_id: str
    is_admin: bool


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """A user in one account, as a session sees it."""

    user_name: str
    account_name: str
    is_account_admin: bool
    is_platform_admin: bool


def add(db: Connection, user: User) -> None:
    """Store a new user."""
    db.execute(insert(users).values(msgspec.structs.asdict(user)))


def by_id(db: Connection, user_id: str) -> User | None:
    """Find a user by the id."""
    return _one(db, users.c.id == user_id)


def by_name(db: Connection, name: str) -> User | None:
    """Find a user by the name."""
    return _one(db, users.c.name == name)


def _one(db: Connection, condition: ColumnElement[bool]) -> User | None:
    row = db.execute(select(users).where(condition)).mappings().first()
    return User(**row) if row else None


def change(db: Connection, user_id: str, **values: object) -> None:
    """Set columns of a user."""
    db.execute(update(users).where(users.c.id == user_id).values(**values))


def end_sessions(db: Connection, user_id: str) -> None:
    """Make every session token of a user invalid."""
    change(db, user_id, session_epoch=users.c.session_epoch + 1)


def add_membership(db: Connection, account_id: str, user_id: str, *, is_admin: bool) -> None:
    """Make a user a member of an account."""
    db.execute(insert(memberships).values(account_id=account_id, user_id=user_id, is_admin=is_admin))


def add_to_everybody(db: Connection, account_id: str, user_id: str) -> None:
    """Put a new member into the team of all users."""
    everybody = select(_teams.c.id, literal(user_id)).where(
        _teams.c.account_id == account_id, _teams.c.name == EVERYBODY
    )
    db.execute(insert(_team_members).from_select(["team_id", "user_id"], everybody))


def set_admin(db: Connection, account_id: str, user_id: str, *, is_admin: bool) -> None:
    """Make a member an admin of an account, or no longer."""
    db.execute(update(memberships).where(*_is(account_id, user_id)).values(is_admin=is_admin))


def remove_membership(db: Connection, account_id: str, user_id: str) -> None:
    """Take a user out of an account, with the keys and the places in teams that were there."""
    db.execute(delete(memberships).where(*_is(account_id, user_id)))
    keys = _api_keys.c.account_id == account_id, _api_keys.c.user_id == user_id
    db.execute(delete(_api_keys).where(*keys))
    there = select(_teams.c.id).where(_teams.c.account_id == account_id)
    places = _team_members.c.user_id == user_id, _team_members.c.team_id.in_(there)
    db.execute(delete(_team_members).where(*places))


def remove(db: Connection, user_id: str) -> None:
    """Delete a user with all that was the user's own."""
    db.execute(delete(users).where(users.c.id == user_id))


def homes(db: Connection, account_id: str) -> list[tuple[User, str | None]]:
    """Return who is in an account, by id, each with another account of the user; None: there is no other."""
    others = (
        select(memberships.c.user_id, func.min(memberships.c.account_id).label("home"))
        .where(memberships.c.account_id != account_id)
        .group_by(memberships.c.user_id)
        .subquery()
    )
    inside = select(memberships.c.user_id).where(memberships.c.account_id == account_id)
    query = (
        select(users, others.c.home)
        .outerjoin(others, others.c.user_id == users.c.id)
        .where(or_(users.c.active_account_id == account_id, users.c.id.in_(inside)))
        .order_by(users.c.id)
    )
    return [
        (User(**{name: row[name] for name in User.__struct_fields__}), row["home"])
        for row in db.execute(query).mappings()
    ]


def hold_admins(db: Connection, account_id: str) -> list[str]:
    """Return the ids of the people who are admins of an account; nobody else changes them meanwhile."""
    query = select(memberships.c.user_id).where(
        memberships.c.account_id == account_id, memberships.c.is_admin
    )
    db.execute(query.with_for_update()).all()
    people = select(users.c.id).where(users.c.is_service.is_(False))
    return list(db.execute(query.where(memberships.c.user_id.in_(people))).scalars())


def _is(account_id: str, user_id: str) -> tuple[ColumnElement[bool], ...]:
    return memberships.c.account_id == account_id, memberships.c.user_id == user_id


def of_account(
    db: Connection, account_id: str, pages: Pages | None = None, *, is_service: bool | None = None
) -> list[User]:
    """Return the members of an account by name: all, the machines among them, or the people."""
    query = (
        select(users)
        .join(memberships, memberships.c.user_id == users.c.id)
        .where(memberships.c.account_id == account_id)
    )
    if is_service is not None:
        query = query.where(users.c.is_service.is_(is_service))
    return [User(**row) for row in (pages or Pages()).read(db, query, users.c.name, users.c.id)]


def accounts_of(db: Connection, user_id: str) -> list[Membership]:
    """Return the accounts of a user, by name."""
    query = (
        select(memberships, _accounts.c.name.label("account_name"))
        .join(_accounts, _accounts.c.id == memberships.c.account_id)
        .where(memberships.c.user_id == user_id)
        .order_by(_accounts.c.name)
    )
    return [Membership(**row) for row in db.execute(query).mappings()]


def admins(db: Connection, account_ids: list[str]) -> list[tuple[str, str]]:
    """Return (account id, user id) of each admin of these accounts, in order of the ids."""
    query = (
        select(memberships.c.account_id, memberships.c.user_id)
        .where(memberships.c.account_id.in_(account_ids), memberships.c.is_admin)
        .order_by(memberships.c.account_id, memberships.c.user_id)
    )
    return [(row.account_id, row.user_id) for row in db.execute(query)]


def presence(
    db: Connection, account_id: str, *, user_id: str, epoch: int, key_id: str | None
) -> Presence | None:
    """Return who a session stands for; None when the user logged out, left, or the key is gone."""
    query = (
        select(
            users.c.name.label("user_name"),
            _accounts.c.name.label("account_name"),
            memberships.c.is_admin.label("is_account_admin"),
            users.c.is_platform_admin,
        )
        .join(memberships, memberships.c.user_id == users.c.id)
        .join(_accounts, _accounts.c.id == memberships.c.account_id)
        .where(users.c.id == user_id, users.c.session_epoch == epoch, memberships.c.account_id == account_id)
    )
    if key_id is not None:
        query = query.where(select(_api_keys.c.id).where(_api_keys.c.id == key_id).exists())
    row = db.execute(query).mappings().first()
    return Presence(**row) if row else None
