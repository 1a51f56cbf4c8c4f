"""Search in the log of a build, step by step in the order in which the logs began."""

import re

from headrace.http.errors import BadRequest
from headrace.resources.builds.schemas import FoundOut, HitOut, SearchQuery
from headrace.storage.logs import LogStore, Place, search
from headrace.storage.logs.search import SCAN_BYTES

_CURSOR = re.compile(r"(\d{1,6}):(\d{1,15}):(\d{1,15})")


def check(query: SearchQuery) -> None:
    """Make sure that a search asks for one thing. Raises `BadRequest`."""
    if (query.q is None) == (not query.errors):
        raise BadRequest(
            "query string: give what to look for, q=timeout, or errors=true for what looks like an error"
        )
    if query.cursor and _CURSOR.fullmatch(query.cursor) is None:
        raise BadRequest(
            f"cursor: {query.cursor[:80]!r} is none of a search; leave it out to begin at the start"
        )


def find(logs: LogStore, build_id: str, query: SearchQuery) -> FoundOut:
    """Search until ``limit`` lines are found, or about `SCAN_BYTES` are read; ``next`` goes on there."""
    stored = logs.steps(build_id)
    number, place = _begin(query.cursor)
    hits: list[HitOut] = []
    scanned = 0
    for at, (step, size) in enumerate(stored[number:], number):
        if query.step not in (None, step):
            continue
        begin = place if at == number else Place()
        if scanned >= SCAN_BYTES or len(hits) == query.limit:
            return FoundOut(hits, f"{at}:{begin.offset}:{begin.line}")
        found = search(
            lambda offset, most, step=step: logs.read(build_id, step, offset, most),  # type: ignore[misc]
            query.q,
            place=begin,
            limit=query.limit - len(hits),
        )
        hits += [HitOut(step=step, line=hit.line, offset=hit.offset) for hit in found.hits]
        if found.next is not None:
            return FoundOut(hits, f"{at}:{found.next.offset}:{found.next.line}")
        scanned += max(0, size - begin.offset)
    return FoundOut(hits, None)


def _begin(cursor: str) -> tuple[int, Place]:
    found = _CURSOR.fullmatch(cursor)
    return (int(found[1]), Place(int(found[2]), int(found[3]))) if found else (0, Place())
