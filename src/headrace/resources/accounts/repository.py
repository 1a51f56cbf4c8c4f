"""The rows of accounts."""

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, column, insert, select, table

from headrace.http.rights import ACTIONS, EVERYBODY, EVERYWHERE
from headrace.kit.ids import new_id
from headrace.resources.accounts.model import accounts
from headrace.storage.metadata import JsonText, UtcTime

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


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account."""

    id: str
    name: str
    created_at: datetime


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
    query = select(accounts).order_by(accounts.c.name)
    return [Account(**row) for row in db.execute(query).mappings()]


def any_exists(db: Connection) -> bool:
    """Tell whether there is an account at all."""
    return db.execute(select(accounts.c.id).limit(1)).first() is not None


def _one(db: Connection, condition: ColumnElement[bool]) -> Account | None:
    row = db.execute(select(accounts).where(condition)).mappings().first()
    return Account(**row) if row else None
