"""Follows a build over its event stream: its text, what becomes of its steps, its end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from headrace.client import events
from headrace.client.errors import TimedOut

if TYPE_CHECKING:
    from headrace.client.api import Client
    from headrace.client.made.types import BuildOut

FINAL = frozenset({"success", "error", "terminated", "denied"})
ROUNDS = 40  # to find a server that went away while it told a log: six minutes with the command's options
SHORTEST_WAIT_S, LONGEST_WAIT_S = 0.2, 2.0


class Line(NamedTuple):
    """A piece of a step's output: whole lines mostly, with their ends, colours and all."""

    step: str
    text: str


class StepMoved(NamedTuple):
    """A step has another status than before: ``running``, ``success``, ``skipped`` and others."""

    name: str
    status: str


class BuildMoved(NamedTuple):
    """The build has another status than before; a final one is the last that is heard."""

    status: str


Heard = Line | StepMoved | BuildMoved


def heard(client: Client, build_id: str, away: Callable[[], object] = lambda: None) -> Iterator[Heard]:
    """All that a build tells, from its beginning to its end, once each, over as many connections as it takes.

    A server that goes away after it began, to be restarted or replaced, is waited for.

    Args:
        client: the server.
        build_id: 24 hex digits.
        away: called each time when the waiting for the server begins.

    Raises:
        ApiError: the server refused the stream (404: no such build, or a server without streams).
        Unreachable: the stream broke off again and again without news.
    """
    target = f"/api/builds/{build_id}/logs/stream"
    for event in events.follow(client, target, last="", is_last=_ends, patience=ROUNDS, away=away):
        data = json.loads(event.data)
        if event.name == "log":
            yield Line(str(data["step"]), str(data["text"]))
        elif event.name == "step":
            yield StepMoved(str(data["name"]), str(data.get("status")))
        elif event.name == "status":
            yield BuildMoved(str(data["status"]))


def lines(client: Client, build_id: str) -> Iterator[Line]:
    """The output of a build as it is written, until the build ends. Errors as in `heard`."""
    return (one for one in heard(client, build_id) if isinstance(one, Line))


def wait(
    client: Client,
    build_id: str,
    *,
    timeout_s: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> BuildOut:
    """Wait until a build has ended, asking every two seconds at most.

    Args:
        client: the server.
        build_id: 24 hex digits.
        timeout_s: how long to wait; None for as long as it takes.
        clock: seconds of a clock that is never set back.

    Returns:
        The build, with its final status: ``success``, ``error``, ``terminated`` or ``denied``.

    Raises:
        TimedOut: it has not ended in time; it goes on.
    """
    end = None if timeout_s is None else clock() + timeout_s
    pause = SHORTEST_WAIT_S
    while True:
        build: BuildOut = client.call("workflows.getBuild", buildId=build_id)
        if build["status"] in FINAL:
            return build
        left = LONGEST_WAIT_S if end is None else end - clock()
        if left <= 0:
            raise TimedOut(f"build {build_id} is still {build['status']} after {timeout_s:g} s; it goes on")
        client.sleep(min(pause, left))
        pause = min(pause * 1.5, LONGEST_WAIT_S)


def _ends(event: events.Event) -> bool:
    return event.name == "status" and json.loads(event.data).get("status") in FINAL
