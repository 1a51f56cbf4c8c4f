"""The operations of Helm boards, their sections, and Helm repositories."""

from typing import Any

from headrace.http.auth import Caller
from headrace.http.paging import Pages
from headrace.http.routing import Connection, Example, Router
from headrace.http.scopes import Scope
from headrace.resources.helm import service
from headrace.resources.helm.schemas import (
    BoardFields,
    BoardOut,
    Order,
    RepoFields,
    RepoOut,
    ReposQuery,
    SectionFields,
    SectionOut,
)

router = Router("/helm", tag="helm")

_BOARD = Example(body={"name": "staging", "filter": {"cluster": "prod"}})
_SECTION = {
    "boardId": "6923f0a41c2b9f3a7d0000b0",
    "name": "canary",
    "section": "prod/canary",
    "color": "#CCAA00",
    "index": 2,
}
_REPO = Example(path={"name": "charts"}, body={"name": "charts", "public": False})


@router.route(
    "GET",
    "/boards",
    scope=Scope.HELM_READ,
    sdk="helm.boards.list",
)
def list_boards(caller: Caller, db: Connection, pages: Pages) -> list[BoardOut]:
    """List the release boards of the account by name.

    A board is a stored arrangement of clusters, between which releases are promoted.
    """
    return service.boards(db, caller.account_id, pages)


@router.route(
    "POST",
    "/boards",
    scope=Scope.HELM_WRITE,
    sdk="helm.boards.create",
    example=_BOARD,
)
def create_board(body: BoardFields, caller: Caller, db: Connection) -> BoardOut:
    """Create a release board; the name is unique in the account."""
    return service.create_board(db, caller.account_id, body)


@router.route(
    "DELETE",
    "/boards",
    scope=Scope.HELM_WRITE,
    sdk="helm.boards.deleteAll",
)
def delete_boards(caller: Caller, db: Connection) -> dict[str, Any]:
    """Delete all release boards of the account with their sections."""
    service.delete_boards(db, caller.account_id)
    return {}


@router.route(
    "GET",
    "/boards/name/{name}",
    scope=Scope.HELM_READ,
    sdk="helm.boards.getByName",
    example=Example(path={"name": "production"}),
)
def get_board_by_name(name: str, caller: Caller, db: Connection) -> BoardOut:
    """Get a release board by its name."""
    return service.board(db, caller.account_id, name=name)


@router.route(
    "GET",
    "/boards/{id}",
    scope=Scope.HELM_READ,
    sdk="helm.boards.get",
)
def get_board(id: str, caller: Caller, db: Connection) -> BoardOut:  # noqa: A002 - the wire name
    """Get a release board by its id."""
    return service.board(db, caller.account_id, id=id)


@router.route(
    "PATCH",
    "/boards/{id}",
    scope=Scope.HELM_WRITE,
    sdk="helm.boards.patch",
    example=_BOARD,
)
@router.route(
    "PUT",
    "/boards/{id}",
    scope=Scope.HELM_WRITE,
    sdk="helm.boards.update",
    example=_BOARD,
)
def change_board(id: str, body: BoardFields, caller: Caller, db: Connection) -> BoardOut:  # noqa: A002 - the wire name
    """Change a release board; what is not given stays."""
    return service.change_board(db, caller.account_id, id, body)


@router.route(
    "DELETE",
    "/boards/{id}",
    scope=Scope.HELM_WRITE,
    sdk="helm.boards.delete",
)
def delete_board(id: str, caller: Caller, db: Connection) -> dict[str, Any]:  # noqa: A002 - the wire name
    """Delete a release board with its sections."""
    service.delete_board(db, caller.account_id, id)
    return {}


@router.route(
    "POST",
    "/boards/sections",
    scope=Scope.HELM_WRITE,
    sdk="helm.sections.create",
    example=Example(body=_SECTION),
)
def create_section(body: SectionFields, caller: Caller, db: Connection) -> SectionOut:
    """Create a section of a release board: a cluster, or a namespace of one."""
    return service.create_section(db, caller.account_id, body)


@router.route(
    "POST",
    "/boards/sections/reorder",
    scope=Scope.HELM_WRITE,
    sdk="helm.sections.reorder",
    example=Example(body={}),
)
def reorder_sections(body: Order, caller: Caller, db: Connection) -> list[SectionOut]:
    """Give sections new places: an object of section ids and numbers."""
    return service.reorder(db, caller.account_id, body)


@router.route(
    "GET",
    "/boards/sections/{id}",
    scope=Scope.HELM_READ,
    sdk="helm.sections.get",
)
def get_section(id: str, caller: Caller, db: Connection) -> SectionOut:  # noqa: A002 - the wire name
    """Get a section by its id."""
    return service.section(db, caller.account_id, id=id)


@router.route(
    "PATCH",
    "/boards/sections/{id}",
    scope=Scope.HELM_WRITE,
    sdk="helm.sections.patch",
    example=Example(body={"color": "#00AA00"}),
)
@router.route(
    "PUT",
    "/boards/sections/{id}",
    scope=Scope.HELM_WRITE,
    sdk="helm.sections.update",
    example=Example(body={"index": 3}),
)
def change_section(id: str, body: SectionFields, caller: Caller, db: Connection) -> SectionOut:  # noqa: A002 - the wire name
    """Change a section; what is not given stays."""
    return service.change_section(db, caller.account_id, id, body)


@router.route(
    "DELETE",
    "/boards/sections/{id}",
    scope=Scope.HELM_WRITE,
    sdk="helm.sections.delete",
)
def delete_section(id: str, caller: Caller, db: Connection) -> dict[str, Any]:  # noqa: A002 - the wire name
    """Delete a section of a release board."""
    service.delete_section(db, caller.account_id, id)
    return {}


@router.route(
    "GET",
    "/boards/{boardId}/sections",
    scope=Scope.HELM_READ,
    sdk="helm.sections.list",
)
def list_sections(
    boardId: str,  # noqa: N803 - the wire name
    caller: Caller,
    db: Connection,
    pages: Pages,
) -> list[SectionOut]:
    """List the sections of a release board by their places."""
    return service.sections(db, caller.account_id, boardId, pages)


@router.route(
    "DELETE",
    "/boards/{boardId}/sections",
    scope=Scope.HELM_WRITE,
    sdk="helm.sections.deleteAll",
)
def delete_sections(boardId: str, caller: Caller, db: Connection) -> dict[str, Any]:  # noqa: N803 - the wire name
    """Delete all sections of a release board."""
    service.delete_sections(db, caller.account_id, boardId)
    return {}


@router.route(
    "GET",
    "/boards/{boardId}/sections/name/{name}",
    scope=Scope.HELM_READ,
    sdk="helm.sections.getByName",
    example=Example(path={"name": "main"}),
)
def get_section_by_name(boardId: str, name: str, caller: Caller, db: Connection) -> SectionOut:  # noqa: N803 - the wire name
    """Get a section of a release board by its name."""
    return service.section(db, caller.account_id, board_id=boardId, name=name)


@router.route(
    "GET",
    "/repos",
    scope=Scope.HELM_READ,
    sdk="helm.repos.list",
)
def list_helm_repos(query: ReposQuery, caller: Caller, db: Connection, pages: Pages) -> list[RepoOut]:
    """List the Helm repositories of the account by name.

    A repository is a stored name; its charts are fetched by the steps that use it.
    """
    return service.repos(db, caller.account_id, query.query, pages)


@router.route(
    "POST",
    "/repos",
    scope=Scope.HELM_WRITE,
    sdk="helm.repos.create",
    example=_REPO,
)
def create_helm_repo(body: RepoFields, caller: Caller, db: Connection) -> RepoOut:
    """Store a Helm repository; the name is unique in the account."""
    return service.create_repo(db, caller.account_id, body)


@router.route(
    "GET",
    "/repos/{name}",
    scope=Scope.HELM_READ,
    sdk="helm.repos.get",
    example=Example(path={"name": "charts"}),
)
def get_helm_repo(name: str, caller: Caller, db: Connection) -> RepoOut:
    """Get a Helm repository by its name."""
    return service.repo(db, caller.account_id, name)


@router.route(
    "PUT",
    "/repos/{name}",
    scope=Scope.HELM_WRITE,
    sdk="helm.repos.update",
    example=_REPO,
)
def update_helm_repo(name: str, body: RepoFields, caller: Caller, db: Connection) -> RepoOut:
    """Change the given fields of a Helm repository."""
    return service.change_repo(db, caller.account_id, name, body)


@router.route(
    "DELETE",
    "/repos/{name}",
    scope=Scope.HELM_WRITE,
    sdk="helm.repos.delete",
    example=Example(path={"name": "charts"}),
)
def delete_helm_repo(name: str, caller: Caller, db: Connection) -> dict[str, Any]:
    """Forget a Helm repository."""
    service.delete_repo(db, caller.account_id, name)
    return {}
