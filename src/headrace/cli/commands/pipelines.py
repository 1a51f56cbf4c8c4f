"""Pipelines: ``get`` and ``delete pipeline``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from headrace.cli.cures import told
from headrace.cli.dates import RELATIVE, parse
from headrace.cli.errors import Refused
from headrace.cli.files import mapping
from headrace.cli.output import Columns, Row, show, text_of
from headrace.cli.verbs import leaf, output_options, pass_app
from headrace.client.errors import ApiError

if TYPE_CHECKING:
    from headrace.cli.app import App

COLUMNS = Columns(
    default=("name", "updated", "created"), wide=("id", "name", "updated", "created"), dates={"*": RELATIVE}
)
ALL = 10_000


@leaf("get pipelines")
@click.argument("ids", nargs=-1, metavar="[ID|NAME]...")
@click.option("-d", "--decrypt-variables", is_flag=True, help="Show encrypted variables.")
@click.option("--name", help="Only pipelines whose name has this in it.")
@click.option("--project-id", help="Only pipelines of this project.")
@click.option("--project", help="The same, by the project's name.")
@click.option("-l", "--label", multiple=True, metavar="K=V", help="Only pipelines with this label.")
@click.option("--limit", type=int, default=25, show_default=True, help="At most this many.")
@click.option("--all", "everything", is_flag=True, help="No limit.")
@click.option("--page", type=int, default=1, show_default=True, help="Which page of the list.")
@output_options
@pass_app
def get_pipelines(app: App, ids: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401 — the options above
    """Show pipelines by id or full name, or a page of them."""

    def rows() -> list[Row]:
        if ids:
            return _by_name(app, ids, options)
        limit = ALL if options["everything"] else options["limit"]
        found = app.api.pipelines.list(
            offset=(options["page"] - 1) * limit,
            id=options["name"],
            limit=limit,
            labels=mapping(options["label"]),
            project_id=options["project_id"] or _project_id(app, options["project"]),
        )
        return [_row(pipeline) for pipeline in found.get("docs") or []]

    show(rows, COLUMNS, options)


def _project_id(app: App, name: str | None) -> str | None:
    if name is None:
        return None
    try:
        return str(app.api.projects.get_by_name(name)["id"])
    except ApiError as error:
        raise Refused(f'Could not get project "{name}"; caused by Error: {told(error)}') from error


def _by_name(app: App, names: tuple[str, ...], out: dict[str, Any]) -> list[Row]:
    """All of these; where one is missing, those before it are printed first."""
    decrypt = True if out["decrypt_variables"] else None
    found: list[Row] = []
    for name in names:
        try:
            found.append(_row(app.api.pipelines.get(name, decrypt_variables=decrypt)))
        except ApiError as error:
            if found:
                click.echo(text_of(found, COLUMNS, out))
            missing = "not find" in str(error)
            what = f"Pipeline '{name}' was not found." if missing else "Error occurred"
            raise Refused(f"{what}; caused by Error: {told(error)}") from error
    return found


def _row(pipeline: dict[str, Any]) -> Row:
    metadata = pipeline.get("metadata") or {}
    fields = ("id", "version", "kind", "metadata", "spec")
    return Row(
        id=metadata.get("id"),
        name=f"pipeline/{metadata.get('name')}",
        info={key: pipeline[key] for key in fields if key in pipeline},
        cells={
            "id": metadata.get("id"),
            "name": metadata.get("name"),
            "updated": parse(metadata.get("updated_at")),
            "created": parse(metadata.get("created_at")),
        },
    )


@leaf("delete pipeline")
@click.argument("name", metavar="ID|NAME")
@pass_app
def delete_pipeline(app: App, name: str) -> None:
    """Delete a pipeline by its id or full name."""
    app.api.pipelines.delete(name)
    click.echo(f"Pipeline '{name}' deleted.")
