"""Server-sent events: the frames of a stream that a client can resume with ``Last-Event-ID``."""

from collections.abc import AsyncIterator, Mapping

import msgspec

HEARTBEAT = b": alive\n\n"


class Stream(msgspec.Struct, frozen=True):
    """An answer in pieces; the connection stays open until the iterator ends."""

    chunks: AsyncIterator[bytes]
    media_type: str = "text/event-stream"
    headers: Mapping[str, str] = {}


class Events(Stream, frozen=True):
    """A stream of server-sent events; the annotation tells the API document so."""


def event(name: str, data: object, *, cursor: str | None = None) -> bytes:
    """Return one event: a name, JSON data on one line, and the cursor to resume after it."""
    lines = [f"event: {name}"]
    if cursor is not None:
        lines.append(f"id: {cursor}")
    lines.append("data: " + msgspec.json.encode(data).decode())
    return ("\n".join(lines) + "\n\n").encode()
