"""Where the pages of a long list begin, so that page 1,000 costs what page 1 costs.

A list is newest first, but its rows are numbered from the oldest: a new build changes no number. Of each
list that was asked for it is remembered how many rows there are, and where some of them stand: of every
1,000th (in lists that no index has, every 100th) those whose pages were asked for. Both cover only what is
settled: rows that no transaction can still add, and no change of status can still move. What is newer is
counted each time. Builds are never deleted.

A list that rules of teams cut is remembered by the pipelines that its reader may see: a tag or a rule that
changes makes it another list. Pipelines never change the builds they have.

In the memory of this process: each server counts a list once, at its first request. Of several that come
at once, one counts and the others wait for it.
"""

import hashlib
import threading
from bisect import bisect_left
from collections import OrderedDict
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import Connection

from headrace.resources.builds import repository
from headrace.resources.builds.repository import Filters, Key

_EVERY = 1000  # to pass over as many entries of an index takes 0.1 ms
_EVERY_SCANNED = 100  # where rows must be looked at
_MOST_LISTS = 100
_SETTLED_AFTER = timedelta(minutes=1)  # longer than any transaction that adds a build
_ADVANCE_AFTER = 200  # newer rows
_NOTHING = datetime.min.replace(tzinfo=UTC)  # nothing is settled yet


class Place(msgspec.Struct, frozen=True):
    """Where to begin to read a page."""

    total: int  # of the whole list
    upto: Key | None  # begin with this row; None: with the newest
    offset: int  # rows to pass over from there, few unless the rows are not settled
    limit: int  # rows that there are at most
    filters: Filters  # what to read it by


class _Known(msgspec.Struct, frozen=True):
    """What is known of one list."""

    settled_before: datetime = _NOTHING  # by ``created_at``
    settled: int = 0  # rows before that
    by: str | None = None  # the column whose filter kept the fewest builds when they were last counted
    short: bool = False  # `Filters.short`


class _List:
    """One list. What is in it changes under its lock, and may be read without."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.known = _Known()
        self.marks: tuple[tuple[int, Key], ...] = ()  # settled rows: their numbers, and where they stand


class Marks:
    """The marks of all lists that were asked for lately. Safe between threads."""

    def __init__(self) -> None:
        self._lists: OrderedDict[tuple[str, bytes], _List] = OrderedDict()
        self._lock = threading.Lock()

    def place(
        self, db: Connection, account_id: str, filters: Filters, *, offset: int, limit: int, now: datetime
    ) -> Place:
        """Find the rows ``offset`` to ``offset + limit`` of a list, the newest being row 0."""
        found = self._list(account_id, filters)
        known = found.known
        if known.settled_before == _NOTHING:
            with found.lock:
                if found.known.settled_before == _NOTHING:
                    found.known = _advanced(db, account_id, filters, found.known, now)
                known = found.known
        steered = _steered(filters, known)
        newer = repository.count(db, account_id, steered, since=known.settled_before)
        # Who finds another at it goes on with what is known.
        if newer >= _ADVANCE_AFTER and found.lock.acquire(blocking=False):
            try:
                advanced = found.known = _advanced(db, account_id, filters, found.known, now)
            finally:
                found.lock.release()
            newer -= advanced.settled - known.settled
            known, steered = advanced, _steered(filters, advanced)
        total = known.settled + newer
        number = total - offset  # of the first row wanted, from the oldest; the oldest is 1
        every = _EVERY if filters.has_index else _EVERY_SCANNED
        mark = -(-number // every) * every
        key = None
        if number > 0 and offset > mark - number and mark <= known.settled:
            key = _mark(db, account_id, steered, found, known, mark)
        if key is None:
            return Place(total, None, offset, max(0, min(limit, number)), steered)
        return Place(total, key, mark - number, min(limit, number), steered)

    def _list(self, account_id: str, filters: Filters) -> _List:
        # A hash: there may be thousands of pipelines in it.
        name = (account_id, hashlib.sha256(repr(filters).encode()).digest())
        with self._lock:
            found = self._lists.setdefault(name, _List())
            self._lists.move_to_end(name)
            if len(self._lists) > _MOST_LISTS:
                self._lists.popitem(last=False)
        return found


def _steered(filters: Filters, known: _Known) -> Filters:
    return msgspec.structs.replace(filters, by=known.by, short=known.short)


def _advanced(db: Connection, account_id: str, filters: Filters, known: _Known, now: datetime) -> _Known:
    """Return what is known of a list by now; the same object where no more is settled."""
    until = now - _SETTLED_AFTER
    if filters.statuses:
        until = min(until, repository.oldest_unended(db, account_id) or until)
    if until <= known.settled_before:
        return known
    by = repository.rarest(db, account_id, filters)
    more = repository.count_before(
        db,
        account_id,
        msgspec.structs.replace(filters, by=by),
        until,
        since=None if known.settled_before == _NOTHING else known.settled_before,
    )
    settled = known.settled + more
    return _Known(until, settled, by, repository.is_short(filters, settled))


def _mark(
    db: Connection, account_id: str, filters: Filters, found: _List, known: _Known, number: int
) -> Key | None:
    """Return where a settled row stands: remembered, or counted from the nearest that is."""
    key = _remembered(found, number)
    if key is not None:
        return key
    with found.lock:  # of several who look for it, one counts
        key = _remembered(found, number)
        if key is None:
            at = bisect_left(found.marks, (number,))
            end = (known.settled, known.settled_before)
            key = repository.stands_at(
                db,
                account_id,
                filters,
                number,
                after=found.marks[at - 1] if at else None,
                upto=found.marks[at] if at < len(found.marks) else end,
            )
            if key is not None:
                found.marks = (*found.marks[:at], (number, key), *found.marks[at:])
    return key


def _remembered(found: _List, number: int) -> Key | None:
    marks = found.marks
    at = bisect_left(marks, (number,))
    return marks[at][1] if at < len(marks) and marks[at][0] == number else None
