"""The rows of agents."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from headrace.http.paging import Pages
from headrace.resources.agents.model import agent_tasks, agents


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """One agent."""

    id: str
    account_id: str
    name: str
    runtimes: list[str]
    key_id: str
    message: str
    reported_at: datetime | None
    created_at: datetime


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Something that an agent is asked to do."""

    id: str
    account_id: str
    agent_id: str
    type: str
    cluster: str
    spec: str
    status: str
    revision: int
    reason: str
    created_at: datetime
    reported_at: datetime | None


def listed(db: Connection, account_id: str, pages: Pages | None = None, *, name: str = "") -> list[Agent]:
    """Return the agents of an account by name; only of one name where it is given."""
    query = select(agents).where(agents.c.account_id == account_id)
    if name:
        query = query.where(agents.c.name == name)
    return [Agent(**row) for row in (pages or Pages()).read(db, query, agents.c.name, agents.c.id)]


def by_id(db: Connection, account_id: str, agent_id: str) -> Agent | None:
    """Find an agent of an account."""
    query = select(agents).where(agents.c.account_id == account_id, agents.c.id == agent_id)
    row = db.execute(query).mappings().first()
    return Agent(**row) if row else None


def add(db: Connection, agent: Agent) -> None:
    """Store a new agent. Raises `sqlalchemy.exc.IntegrityError` where the name is taken."""
    db.execute(insert(agents).values(msgspec.structs.asdict(agent)))


def change(db: Connection, account_id: str, agent_id: str, **values: Any) -> None:  # noqa: ANN401 - of any column
    """Change an agent. Raises `sqlalchemy.exc.IntegrityError` where the new name is taken."""
    same = (agents.c.account_id == account_id, agents.c.id == agent_id)
    db.execute(update(agents).where(*same).values(**values))


def remove(db: Connection, account_id: str, agent_id: str) -> None:
    """Delete an agent."""
    db.execute(delete(agents).where(agents.c.account_id == account_id, agents.c.id == agent_id))


def tasks_of(db: Connection, account_id: str, agent_id: str) -> list[Task]:
    """Return the tasks of an agent, the oldest first; those that are kept, some hundreds at most."""
    query = (
        select(agent_tasks)
        .where(agent_tasks.c.account_id == account_id, agent_tasks.c.agent_id == agent_id)
        .order_by(agent_tasks.c.created_at, agent_tasks.c.id)
    )
    return [Task(**row) for row in db.execute(query).mappings()]


def add_task(db: Connection, task: Task) -> None:
    """Store a new task."""
    db.execute(insert(agent_tasks).values(msgspec.structs.asdict(task)))


def change_task(db: Connection, account_id: str, task_id: str, **values: Any) -> None:  # noqa: ANN401 - of any column
    """Change a task."""
    same = (agent_tasks.c.account_id == account_id, agent_tasks.c.id == task_id)
    db.execute(update(agent_tasks).where(*same).values(**values))


def forget_tasks(db: Connection, account_id: str, *, before: datetime) -> None:
    """Delete the tasks of an account that are older."""
    old = (agent_tasks.c.account_id == account_id, agent_tasks.c.created_at < before)
    db.execute(delete(agent_tasks).where(*old))
