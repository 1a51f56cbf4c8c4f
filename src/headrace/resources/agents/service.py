"""Runner agents: each holds a key of its own, and is healthy while it reports.

They get tasks (`tasks`) and no builds: those run on the workers of this server.
"""

from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from headrace.http.auth import Caller
from headrace.http.errors import Conflict, NotFound
from headrace.http.paging import Pages
from headrace.http.scopes import Scope
from headrace.kit.clock import wire_time
from headrace.kit.ids import is_id, new_id
from headrace.resources.agents import repository
from headrace.resources.agents.repository import Agent
from headrace.resources.agents.schemas import (
    AgentBody,
    AgentChange,
    AgentOut,
    AgentReport,
    AgentStatusOut,
    NewAgentOut,
)
from headrace.resources.api_keys import service as api_keys
from headrace.resources.api_keys.schemas import NewKey

_HEALTHY = timedelta(minutes=2)  # since the last report


def create(db: Connection, caller: Caller, body: AgentBody) -> NewAgentOut:
    """Store a new agent and make its key.

    Raises:
        Conflict: the name is taken.
        Forbidden: the caller is a build, which makes no keys.
    """
    now = datetime.now(UTC)
    scopes = [str(scope) for scope in (Scope.AGENT_READ, Scope.AGENT_WRITE) if caller.may(scope)]
    wanted = NewKey(name=f"agent {body.name}"[:255], scopes=scopes)
    token = api_keys.generate(db, caller, wanted, now=now)
    agent = Agent(
        id=new_id(),
        account_id=caller.account_id,
        name=body.name,
        runtimes=body.runtimes,
        key_id=token.partition(".")[0],
        message="",
        reported_at=None,
        created_at=now,
    )
    try:
        with db.begin_nested():
            repository.add(db, agent)
    except IntegrityError:
        raise _taken(body.name) from None
    out = _shown(agent)
    return NewAgentOut(id=out.id, name=out.name, runtimes=out.runtimes, status=out.status, token=token)


def find(db: Connection, account_id: str, agent_id: str) -> Agent:
    """Find an agent by its id. Raises `NotFound`."""
    agent = repository.by_id(db, account_id, agent_id) if is_id(agent_id) else None
    if agent is None:
        raise NotFound(f"could not find the agent {agent_id!r}")
    return agent


def shown(db: Connection, account_id: str, agent_id: str) -> AgentOut:
    """Return an agent by its id. Raises `NotFound`."""
    return _shown(find(db, account_id, agent_id))


def by_name(db: Connection, account_id: str, name: str) -> AgentOut:
    """Return an agent by its name. Raises `NotFound`."""
    found = repository.listed(db, account_id, name=name)
    if not found:
        raise NotFound(f"could not find an agent named {name!r}")
    return _shown(found[0])


def listed(db: Connection, account_id: str, name: str, pages: Pages) -> list[AgentOut]:
    """Return the agents of an account by name."""
    return [_shown(one) for one in repository.listed(db, account_id, pages, name=name)]


def change(db: Connection, account_id: str, agent_id: str, body: AgentChange) -> AgentOut:
    """Rename an agent, or change which environments it serves.

    Raises:
        NotFound: there is no such agent.
        Conflict: the new name is taken.
    """
    agent = find(db, account_id, agent_id)
    values = {key: value for key, value in msgspec.structs.asdict(body).items() if value is not None}
    try:
        with db.begin_nested():
            if values:
                repository.change(db, account_id, agent.id, **values)
    except IntegrityError:
        raise _taken(body.name or "") from None
    return shown(db, account_id, agent_id)


def report(db: Connection, account_id: str, agent_id: str, body: AgentReport) -> AgentOut:
    """Note that an agent lives. Raises `NotFound`."""
    agent = find(db, account_id, agent_id)
    repository.change(db, account_id, agent.id, message=body.message, reported_at=datetime.now(UTC))
    return shown(db, account_id, agent_id)


def delete(db: Connection, account_id: str, agent_id: str) -> None:
    """Delete an agent and end its key. Raises `NotFound`."""
    agent = find(db, account_id, agent_id)
    repository.remove(db, account_id, agent.id)
    try:
        api_keys.revoke_any(db, account_id, agent.key_id)
    except NotFound:  # somebody revoked it before
        return


def _shown(agent: Agent) -> AgentOut:
    reported = agent.reported_at
    healthy = reported is not None and datetime.now(UTC) - reported <= _HEALTHY
    return AgentOut(
        id=agent.id,
        name=agent.name,
        runtimes=agent.runtimes,
        status=AgentStatusOut(
            health_status="healthy" if healthy else "unhealthy",
            reported_at=None if reported is None else wire_time(reported),
            message=agent.message,
        ),
    )


def _taken(name: str) -> Conflict:
    return Conflict(f"an agent named {name!r} exists already")
