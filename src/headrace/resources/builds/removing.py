"""Builds that nobody needs any more: those of an account that is deleted."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, or_, select

from headrace.pipeline.status import FINAL
from headrace.resources.builds.model import builds, volumes


def count_unended(db: Connection, account_id: str) -> int:
    """Return how many builds of an account have not ended."""
    of_it = builds.c.account_id == account_id, builds.c.status.not_in(FINAL)
    return int(db.execute(select(func.count()).select_from(builds).where(*of_it)).scalar_one())


def some_ended(db: Connection, account_id: str, *, limit: int) -> list[str]:
    """Return ids of builds of an account that have ended, the oldest first."""
    of_it = builds.c.account_id == account_id, builds.c.status.in_(FINAL)
    query = select(builds.c.id).where(*of_it).order_by(builds.c.created_at, builds.c.id).limit(limit)
    return list(db.execute(query).scalars())


def remove(db: Connection, build_ids: Sequence[str]) -> None:
    """Delete builds with all that the database has of them.

    Their files are the caller's business. Their volumes the workers remove, as nobody will get them.
    """
    theirs = or_(volumes.c.id.in_(build_ids), volumes.c.build_id.in_(build_ids))
    db.execute(delete(volumes).where(theirs))
    db.execute(delete(builds).where(builds.c.id.in_(build_ids)))
