"""Contexts on the wire and at rest; and the form that secret values have in stored documents.

A stored document holds ``{"$sealed": text}`` in the place of a secret text, and ``{"$sealedJson":
text}`` in the place of any other secret value. Only places that may be secret are looked at, and
there nothing else than a sealed value is ever stored, so no document can imitate one.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from headrace.http.errors import BadRequest
from headrace.kit.crypto import SecretBox

MASK = "*****"  # what readers see of a secret; written back, it keeps the stored value
_TEXT, _JSON = "$sealed", "$sealedJson"

PLAIN_TYPES = ("config", "yaml")
GIT_TYPES = (
    "git.github",
    "git.gitlab",
    "git.bitbucket",
    "git.bitbucket-server",
    "git.stash",
    "git.github-app",
    "git.codefresh-github-app",
)
TYPES = (
    *PLAIN_TYPES,
    "secret",
    "secret-yaml",
    *GIT_TYPES,
    "helm-repository",
    "storage.gc",
    "storage.s3",
    "storage.azuref",
    "secret-store.kubernetes",
    "secret-store.kubernetes-runtime",
    "secret-store.hashicorp-vault",
)
# What may be read of the credentials of an outside system; the rest of ``auth`` is secret.
_OPEN_OF_AUTH = {
    "type",
    "username",
    "apiHost",
    "apiURL",
    "apiPathPrefix",
    "apiHostPort",
    "accountName",
    "sshHost",
    "appId",
    "installationId",
    "url",
    "role",
    "region",
}
# Parts of the names of open values that say where secrets are sent.
_ADDRESS_WORDS = ("host", "url", "prefix", "address", "server", "endpoint", "accountname")
_SECRET_WORDS = ("password", "secret", "token", "privatekey", "accesskey", "jsonconfig")

Change = Callable[[tuple[str, ...], Any], Any]  # (place below ``data``, value) → new value


class SealedText(msgspec.Struct, frozen=True):
    """A secret as `SecretBox` sealed it for the account; opened only when a step starts."""

    text: str


class HelmRepository(msgspec.Struct, frozen=True):
    """A Helm repository with the login there, in clear."""

    url: str
    username: str = ""
    password: str = ""


def seal(box: SecretBox, account_id: str, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return the stored form of a secret value; nothing and an empty text hide nothing."""
    if value is None or value == "":
        return value
    if isinstance(value, str):
        return {_TEXT: box.seal(value, account_id)}
    return {_JSON: box.seal(msgspec.json.encode(value).decode(), account_id)}


def sealed_text(value: object) -> SealedText | None:
    """Return what a stored value seals, where it is a sealed text; else None."""
    text = value.get(_TEXT) if isinstance(value, dict) and len(value) == 1 else None
    return SealedText(text) if isinstance(text, str) else None


def unseal(box: SecretBox, account_id: str, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value in clear."""
    if not isinstance(value, dict):
        return value
    if _JSON in value:
        return msgspec.json.decode(box.open(value[_JSON], account_id))
    return box.open(value[_TEXT], account_id)


def mask(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return what readers see of a stored secret value."""
    return MASK if isinstance(value, dict) else value


def nothing_kept(place: str) -> BadRequest:
    """Return the refusal of a ``*****`` where no secret is stored: it would become the secret itself."""
    return BadRequest(f"{place}: {MASK} keeps a stored secret, and there is none here; give its value")


def text_of(value: object) -> str:
    """Return the text that a variable has when its value was written as a number or a boolean."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    return str(value)


def change_secrets(kind: str, data: Any, change: Change) -> Any:  # noqa: ANN401 - any JSON value
    """Return the data of a context with every secret value changed.

    Args:
        kind: type of the context; it says which places are secret.
        data: ``spec.data``, on the wire or stored.
        change: gets the place and the value of each.
    """
    if kind in PLAIN_TYPES:
        return data
    if kind == "secret-yaml":
        return change((), data)
    changed = dict(data)
    for place in _secret_places(kind, data):
        inner = changed
        for name in place[:-1]:
            inner[name] = dict(inner[name])
            inner = inner[name]
        inner[place[-1]] = change(place, inner[place[-1]])
    return changed


def addresses(kind: str, data: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    """Return where the secrets of a context are sent, as far as its open values say so: by place."""
    if kind in (*PLAIN_TYPES, "secret", "secret-yaml"):
        return {}
    opened = change_secrets(kind, data, lambda _, __: None)
    inner = {f"auth.{name}": value for name, value in _object(opened.get("auth")).items()}
    return {
        place: value
        for place, value in {**opened, **inner}.items()
        if value and any(word in place.lower() for word in _ADDRESS_WORDS)
    }


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _secret_places(kind: str, data: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, value in data.items():
        if kind == "secret":
            yield (name,)
        elif name in ("auth", "variables") and isinstance(value, dict):
            hidden = set() if name == "variables" else _OPEN_OF_AUTH
            yield from ((name, inner) for inner in value if inner not in hidden)
        elif any(word in name.lower() for word in _SECRET_WORDS):
            yield (name,)
