"""Runtime environments: where builds run."""

from __future__ import annotations

import difflib
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
REPORTED = ("status", "workers")  # what workers say at this moment, of no version
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
        found = app.api.runtime_envs.get(name, history=True)
        click.echo(json.dumps(found, indent="\t", ensure_ascii=False))
        return
    show(lambda: [_row(one) for one in _found(app, name, options)], COLUMNS, options)


def _found(app: App, name: str | None, options: dict[str, Any]) -> list[Any]:
    if name is not None:
        return [app.api.runtime_envs.get(name, version=options["number"], extend=options["extend"])]
    offset = (options["page"] - 1) * options["limit"]
    return app.api.runtime_envs.list(limit=options["limit"], offset=offset) or []


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
            for one in app.api.runtime_envs.get_base_images(name) or []
        ]

    show(rows, IMAGES, out)


@leaf("create runtime-environments")
@click.argument("cluster", required=False)
@pass_app
def create_environment(app: App, cluster: str | None) -> None:  # noqa: ARG001 — what official clients take
    """Say how a runtime environment is made: workers make it by serving it."""
    raise Refused(
        "a runtime environment is not created by a client, it is there once a worker serves it; "
        "start one: headrace worker --environment NAME"
    )


@leaf("diff runtime-environments")
@click.argument("name", required=False, metavar="[NAME]")
@click.argument("number", required=False, type=int, metavar="[VERSION]")
@click.argument("other_name", required=False, metavar="[NAME]")
@click.argument("other_number", required=False, type=int, metavar="[VERSION]")
@click.option("--first-name", help="The one that is compared.")
@click.option("--first-version", type=int, help="Its version; the newest where absent.")
@click.option("--second-name", help="The one that it is compared with; itself where absent.")
@click.option("--second-version", type=int, help="Its version; the newest where absent.")
@pass_app
def diff_environments(app: App, **given: Any) -> None:  # noqa: ANN401 — the options above
    """Show what two runtime environments, or two versions of one, do not have in common."""
    name = given["first_name"] or given["name"]
    if name is None:
        raise Refused("Must Provide a runtime environment name")
    title, text = _version(app, name, given["first_version"] or given["number"])
    name = given["second_name"] or given["other_name"] or name
    other_title, other_text = _version(app, name, given["second_version"] or given["other_number"])
    found = list(difflib.unified_diff(text, other_text, title, other_title, lineterm=""))
    for line in found:
        click.secho(line, fg={"+": "green", "-": "red"}.get(line[0]))
    if not found:
        click.echo(f"{title} and {other_title} are equal", err=True)


def _version(app: App, name: str, number: int | None) -> tuple[str, list[str]]:
    """A title and the lines of a version; None for the newest."""
    found: Any = app.api.runtime_envs.get(name, version=number)
    stored = {key: value for key, value in found.items() if key not in REPORTED}
    title = f"{name} version {number or 'newest'}"
    return title, json.dumps(stored, indent=2, ensure_ascii=False).splitlines()


@leaf("delete runtime-environments")
@click.argument("name")
@click.option("--force", is_flag=True, help="Although workers serve it.")
@pass_app
def delete_environment(app: App, name: str, force: bool) -> None:  # noqa: FBT001 — a flag of the command
    """Take a runtime environment from the account."""
    app.api.runtime_envs.delete(name, force=True if force else None)
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
        app.api.runtime_envs.set_default(named)
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
    description = body.get("description") or options["description"]
    app.api.runtime_envs.update(named, body, extend=extends or None, description=description)
    click.echo(f"Runtime-Environment: '{named}' patched.")


def _cluster(options: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if options["cluster"]:
        found["clusterProvider"] = {"selector": options["cluster"]}
    if options["namespace"]:
        found["namespace"] = options["namespace"]
    return found
