"""How an event starts a build: who does it, and what becomes of a failure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from headrace.http.auth import Caller
from headrace.http.errors import ApiError, NotFound
from headrace.http.outside import Outside
from headrace.integrations.git.base import GitEvent
from headrace.kit.crypto import SecretBox
from headrace.resources.accounts import service as accounts
from headrace.resources.pipelines import service as pipelines
from headrace.resources.pipelines.schemas import RunBody
from headrace.resources.users import service as users

_MOST_PROBLEM = 2_000  # characters
_MOST_NAME = 255


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What a build comes from."""

    who: str  # the initiator that the build names
    base_url: str  # of the server
    outside: Outside
    origin: pipelines.Origin
    mark: str = ""  # the same for an event that comes again; empty: each is new


def start(
    db: Connection, box: SecretBox, pipeline: pipelines.Pipeline, cause: Cause, body: RunBody
) -> tuple[str | None, str | None]:
    """Start a build of a pipeline; what goes wrong with one does not keep others from starting.

    Returns:
        The id of the build and None; or None and why there is none.

    Raises:
        NeededOutside: the pipeline's YAML must be fetched first; see `http.outside`.
    """
    try:
        with db.begin_nested():
            request = pipelines.Request(
                caller=_caller(db, pipeline.account_id, cause.who),
                base_url=cause.base_url,
                outside=cause.outside,
                req_id=cause.mark,
                origin=cause.origin,
            )
            return pipelines.run(db, box, request, pipeline.id, body), None
    except ApiError as error:
        return None, error.message[:_MOST_PROBLEM]


def _caller(db: Connection, account_id: str, who: str) -> Caller:
    """Return who acts for an event: the oldest admin of the account, under the name of who caused it."""
    user_id = users.oldest_admin(db, account_id)
    account = accounts.by_id(db, account_id)
    if user_id is None:
        raise NotFound(f"could not find an admin of the account {account.name!r}, for whom builds would run")
    return Caller(
        account_id=account_id,
        account_name=account.name,
        user_id=user_id,
        user_name=who[:_MOST_NAME],
        kind="api-key",
        scopes=frozenset(),
    )


def git_run(event: GitEvent, trigger: Mapping[str, Any]) -> tuple[pipelines.Origin, RunBody]:
    """Return what a build is given whose trigger a Git event has fired."""
    origin = pipelines.Origin(trigger=pipelines.of_trigger(trigger), event=event)
    return origin, RunBody(branch=event.branch, sha=event.revision)


def cron_run(
    cron: Mapping[str, Any], simulated: Mapping[str, Any] | None, *, now: datetime
) -> tuple[pipelines.Origin, RunBody]:
    """Return what a build is given whose cron trigger is due.

    Args:
        cron: the trigger.
        simulated: the git trigger whose repository and variables it takes; None for none.
        now: when it fires.
    """
    variables = time_variables(str(cron.get("message") or ""), now)
    origin = pipelines.Origin(trigger=pipelines.of_cron(cron, simulated), variables=variables)
    return origin, RunBody(branch=cron.get("branch") if simulated is not None else None)


def time_variables(message: str, now: datetime) -> dict[str, str]:
    """Return the variables of a time that has come."""
    return {"EVENT_MESSAGE": message, "EVENT_TIMESTAMP": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
