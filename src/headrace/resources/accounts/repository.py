"""The rows of accounts."""

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, column, delete, insert, select, table, update

from headrace.http.rights import ACTIONS, EVERYBODY, EVERYWHERE
from headrace.kit.ids import new_id
from headrace.resources.accounts.model import accounts
from headrace.storage.metadata import JsonText, UtcTime, metadata

# Stand-ins for tables of other resources, which know this one.
_teams = table(
    "teams",
    column("id"),
    column("account_id"),
    column("name"),
    column("tags", JsonText),
    column("created_at", UtcTime),
)
_rules = table(
    "abac_rules",
    column("id"),
    column("account_id"),
    column("team_id"),
    column("resource"),
    column("action"),
    column("tags", JsonText),
    column("of_project"),
    column("needs_all"),
    column("created_at", UtcTime),
)

_LONG = ("audit", "builds")  # may be many rows, so what a deleted account has of them goes piece by piece


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account."""

    id: str
    name: str
    created_at: datetime


_COLUMNS = tuple(accounts.c[field] for field in Account.__struct_fields__)
_IS_THERE = accounts.c.deleted_at.is_(None)


def add(db: Connection, account: Account) -> None:
    """Store a new account, with a team that all of its users come into, and that may do everything."""
    db.execute(insert(accounts).values(msgspec.structs.asdict(account)))
    made = {"account_id": account.id, "created_at": account.created_at}
    team_id = new_id()
    db.execute(insert(_teams).values(made | {"id": team_id, "name": EVERYBODY, "tags": []}))
    everything = {"team_id": team_id, "tags": list(EVERYWHERE), "of_project": False, "needs_all": False}
    rules = [
        made | everything | {"id": new_id(), "resource": resource, "action": action}
        for resource, actions in ACTIONS.items()
        for action in actions
    ]
    db.execute(insert(_rules), rules)


def by_id(db: Connection, account_id: str) -> Account | None:
    """Find an account by its id."""
    return _one(db, accounts.c.id == account_id)


def by_name(db: Connection, name: str) -> Account | None:
    """Find an account by its name."""
    return _one(db, accounts.c.name == name)


def listed(db: Connection) -> list[Account]:
    """Return all accounts by name."""
    query = select(*_COLUMNS).where(_IS_THERE).order_by(accounts.c.name)
    return [Account(**row) for row in db.execute(query).mappings()]


def rename(db: Connection, account_id: str, name: str) -> None:
    """Give an account another name."""
    db.execute(update(accounts).where(accounts.c.id == account_id).values(name=name))


def hold(db: Connection, account_id: str) -> None:
    """Let nobody add anything to an account before the transaction has ended."""
    db.execute(select(accounts.c.id).where(accounts.c.id == account_id).with_for_update()).all()


def close(db: Connection, account_id: str, now: datetime) -> None:
    """Let an account be seen by nobody; its name is free. What it owns is still there."""
    values = {"name": f"{account_id} is deleted", "deleted_at": now}
    db.execute(update(accounts).where(accounts.c.id == account_id).values(values))


def closed(db: Connection) -> str | None:
    """Return the id of the account that was closed first, and is not removed yet; None: there is none."""
    query = select(accounts.c.id).where(accounts.c.deleted_at.is_not(None))
    return db.execute(query.order_by(accounts.c.deleted_at, accounts.c.id).limit(1)).scalar()


def empty(db: Connection, account_id: str) -> None:
    """Delete what an account owns, but for its builds and its audit log."""
    for name, owned in sorted(metadata.tables.items()):  # in one order: two servers may do so at once
        if "account_id" in owned.c and name not in _LONG:
            db.execute(delete(owned).where(owned.c.account_id == account_id))


def remove(db: Connection, account_id: str) -> None:
    """Delete an account with all that it still owns."""
    db.execute(delete(accounts).where(accounts.c.id == account_id))


def any_exists(db: Connection) -> bool:
    """Tell whether there is an account at all."""
    return db.execute(select(accounts.c.id).limit(1)).first() is not None


def _one(db: Connection, condition: ColumnElement[bool]) -> Account | None:
    row = db.execute(select(*_COLUMNS).where(condition, _IS_THERE)).mappings().first()
    return Account(**row) if row else None
