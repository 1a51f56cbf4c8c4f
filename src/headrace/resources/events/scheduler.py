"""Times that have come: cron triggers of pipelines, and cron events.

Every server looks; a due time is a row, and of several servers the one that moves it to its next
time starts the build, in the same transaction. So a time starts one build, or none where its
transaction did not end; after a downtime each trigger fires once for all the times that passed.
"""

import functools
import logging
from collections.abc import Callable, Hashable, Iterator
from datetime import UTC, datetime

from sqlalchemy import Connection

from headrace.http.outside import GIT, NeededOutside, Outside, tried
from headrace.integrations.clusters import Networks
from headrace.kit.crypto import SecretBox
from headrace.resources.events import repository, service, starting
from headrace.resources.events.schemas import Event, Happening
from headrace.resources.pipelines import service as pipelines
from headrace.resources.triggers import service as triggers
from headrace.resources.triggers.schemas import Trigger
from headrace.storage.engine import Database

_log = logging.getLogger(__name__)

_MOST = 100  # in one look
_FAILED = "a time that has come could not be taken; it is tried again"


class Apart:
    """Work that waits for a host: each in a thread of its own, so that no other waits.

    It is named by what it is about: the time of a trigger, or the host that is told.
    """

    def __init__(self) -> None:
        self._under_way: set[Hashable] = set()

    def __len__(self) -> int:
        return len(self._under_way)

    def __contains__(self, name: Hashable) -> bool:
        return name in self._under_way

    def __iter__(self) -> Iterator[Hashable]:
        return iter(tuple(self._under_way))  # as it was: threads end meanwhile

    def begin(self, name: Hashable, work: Callable[[], object]) -> None:
        """Begin the work; it is under way until its end."""
        self._under_way.add(name)
        GIT.begin(functools.partial(self._do, name, work))

    def _do(self, name: Hashable, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception:  # noqa: BLE001 - as in `tick`
            _log.exception("what waited for a host could not be done; it is tried again")
        finally:
            self._under_way.discard(name)


def tick(
    database: Database,
    box: SecretBox,
    networks: Networks,
    *,
    base_url: str,
    now: datetime | None = None,
    apart: Apart | None = None,
) -> int:
    """Fire everything that is due.

    Args:
        database: where the triggers are.
        box: opens and seals secrets.
        networks: where the YAML of pipelines may be fetched.
        base_url: of the server, for ``CF_URL``.
        now: the time; None asks the clock.
        apart: takes what waits for a host; None: the wait is here.

    Returns:
        How many times were taken before the end of the call.
    """
    moment = now or datetime.now(UTC)
    with database.reading() as db:
        most = _MOST + (len(apart) if apart is not None else 0)
        due = triggers.due(db, moment, limit=most)
        events = repository.due(db, moment, limit=most)
    taken = 0
    works: list[tuple[Hashable, Callable[..., bool]]] = [
        *(((one.pipeline_id, one.id), functools.partial(_fire_trigger, noted=one)) for one in due),
        *((one.id, functools.partial(_fire_event, event=one)) for one in events),
    ]
    for time, work in works:
        if apart is not None and time in apart:
            continue
        try:
            outside = Outside(networks)
            fire = functools.partial(work, box=box, now=moment, base_url=base_url, outside=outside)
            take = functools.partial(_take, database, fire)
            if apart is None:
                taken += tried(outside, take)
                continue
            try:
                taken += take()
            except NeededOutside as needed:
                apart.begin(time, functools.partial(_learn_and_take, outside, needed, take))
        except Exception:  # noqa: BLE001 - one bad row must not end the time of all others
            _log.exception(_FAILED)
    return taken


def _learn_and_take(outside: Outside, needed: NeededOutside, take: Callable[[], bool]) -> bool:
    outside.learn(needed)
    return tried(outside, take)


def _take(database: Database, fire: Callable[..., bool]) -> bool:
    with database.transaction() as db:
        return fire(db=db)


def _fire_trigger(
    db: Connection, box: SecretBox, noted: Trigger, now: datetime, base_url: str, outside: Outside
) -> bool:
    pipeline = pipelines.anybody_s(db, noted.pipeline_id)
    trigger = None if pipeline is None else pipelines.cron_trigger_of(pipeline, noted.id)
    expression = str(trigger.get("expression")) if trigger else ""
    if not triggers.take(db, noted, expression, now=now) or pipeline is None or trigger is None:
        return False
    simulated = pipelines.trigger_of(pipeline, str(trigger.get("gitTriggerId") or ""))
    if trigger.get("gitTriggerId") and simulated is None:
        problem: str | None = f"gitTriggerId names no git trigger of {pipeline.name!r}"
    else:
        origin, body = starting.cron_run(trigger, simulated, now=now)
        cause = starting.Cause(who=triggers.CRON, base_url=base_url, outside=outside, origin=origin)
        _, problem = starting.start(db, box, pipeline, cause, body)
    if problem is not None:
        _log.warning("cron trigger %r of %s started nothing: %s", trigger["name"], pipeline.name, problem)
    triggers.note(db, noted, now=now, problem=problem)
    return True


def _fire_event(
    db: Connection, box: SecretBox, event: Event, now: datetime, base_url: str, outside: Outside
) -> bool:
    if not repository.advance(db, event, triggers.next_time(event.config["expression"], now)):
        return False
    variables = starting.time_variables(event.config.get("message", ""), now)
    happened = Happening(values={}, variables=variables)
    done = service.fire(db, box, event, happened, base_url=base_url, outside=outside)
    for one in done.triggers:
        if one.reason:
            _log.warning("event %r started no build of %s: %s", event.uri, one.pipeline, one.reason)
    return True
