"""The operations of compositions."""

from typing import Any

from headrace.http.auth import Caller
from headrace.http.paging import Pages
from headrace.http.routing import Connection, Example, Router
from headrace.http.scopes import Scope
from headrace.resources.compositions import service
from headrace.resources.compositions.schemas import CompositionFields, CompositionOut

router = Router("/compositions", tag="compositions")

_BODY = {
    "name": "shop",
    "isAdvanced": False,
    "vars": ["TAG=1.0"],
    "yamlJson": '{"version": "3", "services": {"web": {"image": "nginx:alpine"}}}',
}
_ONE = Example(path={"id": "shop"})
_CHANGE = Example(path={"id": "shop"}, body=_BODY)


@router.route("GET", "", scope=Scope.GENERAL, sdk="compositions.list")
def list_compositions(caller: Caller, db: Connection, pages: Pages) -> list[CompositionOut]:
    """List the compositions of the account by name."""
    return service.listed(db, caller.account_id, pages)


@router.route("POST", "", scope=Scope.GENERAL, sdk="compositions.create", example=Example(body=_BODY))
def create_composition(body: CompositionFields, caller: Caller, db: Connection) -> CompositionOut:
    """Create a composition: a document of services, and variables for it."""
    return service.create(db, caller.account_id, body)


@router.route("GET", "/{id}", scope=Scope.GENERAL, sdk="compositions.get", example=_ONE)
def get_composition(id: str, caller: Caller, db: Connection) -> CompositionOut:  # noqa: A002 - the name on the wire
    """Get one composition by its id or name."""
    return service.get(db, caller.account_id, id)


@router.route("PUT", "/{id}", scope=Scope.GENERAL, sdk="compositions.update", example=_CHANGE)
def replace_composition(
    id: str,  # noqa: A002 - as above
    body: CompositionFields,
    caller: Caller,
    db: Connection,
) -> CompositionOut:
    """Change a composition; what is not given stays."""
    return service.change(db, caller.account_id, id, body)


@router.route("PATCH", "/{id}", scope=Scope.GENERAL, sdk="compositions.patch", example=_CHANGE)
def patch_composition(
    id: str,  # noqa: A002 - as above
    body: CompositionFields,
    caller: Caller,
    db: Connection,
) -> CompositionOut:
    """Change the given fields of a composition."""
    return service.change(db, caller.account_id, id, body)


@router.route("POST", "/{id}/duplicate", scope=Scope.GENERAL, sdk="compositions.duplicate", example=_ONE)
def duplicate_composition(id: str, caller: Caller, db: Connection) -> CompositionOut:  # noqa: A002 - as above
    """Store a composition once more, as ``<name>-copy``."""
    return service.duplicate(db, caller.account_id, id)


@router.route("DELETE", "/{id}", scope=Scope.GENERAL, sdk="compositions.delete", example=_ONE)
def delete_composition(id: str, caller: Caller, db: Connection) -> dict[str, Any]:  # noqa: A002 - as above
    """Delete a composition."""
    service.delete(db, caller.account_id, id)
    return {}
