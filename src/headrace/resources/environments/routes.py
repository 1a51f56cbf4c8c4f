"""The operations of environments. Several change one by a GET, as existing clients do."""

from headrace.http.auth import Caller
from headrace.http.rights import Right, Rights
from headrace.http.routing import Connection, Example, Router
from headrace.http.scopes import Scope
from headrace.resources.environments import service
from headrace.resources.environments.schemas import EnvironmentOut, StatusOut

router = Router("/environments", tag="environments")

_ONE = Example(path={"id": "shop"})
# An environment is as its build: who may read that sees it, who may run its pipeline changes it.
_READ, _CHANGE = Right("read", "environment", "id"), Right("run", "environment", "id")


@router.route("GET", "", scope=Scope.GENERAL, sdk="envs.list", right=Right("read", "pipeline"))
def list_environments(caller: Caller, db: Connection, rights: Rights) -> list[EnvironmentOut]:
    """List the environments of the account by name.

    They are compositions that were launched, and go on after their build.
    """
    return service.listed(db, caller.account_id, rights)


@router.route(
    "GET",
    "/all/terminate",
    scope=Scope.GENERAL,
    sdk="envs.terminateAll",
    effect=True,
    right=Right("run", "pipeline"),
)
def terminate_all_environments(caller: Caller, db: Connection, rights: Rights) -> list[EnvironmentOut]:
    """Terminate all environments that the caller may change; answer what there is."""
    return service.terminate_all(db, caller.account_id, rights)


@router.route("GET", "/{id}", scope=Scope.GENERAL, sdk="envs.get", right=_READ, example=_ONE)
def get_environment(id: str, caller: Caller, db: Connection) -> EnvironmentOut:  # noqa: A002 - the name on the wire
    """Get one environment by its id or name."""
    return service.get(db, caller.account_id, id)


@router.route("GET", "/{id}/status", scope=Scope.GENERAL, sdk="envs.status", right=_READ, example=_ONE)
def get_environment_status(id: str, caller: Caller, db: Connection) -> StatusOut:  # noqa: A002 - as above
    """Get what an environment does: ``running``, ``stopping``, ``error`` and so on."""
    return service.status(db, caller.account_id, id)


@router.route(
    "GET",
    "/{id}/rename/{newName}",
    scope=Scope.GENERAL,
    sdk="envs.rename",
    effect=True,
    right=_CHANGE,
    example=Example(path={"id": "shop", "newName": "store"}),
)
def rename_environment(
    id: str,  # noqa: A002 - as above
    newName: str,  # noqa: N803 - the name on the wire
    caller: Caller,
    db: Connection,
) -> EnvironmentOut:
    """Give an environment another name."""
    return service.rename(db, caller.account_id, id, newName)


@router.route(
    "GET", "/{id}/start", scope=Scope.GENERAL, sdk="envs.start", effect=True, right=_CHANGE, example=_ONE
)
def start_environment(id: str, caller: Caller, db: Connection) -> EnvironmentOut:  # noqa: A002 - as above
    """Start an environment that is stopped, or those of its services that have ended."""
    return service.wish(db, caller.account_id, id, "start")


@router.route(
    "GET", "/{id}/stop", scope=Scope.GENERAL, sdk="envs.stop", effect=True, right=_CHANGE, example=_ONE
)
def stop_environment(id: str, caller: Caller, db: Connection) -> EnvironmentOut:  # noqa: A002 - as above
    """Stop the services of an environment; their volumes stay."""
    return service.wish(db, caller.account_id, id, "stop")


@router.route(
    "GET", "/{id}/pause", scope=Scope.GENERAL, sdk="envs.pause", effect=True, right=_CHANGE, example=_ONE
)
def pause_environment(id: str, caller: Caller, db: Connection) -> EnvironmentOut:  # noqa: A002 - as above
    """Freeze the services of an environment where they are."""
    return service.wish(db, caller.account_id, id, "pause")


@router.route(
    "GET", "/{id}/unpause", scope=Scope.GENERAL, sdk="envs.unpause", effect=True, right=_CHANGE, example=_ONE
)
def unpause_environment(id: str, caller: Caller, db: Connection) -> EnvironmentOut:  # noqa: A002 - as above
    """Let the services of a paused environment go on."""
    return service.wish(db, caller.account_id, id, "unpause")


@router.route(
    "GET",
    "/{id}/terminate",
    scope=Scope.GENERAL,
    sdk="envs.terminate",
    effect=True,
    right=_CHANGE,
    example=_ONE,
)
def terminate_environment(id: str, caller: Caller, db: Connection) -> EnvironmentOut:  # noqa: A002 - as above
    """Terminate an environment: remove its services, volumes and network."""
    return service.wish(db, caller.account_id, id, "terminate")
