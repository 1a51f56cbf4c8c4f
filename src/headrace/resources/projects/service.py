"""The rules of projects."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from headrace.http.errors import BadRequest, Conflict, NotFound
from headrace.http.paging import Pages
from headrace.http.rights import Rights, Target
from headrace.kit.crypto import SecretBox
from headrace.resources.projects import repository
from headrace.resources.projects.repository import Project
from headrace.resources.projects.schemas import (
    NewProject,
    ProjectChange,
    Variable,
    Variables,
    plain,
    problems,
    stored_variables,
)


def find(db: Connection, account_id: str, reference: str) -> Project:
    """Return a project by its id or its name.

    Raises:
        NotFound: the account has neither.
    """
    project = repository.by_id(db, account_id, reference) or repository.by_name(db, account_id, reference)
    if project is None:
        raise _missing(reference)
    return project


def by_name(db: Connection, account_id: str, name: str) -> Project:
    """Return a project by its name.

    Raises:
        NotFound: the account has none of that name.
    """
    project = repository.by_name(db, account_id, name)
    if project is None:
        raise _missing(name)
    return project


def listed(
    db: Connection, account_id: str, pages: Pages, rights: Rights, *, name: str, tags: Sequence[str]
) -> tuple[list[Project], int]:
    """Return a page of the projects that the caller may read, and how many match; the last changed first."""
    seen = rights.seen(db, "project")
    return repository.listed(db, account_id, pages, name=name, tags=tags, seen=seen)


def create(db: Connection, account_id: str, box: SecretBox, new: NewProject, rights: Rights) -> Project:
    """Create a project.

    Raises:
        BadRequest: a variable has the wrong shape.
        Conflict: the name is taken.
        Forbidden: no rule allows to create one with these tags.
    """
    rights.require(db, "create", "project", Target(tags=new.tags))
    if repository.by_name(db, account_id, new.project_name) is not None:
        raise _taken(new.project_name)
    variables = _checked(new.variables)
    project_id = repository.add(
        db,
        account_id,
        name=new.project_name,
        tags=new.tags,
        variables=stored_variables(box, account_id, variables, None),
        now=datetime.now(UTC),
    )
    return find(db, account_id, project_id)


def ensure(db: Connection, account_id: str, name: str, rights: Rights) -> Project:
    """Return the project of a name, which is created where there is none. Raises `Forbidden` for that."""
    project = repository.by_name(db, account_id, name)
    if project is None:
        rights.require(db, "create", "project", Target())
        repository.add(db, account_id, name=name, tags=(), variables=(), now=datetime.now(UTC))
        return by_name(db, account_id, name)
    return project


def change(
    db: Connection, account_id: str, box: SecretBox, reference: str, wanted: ProjectChange, rights: Rights
) -> Project:
    """Change the given parts of a project. A new name goes into the names of its pipelines.

    Raises:
        NotFound: the account has no such project.
        BadRequest: a variable has the wrong shape.
        Conflict: the new name is taken.
        Forbidden: no rule would allow to update it with its new tags.
    """
    project = find(db, account_id, reference)
    if wanted.tags is not None:
        rights.require(db, "update", "project", Target(tags=wanted.tags))
    name = project.name if wanted.project_name is None else wanted.project_name
    variables = project.variables
    if wanted.variables is not None:
        variables = stored_variables(box, account_id, _checked(wanted.variables), project.variables)
    if name != project.name:
        _rename(db, account_id, project, name)
    repository.change(
        db,
        account_id,
        project.id,
        name=name,
        tags=project.tags if wanted.tags is None else wanted.tags,
        variables=variables,
        now=datetime.now(UTC),
    )
    return find(db, account_id, project.id)


def _rename(db: Connection, account_id: str, project: Project, name: str) -> None:
    if repository.by_name(db, account_id, name) is not None:
        raise _taken(name)
    try:
        repository.rename_pipelines(db, account_id, project.id, old=project.name, new=name)
    except IntegrityError:
        message = f"a pipeline of project {name!r} has the name of one of {project.name!r}; rename it first"
        raise Conflict(message) from None


def delete(db: Connection, account_id: str, reference: str) -> None:
    """Delete a project without pipelines.

    Raises:
        NotFound: the account has no such project.
        Conflict: it has pipelines.
    """
    project = find(db, account_id, reference)
    if project.pipelines_number:
        raise Conflict(
            f"project {project.name!r} has {project.pipelines_number} pipelines; delete them first"
        )
    repository.remove(db, account_id, project.id)


def _checked(variables: Sequence[Variable]) -> Variables:
    values = plain(variables)
    if found := problems(values, "variables"):
        raise BadRequest("; ".join(found), errors=found)
    return values


def _missing(reference: str) -> NotFound:
    return NotFound(f"could not find project {reference!r}: not found in this account")


def _taken(name: str) -> Conflict:
    return Conflict(f"Project already exists: {name!r}; choose another name")
