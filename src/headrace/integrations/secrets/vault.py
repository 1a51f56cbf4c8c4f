"""HashiCorp Vault: secrets of its key-value engines, by its HTTP API.

Source: the API documentation of Vault (KV version 2 and 1; auth methods token, userpass, approle,
kubernetes). A login lasts for one reading.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from headrace.integrations import web
from headrace.integrations.clusters import Networks
from headrace.integrations.secrets.store import Address, StoreFailed

_MISSING = 404
# Method → the fields that it sends; ``username`` is part of the path.
_LOGINS = {
    "userpass": ("password",),
    "approle": ("role_id", "secret_id"),
    "kubernetes": ("role", "jwt"),
}


def read_vault(data: Mapping[str, Any], address: Address, networks: Networks) -> str:
    """Return a secret of a Vault.

    Args:
        data: of the context, in clear: ``apiUrl`` and ``auth``.
        address: the path of the secret, mount first, and its key: ``secret/app/db@password``.
        networks: where the Vault may be.

    Raises:
        StoreFailed: see there.
    """
    auth = data.get("auth")
    vault = _Vault(str(data.get("apiUrl") or ""), auth if isinstance(auth, Mapping) else {}, networks)
    path = address.resource.strip("/")
    if not path or any(part in ("", ".", "..") for part in path.split("/")):
        raise StoreFailed("a secret of a Vault needs its path: write 'secrets.STORE.mount/path@KEY'")
    found = vault.read(path)
    if address.key not in found:
        known = ", ".join(sorted(map(str, found))) or "none"
        raise StoreFailed(f"{path!r} has no key {address.key!r}, but {known}")
    value = found[address.key]
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


class _Vault:
    """One Vault with a login."""

    def __init__(self, url: str, auth: Mapping[str, Any], networks: Networks) -> None:
        self._url, self._networks = url.rstrip("/").removesuffix("/v1"), networks
        self._headers = {"X-Vault-Request": "true"}
        if auth.get("namespace"):
            self._headers["X-Vault-Namespace"] = str(auth["namespace"])
        self._headers["X-Vault-Token"] = self._login(auth)

    def read(self, path: str) -> Mapping[str, Any]:
        """Return all keys of a secret, of version 2 of the engine, or else as the path is written."""
        mount, _, rest = path.partition("/")
        found = self._ask("GET", f"{mount}/data/{rest}") if rest and not rest.startswith("data/") else None
        if found is None:
            found = self._ask("GET", path)
        data = found.get("data") if found else None
        if isinstance(data, dict) and isinstance(data.get("data"), dict) and "metadata" in data:
            data = data["data"]
        if not isinstance(data, dict):
            raise StoreFailed(f"{path!r} is not in the Vault, or this login does not see it")
        return data

    def _login(self, auth: Mapping[str, Any]) -> str:
        method = str(auth.get("type") or "token")
        if method == "token":
            return str(auth.get("token") or "")
        if method not in _LOGINS:
            known = ", ".join(("token", *_LOGINS))
            raise StoreFailed(f"a login by {method!r} is not offered; use one of {known}")
        place = f"auth/{str(auth.get('mount_point') or method).strip('/')}/login"
        if method == "userpass":
            place += f"/{auth.get('username') or ''}"
        sent = {name: str(auth.get(name) or "") for name in _LOGINS[method]}
        answer = self._ask("POST", place, sent)
        given = answer.get("auth") if answer else None
        token = given.get("client_token") if isinstance(given, dict) else None
        if not isinstance(token, str):
            raise StoreFailed(f"the Vault gives no token at {place!r}; check the login of the context")
        return token

    def _ask(self, method: str, place: str, body: object = None) -> dict[str, Any] | None:
        """Return the answer; None where there is nothing."""
        url = f"{self._url}/v1/{quote(place)}"
        content = None if body is None else msgspec.json.encode(body)
        try:
            answer = web.call(method, url, self._networks, headers=self._headers, content=content)
        except web.NoAnswer as problem:
            raise StoreFailed(f"the Vault cannot be asked: {problem}") from None
        if answer.status == _MISSING:
            return None
        if answer.status not in web.OK:
            raise StoreFailed(f"the Vault answers {answer.status} to {method} {place!r}")
        try:
            return msgspec.json.decode(answer.content, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise StoreFailed(f"the Vault answers no JSON to {method} {place!r}") from None
