"""Plain lists: what an account has beside pipelines and builds. One table says how each is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from headrace.cli.dates import DATETIME, parse
from headrace.cli.output import Columns, Row, show
from headrace.cli.verbs import leaf, output_options, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App


@dataclass(frozen=True, kw_only=True)
class Listing:
    """How one kind of resource is listed.

    Attributes:
        kind: the word before the slash of ``-o name``.
        operation: SDK name of the list.
        one: SDK name of what returns one by its id or name; empty: named ones are looked for in the list.
        cells: column to the place of its value in the answer, dots lead inwards.
        wide: columns that only ``-o wide`` shows, after the others.
        dates: columns that are moments, with their form.
        query: what the request always says.
        info: what ``-o json`` prints, as ``cells``; empty for the answer as it is.
        summary: for ``--help``.
    """

    kind: str
    operation: str
    one: str = ""
    cells: Mapping[str, str]
    wide: Mapping[str, str] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, object] = field(default_factory=dict)
    info: Mapping[str, str] = field(default_factory=dict)
    summary: str


LISTINGS: dict[str, Listing] = {
    "clusters": Listing(
        kind="cluster",
        operation="clusters.list",
        summary="Show clusters.",
        cells={"id": "_id", "name": "selector"},
        wide={"provider": "provider", "provideragent": "providerAgent"},
        info={"id": "_id", "name": "selector", "provider": "provider", "providerAgent": "providerAgent"},
    ),
    "compositions": Listing(
        kind="composition",
        operation="compositions.list",
        one="compositions.get",
        summary="Show compositions.",
        cells={"id": "_id", "name": "name", "is_advanced": "isAdvanced"},
        wide={"created": "created"},
        dates={"created": DATETIME},
    ),
    "environments": Listing(
        kind="environment",
        operation="envs.list",
        one="envs.get",
        summary="Show environments.",
        cells={"id": "_id", "name": "name"},
        wide={"status": "creationStatus"},
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
        info={key: key for key in ("provider", "name", "kind", "_id", "behindFirewall", "default")},
    ),
    "system-runtime-environments": Listing(
        kind="runtime-environment",
        operation="onPrem.runtimeEnvs.list",
        summary="Show the environments of the platform.",
        cells={"name": "metadata.name", "version": "version", "extends": "extends"},
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
        info={"id": "_id", **{key: key for key in ("name", "type", "account", "tags", "users")}},
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


def _info(item: Mapping[str, Any], listing: Listing) -> dict[str, Any]:
    found = {key: _value(item, place) for key, place in listing.info.items()} or dict(item)
    if "users" in listing.info and isinstance(found["users"], list):
        found["users"] = [
            {"id": user.get("_id"), "userName": user.get("userName")} for user in found["users"]
        ]
    return found


def _row(item: Mapping[str, Any], listing: Listing) -> Row:
    places = {**listing.cells, **listing.wide}
    cells = {column: _cell(item, listing, column, place) for column, place in places.items()}
    found = item.get("id") or item.get("_id")
    return Row(
        id=None if found is None else str(found),
        name=f"{listing.kind}/{cells.get('name')}",
        info=_info(item, listing),
        cells=cells,
        gaps=bool(listing.info),
    )


def _register(noun: str, listing: Listing) -> None:
    columns = Columns(default=tuple(listing.cells), wide=(*listing.cells, *listing.wide), dates=listing.dates)

    @leaf(f"get {noun}")
    @click.argument("names", nargs=-1, metavar="[NAME|ID]...")
    @output_options
    @pass_app
    def get_list(app: App, names: tuple[str, ...], **out: Any) -> None:  # noqa: ANN401 — values of `output_options`
        def rows() -> list[Row]:
            if names and listing.one:
                return [_row(app.call(listing.one, id=name), listing) for name in names]
            answer = app.call(listing.operation, query=listing.query)
            found = answer.get("docs") if isinstance(answer, dict) else answer
            every = [_row(item, listing) for item in found or []]
            return [row for row in every if not names or {row.id, row.cells.get("name")} & set(names)]

        show(rows, columns, out)

    get_list.help = listing.summary


for _noun, _listing in LISTINGS.items():
    _register(_noun, _listing)
