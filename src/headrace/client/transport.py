"""One HTTP exchange over the standard library, with proxies and without needless imports."""

from __future__ import annotations

import base64
import sys
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.client import HTTPConnection, HTTPResponse

LOOPBACK = ("localhost", "::1", "127.")


def _http_client(*, tls: bool) -> type[HTTPConnection]:
    """Import ``http.client``; leave ``ssl`` (a third of its import time) out for plain HTTP."""
    if tls or "ssl" in sys.modules:
        import http.client as library

        if not hasattr(library, "HTTPSConnection"):  # imported without ssl for an earlier address
            import importlib

            library = importlib.reload(library)
        return library.HTTPSConnection if tls else library.HTTPConnection
    sys.modules["ssl"] = None  # type: ignore[assignment]  # an import of it now fails, which the library allows
    try:
        import http.client as library
    finally:
        del sys.modules["ssl"]
    return library.HTTPConnection


def protocol_error() -> type[Exception]:
    """The library's own errors; imported late, since `connect` chooses how it is loaded."""
    from http.client import HTTPException

    return HTTPException


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """The proxy for ``url`` by ``http_proxy``, ``https_proxy`` and ``no_proxy``; None for none.

    A loopback address never goes through a proxy.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host.startswith(LOOPBACK):
        return None
    name = f"{parts.scheme}_proxy"
    proxy = environ.get(name) or environ.get(name.upper())
    exempt = (environ.get("no_proxy") or environ.get("NO_PROXY") or "").split(",")
    for entry in (part.strip().lstrip(".") for part in exempt):
        if entry and (entry in ("*", host) or host.endswith("." + entry)):
            return None
    return proxy or None


def connect(
    url: str, *, timeout_s: float | None, insecure: bool, environ: Mapping[str, str]
) -> tuple[HTTPConnection, str]:
    """Make a connection for ``url`` (not yet open).

    Returns:
        The connection, and what comes before a path in its request line: empty, or the whole
        origin when a proxy forwards plain HTTP.
    """
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    options: dict[str, object] = {"timeout": timeout_s}
    if tls and insecure:
        import ssl

        options["context"] = ssl._create_unverified_context()  # noqa: S323, SLF001 — asked for by --insecure
    kind = _http_client(tls=tls)
    host, port = parts.hostname or "", parts.port or (443 if tls else 80)
    proxy = proxy_for(url, environ)
    if proxy is None:
        return kind(host, port, **options), ""  # type: ignore[arg-type]
    via = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    connection = kind(via.hostname or "", via.port or 3128, **options)  # type: ignore[arg-type]
    if not tls:
        return connection, f"http://{parts.netloc}"
    headers = {}
    if via.username:
        login = f"{unquote(via.username)}:{unquote(via.password or '')}".encode()
        headers["Proxy-Authorization"] = "Basic " + base64.b64encode(login).decode()
    connection.set_tunnel(host, port, headers=headers)
    return connection, ""


def read_all(response: HTTPResponse) -> str:
    """The body as text; bytes that are no UTF-8 become U+FFFD."""
    return response.read().decode("utf-8", errors="replace")
