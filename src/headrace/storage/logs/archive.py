"""The logs of a build as one JSON document, for clients that fetch them when it has ended."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import msgspec

from headrace.storage.logs.store import LogStore, whole_characters

_PIECE_BYTES = 256 * 1024
_NONE: Mapping[str, str] = MappingProxyType({})


class ArchiveStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the archive says of a step beside its log. Times are whole seconds since 1970."""

    name: str
    status: str
    created_s: int = msgspec.field(name="creationTimeStamp")
    finished_s: int | None = msgspec.field(name="finishTimeStamp", default=None)


def archive(
    logs: LogStore,
    build_id: str,
    *,
    progress_id: str,
    status: str,
    steps: Iterable[ArchiveStep],
    headings: Mapping[str, str] = _NONE,
) -> Iterator[bytes]:
    """Yield the document in pieces; memory does not grow with the logs.

    Source: the download of an ended build's log in the public API. ``logs`` are strings that a
    client prints one after the other as they are; no line is cut, unless it is very long.

    Args:
        logs: where the logs are.
        build_id: of the build.
        progress_id: ``_id`` of the document.
        status: of the build.
        steps: in the order in which a client shall print them.
        headings: what the document calls a step, where that is not its name.
    """
    head = msgspec.json.encode({"_id": progress_id, "status": status})
    yield head[:-1] + b',"steps":['
    for number, step in enumerate(steps):
        shown = msgspec.structs.replace(step, name=headings.get(step.name, step.name))
        yield (b"," if number else b"") + msgspec.json.encode(shown)[:-1] + b',"logs":['
        yield from _strings(logs, build_id, step.name)
        yield b"]}"
    yield b"]}"


def _strings(logs: LogStore, build_id: str, step: str) -> Iterator[bytes]:
    offset = 0
    while data := logs.read(build_id, step, offset, _PIECE_BYTES):
        # A client that removes time stamps does so string by string.
        piece = data[: data.rfind(b"\n") + 1] or whole_characters(data) or data
        text = piece.decode(errors="replace")
        yield (b"," if offset else b"") + msgspec.json.encode(text)
        offset += len(piece)
