"""What an agent is asked to do from where it stands: to see that a cluster behind a firewall answers.

Source: the tasks of Codefresh's runner agent; of its kinds this server gives ``AgentTask`` with ``proxy``,
one HTTP request. A task is told at each poll until it is reported; one that nobody reports expires.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection

from headrace.http.auth import Caller
from headrace.http.errors import BadRequest, Conflict, Forbidden, NotFound
from headrace.kit.clock import wire_time
from headrace.kit.crypto import SecretBox
from headrace.kit.ids import new_id
from headrace.resources.agents import repository, service
from headrace.resources.agents.repository import Agent, Task
from headrace.resources.agents.schemas import (
    TaskBody,
    TaskMetadataOut,
    TaskOut,
    TaskReport,
    TaskStatusOut,
)
from headrace.resources.clusters import service as clusters

MASK = "*****"
_LIFETIME = timedelta(minutes=10)  # without a report
_KEPT = timedelta(days=7)
_MOST_OPEN = 100  # of one agent
_PENDING, _EXPIRED, _ERROR = "Pending", "Expired", "Error"


def create(db: Connection, box: SecretBox, account_id: str, agent_id: str, body: TaskBody) -> TaskStatusOut:
    """Ask an agent to see that a cluster answers and knows its login.

    Raises:
        NotFound: there is no such agent or cluster.
        BadRequest: the login of the cluster is no token, and agents send nothing else.
        Conflict: the agent has too many tasks already.
    """
    agent, now = service.find(db, account_id, agent_id), datetime.now(UTC)
    name, login = clusters.login(db, box, account_id, body.cluster)
    if not login.token:
        raise BadRequest(f"cluster: the login of {name!r} is a certificate; agents send tokens alone")
    repository.forget_tasks(db, account_id, before=now - _KEPT)
    if len(_open_tasks(db, agent, now)) >= _MOST_OPEN:
        raise Conflict(f"agent {agent.name!r} has {_MOST_OPEN} tasks already; see that it runs")
    params = {"url": f"{login.url.rstrip('/')}/version", "method": "GET", "token": login.token}
    spec = msgspec.json.encode({"type": "proxy", "params": params}).decode()
    task = Task(
        id=new_id(),
        account_id=account_id,
        agent_id=agent.id,
        type="AgentTask",
        cluster=name,
        spec=box.seal(spec, account_id),
        status=_PENDING,
        revision=0,
        reason="",
        created_at=now,
        reported_at=None,
    )
    repository.add_task(db, task)
    return _status(task, now)


def told(db: Connection, box: SecretBox, caller: Caller, agent_id: str) -> list[TaskOut]:
    """Return the tasks that wait for a report, the oldest first; logins only to the agent's own key.

    Raises:
        NotFound: there is no such agent.
    """
    agent = service.find(db, caller.account_id, agent_id)
    return [
        TaskOut(
            id=task.id,
            type=task.type,
            metadata=TaskMetadataOut(
                created_at=wire_time(task.created_at),
                re_name=next(iter(agent.runtimes), ""),
                workflow_id="",
                current_status_revision=task.revision,
                should_report_status=True,
            ),
            spec=_spec(box, task, is_agent=caller.key_id == agent.key_id),
        )
        for task in _open_tasks(db, agent, datetime.now(UTC))
    ]


def report(db: Connection, caller: Caller, agent_id: str, task_id: str, body: TaskReport) -> TaskStatusOut:
    """Note what became of a task. The same again, and an older revision, change nothing.

    An error that may be tried again leaves the task with the agent.

    Raises:
        Forbidden: the caller is not this agent.
        NotFound: there is no such agent or task.
    """
    agent = service.find(db, caller.account_id, agent_id)
    if caller.key_id != agent.key_id:
        raise Forbidden(f"only the key of the agent {agent.name!r} reports for its tasks")
    task, now = _find(db, agent, task_id), datetime.now(UTC)
    if body.status_revision > task.revision and task.status == _PENDING:
        again = body.status == _ERROR and body.is_retriable
        repository.change_task(
            db,
            agent.account_id,
            task.id,
            status=_PENDING if again else body.status,
            revision=body.status_revision,
            reason=body.reason,
            reported_at=now,
        )
    return _status(_find(db, agent, task_id), now)


def shown(db: Connection, account_id: str, agent_id: str, task_id: str) -> TaskStatusOut:
    """Return what became of a task. Raises `NotFound`."""
    return _status(_find(db, service.find(db, account_id, agent_id), task_id), datetime.now(UTC))


def _open_tasks(db: Connection, agent: Agent, now: datetime) -> list[Task]:
    found = repository.tasks_of(db, agent.account_id, agent.id)
    return [task for task in found if _state(task, now) == _PENDING]


def _state(task: Task, now: datetime) -> str:
    return _EXPIRED if task.status == _PENDING and now - task.created_at > _LIFETIME else task.status


def _find(db: Connection, agent: Agent, task_id: str) -> Task:
    task = next(
        (one for one in repository.tasks_of(db, agent.account_id, agent.id) if one.id == task_id), None
    )
    if task is None:
        raise NotFound(f"could not find the task {task_id!r} of agent {agent.name!r}")
    return task


def _spec(box: SecretBox, task: Task, *, is_agent: bool) -> dict[str, Any]:
    spec: dict[str, Any] = msgspec.json.decode(box.open(task.spec, task.account_id))
    if not is_agent:
        spec["params"]["token"] = MASK
    return spec


def _status(task: Task, now: datetime) -> TaskStatusOut:
    return TaskStatusOut(
        id=task.id,
        type=task.type,
        cluster=task.cluster,
        status=_state(task, now),
        reason=task.reason,
        created_at=wire_time(task.created_at),
        reported_at=None if task.reported_at is None else wire_time(task.reported_at),
    )
