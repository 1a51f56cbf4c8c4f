"""Webhooks of Git hosts: who sent it, what happened, which triggers it fires.

Nothing is looked at before the secret was checked, and no transaction is open while a host is asked.
"""

import hashlib
import logging
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from headrace.http.errors import BadRequest, NotFound, Unauthenticated
from headrace.http.outside import Outside, tried
from headrace.integrations.clusters import Networks
from headrace.integrations.git import Host, provider_of
from headrace.integrations.git.base import (
    Fields,
    GitEvent,
    GitProvider,
    HostFailed,
    PayloadUnknown,
    payload_of,
)
from headrace.integrations.git.github import with_pull_request
from headrace.kit.clock import wire_time
from headrace.kit.crypto import SecretBox
from headrace.kit.ids import is_id
from headrace.resources.contexts import service as contexts
from headrace.resources.events import repository, starting
from headrace.resources.events.schemas import ReceiverOut, Report, Started, WebhookOut
from headrace.resources.pipelines import service as pipelines
from headrace.resources.triggers import service as triggers
from headrace.storage.engine import Database

_log = logging.getLogger(__name__)

_HOSTS = ("github", "gitlab", "bitbucket")  # that take commit statuses
_REFUSED = "the webhook has no valid signature or token; give the sender the secret of this receiver"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a sender."""

    headers: Mapping[str, str]  # lower-case names
    body: bytes
    base_url: str
    outside: Outside


class _Candidate(msgspec.Struct, frozen=True):
    """A trigger that an event may fire."""

    pipeline: pipelines.Pipeline
    trigger: Mapping[str, Any]


def describe(db: Connection, account_id: str, *, base_url: str) -> ReceiverOut:
    """Say where the webhooks of an account go. Raises `NotFound` where there is no receiver yet."""
    found = repository.receiver(db, account_id)
    if found is None:
        raise NotFound("could not find a receiver: this account has none yet; make one with POST")
    return ReceiverOut(endpoint=_endpoint(base_url, account_id), secret="*****", created=wire_time(found[1]))  # noqa: S106 - a mask


def renew(db: Connection, box: SecretBox, account_id: str, *, base_url: str) -> ReceiverOut:
    """Make the receiver of an account, or give it a new secret, which is told this once."""
    secret, now = secrets.token_hex(32), datetime.now(UTC)
    repository.set_receiver(db, account_id, box.seal(secret, account_id), now)
    return ReceiverOut(endpoint=_endpoint(base_url, account_id), secret=secret, created=wire_time(now))


def _endpoint(base_url: str, account_id: str) -> str:
    return f"{base_url}/api/webhooks/git/{account_id}"


def to_trigger(
    database: Database, box: SecretBox, call: Call, pipeline_id: str, trigger_id: str
) -> WebhookOut:
    """Take a webhook for one trigger.

    Raises:
        Unauthenticated: the sender does not know its secret, or there is no such trigger.
        BadRequest: the payload cannot be read.
    """
    with database.reading() as db:
        pipeline = pipelines.anybody_s(db, pipeline_id) if is_id(pipeline_id) else None
    found = None if pipeline is None else pipelines.trigger_of(pipeline, trigger_id)
    secret = "" if pipeline is None or found is None else pipelines.secret_of(box, pipeline, found)
    provider = _genuine(call, secret)
    if pipeline is None or found is None:
        raise Unauthenticated(_REFUSED)
    return _receive(database, box, call, provider, pipeline.account_id, [_Candidate(pipeline, found)])


def to_account(database: Database, box: SecretBox, call: Call, account_id: str) -> WebhookOut:
    """Take a webhook for all triggers of an account. Raises as `to_trigger`."""
    with database.reading() as db:
        receiver = repository.receiver(db, account_id) if is_id(account_id) else None
    provider = _genuine(call, "" if receiver is None else box.open(receiver[0], account_id))
    return _receive(database, box, call, provider, account_id, None)


def _genuine(call: Call, secret: str) -> GitProvider:
    provider = provider_of(call.headers)
    if provider is None or not provider.is_genuine(call.headers, call.body, secret):
        raise Unauthenticated(_REFUSED)
    return provider


def _receive(
    database: Database,
    box: SecretBox,
    call: Call,
    provider: GitProvider,
    account_id: str,
    candidates: list[_Candidate] | None,
) -> WebhookOut:
    try:
        event = provider.parse(call.headers, payload_of(call.headers, call.body))
    except PayloadUnknown as problem:
        raise BadRequest(str(problem)) from None
    if event is None:
        return WebhookOut(event=[])
    if candidates is None:
        with database.reading() as db:
            ids = triggers.pipelines_of_repo(db, account_id, event.repo)
            found = [pipelines.anybody_s(db, one) for one in ids]
        candidates = [
            _Candidate(one, trigger) for one in found if one for trigger in pipelines.git_triggers(one)
        ]
    event = _completed(database, box, call.outside.networks, account_id, event, candidates)
    mark = provider.delivery(call.headers)

    def fire() -> list[Started]:
        with database.transaction() as db:
            return [_fire(db, box, call, event, one, mark) for one in candidates]

    started = tried(call.outside, fire)
    return WebhookOut(
        event=sorted(event.names), builds=[one.build for one in started if one.build], triggers=started
    )


def _completed(
    database: Database,
    box: SecretBox,
    networks: Networks,
    account_id: str,
    event: GitEvent,
    candidates: list[_Candidate],
) -> GitEvent:
    """Ask the host what the payload leaves out, where a trigger needs it."""
    pull = event.pull_request
    if pull is None or not pull.number or event.provider not in _HOSTS or not candidates:
        return event
    lacks_branch = event.branch is None and event.provider == "github"
    lacks_files = event.files is None and any(one.trigger.get("modifiedFilesGlob") for one in candidates)
    if not lacks_branch and not lacks_files:
        return event
    context = next((one.trigger.get("context") for one in candidates if one.trigger.get("context")), None)
    try:
        with database.reading() as db:
            host = Host(event.provider, contexts.git_credentials(db, box, account_id, context), networks)
        if lacks_branch:
            found = host.pull_request(event.repo, pull.number)
            event = _with_target(with_pull_request(event, found), found)
        if lacks_files:
            event = msgspec.structs.replace(event, files=host.changed_files(event.repo, pull.number))
    except (HostFailed, LookupError) as problem:
        _log.warning("a webhook of %s cannot be completed: %s", event.repo, problem)
    return event


def _with_target(event: GitEvent, found: Fields) -> GitEvent:
    pull = event.pull_request
    if pull is None:
        return event
    pull = msgspec.structs.replace(pull, target=found.maybe("base", "ref"), id=found.maybe("id"))
    return msgspec.structs.replace(event, pull_request=pull)


def _fire(db: Connection, box: SecretBox, call: Call, event: GitEvent, one: _Candidate, mark: str) -> Started:
    """Start the build of one trigger, or say why not."""
    pipeline, trigger = one.pipeline, one.trigger
    answer = Started(pipeline=pipeline.name, trigger=trigger["name"])
    reason = triggers.refusal(trigger, event)
    if not reason and event.branch is None:
        reason = "the branch is not known; give the account a git context, so that the host can be asked"
    if reason:
        answer.reason = reason
        return answer
    origin, body = starting.git_run(event, trigger)
    cause = starting.Cause(
        who=event.sender or event.provider,
        base_url=call.base_url,
        outside=call.outside,
        origin=origin,
        mark=_request_mark(event, trigger, mark),
    )
    answer.build, answer.reason = starting.start(db, box, pipeline, cause, body)
    now = datetime.now(UTC)
    if answer.build is not None:
        triggers.note_fired(db, pipeline.id, trigger["id"], now=now)
        _report(db, pipeline, trigger, event, answer.build, now)
    return answer


def _request_mark(event: GitEvent, trigger: Mapping[str, Any], mark: str) -> str:
    """Return what is the same when a delivery comes again; empty where the sender marks none."""
    if not mark:
        return ""
    return hashlib.sha256("\0".join((event.provider, mark, trigger["id"])).encode()).hexdigest()


def _report(
    db: Connection,
    pipeline: pipelines.Pipeline,
    trigger: Mapping[str, Any],
    event: GitEvent,
    build_id: str,
    now: datetime,
) -> None:
    """Note that the host is to be told of the build."""
    if event.provider not in _HOSTS or not event.revision:
        return
    report = Report(
        build_id=build_id,
        account_id=pipeline.account_id,
        provider=event.provider,
        context=str(trigger.get("context") or "")[:255],
        repo=event.repo[:512],
        revision=event.revision[:255],
        title=str(trigger.get("commitStatusTitle") or pipeline.name)[:255],
        reported="",
        attempts=0,
        due_at=now,
    )
    repository.add_report(db, report)
