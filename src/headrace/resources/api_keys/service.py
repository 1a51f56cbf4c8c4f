"""API keys: ``<24 hex digits>.<secret>``, shown once, kept as a hash, dead at once when revoked."""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Literal, Protocol

from msgspec import UNSET
from msgspec.structs import replace
from sqlalchemy import Connection

from headrace.http.auth import Caller, Credential
from headrace.http.errors import BadRequest, Forbidden, NotFound
from headrace.http.paging import Pages
from headrace.http.scopes import Scope, is_known, singular
from headrace.kit.clock import SystemClock, wire_time
from headrace.kit.ids import is_id, new_id
from headrace.resources.api_keys import repository
from headrace.resources.api_keys.repository import ApiKey, Holder
from headrace.resources.api_keys.schemas import KeyChange, KeyOut, NewKey, SnapshotOut, SubjectOut

SubjectType = Literal["user", "runtime-environment"]

_SECRET_BYTES = 32
_PREFIX_LENGTH = 8
_MOST_TEXT = 256  # characters of anything that could be a key
_USE_EVERY = timedelta(minutes=1)


def generate(
    db: Connection,
    caller: Caller,
    body: NewKey,
    *,
    subject_type: SubjectType = "user",
    subject_ref: str = "",
    user_id: str = "",
    now: datetime,
) -> str:
    """Make a key for the caller's user, or for one whom the caller answers for; return its text.

    Raises:
        BadRequest: a scope is unknown, or the key would have ended already.
        Forbidden: the key would be allowed more than the caller is.
    """
    if body.expires_at is not None and body.expires_at <= now:
        raise BadRequest("expiresAt: the key would have ended already; give a time in the future")
    if subject_type != "user" and not subject_ref:
        raise BadRequest("subjectReference: name the runtime environment that the key is for")
    scopes = known_scopes(body.scopes or [])
    _refuse_wider(caller, scopes)
    key, text = _new_key(caller.account_id, user_id or caller.user_id, body.name, scopes, now)
    if subject_type != "user":
        key = replace(key, subject_type=subject_type, subject_ref=subject_ref)
    repository.add(db, replace(key, expires_at=body.expires_at))
    return text


def create(
    db: Connection, account_id: str, *, user_id: str, name: str, scopes: Sequence[str] = (), now: datetime
) -> str:
    """Make a key for a user, as an operator of the installation; return its text.

    Raises:
        BadRequest: a scope is unknown.
    """
    key, text = _new_key(account_id, user_id, name, known_scopes(scopes), now)
    repository.add(db, key)
    return text


def mint_for_build(
    db: Connection,
    build_id: str,
    *,
    account_id: str,
    user_id: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
    now: datetime,
) -> str:
    """Make the key that the steps of a build find as ``CF_API_KEY``; return its text.

    It is in no list, and ends with `revoke_for_build`.

    Args:
        db: a transaction.
        build_id: of the build that holds it.
        account_id: of the build.
        user_id: who started the build; the key may do no more than this user.
        scopes: ids of scopes; without one the key may only say who it is.
        expires_at: an end in any case; None for none.
        now: the time.
    """
    key, text = _new_key(account_id, user_id, f"build {build_id}", sorted(map(str, scopes)), now)
    repository.add(db, replace(key, build_id=build_id, expires_at=expires_at))
    return text


def revoke_for_build(db: Connection, build_id: str) -> None:
    """End the keys of a build. Safe twice."""
    repository.remove_of_build(db, build_id)


def listed(db: Connection, caller: Caller, pages: Pages) -> list[ApiKey]:
    """Return the keys that the caller may see: an admin those of the account, others their own."""
    return repository.of_account(db, caller.account_id, pages, user_id=_only(caller))


def of_account(db: Connection, account_id: str) -> list[ApiKey]:
    """Return all keys of an account that no build holds, the oldest first."""
    return repository.of_account(db, account_id, Pages())


def of_user(db: Connection, account_id: str, user_id: str, pages: Pages) -> list[ApiKey]:
    """Return the keys of a user in an account, the oldest first."""
    return repository.of_account(db, account_id, pages, user_id=user_id)


def shown(key: ApiKey) -> KeyOut:
    """Return a key as readers see it."""
    created = wire_time(key.created_at)
    return KeyOut(
        id=key.id,
        name=key.name,
        token_prefix=key.prefix,
        created=created,
        scopes=UNSET if key.scopes is None else key.scopes,
        subject=SubjectOut(key.subject_type, key.subject_ref),
        scope_snapshot=SnapshotOut(key.id, key.scopes or ["any"], created),
        expires_at=None if key.expires_at is None else wire_time(key.expires_at),
        last_used_at=None if key.last_used_at is None else wire_time(key.last_used_at),
    )


def find(db: Connection, caller: Caller, key_id: str) -> ApiKey:
    """Find a key that the caller may see. Raises `NotFound`."""
    key = repository.by_id(db, caller.account_id, key_id)
    if key is None or _only(caller) not in (None, key.user_id):
        raise NotFound(f"could not find the API key {key_id!r}")
    return key


def change(db: Connection, caller: Caller, key_id: str, body: KeyChange) -> ApiKey:
    """Rename a key or replace its scopes.

    Raises:
        BadRequest: a scope is unknown.
        Forbidden: the key would be allowed more than the caller is.
        NotFound: the caller sees no such key.
    """
    find(db, caller, key_id)
    values: dict[str, object] = {}
    if body.name is not UNSET:
        values["name"] = body.name
    if body.scopes is not UNSET:
        values["scopes"] = scopes = known_scopes(body.scopes)
        _refuse_wider(caller, scopes)
    if values:
        repository.change(db, caller.account_id, key_id, **values)
    return find(db, caller, key_id)


def revoke(db: Connection, caller: Caller, key_id: str) -> None:
    """End a key at once. Raises `NotFound`."""
    find(db, caller, key_id)
    repository.remove(db, caller.account_id, key_id)


def revoke_any(db: Connection, account_id: str, key_id: str) -> None:
    """End a key of an account, as an operator of the installation. Raises `NotFound`."""
    if repository.by_id(db, account_id, key_id) is None:
        raise NotFound(f"could not find the API key {key_id!r}")
    repository.remove(db, account_id, key_id)


def known_scopes(scopes: Sequence[str]) -> list[str] | None:
    """Return scopes as they were written, sorted, each once; None where they come to everything.

    A client that compares what it sent with what there is (Terraform) finds no difference.

    Raises:
        BadRequest: one is unknown.
    """
    found = {scope.strip() for scope in scopes}
    for scope in sorted(found):
        if not is_known(scope):
            raise BadRequest(f"scopes: {scope!r} is not known; GET /api/scopes lists them")
    return None if not found or Scope.ANY in found else sorted(found)


class Connections(Protocol):
    """What the recording of uses needs of a database."""

    def transaction(self) -> AbstractContextManager[Connection]:
        """Open a transaction."""


class Authenticator:
    """Finds who is calling, in one query. Fills `http.auth.Authenticate`; safe between threads.

    Uses of keys are gathered here, at most one a minute for each key. Whoever made this object
    calls `record_uses` every minute or so, and once at the end.

    Args:
        session: finds the caller behind the token of a session; None where there is none.
        clock: tells which keys have expired.
    """

    def __init__(
        self, session: Callable[[Connection, str], Caller | None], clock: SystemClock | None = None
    ) -> None:
        self._session = session
        self._clock = clock or SystemClock()
        self._uses: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def __call__(self, db: Connection, credential: Credential, /) -> Caller | None:
        """Return the caller; None for an unknown, revoked or expired credential."""
        if credential.kind == "session":
            return self._session(db, credential.text)
        key_id, _, secret = credential.text.partition(".")
        if not is_id(key_id) or not secret or len(credential.text) > _MOST_TEXT:
            return None
        held = repository.holder(db, key_id)
        if held is None or not hmac.compare_digest(_hash(secret), held.secret_hash):
            return None
        now = self._clock.now()
        if held.expires_at is not None and held.expires_at <= now:
            return None
        self._note_use(key_id, held, now)
        return Caller(
            account_id=held.account_id,
            account_name=held.account_name,
            user_id=held.user_id,
            user_name=held.user_name,
            kind="api-key",
            key_id=key_id,
            build_id=held.build_id,
            scopes=None if held.scopes is None else frozenset(held.scopes),
            is_account_admin=held.is_account_admin,
            is_platform_admin=held.is_platform_admin,
        )

    def record_uses(self, database: Connections) -> None:
        """Store the uses since the last call, in one transaction."""
        with self._lock:
            uses, self._uses = self._uses, {}
        if uses:
            with database.transaction() as db:
                repository.note_uses(db, uses)

    def _note_use(self, key_id: str, held: Holder, now: datetime) -> None:
        if held.last_used_at is None or now - held.last_used_at >= _USE_EVERY:
            with self._lock:
                self._uses[key_id] = now


def _new_key(
    account_id: str, user_id: str, name: str, scopes: list[str] | None, now: datetime
) -> tuple[ApiKey, str]:
    """Return the row of a new key of a user, and the key's text."""
    key_id, secret = new_id(), secrets.token_hex(_SECRET_BYTES)
    key = ApiKey(
        id=key_id,
        account_id=account_id,
        user_id=user_id,
        name=name,
        prefix=secret[:_PREFIX_LENGTH],
        secret_hash=_hash(secret),
        scopes=scopes,
        subject_type="user",
        subject_ref=user_id,
        created_at=now,
    )
    return key, f"{key_id}.{secret}"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _only(caller: Caller) -> str | None:
    """Return the one user whose keys the caller may see; None for all of the account."""
    return None if caller.is_account_admin or caller.is_platform_admin else caller.user_id


def _refuse_wider(caller: Caller, scopes: list[str] | None) -> None:
    if caller.build_id is not None:
        raise Forbidden("the key of a build cannot make or change keys")
    if caller.scopes is None:
        return
    wider = ["any"] if scopes is None else [scope for scope in scopes if not caller.may(singular(scope))]
    if wider:
        message = f"a key cannot give more than it has: {', '.join(wider)}"
        raise Forbidden(message, missingScopes=wider)
