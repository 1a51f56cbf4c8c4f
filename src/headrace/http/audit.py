"""What is noted of a call that writes: who, what, when, from where, and how it ended; never what it said.

Neither body nor query is kept: both may hold secrets. A call that did its work is noted by the transaction
that did it, a refused one by a transaction of its own. What only says that something lives is left out.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from headrace.http.auth import Caller
from headrace.http.routing import Route
from headrace.kit.ids import is_id

_LONGEST = 255
_SIGNS_OF_LIFE = frozenset({"agents.report"})  # several a minute, and nothing changes by them
TOO_MANY = 429  # a refusal that costs less than its note


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One call."""

    caller: Caller
    action: str  # ``pipelines.create``
    entity: str  # the kind of thing: ``pipelines``
    entity_id: str  # the values of the path, joined by spaces; of what was made, its id
    method: str
    path: str  # as declared: ``/pipelines/{name:path}``
    status: int
    address: str
    user_agent: str


class Audit(Protocol):
    """Keeps the log; filled by `resources.audit.service`."""

    def note(self, db: Connection, entry: Entry, /) -> None:
        """Add an entry, in a transaction."""


def is_noted(route: Route, status: int) -> bool:
    """Tell whether calls of an operation are noted."""
    return route.effect and route.sdk not in _SIGNS_OF_LIFE and status != TOO_MANY


def entry_of(
    route: Route,
    parameters: Mapping[str, str],
    caller: Caller,
    *,
    status: int,
    content: bytes,
    address: str,
    user_agent: str,
) -> Entry:
    """Return what is noted of a call.

    Args:
        route: the operation.
        parameters: of its path, decoded.
        caller: who called.
        status: of the answer.
        content: of the answer; only an id is taken from it.
        address: where the request came from.
        user_agent: what the client says of itself.
    """
    return Entry(
        caller=caller,
        action=route.sdk,
        entity=route.tag,
        entity_id=" ".join(parameters.values())[:_LONGEST] or _made(content),
        method=route.method,
        path=route.path,
        status=status,
        address=address,
        user_agent="".join(sign for sign in user_agent if sign.isprintable())[:_LONGEST],
    )


class _Metadata(msgspec.Struct):
    id: str = ""


class _Made(msgspec.Struct):
    """Where the id of something new stands in an answer."""

    id: str = ""
    mongo_id: str = msgspec.field(default="", name="_id")
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


def _made(content: bytes) -> str:
    """Return the id in the answer of a call that made something; empty where it has none."""
    try:
        found = msgspec.json.decode(content, type=_Made)
    except (msgspec.MsgspecError, UnicodeDecodeError):  # another form: a key, a list, a page
        return ""
    return next((one for one in (found.id, found.mongo_id, found.metadata.id) if is_id(one)), "")
