"""The rows of API keys."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import Boolean, Connection, bindparam, column, delete, insert, select, table, update

from headrace.http.paging import Pages
from headrace.resources.api_keys.model import api_keys

# Stand-ins for tables of other resources, whose models cannot be imported here.
_accounts = table("accounts", column("id"), column("name"))
_users = table("users", column("id"), column("name"), column("is_platform_admin", Boolean))
_memberships = table("memberships", column("account_id"), column("user_id"), column("is_admin", Boolean))


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key; its secret is not known any more."""

    id: str
    account_id: str
    user_id: str
    name: str
    prefix: str
    secret_hash: str
    scopes: list[str] | None
    subject_type: str
    subject_ref: str
    build_id: str | None = None
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """A key with the user and the account that it stands for."""

    account_id: str
    account_name: str
    user_id: str
    user_name: str
    is_account_admin: bool
    is_platform_admin: bool
    secret_hash: str
    scopes: list[str] | None
    build_id: str | None
    expires_at: datetime | None
    last_used_at: datetime | None


_holder = (
    select(
        api_keys.c.account_id,
        _accounts.c.name.label("account_name"),
        api_keys.c.user_id,
        _users.c.name.label("user_name"),
        _memberships.c.is_admin.label("is_account_admin"),
        _users.c.is_platform_admin,
        api_keys.c.secret_hash,
        api_keys.c.scopes,
        api_keys.c.build_id,
        api_keys.c.expires_at,
        api_keys.c.last_used_at,
    )
    .join(_users, _users.c.id == api_keys.c.user_id)
    .join(_accounts, _accounts.c.id == api_keys.c.account_id)
    .join(
        _memberships,
        (_memberships.c.user_id == api_keys.c.user_id) & (_memberships.c.account_id == api_keys.c.account_id),
    )
    .where(api_keys.c.id == bindparam("key_id"))
)


def holder(db: Connection, key_id: str) -> Holder | None:
    """Find a key and whom it stands for; None also when the user has left the account."""
    row = db.execute(_holder, {"key_id": key_id}).first()
    return None if row is None else Holder(**row._mapping)  # noqa: SLF001 - public in SQLAlchemy


def add(db: Connection, key: ApiKey) -> None:
    """Store a new key."""
    db.execute(insert(api_keys).values(msgspec.structs.asdict(key)))


def of_account(db: Connection, account_id: str, pages: Pages, *, user_id: str | None = None) -> list[ApiKey]:
    """Return the keys of an account that no build holds, the oldest first, ties by id.

    Args:
        db: an open connection.
        account_id: whose keys.
        pages: which of them.
        user_id: only the keys of this user; None for those of all.
    """
    query = select(api_keys).where(api_keys.c.account_id == account_id, api_keys.c.build_id.is_(None))
    if user_id is not None:
        query = query.where(api_keys.c.user_id == user_id)
    return [ApiKey(**row) for row in pages.read(db, query, api_keys.c.created_at, api_keys.c.id)]


def by_id(db: Connection, account_id: str, key_id: str) -> ApiKey | None:
    """Find a key of an account that no build holds."""
    query = select(api_keys).where(
        api_keys.c.account_id == account_id, api_keys.c.id == key_id, api_keys.c.build_id.is_(None)
    )
    row = db.execute(query).mappings().first()
    return ApiKey(**row) if row else None


def change(db: Connection, account_id: str, key_id: str, **values: object) -> None:
    """Set columns of a key."""
    db.execute(
        update(api_keys).where(api_keys.c.account_id == account_id, api_keys.c.id == key_id).values(**values)
    )


def remove(db: Connection, account_id: str, key_id: str) -> None:
    """Delete a key."""
    db.execute(delete(api_keys).where(api_keys.c.account_id == account_id, api_keys.c.id == key_id))


def remove_of_build(db: Connection, build_id: str) -> None:
    """Delete the keys that a build holds."""
    db.execute(delete(api_keys).where(api_keys.c.build_id == build_id))


def note_uses(db: Connection, uses: Mapping[str, datetime]) -> None:
    """Store when keys were used last; keys that are gone meanwhile are passed over."""
    query = update(api_keys).where(api_keys.c.id == bindparam("key_id"))
    rows = [{"key_id": key_id, "moment": moment} for key_id, moment in sorted(uses.items())]
    db.execute(query.values(last_used_at=bindparam("moment", type_=api_keys.c.last_used_at.type)), rows)
