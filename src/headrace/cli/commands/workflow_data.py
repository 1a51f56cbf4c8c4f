"""Data items of builds: ``get`` and ``create workflow-data-item``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from headrace.cli import files
from headrace.cli.output import Columns, Row, show
from headrace.cli.verbs import leaf, output_options, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App

COLUMNS = Columns(default=("id", "created-at", "data"))
HIDDEN = "*****"


@leaf("get workflow-data-item")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--workflow", "--wf", required=True, help="The build.")
@click.option("--decrypt", is_flag=True, help="Show what the items hold.")
@output_options
@pass_app
def get_items(app: App, ids: tuple[str, ...], workflow: str, decrypt: bool, **out: Any) -> None:  # noqa: ANN401, FBT001 — options
    """Show the data items of a build, or some of them."""

    def rows() -> list[Row]:
        if ids:
            items = app.api.workflows
            found = [items.get_workflow_data_item(workflow, one, decrypt=decrypt or None) for one in ids]
        else:
            found = app.api.workflows.get_workflow_data(workflow).get("docs") or []
        return [_row(one) for one in found]

    show(rows, COLUMNS, out)


def _row(item: dict[str, Any]) -> Row:
    data = item.get("data", HIDDEN)
    info = {"id": item.get("_id"), "created-at": (item.get("metadata") or {}).get("createdAt"), "data": data}
    shown = data if data == HIDDEN else json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return Row(
        id=item.get("_id"),
        name="workflow-data-item/undefined",
        gaps=True,
        info=info,
        cells=info | {"data": shown},
    )


@leaf("create workflow-data-item")
@click.option("--workflow", "--wf", required=True, help="The build.")
@click.option("-f", "--filename", help="A .yml, .yaml or .json file with the data.")
@pass_app
def create_item(app: App, workflow: str, filename: str | None) -> None:
    """Keep data with a build."""
    data = files.read_document(filename) if filename else {}
    made = app.api.workflows.push_workflow_data(workflow, data)
    click.echo(f"Workflow-Data-Item {made.get('_id')} created")
