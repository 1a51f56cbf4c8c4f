"""What a look at an engine comes to: how its environments are, and what is to be done there.

Several workers on one engine may look at once: everything may be done twice.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection

from headrace.http.errors import NotFound
from headrace.resources.builds import service as builds
from headrace.resources.environments import repository, service
from headrace.resources.environments.schemas import Environment, Status
from headrace.runtimes.base import LaunchedService

_GONE = "its services are gone from the engine; terminate it, or launch it again"

Found = Mapping[str, Sequence[LaunchedService]]


class Work(msgspec.Struct, frozen=True):
    """What is to be done on an engine."""

    orphans: tuple[str, ...] = ()  # ids of what no record knows
    wishes: tuple[Environment, ...] = ()


def known(db: Connection, engine: str) -> list[Environment]:
    """Return the environments of all accounts that are on record for an engine, oldest first."""
    return repository.on_engine(db, engine)


def compare(db: Connection, engine: str, before: Sequence[Environment], found: Found) -> Work:
    """Store how environments are, and say what is to be done.

    Args:
        db: an open transaction.
        engine: the engine that was looked at.
        before: its environments before that look; what came since is not judged.
        found: what is on it.
    """
    for moved in repository.elsewhere(db, list(found), engine):  # it was given another id
        repository.change(db, moved.account_id, moved.id, engine=engine)
    rows = known(db, engine)
    was = {one.id: one.status for one in before}
    wishes = []
    for one in rows:
        if one.id not in was:
            continue
        if was[one.id] != "creating":  # one that began meanwhile may not have been seen
            _store(db, one, found.get(one.id, ()))
        if one.wish:
            wishes.append(one)
        elif one.status == "creating" and _has_ended(db, one.build_id):
            wishes.append(msgspec.structs.replace(one, wish="terminate"))
    return Work(tuple(set(found) - {one.id for one in rows}), tuple(wishes))


def status_of(services: Sequence[LaunchedService]) -> Status:
    """Return what an environment does, by its services: it runs while one of them does."""
    states = {one.state for one in services}
    if "running" in states:
        return "running"
    if not states:
        return "error"
    return "paused" if "paused" in states else "stopped"


def _store(db: Connection, one: Environment, services: Sequence[LaunchedService]) -> None:
    status = status_of(services)
    values: dict[str, object] = {"status": status}
    if services:
        values["services"] = tuple(services)
    if status != one.status:
        values["reason"] = "" if services else _GONE
    if any(getattr(one, name) != value for name, value in values.items()):
        repository.change(db, one.account_id, one.id, **values)
        service.tell(db, one.account_id)


def done(db: Connection, one: Environment, services: Sequence[LaunchedService]) -> None:
    """Say that a wish was carried out, and how the services are then."""
    now = repository.find(db, one.account_id, one.id)
    if now is not None and now.wish == one.wish:
        repository.change(db, one.account_id, one.id, wish="", wished_at=datetime.now(UTC))
    _store(db, one, services)
    service.tell(db, one.account_id)


def refused(db: Connection, one: Environment, reason: str) -> None:
    """Keep why a wish was not carried out; the end of an environment is tried again."""
    values = {"reason": reason} if one.wish == "terminate" else {"reason": reason, "wish": ""}
    repository.change(db, one.account_id, one.id, **values)
    service.tell(db, one.account_id)


def _has_ended(db: Connection, build_id: str) -> bool:
    try:
        return builds.anybody_s(db, build_id).status.is_final
    except NotFound:
        return True
