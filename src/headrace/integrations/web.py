"""One HTTP request to an address that somebody named: judged first, and no redirect followed."""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from typing import NoReturn
from urllib.parse import urljoin, urlsplit

import msgspec

from headrace.integrations.clusters.addresses import AddressRefused, Networks

TIMEOUT_S = 10.0
MOST_BYTES = 1024 * 1024
_MOST_REDIRECTS = 5
_PIECE_BYTES = 256 * 1024
OK = range(200, 300)
REDIRECTS = range(300, 400)


class NoAnswer(Exception):
    """The address may not be called, or nobody answers; the text says which."""


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    headers: Mapping[str, str]  # lower-case names
    content: bytes  # at most as many as were wanted, and one


def call(
    method: str,
    url: str,
    networks: Networks,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    most_bytes: int = MOST_BYTES,
    timeout_s: float = TIMEOUT_S,
    whole_s: float = 60.0,
) -> Answer:
    """Send a request and read the answer.

    Args:
        method: GET, POST …
        url: ``https://host/path``, without a login.
        networks: where the host may be.
        headers: beside those of HTTP itself.
        content: the body.
        most_bytes: of the answer; a longer one is cut after one more.
        timeout_s: of the connection, and of each wait for more of the answer.
        whole_s: for all of it; a host may not hold the caller by a byte now and then.

    Raises:
        NoAnswer: see there.
    """
    host, port, address = judged(url, networks)
    parts = urlsplit(url)
    connection = _Pinned(host, port, address, timeout_s, secure=parts.scheme == "https")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with _ended_after(connection, whole_s):
            connection.request(method, target, content, {"User-Agent": "headrace", **(headers or {})})
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            found = answer.read(most_bytes + 1)
        if answer.length and len(found) <= most_bytes:  # what was announced and did not come
            raise NoAnswer(f"{host} has broken off")
        return Answer(answer.status, names, found)
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise NoAnswer(f"{host} does not answer: {type(problem).__name__}") from None
    finally:
        connection.close()


def download(
    url: str, networks: Networks, *, most_bytes: int, whole_s: float = 300.0, timeout_s: float = TIMEOUT_S
) -> bytes:
    """Fetch a file, without any login; each address that a redirect names is judged as the first.

    Args:
        url: ``https://host/path``.
        networks: where hosts may be.
        most_bytes: of the file.
        whole_s: for all of it; a host may not hold the caller by a byte now and then.
        timeout_s: of a connection, and of each wait for more.

    Raises:
        NoAnswer: nobody answers in time, not with a file, or with a longer one.
    """
    until = time.monotonic() + whole_s
    for _ in range(_MOST_REDIRECTS + 1):
        host, port, address = judged(url, networks)
        parts = urlsplit(url)
        connection = _Pinned(host, port, address, timeout_s, secure=parts.scheme == "https")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            with _ended_after(connection, until - time.monotonic()):
                connection.request("GET", target, headers={"User-Agent": "headrace"})
                answer = connection.getresponse()
                if answer.status in OK:
                    return _whole(answer, host, until, most_bytes)
                there = answer.getheader("Location")
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise NoAnswer(f"{host} does not answer: {type(problem).__name__}") from None
        finally:
            connection.close()
        if answer.status not in REDIRECTS or not there:
            raise NoAnswer(f"{host} answers {answer.status}; see that the address is right")
        url = urljoin(url, there)
        if parts.scheme == "https" and not url.startswith("https:"):
            raise NoAnswer(f"{host} leads to an address that is not https; name the last one")
    raise NoAnswer(f"more than {_MOST_REDIRECTS} redirects; name the last address")


def _whole(answer: http.client.HTTPResponse, host: str, until: float, most_bytes: int) -> bytes:
    found = bytearray()
    while piece := answer.read1(_PIECE_BYTES):
        found += piece
        if len(found) > most_bytes:
            raise NoAnswer(f"{host} sends more than {most_bytes // 1024 // 1024} MB")
        if time.monotonic() > until:
            raise NoAnswer(f"{host} takes too long")
    if answer.length:  # what was announced and did not come
        raise NoAnswer(f"{host} has broken off")
    return bytes(found)


def judged(url: str, networks: Networks) -> tuple[str, int, str]:
    """Return host, port and the address to call.

    Raises:
        NoAnswer: the URL is none of HTTP, or its host may not be called.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        _refuse(url)
    if parts.scheme not in ("http", "https") or not host or any(each <= " " for each in url):
        _refuse(url)
    port = port or (443 if parts.scheme == "https" else 80)
    try:
        return host, port, networks.resolve(host, port)
    except AddressRefused as refusal:
        raise NoAnswer(str(refusal)) from None


def _refuse(url: str) -> NoReturn:
    raise NoAnswer(f"{url[:200]!r} is no address to call; write 'https://host/path'")


@contextlib.contextmanager
def _ended_after(connection: "_Pinned", whole_s: float) -> Iterator[None]:
    """Break a connection off after a time, also in the middle of a header.

    Raises:
        NoAnswer: it was; whatever has come is worth nothing.
    """
    is_over = threading.Event()

    def end() -> None:
        is_over.set()
        connection.end()

    timer = threading.Timer(whole_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError):
        if not is_over.is_set():
            raise
    finally:
        timer.cancel()
    if is_over.is_set():
        raise NoAnswer(f"{connection.host} takes too long")


class _Pinned(http.client.HTTPConnection):
    """Calls the address that was judged, under the name of the host."""

    def __init__(self, host: str, port: int, address: str, timeout_s: float, *, secure: bool) -> None:
        super().__init__(host, port, timeout=timeout_s)
        self._address, self._timeout_s, self._secure = address, timeout_s, secure
        self.default_port = 443 if secure else 80
        self._opened: socket.socket | None = None

    def end(self) -> None:
        """Break off, from any thread."""
        if self._opened is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._opened, socket.SHUT_RDWR)  # TLS may be reading in its thread

    def connect(self) -> None:
        """Open the connection."""
        self.sock = self._opened = socket.create_connection((self._address, self.port), self._timeout_s)
        if self._secure:
            secured = ssl.create_default_context().wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock = self._opened = secured
            secured.do_handshake()
