"""The login of a registry, tried for real: the version check of the Distribution API.

Source: the Distribution specification (``GET /v2/``) and its token authentication.
"""

import base64
import http.client
import ipaddress
import json
import re
from urllib.parse import urlencode, urlsplit

_TIMEOUT_S = 10.0
_MOST_BYTES = 256 * 1024
_OK, _UNAUTHORIZED = 200, 401
_HUB, _HUB_HOST = "docker.io", "registry-1.docker.io"
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


class RegistryRefused(Exception):
    """The registry does not answer, or not as wished; the text says why, without secrets."""


def log_in(domain: str, username: str, password: str) -> None:
    """Log in to a registry; without credentials, see that it answers.

    Args:
        domain: ``registry.example.org:5000``. HTTPS is used but for addresses of this machine.
        username: empty, as the password: nobody logs in.
        password: is sent to the registry, or to the token server that it names, by HTTPS.

    Raises:
        RegistryRefused: it does not let in.
    """
    base = _base(domain)
    status, challenge, _ = _get(f"{base}/v2/", None)
    if status == _OK:
        return
    if status != _UNAUTHORIZED:
        raise RegistryRefused(f"{domain} answers with status {status}, which no registry does")
    if not username and not password:
        raise RegistryRefused(f"{domain} wants a user name and a password")
    basic = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
    kind, _, rest = challenge.partition(" ")
    authorization = basic
    if kind.lower() == "bearer":
        authorization = _token(base, dict(_PARAMETER.findall(rest)), username, basic)
    status, _, _ = _get(f"{base}/v2/", authorization)
    if status != _OK:
        raise RegistryRefused(f"{domain} refuses this user name and password (status {status})")


def _base(domain: str) -> str:
    host = urlsplit(f"//{domain}").hostname or ""
    scheme = "http" if _is_here(host) else "https"
    return f"{scheme}://{_HUB_HOST if domain == _HUB else domain}"


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _token(base: str, named: dict[str, str], username: str, basic: str) -> str:
    """Fetch the token that a registry asks for."""
    realm = named.get("realm", "")
    place = urlsplit(realm)
    if place.scheme != "https" and not (base.startswith("http://") and _is_here(place.hostname or "")):
        raise RegistryRefused(
            f"the token server {realm!r} is not reached by HTTPS; no password is sent there"
        )
    query = {"account": username}
    if "service" in named:
        query["service"] = named["service"]
    status, _, body = _get(f"{realm}?{urlencode(query)}", basic)
    if status != _OK:
        raise RegistryRefused(f"its token server refuses this user name and password (status {status})")
    try:
        found = json.loads(body)
        return f"Bearer {found.get('token') or found['access_token']}"
    except (ValueError, KeyError, AttributeError):
        raise RegistryRefused("its token server gives no token") from None


def _get(url: str, authorization: str | None) -> tuple[int, str, bytes]:
    """Return status, challenge and body; redirects are not followed."""
    place = urlsplit(url)
    try:
        kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        connection = kind(place.hostname or "", place.port, timeout=_TIMEOUT_S)
        path = place.path + (f"?{place.query}" if place.query else "")
        try:
            connection.request("GET", path, headers={"Authorization": authorization} if authorization else {})
            answer = connection.getresponse()
            return answer.status, answer.getheader("WWW-Authenticate") or "", answer.read(_MOST_BYTES)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as failure:
        raise RegistryRefused(f"{place.netloc} does not answer: {failure}") from failure
