"""Plain lists: what an account has beside pipelines and builds. One table says how each is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from headrace.cli.dates import DATETIME, RELATIVE, parse
from headrace.cli.output import Columns, Row, show
from headrace.cli.verbs import leaf, output_options, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App

SHORT_ID = 12  # characters of an image's id in the table
KILO = 1024
IMAGE_FIELDS = "internalName tags internalImageId created size imageDisplayName metadata sha"


@dataclass(frozen=True, kw_only=True)
class Listing:
    """How one kind of resource is listed.

    Attributes:
        kind: the word before the slash of ``-o name``.
        operation: SDK name of the list.
        cells: column to the place of its value in the answer, dots lead inwards.
        wide: columns that only ``-o wide`` shows, after the others.
        dates: columns that are moments, with their form.
        query: what the request always says.
        summary: for ``--help``.
    """

    kind: str
    operation: str
    cells: Mapping[str, str]
    wide: Mapping[str, str] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, object] = field(default_factory=dict)
    summary: str


LISTINGS: dict[str, Listing] = {
    "boards": Listing(
        kind="board",
        operation="helm.boards.list",
        summary="Show release boards.",
        cells={"id": "_id", "name": "name", "filter": "filter"},
    ),
    "clusters": Listing(
        kind="cluster",
        operation="clusters.list",
        summary="Show clusters.",
        cells={"id": "_id", "name": "selector"},
        wide={"provider": "provider", "provideragent": "providerAgent"},
    ),
    "compositions": Listing(
        kind="composition",
        operation="compositions.list",
        summary="Show compositions.",
        cells={"id": "_id", "name": "name", "is_advanced": "isAdvanced"},
        wide={"created": "created"},
        dates={"created": DATETIME},
    ),
    "environments": Listing(
        kind="environment",
        operation="environments.list",
        summary="Show environments.",
        cells={"id": "_id", "name": "name"},
        wide={"status": "status"},
    ),
    "helm-repo": Listing(
        kind="helm-repo",
        operation="helm.repos.list",
        summary="Show Helm repositories.",
        cells={"name": "Name", "public": "Public", "created": "CreatedAt", "updated": "UpdatedAt"},
        dates={"created": RELATIVE, "updated": RELATIVE},
    ),
    "registry": Listing(
        kind="registry",
        operation="registries.list",
        summary="Show image registries.",
        cells={
            "id": "_id",
            "provider": "provider",
            "name": "name",
            "kind": "kind",
            "behindfirewall": "behindFirewall",
            "default": "default",
        },
    ),
    "teams": Listing(
        kind="team",
        operation="teams.list",
        summary="Show teams.",
        cells={
            "id": "_id",
            "name": "name",
            "type": "type",
            "account": "account",
            "tags": "tags",
            "users": "users",
        },
    ),
}


def _value(item: Mapping[str, Any], place: str) -> Any:  # noqa: ANN401 — JSON edge
    value: Any = item
    for key in place.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _cell(item: Mapping[str, Any], listing: Listing, column: str, place: str) -> object:
    value = _value(item, place)
    if column in listing.dates:
        return parse(value)
    if column == "users" and isinstance(value, list):
        return [user.get("userName") for user in value]
    return value


def _row(item: Mapping[str, Any], listing: Listing) -> Row:
    places = {**listing.cells, **listing.wide}
    cells = {column: _cell(item, listing, column, place) for column, place in places.items()}
    found = item.get("id") or item.get("_id")
    return Row(
        id=None if found is None else str(found),
        name=f"{listing.kind}/{cells.get('name')}",
        info=dict(item),
        cells=cells,
    )


def _register(noun: str, listing: Listing) -> None:
    columns = Columns(default=tuple(listing.cells), wide=(*listing.cells, *listing.wide), dates=listing.dates)

    @leaf(f"get {noun}")
    @click.argument("names", nargs=-1, metavar="[NAME|ID]...")
    @output_options
    @pass_app
    def get_list(app: App, names: tuple[str, ...], **out: Any) -> None:  # noqa: ANN401 — values of `output_options`
        def rows() -> list[Row]:
            answer = app.call(listing.operation, query=listing.query)
            found = answer.get("docs") if isinstance(answer, dict) else answer
            every = [_row(item, listing) for item in found or []]
            return [row for row in every if not names or {row.id, row.cells.get("name")} & set(names)]

        show(rows, columns, out)

    get_list.help = listing.summary


for _noun, _listing in LISTINGS.items():
    _register(_noun, _listing)


@leaf("get images")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--limit", type=int, default=25, show_default=True, help="At most this many.")
@click.option("--page", type=int, default=1, show_default=True, help="Which page of the list.")
@output_options
@pass_app
def get_images(app: App, ids: tuple[str, ...], limit: int, page: int, **out: Any) -> None:  # noqa: ANN401 — values of `output_options`
    """Show images that builds made: one line for each tag."""
    names = ("id", "name", "tag", "created", "size", "sha", "pull")

    def rows() -> list[Row]:
        query = {"limit": limit, "offset": (page - 1) * limit, "select": IMAGE_FIELDS, "imageRepo": "CFCR"}
        found = app.call("images.list", query=query).get("docs") or []
        return [
            _image_row(image, tag)
            for image in found
            if not ids or image.get("internalImageId") in ids
            for tag in image.get("tags") or [{}]
        ]

    show(rows, Columns(default=names, dates={"*": RELATIVE}), out)


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
