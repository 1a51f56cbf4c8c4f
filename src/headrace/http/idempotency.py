"""``Idempotency-Key``: a request that writes and is sent again gets its first answer again.

The key, what was asked and the answer are a row of the transaction that did the work: either all of
it is there or nothing was done. An error keeps nothing, so that the request may be sent again. An
``async`` handler has transactions of its own: the key is claimed before it and kept after it.
"""

import hashlib
from collections.abc import Iterable
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from headrace.http.auth import Caller
from headrace.http.errors import BadRequest

NAME = "Idempotency-Key"
REPLAYED_NAME = "Idempotency-Replayed"
REPLAYED = (REPLAYED_NAME.lower().encode(), b"true")
LONGEST = 255


class FirstAnswer(msgspec.Struct, frozen=True):
    """What was answered to the first request."""

    status: int
    headers: list[tuple[str, str]]
    content: str  # a text, as all answers to writes are


class FirstAnswers(Protocol):
    """Keeps first answers for a day; filled by `resources.answers.service`."""

    def begin(self, db: Connection, caller: Caller, key: str, *, asked: str) -> FirstAnswer | None:
        """Claim a key, or return the answer that it had.

        A second request at the same time waits here until the transaction of the first has ended.

        Args:
            db: the transaction that does the work.
            caller: whose key it is: others may use the same text.
            key: as the client chose it.
            asked: `fingerprint` of the request.

        Raises:
            Conflict: the first request has claimed it, and is not answered yet.
            Reused: it was sent with another request.
        """

    def keep(self, db: Connection, caller: Caller, key: str, answer: FirstAnswer) -> None:
        """Keep the answer for a key that was claimed for it."""

    def drop(self, db: Connection, caller: Caller, key: str) -> None:
        """Give up a claim: the request has failed, and may come again."""


def key_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the key of a request; None for one without. Raises `BadRequest` for a wrong form."""
    for name, value in headers:
        if name == b"idempotency-key":
            key = value.decode("latin-1").strip()
            if not 0 < len(key) <= LONGEST or not key.isprintable():
                raise BadRequest(
                    f"header Idempotency-Key: want 1 to {LONGEST} printable characters, as a UUID"
                )
            return key
    return None


def fingerprint(method: str, path: str, query: str, body: bytes) -> str:
    """Return a hash of what is asked: 64 hex digits."""
    digest = hashlib.sha256()
    for part in (method.encode(), path.encode("latin-1"), query.encode("latin-1"), body):
        digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()
