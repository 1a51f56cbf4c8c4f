"""The audit log on the wire."""

from typing import Annotated, Literal

import msgspec

_Text = Annotated[str, msgspec.Meta(max_length=255)]
_Day = Annotated[
    str,
    msgspec.Meta(
        description="``2026-01-31``, a whole day of UTC, or a moment of RFC 3339",
        pattern=r"^\d{4}-\d{2}-\d{2}(T[0-9:.]+(Z|[+-]\d{2}:\d{2}))?$",
    ),
]


class AuditQuery(
    msgspec.Struct,
    kw_only=True,
    rename={
        "user_name": "userName",
        "user_id": "userId",
        "entity_id": "entityId",
        "since": "from",
        "until": "to",
        "show_triggers": "showTriggers",
    },
):
    """Which entries of the log."""

    user_name: _Text = ""
    user_id: _Text = ""
    entity: Annotated[str, msgspec.Meta(max_length=64, description="the kind of thing: ``pipelines``")] = ""
    entity_id: Annotated[str, msgspec.Meta(max_length=255, description="id or name, as it was called")] = ""
    action: Annotated[str, msgspec.Meta(max_length=64, description="sdk name: ``pipelines.create``")] = ""
    rs_status: Annotated[int | None, msgspec.Meta(description="status of the answer")] = None
    search: Annotated[
        str, msgspec.Meta(max_length=255, description="a part of user, action or entity id")
    ] = ""
    since: _Day | None = None
    until: Annotated[_Day | None, msgspec.Meta(description="as from; a day counts to its end")] = None
    show_triggers: Annotated[bool, msgspec.Meta(description="triggers are always shown")] = True


class AuditPageQuery(AuditQuery, kw_only=True):
    """A page of the log."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    before: (
        Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{24}$", description="``next`` of the last page")] | None
    ) = None


class AuditFileQuery(AuditQuery, kw_only=True, rename={"sort_field": "sortField", "sort_type": "sortType"}):
    """The log as a file."""

    sort_field: Literal["id", "createdAt", "updatedAt"] = "createdAt"
    sort_type: Annotated[
        Literal["ASK", "DESK", "ASC", "DESC"], msgspec.Meta(description="DESK: the newest first")
    ] = "DESK"


class AuditEntryOut(msgspec.Struct, kw_only=True, rename="camel"):
    """One call that wrote, or would have."""

    id: str
    created_at: str
    user_id: str
    user_name: str
    key_id: Annotated[str | None, msgspec.Meta(description="of the API key; null in a session")]
    build_id: Annotated[str | None, msgspec.Meta(description="of the build that held the key")]
    action: str
    entity: str
    entity_id: str
    method: str
    path: str
    status: int
    address: str
    user_agent: str


class AuditPageOut(msgspec.Struct, kw_only=True):
    """A page of the log, the newest first."""

    docs: list[AuditEntryOut]
    next: Annotated[str | None, msgspec.Meta(description="give it as ``before``; null at the end")]
