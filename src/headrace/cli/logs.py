"""Follows a build: prints its steps and their text once, and knows the exit code of its result.

The server's own stream is resumed by cursor after a broken connection. A server without it is
asked for the stored log: at once for ``logs``, after the end for a follower.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from headrace.cli.errors import Refused
from headrace.client import events
from headrace.client.errors import ApiError

if TYPE_CHECKING:
    from headrace.cli.app import App

FINAL = frozenset({"success", "error", "terminated", "denied"})
EXIT_CODES = {"success": 0, "error": 1, "terminated": 2}
OTHER_EXIT_CODE = 100
POLL_S = 1.0
_STAMP = re.compile(r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\]")


class Printer:
    """Writes log text under the heading of its step; a heading comes when the step changes."""

    def __init__(self, *, stamps: bool) -> None:
        self.stamps = stamps
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
            sys.stdout.write(text)
            sys.stdout.flush()
            self.at_line_start = text.endswith("\n")


def build_of(app: App, build_id: str) -> dict[str, Any]:
    """The build as the API tells it."""
    build = app.call("workflows.getBuild", buildId=build_id, query={"noAccount": False})
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
    except Exception as error:
        if not app.environ.get("CF_CLI_RUN_WAIT_FALLBACK"):
            raise Refused(
                f"Could not retrieve logs for workflow: {build_id}; caused by Error: {error}"
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
    status, printer = str(build.get("status")), Printer(stamps=stamps)
    if wait or status in FINAL:
        try:
            return _stream(app, build_id, printer)
        except ApiError as error:
            if error.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.NOT_IMPLEMENTED):
                raise
        if wait:
            build = wait_for_end(app, build_id)
    return _archive(app, build, printer)


def _stream(app: App, build_id: str, printer: Printer) -> str:
    status = ""
    for event in events.follow(app.api, f"/api/builds/{build_id}/logs/stream", last="", is_last=_ends):
        data = json.loads(event.data)
        if event.name == "log":
            printer.text(str(data["step"]), str(data["text"]))
        elif event.name == "step" and data.get("status") == "pending-approval":
            printer.heading(str(data["name"]))  # it says nothing, and somebody has to answer
        elif event.name == "status":
            status = str(data["status"])
    return status


def _ends(event: events.Event) -> bool:
    return event.name == "status" and json.loads(event.data).get("status") in FINAL


def wait_for_end(app: App, build_id: str) -> dict[str, Any]:
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
    place = app.call("progress.get", id=progress).get("location") or {}
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
