"""Images that builds made: ``get images``, ``tag``, ``untag``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from headrace.cli import files
from headrace.cli.dates import RELATIVE, parse
from headrace.cli.output import Columns, Row, show
from headrace.cli.verbs import Array, leaf, output_options, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App

SHORT_ID = 12  # characters of an image's id in the table
KILO = 1024
IMAGE_FIELDS = "internalName tags internalImageId created size imageDisplayName metadata sha"
COLUMNS = Columns(default=("id", "name", "tag", "created", "size", "sha", "pull"), dates={"*": RELATIVE})


@leaf("get images")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--limit", type=int, default=25, show_default=True, help="At most this many.")
@click.option("--page", type=int, default=1, show_default=True, help="Which page of the list.")
@click.option("-a", "--all", "everywhere", is_flag=True, help="Of every registry.")
@click.option("-l", "--label", cls=Array, metavar="K=V", help="With this metadata.")
@click.option("-t", "--tag", cls=Array, help="With one of these tags.")
@click.option("-s", "--sha", help="Built from this revision.")
@click.option("--image-name", cls=Array, help="Whose name matches one of these expressions.")
@click.option("--branch", cls=Array, help="Built from one of these branches.")
@output_options
@pass_app
def get_images(app: App, ids: tuple[str, ...], limit: int, page: int, **chosen: Any) -> None:  # noqa: ANN401 — options
    """Show images that builds made: one line for each tag."""

    def rows() -> list[Row]:
        found = app.api.images.list(
            limit=limit,
            offset=(page - 1) * limit,
            select=IMAGE_FIELDS,
            image_repo=None if chosen["everywhere"] else "CFCR",
            metadata=files.mapping(chosen["label"]) or None,
            tag=chosen["tag"],
            sha=chosen["sha"],
            image_display_name_regex="|".join(chosen["image_name"]) or None,
            branch=chosen["branch"],
        )
        return [
            _image_row(image, tag)
            for image in found.get("docs") or []
            if not ids or _is_named(image, ids)
            for tag in image.get("tags") or [{}]
        ]

    show(rows, COLUMNS, chosen)


def _is_named(image: Mapping[str, Any], ids: tuple[str, ...]) -> bool:
    whole = str(image.get("internalImageId"))
    digits = whole.removeprefix("sha256:")
    return any(each in (whole, whole[:SHORT_ID], digits[:SHORT_ID], image.get("_id")) for each in ids)


def _image_row(image: Mapping[str, Any], tag: Mapping[str, Any]) -> Row:
    pulled = f"{tag.get('registry')}/{tag.get('repository')}:{tag.get('tag')}" if tag.get("registry") else ""
    cells = {
        "id": str(image.get("internalImageId") or "")[:SHORT_ID],
        "name": image.get("imageDisplayName"),
        "tag": tag.get("tag") or "<none>",
        "created": parse(image.get("created")),
        "size": _size(image.get("size")),
        "sha": image.get("sha"),
        "pull": pulled,
    }
    return Row(id=image.get("internalImageId"), name=f"image/{cells['name']}", info=dict(image), cells=cells)


def _size(size_bytes: object) -> str:
    """Bytes in the largest unit below, ``1.17 MB``; empty where unknown."""
    if not isinstance(size_bytes, int | float):
        return ""
    size, units = float(size_bytes), ["B", "KB", "MB", "GB", "TB"]
    while size >= KILO and len(units) > 1:
        size /= KILO
        units.pop(0)
    return f"{size:.2f} {units[0]}"


@leaf("tag")
@click.argument("image_id", metavar="ID")
@click.argument("tags", nargs=-1, required=True, metavar="TAG...")
@click.option("-r", "--registry", help="Name of the registry; without it the one that has the image.")
@pass_app
def tag_image(app: App, image_id: str, tags: tuple[str, ...], registry: str | None) -> None:
    """Give an image more tags."""
    for tag in tags:
        app.api.images.tag(image_id, tag, registry=registry)
        click.echo(f"Image '{image_id}' was tagged: {tag}")


@leaf("untag")
@click.argument("image_id", metavar="ID")
@click.argument("tags", nargs=-1, required=True, metavar="TAG...")
@click.option("-r", "--registry", help="Name of the registry; without it all that have the image.")
@pass_app
def untag_image(app: App, image_id: str, tags: tuple[str, ...], registry: str | None) -> None:
    """Forget tags of an image."""
    for tag in tags:
        app.api.images.untag(image_id, tag, registry=registry)
        click.echo(f"Image '{image_id}' was untagged: {tag}")
