"""The ASGI application of the API: one request in, one answer out, always JSON with a message.

A plain handler runs in a bounded thread pool, inside one transaction; an ``async`` handler runs
in the loop after its caller was admitted (streams and log transports).
"""

import asyncio
import functools
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar
from urllib.parse import unquote

import msgspec
from sqlalchemy import Connection

from headrace.http import documents, idempotency
from headrace.http.answers import (
    Answer,
    Headers,
    Message,
    Receive,
    Send,
    answer_again,
    as_document,
    encode,
    encoded,
    error_answer,
    first_answer,
    send_answer,
    send_stream,
)
from headrace.http.audit import Audit, entry_of, is_noted
from headrace.http.auth import PAGE_HEADER, Authenticate, Caller, Credential, credential_of
from headrace.http.cors import Cors
from headrace.http.errors import (
    ApiError,
    BadRequest,
    BodyTooLarge,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
    Unavailable,
)
from headrace.http.idempotency import FirstAnswers
from headrace.http.limits import RateLimit, Throttle
from headrace.http.outside import GIT, NeededOutside, Outside
from headrace.http.paging import PageQuery, Pages
from headrace.http.requests import fill_query, read_body, read_query
from headrace.http.rights import YAML, Rights, Rules
from headrace.http.routing import Match, Raw, Route, Table
from headrace.http.scopes import Scope
from headrace.http.sse import Stream
from headrace.http.standing import until_refused
from headrace.integrations.clusters import Networks
from headrace.storage.engine import AWAY, cause
from headrace.storage.signals import Signals, of_account, publish

log = logging.getLogger("headrace.http")

MAX_BODY_BYTES = 1024 * 1024
_PREFIX = "/api"
_THREADS = 8
_OK = 200

Result = TypeVar("Result")


class Connections(Protocol):
    """What the API needs of a database: a connection for reading, one for writing."""

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a connection that only reads."""

    def transaction(self) -> AbstractContextManager[Connection]:
        """Open a transaction: committed at the end, rolled back on an error."""


class Conduct(msgspec.Struct, frozen=True, kw_only=True):
    """How the API treats its callers, whatever they ask."""

    rate: RateLimit = msgspec.field(default_factory=RateLimit)
    throttle: Throttle = msgspec.field(default_factory=Throttle)
    cors: Cors = msgspec.field(default_factory=Cors)
    answers: FirstAnswers | None = None  # None: idempotency keys are not heard
    audit: Audit | None = None  # None: nothing is noted


class Api:
    """Answers every request below ``/api``."""

    def __init__(
        self,
        routes: Iterable[Route],
        *,
        database: Connections,
        authenticate: Authenticate,
        provide: Mapping[type, object],
        conduct: Conduct | None = None,
        rules: Rules | None = None,
        threads: int = _THREADS,
    ) -> None:
        """Take the routes and what their handlers want.

        Args:
            routes: of all resources.
            database: one connection of it is open during a request.
            authenticate: finds the caller behind a credential.
            provide: objects for handlers, by the type that they annotate.
            conduct: limits, origins and the memory of first answers; None: none of them.
            rules: of teams; None: every user may do everything that the key may.
            threads: how many plain handlers may run at a time.
        """
        self.table = Table(list(routes))
        self.requests: Counter[tuple[str, str, int]] = Counter()  # (method, path, status)
        self._database = database
        self._authenticate = authenticate
        self._conduct = conduct or Conduct()
        self._rules = rules
        self._provide = {Throttle: self._conduct.throttle, **provide}
        networks = self._provide.get(Networks)
        self._networks = networks if isinstance(networks, Networks) else Networks()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="api")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        asked = _Asked(scope, Outside(self._networks))
        answer: Answer | Stream
        preflight = self._conduct.cors.preflight(asked.method, asked.headers)
        if preflight is not None:
            await send_answer((204, preflight, b""), send, with_body=False)
            return
        try:
            asked.match = self._find(asked)
            asked.body = await _read(asked, receive)
            answer = await self._answer(asked.match, asked)
        except ApiError as error:
            answer = await self._refusal(asked, error)
        except AWAY as failure:
            log.error("no database for %s %s: %s", asked.method, asked.route_path, cause(failure))  # noqa: TRY400
            answer = error_answer(Unavailable("the server's database is away or full; try again in a moment"))
        except Exception:
            log.exception("request failed: %s %s", asked.method, asked.route_path)
            failed = ApiError("the server failed on this request; its log has the reason")
            answer = await self._refusal(asked, failed)
        self.requests[asked.method, asked.route_path, _status(answer)] += 1
        more = [*asked.pace, *self._conduct.cors.headers(asked.headers)]
        if isinstance(answer, Stream):
            await send_stream(answer, receive, send, more, self._until_refused(asked))
        else:
            status, headers, content = answer
            await send_answer((status, headers + more, content), send, with_body=asked.method != "HEAD")

    def _until_refused(self, asked: "_Asked") -> Coroutine[Any, Any, ApiError] | None:
        """Wait for the moment in which the reader of a stream would not be admitted any more."""
        match, caller, hub = asked.match, asked.caller, self._provide.get(Signals)
        if match is None or caller is None or not isinstance(hub, Signals):
            return None

        def admit() -> None:
            with self._database.reading() as db:
                self._admit(match, db, asked)

        return until_refused(hub, caller.account_id, admit)

    async def _refusal(self, asked: "_Asked", error: ApiError) -> Answer:
        """Answer an error; where a known caller would have written, that is noted."""
        match = asked.match
        if match is not None and asked.caller is not None and is_noted(match.route, error.status):
            try:
                await asyncio.get_running_loop().run_in_executor(
                    self._pool, self._writing, lambda db: self._note(db, asked, error.status, b"")
                )
            except Exception:
                log.exception("not noted: %s %s, answered %d", asked.method, asked.route_path, error.status)
        return error_answer(error)

    def _note(self, db: Connection, asked: "_Asked", status: int, content: bytes) -> None:
        """Note a call in the audit log, where there is one."""
        audit, match, caller = self._conduct.audit, asked.match, asked.caller
        if audit is None or match is None or caller is None or not is_noted(match.route, status):
            return
        audit.note(
            db,
            entry_of(
                match.route,
                match.parameters,
                caller,
                status=status,
                content=content,
                address=asked.address,
                user_agent=asked.header(b"user-agent"),
            ),
        )

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
                await GIT.run(asked.outside.learn, needed)
        run = functools.partial(loop.run_in_executor, self._pool)
        caller, arguments = await run(self._prepare, match, asked)
        first, effect = self._conduct.answers, match.route.effect
        key = idempotency.key_of(asked.headers) if effect else None
        if first is None or caller is None or key is None:
            answer = _of_async(await match.route.handler(**arguments))
            if not isinstance(answer, Stream):
                answer = asked.linked(answer)
        else:
            request = asked.fingerprint()
            earlier = await run(self._writing, lambda db: first.begin(db, caller, key, asked=request))
            if earlier is not None:
                return answer_again(earlier)
            try:
                answer = _of_async(await match.route.handler(**arguments))
            except BaseException:
                await run(self._writing, lambda db: first.drop(db, caller, key))
                raise
            if not isinstance(answer, Stream):
                kept = first_answer(answer)
                await run(self._writing, lambda db: first.keep(db, caller, key, kept))
        if effect and not isinstance(answer, Stream):
            await run(self._writing, lambda db: self._done(db, asked, answer[0], answer[2]))
        return answer

    def _writing(self, work: Callable[[Connection], Result]) -> Result:
        with self._database.transaction() as db:
            return work(db)

    def _handle(self, match: Match, asked: "_Asked") -> Answer:
        """Run a plain handler, from its credential to its bytes."""
        opened = self._database.transaction if match.route.effect else self._database.reading
        with opened() as db:
            caller = self._admit(match, db, asked)
            if caller is not None and match.route.effect:
                answer = self._write(match, asked, caller, db)
            else:
                answer = encode(match.route.handler(**self._arguments(match, asked, caller, db)))
                answer = asked.linked(answer)
            if match.route.effect and idempotency.REPLAYED not in answer[1]:
                self._done(db, asked, answer[0], answer[2])
        return _as_document(answer, asked) if _is_document(match.route, answer, asked) else answer

    def _done(self, db: Connection, asked: "_Asked", status: int, content: bytes) -> None:
        """Tell of a call that wrote: those who look at its kind of thing, and the audit log."""
        if asked.match is not None and asked.caller is not None:
            publish(db, of_account(asked.caller.account_id, asked.match.route.tag))
            self._note(db, asked, status, content)

    def _write(self, match: Match, asked: "_Asked", caller: Caller, db: Connection) -> Answer:
        """Run a handler that writes: once for an idempotency key, and only over what the client has seen."""
        first = self._conduct.answers
        key = None if first is None else idempotency.key_of(asked.headers)
        if first is not None and key is not None:
            earlier = first.begin(db, caller, key, asked=asked.fingerprint())
            if earlier is not None:
                return answer_again(earlier)
        self._compare(match, asked, caller, db)
        answer = encode(match.route.handler(**self._arguments(match, asked, caller, db)))
        if first is not None and key is not None:
            first.keep(db, caller, key, first_answer(answer))
        return answer

    def _compare(self, match: Match, asked: "_Asked", caller: Caller, db: Connection) -> None:
        """Hold the document that is to be replaced; with ``If-Match``, see that it is the one meant."""
        if not match.route.takes_match:
            return
        wanted = asked.header(b"if-match")
        documents.hold(db, caller.account_id, match.route.tag, alone=bool(wanted))
        if not wanted:
            return
        found = self.table.find("GET", asked.path)
        if not isinstance(found, Match) or found.route.effect or found.route.is_async:
            raise PreconditionFailed("header If-Match: there is no document to GET at this address")
        self._allow(found, caller, Rights(caller, self._rules), db)
        seen = encode(found.route.handler(**self._arguments(found, asked, caller, db, query="")))
        if not documents.names(wanted, documents.tag_of(seen[2]), weakly=False):
            raise PreconditionFailed(
                "header If-Match: the document has changed since; GET it again and make your change to that"
            )

    def _prepare(self, match: Match, asked: "_Asked") -> tuple[Caller | None, dict[str, Any]]:
        """Admit the caller of an ``async`` handler and gather its arguments."""
        with self._database.reading() as db:
            caller = self._admit(match, db, asked)
        return caller, self._arguments(match, asked, caller, None)

    def _admit(self, match: Match, db: Connection, asked: "_Asked") -> Caller | None:
        route = match.route
        if route.public:
            return None
        credential = credential_of(asked.headers, {})
        if credential is None:
            raise Unauthenticated("no API key: send it as the header 'Authorization: <key>'")
        if credential.by_cookie and route.effect and PAGE_HEADER not in asked.named_headers():
            raise Forbidden(f"a session cookie changes nothing without the header {PAGE_HEADER!r}")
        caller = self._authenticate(db, credential)
        if caller is None:
            self._conduct.throttle.wrong_key(asked.address)
            raise Unauthenticated("the API key is unknown, revoked or expired; generate one and try again")
        asked.credential, asked.caller = credential, caller
        if not asked.pace:  # a handler that needed something from outside runs again
            asked.pace = encoded(self._conduct.rate.spend(caller.key_id or caller.user_id))
        asked.rights = Rights(caller, self._rules)
        self._allow(match, caller, asked.rights, db)
        return caller

    @staticmethod
    def _allow(match: Match, caller: Caller, rights: Rights, db: Connection) -> None:
        route = match.route
        if route.scope is not Scope.ANY and not caller.may(route.scope):
            message = f"Scopes are missing to access this resource: {route.scope}"
            raise Forbidden(message, missingScopes=[str(route.scope)])
        if route.admin and not (caller.is_account_admin or caller.is_platform_admin):
            raise Forbidden(f"only an admin of the account {caller.account_name!r} may do this")
        if route.platform and not caller.is_platform_admin:
            raise Forbidden("only an admin of the installation may do this")
        if (right := route.right) is not None and (right.named_by or right.kind == YAML):
            rights.admit(db, right.action, right.kind, match.parameters.get(right.named_by, ""))

    def _arguments(
        self,
        match: Match,
        asked: "_Asked",
        caller: Caller | None,
        db: Connection | None,
        *,
        query: str | None = None,
    ) -> dict[str, Any]:
        """Gather what a handler wants; ``query`` in the place of the one that was sent."""
        route = match.route
        arguments: dict[str, Any] = {}
        values = read_query(asked.query if query is None else query)
        own = {Caller: caller, Connection: db, Rights: asked.rights, Outside: asked.outside}
        for name, kind in route.wants:
            if name in match.parameters:
                arguments[name] = match.parameters[name]
            elif name == "query":
                arguments[name] = fill_query(kind, values)
            elif name == "body":
                arguments[name] = read_body(kind, asked.body)
            elif kind in own:
                arguments[name] = own[kind]
            elif kind is Pages:
                asked.pages = arguments[name] = Pages.of(fill_query(route.query_type or PageQuery, values))
            elif kind is Raw:
                arguments[name] = Raw(
                    asked.named_headers(), asked.base_url(), values, asked.body, address=asked.address
                )
            else:
                arguments[name] = self._provide[kind]
        return arguments


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
        self.credential: Credential | None = None
        self.caller: Caller | None = None  # once admitted
        self.rights: Rights | None = None  # the same
        self.pace: Headers = []  # what the answer says about the rate limit
        self.pages: Pages | None = None  # of a list

    @property
    def route_path(self) -> str:
        """The path as declared, for metrics; one word for all that match nothing."""
        return self.match.route.path if self.match else "unknown"

    @property
    def address(self) -> str:
        """Where the request came from, as the server saw it or a proxy of this machine said it."""
        client = self.scope.get("client")
        return client[0] if client else ""

    def linked(self, answer: Answer) -> Answer:
        """Return an answer with the address of the next page, where it is a page that has one."""
        link = self.pages.link(_PREFIX + self.path, self.query) if self.pages else ""
        status, headers, content = answer
        return (status, [*headers, (b"link", link.encode("latin-1"))], content) if link else answer

    def fingerprint(self) -> str:
        """Return a hash of all that is asked, for idempotency keys."""
        return idempotency.fingerprint(self.method, self.path, self.query, self.body)

    @property
    def asks_for_secrets(self) -> bool:
        """The answer holds what is kept encrypted."""
        return "decrypt" in self.query.lower()

    def header(self, wanted: bytes) -> str:
        """Return a header by its lower-case name, several joined; empty where there is none."""
        return ", ".join(value.decode("latin-1") for name, value in self.headers if name == wanted)

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


def _is_document(route: Route, answer: Answer, asked: _Asked) -> bool:
    """Tell whether an answer can be asked for again: what a GET without consequences found."""
    return route.is_document and answer[0] == _OK and not asked.asks_for_secrets


def _may_be_packed(asked: _Asked) -> bool:
    """Tell whether the length of the answer tells nobody anything (BREACH).

    Another site can make a browser ask with its cookie, choose a part of what is asked, and see on the
    wire how long the answer is. It cannot make it send our header, nor a key.
    """
    by_cookie = asked.credential is not None and asked.credential.by_cookie
    return not by_cookie or bool(asked.header(PAGE_HEADER.encode()))


def _status(answer: Answer | Stream) -> int:
    return 200 if isinstance(answer, Stream) else answer[0]


def _of_async(result: Any) -> Answer | Stream:  # noqa: ANN401 - what a handler returns
    return result if isinstance(result, Stream) else encode(result)


def _as_document(answer: Answer, asked: _Asked) -> Answer:
    return as_document(
        answer,
        seen=asked.header(b"if-none-match"),
        accepted=asked.header(b"accept-encoding") if _may_be_packed(asked) else "",
    )
