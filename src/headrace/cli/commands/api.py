"""``codefresh api``: any operation of the server by its SDK name."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from headrace.cli import files
from headrace.cli.errors import Refused
from headrace.cli.verbs import leaf, near, pass_app
from headrace.client.made.operations import OPERATIONS

if TYPE_CHECKING:
    from headrace.cli.app import App
    from headrace.client.operation import Operation


@leaf("api")
@click.argument("operation", required=False)
@click.argument("fields", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("-d", "--data", metavar="JSON|@FILE|-", help="The body; - reads it from standard input.")
@pass_app
def call(app: App, operation: str | None, fields: tuple[str, ...], data: str | None) -> None:
    """Call an operation by its name, for example: codefresh api pipelines.list limit=5.

    Fields of the path and of the query are given as NAME=VALUE; without an operation, all are listed.
    """
    if operation is None:
        for name, found in OPERATIONS.items():
            click.echo(f"{name}  {found.method} /api{found.path}")
        return
    known = OPERATIONS.get(operation)
    if known is None:
        close = near(operation, list(OPERATIONS))
        cure = f"did you mean {close!r}?" if close else "see: codefresh api"
        raise Refused(f"no operation {operation!r}; {cure}")
    path, query = _sorted(operation, known, fields)
    if known.is_stream:
        for event in app.api.stream(operation, query=query, **path):
            click.echo(event.data)
            sys.stdout.flush()
        return
    answer = app.api.call(operation, _body(data), query=query, **path)
    click.echo(answer if isinstance(answer, str) else json.dumps(answer, indent=2, ensure_ascii=False))


def _sorted(
    operation: str, known: Operation, fields: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, Any]]:
    """The fields that belong into the path, and those of the query; ``labels[a]=b`` is of ``labels``."""
    path: dict[str, str] = {}
    query: dict[str, Any] = {}
    for text in fields:
        name, equals, value = text.partition("=")
        if not equals:
            raise Refused(f"{text!r} is no field; write NAME=VALUE")
        if name in known.path_names and name not in path:
            path[name] = value
        elif name.partition("[")[0] in known.query:
            query.setdefault(name, []).append(value)
        else:
            there = ", ".join((*known.path_names, *known.query)) or "none"
            raise Refused(f"{operation} has no field {name!r}; there are: {there}")
    missing = [name for name in known.path_names if name not in path]
    if missing:
        raise Refused(f"{operation} needs {' '.join(f'{name}=…' for name in missing)}")
    return path, query


def _body(data: str | None) -> object:
    if data is None:
        return None
    if data == "-":
        data = sys.stdin.read()
    elif data.startswith("@"):
        data = files.read_text(data[1:])
    try:
        return json.loads(data)
    except ValueError as error:
        raise Refused(f"the body is no JSON: {error}") from error
