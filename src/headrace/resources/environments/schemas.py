"""Environments on the wire."""

from datetime import datetime
from typing import Literal

import msgspec

from headrace.runtimes.base import LaunchedService

Status = Literal["creating", "running", "paused", "stopped", "error"]
Wish = Literal["", "start", "stop", "pause", "unpause", "terminate"]


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """One environment."""

    id: str
    account_id: str
    name: str
    status: Status
    wish: Wish
    reason: str
    engine: str
    composition: str
    entry_point: str
    services: tuple[LaunchedService, ...]
    build_id: str
    repo: str
    branch: str
    revision: str
    created_at: datetime
    wished_at: datetime


class InstanceOut(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """One service of an environment."""

    service_name: str
    image: str
    status: str  # ``running``, ``paused`` or ``stopped``
    exit_code: int | None = None  # of one that has ended
    urls: dict[str, str]  # ``127.0.0.1:32768`` by ``80/tcp``: ports that are open
    sha: str
    branch: str
    repo_name: str


class EnvironmentOut(msgspec.Struct, kw_only=True, rename="camel"):
    """An environment as readers see it."""

    id: str = msgspec.field(name="_id")
    name: str
    status: str  # ``running`` …, or what is being done: ``stopping``
    creation_status: str  # the same in the words of existing clients: ``inProgress``, ``done`` …
    reason: str
    composition: str
    entry_point: str
    build_id: str
    instances: list[InstanceOut]
    created: str


class StatusOut(msgspec.Struct, kw_only=True, rename="camel"):
    """What an environment does now."""

    id: str = msgspec.field(name="_id")
    name: str
    status: str
    reason: str
