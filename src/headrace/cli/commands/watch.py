"""``codefresh watch``: what becomes of one build, or of all, as the server tells it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from headrace.cli import logs
from headrace.cli.dates import parse as parse_time
from headrace.cli.errors import Refused
from headrace.cli.output import Row, text_of
from headrace.cli.verbs import leaf, pass_app
from headrace.client.errors import ApiError, Unreachable
from headrace.client.events import LONGEST_PAUSE, parse
from headrace.client.follow import ROUNDS, BuildMoved, StepMoved, heard
from headrace.client.transport import protocol_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from headrace.cli.app import App
    from headrace.cli.board import Board

PLAIN = {"output": None, "select_columns": None, "date_format": "default"}
CLEAR = "\x1b[H\x1b[2J"
CONNECTION_S = 3600
OLD_SERVERS = (404, 501)


@leaf("watch")
@click.argument("kind", type=click.Choice(("build", "builds")), default="builds")
@click.argument("build_id", required=False, metavar="[ID]")
@click.option("-l", "--limit", type=int, default=10, show_default=True, help="How many builds to show.")
@pass_app
def watch(app: App, kind: str, build_id: str | None, limit: int) -> int:
    """Watch one build to its end, or the newest builds until Ctrl-C; live, without asking again.

    On a terminal the lines are kept true, elsewhere each change is a line. For one build the exit code
    is that of its result, as for run.
    """
    if kind == "build":
        if build_id is None:
            raise Refused("which build? codefresh watch build ID; see: codefresh get builds")
        return _watch_build(app, build_id)
    if build_id is not None:
        raise Refused(f"did you mean: codefresh watch build {build_id}?")
    return _watch_builds(app, limit)


def _watch_build(app: App, build_id: str) -> int:
    build = logs.build_of(app, build_id)
    board = logs.board_of(app, build_id)
    if board is None:
        status = _follow(app, build_id, lambda name, status: click.echo(f"{name} {status}"), None)
    else:
        with board:
            status = _follow(app, build_id, board.moved, board)
    click.echo(f"{build.get('pipelineName') or build_id} {status}")
    return logs.EXIT_CODES.get(status, logs.OTHER_EXIT_CODE)


def _follow(app: App, build_id: str, moved: Callable[[str, str], object], board: Board | None) -> str:
    status = ""
    for one in heard(app.api, build_id, lambda: logs.tell_away(board)):
        if isinstance(one, StepMoved):
            moved(one.name, one.status)
        elif isinstance(one, BuildMoved):
            status = one.status
    return status


def _watch_builds(app: App, limit: int) -> int:
    is_terminal = sys.stdout.isatty()
    told: dict[str, str] = {}
    failures, most, is_away = 0, max(1, app.options.attempts), False
    while failures < most:
        try:
            with app.api.open("GET", f"/api/changes?seconds={CONNECTION_S}") as response:
                # Only now, when the server tells us changes: none between the list and them is missed.
                _show(app, limit, told, is_terminal=is_terminal)
                most, is_away = max(most, ROUNDS), False
                for event in parse(response):
                    failures = 0
                    if json.loads(event.data).get("kind", "builds") == "builds":
                        _show(app, limit, told, is_terminal=is_terminal)
        except ApiError as error:
            raise _refusal(error) from error.__cause__
        except BrokenPipeError:
            raise  # who read our lines has gone, not the server
        except (OSError, protocol_error()):
            failures += 1
        except Unreachable:
            if most < ROUNDS:
                raise  # it was never there
            failures += 1
            if not is_away:
                logs.tell_away(None)
            is_away = True
        app.sleep(app.options.retry_delay_s * min(2.0**failures, LONGEST_PAUSE))
    raise Refused("the server is away; try again later")


def _refusal(error: ApiError) -> Exception:
    if error.status in OLD_SERVERS:
        return Refused("this server does not tell changes; use: codefresh get builds --watch")
    return error


def _show(app: App, limit: int, told: dict[str, str], *, is_terminal: bool) -> None:
    """The table anew on a terminal; elsewhere a line for each build that is not as it was told."""
    from headrace.cli.commands.builds import COLUMNS

    docs = app.api.workflows.list(limit=limit, page=1)["workflows"]["docs"]
    if is_terminal:
        columns = "id,pipeline-name,status,created,totaltime,branch"
        rows = [_row_so_far(build) for build in docs]
        click.echo(CLEAR + text_of(rows, COLUMNS, {**PLAIN, "pretty": True, "select_columns": columns}))
        return
    for build in reversed(docs):
        if told.get(build["id"]) != build["status"]:
            told[build["id"]] = build["status"]
            click.echo(f"{build['id']} {build.get('pipelineName')} {build['status']}")
    sys.stdout.flush()


def _row_so_far(build: Mapping[str, Any]) -> Row:
    """A build as ``get builds`` prints it, but one that goes on has the time that it took so far."""
    from headrace.cli.commands.builds import row_of, span

    row, created = row_of(build), parse_time(build.get("created"))
    if build.get("finished"):
        return row
    return replace(row, cells={**row.cells, "totaltime": span(created, datetime.now(UTC))})
