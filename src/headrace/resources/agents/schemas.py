"""Agents on the wire."""

from typing import Annotated, Any, Literal

import msgspec

from headrace.http.paging import PageQuery

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
_Runtimes = Annotated[list[str], msgspec.Meta(max_length=100, description="names of runtime environments")]


class AgentBody(msgspec.Struct, kw_only=True):
    """The body that creates an agent."""

    name: _Name
    runtimes: _Runtimes = []


class AgentChange(msgspec.Struct, kw_only=True):
    """The body that changes an agent; what is absent stays."""

    name: _Name | None = None
    runtimes: _Runtimes | None = None


class AgentReport(msgspec.Struct, kw_only=True):
    """What an agent says of itself."""

    message: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class AgentsQuery(PageQuery, kw_only=True):
    """Which agents."""

    name: Annotated[str, msgspec.Meta(description="only of this name")] = ""


class AgentStatusOut(msgspec.Struct, kw_only=True, rename="camel"):
    """How an agent is."""

    health_status: str
    reported_at: str | None
    message: str


class AgentOut(msgspec.Struct, kw_only=True):
    """An agent as readers see it."""

    id: str
    name: str
    runtimes: list[str]
    status: AgentStatusOut


class NewAgentOut(AgentOut, kw_only=True):
    """A new agent, with its key, which is told this once."""

    token: str


class TaskBody(msgspec.Struct, kw_only=True):
    """What an agent is asked to do: to see that a cluster answers."""

    cluster: Annotated[str, msgspec.Meta(min_length=1, max_length=255, description="id or name of a cluster")]


class TasksQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """How an agent polls."""

    wait_for_status_report: Annotated[
        bool, msgspec.Meta(description="tasks are told until they are reported in any case")
    ] = False


class TaskMetadataOut(msgspec.Struct, kw_only=True, rename="camel"):
    """About a task."""

    created_at: str
    re_name: Annotated[str, msgspec.Meta(description="a runtime environment of the agent")]
    workflow_id: str
    current_status_revision: int
    should_report_status: bool


class TaskOut(msgspec.Struct, kw_only=True, rename={"id": "_id"}):
    """A task as its agent reads it."""

    id: str
    type: str
    metadata: TaskMetadataOut
    spec: Annotated[
        dict[str, Any],
        msgspec.Meta(
            description="``proxy`` with ``params``: url, method, token; the token for the agent alone"
        ),
    ]


class TaskReport(msgspec.Struct, kw_only=True, rename="camel"):
    """What became of a task."""

    status: Literal["Success", "Error"]
    status_revision: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)] = 1
    occurred_at: Annotated[str, msgspec.Meta(max_length=64)] = ""
    is_retriable: bool = False
    reason: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class TaskStatusOut(
    msgspec.Struct,
    kw_only=True,
    rename={"id": "_id", "created_at": "createdAt", "reported_at": "reportedAt"},
):
    """A task as those see it who have asked for it."""

    id: str
    type: str
    cluster: str
    status: Annotated[str, msgspec.Meta(description="Pending, Success, Error, or Expired without a report")]
    reason: str
    created_at: str
    reported_at: str | None
