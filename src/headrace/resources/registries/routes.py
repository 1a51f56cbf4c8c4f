"""The operations of registries."""

from typing import Any

from headrace.http.auth import Caller
from headrace.http.outside import REGISTRIES
from headrace.http.paging import Pages
from headrace.http.routing import Connection, Example, Router
from headrace.http.scopes import Scope
from headrace.kit.crypto import SecretBox
from headrace.resources.registries import service
from headrace.resources.registries.schemas import RegistryFields

router = Router("/registries", tag="registries")

_BODY = {
    "name": "main",
    "domain": "registry.example.org",
    "username": "ci",
    "password": "secret",
    "provider": "other",
    "behindFirewall": False,
}
_ONE = Example(path={"id": "main"})


@router.route("GET", "", scope=Scope.GENERAL, sdk="registries.list")
def list_registries(caller: Caller, db: Connection, pages: Pages) -> list[dict[str, Any]]:
    """List the image registries of the account by name; without their secrets."""
    return service.listed(db, caller.account_id, pages)


@router.route(
    "POST", "", scope=Scope.GENERAL, sdk="registries.create", admin=True, example=Example(body=_BODY)
)
def create_registry(body: RegistryFields, caller: Caller, db: Connection, box: SecretBox) -> dict[str, Any]:
    """Create a registry; the first one is the default, to which builds push."""
    return service.create(db, box, caller.account_id, body)


@router.route(
    "POST", "/test", scope=Scope.GENERAL, sdk="registries.test", admin=True, example=Example(body=_BODY)
)
async def test_registry(body: RegistryFields) -> dict[str, Any]:
    """Log in to a registry, for real; nothing is stored."""
    # In a thread of its own, and without the request's transaction: a registry may take its time.
    await REGISTRIES.run(service.test, body)
    return {"ok": True}


@router.route("GET", "/{id}", scope=Scope.GENERAL, sdk="registries.get", example=_ONE)
def get_registry(id: str, caller: Caller, db: Connection) -> dict[str, Any]:  # noqa: A002 - the name on the wire
    """Get one registry by its id or name."""
    return service.get(db, caller.account_id, id)


@router.route(
    "PUT",
    "/{id}",
    scope=Scope.GENERAL,
    sdk="registries.replace",
    admin=True,
    example=Example(path={"id": "main"}, body=_BODY),
)
def replace_registry(
    id: str,  # noqa: A002 - as above
    body: RegistryFields,
    caller: Caller,
    db: Connection,
    box: SecretBox,
) -> dict[str, Any]:
    """Change a registry; secrets that are not given stay."""
    return service.change(db, box, caller.account_id, id, body)


@router.route(
    "PATCH",
    "/{id}",
    scope=Scope.GENERAL,
    sdk="registries.patch",
    admin=True,
    example=Example(path={"id": "main"}, body={"password": "another"}),
)
def patch_registry(
    id: str,  # noqa: A002 - as above
    body: RegistryFields,
    caller: Caller,
    db: Connection,
    box: SecretBox,
) -> dict[str, Any]:
    """Change the given fields of a registry."""
    return service.change(db, box, caller.account_id, id, body)


@router.route(
    "PATCH", "/{id}/default", scope=Scope.GENERAL, sdk="registries.setDefault", admin=True, example=_ONE
)
def set_default_registry(id: str, caller: Caller, db: Connection) -> dict[str, Any]:  # noqa: A002 - as above
    """Make a registry the one that builds push to where a step names none."""
    return service.make_default(db, caller.account_id, id)


@router.route("DELETE", "/{id}", scope=Scope.GENERAL, sdk="registries.delete", admin=True, example=_ONE)
def delete_registry(id: str, caller: Caller, db: Connection) -> dict[str, Any]:  # noqa: A002 - as above
    """Delete a registry; images in it stay."""
    service.delete(db, caller.account_id, id)
    return {}
