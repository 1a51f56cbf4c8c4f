"""Routes, declared once: method, path, scope, body, result, example. All else is read from here.

A handler's parameters say what it wants, by annotation:

- `Caller`: who is calling; `Connection`: an open transaction; `Raw`: the request itself;
- `Outside`: answers that are fetched between two tries of the transaction;
- `Rights`: what rules of teams let the caller do;
- `Pages`: which page of a list to read; its fields are in ``query``, or in a `PageQuery` where there is none;
- a parameter named in the path: its decoded text;
- ``query``: a `msgspec.Struct` filled from the query string;
- ``body``: any type that msgspec decodes;
- every other type: the object of that type which the application provides (`Api.provide`).

Paths are matched on their raw form, so ``my-project%2Fmy-pipeline`` is one segment. A parameter
``{name:path}`` also takes literal slashes.
"""

import inspect
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import unquote

import msgspec
import sqlalchemy

from headrace.http.paging import PageQuery, Pages
from headrace.http.rights import Right, Rights
from headrace.http.scopes import Scope

Handler = Callable[..., Any]
Connection = sqlalchemy.Connection  # what a handler calls its open transaction; routes import no SQL
_PARAMETER = re.compile(r"\{(\w+)(:path)?\}")


class Raw(msgspec.Struct, frozen=True):
    """The request as it came, for the few handlers that need more than their parameters."""

    headers: Mapping[str, str]  # lower-case names
    base_url: str  # ``http://127.0.0.1:8080``, as the client wrote it
    query: Mapping[str, list[str]]
    body: bytes = b""  # as it was signed
    address: str = ""  # of the client


class Reply(msgspec.Struct, frozen=True):
    """An answer that is more than a JSON value with status 200."""

    value: Any = None
    status: int = 200
    headers: Mapping[str, str] = {}
    media_type: str = "application/json"  # another one: `value` is `str` or `bytes`, sent as it is


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """The example of an operation: what its ``curl`` sends. Checked by a test.

    A path parameter without a value here becomes a shell variable: ``{buildId}`` → ``$BUILD_ID``.
    """

    path: Mapping[str, str] = {}
    query: str = ""
    body: Any = None


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of the API."""

    method: str
    path: str  # below ``/api``, with a leading slash
    scope: Scope
    sdk: str  # ``x-sdk-interface``: ``pipelines.get``
    operation: str  # ``operationId``
    tag: str
    handler: Handler
    effect: bool  # it may write: anything but a GET without consequences
    example: Example
    path_names: tuple[str, ...]
    path_types: Mapping[str, bool]  # name → takes slashes
    query_type: type | None
    body_type: Any  # None: no body
    result_type: Any
    wants: tuple[tuple[str, Any], ...]  # (parameter, what fills it) in the handler's order
    is_async: bool
    admin: bool  # only for admins of the account
    platform: bool  # only for admins of the installation
    right: Right | None  # what rules of teams must allow; None: they say nothing about it
    pattern: re.Pattern[str]
    summary: str
    description: str

    @property
    def public(self) -> bool:
        """No key is needed."""
        return self.scope is Scope.PUBLIC

    @property
    def is_document(self) -> bool:
        """What it answers can be asked for again: it has an ETag, and 304 where it is known."""
        return self.method == "GET" and not self.effect and not self.is_async

    @property
    def takes_key(self) -> bool:
        """It hears ``Idempotency-Key``; without a caller there is nobody whose key it would be."""
        return self.effect and not self.public

    @property
    def takes_match(self) -> bool:
        """It hears ``If-Match``, about the document at its own address."""
        return self.takes_key and not self.is_async and self.method != "POST"

    @property
    def asks_rights(self) -> bool:
        """Its handler asks itself what the caller may do."""
        return any(kind is Rights for _, kind in self.wants)

    @property
    def is_paged(self) -> bool:
        """It answers a page of a list, with the address of the next one."""
        return any(kind is Pages for _, kind in self.wants)


class Router:
    """Collects the routes of one resource."""

    def __init__(self, prefix: str, *, tag: str) -> None:
        self.prefix, self.tag = prefix, tag
        self.routes: list[Route] = []

    def route(  # noqa: PLR0913 - all but the first two by name
        self,
        method: str,
        path: str,
        *,
        scope: Scope,
        sdk: str,
        operation: str | None = None,
        effect: bool | None = None,
        admin: bool | Literal["platform"] = False,
        right: Right | None = None,
        example: Example | None = None,
    ) -> Callable[[Handler], Handler]:
        """Declare an operation; the docstring of the handler is its documentation.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: below the router's prefix; ``""`` is the prefix itself.
            scope: what a key must hold; `Scope.ANY` for every valid key.
            sdk: the name in existing clients, ``pipelines.get``.
            operation: the ``operationId``; by default the sdk name with dashes, ``pipelines-get-names``.
            effect: it writes, although it is a GET (as approve and restart are).
            admin: only admins of the account may call it; ``platform``: only those of the installation.
            right: what rules of teams must allow, with what the path names.
            example: what the documented ``curl`` sends.
        """

        def declare(handler: Handler) -> Handler:
            whole = self.prefix + path
            self.routes.append(
                _read_handler(
                    handler,
                    method=method,
                    path=whole,
                    scope=scope,
                    sdk=sdk,
                    operation=operation or _dashed(sdk),
                    tag=self.tag,
                    effect=method != "GET" if effect is None else effect,
                    example=example or Example(),
                    admin=admin is True,
                    platform=admin == "platform",
                    right=right,
                )
            )
            return handler

        return declare


def _dashed(sdk: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", sdk).replace(".", "-").lower()


def _read_handler(handler: Handler, *, path: str, **declared: Any) -> Route:  # noqa: ANN401
    hints = typing.get_type_hints(handler)
    doc = inspect.cleandoc(handler.__doc__ or "")
    summary, _, description = doc.partition("\n")
    path_types = {name: bool(slashes) for name, slashes in _PARAMETER.findall(path)}
    query_type = body_type = None
    wants: list[tuple[str, Any]] = []
    for name in inspect.signature(handler).parameters:
        wants.append((name, hints[name]))
        if name == "query":
            query_type = hints[name]
        elif name == "body":
            body_type = hints[name]
    if query_type is None and (Pages in dict(wants).values()):
        query_type = PageQuery
    return Route(
        path=path,
        handler=handler,
        path_names=tuple(path_types),
        path_types=path_types,
        query_type=query_type,
        body_type=body_type,
        result_type=hints.get("return"),
        wants=tuple(wants),
        is_async=inspect.iscoroutinefunction(handler),
        pattern=_compile(path),
        summary=summary.strip().rstrip("."),
        description=description.strip(),
        **declared,
    )


def _compile(path: str) -> re.Pattern[str]:
    parts, end = [], 0
    for found in _PARAMETER.finditer(path):
        parts.append(re.escape(path[end : found.start()]))
        parts.append(f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})")
        end = found.end()
    parts.append(re.escape(path[end:]))
    return re.compile("".join(parts))


class Match(msgspec.Struct, frozen=True):
    """A route and the decoded values of its path parameters."""

    route: Route
    parameters: Mapping[str, str]


class Table:
    """All routes of the application, looked up by method and raw path."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = tuple(sorted(routes, key=_specificity))
        self._by_head: dict[str, list[Route]] = {}
        for route in self.routes:
            self._by_head.setdefault(_head(route.path), []).append(route)

    def find(self, method: str, path: str) -> Match | tuple[str, ...]:
        """Find the route of a request.

        Args:
            method: as the client wrote it.
            path: raw (percent-encoded) path below ``/api``, without trailing slash.

        Returns:
            The match; or the methods that this path knows, empty where there is no such path.
        """
        others: list[str] = []
        for route in self._by_head.get(_head(path), ()):
            found = route.pattern.fullmatch(path)
            if found is None:
                continue
            if route.method == method:
                values = {name: unquote(value, errors="strict") for name, value in found.groupdict().items()}
                return Match(route, values)
            others.append(route.method)
        return tuple(sorted(set(others)))


def _head(path: str) -> str:
    return path[1:].partition("/")[0]


def _specificity(route: Route) -> tuple[int, ...]:
    """Literal segments before parameters, those that take slashes last; the longer path first."""
    ranks = []
    for segment in route.path.split("/")[1:]:
        found = _PARAMETER.search(segment)
        ranks.append(0 if found is None else 2 if found[2] else 1)
    return (*ranks, 3)
