"""Plain lists: what an account has beside pipelines and builds. One table says how each is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from headrace.cli.dates import DATETIME, parse
from headrace.cli.output import Columns, Row, show
from headrace.cli.verbs import leaf, output_options, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App
    from headrace.client.api import Client


@dataclass(frozen=True, kw_only=True)
class Listing:
    """How one kind of resource is listed.

    Attributes:
        kind: the word before the slash of ``-o name``.
        every: asks for the list.
        one: what gets one by its id or name; None: named ones are looked for in the list.
        cells: column to the place of its value in the answer, dots lead inwards.
        wide: columns that only ``-o wide`` shows, after the others.
        dates: columns that are moments, with their form.
        info: makes what ``-o json`` prints; None for the answer as it is.
        summary: for ``--help``.
    """

    kind: str
    every: Callable[[Client], Any]
    one: Callable[[Client, str], Any] | None = None
    cells: Mapping[str, str]
    wide: Mapping[str, str] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)
    info: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None
    summary: str


def _fields(*same: str, **renamed: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """These fields of an answer, in this order; ``id="_id"`` under another name."""
    places = {name: name for name in same} | renamed
    return lambda item: {name: item.get(place) for name, place in places.items()}


def _team(item: Mapping[str, Any]) -> dict[str, Any]:
    found = _fields(id="_id", name="name", type="type", account="account", tags="tags")(item)
    users = [{"id": user.get("_id"), "userName": user.get("userName")} for user in item.get("users") or []]
    return found | {"users": users}


def _composition(item: Mapping[str, Any]) -> dict[str, Any]:
    found = _fields(id="_id", name="name", is_advanced="isAdvanced")(item)
    return found | {"created": parse(item.get("created"))}


def _environment(item: Mapping[str, Any]) -> dict[str, Any]:
    service = _fields("serviceName", "image", "sha", "branch", "repoName", serviceURL="urls")
    found = _fields(id="_id", status="creationStatus", name="name")(item)
    return found | {"servicesInfo": [service(one) for one in item.get("instances") or []]}


LISTINGS: dict[str, Listing] = {
    "clusters": Listing(
        kind="cluster",
        every=lambda api: api.clusters.list(),
        summary="Show clusters.",
        cells={"id": "_id", "name": "selector"},
        wide={"provider": "provider", "provideragent": "providerAgent"},
        info=_fields(id="_id", name="selector", provider="provider", providerAgent="providerAgent"),
    ),
    "compositions": Listing(
        kind="composition",
        every=lambda api: api.compositions.list(),
        one=lambda api, name: api.compositions.get(name),
        summary="Show compositions.",
        cells={"id": "_id", "name": "name", "is_advanced": "isAdvanced"},
        wide={"created": "created"},
        dates={"created": DATETIME},
        info=_composition,
    ),
    "environments": Listing(
        kind="environment",
        every=lambda api: api.envs.list(),
        one=lambda api, name: api.envs.get(name),
        summary="Show environments.",
        cells={"id": "_id", "name": "name"},
        wide={"status": "creationStatus"},
        info=_environment,
    ),
    "registry": Listing(
        kind="registry",
        every=lambda api: api.registries.list(),
        summary="Show image registries.",
        cells={
            "id": "_id",
            "provider": "provider",
            "name": "name",
            "kind": "kind",
            "behindfirewall": "behindFirewall",
            "default": "default",
        },
        info=_fields("provider", "name", "kind", "_id", "behindFirewall", "default"),
    ),
    "system-runtime-environments": Listing(
        kind="runtime-environment",
        every=lambda api: api.on_prem.runtime_envs.list(),
        summary="Show the environments of the platform.",
        cells={"name": "metadata.name", "version": "version", "extends": "extends"},
    ),
    "teams": Listing(
        kind="team",
        every=lambda api: api.teams.list(),
        summary="Show teams.",
        cells={
            "id": "_id",
            "name": "name",
            "type": "type",
            "account": "account",
            "tags": "tags",
            "users": "users",
        },
        info=_team,
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
        info=listing.info(item) if listing.info else dict(item),
        cells=cells,
        gaps=listing.info is not None,
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
                return [_row(listing.one(app.api, name), listing) for name in names]
            answer = listing.every(app.api)
            found = answer.get("docs") if isinstance(answer, dict) else answer
            every = [_row(item, listing) for item in found or []]
            return [row for row in every if not names or {row.id, row.cells.get("name")} & set(names)]

        show(rows, columns, out)

    get_list.help = listing.summary


for _noun, _listing in LISTINGS.items():
    _register(_noun, _listing)
