"""Passwords: argon2id with 19 MiB, two passes, one lane; about 25 ms, in a thread of the pool."""

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NO_USER = _hasher.hash(secrets.token_hex())  # so that an unknown user takes as long as a known one
_RANDOM_BYTES = 15


def hashed(password: str) -> str:
    """Return what is stored of a password."""
    return _hasher.hash(password)


def is_right(stored: str | None, password: str) -> bool:
    """Tell whether a password is the stored one; None is never right, and takes as long."""
    try:
        right = _hasher.verify(_NO_USER if stored is None else stored, password)
    except (VerificationError, InvalidHashError):
        return False
    return right and stored is not None


def random_password() -> str:
    """Return a new password of 20 characters."""
    return secrets.token_urlsafe(_RANDOM_BYTES)
