"""Runtime environments on the wire."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from headrace.http.paging import OffsetQuery

DEFAULT = "default"  # the environment that is there before any worker reports


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """One process that runs builds, as it reported itself last."""

    id: str
    environment: str
    runtime: str
    host: str
    capacity: int
    running: int
    started_at: datetime
    seen_at: datetime


class EnvironmentsQuery(OffsetQuery, kw_only=True, rename="camel"):
    """A page of runtime environments."""


class EnvironmentQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """How to show one runtime environment."""

    extend: Annotated[bool, msgspec.Meta(description="sent by clients, has no effect")] = False
    version: Annotated[int, msgspec.Meta(ge=1, description="an earlier version")] | None = None
    history: Annotated[bool, msgspec.Meta(description="answer all versions, the oldest first")] = False


class UpdateQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """What an update says beside its body."""

    description: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    extend: Annotated[list[str], msgspec.Meta(max_length=20, description="names to extend")] = []


class DeleteQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """How to delete."""

    force: Annotated[bool, msgspec.Meta(description="although workers serve it")] = False


class AccountsBody(msgspec.Struct, kw_only=True):
    """Whose environment it is about."""

    accounts: Annotated[list[str], msgspec.Meta(max_length=1000, description="ids")]


class WorkerOut(msgspec.Struct, kw_only=True, rename="camel"):
    """One worker of an environment."""

    id: str
    runtime: str
    host: str
    capacity: int
    running: int
    started_at: str
    seen_at: str
    alive: bool


class BaseImageOut(msgspec.Struct):
    """An image that the engine itself uses."""

    component: str
    image: str


Document = dict[str, Any]
