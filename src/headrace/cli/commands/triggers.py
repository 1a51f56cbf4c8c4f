"""Trigger events and the pipelines that they start: ``get``, ``create`` and ``delete``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from headrace.cli import files
from headrace.cli.output import Columns, Row, show
from headrace.cli.verbs import Array, leaf, output_options, pass_app

if TYPE_CHECKING:
    from collections.abc import Mapping

    from headrace.cli.app import App

TRIGGERS = Columns(default=("event", "pipeline"))
EVENTS = Columns(
    default=("uri", "type", "kind", "public", "status"),
    wide=("uri", "type", "kind", "public", "status", "endpoint", "description"),
)
TYPES = Columns(default=("type", "kind", "uri-template"))
EVENT_FIELDS = ("uri", "type", "kind", "public", "secret", "status", "endpoint", "description", "help")
TYPE_FIELDS = ("type", "kind", "uri-template", "uri-regex", "help-url", "config", "filters")
NOBODY = "000000000000"  # the account of events that belong to all


def _row(kind: str, info: dict[str, Any], columns: Columns) -> Row:
    cells = {name: info.get(name) for name in columns.wide or columns.default}
    return Row(id=None, name=f"{kind}/undefined", gaps=True, info=info, cells=cells)


def _coded(event: str) -> str:
    """The URI as the official client sends it in these two paths: encoded once more."""
    return quote(event, safe="")


@leaf("get triggers")
@click.option("-p", "--pipeline", help="Only of this pipeline.")
@click.option("-e", "--event-uri", help="Only of this event.")
@output_options
@pass_app
def get_triggers(app: App, pipeline: str | None, event_uri: str | None, **out: Any) -> None:  # noqa: ANN401 — values of `output_options`
    """Show which events start which pipelines."""

    def rows() -> list[Row]:
        if pipeline is not None:
            found = app.api.triggers.get_pipeline_triggers(pipeline)
        elif event_uri is not None:
            found = app.api.triggers.get_event_triggers(event_uri)
        else:
            found = app.api.triggers.list()
        fields = ("event", "pipeline", "filters")
        return [_row("trigger", {key: one.get(key) for key in fields}, TRIGGERS) for one in found or []]

    show(rows, TRIGGERS, out)


@leaf("create trigger")
@click.argument("event_uri", metavar="EVENT-URI")
@click.argument("pipeline")
@click.option("--filter", "filters", cls=Array, metavar="NAME=REGEX", help="Only events that match.")
@pass_app
def create_trigger(app: App, event_uri: str, pipeline: str, filters: tuple[str, ...]) -> None:
    """Let an event start a pipeline."""
    app.api.triggers.create(_coded(event_uri), pipeline, {"filters": files.mapping(filters)})
    click.echo(f"Trigger: {event_uri} was successfully linked to the pipeline: {pipeline}")


@leaf("delete trigger")
@click.argument("event_uri", metavar="EVENT-URI")
@click.argument("pipeline")
@pass_app
def delete_trigger(app: App, event_uri: str, pipeline: str) -> None:
    """Let an event start a pipeline no more."""
    app.api.triggers.delete(_coded(event_uri), pipeline)
    click.echo(f"Trigger: {event_uri} was unlinked from the pipeline: {pipeline}")


@leaf("get trigger-events")
@click.argument("event_uri", required=False, metavar="[EVENT-URI]")
@click.option("--type", "kind_of", help="Only of this type: cron, registry.")
@click.option("--kind", help="Only of this kind: codefresh, dockerhub.")
@click.option("--filter", "part", metavar="REGEX", help="Only events whose URI it matches.")
@click.option("--public/--no-public", default=True, show_default=True, help="Those of all accounts, too.")
@output_options
@pass_app
def get_events(
    app: App,
    event_uri: str | None,
    kind_of: str | None,
    kind: str | None,
    part: str | None,
    public: bool,  # noqa: FBT001 — a flag of the command
    **out: Any,  # noqa: ANN401 — values of `output_options`
) -> None:
    """Show trigger events, or one."""

    def rows() -> list[Row]:
        if event_uri is not None:
            found = [app.api.triggers.events.get(event_uri)]
        else:
            found = app.api.triggers.events.list(type=kind_of, kind=kind, filter=part, public=public) or []
        return [_event_row(one) for one in found]

    show(rows, EVENTS, out)


def _event_row(event: Mapping[str, Any]) -> Row:
    known = {**event, "public": event.get("account") == NOBODY}
    return _row("trigger-event", {key: known.get(key) for key in EVENT_FIELDS}, EVENTS)


@leaf("create trigger-event")
@click.option("--type", "kind_of", required=True, help="Type of the event: cron, registry.")
@click.option("--kind", required=True, help="Kind of the event: codefresh, dockerhub.")
@click.option("--public", is_flag=True, help="For all accounts.")
@click.option("--secret", default="!generate", show_default=True, help="What senders must know.")
@click.option("-v", "--value", cls=Array, metavar="K=V", help="What identifies the event.")
@click.option("--context", help="A context with credentials.")
@pass_app
def create_event(
    app: App,
    kind_of: str,
    kind: str,
    public: bool,  # noqa: FBT001 — a flag of the command
    secret: str,
    value: tuple[str, ...],
    context: str | None,
) -> None:
    """Create a trigger event and print its URI."""
    body: Any = {"type": kind_of, "kind": kind, "secret": secret, "values": files.mapping(value)}
    if context is not None:
        body["context"] = context
    uri = app.api.triggers.events.create(body, public=public)
    click.echo(f"Trigger event: {uri} was successfully created.")


@leaf("delete trigger-event")
@click.argument("event_uri", metavar="EVENT-URI")
@click.option("--context", default="none", help="The context of the event.")
@pass_app
def delete_event(app: App, event_uri: str, context: str) -> None:
    """Delete a trigger event; the pipelines that it started stay."""
    app.api.triggers.events.delete(event_uri, context)
    click.echo(f"Trigger event: {event_uri} was successfully deleted.")


@leaf("get trigger-types")
@click.option("--type", "kind_of", help="Only of this type.")
@click.option("--kind", help="Only of this kind.")
@output_options
@pass_app
def get_types(app: App, kind_of: str | None, kind: str | None, **out: Any) -> None:  # noqa: ANN401 — values of `output_options`
    """Show the types of trigger events."""

    def rows() -> list[Row]:
        if kind_of and kind:
            found = [app.api.triggers.types.get(kind_of, kind)]
        else:
            found = [
                one
                for one in app.api.triggers.types.list() or []
                if kind_of in (None, one.get("type")) and kind in (None, one.get("kind"))
            ]
        return [_row("trigger-type", {key: one.get(key) for key in TYPE_FIELDS}, TYPES) for one in found]

    show(rows, TYPES, out)
