"""The rows of accounts."""

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, insert, select

from headrace.resources.accounts.model import accounts


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account."""

    id: str
    name: str
    created_at: datetime


def add(db: Connection, account: Account) -> None:
    """Store a new account."""
    db.execute(insert(accounts).values(msgspec.structs.asdict(account)))


def by_id(db: Connection, account_id: str) -> Account | None:
    """Find an account by its id."""
    return _one(db, accounts.c.id == account_id)


def by_name(db: Connection, name: str) -> Account | None:
    """Find an account by its name."""
    return _one(db, accounts.c.name == name)


def listed(db: Connection) -> list[Account]:
    """Return all accounts by name."""
    query = select(accounts).order_by(accounts.c.name)
    return [Account(**row) for row in db.execute(query).mappings()]


def any_exists(db: Connection) -> bool:
    """Tell whether there is an account at all."""
    return db.execute(select(accounts.c.id).limit(1)).first() is not None


def _one(db: Connection, condition: ColumnElement[bool]) -> Account | None:
    row = db.execute(select(accounts).where(condition)).mappings().first()
    return Account(**row) if row else None
