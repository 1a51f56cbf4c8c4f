"""Agents on the wire."""

from typing import Annotated

import msgspec

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


class AgentsQuery(msgspec.Struct, kw_only=True):
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
