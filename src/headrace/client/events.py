"""Reads a server-sent event stream and resumes it where it broke off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headrace.client.errors import Unreachable
from headrace.client.transport import protocol_error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from headrace.client.api import Client

LONGEST_PAUSE = 10.0
LONGEST_ABSENCE_S = 600.0  # of a host that answers nothing, where each request takes its whole time limit


@dataclass(frozen=True)
class Event:
    """One event. ``id`` is the cursor to resume after it (empty when the server gave none)."""

    id: str
    name: str
    data: str


def parse(lines: Iterable[bytes]) -> Iterator[Event]:
    """Split a stream's lines into events; one that was cut off is dropped.

    Source: WHATWG HTML, "Server-sent events".
    """
    name, data, cursor = "message", list[str](), ""
    for raw in lines:
        line = raw.decode("utf-8", errors="replace").rstrip("\r\n")
        if not line:
            if data:
                yield Event(cursor, name, "\n".join(data))
            name, data = "message", []
            continue
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "event":
            name = value
        elif key == "data":
            data.append(value)
        elif key == "id":
            cursor = value


def follow(
    client: Client,
    target: str,
    *,
    last: str,
    is_last: Callable[[Event], bool],
    patience: int = 0,
    away: Callable[[], object] = lambda: None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Event]:
    """All events of ``target``, once each, over as many connections as it takes.

    Args:
        client: the server; its options say how often a broken connection is tried again.
        target: path with a leading slash.
        last: cursor to start after, empty for the beginning.
        is_last: tells the event after which nothing comes; the stream ends there.
        patience: rounds to try in a row once an event has come, where the client's options say fewer; the
            pauses between them grow to `LONGEST_PAUSE` times ``retry_delay_s``.
        away: called when the server, after it told events, is found to be away; once each time.
        clock: seconds of a clock that is never set back; `LONGEST_ABSENCE_S` is the end of all patience.

    Raises:
        ApiError: the server refused the stream (404: it offers none).
        Unreachable: the stream broke off again and again without a new event.
    """
    barren, most, is_away, heard_at = 0, max(1, client.options.attempts), False, clock()
    while barren < most:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
        pause = client.options.retry_delay_s * min(2.0**barren, LONGEST_PAUSE)
        barren += 1
        try:
            with client.open("GET", target, None, headers) as response:
                for event in parse(response):
                    barren, most, is_away = 0, max(most, patience), False
                    last, heard_at = event.id or last, clock()
                    yield event
                    if is_last(event):
                        return
        except (OSError, protocol_error()):
            pass  # a broken or silent connection: resume after the last event
        except Unreachable:
            if barren >= patience or most < patience or clock() - heard_at > LONGEST_ABSENCE_S:
                raise
            if not is_away:
                away()
            is_away = True
        client.sleep(client.options.retry_delay_s if barren == 0 else pause)
    raise Unreachable(f"the log stream of {client.url} broke off {barren} times in a row; try again later")
