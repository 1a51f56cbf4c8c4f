"""Identifiers of 24 hex digits that sort by the time they were made.

The form is the one that clients of the Codefresh API expect (a Mongo ObjectId): the first
eight digits are seconds since 1970. The next four are the fraction of the second, so that ids
of several processes sort by time too; the rest is random per process, then a counter.
"""

import re
import secrets
import threading
import time

_ID = re.compile(r"[0-9a-f]{24}\Z")
_TICKS_PER_SECOND = 65_536
_LAST_COUNT = 0xFFFFFF


class _Source:
    """Makes ids that only grow within one process; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = secrets.randbits(24)
        self._last_ticks = 0
        self._count = 0

    def next(self) -> str:
        with self._lock:
            ticks = time.time_ns() * _TICKS_PER_SECOND // 1_000_000_000
            if ticks > self._last_ticks:
                self._last_ticks, self._count = ticks, 0
            else:  # the same tick, or the clock went back
                self._count += 1
                if self._count > _LAST_COUNT:
                    self._last_ticks, self._count = self._last_ticks + 1, 0
            return f"{self._last_ticks & 0xFFFF_FFFF_FFFF:012x}{self._process:06x}{self._count:06x}"


_source = _Source()


def new_id() -> str:
    """Return a new id, for example ``6923f0a41c2b9f3a7d000000``; later ids sort after it."""
    return _source.next()


def is_id(text: str) -> bool:
    """Tell whether ``text`` has the form of an id: 24 lower-case hex digits."""
    return _ID.match(text) is not None
