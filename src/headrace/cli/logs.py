"""Follows a build: prints its steps and their text once, and knows the exit code of its result.

The server's own stream is resumed by cursor after a broken connection. A server without it is
asked for the stored log: at once for ``logs``, after the end for a follower.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import click

from headrace.cli.cures import told
from headrace.cli.errors import Refused
from headrace.client.errors import ApiError
from headrace.client.follow import FINAL, BuildMoved, Line, StepMoved, heard

if TYPE_CHECKING:
    from headrace.cli.app import App
    from headrace.cli.board import Board
    from headrace.client.made import types

EXIT_CODES = {"success": 0, "error": 1, "terminated": 2}
OTHER_EXIT_CODE = 100
POLL_S = 1.0
AWAY = "The server is away; this goes on when it is back. Ctrl-C ends the wait, not the build."
_STAMP = re.compile(r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\]")


class Printer:
    """Writes log text under the heading of its step; a heading comes when the step changes."""

    def __init__(self, *, stamps: bool, write: Callable[[str], None] | None = None) -> None:
        self.stamps = stamps
        self._to = write or _to_stdout
        self.step: str | None = None
        self.at_line_start = True

    def heading(self, name: str) -> None:
        """Begin a step, on a line of its own."""
        if name == self.step:
            return
        self.step = name
        rule = "=" * (len(name) - 1)  # as long as the official client draws it
        self._write(("" if self.at_line_start else "\n") + f"{rule}\nStep: {name}\n{rule}\n")

    def text(self, step: str, text: str) -> None:
        """Write a piece of a step's text as it is."""
        self.heading(step)
        self._write(text if self.stamps else _STAMP.sub("", text))

    def _write(self, text: str) -> None:
        if text:
            self._to(text)
            self.at_line_start = text.endswith("\n")


def _to_stdout(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def build_of(app: App, build_id: str) -> Mapping[str, Any]:
    """The build as the API tells it."""
    build = app.api.workflows.get_build(build_id, no_account=False)
    if not isinstance(build, dict):
        raise Refused(f"the server knows no build {build_id!r}; see: codefresh get builds")
    return build


def follow(app: App, build_id: str) -> int:
    """Print a build's log until it ends.

    Returns:
        0 for success, 1 for error, 2 for terminated, 100 for any other result.

    Raises:
        Refused: the log cannot be read; the build itself goes on.
    """
    try:
        status = print_log(app, build_id, wait=True)
    except Refused:
        raise
    except KeyboardInterrupt:
        again = f"codefresh logs -f {build_id}, or stop it: codefresh terminate {build_id}"
        click.echo(f"\nThe build goes on. Follow it again: {again}", err=True)
        raise
    except Exception as error:
        if not app.environ.get("CF_CLI_RUN_WAIT_FALLBACK"):
            raise Refused(
                f"Could not retrieve logs for workflow: {build_id}; caused by Error: {told(error)}"
            ) from error
        status = wait_for_end(app, build_id)["status"]
    if status not in FINAL:
        status = str(build_of(app, build_id).get("status"))
    return EXIT_CODES.get(status, OTHER_EXIT_CODE)


def print_log(app: App, build_id: str, *, wait: bool, stamps: bool = True) -> str:
    """Print what a build has logged; with ``wait``, also what it will log until it ends.

    Returns:
        The build's status as last heard.
    """
    build = build_of(app, build_id)
    status = str(build.get("status"))
    if wait or status in FINAL:
        try:
            return _stream(app, build_id, stamps=stamps, is_over=status in FINAL)
        except ApiError as error:
            if error.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.NOT_IMPLEMENTED):
                raise
        if wait:
            build = wait_for_end(app, build_id)
    if status not in FINAL and not wait:
        return _stored(app, build_id, status, stamps=stamps)
    return _archive(app, build, Printer(stamps=stamps))


def _stored(app: App, build_id: str, status: str, *, stamps: bool) -> str:
    """What a build that goes on has written so far; an archive is there at its end alone."""
    text = app.api.workflows.logs(build_id) or ""
    _to_stdout(text if stamps else _STAMP.sub("", text))
    return status


def _stream(app: App, build_id: str, *, stamps: bool, is_over: bool) -> str:
    board = None if is_over else board_of(app, build_id)
    printer, status = Printer(stamps=stamps, write=board.write if board else None), ""
    with board or nullcontext():
        for one in heard(app.api, build_id, lambda: tell_away(board)):
            if isinstance(one, Line):
                printer.text(one.step, one.text)
            elif isinstance(one, BuildMoved):
                status = one.status
            else:
                _note(one, printer, board)
    return status


def tell_away(board: Board | None) -> None:
    """Say that the server is waited for: above the lines of the steps, or on stderr."""
    if board is None:
        click.echo(AWAY, err=True)
    else:
        board.write(f"{AWAY}\n")


def board_of(app: App, build_id: str) -> Board | None:
    """Lines for the steps where the output is a terminal; begun with what the server knows of them."""
    if not sys.stdout.isatty():
        return None
    from headrace.cli.board import board_for

    board = board_for(app)
    if board is not None:
        board.known(steps_of(app, build_id))
    return board


def steps_of(app: App, build_id: str) -> list[types.StepOut]:
    """The steps of a build with their times; none where the server does not tell them."""
    try:
        found = app.api.workflows.steps(build_id)
    except ApiError:
        return []
    return [step for step in found if isinstance(step, dict)] if isinstance(found, list) else []


def _note(step: StepMoved, printer: Printer, board: Board | None) -> None:
    if step.status == "pending-approval":
        printer.heading(step.name)  # it says nothing, and somebody has to answer
    if board is not None:
        board.moved(step.name, step.status)


def wait_for_end(app: App, build_id: str) -> Mapping[str, Any]:
    """Ask once a second until the build has ended."""
    while True:
        build = build_of(app, build_id)
        if build.get("status") in FINAL:
            return build
        app.sleep(POLL_S)


def _archive(app: App, build: Mapping[str, Any], printer: Printer) -> str:
    progress = str(build.get("progress") or "")
    if not progress:
        raise Refused(f"build {build.get('id')!r} has no log yet; try again later")
    place = app.api.progress.get(progress).get("location") or {}
    if place.get("type") == "composition":
        stored = app.api.request("GET", f"/api/progress/download/{progress}")
    else:
        stored = app.api.fetch(str(place.get("url")))
    for step in _steps(stored.get("steps") if isinstance(stored, dict) else None):
        printer.heading(str(step.get("name")))
        for text in _values(step.get("logs")):
            printer.text(str(step.get("name")), str(text))
    return str(build.get("status"))


def _steps(found: object) -> list[Mapping[str, Any]]:
    steps = [step for step in _values(found) if isinstance(step, dict)]
    return sorted(steps, key=lambda step: step.get("creationTimeStamp") or 0)


def _values(found: object) -> Iterable[Any]:
    if isinstance(found, dict):
        return found.values()
    return found if isinstance(found, list) else ()
