"""Triggers of pipelines: checked, looked up by repository or time, matched with events."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from headrace.integrations.git.base import GitEvent
from headrace.resources.triggers import repository
from headrace.resources.triggers.kinds import cron, git
from headrace.resources.triggers.kinds.cron import BadExpression
from headrace.resources.triggers.schemas import Trigger

GIT, CRON = "git", "cron"
GIT_EVENTS = git.EVENTS


def problems(trigger: Mapping[str, Any], kind: str) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with a trigger of a document: (field, complaint, cure)."""
    return cron.problems(trigger) if kind == CRON else git.problems(trigger)


def index(
    db: Connection, account_id: str, pipeline_id: str, spec: Mapping[str, Any], *, now: datetime
) -> None:
    """Note what the triggers of a pipeline wait for, in the place of what was noted before.

    A cron trigger whose expression is the same keeps its next time, so that a change of the
    pipeline neither loses nor repeats it.
    """
    before = {one.id: one for one in repository.of_pipelines(db, [pipeline_id])}
    found: dict[str, Trigger] = {}
    for trigger in spec.get("triggers") or []:
        if trigger.get("type", GIT) == GIT:
            known = before.get(trigger["id"])
            found[trigger["id"]] = Trigger(
                pipeline_id=pipeline_id,
                id=trigger["id"],
                account_id=account_id,
                kind=GIT,
                repo=(trigger.get("repo") or "").lower(),
                fired_at=known.fired_at if known else None,
            )
    for trigger in spec.get("cronTriggers") or []:
        known = before.get(trigger["id"])
        found[trigger["id"]] = Trigger(
            pipeline_id=pipeline_id,
            id=trigger["id"],
            account_id=account_id,
            kind=CRON,
            due_at=None if trigger.get("disabled") else next_time(trigger["expression"], now),
            fired_at=known.fired_at if known else None,
        )
    repository.replace(db, pipeline_id, list(found.values()))


def next_time(expression: str, moment: datetime) -> datetime | None:
    """Return the first time after a moment at which an expression comes true; None for never.

    Raises:
        BadExpression: it cannot be read.
    """
    return cron.read(expression).after(moment)


def of_pipelines(db: Connection, pipeline_ids: Collection[str]) -> dict[tuple[str, str], Trigger]:
    """Return what is noted of the triggers of pipelines, by (pipeline, trigger)."""
    found = repository.of_pipelines(db, pipeline_ids) if pipeline_ids else []
    return {(one.pipeline_id, one.id): one for one in found}


def pipelines_of_repo(db: Connection, account_id: str, repo: str) -> list[str]:
    """Return the ids of the pipelines that have a git trigger for a repository, ``owner/name``."""
    return repository.pipelines_of_repo(db, account_id, repo.lower())


def refusal(trigger: Mapping[str, Any], event: GitEvent) -> str:
    """Return why an event does not start a git trigger; ``""`` where it does."""
    return git.refusal(trigger, event)


def due(db: Connection, now: datetime, *, limit: int) -> list[Trigger]:
    """Return the cron triggers whose time has come, the longest due first, at most ``limit``."""
    return repository.due(db, now, limit=limit)


def take(db: Connection, trigger: Trigger, expression: str, *, now: datetime) -> bool:
    """Take the due time of a cron trigger: of several servers, one does.

    The next time counts from now: of the times that passed while no server ran, one is made up for.

    Returns:
        Whether the caller is the one who is to start the build, in the same transaction.
    """
    try:
        following = next_time(expression, now)
    except BadExpression:
        following = None
    return repository.advance(db, trigger, following)


def note(db: Connection, trigger: Trigger, *, now: datetime, problem: str | None) -> None:
    """Note that a trigger started a build, or why it did not."""
    repository.change(db, trigger, fired_at=now, problem=problem)


def note_fired(db: Connection, pipeline_id: str, trigger_id: str, *, now: datetime) -> None:
    """Note that a git trigger started a build."""
    trigger = Trigger(pipeline_id=pipeline_id, id=trigger_id, account_id="", kind=GIT)
    repository.change(db, trigger, fired_at=now, problem=None)
