"""Who is calling, and how a request says so."""

from collections.abc import Iterable, Mapping
from typing import Literal, Protocol

import msgspec
from sqlalchemy import Connection

from headrace.http.scopes import grants

SESSION_COOKIE = "headrace_session"
PAGE_HEADER = "x-headrace-page"  # what only a page of ours can send along with the cookie


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
    by_cookie: bool = False  # a browser adds it by itself, whoever made it ask


class Authenticate(Protocol):
    """Finds the caller behind a credential; filled by `resources.api_keys.service`."""

    def __call__(self, db: Connection, credential: Credential, /) -> Caller | None:
        """Return the caller; None for an unknown, revoked or expired credential."""


def credential_of(
    headers: Iterable[tuple[bytes, bytes]], query: Mapping[str, list[str]]
) -> Credential | None:
    """Find the credential of a request.

    ``Authorization: <key>`` (or ``Bearer <key>``) is a key; ``x-access-token`` a session. The
    query value ``authorization`` serves the log socket, whose clients cannot send headers. The
    cookie of the pages counts where nothing else is given.
    """
    session = cookie = None
    for name, value in headers:
        if name == b"authorization":
            text = value.decode("latin-1").strip()
            if text[:7].lower() == "bearer ":
                text = text[7:].lstrip()
            if text:
                return Credential("api-key", text)
        elif name == b"x-access-token":
            session = value.decode("latin-1").strip()
        elif name == b"cookie":
            cookie = cookie or _session_in(value.decode("latin-1"))
    if session:
        return Credential("session", session)
    given = query.get("authorization")
    if given and given[0]:
        return Credential("api-key", given[0])
    return Credential("session", cookie, by_cookie=True) if cookie else None


def session_cookie(token: str, *, secure: bool) -> str:
    """Return the header value that gives a browser its session; an empty token takes it away.

    No script can read it, and other sites' requests do not carry it.
    """
    parts = [f"{SESSION_COOKIE}={token}", "Path=/", "HttpOnly", "SameSite=Lax"]
    if secure:
        parts.append("Secure")
    if not token:
        parts.append("Max-Age=0")
    return "; ".join(parts)


def _session_in(cookies: str) -> str | None:
    for pair in cookies.split(";"):
        name, _, value = pair.strip().partition("=")
        if name == SESSION_COOKIE and value:
            return value
    return None
