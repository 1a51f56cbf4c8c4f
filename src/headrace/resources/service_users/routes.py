"""The operations of service users and of their keys."""

from typing import Any

from headrace.http.auth import Caller
from headrace.http.paging import Pages
from headrace.http.routing import Connection, Example, Reply, Router
from headrace.http.scopes import Scope
from headrace.kit.clock import SystemClock
from headrace.resources.api_keys.schemas import KeyChange, KeyOut, NewKey
from headrace.resources.service_users import service
from headrace.resources.service_users.schemas import ServiceUserBody, ServiceUserOut

router = Router("/service-users", tag="service-users")
_keys = Router("/auth/key/service-user", tag="service-users")

_BODY = {"userName": "deployer", "teamIds": []}


@router.route("GET", "", scope=Scope.GENERAL, sdk="serviceUsers.list", admin=True)
def list_service_users(caller: Caller, db: Connection, pages: Pages) -> list[ServiceUserOut]:
    """List the service users of the account by name, with the teams that they are in."""
    return service.listed(db, caller.account_id, pages)


@router.route(
    "POST", "", scope=Scope.GENERAL, sdk="serviceUsers.create", admin=True, example=Example(body=_BODY)
)
def create_service_user(body: ServiceUserBody, caller: Caller, db: Connection) -> ServiceUserOut:
    """Create a service user: a user that is a machine.

    It has no password; generate keys for it. It is in the given teams alone, not in `users`.
    """
    return service.create(db, caller, body)


@router.route("GET", "/{serviceUserId}", scope=Scope.GENERAL, sdk="serviceUsers.get", admin=True)
def get_service_user(serviceUserId: str, caller: Caller, db: Connection) -> ServiceUserOut:  # noqa: N803 - the wire name
    """Get a service user with the teams that it is in."""
    return service.get(db, caller.account_id, serviceUserId)


@router.route(
    "PATCH",
    "/{serviceUserId}",
    scope=Scope.GENERAL,
    sdk="serviceUsers.update",
    admin=True,
    example=Example(body=_BODY),
)
def change_service_user(
    serviceUserId: str,  # noqa: N803 - the wire name
    body: ServiceUserBody,
    caller: Caller,
    db: Connection,
) -> ServiceUserOut:
    """Give a service user its name, teams and role anew.

    As clients send it: teams or a role that are absent are taken away, an absent name stays.
    """
    return service.change(db, caller, serviceUserId, body)


@router.route("DELETE", "/{serviceUserId}", scope=Scope.GENERAL, sdk="serviceUsers.delete", admin=True)
def delete_service_user(serviceUserId: str, caller: Caller, db: Connection) -> dict[str, Any]:  # noqa: N803 - the wire name
    """Delete a service user; its keys end at once."""
    service.delete(db, caller.account_id, serviceUserId)
    return {}


@_keys.route("GET", "/{serviceUserId}", scope=Scope.GENERAL, sdk="serviceUsers.keys.list", admin=True)
def list_keys(serviceUserId: str, caller: Caller, db: Connection, pages: Pages) -> list[KeyOut]:  # noqa: N803 - the wire name
    """List the API keys of a service user, the oldest first."""
    return service.keys_of(db, caller.account_id, serviceUserId, pages)


@_keys.route(
    "POST",
    "/{serviceUserId}",
    scope=Scope.GENERAL,
    sdk="serviceUsers.keys.generate",
    admin=True,
    example=Example(body={"name": "deploy", "scopes": ["pipeline:run"]}),
)
def generate_key(
    serviceUserId: str,  # noqa: N803 - the wire name
    body: NewKey,
    caller: Caller,
    db: Connection,
    clock: SystemClock,
) -> Reply:
    """Generate an API key of a service user and answer its bare text, this one time.

    It never gets more scopes than the key that generates it.
    """
    return Reply(service.generate(db, caller, serviceUserId, body, now=clock.now()), media_type="text/plain")


@_keys.route("GET", "/{serviceUserId}/{key}", scope=Scope.GENERAL, sdk="serviceUsers.keys.get", admin=True)
def get_key(serviceUserId: str, key: str, caller: Caller, db: Connection) -> KeyOut:  # noqa: N803 - the wire name
    """Get an API key of a service user, without its secret."""
    return service.key(db, caller.account_id, serviceUserId, key)


@_keys.route(
    "PATCH",
    "/{serviceUserId}/{key}",
    scope=Scope.GENERAL,
    sdk="serviceUsers.keys.update",
    admin=True,
    example=Example(body={"name": "deploy", "scopes": ["build:read"]}),
)
def change_key(
    serviceUserId: str,  # noqa: N803 - the wire name
    key: str,
    body: KeyChange,
    caller: Caller,
    db: Connection,
) -> KeyOut:
    """Rename an API key of a service user or replace its scopes."""
    return service.change_key(db, caller, serviceUserId, key, body)


@_keys.route(
    "DELETE", "/{serviceUserId}/{key}", scope=Scope.GENERAL, sdk="serviceUsers.keys.delete", admin=True
)
def delete_key(serviceUserId: str, key: str, caller: Caller, db: Connection) -> dict[str, Any]:  # noqa: N803 - the wire name
    """Revoke an API key of a service user at once."""
    service.revoke(db, caller.account_id, serviceUserId, key)
    return {}
