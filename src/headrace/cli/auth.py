"""Saved servers and keys (`AuthContext`), and the choice of the one that a command uses.

The file ``~/.cfconfig`` is shared with the official client: keys that we do not know stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from headrace.cli import yamltext
from headrace.cli.errors import Refused
from headrace.client.api import jwt_payload

DEFAULT_URL = "https://g.codefresh.io"
NO_CONTEXT = (
    "Authentication error: Please create an authentication context (see codefresh auth create-context --help)"
)


@dataclass(frozen=True, kw_only=True)
class AuthContext:
    """A server's address and a key for it, under a name. ``token`` is never printed."""

    name: str
    url: str
    token: str


class ConfigFile:
    """The file of saved contexts. A missing or empty file holds none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.document = self._read()

    def _read(self) -> dict[str, Any]:
        try:
            document = yamltext.load(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise Refused(f"cannot read {self.path}: {error}; correct it, or remove it and log in") from error
        if document is not None and not isinstance(document, dict):
            raise Refused(f"{self.path} holds no contexts; remove it and log in again")
        return document or {}

    @property
    def entries(self) -> dict[str, dict[str, Any]]:
        """Name to entry, in the order of the file."""
        found = self.document.get("contexts")
        if not isinstance(found, dict):
            return {}
        return {str(name): entry for name, entry in found.items() if isinstance(entry, dict)}

    @property
    def current_name(self) -> str | None:
        """Name of the context in use; None for none."""
        name = self.document.get("current-context")
        return None if name is None else str(name)

    def context(self, name: str) -> AuthContext | None:
        """The saved context of this name; None where there is none."""
        entry = self.entries.get(name)
        if entry is None:
            return None
        if entry.get("type") not in ("APIKey", "JWT"):
            raise Refused(f"context {name!r} in {self.path} has an unknown type; it must be APIKey or JWT")
        try:
            url = clean_url(str(entry.get("url") or DEFAULT_URL))
        except Refused as error:
            raise Refused(f"context {name!r} in {self.path}: {error}") from error
        return AuthContext(name=name, url=url, token=str(entry.get("token", "")))

    def put(self, name: str, entry: Mapping[str, Any]) -> None:
        """Add or renew a context; keys of an old entry that the new one lacks stay."""
        contexts = self.entries
        contexts[name] = {**contexts.get(name, {}), **entry}
        self.document = {**self.document, "contexts": contexts}

    def use(self, name: str) -> None:
        """Make a context the current one."""
        self.document = {**self.document, "current-context": name}

    def save(self) -> None:
        """Replace the file at once; only its owner may read it."""
        from headrace.cli.files import replace_text

        replace_text(self.path, yamltext.dump_config(self.document))


def config_path(environ: Mapping[str, str], given: str | None) -> Path:
    """Where contexts are saved: ``--cfconfig``, else ``CFCONFIG``, else ``~/.cfconfig``."""
    chosen = given or environ.get("CF_ARG_CFCONFIG") or environ.get("CFCONFIG")
    return Path(chosen) if chosen else Path(environ.get("HOME") or Path.home()) / ".cfconfig"


def from_environment(environ: Mapping[str, str]) -> AuthContext | None:
    """The context of ``CF_API_KEY`` and ``CF_URL``, as every step of a build has it."""
    key = environ.get("CF_API_KEY")
    if not key:
        return None
    return AuthContext(name="CF_API_KEY", url=clean_url(environ.get("CF_URL") or DEFAULT_URL), token=key)


def choose(environ: Mapping[str, str], given: str | None) -> AuthContext:
    """The context that a command uses.

    Raises:
        Refused: there is none; says how to make one.
    """
    context = from_environment(environ)
    if context is None:
        file = ConfigFile(config_path(environ, given))
        context = file.context(file.current_name) if file.current_name else None
    if context is None:
        raise Refused(NO_CONTEXT)
    return context


def clean_url(url: str) -> str:
    """An address without a slash at its end.

    Raises:
        Refused: it is no http(s) address of a host.
    """
    wrong = f"{url!r} is no address of a server; it is like https://ci.example or http://127.0.0.1:8080"
    if not url.startswith(("http://", "https://")) or not url.isprintable() or " " in url:
        raise Refused(wrong)
    try:
        parts = urlsplit(url)
        there = parts.hostname and parts.port != 0
    except ValueError:
        there = None
    if not there:
        raise Refused(wrong)
    return url.rstrip("/")


def entry_for(*, name: str, url: str, key: str, user: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What is saved for a key: its name (a session token names itself), and the entry."""
    on_prem = "Admin" in (user.get("roles") or [])
    session = jwt_payload(key)
    if session is None:
        return name, {
            "type": "APIKey",
            "name": name,
            "url": url,
            "token": key,
            "beta": False,
            "onPrem": on_prem,
        }
    account = account_of(user)
    own_name = f"{user.get('userName')}/{account}"
    return own_name, {
        "type": "JWT",
        "name": own_name,
        "url": url,
        "token": key,
        "acl-type": "account",
        "user-id": session.get("_id"),
        "account-id": session.get("accountId"),
        "expires": session.get("exp"),
        "beta": False,
        "onPrem": on_prem,
        "user-name": user.get("userName"),
        "account-name": account,
    }


def account_of(user: Mapping[str, Any]) -> str:
    """Name of the account that a user works in."""
    names = [str(account.get("name")) for account in user.get("account") or []]
    active = user.get("activeAccountName")
    return str(active) if active in names or not names else names[0]
