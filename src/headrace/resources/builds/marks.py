"""Where the pages of a long list begin, so that page 1,000 costs what page 1 costs.

A list is newest first, but its rows are numbered from the oldest: a new build changes no number. For
each list that was asked for, the key of every 1,000th row is remembered (of lists that no index has,
every 100th), and how many there are in all. Both cover only what is settled: rows that no transaction
can still add, and no change of status can still move. What is newer is counted each time. Builds are
never deleted.

In the memory of this process: each server counts an account's builds once, at the first request.
"""

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from headrace.resources.builds import repository
from headrace.resources.builds.repository import Filters, Key

_EVERY = 1000  # to pass over as many entries of an index takes 0.1 ms
_EVERY_SCANNED = 100  # where rows must be looked at
_MOST_LISTS = 100
_SETTLED_AFTER = timedelta(minutes=1)  # longer than any transaction that adds a build
_ADVANCE_AFTER = 200  # newer rows


class Place(msgspec.Struct, frozen=True):
    """Where to begin to read a page."""

    total: int  # of the whole list
    upto: Key | None  # begin with this row; None: with the newest
    offset: int  # rows to pass over from there, few unless the rows are not settled
    limit: int  # rows that there are at most
    filters: Filters  # what to read it by


class _List(msgspec.Struct, frozen=True):
    """What is known of one list."""

    settled_before: datetime | None = None  # by ``created_at``; None: nothing is
    settled: int = 0  # rows before that
    keys: tuple[Key, ...] = ()  # of every so manyth row, the oldest first
    by: str | None = None  # the column whose filter kept the fewest builds when they were last counted


class Marks:
    """The marks of all lists that were asked for lately. Safe between threads."""

    def __init__(self) -> None:
        self._lists: OrderedDict[tuple[str, str], _List] = OrderedDict()
        self._lock = threading.Lock()

    def place(
        self, db: Connection, account_id: str, filters: Filters, *, offset: int, limit: int, now: datetime
    ) -> Place:
        """Find the rows ``offset`` to ``offset + limit`` of a list, the newest being row 0.

        Of a list that rules of teams cut, nothing is remembered: a tag or a rule may change any row of it.
        """
        if filters.seen is not None:
            total = repository.count(db, account_id, filters)
            return Place(total, None, offset, max(0, min(limit, total - offset)), filters)
        known = self._known(account_id, filters)
        first = known.settled_before is None
        by = repository.rarest(db, account_id, filters) if first else known.by
        steered = msgspec.structs.replace(filters, by=by)
        newer = repository.count(db, account_id, steered, since=known.settled_before)
        if newer >= _ADVANCE_AFTER or first:
            advanced = _advanced(db, account_id, filters, known, now)
            if advanced is not known:
                self._keep(account_id, filters, advanced)
                newer -= advanced.settled - known.settled
                known = advanced
                steered = msgspec.structs.replace(filters, by=known.by)
        total = known.settled + newer
        number = total - offset  # of the first row wanted, from the oldest; the oldest is 1
        every = _distance(filters)
        mark = -(-number // every)
        if number <= 0 or mark > len(known.keys):
            return Place(total, None, offset, max(0, min(limit, number)), steered)
        return Place(total, known.keys[mark - 1], mark * every - number, min(limit, number), steered)

    def _known(self, account_id: str, filters: Filters) -> _List:
        name = (account_id, repr(filters))
        with self._lock:
            found = self._lists.get(name)
            if found is None:
                return _List()
            self._lists.move_to_end(name)
            return found

    def _keep(self, account_id: str, filters: Filters, known: _List) -> None:
        with self._lock:
            self._lists[account_id, repr(filters)] = known
            if len(self._lists) > _MOST_LISTS:
                self._lists.popitem(last=False)


def _distance(filters: Filters) -> int:
    return _EVERY if filters.has_index else _EVERY_SCANNED


def _advanced(db: Connection, account_id: str, filters: Filters, known: _List, now: datetime) -> _List:
    """Return a list with all marks that are settled by now; the same object where there are no more."""
    until = now - _SETTLED_AFTER
    if filters.statuses:
        until = min(until, repository.oldest_unended(db, account_id) or until)
    if known.settled_before is not None and until <= known.settled_before:
        return known
    by = repository.rarest(db, account_id, filters)
    keys, settled = repository.marks(
        db,
        account_id,
        msgspec.structs.replace(filters, by=by),
        every=_distance(filters),
        since=known.settled_before,
        before=until,
        counted=known.settled,
    )
    return _List(until, settled, (*known.keys, *keys), by)
