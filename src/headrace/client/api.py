"""`Client`: calls the operations of a server, repeats what is safe to repeat, decodes answers.

Its typed methods (``client.pipelines.list()``) are made from the API document when the package is
installed and stand in `headrace.client.made`; each of them is one `Client.call` by the SDK name.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from headrace.client.errors import KINDS, ApiError, ServerError, Unreachable
from headrace.client.made import Resources
from headrace.client.made.operations import OPERATIONS
from headrace.client.transport import connect, protocol_error, read_all

if TYPE_CHECKING:
    from http.client import HTTPResponse

    from headrace.client.events import Event
    from headrace.client.follow import Line
    from headrace.client.made.types import BuildOut

SAFE = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})  # a PATCH of this API sets fields
AWAY = frozenset({502, 503, 504})
NOT_TAKEN = frozenset({429, 503})  # the request was not begun: again is never twice
LONGEST_WAIT_S = 60.0
KEY_HEADER = "Idempotency-Key"

Query = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class RequestOptions:
    """How often and how patiently a request is sent.

    Attributes:
        timeout_s: seconds without a byte after which an answer is given up; 0 for no limit.
        attempts: at most so many requests for one call.
        retry_delay_s: wait before the second attempt.
        backoff: each further wait is so many times as long, up to `LONGEST_WAIT_S`.
        insecure: take any certificate.
    """

    timeout_s: float = 30.0
    attempts: int = 5
    retry_delay_s: float = 0.5
    backoff: float = 2.0
    insecure: bool = False


@dataclass(frozen=True)
class Client(Resources):
    """A server and a key. Calls are independent of each other and may come from many threads.

    Attributes:
        url: address of the server, ``https://ci.example``; a slash or ``/api`` at its end is taken off.
        key: an API key, or a session token (JWT), which travels in another header.
        options: how requests are sent.
        environ: where proxies are looked up, and the step that we may run in; by default nowhere.
        headers: sent with every request.
        sleep: waits between attempts; takes seconds.

    Raises:
        ValueError: the address does not begin with ``http://`` or ``https://``.
    """

    url: str
    key: str = field(default="", repr=False)
    options: RequestOptions = field(default_factory=RequestOptions, repr=False, kw_only=True)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False, kw_only=True)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, kw_only=True)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        """Bring the address into one form."""
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"{self.url!r} is no address of a server; it begins with http:// or https://")
        object.__setattr__(self, "url", self.url.rstrip("/").removesuffix("/api"))

    @property
    def _client(self) -> Client:
        return self

    def call(self, operation: str, body: object = None, *, query: Query | None = None, **path: str) -> Any:  # noqa: ANN401 — JSON edge
        """Call an operation by its SDK name, for example ``pipelines.get``.

        Args:
            operation: a key of `OPERATIONS`.
            body: sent as JSON when not None.
            query: options of the query string; None values are left out, lists repeat the key,
                mappings become ``key[sub]=value``.
            path: the fields of the path by their wire names, not yet encoded.

        Returns:
            The decoded JSON, or the text where the answer is not JSON; None for an empty body.

        Raises:
            ApiError: the server answered with an error; its subclass says which.
            Unreachable: no usable answer after all attempts.
        """
        found = OPERATIONS[operation]
        return self.request(
            found.method,
            "/api" + _target(found.path, path),
            body,
            query=query,
            may_repeat=not found.has_effect or bool((query or {}).get("reqId")),
            is_keyed=found.is_keyed,
        )

    def request(
        self,
        method: str,
        target: str,
        body: object = None,
        *,
        query: Query | None = None,
        may_repeat: bool | None = None,
        is_keyed: bool = False,
    ) -> Any:  # noqa: ANN401 — JSON edge
        """Call any path of the server; ``target`` starts with a slash.

        Args:
            method: of HTTP.
            target: path, already encoded.
            body: as in `call`.
            query: as in `call`.
            may_repeat: done twice, it does no more than done once; None judges by the method.
            is_keyed: the server knows a repeated request by its `KEY_HEADER`; one is made up for it.

        Raises:
            ApiError: as `call`.
            Unreachable: as `call`.
        """
        payload = None if body is None else json.dumps(body).encode()
        headers = {}
        if is_keyed:
            import uuid

            headers[KEY_HEADER] = str(uuid.uuid4())
        target += query_string(query or {})
        with self.open(method, target, payload, headers, may_repeat=may_repeat) as response:
            text, kind = self._text(response), response.headers.get("Content-Type") or ""
        if kind.startswith("text/html") and target != "/api/":
            raise Unreachable(
                f"{self.url} answers with a web page, not as this API does; is the address right?"
            )
        return decode(text)

    def stream(self, operation: str, *, query: Query | None = None, **path: str) -> Iterator[Event]:
        """Read the events of an operation that streams, until the server ends it.

        The first connection is made when the first event is asked for. A connection that breaks is an
        `Unreachable` here; `follow` resumes one.
        """
        from headrace.client.events import parse

        found = OPERATIONS[operation]
        target = "/api" + _target(found.path, path) + query_string(query or {})
        with self.open(found.method, target, None, {"Accept": "text/event-stream"}) as response:
            try:
                yield from parse(response)
            except (OSError, protocol_error()) as error:
                raise Unreachable(f"the stream of {self.url} broke off: {error}") from error

    def follow(self, build_id: str) -> Iterator[Line]:
        """The text of a build as it is written, from its beginning to its end; see `follow.lines`."""
        from headrace.client.follow import lines

        return lines(self, build_id)

    def wait(self, build_id: str, *, timeout_s: float | None = None) -> BuildOut:
        """Wait until a build has ended; see `follow.wait`."""
        from headrace.client.follow import wait

        return wait(self, build_id, timeout_s=timeout_s)

    def open(
        self,
        method: str,
        target: str,
        payload: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        may_repeat: bool | None = None,
    ) -> HTTPResponse:
        """Send a request, again where that is safe, and return the unread answer.

        A request that reached no server, or that was refused before it was begun (429, 503), is sent
        again whatever it is. One whose answer got lost (a broken connection, 502, 504) is sent again
        only where twice is the same as once.

        Raises:
            ApiError: as `call`.
            Unreachable: as `call`.
        """
        headers = headers or {}
        repeat = method in SAFE if may_repeat is None else may_repeat
        repeat = repeat or KEY_HEADER in headers
        failure, delay, cause = "no attempt was made", self.options.retry_delay_s, None
        for attempt in range(max(1, self.options.attempts)):
            if attempt:
                self.sleep(min(delay, LONGEST_WAIT_S))
                delay *= self.options.backoff
            sent = [False]
            try:
                response = self._send(method, target, payload, headers, sent)
            except (OSError, protocol_error()) as error:
                cause, failure = error, _reason(error)
                if sent[0] and not repeat:
                    raise self._lost(failure) from error
                continue
            if response.status < HTTPStatus.MULTIPLE_CHOICES:
                return response
            asked_wait = response.headers.get("Retry-After")
            refused = error_of(response.status, self._text(response), key=self.key, wait=asked_wait)
            if not _passes(refused, repeat=repeat):
                raise refused
            delay = max(delay, refused.retry_after_s or 0)
            cause, failure = refused, refused.message
        if isinstance(cause, ApiError) and cause.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise cause
        cure = "" if isinstance(cause, ApiError) else "; is the server running there?"
        raise Unreachable(f"no answer from {self.url}: {failure}{cure}") from cause

    def fetch(self, url: str) -> Any:  # noqa: ANN401 — JSON edge
        """Get an absolute address, without the key and without a time limit (it may be held open)."""
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        patient = replace(self.options, timeout_s=0)
        return replace(self, url=f"{scheme}://{host}", key="", options=patient).request("GET", slash + path)

    def _text(self, response: HTTPResponse) -> str:
        try:
            return read_all(response)
        except (OSError, protocol_error()) as error:
            raise Unreachable(f"the answer of {self.url} broke off: {_reason(error)}; try again") from error

    def _lost(self, failure: str) -> Unreachable:
        return Unreachable(
            f"no answer from {self.url}: {failure}; "
            "the request may have been carried out: look before you repeat it"
        )

    def _send(
        self,
        method: str,
        target: str,
        payload: bytes | None,
        headers: Mapping[str, str],
        sent: list[bool],
    ) -> HTTPResponse:
        """One attempt; ``sent[0]`` says afterwards whether the server may have seen it."""
        connection, prefix = connect(
            self.url,
            timeout_s=self.options.timeout_s or None,
            insecure=self.options.insecure,
            environ=self.environ,
        )
        base = self.url.partition("://")[2].partition("/")
        path = prefix + base[1] + base[2].rstrip("/") + target if base[2] else prefix + target
        everything = {**self._headers(), **headers}
        if payload is not None:
            everything["Content-Type"] = "application/json"
        try:
            connection.connect()
            sent[0] = True
            connection.request(method, path, body=payload, headers=everything)
            response = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:  # the host would hold the connection: it goes with the answer
            connection.sock.close()
            connection.sock = None
        return response

    def _headers(self) -> dict[str, str]:
        headers = {"User-Agent": "headrace-python", "Connection": "close", **self.headers}
        if self.key:
            headers["x-access-token" if jwt_payload(self.key) else "Authorization"] = self.key
        host, build = self.environ.get("HOSTNAME"), self.environ.get("CF_BUILD_ID")
        if host and build:
            headers["X-Pagination-Session-Id"] = f"{host}:{build}"
        return headers


def _passes(refused: ApiError, *, repeat: bool) -> bool:
    """Whether the same request may do better later: the server is away, or says when to come again."""
    if refused.retry_after_s is not None and refused.status in NOT_TAKEN:
        return refused.retry_after_s <= LONGEST_WAIT_S
    return refused.status in AWAY and (repeat or refused.status in NOT_TAKEN)


def _target(template: str, path: Mapping[str, str]) -> str:
    return template.format(**{name: quote(str(value), safe="") for name, value in path.items()})


def _reason(error: Exception) -> str:
    said = str(error) or type(error).__name__
    return said if isinstance(error, OSError) else f"broken answer: {said}"


def jwt_payload(key: str) -> dict[str, Any] | None:
    """What a session token says (``_id``, ``accountId``, ``exp``); None for an API key."""
    parts = key.split(".")
    if len(parts) != 3:  # noqa: PLR2004 — header, payload, signature
        return None
    import base64

    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None


def _pairs(name: str, value: object) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, bool):
        yield name, "true" if value else "false"
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _pairs(name, item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _pairs(f"{name}[{key}]", item)
    else:
        yield name, str(value)


def query_string(query: Query) -> str:
    """``{"a": [1, 2], "b": None, "c": True}`` as ``?a=1&a=2&c=true``; empty for nothing."""
    pairs = [pair for name, value in query.items() for pair in _pairs(name, value)]
    return (
        "?" + "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    ) * bool(pairs)


def decode(text: str) -> Any:  # noqa: ANN401 — JSON edge
    """JSON where it is JSON, else the text itself; None for nothing."""
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def error_of(status: int, text: str, *, key: str = "", wait: str | None = None) -> ApiError:
    """Turn an error answer into an exception of its kind, without the key that may stand in it.

    Args:
        status: of the answer.
        text: its body.
        key: what must not be shown.
        wait: its header ``Retry-After``; a date is taken as none.
    """
    if key:
        text = text.replace(key, "*****")
    body = decode(text)
    is_json = isinstance(body, dict) and bool(body.get("message"))
    said = body.get("message") if isinstance(body, dict) else None
    message = str(said) if said else text.strip() or f"the server answered {status} without a reason"
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        message = "the request was redirected, which the API never does; check the address of the server"
    kind = KINDS.get(status, ServerError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ApiError)
    found = body if isinstance(body, dict) else {}
    context = found.get("context")
    return kind(
        status,
        message,
        code=str(found.get("code") or ""),
        context=context if isinstance(context, dict) else None,
        retry_after_s=float(wait) if wait and wait.isdigit() else None,
        is_json=is_json,
    )
