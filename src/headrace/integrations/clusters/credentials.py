"""How to reach a cluster: taken from a kubeconfig or a token, stored as one secret.

Source: the kubeconfig format of Kubernetes. What would run a program or read a file of this
machine (``exec``, ``tokenFile``, paths) is refused: a kubeconfig comes from outside.
"""

import base64
import binascii
import ssl
from typing import Any, Self
from urllib.parse import urlsplit

import msgspec
import yaml

_EMBED = "write its content into the file: kubectl config view --raw --minify --flatten"
_CURE = "register the cluster by the token of a service account"
_REFUSED = {
    "exec": _CURE,
    "auth-provider": _CURE,
    "username": _CURE,
    "tokenFile": _EMBED,
    "client-certificate": _EMBED,
    "client-key": _EMBED,
    "certificate-authority": _EMBED,
    "proxy-url": "clusters are called directly",
    "insecure-skip-tls-verify": "give the certificate of its authority: certificate-authority-data",
}


class CredentialsInvalid(Exception):
    """The kubeconfig or token cannot be used; the text names the place and the cure."""


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """One cluster's address and login."""

    url: str  # ``https://10.0.0.1:6443``
    authority: str = ""  # PEM; empty: those that this machine trusts
    token: str = ""
    certificate: str = ""  # of the client, PEM
    key: str = ""  # PEM
    server_name: str = ""  # in its certificate, where that is not the host

    @property
    def host(self) -> str:
        """The host of the API server."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port of the API server."""
        return urlsplit(self.url).port or 443

    def checked(self) -> Self:
        """Return them when they can be used; else raise `CredentialsInvalid`."""
        try:
            place = urlsplit(self.url)
            right = place.scheme == "https" and place.hostname and place.port != 0
        except ValueError:
            right = False
        if not right or place.username or place.query or place.fragment:
            raise CredentialsInvalid(
                f"address {self.url!r} is none of a cluster; write 'https://10.0.0.1:6443'"
            )
        if not self.token and not (self.certificate and self.key):
            raise CredentialsInvalid("there is no login; give a token, or a client certificate with its key")
        if not (self.token.isascii() and self.token.isprintable()):
            raise CredentialsInvalid("the token has signs that no token has; give it as it is, or in base64")
        if self.authority:
            try:
                ssl.create_default_context(cadata=self.authority)
            except (ssl.SSLError, ValueError):
                raise CredentialsInvalid("the certificate of the authority is no PEM") from None
        return self


def by_token(url: str, token: str, authority: str) -> Credentials:
    """Return the login by a token.

    Args:
        url: of the API server.
        token: of a service account; as it is, or in base64 as secrets of clusters hold it.
        authority: PEM, or base64 of it; empty: what this machine trusts.

    Raises:
        CredentialsInvalid: see there.
    """
    pem = authority if "BEGIN" in authority else _decoded(authority, "clientCa")
    text = token.strip()
    if "." not in text:  # no JSON web token
        try:
            opened = base64.b64decode(text, validate=True).decode("ascii")
            text = opened if opened.count(".") == _DOTS else text
        except ValueError:
            pass
    return Credentials(url=url.rstrip("/"), token=text, authority=pem).checked()


_DOTS = 2  # of a JSON web token


def from_kubeconfig(text: str, context: str = "") -> tuple[str, Credentials]:
    """Return the name and the login of a context of a kubeconfig.

    Args:
        text: YAML or JSON.
        context: its name; empty: the current one.

    Raises:
        CredentialsInvalid: see there.
    """
    try:
        document = yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise CredentialsInvalid("kubeconfig is no YAML") from None
    if not isinstance(document, dict):
        raise CredentialsInvalid("kubeconfig is no mapping")
    wanted = context or document.get("current-context")
    if not wanted:
        raise CredentialsInvalid("kubeconfig has no current-context; name a context")
    found = _named(document, "contexts", "context", wanted)
    cluster = _named(document, "clusters", "cluster", found.get("cluster"))
    user = _named(document, "users", "user", found.get("user"))
    for where, part in ((f"cluster {found['cluster']!r}", cluster), (f"user {found['user']!r}", user)):
        for field, cure in _REFUSED.items():
            if part.get(field):
                raise CredentialsInvalid(f"{where} of the kubeconfig uses {field!r}; {cure}")
    return str(wanted), Credentials(
        url=str(cluster.get("server", "")).rstrip("/"),
        authority=_decoded(cluster.get("certificate-authority-data"), "certificate-authority-data"),
        server_name=str(cluster.get("tls-server-name") or ""),
        token=str(user.get("token") or ""),
        certificate=_decoded(user.get("client-certificate-data"), "client-certificate-data"),
        key=_decoded(user.get("client-key-data"), "client-key-data"),
    ).checked()


def _named(document: dict[str, Any], plural: str, kind: str, name: object) -> dict[str, Any]:
    every = document.get(plural)
    for one in every if isinstance(every, list) else ():
        if isinstance(one, dict) and one.get("name") == name and isinstance(one.get(kind), dict):
            part: dict[str, Any] = one[kind]
            return part
    raise CredentialsInvalid(f"kubeconfig has no {kind} {name!r}")


def _decoded(value: object, field: str) -> str:
    try:
        return base64.b64decode(str(value or ""), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise CredentialsInvalid(f"{field} is no base64 of PEM") from None
