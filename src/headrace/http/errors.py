"""The errors of the API. A service raises them; only `http.server` turns them into JSON.

The body is that of the public API: ``{"status", "code", "name", "message", "context"}``.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class ApiError(Exception):
    """An answer that is not a success. Messages: lower case, no full stop, with place and cure."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "5000"
    name: ClassVar[str] = "INTERNAL_ERROR"
    headers: Mapping[str, str] = {}  # of the answer, beside those that all have

    def __init__(self, message: str, **context: Any) -> None:  # noqa: ANN401 - JSON values
        super().__init__(message)
        self.message = message
        self.context = context

    def body(self) -> dict[str, Any]:
        """Return the JSON body."""
        return {
            "status": self.status,
            "code": self.code,
            "name": self.name,
            "message": self.message,
            "context": self.context,
        }


class BadRequest(ApiError):
    """The body, a parameter or a spec has the wrong shape."""

    status, code, name = 400, "1000", "BAD_REQUEST"


class Unauthenticated(ApiError):
    """No key, or one that is unknown, revoked or expired."""

    status, code, name = 401, "1001", "UNAUTHORIZED"
    headers = {"WWW-Authenticate": "ApiKey"}  # noqa: RUF012 - never changed


class Forbidden(ApiError):
    """The key is valid but may not do this."""

    status, code, name = 403, "1003", "FORBIDDEN"


class NotFound(ApiError):
    """There is no such object, or it belongs to another account.

    Say ``could not find …``: the official client looks for the words ``not find``.
    """

    status, code, name = 404, "1004", "NOT_FOUND"


class MethodNotAllowed(ApiError):
    """The path exists, not with this method."""

    status, code, name = 405, "1005", "METHOD_NOT_ALLOWED"


class Conflict(ApiError):
    """The request is well formed, but a name is taken or a state forbids it."""

    status, code, name = 409, "1009", "CONFLICT"


class PreconditionFailed(ApiError):
    """The document is not the one that the client has seen; nothing was written."""

    status, code, name = 412, "1012", "PRECONDITION_FAILED"


class BodyTooLarge(ApiError):
    """The body is over the limit; it was not read."""

    status, code, name = 413, "1013", "PAYLOAD_TOO_LARGE"


class UriTooLong(ApiError):
    """The address is over the limit; who hears it does so before the API."""

    status, code, name = 414, "1014", "URI_TOO_LONG"


class Reused(ApiError):
    """The idempotency key was sent before, with another request."""

    status, code, name = 422, "1022", "IDEMPOTENCY_KEY_REUSED"


class TooManyRequests(ApiError):
    """Too much was asked in too short a time; ``Retry-After`` says when to go on."""

    status, code, name = 429, "1029", "TOO_MANY_REQUESTS"

    def __init__(self, message: str, *, headers: Mapping[str, str]) -> None:
        super().__init__(message)
        self.headers = headers


class HeadersTooLarge(ApiError):
    """The headers are over the limit; who hears them does so before the API."""

    status, code, name = 431, "1031", "REQUEST_HEADER_FIELDS_TOO_LARGE"


class Unavailable(ApiError):
    """The database is away or full; the same request may go well a moment later."""

    status, code, name = 503, "1503", "SERVICE_UNAVAILABLE"
    headers = {"Retry-After": "5"}  # noqa: RUF012 - never changed


class NotOffered(ApiError):
    """The operation belongs to the public API, but this server does not carry it out."""

    status, code, name = 501, "1501", "NOT_IMPLEMENTED"
