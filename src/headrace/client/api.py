"""`Api`: calls operations by their SDK name, retries as the official client does, decodes answers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from headrace.client.errors import ApiError, Unreachable
from headrace.client.operations import OPERATIONS
from headrace.client.transport import connect, read_all

if TYPE_CHECKING:
    from http.client import HTTPResponse

VERSION = "1.2.7"  # of the official client whose commands we take; sent as it sends it
RETRIED = frozenset({502, 503, 504})


@dataclass(frozen=True, kw_only=True)
class RequestOptions:
    """How often and how patiently a request is sent."""

    timeout_s: float = 30.0
    attempts: int = 10
    retry_delay_s: float = 0.5
    insecure: bool = False


@dataclass(frozen=True, kw_only=True)
class Api:
    """A server and a key. Calls are independent of each other and may come from many threads.

    Attributes:
        url: address without ``/api`` and without a slash at the end.
        key: an API key, or a session token (JWT), which travels in another header.
        environ: where proxies are looked up, and the step that we may run in.
        sleep: waits between attempts; takes seconds.
    """

    url: str
    key: str
    options: RequestOptions = field(default_factory=RequestOptions)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    sleep: Callable[[float], None] = time.sleep

    def __repr__(self) -> str:
        """Without the key, so that no log shows it."""
        return f"Api(url={self.url!r})"

    def call(self, operation: str, body: object = None, *, query: Query | None = None, **path: str) -> Any:  # noqa: ANN401 — JSON edge
        """Call an operation by its SDK name, for example ``pipelines.get``.

        Args:
            operation: a key of `OPERATIONS`.
            body: sent as JSON when not None.
            query: options of the query string; None values are left out, lists repeat the key,
                mappings become ``key[sub]=value``.
            path: the fields of the path, not yet encoded.

        Returns:
            The decoded JSON, or the text where the answer is not JSON; None for an empty body.

        Raises:
            ApiError: the server answered with an error.
            Unreachable: no usable answer after all attempts.
        """
        method, template = OPERATIONS[operation]
        target = template.format(**{name: quote(value, safe="") for name, value in path.items()})
        return self.request(method, "/api" + target, body, query=query)

    def request(self, method: str, target: str, body: object = None, *, query: Query | None = None) -> Any:  # noqa: ANN401 — JSON edge
        """Call any path of the server; ``target`` starts with a slash. Otherwise as `call`."""
        payload = None if body is None else json.dumps(body).encode()
        with self.open(method, target + query_string(query or {}), payload) as response:
            text = read_all(response)
        return decode(text)

    def open(
        self, method: str, target: str, payload: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> HTTPResponse:
        """Send a request, again while the server is away, and return the unread answer.

        Raises:
            ApiError: as `call`.
            Unreachable: as `call`.
        """
        failure = "no attempt was made"
        for attempt in range(max(1, self.options.attempts)):
            if attempt:
                self.sleep(self.options.retry_delay_s)
            try:
                response = self._send(method, target, payload, headers or {})
            except OSError as error:
                failure = str(error) or type(error).__name__
                continue
            except _protocol_error() as error:
                failure = f"broken answer: {error or type(error).__name__}"
                continue
            if response.status < HTTPStatus.MULTIPLE_CHOICES:
                return response
            refused = error_of(response.status, read_all(response), key=self.key)
            if response.status not in RETRIED:
                raise refused
            failure = refused.message
        raise Unreachable(f"no answer from {self.url}: {failure}; is the server running there?")

    def fetch(self, url: str) -> Any:  # noqa: ANN401 — JSON edge
        """Get an absolute address, without the key and without a time limit (it may be held open)."""
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        patient = RequestOptions(
            timeout_s=0,
            attempts=self.options.attempts,
            retry_delay_s=self.options.retry_delay_s,
            insecure=self.options.insecure,
        )
        outside = Api(
            url=f"{scheme}://{host}", key="", options=patient, environ=self.environ, sleep=self.sleep
        )
        return outside.request("GET", slash + path)

    def _send(
        self, method: str, target: str, payload: bytes | None, headers: Mapping[str, str]
    ) -> HTTPResponse:
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
            connection.request(method, path, body=payload, headers=everything)
            return connection.getresponse()
        except BaseException:
            connection.close()
            raise

    def _headers(self) -> dict[str, str]:
        headers = {
            "User-Agent": f"codefresh-cli-v{VERSION}",
            "Codefresh-User-Agent-Type": "cli",
            "Codefresh-User-Agent-Version": VERSION,
            "Connection": "close",
        }
        if self.key:
            headers["x-access-token" if jwt_payload(self.key) else "Authorization"] = self.key
        host, build = self.environ.get("HOSTNAME"), self.environ.get("CF_BUILD_ID")
        if host and build:
            headers["X-Pagination-Session-Id"] = f"{host}:{build}"
        return headers


Query = Mapping[str, object]


def _protocol_error() -> type[Exception]:
    """The library's own errors; imported late, since `connect` chooses how it is loaded."""
    from http.client import HTTPException

    return HTTPException


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


def error_of(status: int, text: str, *, key: str = "") -> ApiError:
    """Turn an error answer into an exception, in the words that the official client prints."""
    body = decode(text)
    said = body.get("message") if isinstance(body, dict) else None
    message = str(said) if said else text.strip() or f"the server answered {status} without a reason"
    if key:
        message, text = message.replace(key, "*****"), text.replace(key, "*****")
    if status == HTTPStatus.UNAUTHORIZED:
        cure = "Please create or update your authentication context"
        return ApiError(status, f"{cure}; caused by Error: {json.dumps(text or message)}")
    if status == HTTPStatus.FORBIDDEN:
        cure = "You do not have permissions to perform this action"
        return ApiError(status, f"{cure}; caused by Error: {json.dumps(text or message)}")
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return ApiError(status, "Request was not properly redirected; check the address of the server")
    return ApiError(status, message)
