"""Times that have come: cron triggers of pipelines, and cron events.

Every server looks; a due time is a row, and of several servers the one that moves it to its next
time starts the build, in the same transaction. So a time starts one build, or none where its
transaction did not end; after a downtime each trigger fires once for all the times that passed.
"""

import functools
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection

from headrace.http.outside import Outside, tried
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


def tick(
    database: Database, box: SecretBox, networks: Networks, *, base_url: str, now: datetime | None = None
) -> int:
    """Fire everything that is due.

    Args:
        database: where the triggers are.
        box: opens and seals secrets.
        networks: where the YAML of pipelines may be fetched.
        base_url: of the server, for ``CF_URL``.
        now: the time; None asks the clock.

    Returns:
        How many times were taken.
    """
    moment = now or datetime.now(UTC)
    with database.reading() as db:
        due = triggers.due(db, moment)
        events = repository.due(db, moment, limit=_MOST)
    taken = 0
    works = [
        *(functools.partial(_fire_trigger, noted=one) for one in due),
        *(functools.partial(_fire_event, event=one) for one in events),
    ]
    for work in works:
        try:
            outside = Outside(networks)
            fire = functools.partial(work, box=box, now=moment, base_url=base_url, outside=outside)
            taken += tried(outside, functools.partial(_take, database, fire))
        except Exception:  # noqa: BLE001 - one bad row must not end the time of all others
            _log.exception("a time that has come could not be taken; it is tried again")
    return taken


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
