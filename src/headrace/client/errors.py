"""What a call to the API can fail with; every message is safe to print: no key is in it."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """The server answered with an error status.

    Attributes:
        status: the HTTP status.
        message: the ``message`` of a JSON error body, else the body's text, else the status.
        code: the server's own number for this kind of error, a text; empty where it gave none.
        context: what the server adds for programs, for example ``missingScopes``.
        retry_after_s: how long the server asks to wait before the next request; None where it does not.
        is_json: the answer had the form of an API error; else something other than the API answered.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        context: dict[str, Any] | None = None,
        retry_after_s: float | None = None,
        is_json: bool = True,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code
        self.context = context or {}
        self.retry_after_s, self.is_json = retry_after_s, is_json


class BadRequest(ApiError):
    """400: the body or a parameter has the wrong shape; the message names the place."""


class Unauthorized(ApiError):
    """401: no key, or one that is unknown, revoked or expired."""


class Forbidden(ApiError):
    """403: the key is good, but may not do this."""

    @property
    def missing_scopes(self) -> tuple[str, ...]:
        """The scopes that the key lacks, for example ``("pipeline:run",)``; may be empty."""
        found = self.context.get("missingScopes")
        return tuple(map(str, found)) if isinstance(found, list) else ()


class NotFound(ApiError):
    """404: there is no such object in this account."""


class Conflict(ApiError):
    """409: a name is taken, or a state forbids it."""


class TooManyRequests(ApiError):
    """429: over the limit of the key; ``retry_after_s`` says how long to wait."""


class NotOffered(ApiError):
    """501: an operation of the public API that this server does not carry out."""


class ServerError(ApiError):
    """Any other status from 500 on: the server itself failed."""


KINDS = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: TooManyRequests,
    501: NotOffered,
}


class Unreachable(Exception):
    """No answer came after all attempts; says which server and why. The last cause is ``__cause__``."""


class TimedOut(Exception):
    """A wait was longer than its caller allows; the build goes on."""
