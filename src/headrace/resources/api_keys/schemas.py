"""API keys on the wire, where they are also called tokens."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
ScopeIds = Annotated[
    list[str], msgspec.Meta(description="ids of scopes; empty for all that the user may do", max_length=200)
]


class NewKey(msgspec.Struct, rename="camel"):
    """The body that generates a key."""

    name: Name
    scopes: ScopeIds | None = None
    expires_at: Annotated[datetime, msgspec.Meta(tz=True, description="when the key ends")] | None = None


class KeyChange(msgspec.Struct):
    """The parts of a key to change; what is absent stays."""

    name: Name | UnsetType = UNSET
    scopes: ScopeIds | UnsetType = UNSET


class SubjectOut(msgspec.Struct):
    """Who or what a key stands for."""

    type: str
    ref: str


class SnapshotOut(msgspec.Struct, rename={"id": "_id"}):
    """The scopes of a key as they are now."""

    id: str
    scopes: list[str]
    date: str


class KeyOut(
    msgspec.Struct,
    kw_only=True,
    rename={
        "id": "_id",
        "token_prefix": "tokenPrefix",
        "scope_snapshot": "scopeSnapshot",
        "expires_at": "expiresAt",
        "last_used_at": "lastUsedAt",
    },
):
    """A key as readers see it; never with its secret."""

    id: str
    name: str
    token_prefix: str
    created: str
    scopes: list[str] | UnsetType = UNSET  # absent: all that the user may do
    subject: SubjectOut
    scope_snapshot: SnapshotOut
    expires_at: str | None
    last_used_at: str | None


ScopeGroups = dict[str, dict[str, str]]
Empty = dict[str, Any]
