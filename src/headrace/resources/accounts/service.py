"""Accounts: made by an operator, or by an admin of the installation."""

from datetime import datetime

from sqlalchemy import Connection

from headrace.http.errors import BadRequest, Conflict, NotFound
from headrace.kit.ids import new_id
from headrace.resources.accounts import repository
from headrace.resources.accounts.repository import Account

__all__ = [
    "Account",
    "any_exists",
    "by_id",
    "by_name",
    "close",
    "closed",
    "create",
    "empty",
    "hold",
    "listed",
    "remove",
    "rename",
]

_LONGEST_NAME = 255
any_exists = repository.any_exists
listed = repository.listed
hold, close, closed = repository.hold, repository.close, repository.closed
empty, remove = repository.empty, repository.remove


def create(db: Connection, name: str, *, now: datetime) -> Account:
    """Create an account.

    Raises:
        BadRequest: the name is empty or over 255 characters.
        Conflict: the name is taken.
    """
    _check_name(db, name)
    account = Account(id=new_id(), name=name, created_at=now)
    repository.add(db, account)
    return account


def rename(db: Connection, account_id: str, name: str) -> Account:
    """Give an account another name; its own is no change. Raises `NotFound`, and as `create`."""
    account = by_id(db, account_id)
    if name == account.name:
        return account
    _check_name(db, name)
    repository.rename(db, account_id, name)
    return by_id(db, account_id)


def _check_name(db: Connection, name: str) -> None:
    if not 0 < len(name.strip()) <= _LONGEST_NAME:
        raise BadRequest(f"name: an account's name has 1 to {_LONGEST_NAME} characters")
    if repository.by_name(db, name) is not None:
        raise Conflict(f"an account named {name!r} exists already")


def by_name(db: Connection, name: str) -> Account:
    """Find an account by its name. Raises `NotFound`."""
    account = repository.by_name(db, name)
    if account is None:
        raise NotFound(f"could not find an account named {name!r}")
    return account


def by_id(db: Connection, account_id: str) -> Account:
    """Find an account by its id. Raises `NotFound`."""
    account = repository.by_id(db, account_id)
    if account is None:
        raise NotFound(f"could not find the account {account_id!r}")
    return account
