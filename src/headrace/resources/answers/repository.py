"""The rows of first answers."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from headrace.kit.ids import new_id
from headrace.resources.answers.model import first_answers


def claim(db: Connection, account_id: str, request_key: str, *, asked: str, expires_at: datetime) -> bool:
    """Add a row without an answer; tell whether there was none.

    On PostgreSQL it waits for a transaction that has added the same one.
    """
    insert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    row = {
        "id": new_id(),
        "account_id": account_id,
        "request_key": request_key,
        "asked": asked,
        "expires_at": expires_at,
    }
    query = insert(first_answers).values(row).on_conflict_do_nothing().returning(first_answers.c.id)
    return db.execute(query).first() is not None


def by_key(db: Connection, account_id: str, request_key: str) -> tuple[str, str | None, datetime]:
    """Return what was asked with a key, its sealed answer, and its end. Others hold no claim meanwhile."""
    table = first_answers.c
    query = select(table.asked, table.answer, table.expires_at).where(*_is(account_id, request_key))
    asked, answer, expires_at = db.execute(query.with_for_update()).one()
    return asked, answer, expires_at


def keep(
    db: Connection,
    account_id: str,
    request_key: str,
    *,
    asked: str | None = None,
    answer: str | None,
    expires_at: datetime,
) -> None:
    """Set the answer and the end of a key; for one whose time was over, what is asked with it, too."""
    more = {} if asked is None else {"asked": asked}
    query = update(first_answers).where(*_is(account_id, request_key))
    db.execute(query.values(answer=answer, expires_at=expires_at, **more))


def drop(db: Connection, account_id: str, request_key: str) -> None:
    """Delete a claim; an answer that is there stays."""
    wanted = (*_is(account_id, request_key), first_answers.c.answer.is_(None))
    db.execute(delete(first_answers).where(*wanted))


def _is(account_id: str, request_key: str) -> tuple[ColumnElement[bool], ...]:
    return first_answers.c.account_id == account_id, first_answers.c.request_key == request_key


def forget(db: Connection, *, before: datetime) -> int:
    """Delete the rows whose time is over; return their number."""
    return db.execute(delete(first_answers).where(first_answers.c.expires_at <= before)).rowcount
