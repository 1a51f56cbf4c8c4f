"""Runtime environments: where builds run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from headrace.cli import files
from headrace.cli.errors import Refused
from headrace.cli.output import Columns, Row, show
from headrace.cli.verbs import Array, leaf, output_options, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App

COLUMNS = Columns(default=("name", "version", "extends", "last_changed_by"))
FIELDS = (
    "version",
    "metadata",
    "environmentCertPath",
    "runtimeScheduler",
    "dockerDaemonScheduler",
    "history",
    "extends",
    "description",
    "isPublic",
    "isDefault",
    "accountId",
    "plan",
    "accounts",
    "nonComplete",
    "appProxy",
    "tags",
)
IMAGES = Columns(default=("component", "image"))


def _row(environment: dict[str, Any]) -> Row:
    metadata = environment.get("metadata") or {}
    cells = {
        "name": metadata.get("name"),
        "version": environment.get("version"),
        "extends": environment.get("extends"),
        "last_changed_by": metadata.get("changedBy"),
    }
    info = {key: environment[key] for key in FIELDS if key in environment}
    return Row(id=None, name=f"RuntimeEnvironments/{metadata.get('name')}", info=info, cells=cells)


@leaf("get runtime-environments")
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--version", "number", help="An earlier version.")
@click.option("--history", is_flag=True, help="All versions of one environment, as JSON.")
@click.option("--limit", type=int, default=25, show_default=True, help="At most this many.")
@click.option("--page", type=int, default=1, show_default=True, help="Which page of the list.")
@click.option("--extend", is_flag=True, help="With what it extends.")
@output_options
@pass_app
def get_environments(app: App, name: str | None, **options: Any) -> None:  # noqa: ANN401 — the options above
    """Show runtime environments, or one."""
    if options["history"]:
        if name is None:
            raise Refused("Name must be provided for history")
        found = app.call("runtimeEnvs.get", name=name, query={"history": True})
        click.echo(json.dumps(found, indent="\t", ensure_ascii=False))
        return
    show(lambda: [_row(one) for one in _found(app, name, options)], COLUMNS, options)


def _found(app: App, name: str | None, options: dict[str, Any]) -> list[dict[str, Any]]:
    if name is not None:
        query = {"version": options["number"], "extend": options["extend"]}
        return [app.call("runtimeEnvs.get", name=name, query=query)]
    offset = (options["page"] - 1) * options["limit"]
    return app.call("runtimeEnvs.list", query={"limit": options["limit"], "offset": offset}) or []


@leaf("get runtime-environment-base-images")
@click.argument("name", required=False, metavar="NAME")
@output_options
@pass_app
def get_base_images(app: App, name: str | None, **out: Any) -> None:  # noqa: ANN401 — values of `output_options`
    """Show the images that the engine itself runs."""
    if name is None:
        raise Refused("Runtime Name must be provided")

    def rows() -> list[Row]:
        return [
            Row(id=None, name=f"runtime-environment-base-images/{one['component']}", info=one, cells=one)
            for one in app.call("runtimeEnvs.getBaseImages", name=name) or []
        ]

    show(rows, IMAGES, out)


@leaf("delete runtime-environments")
@click.argument("name")
@click.option("--force", is_flag=True, help="Although workers serve it.")
@pass_app
def delete_environment(app: App, name: str, force: bool) -> None:  # noqa: FBT001 — a flag of the command
    """Take a runtime environment from the account."""
    app.call("runtimeEnvs.delete", name=name, query={"force": True if force else None})
    click.echo(f"Runtime-Environment '{name}' deleted.")


@leaf("patch runtime-environments")
@click.argument("name", required=False)
@click.option("-f", "--filename", help="A .yml, .yaml or .json file.")
@click.option("--default", "make_default", is_flag=True, help="Make it the default of the account.")
@click.option("--extends", cls=Array, metavar="NAME", help="What it extends.")
@click.option("--namespace", "--ns", help="Namespace of a Kubernetes cluster.")
@click.option("-c", "--cluster", help="Name of a Kubernetes cluster.")
@click.option("-d", "--description", help="What it is for.")
@pass_app
def patch_environment(app: App, name: str | None, **options: Any) -> None:  # noqa: ANN401 — the options above
    """Describe a runtime environment, or make it the default of the account."""
    body = files.read_document(options["filename"]) if options["filename"] else {}
    if not isinstance(body, dict):
        raise Refused(f"{options['filename']}: expected the document of a runtime environment")
    named = (body.get("metadata") or {}).get("name") or name
    if not named:
        raise Refused("Must Provide a runtime environment name")
    if options["make_default"]:
        app.call("runtimeEnvs.setDefault", name=named)
        click.echo(f"Runtime-Environment: '{named}' set as a default.")
    extends = body.get("extends") or list(options["extends"])
    if not extends and not options["description"] and not options["filename"]:
        if options["make_default"]:
            return
        raise Refused("Must specify the runtime you want to extends from")
    for area in ("runtimeScheduler", "dockerDaemonScheduler"):
        cluster = _cluster(options)
        if cluster and not options["filename"]:
            body[area] = {"cluster": cluster}
    query = {"extend": extends or None, "description": body.get("description") or options["description"]}
    app.call("runtimeEnvs.update", body, name=named, query=query)
    click.echo(f"Runtime-Environment: '{named}' patched.")


def _cluster(options: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if options["cluster"]:
        found["clusterProvider"] = {"selector": options["cluster"]}
    if options["namespace"]:
        found["namespace"] = options["namespace"]
    return found
