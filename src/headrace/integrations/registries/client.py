"""What this server itself asks of registries, by the Distribution API: logins tried, tags added.

Source: the Distribution specification (``GET /v2/``) and its token authentication.
"""

import base64
import http.client
import ipaddress
import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote, urlencode, urlsplit

import msgspec

_TIMEOUT_S = 10.0
_MOST_BYTES = 4 * 1024 * 1024  # of a manifest, as registries limit them
_OK, _CREATED, _UNAUTHORIZED = 200, 201, 401
_HUB, _HUB_HOST = "docker.io", "registry-1.docker.io"
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


_MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)


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
    _authorization(domain, username, password)


def add_tag(domain: str, username: str, password: str, repository: str, known: str, tag: str) -> None:
    """Give an image of a registry one more tag.

    Args:
        domain: and the next two as for `log_in`.
        username: see there.
        password: see there.
        repository: without the domain.
        known: a tag that the image has.
        tag: the new one.

    Raises:
        RegistryRefused: it does not let in, has no such image, or takes no tags.
    """
    scope = f"repository:{repository}:pull,push"
    authorization = _authorization(domain, username, password, scope=scope)
    place = f"{_base(domain)}/v2/{quote(repository)}/manifests/"
    found = _ask("GET", place + quote(known, safe=""), authorization, {"Accept": ", ".join(_MANIFESTS)})
    if found.status != _OK:
        raise RegistryRefused(f"{domain} has no image {repository}:{known} (status {found.status})")
    headers = {"Content-Type": found.kind or _MANIFESTS[0]}
    stored = _ask("PUT", place + quote(tag, safe=""), authorization, headers, found.body)
    if stored.status != _CREATED:
        raise RegistryRefused(f"{domain} does not take tag {tag!r} of {repository} (status {stored.status})")


def _authorization(domain: str, username: str, password: str, *, scope: str = "") -> str | None:
    """Return the header that the registry lets in; None where it wants none."""
    base = _base(domain)
    first = _ask("GET", f"{base}/v2/", None)
    if first.status == _OK:
        return None
    if first.status != _UNAUTHORIZED:
        raise RegistryRefused(f"{domain} answers with status {first.status}, which no registry does")
    if not username and not password:
        raise RegistryRefused(f"{domain} wants a user name and a password")
    basic = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
    kind, _, rest = first.challenge.partition(" ")
    authorization = basic
    if kind.lower() == "bearer":
        authorization = _token(base, dict(_PARAMETER.findall(rest)) | {"scope": scope}, username, basic)
    status = _ask("GET", f"{base}/v2/", authorization).status
    if status != _OK:
        raise RegistryRefused(f"{domain} refuses this user name and password (status {status})")
    return authorization


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
    query = {"account": username} | {key: named[key] for key in ("service", "scope") if named.get(key)}
    answer = _ask("GET", f"{realm}?{urlencode(query)}", basic)
    if answer.status != _OK:
        raise RegistryRefused(
            f"its token server refuses this user name and password (status {answer.status})"
        )
    try:
        found = json.loads(answer.body)
        return f"Bearer {found.get('token') or found['access_token']}"
    except (ValueError, KeyError, AttributeError):
        raise RegistryRefused("its token server gives no token") from None


class _Answer(msgspec.Struct, frozen=True):
    status: int
    challenge: str
    kind: str
    body: bytes


def _ask(
    method: str,
    url: str,
    authorization: str | None,
    headers: Mapping[str, str] = MappingProxyType({}),
    body: bytes | None = None,
) -> _Answer:
    """Send one request; redirects are not followed."""
    place = urlsplit(url)
    sent = {**headers, **({"Authorization": authorization} if authorization else {})}
    try:
        kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        connection = kind(place.hostname or "", place.port, timeout=_TIMEOUT_S)
        try:
            connection.request(method, place.path + (f"?{place.query}" if place.query else ""), body, sent)
            answer = connection.getresponse()
            challenge, shape = answer.getheader("WWW-Authenticate"), answer.getheader("Content-Type")
            return _Answer(answer.status, challenge or "", shape or "", answer.read(_MOST_BYTES))
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as failure:
        raise RegistryRefused(f"{place.netloc} does not answer: {failure}") from failure
