"""Users, their accounts and sessions. `presence` is asked on every request with a session."""

from datetime import datetime

from sqlalchemy import Connection

from headrace.http.auth import Caller
from headrace.http.errors import BadRequest, Conflict, Forbidden, NotFound, Unauthenticated
from headrace.http.limits import Throttle
from headrace.http.paging import Pages
from headrace.kit.ids import new_id
from headrace.resources.accounts import service as accounts
from headrace.resources.runtime_environments.schemas import DEFAULT
from headrace.resources.users import repository
from headrace.resources.users.passwords import hashed, is_right, random_password
from headrace.resources.users.repository import User
from headrace.resources.users.schemas import AccountOut, SessionOut, ShortUser, UserOut
from headrace.resources.users.sessions import Sessions

FIRST_ACCOUNT = "default"
FIRST_USER = "admin"
_LONGEST_NAME = 255
_SHORTEST_PASSWORD = 8


def create_first(db: Connection, *, now: datetime) -> str | None:
    """Create the first account and its admin, once.

    Returns:
        The admin's password, to be shown once; None when there are accounts already.
    """
    if accounts.any_exists(db):
        return None
    account = accounts.create(db, FIRST_ACCOUNT, now=now)
    password = random_password()
    create(
        db, account.id, FIRST_USER, password=password, is_account_admin=True, is_platform_admin=True, now=now
    )
    return password


def create(
    db: Connection,
    account_id: str,
    name: str,
    *,
    password: str | None,
    email: str = "",
    is_account_admin: bool = False,
    is_platform_admin: bool = False,
    now: datetime,
) -> User:
    """Create a user as a member of an account, and of its team of all users.

    Args:
        db: a transaction.
        account_id: the first account, also the active one.
        name: unique in the installation.
        password: at least eight characters; None for a user who only has keys.
        email: may be empty.
        is_account_admin: of this account.
        is_platform_admin: of the installation.
        now: the time.

    Raises:
        BadRequest: the name or the password does not fit.
        Conflict: the name is taken.
    """
    _check_name(db, name)
    if password is not None and len(password) < _SHORTEST_PASSWORD:
        raise BadRequest(f"password: at least {_SHORTEST_PASSWORD} characters")
    user = User(
        id=new_id(),
        name=name,
        email=email,
        password_hash=None if password is None else hashed(password),
        is_platform_admin=is_platform_admin,
        session_epoch=0,
        active_account_id=account_id,
        created_at=now,
    )
    repository.add(db, user)
    repository.add_membership(db, account_id, user.id, is_admin=is_account_admin)
    repository.add_to_everybody(db, account_id, user.id)
    return user


def create_machine(
    db: Connection, account_id: str, name: str, *, is_account_admin: bool, now: datetime
) -> User:
    """Create a service user of an account, in no team. Raises as `create`."""
    _check_name(db, name)
    user = User(
        id=new_id(),
        name=name,
        email="",
        password_hash=None,
        is_platform_admin=False,
        is_service=True,
        session_epoch=0,
        active_account_id=account_id,
        created_at=now,
    )
    repository.add(db, user)
    repository.add_membership(db, account_id, user.id, is_admin=is_account_admin)
    return user


def _check_name(db: Connection, name: str) -> None:
    if not 0 < len(name.strip()) <= _LONGEST_NAME:
        raise BadRequest(f"name: a user's name has 1 to {_LONGEST_NAME} characters")
    if repository.by_name(db, name) is not None:
        raise Conflict(f"a user named {name!r} exists already")


def rename(db: Connection, user_id: str, *, name: str) -> None:
    """Give a user another name, by which one logs in. Keys and sessions go on.

    Raises:
        BadRequest: the name does not fit.
        Conflict: the name is taken.
    """
    _check_name(db, name.strip())
    repository.change(db, user_id, name=name.strip())


def remove(db: Connection, user_id: str) -> None:
    """Delete a user with keys, sessions, and places in teams."""
    repository.remove(db, user_id)


def machines(db: Connection, account_id: str, pages: Pages) -> list[User]:
    """Return the service users of an account by name."""
    return repository.of_account(db, account_id, pages, is_service=True)


def admin_ids(db: Connection, account_id: str) -> set[str]:
    """Return the ids of the admins of an account, machines among them."""
    return {user_id for _, user_id in repository.admins(db, [account_id])}


def set_role(db: Connection, account_id: str, user_id: str, *, is_admin: bool) -> None:
    """Make a member an admin of an account, or no longer."""
    repository.set_admin(db, account_id, user_id, is_admin=is_admin)


def refuse_narrow(caller: Caller) -> None:
    """Refuse a key that may not do all that its user may what makes users or admins. Raises `Forbidden`."""
    if caller.scopes is not None or caller.build_id is not None:
        raise Forbidden("a key with scopes cannot make users or admins, who would have none")


def join(db: Connection, account_id: str, user_id: str, *, is_admin: bool = False) -> None:
    """Make a user a member of one more account. Raises `Conflict` for a member."""
    if any(one.account_id == account_id for one in repository.accounts_of(db, user_id)):
        raise Conflict("the user is a member of this account already")
    repository.add_membership(db, account_id, user_id, is_admin=is_admin)
    repository.add_to_everybody(db, account_id, user_id)


def leave(db: Connection, account_id: str) -> None:
    """Leave an account without people: those who have no other are deleted, the others go on there.

    Memberships, keys and teams are the account's, and go with it.

    Raises:
        Conflict: an admin of the installation has no other account.
    """
    inside = repository.homes(db, account_id)
    for user, home in inside:
        if home is None and user.is_platform_admin:
            raise Conflict(
                f"{user.name!r} is an admin of the installation and has no other account; "
                "add the user to another one first"
            )
    for user, home in inside:
        if home is None:
            repository.remove(db, user.id)
        elif user.active_account_id == account_id:
            repository.change(db, user.id, active_account_id=home)


def oldest_admin(db: Connection, account_id: str) -> str | None:
    """Return the id of the admin of an account who was made first; None where it has none."""
    return min((user_id for _, user_id in repository.admins(db, [account_id])), default=None)


def by_name(db: Connection, account_id: str, name: str) -> User:
    """Find a member of an account. Raises `NotFound`."""
    user = repository.by_name(db, name)
    if user is None or all(one.account_id != account_id for one in repository.accounts_of(db, user.id)):
        raise NotFound(f"could not find a user named {name!r} in this account")
    return user


def members(db: Connection, account_id: str) -> dict[str, User]:
    """Return the users of an account by their ids, in the order of their names."""
    return {user.id: user for user in repository.of_account(db, account_id)}


def login(
    db: Connection, sessions: Sessions, name: str, password: str, *, throttle: Throttle, address: str
) -> SessionOut:
    """Begin a session in the user's active account.

    Args:
        db: an open connection.
        sessions: what issues it.
        name: of the user.
        password: as it was typed.
        throttle: counts those that fail.
        address: where the request came from.

    Raises:
        TooManyRequests: too many have failed before; the password was not looked at.
        Unauthenticated: the user is unknown or the password wrong; it does not say which.
    """
    throttle.begin_login(address, name)
    user = repository.by_name(db, name)
    if not is_right(None if user is None else user.password_hash, password) or user is None:
        raise Unauthenticated("user name or password is wrong")
    throttle.end_login(address, name)
    return _session(sessions, user, user.active_account_id)


def change_account(db: Connection, sessions: Sessions, caller: Caller, account_id: str) -> SessionOut:
    """Make another account of the caller the active one and begin a session there.

    Raises:
        Forbidden: the caller is a key that may not do all that its user may.
        NotFound: the caller is no member of that account.
    """
    if caller.scopes is not None or caller.build_id is not None:
        raise Forbidden("a key with scopes cannot begin a session, which would have none")
    user = _caller(db, caller)
    if all(one.account_id != account_id for one in repository.accounts_of(db, user.id)):
        raise NotFound(f"could not find the account {account_id!r}")
    repository.change(db, user.id, active_account_id=account_id)
    return _session(sessions, user, account_id, key_id=caller.key_id)


def end_sessions(db: Connection, caller: Caller) -> None:
    """Log the caller out, everywhere."""
    repository.end_sessions(db, caller.user_id)


def presence(db: Connection, sessions: Sessions, token: str) -> Caller | None:
    """Find the caller behind a session token, in one query; None for one that is not valid."""
    session = sessions.read(token)
    if session is None:
        return None
    found = repository.presence(
        db, session.account_id, user_id=session.user_id, epoch=session.epoch, key_id=session.key_id
    )
    if found is None:
        return None
    return Caller(
        account_id=session.account_id,
        account_name=found.account_name,
        user_id=session.user_id,
        user_name=found.user_name,
        kind="session",
        is_account_admin=found.is_account_admin,
        is_platform_admin=found.is_platform_admin,
    )


def describe(db: Connection, caller: Caller) -> UserOut:
    """Describe the caller. A key sees its own account only, a session all accounts of its user."""
    user = _caller(db, caller)
    members = [
        one
        for one in repository.accounts_of(db, user.id)
        if caller.kind == "session" or one.account_id == caller.account_id
    ]
    admins = repository.admins(db, [one.account_id for one in members])
    known = [
        AccountOut(
            one.account_id,
            one.account_name,
            DEFAULT,
            [user_id for account_id, user_id in admins if account_id == one.account_id],
        )
        for one in members
    ]
    index = next(i for i, one in enumerate(members) if one.account_id == caller.account_id)
    return shown(user, caller.account_name, known, default_account=index)


def of_account(db: Connection, caller: Caller, account_id: str, pages: Pages) -> list[UserOut]:
    """List the people of the caller's account. Raises `NotFound` for another account."""
    if account_id != caller.account_id:
        raise NotFound(f"could not find the account {account_id!r}")
    admins = [user_id for _, user_id in repository.admins(db, [account_id])]
    account = AccountOut(account_id, caller.account_name, DEFAULT, admins)
    found = repository.of_account(db, account_id, pages, is_service=False)
    return [shown(user, caller.account_name, [account]) for user in found]


def _caller(db: Connection, caller: Caller) -> User:
    user = repository.by_id(db, caller.user_id)
    if user is None:
        raise NotFound("could not find the user of this key")
    return user


def _session(sessions: Sessions, user: User, account_id: str, key_id: str | None = None) -> SessionOut:
    token = sessions.issue(user_id=user.id, account_id=account_id, epoch=user.session_epoch, key_id=key_id)
    return SessionOut(token, ShortUser(user.name, user.email))


def shown(user: User, account_name: str, known: list[AccountOut], default_account: int = 0) -> UserOut:
    """Return a user as readers see one, with the accounts that the reader may know of."""
    return UserOut(
        id=user.id,
        user_name=user.name,
        email=user.email,
        roles=["User", "Admin"] if user.is_platform_admin else ["User"],
        active_account_name=account_name,
        default_account=default_account,
        user_data={"image": ""},
        account=known,
    )
