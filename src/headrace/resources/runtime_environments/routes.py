"""The operations of runtime environments."""

from typing import Any

from headrace.http.auth import Caller
from headrace.http.paging import Pages
from headrace.http.routing import Connection, Example, Router
from headrace.http.scopes import Scope
from headrace.resources.runtime_environments import service
from headrace.resources.runtime_environments.schemas import (
    AccountsBody,
    BaseImageOut,
    DeleteQuery,
    EnvironmentQuery,
    EnvironmentsQuery,
    UpdateQuery,
)

router = Router("/runtime-environments", tag="runtime-environments")

platform = Router("/admin/runtime-environments", tag="runtime-environments")

_NAME = {"name": "default"}
_ACCOUNT = Example(path={"account": "$ACCOUNT_ID"})
_GIVEN = Example(path=_NAME, body={"accounts": []})


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


@platform.route("GET", "", scope=Scope.GENERAL, sdk="onPrem.runtimeEnvs.list")
def list_platform_environments(caller: Caller, db: Connection, pages: Pages) -> list[dict[str, Any]]:
    """List the environments that workers of the installation serve, for its admins.

    Others see none: `GET /api/runtime-environments` has those of their account.
    """
    return service.of_platform(db, caller, pages)


@platform.route(
    "GET",
    "/{name}",
    scope=Scope.GENERAL,
    sdk="onPrem.runtimeEnvs.system.get",
    admin="platform",
    example=Example(path=_NAME),
)
def get_platform_environment(name: str, caller: Caller, db: Connection) -> dict[str, Any]:
    """Get an environment that workers of the installation serve."""
    return service.one_of_platform(db, caller, name)


@platform.route(
    "GET",
    "/account/{account}",
    scope=Scope.GENERAL,
    sdk="onPrem.runtimeEnvs.account.list",
    admin="platform",
    example=_ACCOUNT,
)
def list_account_environments(
    account: str, caller: Caller, db: Connection, pages: Pages
) -> list[dict[str, Any]]:
    """List the environments of any account."""
    return service.listed(db, service.as_account(db, caller, account), pages)


@platform.route(
    "PUT",
    "/account/default/{account}/{name}",
    scope=Scope.GENERAL,
    sdk="onPrem.runtimeEnvs.account.setDefault",
    admin="platform",
    example=Example(path={"account": "$ACCOUNT_ID", "name": "default"}),
)
def set_account_default(account: str, name: str, caller: Caller, db: Connection) -> dict[str, Any]:
    """Make an environment the default of any account."""
    return service.make_default(db, service.as_account(db, caller, account), name)


@platform.route(
    "PUT",
    "/account/modify/{name}",
    scope=Scope.GENERAL,
    sdk="onPrem.runtimeEnvs.account.modify",
    admin="platform",
    example=_GIVEN,
)
def give_environment(name: str, body: AccountsBody, caller: Caller, db: Connection) -> dict[str, Any]:
    """Give an environment to accounts from which it was taken; all others have it."""
    service.give(db, caller, name, body.accounts)
    return {}


@platform.route(
    "DELETE",
    "/account/modify/{name}",
    scope=Scope.GENERAL,
    sdk="onPrem.runtimeEnvs.account.delete",
    admin="platform",
    example=_GIVEN,
)
def take_environment(name: str, body: AccountsBody, caller: Caller, db: Connection) -> dict[str, Any]:
    """Take an environment from accounts; it must not be their default."""
    service.take(db, caller, name, body.accounts)
    return {}
