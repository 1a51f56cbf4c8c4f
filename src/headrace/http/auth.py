"""Who is calling, and how a request says so."""

from collections.abc import Iterable, Mapping
from typing import Literal, Protocol

import msgspec
from sqlalchemy import Connection

from headrace.http.scopes import grants


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """The principal of a request: a user, or a build, in one account."""

    account_id: str
    account_name: str
    user_id: str
    user_name: str
    kind: Literal["api-key", "session"]
    key_id: str | None = None
    build_id: str | None = None  # a key that a build holds
    scopes: frozenset[str] | None = None  # None: everything that the user may do
    is_account_admin: bool = False
    is_platform_admin: bool = False

    def may(self, scope: str) -> bool:
        """Tell whether the scopes of the key grant ``scope``."""
        return grants(self.scopes, scope)


class Credential(msgspec.Struct, frozen=True):
    """What a request brought to show who it is."""

    kind: Literal["api-key", "session"]
    text: str


class Authenticate(Protocol):
    """Finds the caller behind a credential; filled by `resources.api_keys.service`."""

    def __call__(self, db: Connection, credential: Credential, /) -> Caller | None:
        """Return the caller; None for an unknown, revoked or expired credential."""


def credential_of(
    headers: Iterable[tuple[bytes, bytes]], query: Mapping[str, list[str]]
) -> Credential | None:
    """Find the credential of a request.

    ``Authorization: <key>`` (or ``Bearer <key>``) is a key; ``x-access-token`` a session. The
    query value ``authorization`` serves the log socket, whose clients cannot send headers.
    """
    session = None
    for name, value in headers:
        if name == b"authorization":
            text = value.decode("latin-1").strip()
            if text[:7].lower() == "bearer ":
                text = text[7:].lstrip()
            if text:
                return Credential("api-key", text)
        elif name == b"x-access-token":
            session = value.decode("latin-1").strip()
    if session:
        return Credential("session", session)
    given = query.get("authorization")
    return Credential("api-key", given[0]) if given and given[0] else None
