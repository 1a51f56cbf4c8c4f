"""Secrets at rest: AES-256-GCM with a ring of keys, so that keys can be changed.

The text form is ``v1.<key id>.<base64 of nonce and ciphertext>``. The id of the owner is bound to
the ciphertext: a value that is copied to another row does not open there.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = "v1"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY_ID_BYTES = 4


class CannotOpen(Exception):
    """A sealed value does not open: its key is not in the ring, or it belongs to another owner."""


class SecretBox:
    """Seals and opens short texts. Safe to share between threads.

    Args:
        keys: key id → 32 bytes, oldest first; new values are sealed with the last one.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise ValueError("a secret box needs a key")
        self._first_key = next(iter(keys.values()))
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self.key_id = list(keys)[-1]

    def seal(self, text: str, owner_id: str) -> str:
        """Return ``text`` encrypted, for storage in a row of ``owner_id``."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self.key_id].encrypt(nonce, text.encode(), owner_id.encode())
        return f"{_VERSION}.{self.key_id}.{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, owner_id: str) -> str:
        """Return the text of a sealed value.

        Raises:
            CannotOpen: its key is missing, the owner is another one, or the value is damaged.
        """
        version, _, rest = sealed.partition(".")
        key_id, _, encoded = rest.partition(".")
        cipher = self._ciphers.get(key_id)
        if version != _VERSION or cipher is None:
            raise CannotOpen(f"no key {key_id!r} for this secret; put it back into the key file")
        try:
            data = base64.b64decode(encoded, validate=True)
            opened = cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], owner_id.encode())
        except (InvalidTag, binascii.Error, ValueError):
            raise CannotOpen(f"a secret of {owner_id!r} is damaged or was sealed for another owner") from None
        return opened.decode()

    def is_current(self, sealed: str) -> bool:
        """Tell whether a value is sealed with the newest key; if not, open and seal it again."""
        return sealed.startswith(f"{_VERSION}.{self.key_id}.")

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes for another use, for example to sign sessions; new keys do not change it."""
        return hmac.digest(self._first_key, purpose.encode(), hashlib.sha256)


def open_key_file(path: Path) -> SecretBox:
    """Read the key ring; make one (mode 0600) where there is none.

    The file holds one key per line, ``<key id> <base64>``, oldest first. Servers that share a
    database need the same file.

    Raises:
        ValueError: a line of the file is no key.
    """
    if not path.exists():
        _create(path)
    keys = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        key_id, _, encoded = line.partition(" ")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not key_id or len(key) != _KEY_BYTES:
            raise ValueError(f"{path}, line {number}: want '<key id> <base64 of {_KEY_BYTES} bytes>'")
        keys[key_id] = key
    return SecretBox(keys)


def add_key(path: Path) -> str:
    """Add a new key at the end of the ring, so that it seals from the next start on; return its id."""
    line = _new_key()
    _write(path, path.read_text() + line, replace=True)
    return line.partition(" ")[0]


def _new_key() -> str:
    encoded = base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
    return f"{secrets.token_hex(_KEY_ID_BYTES)} {encoded}\n"


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, _new_key(), replace=False)


def _write(path: Path, content: str, *, replace: bool) -> None:
    """Write a file whole or not at all; of two processes that make it, the first wins."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        if replace:
            Path(name).replace(path)
        else:
            try:
                os.link(name, path)
            except FileExistsError:
                return
    finally:
        Path(name).unlink(missing_ok=True)
