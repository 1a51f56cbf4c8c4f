"""Step types: ``get step-types`` and ``delete step-type``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from headrace.cli.cures import told
from headrace.cli.dates import RELATIVE, parse
from headrace.cli.errors import Refused
from headrace.cli.output import Columns, Row, show
from headrace.cli.verbs import leaf, output_options, pass_app
from headrace.client.errors import ApiError

if TYPE_CHECKING:
    from headrace.cli.app import App

COLUMNS = Columns(
    default=("name", "version", "category", "official", "visibility", "stage", "updated", "created"),
    dates={"*": RELATIVE},
)
VERSIONS = Columns(default=("version",))


@leaf("get step-types")
@click.argument("ids", nargs=-1, metavar="[NAME]...")
@click.option("--name", help="Only step types whose name has this in it.")
@click.option("--free-text", "--text", help="Only step types that speak of this.")
@click.option("-t", "--tag", help="Only step types with this tag.")
@click.option("-c", "--category", help="Only step types of this category.")
@click.option("--stage", type=click.Choice(("graduated", "incubating")), help="Only of this stage.")
@click.option("--official", is_flag=True, help="Only official ones.")
@click.option("--public", is_flag=True, help="Only public ones.")
@click.option("--private", is_flag=True, help="Only private ones.")
@click.option("--limit", type=int, default=25, show_default=True, help="At most this many.")
@click.option("--page", type=int, default=1, show_default=True, help="Which page of the list.")
@click.option("--versions", is_flag=True, help="Show the versions of one step type.")
@output_options
@pass_app
def get_step_types(app: App, ids: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401 — the options above
    """Show step types by name, or a page of them."""
    if options["versions"]:
        show(lambda: _versions(app, ids), VERSIONS, options)
        return
    show(lambda: _by_name(app, ids) if ids else _page(app, options), COLUMNS, options)


def _page(app: App, options: dict[str, Any]) -> list[Row]:
    found = app.api.steps.list(
        **{key: options[key] for key in ("category", "stage", "tag", "limit", "free_text")},
        **{key: options[key] or None for key in ("official", "public", "private")},
        id=options["name"],
        offset=(options["page"] - 1) * options["limit"],
    )
    return [_row(step_type) for step_type in found.get("docs") or []]


def _by_name(app: App, names: tuple[str, ...]) -> list[Row]:
    found = []
    for name in names:
        try:
            found.append(_row(app.api.steps.get(name)))
        except ApiError as error:
            missing = "not find" in str(error)
            what = f"Step-type '{name}' was not found." if missing else "Error occurred"
            raise Refused(f"{what}; caused by Error: {told(error)}") from error
    return found


def _versions(app: App, names: tuple[str, ...]) -> list[Row]:
    if not names:
        raise Refused(
            "give the step type whose versions are wanted: codefresh get step-types NAME --versions"
        )
    return [
        Row(id=None, name=f"step-type/{name}:{version}", info=version, cells={"version": version})
        for name in names
        for version in app.api.steps.get_step_versions(name) or []
    ]


def _row(step_type: dict[str, Any]) -> Row:
    metadata = step_type.get("metadata") or {}
    fields = ("version", "kind", "metadata", "spec", "metrics")
    cells = {
        "name": metadata.get("name"),
        "version": metadata.get("version"),
        "category": metadata.get("categories"),
        "official": bool(metadata.get("official")),
        "visibility": "public" if metadata.get("isPublic") else "private",
        "stage": metadata.get("stage"),
        "updated": parse(metadata.get("updated_at")),
        "created": parse(metadata.get("created_at")),
    }
    info = {key: step_type[key] for key in fields if key in step_type}
    return Row(id=None, name=f"step-type/{metadata.get('name')}", info=info, cells=cells)


@leaf("delete step-type")
@click.argument("name")
@pass_app
def delete_step_type(app: App, name: str) -> None:
    """Delete a step type, or one version of it (NAME:VERSION)."""
    app.api.steps.delete(name)
    click.echo(f"Step-type '{name}' deleted.")
