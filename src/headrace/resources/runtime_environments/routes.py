"""The operations of runtime environments."""

from typing import Any

from headrace.http.auth import Caller
from headrace.http.paging import Pages
from headrace.http.routing import Connection, Example, Router
from headrace.http.scopes import Scope
from headrace.resources.runtime_environments import service
from headrace.resources.runtime_environments.schemas import (
    BaseImageOut,
    DeleteQuery,
    EnvironmentQuery,
    EnvironmentsQuery,
    UpdateQuery,
)

router = Router("/runtime-environments", tag="runtime-environments")

_NAME = {"name": "default"}


@router.route(
    "GET",
    "",
    scope=Scope.GENERAL,
    sdk="runtimeEnvs.list",
    operation="runtime-envs-list",
    example=Example(query="limit=25&offset=0"),
)
def list_environments(
    query: EnvironmentsQuery,  # noqa: ARG001 - says which fields `Pages` reads
    caller: Caller,
    db: Connection,
    pages: Pages,
) -> list[dict[str, Any]]:
    """List the runtime environments of the account, with the state of their workers."""
    return service.listed(db, caller, pages)


@router.route(
    "GET",
    "/{name:path}",
    scope=Scope.GENERAL,
    sdk="runtimeEnvs.get",
    operation="runtime-envs-get",
    example=Example(path=_NAME),
)
def get_environment(
    name: str, query: EnvironmentQuery, caller: Caller, db: Connection
) -> dict[str, Any] | list[dict[str, Any]]:
    """Get one runtime environment, or with ``history`` all of its versions."""
    return service.shown(db, caller, name, query)


@router.route(
    "PUT",
    "/default/{name:path}",
    scope=Scope.GENERAL,
    sdk="runtimeEnvs.setDefault",
    operation="runtime-envs-set-default",
    admin=True,
    example=Example(path=_NAME),
)
def set_default_environment(name: str, caller: Caller, db: Connection) -> dict[str, Any]:
    """Make a runtime environment the default of the account."""
    return service.make_default(db, caller, name)


@router.route(
    "PUT",
    "/{name:path}",
    scope=Scope.GENERAL,
    sdk="runtimeEnvs.update",
    operation="runtime-envs-update",
    admin=True,
    example=Example(path=_NAME, query="description=builds+of+the+team", body={}),
)
def update_environment(
    name: str, body: dict[str, Any], query: UpdateQuery, caller: Caller, db: Connection
) -> dict[str, Any]:
    """Store the next version of what the account says about a runtime environment."""
    return service.update(db, caller, name, body, description=query.description, extends=query.extend)


@router.route(
    "DELETE",
    "/{name:path}",
    scope=Scope.GENERAL,
    sdk="runtimeEnvs.delete",
    operation="runtime-envs-delete",
    admin=True,
    example=Example(path={"name": "$RUNTIME_ENVIRONMENT"}, query="force=true"),
)
def delete_environment(name: str, query: DeleteQuery, caller: Caller, db: Connection) -> dict[str, Any]:
    """Take a runtime environment from the account; its workers go on for others."""
    service.delete(db, caller, name, force=query.force)
    return {}


@router.route(
    "GET",
    "/{name}/base-images",
    scope=Scope.GENERAL,
    sdk="runtimeEnvs.getBaseImages",
    operation="runtime-envs-get-base-images",
    example=Example(path=_NAME),
)
def list_base_images(
    name: str, caller: Caller, db: Connection, images: service.BaseImages
) -> list[BaseImageOut]:
    """List the images that the engine itself runs, beside those that pipelines name."""
    service.ensure_known(db, caller.account_id, name)
    return [BaseImageOut(component, image) for component, image in sorted(images.by_component.items())]
