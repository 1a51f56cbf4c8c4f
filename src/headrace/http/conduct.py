"""What the API document says of the conduct that all operations share: headers, and answers beside 200.

Whether an operation has an ETag, takes ``If-Match`` or remembers a key is a property of its `Route`, by
which `http.server` acts and this module writes. The components stand once in the document.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from headrace.http import idempotency
from headrace.http.limits import Throttle
from headrace.http.routing import Route
from headrace.http.scopes import Scope

_HEADER = "#/components/headers/{name}"
_RESPONSE = "#/components/responses/{name}"
_TEXT, _NUMBER = {"type": "string"}, {"type": "integer", "minimum": 0}

HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {"description": "the version of this document, for If-None-Match and If-Match", "schema": _TEXT},
    idempotency.REPLAYED_NAME: {
        "description": "true: this is the first answer to the key, nothing was done again",
        "schema": {"type": "string", "const": "true"},
    },
    "Link": {
        "description": 'of a page that is not the last: `<address of the next>; rel="next"`',
        "schema": _TEXT,
    },
    "RateLimit-Limit": {"description": "requests that this key may send in a minute", "schema": _NUMBER},
    "RateLimit-Remaining": {"description": "of them, those that are left", "schema": _NUMBER},
    "RateLimit-Reset": {"description": "seconds until all are there again", "schema": _NUMBER},
    "Retry-After": {"description": "seconds after which to ask again", "schema": _NUMBER},
    "WWW-Authenticate": {"description": "how to show who one is", "schema": _TEXT},
}
_PACE = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")

# Status → (name of the component, when it is answered, its headers beside those of the rate limit).
_ANSWERS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "304": (
        "NotModified",
        "the document is the one that If-None-Match names; it is not sent again",
        ("ETag",),
    ),
    "400": ("BadRequest", "the body or a parameter has the wrong shape; the message names the place", ()),
    "401": (
        "Unauthenticated",
        "no key, or one that is unknown, revoked or expired",
        ("WWW-Authenticate",),
    ),
    "403": ("Forbidden", "the key lacks the scope", ()),
    "404": ("NotFound", "no such object in this account", ()),
    "409": ("Conflict", "the name is taken, a state forbids it, or the same request is under way", ()),
    "412": ("PreconditionFailed", "the document is not the one that If-Match names; nothing was written", ()),
    "413": ("BodyTooLarge", "the body is over the limit; it was not read", ()),
    "422": ("Reused", "the Idempotency-Key was sent before, with another request", ()),
    "429": ("TooManyRequests", "too much was asked in too short a time", ("Retry-After",)),
    "503": ("Unavailable", "the database is away or full; try again in a moment", ("Retry-After",)),
    "default": ("Failed", "any other error", ()),
}
_NO_BODY = "304"


def components(error: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the shared headers and responses of the document.

    Args:
        error: the schema of the body of every error.
    """
    responses: dict[str, Any] = {}
    for status, (name, meaning, headers) in _ANSWERS.items():
        one: dict[str, Any] = {"description": meaning}
        named = (*headers, *(() if status in ("401", "503", "default") else _PACE))
        if named:
            one["headers"] = _headers(named)
        if status != _NO_BODY:
            one["content"] = {"application/json": {"schema": error}}
        responses[name] = one
    return {"headers": HEADERS, "responses": responses}


def headers_of(route: Route) -> dict[str, Any]:
    """Return the headers of an answer that is a success."""
    names = [
        *(["ETag"] if route.is_document else []),
        *([idempotency.REPLAYED_NAME] if route.takes_key else []),
        *(["Link"] if route.is_paged else []),
        *([] if route.public else _PACE),
    ]
    return _headers(names)


def responses_of(route: Route, *, has_document: bool) -> dict[str, Any]:
    """Return what is answered beside a success: status → reference to a component.

    Args:
        route: the operation.
        has_document: a GET of the same address answers a document, which ``If-Match`` may name.
    """
    told = {
        "304": route.is_document,
        "401": not route.public,
        "403": not route.public and (route.scope is not Scope.ANY or route.admin),
        "409": route.takes_key,
        "412": route.takes_match and has_document,
        "413": route.body_type is not None or route.example.body is not None,
        "422": route.takes_key,
        "429": not route.public or any(kind is Throttle for _, kind in route.wants),
    }
    return {
        status: {"$ref": _RESPONSE.format(name=name)}
        for status, (name, _, _) in _ANSWERS.items()
        if told.get(status, True)
    }


def parameters_of(route: Route, *, has_document: bool) -> Iterator[dict[str, Any]]:
    """Yield the headers that a request may bring; arguments as of `responses_of`."""
    if route.is_document:
        text = "the ETag of what you have: the answer is 304 where that is still true"
        yield _parameter("If-None-Match", text, {"type": "string"})
    if route.takes_match and has_document:
        text = "the ETag of what you have seen: nothing is written over another version"
        yield _parameter("If-Match", text, {"type": "string"})
    if route.takes_key:
        text = "a text of your own: the same request with it is done once, and answered again for a day"
        schema = {"type": "string", "minLength": 1, "maxLength": idempotency.LONGEST}
        yield _parameter(idempotency.NAME, text, schema)


def resolved(response: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a response of an operation, which may be a reference to one of the components."""
    name = str(response.get("$ref", "")).rpartition("/")[2]
    found: Mapping[str, Any] = document["components"]["responses"][name] if name else response
    return found


def _parameter(name: str, text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": schema, "description": text}


def _headers(names: tuple[str, ...] | list[str]) -> dict[str, Any]:
    return {name: {"$ref": _HEADER.format(name=name)} for name in names}
