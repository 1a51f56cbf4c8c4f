"""Who belongs to an account and who may change it: invited, made admins and taken out by the API.

There is always an admin left. A password or the rights of an admin are given only by who may do all that
their user may: else a key with some scopes could make itself a user with more.
"""

from datetime import UTC, datetime

from sqlalchemy import Connection

from headrace.http.auth import Caller
from headrace.http.errors import BadRequest, Conflict, Forbidden, NotFound, NotOffered
from headrace.resources.accounts import service as accounts
from headrace.resources.runtime_environments.schemas import DEFAULT
from headrace.resources.users import repository, service
from headrace.resources.users.passwords import random_password
from headrace.resources.users.repository import Membership, User
from headrace.resources.users.schemas import (
    AccountOut,
    AccountSettings,
    AdminAccountsQuery,
    NewUserOut,
    UserChange,
    UserOut,
)


def invite(db: Connection, caller: Caller, account_id: str, details: str) -> NewUserOut:
    """Create a user of the caller's account, with a password that is told this once.

    Args:
        db: a transaction.
        caller: an admin of the account.
        account_id: must be the caller's.
        details: the name; one with an ``@`` is the address of the user, too.

    Raises:
        Conflict: the name is taken.
        Forbidden: the key may not do all that its user may.
        NotFound: it is another account.
    """
    _own(caller, account_id)
    return _create(db, caller, [account_id], details)


def add_pending(db: Connection, caller: Caller, account_ids: list[str], name: str) -> NewUserOut:
    """Create a user of some accounts. Raises as `invite`, and `NotFound` for an account that is none."""
    for account_id in account_ids:
        accounts.by_id(db, account_id)
    return _create(db, caller, list(dict.fromkeys(account_ids)), name)


def add_existing(db: Connection, account_id: str, user_id: str) -> UserOut:
    """Make a user of another account a member, too; as an admin of the installation.

    Raises:
        Conflict: the user is a member already.
        NotFound: there is no such account or user.
    """
    account = accounts.by_id(db, account_id)
    if repository.by_id(db, user_id) is None:
        raise NotFound(f"could not find the user {user_id!r}")
    service.join(db, account_id, user_id)
    return _shown(db, account.id, account.name, user_id)


def set_admin(db: Connection, caller: Caller, account_id: str, user_id: str, *, is_admin: bool) -> UserOut:
    """Make a member an admin of the caller's account, or no longer.

    Raises:
        Conflict: the account would have no admin.
        Forbidden: the key may not do all that its user may.
        NotFound: it is another account, or no member of it.
    """
    _own(caller, account_id)
    member = _member(db, account_id, user_id)
    if is_admin:
        service.refuse_narrow(caller)
    elif member.is_admin:
        _keep_one(db, account_id, user_id)
    repository.set_admin(db, account_id, user_id, is_admin=is_admin)
    return _shown(db, account_id, caller.account_name, user_id)


def take_out(db: Connection, caller: Caller, account_id: str, user_id: str) -> None:
    """Take a user out of the caller's account: sessions, keys and places in teams of it end at once.

    A user whose only account it was is deleted, so that the name is free again.

    Raises:
        Conflict: the account would have no admin, or an admin of the installation no account.
        NotFound: it is another account, or no member of it.
    """
    _own(caller, account_id)
    if _member(db, account_id, user_id).is_admin:
        _keep_one(db, account_id, user_id)
    user = repository.by_id(db, user_id)
    left = [one.account_id for one in repository.accounts_of(db, user_id) if one.account_id != account_id]
    if user is None or (user.is_platform_admin and not left):
        raise Conflict("an admin of the installation must have an account; add the user to another one first")
    repository.remove_membership(db, account_id, user_id)
    if not left:
        repository.remove(db, user_id)
    elif user.active_account_id == account_id:
        repository.change(db, user_id, active_account_id=left[0])


def all_accounts(db: Connection, query: AdminAccountsQuery) -> list[AccountOut]:
    """Return the accounts of the installation by name; only those that fit, where something is given."""
    found = [
        one
        for one in accounts.listed(db)
        if query.name in ("", one.name) and (not query.id or one.id in query.id)
    ]
    admins: dict[str, list[str]] = {}
    for account_id, user_id in repository.admins(db, [one.id for one in found]):
        admins.setdefault(account_id, []).append(user_id)
    return [AccountOut(one.id, one.name, DEFAULT, admins.get(one.id, [])) for one in found]


def account(db: Connection, account_id: str) -> AccountOut:
    """Return an account of the installation. Raises `NotFound`."""
    found = accounts.by_id(db, account_id)
    return _account(db, found.id, found.name)


def create_account(db: Connection, name: str) -> AccountOut:
    """Create an account without users. Raises `BadRequest` for no name, `Conflict` for a taken one."""
    made = accounts.create(db, name, now=datetime.now(UTC))
    return _account(db, made.id, made.name)


def rename_account(db: Connection, account_id: str, name: str) -> AccountOut:
    """Give an account of the installation another name; an empty one is no change.

    Raises:
        BadRequest: the name does not fit.
        Conflict: the name is taken.
        NotFound: there is no such account.
    """
    found = accounts.rename(db, account_id, name.strip()) if name else accounts.by_id(db, account_id)
    return _account(db, found.id, found.name)


def change_account(db: Connection, caller: Caller, account_id: str, body: AccountSettings) -> AccountOut:
    """Change the caller's account. Its name is given by an admin of the installation: others trust it.

    A step type that is shared with all accounts begins with it, a badge is found by it.

    Raises:
        BadRequest: the name does not fit.
        Conflict: the name is taken.
        Forbidden: it would have another name, and the caller is no admin of the installation.
        NotFound: it is another account.
        NotOffered: there are notifications.
    """
    _own(caller, account_id)
    if body.notifications:
        raise NotOffered("notify from a step: give it a hook of the pipeline")
    if body.name.strip() not in ("", caller.account_name) and not caller.is_platform_admin:
        raise Forbidden("only an admin of the installation gives an account another name")
    return rename_account(db, account_id, body.name)


def change_user(db: Connection, caller: Caller, account_id: str, user_id: str, body: UserChange) -> UserOut:
    """Give a member of the caller's account another name or address; what is absent stays.

    Raises:
        BadRequest: the name does not fit.
        Conflict: the name is taken.
        Forbidden: the user is of other accounts, too, and the caller no admin of the installation.
        NotFound: it is another account, or no member of it.
    """
    _own(caller, account_id)
    _member(db, account_id, user_id)
    user = service.members(db, account_id)[user_id]
    belongs_to_others = user.is_platform_admin or len(repository.accounts_of(db, user_id)) > 1
    if belongs_to_others and user_id != caller.user_id and not caller.is_platform_admin:
        raise Forbidden(
            f"{user.name!r} is of other accounts, too; an admin of the installation may change this"
        )
    if body.user_name.strip() not in ("", user.name):
        service.rename(db, user_id, name=body.user_name)
    if (email := body.user_details if body.email is None else body.email) is not None:
        repository.change(db, user_id, email=email.strip())
    return _shown(db, account_id, caller.account_name, user_id)


def _create(db: Connection, caller: Caller, account_ids: list[str], name: str) -> NewUserOut:
    service.refuse_narrow(caller)
    name = name.strip()
    if not name:
        raise BadRequest("the user needs a name, or an address")
    password = random_password()
    email = name if "@" in name else ""
    first, *more = account_ids
    now = datetime.now(UTC)
    made = service.create(db, first, name, password=password, email=email, now=now)
    for account_id in more:
        service.join(db, account_id, made.id)
    return NewUserOut(
        id=made.id, user_name=made.name, email=made.email, account=account_ids, password=password
    )


def _own(caller: Caller, account_id: str) -> None:
    if account_id != caller.account_id:
        raise NotFound(f"could not find the account {account_id!r}")


def _member(db: Connection, account_id: str, user_id: str) -> Membership:
    found = next((one for one in repository.accounts_of(db, user_id) if one.account_id == account_id), None)
    if found is None:
        raise NotFound(f"could not find the user {user_id!r} in this account")
    return found


def _keep_one(db: Connection, account_id: str, user_id: str) -> None:
    if repository.hold_admins(db, account_id) == [user_id]:
        raise Conflict("the account would have no admin; make another user one first")


def _account(db: Connection, account_id: str, name: str) -> AccountOut:
    admins = [user_id for _, user_id in repository.admins(db, [account_id])]
    return AccountOut(account_id, name, DEFAULT, admins)


def _shown(db: Connection, account_id: str, account_name: str, user_id: str) -> UserOut:
    user: User = service.members(db, account_id)[user_id]
    return service.shown(user, account_name, [_account(db, account_id, account_name)])
