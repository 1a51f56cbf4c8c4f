"""The operations of projects."""

from typing import Annotated, Any

import msgspec

from headrace.http.auth import Caller
from headrace.http.paging import OffsetQuery, Pages
from headrace.http.rights import Right, Rights
from headrace.http.routing import Connection, Example, Router
from headrace.http.scopes import Scope
from headrace.kit.clock import wire_time
from headrace.kit.crypto import SecretBox
from headrace.resources.projects import service
from headrace.resources.projects.repository import Project
from headrace.resources.projects.schemas import NewProject, ProjectChange, ProjectOut, ProjectsOut, masked

router = Router("/projects", tag="projects")


class ProjectsQuery(OffsetQuery, kw_only=True, rename="camel"):
    """Which projects."""

    name: Annotated[str, msgspec.Meta(description="only names that contain this")] = ""
    tags: Annotated[tuple[str, ...], msgspec.Meta(description="only with all of these tags; may repeat")] = ()


@router.route(
    "GET",
    "",
    scope=Scope.PROJECT_READ,
    sdk="projects.list",
    right=Right("read", "project"),
    example=Example(query="limit=25"),
)
def list_projects(
    query: ProjectsQuery, caller: Caller, db: Connection, pages: Pages, rights: Rights
) -> ProjectsOut:
    """List the projects of the account, the last changed first."""
    found, total = service.listed(db, caller.account_id, pages, rights, name=query.name, tags=query.tags)
    return ProjectsOut([_out(project) for project in found], total)


@router.route(
    "POST",
    "",
    scope=Scope.PROJECT_WRITE,
    sdk="projects.create",
    right=Right("create", "project"),
    example=Example(body={"projectName": "my-project", "tags": ["team-a"]}),
)
def create_project(
    body: NewProject, caller: Caller, db: Connection, box: SecretBox, rights: Rights
) -> ProjectOut:
    """Create a project, with tags and variables for all of its pipelines."""
    return _out(service.create(db, caller.account_id, box, body, rights))


@router.route(
    "GET",
    "/name/{name:path}",
    scope=Scope.PROJECT_READ,
    sdk="projects.getByName",
    right=Right("read", "project", "name"),
    example=Example(path={"name": "my-project"}),
)
def get_project_by_name(name: str, caller: Caller, db: Connection) -> ProjectOut:
    """Get one project by its name."""
    return _out(service.by_name(db, caller.account_id, name))


@router.route(
    "GET", "/{id:path}", scope=Scope.PROJECT_READ, sdk="projects.get", right=Right("read", "project", "id")
)
def get_project(id: str, caller: Caller, db: Connection) -> ProjectOut:  # noqa: A002 - the wire name
    """Get one project by its id; its name is taken too."""
    return _out(service.find(db, caller.account_id, id))


@router.route(
    "PATCH",
    "/{id:path}",
    scope=Scope.PROJECT_WRITE,
    sdk="projects.patch",
    right=Right("update", "project", "id"),
    example=Example(body={"tags": ["team-a", "team-b"]}),
)
def patch_project(
    id: str,  # noqa: A002 - the wire name
    body: ProjectChange,
    caller: Caller,
    db: Connection,
    box: SecretBox,
    rights: Rights,
) -> ProjectOut:
    """Change parts of a project; a new name also goes into the names of its pipelines."""
    return _out(service.change(db, caller.account_id, box, id, body, rights))


@router.route(
    "DELETE",
    "/{id:path}",
    scope=Scope.PROJECT_WRITE,
    sdk="projects.delete",
    right=Right("delete", "project", "id"),
)
def delete_project(id: str, caller: Caller, db: Connection) -> dict[str, Any]:  # noqa: A002 - the wire name
    """Delete a project that has no pipelines any more."""
    service.delete(db, caller.account_id, id)
    return {}


def _out(project: Project) -> ProjectOut:
    return ProjectOut(
        id=project.id,
        project_name=project.name,
        account_id=project.account_id,
        tags=project.tags,
        variables=masked(project.variables),
        pipelines_number=project.pipelines_number,
        favorite=False,
        created_at=wire_time(project.created_at),
        updated_at=wire_time(project.updated_at),
    )
