"""The rows of receivers, events, links and reports."""

from collections.abc import Collection, Hashable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, column, delete, insert, select, table, tuple_, update

from headrace.http.paging import Pages
from headrace.http.rights import Seen
from headrace.pipeline.regexes import search
from headrace.resources.events.model import event_links, events, receivers, status_reports
from headrace.resources.events.schemas import Event, EventsQuery, Link, Report

_pipelines = table("pipelines", column("id"), column("name"))  # their model belongs to another resource


def receiver(db: Connection, account_id: str) -> tuple[str, datetime] | None:
    """Return the sealed secret of an account's receiver, and since when it is; None for none."""
    query = select(receivers.c.secret, receivers.c.created_at).where(receivers.c.account_id == account_id)
    row = db.execute(query).first()
    return None if row is None else (row.secret, row.created_at)


def set_receiver(db: Connection, account_id: str, secret: str, now: datetime) -> None:
    """Give an account's receiver a secret, in the place of the one before."""
    db.execute(delete(receivers).where(receivers.c.account_id == account_id))
    db.execute(insert(receivers).values(account_id=account_id, secret=secret, created_at=now))


def add(db: Connection, event: Event) -> None:
    """Store a new event. Raises `sqlalchemy.exc.IntegrityError` where the account has one of its URI."""
    db.execute(insert(events).values(msgspec.structs.asdict(event)))


def remove(db: Connection, account_id: str, event_id: str) -> None:
    """Delete an event and its links."""
    db.execute(delete(events).where(events.c.account_id == account_id, events.c.id == event_id))


def of_account(db: Connection, account_id: str, pages: Pages, wanted: EventsQuery) -> list[Event]:
    """Return the events of an account by URI: of a type, of a kind, if given.

    Raises:
        BadRegex: the filter is no regular expression; see `pipeline.regexes.search`.
    """
    query = select(events).where(events.c.account_id == account_id)
    if wanted.type:
        query = query.where(events.c.type == wanted.type)
    if wanted.kind:
        query = query.where(events.c.kind == wanted.kind)
    if not wanted.filter:
        return [Event(**row) for row in pages.read(db, query, events.c.uri, events.c.id)]
    every = (Event(**row) for row in db.execute(query).mappings())  # SQLite knows no such expressions
    return list(pages.cut((one for one in every if search(wanted.filter, one.uri)), lambda one: one.uri))


def by_uri(db: Connection, uri: str, account_id: str | None = None) -> list[Event]:
    """Return the events of a URI: of an account, or of all."""
    query = select(events).where(events.c.uri == uri).order_by(events.c.id)
    if account_id is not None:
        query = query.where(events.c.account_id == account_id)
    return [Event(**row) for row in db.execute(query).mappings()]


def due(db: Connection, now: datetime, *, limit: int) -> list[Event]:
    """Return the events whose time has come, the longest due first."""
    query = select(events).where(events.c.due_at <= now).order_by(events.c.due_at, events.c.id)
    return [Event(**row) for row in db.execute(query.limit(limit)).mappings()]


def advance(db: Connection, event: Event, due_at: datetime | None) -> bool:
    """Set the next time of an event; tell whether nobody else did so before."""
    changed = update(events).where(events.c.id == event.id, events.c.due_at == event.due_at)
    return db.execute(changed.values(due_at=due_at)).rowcount == 1


def links(db: Connection, event_id: str) -> list[Link]:
    """Return the links of an event by pipeline."""
    query = select(event_links).where(event_links.c.event_id == event_id)
    query = query.order_by(event_links.c.pipeline_id)
    return [Link(**row) for row in db.execute(query).mappings()]


def links_of_account(
    db: Connection,
    account_id: str,
    pages: Pages,
    *,
    event_id: str | None = None,
    pipeline_id: str | None = None,
    seen: Seen | None = None,
) -> list[tuple[Link, Event, str]]:
    """Return links with their events and the names of their pipelines, by event and pipeline.

    Args:
        db: an open connection.
        account_id: whose links.
        pages: which of them.
        event_id: only those of this event.
        pipeline_id: only those of this pipeline.
        seen: only those of pipelines that rules let the reader see; None: of all.
    """
    query = (
        select(event_links, *(column.label(f"of_{column.key}") for column in events.c), _pipelines.c.name)
        .join(events, events.c.id == event_links.c.event_id)
        .join(_pipelines, _pipelines.c.id == event_links.c.pipeline_id)
        .where(events.c.account_id == account_id)
    )
    if event_id is not None:
        query = query.where(event_links.c.event_id == event_id)
    if pipeline_id is not None:
        query = query.where(event_links.c.pipeline_id == pipeline_id)
    if seen is not None:
        query = query.where(event_links.c.pipeline_id.in_(seen.ids))
    return [
        (
            Link(**{one.key: row[one.key] for one in event_links.c}),
            Event(**{one.key: row[f"of_{one.key}"] for one in events.c}),
            row["name"],
        )
        for row in pages.read(db, query, event_links.c.event_id, event_links.c.pipeline_id)
    ]


def link(db: Connection, new: Link) -> None:
    """Store a link in the place of the one between the same two."""
    unlink(db, new.event_id, new.pipeline_id)
    db.execute(insert(event_links).values(msgspec.structs.asdict(new)))


def unlink(db: Connection, event_id: str, pipeline_id: str) -> bool:
    """Delete a link; tell whether there was one."""
    same = (event_links.c.event_id == event_id, event_links.c.pipeline_id == pipeline_id)
    return db.execute(delete(event_links).where(*same)).rowcount == 1


def note(db: Connection, found: Link, problem: str | None) -> None:
    """Note why an event started nothing, or that it did."""
    same = (event_links.c.event_id == found.event_id, event_links.c.pipeline_id == found.pipeline_id)
    db.execute(update(event_links).where(*same).values(problem=problem))


def add_report(db: Connection, report: Report) -> None:
    """Note that a Git host is to be told of a build, once."""
    same = status_reports.c.build_id == report.build_id
    if db.execute(select(status_reports.c.build_id).where(same)).first() is None:
        db.execute(insert(status_reports).values(msgspec.structs.asdict(report)))


def reports_due(
    db: Connection, now: datetime, *, limit: int, without: Collection[Hashable] = ()
) -> list[Report]:
    """Return the reports that may be looked at, the longest due first.

    Args:
        db: an open connection.
        now: the time.
        limit: at most so many.
        without: hosts, as `Report.host`, whose reports are left out.
    """
    query = select(status_reports).where(status_reports.c.due_at <= now)
    if without:
        columns = (status_reports.c.account_id, status_reports.c.provider, status_reports.c.context)
        query = query.where(tuple_(*columns).not_in(without))
    query = query.order_by(status_reports.c.due_at, status_reports.c.build_id).limit(limit)
    return [Report(**row) for row in db.execute(query).mappings()]


def take_report(db: Connection, report: Report, due_at: datetime) -> bool:
    """Take a report until a moment; tell whether nobody else did so before."""
    same = (status_reports.c.build_id == report.build_id, status_reports.c.due_at == report.due_at)
    return db.execute(update(status_reports).where(*same).values(due_at=due_at)).rowcount == 1


def change_report(db: Connection, build_id: str, **values: Any) -> None:  # noqa: ANN401 - of any column
    """Change what is noted of a report."""
    db.execute(update(status_reports).where(status_reports.c.build_id == build_id).values(**values))


def drop_report(db: Connection, build_id: str) -> None:
    """Forget a report."""
    db.execute(delete(status_reports).where(status_reports.c.build_id == build_id))
