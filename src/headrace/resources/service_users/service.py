"""The rules of service users: they log in nowhere, and what they may do their teams and keys say."""

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection

from headrace.http.auth import Caller
from headrace.http.errors import NotFound
from headrace.http.paging import Pages
from headrace.resources.api_keys import service as keys
from headrace.resources.api_keys.schemas import KeyChange, KeyOut, NewKey
from headrace.resources.service_users.schemas import ServiceUserBody, ServiceUserOut, TeamRef
from headrace.resources.teams import service as teams
from headrace.resources.users import service as users


def listed(db: Connection, account_id: str, pages: Pages) -> list[ServiceUserOut]:
    """Return the service users of an account by name."""
    return _shown(db, account_id, {one.id: one.name for one in users.machines(db, account_id, pages)})


def get(db: Connection, account_id: str, user_id: str) -> ServiceUserOut:
    """Return a service user. Raises `NotFound`, for a person, too."""
    return _shown(db, account_id, {user_id: _name(db, account_id, user_id)})[0]


def create(db: Connection, caller: Caller, body: ServiceUserBody) -> ServiceUserOut:
    """Make a service user; it is in the given teams alone.

    Raises:
        BadRequest: the name does not fit.
        Conflict: the name is taken.
        Forbidden: it would be an admin, and the key may not do all that its user may.
        NotFound: a team is none of the account.
    """
    if body.assign_admin_role:
        users.refuse_narrow(caller)
    made = users.create_machine(
        db,
        caller.account_id,
        body.user_name.strip(),
        is_account_admin=body.assign_admin_role,
        now=datetime.now(UTC),
    )
    teams.put_into(db, caller.account_id, made.id, body.team_ids)
    return get(db, caller.account_id, made.id)


def change(db: Connection, caller: Caller, user_id: str, body: ServiceUserBody) -> ServiceUserOut:
    """Give a service user another name, and exactly the given teams and role. Raises as `create`."""
    name = _name(db, caller.account_id, user_id)
    if body.assign_admin_role:
        users.refuse_narrow(caller)
    if body.user_name.strip() not in ("", name):
        users.rename(db, user_id, name=body.user_name)
    users.set_role(db, caller.account_id, user_id, is_admin=body.assign_admin_role)
    teams.put_into(db, caller.account_id, user_id, body.team_ids)
    return get(db, caller.account_id, user_id)


def delete(db: Connection, account_id: str, user_id: str) -> None:
    """Delete a service user; its keys end at once. Raises `NotFound`."""
    _name(db, account_id, user_id)
    users.remove(db, user_id)


def keys_of(db: Connection, account_id: str, user_id: str, pages: Pages) -> list[KeyOut]:
    """Return the keys of a service user, the oldest first. Raises `NotFound`."""
    _name(db, account_id, user_id)
    return [keys.shown(one) for one in keys.of_user(db, account_id, user_id, pages)]


def key(db: Connection, account_id: str, user_id: str, key_id: str) -> KeyOut:
    """Return a key of a service user. Raises `NotFound` for either."""
    for one in keys_of(db, account_id, user_id, Pages()):
        if one.id == key_id:
            return one
    raise NotFound(f"could not find the API key {key_id!r}")


def generate(db: Connection, caller: Caller, user_id: str, body: NewKey, *, now: datetime) -> str:
    """Make a key for a service user and return its text, which is not stored. Raises as that of a person."""
    _name(db, caller.account_id, user_id)
    return keys.generate(db, caller, body, user_id=user_id, now=now)


def change_key(db: Connection, caller: Caller, user_id: str, key_id: str, body: KeyChange) -> KeyOut:
    """Rename a key or replace its scopes. Raises as that of a person."""
    key(db, caller.account_id, user_id, key_id)
    return keys.shown(keys.change(db, caller, key_id, body))


def revoke(db: Connection, account_id: str, user_id: str, key_id: str) -> None:
    """End a key at once. Raises `NotFound`."""
    keys.revoke_any(db, account_id, key(db, account_id, user_id, key_id).id)


def _name(db: Connection, account_id: str, user_id: str) -> str:
    found = users.members(db, account_id).get(user_id)
    if found is None or not found.is_service:
        raise NotFound(f"could not find the service user {user_id!r}")
    return found.name


def _shown(db: Connection, account_id: str, found: Mapping[str, str]) -> list[ServiceUserOut]:
    inside = teams.ids_by_user(db, account_id)
    admins = users.admin_ids(db, account_id)
    return [
        ServiceUserOut(
            id=user_id,
            user_name=name,
            teams=[TeamRef(id=team_id) for team_id in inside.get(user_id, ())],
            roles=["User", "Admin"] if user_id in admins else ["User"],
        )
        for user_id, name in found.items()
    ]
