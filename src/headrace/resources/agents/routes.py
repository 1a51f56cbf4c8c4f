"""The operations of runner agents."""

from typing import Any

from headrace.http.auth import Caller
from headrace.http.paging import Pages
from headrace.http.routing import Connection, Example, Router
from headrace.http.scopes import Scope
from headrace.kit.crypto import SecretBox
from headrace.resources.agents import service, tasks
from headrace.resources.agents.schemas import (
    AgentBody,
    AgentChange,
    AgentOut,
    AgentReport,
    AgentsQuery,
    NewAgentOut,
    TaskBody,
    TaskOut,
    TaskReport,
    TasksQuery,
    TaskStatusOut,
)

router = Router("/agents", tag="agents")
_one = Router("/agent", tag="agents")


@router.route("GET", "", scope=Scope.AGENT_READ, sdk="agents.list", operation="agents-byName")
def list_agents(query: AgentsQuery, caller: Caller, db: Connection, pages: Pages) -> list[AgentOut]:
    """List the runner agents of the account by name."""
    return service.listed(db, caller.account_id, query.name, pages)


@router.route(
    "POST",
    "",
    scope=Scope.AGENT_WRITE,
    sdk="agents.create",
    operation="agent-create",
    example=Example(body={"name": "my-agent", "runtimes": ["default"]}),
)
def create_agent(body: AgentBody, caller: Caller, db: Connection) -> NewAgentOut:
    """Create a runner agent; its key is told this once.

    The key may read and report for agents. Agents get tasks and no builds: those run on workers.
    """
    return service.create(db, caller, body)


@router.route(
    "GET",
    "/name/{name}",
    scope=Scope.AGENT_READ,
    sdk="agents.getByName",
    operation="agent-byName",
    example=Example(path={"name": "runner"}),
)
def get_agent_by_name(name: str, caller: Caller, db: Connection) -> AgentOut:
    """Get a runner agent by its name."""
    return service.by_name(db, caller.account_id, name)


@_one.route("GET", "/{agentId}", scope=Scope.AGENT_READ, sdk="agents.get", operation="agent-list")
def get_agent(agentId: str, caller: Caller, db: Connection) -> AgentOut:  # noqa: N803 - the wire name
    """Get a runner agent by its id."""
    return service.shown(db, caller.account_id, agentId)


@_one.route(
    "PUT",
    "/{agentId}",
    scope=Scope.AGENT_WRITE,
    sdk="agents.update",
    operation="agents-replace",
    example=Example(body={"runtimes": ["default"]}),
)
def update_agent(agentId: str, body: AgentChange, caller: Caller, db: Connection) -> AgentOut:  # noqa: N803
    """Rename a runner agent, or change which environments it serves."""
    return service.change(db, caller.account_id, agentId, body)


@_one.route("DELETE", "/{agentId}", scope=Scope.AGENT_WRITE, sdk="agents.delete", operation="agent-delete")
def delete_agent(agentId: str, caller: Caller, db: Connection) -> dict[str, Any]:  # noqa: N803
    """Delete a runner agent and end its key."""
    service.delete(db, caller.account_id, agentId)
    return {}


@_one.route(
    "PUT",
    "/{agentId}/status",
    scope=Scope.AGENT_WRITE,
    sdk="agents.report",
    example=Example(body={"message": "All good"}),
)
def report_agent(agentId: str, body: AgentReport, caller: Caller, db: Connection) -> AgentOut:  # noqa: N803
    """Say that a runner agent lives.

    Without a report for two minutes it counts as unhealthy.
    """
    return service.report(db, caller.account_id, agentId, body)


@_one.route("GET", "/{agentId}/tasks", scope=Scope.AGENT_READ, sdk="agents.tasks")
def list_agent_tasks(
    agentId: str,  # noqa: N803 - the wire name
    query: TasksQuery,  # noqa: ARG001 - agents send it; it changes nothing
    caller: Caller,
    db: Connection,
    box: SecretBox,
) -> list[TaskOut]:
    """Get the tasks of a runner agent that wait for a report, the oldest first.

    The login in a task is shown to the agent's own key alone. Builds are no tasks: they run on the workers
    of this server; start ``headrace worker`` where they are to run.
    """
    return tasks.told(db, box, caller, agentId)


@_one.route(
    "POST",
    "/{agentId}/tasks",
    scope=Scope.AGENT_WRITE,
    sdk="agents.createTask",
    admin=True,
    example=Example(body={"cluster": "prod"}),
)
def create_agent_task(
    agentId: str,  # noqa: N803 - the wire name
    body: TaskBody,
    caller: Caller,
    db: Connection,
    box: SecretBox,
) -> TaskStatusOut:
    """Ask a runner agent to see that a cluster answers and knows its login.

    For clusters that this server cannot reach. The agent reports within ten minutes, or the task expires.
    """
    return tasks.create(db, box, caller.account_id, agentId, body)


@_one.route("GET", "/{agentId}/tasks/{task}", scope=Scope.AGENT_READ, sdk="agents.getTask")
def get_agent_task(agentId: str, task: str, caller: Caller, db: Connection) -> TaskStatusOut:  # noqa: N803
    """Get what became of a task of a runner agent; it is kept for a week."""
    return tasks.shown(db, caller.account_id, agentId, task)


@_one.route(
    "POST",
    "/{agentId}/tasks/{task}/statuses",
    scope=Scope.AGENT_WRITE,
    sdk="agents.reportTask",
    example=Example(body={"status": "Success", "statusRevision": 1}),
)
def report_agent_task(
    agentId: str,  # noqa: N803 - the wire name
    task: str,
    body: TaskReport,
    caller: Caller,
    db: Connection,
) -> TaskStatusOut:
    """Report what became of a task, with the agent's own key.

    The same report again changes nothing; an error with ``isRetriable`` leaves the task with the agent.
    """
    return tasks.report(db, caller, agentId, task, body)
