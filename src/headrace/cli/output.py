"""Prints what ``get`` commands found: tables, JSON, YAML, ids, names; to stdout only.

Source: section 3.1 of the client reference: column order, ``no available resources``, one element as
an object and several as a list.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import click

from headrace.cli import dates

NOTHING = "no available resources"
STATUS_SIGNS = {
    "success": ("green", "✓"),
    "error": ("red", "✗"),
    "terminated": ("red", "✗"),
    "pending": ("yellow", "◉"),
    "pending-approval": ("yellow", "◉"),
    "elected": ("yellow", "«"),
    "running": ("cyan", "▸"),
    "terminating": ("red", "⇊"),
}
MAX_FAILURES_IN_A_ROW = 10


@dataclass(frozen=True, kw_only=True)
class Row:
    """One resource as printed.

    Attributes:
        id: its id; None where it has none.
        name: ``<kind>/<name>``, for ``-o name``.
        info: what ``-o json`` and ``-o yaml`` print: its fields, or a text that is all there is.
        gaps: None in ``info`` stands for what the server did not send: JSON leaves it out.
        cells: values of the table, by lower-case column; a `datetime` is formatted.
    """

    id: str | None
    name: str
    info: Mapping[str, Any] | str
    cells: Mapping[str, Any]
    gaps: bool = False


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which columns a resource's table has, and how its dates look.

    Attributes:
        default: names in order.
        wide: names in order for ``-o wide``.
        dates: pattern of each date (see `dates`), or one for all under ``*``.
    """

    default: tuple[str, ...]
    wide: tuple[str, ...] = ()
    dates: Mapping[str, str] = field(default_factory=dict)


def show(find: Callable[[], list[Row]], columns: Columns, out: Mapping[str, Any]) -> None:
    """Find and print, once, or again and again with ``--watch``.

    Args:
        find: asks the server.
        columns: the table's columns.
        out: values of `verbs.output_options`.
    """
    if not out["watch"]:
        click.echo(text_of(find(), columns, out))
        return
    import time

    printed, failures = False, 0
    while True:
        try:
            text = text_of(find(), columns, out)
        except Exception:
            failures += 1
            if not printed or failures > MAX_FAILURES_IN_A_ROW:
                raise
        else:
            if printed and sys.stdout.isatty():
                click.echo("\x1b[H\x1b[2J", nl=False)
            click.echo(text)
            printed, failures = True, 0
        time.sleep(max(3.0, out["watch_interval"]))


def text_of(rows: list[Row], columns: Columns, out: Mapping[str, Any]) -> str:
    """What is printed for ``rows``, without the last newline."""
    form = out["output"] or "default"
    if form in ("default", "wide"):
        return table(rows, columns, out)
    if form == "id":
        return "\n\r".join(row.id or "undefined" for row in rows)
    if form == "name":
        return "\n\r".join(row.name for row in rows)
    if form in ("json", "jsonArray"):
        found = [_info(row) for row in rows]
        single = form == "json" and len(found) == 1
        return json.dumps(found[0] if single else found, indent="\t", ensure_ascii=False, default=_plain)
    from headrace.cli import yamltext

    if form == "yamlArray":
        return yamltext.dump([_info(row) for row in rows])
    documents = [
        row.info
        if isinstance(row.info, str)
        else {
            key: None if value in ("", 0) and value is not False else value for key, value in row.info.items()
        }
        for row in rows
    ]
    return yamltext.dump(documents[0] if len(documents) == 1 else {"items": documents})


def _info(row: Row) -> dict[str, Any] | str:
    """Without what the server did not send; the official client's JSON leaves it out too."""
    if isinstance(row.info, str):
        return row.info
    return {key: value for key, value in row.info.items() if value is not None or not row.gaps}


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    return str(value)


def table(rows: list[Row], columns: Columns, out: Mapping[str, Any]) -> str:
    """A table with upper-case headings, its columns as wide as their widest cell."""
    if not rows:
        return NOTHING
    names = columns.wide if out["output"] == "wide" and columns.wide else columns.default
    if out["select_columns"]:
        wanted = [word.strip() for word in out["select_columns"].split(",")]
        names = tuple(name for name in wanted if name in names)
    given = out["date_format"] or "default"
    patterns = columns.dates if given == "default" else {"*": dates.NAMED.get(given, given)}
    lines = [[_cell(row.cells.get(name), name, patterns) for name in names] for row in rows]
    if out["pretty"]:
        lines = [[_dressed(name, text) for name, text in zip(names, line, strict=True)] for line in lines]
    return align([[name.upper() for name in names], *lines], gap=2 if out["pretty"] else 1)


def _cell(value: object, name: str, patterns: Mapping[str, str]) -> str:
    if isinstance(value, datetime):
        return dates.show(value, patterns.get(name) or patterns.get("*") or dates.DATETIME)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(str(item) for item in value)
    return "" if value is None else str(value)


def _dressed(name: str, text: str) -> str:
    if name == "status" and text in STATUS_SIGNS:
        colour, sign = STATUS_SIGNS[text]
        return click.style(f"{text.upper()} {sign}", fg=colour, bold=True)
    return click.style(text, fg="cyan") if name == "name" and text else text


def align(lines: Iterable[list[str]], *, gap: int = 1) -> str:
    """Pad every cell but the last of each line; a cell of several lines makes several lines."""
    grid = [list(line) for line in lines]
    if not grid or not grid[0]:
        return ""
    split = [[cell.split("\n") for cell in line] for line in grid]
    widths = [max(_width(part) for line in split for part in line[index]) for index in range(len(grid[0]))]
    printed = []
    for line in split:
        for depth in range(max(len(cell) for cell in line)):
            parts = [cell[depth] if depth < len(cell) else "" for cell in line]
            padded = [part + " " * (width - _width(part)) for part, width in zip(parts, widths, strict=True)]
            printed.append((" " * gap).join(padded))
    return "\n".join(printed)


def _width(text: str) -> int:
    return len(click.unstyle(text))
