"""Annotations of builds, images and others: ``create``, ``get``, ``delete``, ``annotate image``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from headrace.cli import files
from headrace.cli.output import Columns, Row, show
from headrace.cli.verbs import Array, leaf, output_options, pass_app

if TYPE_CHECKING:
    from collections.abc import Mapping

    from headrace.cli.app import App

COLUMNS = Columns(
    default=("id", "entity_id", "entity_type", "key", "value"),
    wide=("id", "entity_id", "entity_type", "key", "value", "type"),
)


def _create(app: App, entity_type: str, entity_id: str, labels: Iterable[str], display: str | None) -> None:
    """One call for each label, in order; ``display`` names the one that lists show."""
    for pair in files.pairs(labels):
        body: Any = {"entityId": entity_id, "entityType": entity_type, **pair}
        app.api.annotations.create(body | ({"display": display} if display else {}))


@leaf("create annotation")
@click.argument("entity_type")
@click.argument("entity_id")
@click.argument("labels", nargs=-1, required=True, metavar="K=V...")
@click.option("--display", help="The key that lists show.")
@pass_app
def create_annotation(
    app: App, entity_type: str, entity_id: str, labels: tuple[str, ...], display: str | None
) -> None:
    """Put annotations on a build, an image, a pipeline or a project."""
    _create(app, entity_type, entity_id, labels, display)
    click.echo("Annotations was created")


@leaf("annotate image")
@click.argument("image_id", metavar="ID")
@click.option("-l", "--label", cls=Array, required=True, metavar="K=V", help="Annotations to add.")
@pass_app
def annotate_image(app: App, image_id: str, label: tuple[str, ...]) -> None:
    """Put annotations on an image."""
    _create(app, "image", image_id, label, None)
    click.echo("Annotations added successfully")


@leaf("get annotation")
@click.argument("entity_type")
@click.argument("entity_id")
@click.argument("labels", nargs=-1, metavar="[KEY]...")
@output_options
@pass_app
def get_annotations(app: App, entity_type: str, entity_id: str, labels: tuple[str, ...], **out: Any) -> None:  # noqa: ANN401 — values of `output_options`
    """Show all annotations of a thing, or those with some keys."""

    def rows() -> list[Row]:
        found = app.api.annotations.list(entity_id=entity_id, entity_type=entity_type) or []
        return [_row(item) for item in found if not labels or item.get("key") in labels]

    show(rows, COLUMNS, out)


def _row(annotation: Mapping[str, Any]) -> Row:
    fields = ("_id", "entityId", "entityType", "key", "value")
    cells = {
        "id": annotation.get("_id"),
        "entity_id": annotation.get("entityId"),
        "entity_type": annotation.get("entityType"),
        **{name: annotation.get(name) for name in ("key", "value", "type")},
    }
    info = {key: annotation[key] for key in fields if key in annotation}
    return Row(id=annotation.get("_id"), name="annotation/undefined", info=info, cells=cells)


@leaf("delete annotation")
@click.argument("entity_type")
@click.argument("entity_id")
@click.argument("labels", nargs=-1, metavar="[KEY]...")
@pass_app
def delete_annotation(app: App, entity_type: str, entity_id: str, labels: tuple[str, ...]) -> None:
    """Remove all annotations of a thing, or those with some keys."""
    for key in labels or (None,):
        app.api.annotations.delete(entity_id=entity_id, entity_type=entity_type, key=key)
    click.echo("Annotations was deleted")
