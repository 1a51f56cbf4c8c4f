"""The rows of triggers."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from headrace.resources.triggers.model import triggers
from headrace.resources.triggers.schemas import Trigger


def of_pipelines(db: Connection, pipeline_ids: Collection[str]) -> list[Trigger]:
    """Return the triggers of pipelines, by pipeline and id."""
    query = select(triggers).where(triggers.c.pipeline_id.in_(pipeline_ids))
    query = query.order_by(triggers.c.pipeline_id, triggers.c.id)
    return [Trigger(**row) for row in db.execute(query).mappings()]


def replace(db: Connection, pipeline_id: str, found: Sequence[Trigger]) -> None:
    """Store the triggers of a pipeline in the place of those before."""
    db.execute(delete(triggers).where(triggers.c.pipeline_id == pipeline_id))
    if found:
        db.execute(insert(triggers), [msgspec.structs.asdict(one) for one in found])


def pipelines_of_repo(db: Connection, account_id: str, repo: str) -> list[str]:
    """Return the ids of the pipelines with a trigger for a repository, in lower case; by id."""
    query = select(triggers.c.pipeline_id).where(
        triggers.c.account_id == account_id, triggers.c.kind == "git", triggers.c.repo == repo
    )
    return list(db.execute(query.distinct().order_by(triggers.c.pipeline_id)).scalars())


def due(db: Connection, now: datetime, *, limit: int) -> list[Trigger]:
    """Return the triggers whose time has come, the longest due first."""
    query = select(triggers).where(triggers.c.due_at <= now)
    query = query.order_by(triggers.c.due_at, triggers.c.pipeline_id, triggers.c.id).limit(limit)
    return [Trigger(**row) for row in db.execute(query).mappings()]


def advance(db: Connection, trigger: Trigger, due_at: datetime | None) -> bool:
    """Set the next time of a trigger; tell whether nobody else did so before."""
    changed = update(triggers).where(*_same(trigger), triggers.c.due_at == trigger.due_at)
    return db.execute(changed.values(due_at=due_at)).rowcount == 1


def change(db: Connection, trigger: Trigger, **values: Any) -> None:  # noqa: ANN401 - of any column
    """Change what is noted of a trigger."""
    db.execute(update(triggers).where(*_same(trigger)).values(**values))


def _same(trigger: Trigger) -> tuple[Any, ...]:
    return triggers.c.pipeline_id == trigger.pipeline_id, triggers.c.id == trigger.id
