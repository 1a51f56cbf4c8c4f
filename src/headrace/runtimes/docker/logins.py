"""The logins that ``docker login`` has stored on this machine: steps pull with them, as ``docker`` does."""

import base64
import binascii
import json
from pathlib import Path
from typing import Any

from headrace.runtimes.base import RegistryLogin

HUB = "docker.io"
_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", HUB)


def domain_of(image: str) -> str:
    """Return the registry of an image: ``registry.example.org:5000``; ``docker.io`` where it names none."""
    domain, slash, _ = image.partition("/")
    named = slash and ("." in domain or ":" in domain or domain == "localhost")
    return domain if named else HUB


def stored_login(config: Path, image: str) -> RegistryLogin | None:
    """Find the login for the registry of an image.

    Args:
        config: the file of ``docker login``, usually ``~/.docker/config.json``. It is read at each
            pull, so that a new login counts at once. Logins kept by credential helpers are not seen.
        image: as a step names it.

    Returns:
        None where the file is absent, unreadable or knows no login for that registry.
    """
    auths = _auths(config)
    domain = domain_of(image)
    keys = _HUB_KEYS if domain == HUB else (domain, f"https://{domain}", f"http://{domain}")
    for key in keys:
        entry = auths.get(key)
        login = _login(domain, entry.get("auth")) if isinstance(entry, dict) else None
        if login is not None:
            return login
    return None


def stored_logins(config: Path) -> list[RegistryLogin]:
    """Return every login that the file of ``docker login`` holds; none where it cannot be read."""
    found = []
    for key, entry in _auths(config).items():
        domain = HUB if key in _HUB_KEYS else key.removeprefix("https://").removeprefix("http://").rstrip("/")
        login = _login(domain, entry.get("auth")) if isinstance(entry, dict) else None
        if login is not None:
            found.append(login)
    return found


def _auths(config: Path) -> dict[str, Any]:
    try:
        auths = json.loads(config.read_bytes())["auths"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return auths if isinstance(auths, dict) else {}


def _login(domain: str, encoded: object) -> RegistryLogin | None:
    try:
        text = base64.b64decode(str(encoded or ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    username, colon, password = text.partition(":")
    return RegistryLogin(domain, username, password) if colon and username else None
