"""First answers: kept sealed for a day, because the answer to a new API key is the key."""

import hashlib
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from headrace.http.auth import Caller
from headrace.http.errors import Conflict, Reused
from headrace.http.idempotency import FirstAnswer
from headrace.kit.clock import SystemClock
from headrace.kit.crypto import SecretBox
from headrace.resources.answers import repository

KEPT = timedelta(days=1)
_CLAIMED = timedelta(minutes=2)  # longer than any answer takes: then the server that claimed it is dead


class SealedAnswers:
    """Fills `http.idempotency.FirstAnswers`; its words apply here, too.

    Args:
        box: seals the answers for their account.
        clock: tells which have ended.
    """

    def __init__(self, box: SecretBox, clock: SystemClock) -> None:
        self._box = box
        self._clock = clock

    def begin(self, db: Connection, caller: Caller, key: str, *, asked: str) -> FirstAnswer | None:
        """Claim a key, or return the answer that it had."""
        name, now = _name(caller, key), self._clock.now()
        end = now + _CLAIMED
        if repository.claim(db, caller.account_id, name, asked=asked, expires_at=end):
            return None
        first_asked, sealed, expires_at = repository.by_key(db, caller.account_id, name)
        if expires_at <= now:
            repository.keep(db, caller.account_id, name, asked=asked, answer=None, expires_at=end)
            return None
        if first_asked != asked:
            raise Reused(
                f"header Idempotency-Key: {key!r} was sent with another request; choose a new key for each, "
                "as a UUID"
            )
        if sealed is None:
            raise Conflict(
                f"header Idempotency-Key: the first request with {key!r} is not answered yet; wait a moment"
            )
        return msgspec.json.decode(self._box.open(sealed, caller.account_id), type=FirstAnswer)

    def keep(self, db: Connection, caller: Caller, key: str, answer: FirstAnswer) -> None:
        """Keep the answer for a key that was claimed for it."""
        sealed = self._box.seal(msgspec.json.encode(answer).decode(), caller.account_id)
        end = self._clock.now() + KEPT
        repository.keep(db, caller.account_id, _name(caller, key), answer=sealed, expires_at=end)

    def drop(self, db: Connection, caller: Caller, key: str) -> None:
        """Give up a claim: the request has failed, and may come again."""
        repository.drop(db, caller.account_id, _name(caller, key))


def forget(db: Connection, now: datetime) -> None:
    """Delete what has ended; call it every hour or so."""
    repository.forget(db, before=now)


def _name(caller: Caller, key: str) -> str:
    """Return what stands for the key of one caller.

    A renewed key goes on for the one before it. A key with other scopes is a caller of its own, and so is a
    build: an answer may hold what a narrower key could not get, a new API key for example.
    """
    scopes = "any" if caller.scopes is None else " ".join(sorted(caller.scopes))
    return hashlib.sha256(f"{caller.user_id}/{caller.build_id or ''}/{scopes}/{key}".encode()).hexdigest()
