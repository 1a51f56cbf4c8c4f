"""The audit log: entries are added by the edge of the API, read by admins, and forgotten after some time."""

import csv
import io
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import Connection

from headrace.http.audit import Entry
from headrace.http.errors import BadRequest
from headrace.kit.clock import SystemClock, wire_time
from headrace.kit.ids import new_id
from headrace.resources.audit import repository
from headrace.resources.audit.repository import Noted, Wanted
from headrace.resources.audit.schemas import (
    AuditEntryOut,
    AuditFileQuery,
    AuditPageOut,
    AuditPageQuery,
    AuditQuery,
)

_MOST_ROWS = 100_000  # of a file
_DAY_LENGTH = len("2026-01-31")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would carry out
_COLUMNS = tuple(field.encode_name for field in msgspec.structs.fields(AuditEntryOut))


class AuditLog:
    """Fills `http.audit.Audit`.

    Args:
        clock: tells when.
    """

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock

    def note(self, db: Connection, entry: Entry, /) -> None:
        """Add an entry."""
        caller = entry.caller
        repository.add(
            db,
            Noted(
                id=new_id(),
                account_id=caller.account_id,
                created_at=self._clock.now(),
                user_id=caller.user_id,
                user_name=caller.user_name,
                key_id=caller.key_id,
                build_id=caller.build_id,
                action=entry.action,
                entity=entry.entity,
                entity_id=entry.entity_id,
                method=entry.method,
                path=entry.path,
                status=entry.status,
                address=entry.address,
                user_agent=entry.user_agent,
            ),
        )


def page(db: Connection, account_id: str, query: AuditPageQuery) -> AuditPageOut:
    """Return a page of the log of an account, the newest first. Raises `BadRequest` for no day."""
    found = repository.page(db, account_id, _wanted(query), limit=query.limit + 1, before=query.before or "")
    shown = found[: query.limit]
    return AuditPageOut(
        docs=[_shown(one) for one in shown], next=shown[-1].id if len(found) > query.limit else None
    )


def file(db: Connection, account_id: str, query: AuditFileQuery) -> str:
    """Return the log of an account as CSV with a line of names, at most 100,000 entries.

    Raises:
        BadRequest: a day is none.
    """
    found = repository.page(
        db,
        account_id,
        _wanted(query),
        limit=_MOST_ROWS,
        oldest_first=query.sort_type.startswith("AS"),
    )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for one in found:
        row = msgspec.to_builtins(_shown(one))
        writer.writerow([_cell(row[name]) for name in _COLUMNS])
    return text.getvalue()


def forget(db: Connection, now: datetime, *, days: int) -> None:
    """Delete what is older than some days; of 0 days, nothing. Call it every hour or so."""
    if days:
        repository.forget(db, before=now - timedelta(days=days))


forget_some = repository.forget_some


def _wanted(query: AuditQuery) -> Wanted:
    return Wanted(
        user_name=query.user_name,
        user_id=query.user_id,
        entity=query.entity,
        entity_id=query.entity_id,
        action=query.action,
        status=query.rs_status,
        search=query.search,
        since=_moment("from", query.since),
        until=_moment("to", query.until, whole_day=True),
    )


def _moment(name: str, text: str | None, *, whole_day: bool = False) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        if len(text) == _DAY_LENGTH:
            return found.replace(tzinfo=UTC) + timedelta(days=whole_day)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest(f"query string: {name}: {text!r} is no day; write 2026-01-31") from None


def _cell(value: str | int | None) -> str:
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(_FORMULA) else text


def _shown(one: Noted) -> AuditEntryOut:
    return AuditEntryOut(
        id=one.id,
        created_at=wire_time(one.created_at),
        user_id=one.user_id,
        user_name=one.user_name,
        key_id=one.key_id,
        build_id=one.build_id,
        action=one.action,
        entity=one.entity,
        entity_id=one.entity_id,
        method=one.method,
        path=one.path,
        status=one.status,
        address=one.address,
        user_agent=one.user_agent,
    )
