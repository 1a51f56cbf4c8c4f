"""Projects: ``create``, ``get``, ``patch`` and ``delete project``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from headrace.cli import files
from headrace.cli.dates import DATE, parse
from headrace.cli.errors import Refused
from headrace.cli.found import found_by
from headrace.cli.output import Columns, Row, show
from headrace.cli.verbs import Array, leaf, output_options, pass_app

if TYPE_CHECKING:
    from collections.abc import Mapping

    from headrace.cli.app import App
    from headrace.client.made import types

COLUMNS = Columns(
    default=("name", "pipelines", "last_updated", "tags"),
    wide=("id", "name", "pipelines", "last_updated", "tags"),
    dates={"*": DATE},
)
FIELDS = ("id", "projectName", "tags", "variables", "favorite", "pipelinesNumber", "updatedAt")


def create(app: App, name: str, more: Any) -> None:  # noqa: ANN401 — from a file, as it stands
    """Create a project; raises `Refused` where the name is taken."""
    if found_by(app.api.projects.get_by_name, name) is not None:
        raise Refused(f'Project already exists: "{name}"')
    body: Any = {"projectName": name, **more}
    app.api.projects.create(body)


def find(app: App, name: str) -> types.ProjectOut | None:
    """A project by its id or its name; None where there is none."""
    return found_by(app.api.projects.get, name) or found_by(app.api.projects.get_by_name, name)


@leaf("create project")
@click.argument("name", required=False)
@click.option("-t", "--tag", cls=Array, metavar="TAG", help="Tags of the project.")
@click.option("-v", "--variable", cls=Array, metavar="K=V", help="Variables of the project.")
@click.option("-e", "--encrypted", cls=Array, metavar="NAME", help="Variables to encrypt.")
@click.option("-f", "--filename", help="Take everything from a file instead.")
@pass_app
def create_project(
    app: App,
    name: str | None,
    tag: tuple[str, ...],
    variable: tuple[str, ...],
    encrypted: tuple[str, ...],
    filename: str | None,
) -> None:
    """Create a project; its name is unique in the account."""
    if filename is not None:
        from headrace.cli.commands.documents import create_from

        create_from(app, filename)
        return
    if name is None:
        raise Refused("the project's name is missing; give it as: codefresh create project NAME")
    variables = files.encrypt(files.pairs(variable), encrypted)
    create(app, name, {"tags": list(tag), "variables": variables})
    click.echo(f'Project: "{name}" created')


@leaf("get projects")
@click.argument("name_or_id", required=False, metavar="[ID|NAME]")
@click.option("-n", "--name", help="Only projects whose name has this in it.")
@click.option("-t", "--tag", cls=Array, metavar="TAG", help="Only projects with one of these tags.")
@click.option("--limit", type=int, default=25, show_default=True, help="At most this many.")
@click.option("--page", type=int, default=1, show_default=True, help="Which page of the list.")
@output_options
@pass_app
def get_projects(
    app: App,
    name_or_id: str | None,
    name: str | None,
    tag: tuple[str, ...],
    limit: int,
    page: int,
    **out: Any,  # noqa: ANN401 — values of `output_options`
) -> None:
    """Show one project, or a page of them."""

    def rows() -> list[Row]:
        if name_or_id is not None:
            one = find(app, name_or_id)
            found = [] if one is None else [one]
        else:
            answer = app.api.projects.list(limit=limit, offset=(page - 1) * limit, name=name, tags=tag)
            found = answer["projects"]
        if not found:
            raise Refused("No projects found")
        return [_row(project) for project in found]

    show(rows, COLUMNS, out)


def _row(project: Mapping[str, Any]) -> Row:
    name = project.get("projectName")
    return Row(
        id=project.get("id"),
        name=f"project/{name}",
        info={key: project.get(key) for key in FIELDS if key in project},
        cells={
            "id": project.get("id"),
            "name": name,
            "pipelines": project.get("pipelinesNumber"),
            "last_updated": parse(project.get("updatedAt")),
            "tags": project.get("tags"),
        },
    )


@leaf("patch project")
@click.argument("name", metavar="ID|NAME")
@click.option("-n", "--newName", "--new-name", "new_name", help="Rename the project.")
@click.option("-t", "--tag", cls=Array, metavar="TAG", help="Replace its tags.")
@click.option("-v", "--variable", cls=Array, metavar="K=V", help="Replace its variables.")
@click.option("-e", "--encrypted", cls=Array, metavar="NAME", help="Variables to encrypt.")
@pass_app
def patch_project(
    app: App,
    name: str,
    new_name: str | None,
    tag: tuple[str, ...],
    variable: tuple[str, ...],
    encrypted: tuple[str, ...],
) -> None:
    """Rename a project, or replace its tags or variables."""
    variables = files.encrypt(files.pairs(variable), encrypted)
    project = _existing(app, name)
    changes = {
        "projectName": new_name,
        "tags": list(tag) or project.get("tags"),
        "variables": variables or project.get("variables"),
    }
    body: Any = {key: value for key, value in changes.items() if value is not None}
    app.api.projects.patch(str(project["id"]), body)
    click.echo(f'Project: "{name}" patched.')


@leaf("delete project")
@click.argument("name", metavar="ID|NAME")
@pass_app
def delete_project(app: App, name: str) -> None:
    """Delete a project by its id or name."""
    app.api.projects.delete(str(_existing(app, name)["id"]))
    click.echo(f"Project '{name}' deleted.")


def _existing(app: App, name: str) -> types.ProjectOut:
    project = find(app, name)
    if project is None:
        raise Refused(f'No such project: "{name}"')
    return project
