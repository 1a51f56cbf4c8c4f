"""Runtime environments: a name that workers serve, and what an account says about it.

An environment exists because workers report it: its capacity and health are theirs. The accounts
of an installation share the workers; default, description and version are each account's own.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection

from headrace.http.auth import Caller
from headrace.http.errors import Conflict, NotFound
from headrace.http.paging import Pages
from headrace.kit.clock import wire_time
from headrace.resources.accounts import service as accounts
from headrace.resources.runtime_environments import repository
from headrace.resources.runtime_environments.repository import Record
from headrace.resources.runtime_environments.schemas import (
    DEFAULT,
    Document,
    EnvironmentQuery,
    Worker,
    WorkerOut,
)

SEEN_S = 30.0  # a worker that was not heard of for longer is taken for dead
_FORGOTTEN = timedelta(days=1)
_MOST_HISTORY = 20  # versions
_SYSTEM = "system/default"
# Worked out for every answer, so never stored.
_DERIVED = ("version", "metadata", "accountId", "isDefault", "isPublic", "description", "workers", "status")


class BaseImages(msgspec.Struct, frozen=True):
    """The images that the engine itself runs."""

    by_component: Mapping[str, str]


def report(db: Connection, worker: Worker) -> None:
    """Store that a worker lives, and what it does."""
    repository.store_worker(db, worker)


def retire(db: Connection, worker_id: str) -> None:
    """Forget a worker that ends. Safe twice."""
    repository.remove_worker(db, worker_id)


def look_after(db: Connection, now: datetime) -> frozenset[str]:
    """Forget workers that died long ago; return the environments with a living worker that has room."""
    repository.forget_workers(db, before=now - _FORGOTTEN)
    return frozenset(
        one.environment
        for one in repository.all_workers(db)
        if _is_alive(one, now) and one.running < one.capacity
    )


def chosen(db: Connection, account_id: str, name: str | None) -> str:
    """Return the environment of a new build.

    Args:
        db: an open connection.
        account_id: of the build.
        name: what the run, its trigger or its pipeline names; an unknown name counts as none, as
            the client tells its user.

    Returns:
        The name; the account's default where none is named.
    """
    known = _known(db, account_id)
    return name if name and name in known else _default(known)


def listed(db: Connection, caller: Caller, pages: Pages) -> list[Document]:
    """Return the environments of the account by name."""
    known = _known(db, caller.account_id)
    workers = repository.all_workers(db)
    return [_shown(caller, name, known, workers) for name in pages.cut([*known], str)]


def shown(db: Connection, caller: Caller, name: str, query: EnvironmentQuery) -> Document | list[Document]:
    """Return an environment, an earlier version of it, or all versions.

    Raises:
        NotFound: the account has no such environment, or it has no such version.
    """
    known = _find(db, caller.account_id, name)
    now = _shown(caller, name, known, repository.all_workers(db))
    record = known[name]
    versions = [*(record.history if record else []), now]
    if query.history:
        return versions
    if query.version is None:
        return now
    for one in versions:
        if one["version"] == query.version:
            return one
    raise NotFound(f"could not find version {query.version} of the runtime environment {name!r}")


def update(
    db: Connection, caller: Caller, name: str, body: Document, *, description: str | None, extends: list[str]
) -> Document:
    """Store what an account says about an environment, as its next version.

    Raises:
        NotFound: no worker serves it, and the account has not named it before.
    """
    known = _find(db, caller.account_id, name)
    before = _shown(caller, name, known, [])
    record, now = known[name], datetime.now(UTC)
    document = {key: value for key, value in body.items() if key not in _DERIVED}
    if extends:
        document["extends"] = extends
    given = body.get("description")
    if record is None:
        record = repository.add(db, caller.account_id, name, by=caller.user_name, now=now)
    text = description if description is not None else given if isinstance(given, str) else record.description
    repository.change(
        db,
        caller.account_id,
        name,
        {
            "version": before["version"] + 1,
            "description": text,
            "document": document,
            "history": [*record.history, before][-_MOST_HISTORY:],
            "changed_by": caller.user_name,
            "updated_at": now,
        },
    )
    return _shown(caller, name, _known(db, caller.account_id), repository.all_workers(db))


def make_default(db: Connection, caller: Caller, name: str) -> Document:
    """Make an environment the one that builds get where nothing names another.

    Raises:
        NotFound: the account has no such environment.
    """
    known, now = _find(db, caller.account_id, name), datetime.now(UTC)
    repository.unmark_default(db, caller.account_id)
    if known[name] is None:
        repository.add(db, caller.account_id, name, by=caller.user_name, now=now)
    changes = {"is_default": True, "changed_by": caller.user_name, "updated_at": now}
    repository.change(db, caller.account_id, name, changes)
    return _shown(caller, name, _known(db, caller.account_id), repository.all_workers(db))


def delete(db: Connection, caller: Caller, name: str, *, force: bool) -> None:
    """Take an environment from the account; an update of it, or the next default, does not bring it back.

    Raises:
        NotFound: the account has no such environment.
        Conflict: it is the default, or workers serve it and ``force`` is not set.
    """
    known, now = _find(db, caller.account_id, name), datetime.now(UTC)
    if name == _default(known):
        raise Conflict(f"runtime environment {name!r} is the default; make another one the default first")
    alive = [one for one in repository.all_workers(db) if one.environment == name and _is_alive(one, now)]
    if alive and not force:
        raise Conflict(f"{len(alive)} workers serve {name!r}; stop them, or delete it with force")
    if known[name] is None:
        repository.add(db, caller.account_id, name, by=caller.user_name, now=now)
    repository.change(db, caller.account_id, name, {"hidden": True, "is_default": False, "updated_at": now})


def ensure_known(db: Connection, account_id: str, name: str) -> None:
    """Raise `NotFound` where the account has no such environment."""
    _find(db, account_id, name)


def as_account(db: Connection, caller: Caller, account_id: str) -> Caller:
    """Return a platform admin as one of another account. Raises `NotFound` where there is none."""
    account = accounts.by_id(db, account_id)
    return msgspec.structs.replace(caller, account_id=account.id, account_name=account.name)


def of_platform(db: Connection, caller: Caller, pages: Pages) -> list[Document]:
    """Return the environments that workers serve, by name; none to who is no admin of the installation."""
    if not caller.is_platform_admin:
        return []
    known = _served(db)
    workers = repository.all_workers(db)
    return [_of_platform(caller, name, known, workers) for name in pages.cut([*known], str)]


def one_of_platform(db: Connection, caller: Caller, name: str) -> Document:
    """Return an environment that workers serve. Raises `NotFound`."""
    known = _served(db)
    if name not in known:
        raise _absent(name, known)
    return _of_platform(caller, name, known, repository.all_workers(db))


def give(db: Connection, caller: Caller, name: str, account_ids: Sequence[str]) -> None:
    """Give an environment back to accounts from which it was taken.

    Raises:
        NotFound: no worker serves it, or there is no such account.
    """
    known = _served(db)
    if name not in known:
        raise _absent(name, known)
    for account_id in account_ids:
        account = as_account(db, caller, account_id)
        values = {"hidden": False, "changed_by": caller.user_name, "updated_at": datetime.now(UTC)}
        repository.change(db, account.account_id, name, values)


def take(db: Connection, caller: Caller, name: str, account_ids: Sequence[str]) -> None:
    """Take an environment from accounts, although workers serve it. Raises as `delete`."""
    for account_id in account_ids:
        delete(db, as_account(db, caller, account_id), name, force=True)


def _served(db: Connection) -> dict[str, Record | None]:
    return dict.fromkeys(sorted({DEFAULT, *(one.environment for one in repository.all_workers(db))}))


def _of_platform(
    caller: Caller, name: str, known: Mapping[str, Record | None], workers: list[Worker]
) -> Document:
    shown = _shown(caller, name, known, workers)
    return {**shown, "accountId": None, "isPublic": True, "isDefault": name == DEFAULT}


def _absent(name: str, known: Iterable[str]) -> NotFound:
    names = ", ".join(sorted(known))
    return NotFound(f"could not find the runtime environment {name!r}; there are: {names}")


def _known(db: Connection, account_id: str) -> dict[str, Record | None]:
    """Return the environments of an account, with what it says about each."""
    records = repository.records(db, account_id)
    names = {DEFAULT, *(one.environment for one in repository.all_workers(db)), *records}
    found = {name: records.get(name) for name in names}
    return {name: record for name, record in found.items() if record is None or not record.hidden}


def _find(db: Connection, account_id: str, name: str) -> dict[str, Record | None]:
    known = _known(db, account_id)
    if name not in known:
        raise _absent(name, known)
    return known


def _default(known: Mapping[str, Record | None]) -> str:
    return next((name for name, record in known.items() if record and record.is_default), DEFAULT)


def _is_alive(worker: Worker, now: datetime) -> bool:
    return (now - worker.seen_at).total_seconds() <= SEEN_S


def _shown(
    caller: Caller, name: str, known: Mapping[str, Record | None], workers: list[Worker]
) -> dict[str, Any]:
    record, now = known[name], datetime.now(UTC)
    own = [one for one in workers if one.environment == name]
    alive = [one for one in own if _is_alive(one, now)]
    created = min((one.started_at for one in own), default=None)
    if record is not None:
        created = record.created_at
    return {
        "extends": [_SYSTEM],
        "runtimeScheduler": {"type": own[-1].runtime if own else "none", "userAccess": True},
        "tags": [],
        **(record.document if record else {}),
        "version": record.version if record else 1,
        "metadata": {
            "name": name,
            "agent": False,
            "changedBy": record.changed_by if record else "system",
            "creationTime": None if created is None else wire_time(created),
        },
        "description": record.description if record else "",
        "accountId": caller.account_id,
        "isPublic": False,
        "isDefault": name == _default(known),
        "status": {
            "healthStatus": "healthy" if alive else "unhealthy",
            "capacity": sum(one.capacity for one in alive),
            "running": sum(one.running for one in alive),
        },
        "workers": [_worker_out(one, now) for one in own],
    }


def _worker_out(worker: Worker, now: datetime) -> WorkerOut:
    return WorkerOut(
        id=worker.id,
        runtime=worker.runtime,
        host=worker.host,
        capacity=worker.capacity,
        running=worker.running,
        started_at=wire_time(worker.started_at),
        seen_at=wire_time(worker.seen_at),
        alive=_is_alive(worker, now),
    )
