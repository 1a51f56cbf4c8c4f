"""The operations of step types."""

from typing import Any

from headrace.http.auth import Caller
from headrace.http.paging import Pages
from headrace.http.routing import Connection, Example, Router
from headrace.http.scopes import Scope
from headrace.resources.step_types import service
from headrace.resources.step_types.schemas import NamesQuery, StepTypesOut, StepTypesQuery

router = Router("/step-types", tag="step-types")

_DOCUMENT = {
    "version": "1.0",
    "kind": "step-type",
    "metadata": {"name": "acme/hello", "version": "1.0.0", "isPublic": False, "categories": ["utility"]},
    "spec": {
        "arguments": '{"type": "object", "required": ["WHO"], "properties": {"WHO": {"type": "string"}}}',
        "steps": {"main": {"image": "alpine", "commands": ["echo Hello ${{WHO}}"]}},
    },
}
_NAMED = Example(path={"name": "acme/hello"})


@router.route("GET", "", scope=Scope.STEP_TYPE_READ, sdk="steps.list", example=Example(query="limit=25"))
def list_step_types(query: StepTypesQuery, caller: Caller, db: Connection, pages: Pages) -> StepTypesOut:
    """List step types by name, the latest version of each.

    They are the account's own, those that come with the server (``official``) and public ones that
    other accounts share.
    """
    return StepTypesOut(*service.listed(db, caller.account_id, query, pages))


@router.route("POST", "", scope=Scope.STEP_TYPE_WRITE, sdk="steps.create", example=Example(body=_DOCUMENT))
def create_step_type(body: dict[str, Any], caller: Caller, db: Connection) -> dict[str, Any]:
    """Create a step type, or a new version of one.

    The body is a ``kind: step-type`` document. The schemas, the steps or the template are checked;
    all that is wrong is named at once.
    """
    return service.create(db, caller, body)


@router.route("GET", "/names", scope=Scope.STEP_TYPE_READ, sdk="steps.getNames")
def list_names(query: NamesQuery, caller: Caller, db: Connection, pages: Pages) -> list[str]:
    """List the names of all step types that pipelines of the account may use."""
    found, _ = service.listed(db, caller.account_id, StepTypesQuery(id=query.id), pages)
    return [one["metadata"]["name"] for one in found]


@router.route(
    "GET",
    "/{name:path}/versions",
    scope=Scope.STEP_TYPE_READ,
    sdk="steps.getStepVersions",
    operation="steps-get-version",
    example=_NAMED,
)
def list_versions(name: str, caller: Caller, db: Connection) -> list[str]:
    """List the versions of a step type, the highest first."""
    return service.versions(db, caller.account_id, name)


@router.route("GET", "/{name:path}", scope=Scope.STEP_TYPE_READ, sdk="steps.get", example=_NAMED)
def get_step_type(name: str, caller: Caller, db: Connection) -> dict[str, Any]:
    """Get the latest version of a step type, or the one of ``name:version``."""
    return service.shown(db, caller.account_id, name)


@router.route(
    "PUT",
    "/{name:path}",
    scope=Scope.STEP_TYPE_WRITE,
    sdk="steps.replace",
    example=Example(path={"name": "acme/hello"}, body=_DOCUMENT),
)
def replace_step_type(name: str, body: dict[str, Any], caller: Caller, db: Connection) -> dict[str, Any]:
    """Replace a version of a step type; a new ``metadata.version`` adds one."""
    return service.replace(db, caller, name, body)


@router.route("DELETE", "/{name:path}", scope=Scope.STEP_TYPE_WRITE, sdk="steps.delete", example=_NAMED)
def delete_step_type(name: str, caller: Caller, db: Connection) -> dict[str, Any]:
    """Delete a step type with all versions, or the one version of ``name:version``."""
    service.delete(db, caller, name)
    return {}
