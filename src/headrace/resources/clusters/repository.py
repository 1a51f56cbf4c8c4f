"""The rows of clusters."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select

from headrace.http.paging import Pages
from headrace.http.rights import Seen
from headrace.kit.ids import new_id
from headrace.resources.clusters.model import clusters


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """One stored cluster."""

    id: str
    account_id: str
    selector: str
    provider: str
    behind_firewall: bool
    url: str
    credentials: str  # sealed
    tags: list[str]
    created_at: datetime


def listed(
    db: Connection, account_id: str, pages: Pages | None = None, *, seen: Seen | None = None
) -> list[Cluster]:
    """Return the clusters of an account by name, all or those that rules let a reader see."""
    query = select(clusters).where(clusters.c.account_id == account_id)
    if seen is not None:
        query = query.where(clusters.c.id.in_(seen.ids))
    found = (pages or Pages()).read(db, query, clusters.c.selector, clusters.c.id)
    return [Cluster(**row) for row in found]


def add(db: Connection, account_id: str, *, now: datetime, **values: Any) -> str:  # noqa: ANN401 - columns
    """Store a new cluster; return its id."""
    made = new_id()
    db.execute(insert(clusters).values(id=made, account_id=account_id, created_at=now, **values))
    return made


def remove(db: Connection, account_id: str, cluster_id: str) -> None:
    """Delete a cluster."""
    db.execute(delete(clusters).where(clusters.c.account_id == account_id, clusters.c.id == cluster_id))
