"""``codefresh open``: the address of a page of the server, and the page itself in a browser."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from headrace.cli.errors import Refused
from headrace.cli.verbs import leaf, pass_app
from headrace.client.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from headrace.cli.app import App

KINDS = ("build", "pipeline", "project")
_BUILD_ID = re.compile(r"[0-9a-fA-F]{24}\Z")


@leaf("open")
@click.argument("kind", required=False, metavar="[build|pipeline|project]")
@click.argument("name", required=False, metavar="[ID|NAME]")
@click.option("--print", "print_only", is_flag=True, help="Print the address alone.")
@pass_app
def open_page(app: App, kind: str | None, name: str | None, *, print_only: bool) -> None:
    """Print the address of a build, pipeline or project, and open it in a browser.

    Without a kind, 24 hex digits are a build, a name with a slash is a pipeline, any other a project.
    On no terminal the address is only printed.
    """
    address = app.api.url + _path(app, kind, name)
    click.echo(address)
    if not print_only and sys.stdout.isatty():
        import webbrowser

        if not webbrowser.open(address):
            click.echo("No browser was found; open the address by hand.", err=True)


def _path(app: App, kind: str | None, name: str | None) -> str:
    if kind is None:
        return "/"
    if kind not in KINDS:
        if name is not None:
            raise Refused(f"cannot open {kind!r}; there are: {', '.join(KINDS)}")
        kind, name = _kind_of(kind), kind
    if name is None:
        return f"/{kind}s"
    look: dict[str, Callable[[str], Any]] = {
        "build": app.api.workflows.get_build,
        "pipeline": app.api.pipelines.get,
        "project": app.api.projects.get_by_name,
    }
    try:
        found = look[kind](name)
    except ApiError as error:
        if error.status in (400, 404):
            raise Refused(f"there is no {kind} {name!r}; see: codefresh get {kind}s") from error
        raise
    if kind == "pipeline":  # its page goes by the name, and an id may have been given
        name = str(found["metadata"]["name"])
    return f"/{kind}s/{quote(name, safe='')}"


def _kind_of(name: str) -> str:
    if _BUILD_ID.match(name):
        return "build"
    return "pipeline" if "/" in name else "project"
