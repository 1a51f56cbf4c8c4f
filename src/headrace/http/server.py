"""The ASGI application of the API: one request in, one answer out, always JSON with a message.

A plain handler runs in a bounded thread pool, inside one transaction; an ``async`` handler runs
in the loop after its caller was admitted (streams and log transports).
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, Protocol
from urllib.parse import unquote

import msgspec
from sqlalchemy import Connection

from headrace.http.auth import PAGE_HEADER, Authenticate, Caller, credential_of
from headrace.http.errors import (
    ApiError,
    BadRequest,
    BodyTooLarge,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    Unauthenticated,
)
from headrace.http.outside import NeededOutside, Outside
from headrace.http.requests import fill_query, read_body, read_query
from headrace.http.routing import Match, Raw, Reply, Route, Table
from headrace.http.scopes import Scope
from headrace.http.sse import Stream
from headrace.integrations.clusters import Networks
from headrace.storage.signals import of_account, publish

log = logging.getLogger("headrace.http")

MAX_BODY_BYTES = 1024 * 1024
_PREFIX = "/api"
_THREADS = 8

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes]


class Connections(Protocol):
    """What the API needs of a database: a connection for reading, one for writing."""

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a connection that only reads."""

    def transaction(self) -> AbstractContextManager[Connection]:
        """Open a transaction: committed at the end, rolled back on an error."""


class Api:
    """Answers every request below ``/api``."""

    def __init__(
        self,
        routes: Iterable[Route],
        *,
        database: Connections,
        authenticate: Authenticate,
        provide: Mapping[type, object],
        threads: int = _THREADS,
    ) -> None:
        """Take the routes and what their handlers want.

        Args:
            routes: of all resources.
            database: one connection of it is open during a request.
            authenticate: finds the caller behind a credential.
            provide: objects for handlers, by the type that they annotate.
            threads: how many plain handlers may run at a time.
        """
        self.table = Table(list(routes))
        self.requests: Counter[tuple[str, str, int]] = Counter()  # (method, path, status)
        self._database = database
        self._authenticate = authenticate
        self._provide = dict(provide)
        networks = self._provide.get(Networks)
        self._networks = networks if isinstance(networks, Networks) else Networks()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="api")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        asked = _Asked(scope, Outside(self._networks))
        answer: Answer | Stream
        try:
            asked.match = self._find(asked)
            asked.body = await _read(asked, receive)
            answer = await self._answer(asked.match, asked)
        except ApiError as error:
            answer = _error_answer(error)
        except Exception:
            log.exception("request failed: %s %s", asked.method, asked.route_path)
            answer = _error_answer(ApiError("the server failed on this request; its log has the reason"))
        self.requests[asked.method, asked.route_path, _status(answer)] += 1
        if isinstance(answer, Stream):
            await _send_stream(answer, receive, send)
        else:
            await _send(answer, send, with_body=asked.method != "HEAD")

    def close(self) -> None:
        """End the threads; requests that run are finished."""
        self._pool.shutdown()

    def _find(self, asked: "_Asked") -> Match:
        method = "GET" if asked.method == "HEAD" else asked.method
        try:
            found = self.table.find(method, asked.path)
        except UnicodeDecodeError:
            raise BadRequest("path is no UTF-8") from None
        if isinstance(found, Match) and not (asked.method == "HEAD" and found.route.effect):
            if any("\0" in value for value in found.parameters.values()):
                raise BadRequest("path: NUL characters are not accepted")
            return found
        if found:
            allowed = found if isinstance(found, tuple) else (found.route.method,)
            raise MethodNotAllowed(f"{asked.method} is not offered here, only {', '.join(allowed)}")
        raise NotFound(
            f"could not find {unquote(asked.path, errors='replace')!r}; see /api/ for what there is"
        )

    async def _answer(self, match: Match, asked: "_Asked") -> Answer | Stream:
        loop = asyncio.get_running_loop()
        while not match.route.is_async:
            try:
                return await loop.run_in_executor(self._pool, self._handle, match, asked)
            except NeededOutside as needed:  # a slow host holds no thread of the API
                await asyncio.to_thread(asked.outside.learn, needed)
        caller, arguments = await loop.run_in_executor(self._pool, self._prepare, match, asked)
        result = await match.route.handler(**arguments)
        if isinstance(result, Stream):
            return result
        if match.route.effect:
            await loop.run_in_executor(self._pool, self._tell_later, match.route, caller)
        return encode(result)

    def _handle(self, match: Match, asked: "_Asked") -> Answer:
        """Run a plain handler, from its credential to its bytes."""
        opened = self._database.transaction if match.route.effect else self._database.reading
        with opened() as db:
            caller = self._admit(match.route, db, asked)
            answer = encode(match.route.handler(**self._arguments(match, asked, caller, db)))
            if match.route.effect:
                _tell(db, match.route, caller)
            return answer

    def _prepare(self, match: Match, asked: "_Asked") -> tuple[Caller | None, dict[str, Any]]:
        """Admit the caller of an ``async`` handler and gather its arguments."""
        with self._database.reading() as db:
            caller = self._admit(match.route, db, asked)
        return caller, self._arguments(match, asked, caller, None)

    def _tell_later(self, route: Route, caller: Caller | None) -> None:
        with self._database.transaction() as db:
            _tell(db, route, caller)

    def _admit(self, route: Route, db: Connection, asked: "_Asked") -> Caller | None:
        if route.public:
            return None
        credential = credential_of(asked.headers, {})
        if credential is None:
            raise Unauthenticated("no API key: send it as the header 'Authorization: <key>'")
        if credential.by_cookie and route.effect and PAGE_HEADER not in asked.named_headers():
            raise Forbidden(f"a session cookie changes nothing without the header {PAGE_HEADER!r}")
        caller = self._authenticate(db, credential)
        if caller is None:
            raise Unauthenticated("the API key is unknown, revoked or expired; generate one and try again")
        if route.scope is not Scope.ANY and not caller.may(route.scope):
            message = f"Scopes are missing to access this resource: {route.scope}"
            raise Forbidden(message, missingScopes=[str(route.scope)])
        if route.admin and not (caller.is_account_admin or caller.is_platform_admin):
            raise Forbidden(f"only an admin of the account {caller.account_name!r} may do this")
        return caller

    def _arguments(
        self, match: Match, asked: "_Asked", caller: Caller | None, db: Connection | None
    ) -> dict[str, Any]:
        route = match.route
        arguments: dict[str, Any] = {}
        query = read_query(asked.query)
        for name, kind in route.wants:
            if name in match.parameters:
                arguments[name] = match.parameters[name]
            elif name == "query":
                arguments[name] = fill_query(kind, query)
            elif name == "body":
                arguments[name] = read_body(kind, asked.body)
            elif kind is Caller:
                arguments[name] = caller
            elif kind is Connection:
                arguments[name] = db
            elif kind is Outside:
                arguments[name] = asked.outside
            elif kind is Raw:
                arguments[name] = Raw(asked.named_headers(), asked.base_url(), query, asked.body)
            else:
                arguments[name] = self._provide[kind]
        return arguments


def _tell(db: Connection, route: Route, caller: Caller | None) -> None:
    """Wake those who look at what an operation may have changed; here once, for all of them."""
    if caller is not None:
        publish(db, of_account(caller.account_id, route.tag))


class _Asked:
    """One request, in the form that the rest of this module reads."""

    def __init__(self, scope: Message, outside: Outside) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.headers: Headers = scope["headers"]
        self.query: str = scope["query_string"].decode("latin-1")
        raw = scope.get("raw_path") or scope["path"].encode()
        path = "/" + raw.decode("latin-1").partition("?")[0].lstrip("/")
        path = path.removeprefix(_PREFIX)
        self.path = path.rstrip("/") or "/"
        self.match: Match | None = None
        self.body = b""
        self.outside = outside

    @property
    def route_path(self) -> str:
        """The path as declared, for metrics; one word for all that match nothing."""
        return self.match.route.path if self.match else "unknown"

    def named_headers(self) -> dict[str, str]:
        """Return the headers by lower-case name; of several, the last."""
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self.headers}

    def base_url(self) -> str:
        """Return the server's address as the client wrote it, without a trailing slash."""
        host = self.named_headers().get("host")
        if host is None:
            address, port = self.scope.get("server") or ("127.0.0.1", 8080)
            host = f"{address}:{port}"
        return f"{self.scope.get('scheme', 'http')}://{host}"


async def _read(asked: _Asked, receive: Receive) -> bytes:
    """Read the body, at most `MAX_BODY_BYTES`; a longer one is refused before it is read."""
    for name, value in asked.headers:
        if name == b"content-length" and value.isdigit() and int(value) > MAX_BODY_BYTES:
            raise BodyTooLarge(f"body has {int(value)} bytes, at most {MAX_BODY_BYTES} are accepted")
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise BodyTooLarge(f"body is over {MAX_BODY_BYTES} bytes")
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


def encode(result: Any) -> Answer:  # noqa: ANN401 - what a handler returns
    """Turn what a handler returned into an answer: a `Reply`, or any value that is JSON."""
    reply = result if isinstance(result, Reply) else Reply(result)
    if reply.media_type == "application/json":
        content = msgspec.json.encode(reply.value)
    else:
        content = reply.value if isinstance(reply.value, bytes) else str(reply.value).encode()
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in reply.headers.items()]
    return _with_length(reply.status, reply.media_type, headers, content)


def _with_length(status: int, media_type: str, headers: Headers, content: bytes) -> Answer:
    media = media_type if "charset" in media_type else media_type + "; charset=utf-8"
    headers += [
        (b"content-type", media.encode()),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
    ]
    return status, headers, content


def _error_answer(error: ApiError) -> Answer:
    headers: Headers = [(b"www-authenticate", b"ApiKey")] if isinstance(error, Unauthenticated) else []
    return _with_length(error.status, "application/json", headers, msgspec.json.encode(error.body()))


def _status(answer: Answer | Stream) -> int:
    return 200 if isinstance(answer, Stream) else answer[0]


async def _send(answer: Answer, send: Send, *, with_body: bool) -> None:
    status, headers, content = answer
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content if with_body else b""})


async def _send_stream(stream: Stream, receive: Receive, send: Send) -> None:
    """Send the pieces until the stream ends or the client goes away."""
    headers = [
        (b"content-type", stream.media_type.encode()),
        (b"cache-control", b"no-store"),
        *((name.lower().encode(), value.encode("latin-1")) for name, value in stream.headers.items()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    gone = asyncio.ensure_future(_until_gone(receive))
    pump = asyncio.ensure_future(_pump(stream, send))
    try:
        await asyncio.wait({gone, pump}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (gone, pump):
            task.cancel()
        await asyncio.gather(gone, pump, return_exceptions=True)


async def _pump(stream: Stream, send: Send) -> None:
    try:
        async for chunk in stream.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    finally:
        close = getattr(stream.chunks, "aclose", None)
        if close is not None:
            await close()
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
