"""Pages of other origins that may call the API from a browser: none, unless a setting names them.

They send keys, never cookies: no answer allows credentials.
"""

from collections.abc import Sequence

Headers = list[tuple[bytes, bytes]]
_READABLE = (
    b"ETag, Idempotency-Replayed, Link, Location, "
    b"RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After"
)
_SENDABLE = (
    b"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, x-access-token"
)
_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
_KEPT_S = b"600"


class Cors:
    """The origins that may call, for example ``https://portal.example.org``; ``*`` is any."""

    def __init__(self, origins: Sequence[str] = ()) -> None:
        self._origins = frozenset(origin.rstrip("/") for origin in origins)

    def headers(self, asked: Headers) -> Headers:
        """Return what an answer says to the browser."""
        if not self._origins:
            return []
        said: Headers = [(b"vary", b"Origin")]
        origin = _header(asked, b"origin")
        if origin and not self._origins.isdisjoint(("*", origin.decode("latin-1"))):
            said += [(b"access-control-allow-origin", origin), (b"access-control-expose-headers", _READABLE)]
        return said

    def preflight(self, method: str, asked: Headers) -> Headers | None:
        """Return the answer to a browser that asks whether it may call; None for other requests."""
        if method != "OPTIONS" or not _header(asked, b"access-control-request-method"):
            return None
        said = self.headers(asked)
        if not any(name == b"access-control-allow-origin" for name, _ in said):
            return None
        return [
            *said,
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _SENDABLE),
            (b"access-control-max-age", _KEPT_S),
        ]


def _header(headers: Headers, wanted: bytes) -> bytes:
    return next((value for name, value in headers if name == wanted), b"")
