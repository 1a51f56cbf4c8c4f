"""Events that pipelines may be linked to: times, pushes to registries."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from headrace.http.auth import Caller
from headrace.http.errors import BadRequest, Conflict, Forbidden, NotFound, NotOffered, Unauthenticated
from headrace.http.outside import Outside
from headrace.http.paging import Pages
from headrace.http.rights import Rights, Seen
from headrace.kit.crypto import SecretBox
from headrace.kit.ids import new_id
from headrace.pipeline.regexes import BadRegex, search
from headrace.resources.events import repository, starting, types
from headrace.resources.events.schemas import (
    GENERATE,
    Event,
    EventOut,
    EventsQuery,
    Happening,
    Link,
    NewEvent,
    NewLink,
    Started,
    TriggerOut,
    WebhookOut,
)
from headrace.resources.pipelines import service as pipelines
from headrace.resources.pipelines.schemas import RunBody
from headrace.resources.triggers import service as triggers

_MASK = "*****"
_MARK = 12  # hex digits of the account's mark in a URI


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Who looks at events, and from where."""

    caller: Caller
    box: SecretBox
    base_url: str


def decoded(text: str) -> str:
    """Return the URI of an event in a path: the official client encodes it twice."""
    return text if ":" in text else unquote(text)


def find(db: Connection, account_id: str, uri: str) -> Event:
    """Find an event of an account. Raises `NotFound`."""
    found = repository.by_uri(db, decoded(uri), account_id)
    if not found:
        raise NotFound(f"could not find the trigger event {decoded(uri)!r}")
    return found[0]


def listed(db: Connection, reader: Reader, query: EventsQuery, pages: Pages) -> list[EventOut]:
    """Return the events of the account by URI. Raises `BadRequest`: the filter is no regular expression."""
    try:
        found = repository.of_account(db, reader.caller.account_id, pages, query)
    except BadRegex as problem:
        raise BadRequest(f"query string: filter: {problem}") from None
    return [_shown(reader, one) for one in found]


def shown(db: Connection, reader: Reader, uri: str) -> EventOut:
    """Return one event; an admin of the account sees its secret. Raises `NotFound`."""
    return _shown(reader, find(db, reader.caller.account_id, uri), whole=True)


def create(db: Connection, reader: Reader, body: NewEvent, *, public: bool) -> str:
    """Store a new event and return its URI.

    Raises:
        BadRequest: the type is unknown, or a value does not fit.
        Conflict: the account has it already.
        NotOffered: an event for all accounts.
    """
    if public:
        raise NotOffered("events for all accounts are not offered; leave 'public' out")
    event_type = types.find(body.type, body.kind)
    if event_type is None:
        known = ", ".join(f"{one.type}/{one.kind}" for one in types.TYPES)
        raise BadRequest(f"type: there is no {body.type}/{body.kind}, but {known}")
    account_id, now = reader.caller.account_id, datetime.now(UTC)
    config = {name: str(value) for name, value in body.values.items()}
    uri = f"{event_type.uri(config)}:{_mark(account_id)}"
    secret = secrets.token_hex(20) if body.secret in ("", GENERATE) else body.secret
    event = Event(
        id=new_id(),
        account_id=account_id,
        uri=uri,
        type=body.type,
        kind=body.kind,
        context=body.context or "",
        secret=reader.box.seal(secret, account_id),
        config=config,
        created_at=now,
        due_at=triggers.next_time(config["expression"], now) if body.type == "cron" else None,
    )
    try:
        with db.begin_nested():
            repository.add(db, event)
    except IntegrityError:
        raise Conflict(f"trigger event {uri!r} exists already") from None
    return uri


def delete(db: Connection, account_id: str, uri: str, rights: Rights) -> None:
    """Delete an event and its links.

    Raises:
        NotFound: there is none.
        Forbidden: it starts a pipeline that the caller may not change.
    """
    event = find(db, account_id, uri)
    for one in repository.links(db, event.id):
        if not rights.allows(db, "update", "pipeline", one.pipeline_id):
            raise Forbidden(
                f"{event.uri!r} starts pipelines that no rule of your teams lets you update; ask an admin"
            )
    repository.remove(db, account_id, event.id)


def _mark(account_id: str) -> str:
    return hashlib.sha256(account_id.encode()).hexdigest()[:_MARK]


def _shown(reader: Reader, event: Event, *, whole: bool = False) -> EventOut:
    event_type = types.find(event.type, event.kind)
    told = event_type.help if event_type else ""
    description = f"{event.config.get('expression')}: {told}" if event.type == "cron" else told
    admits = whole and reader.caller.is_account_admin and reader.caller.build_id is None
    return EventOut(
        uri=event.uri,
        type=event.type,
        kind=event.kind,
        account=event.account_id,
        secret=reader.box.open(event.secret, event.account_id) if admits else _MASK,
        status="active",
        endpoint=""
        if event.type == "cron"
        else f"{reader.base_url}/api/hermes/run/{quote(event.uri, safe='')}",
        description=description,
        help=told,
    )


# Links


def links(
    db: Connection,
    reader: Reader,
    pages: Pages,
    *,
    event: str | None = None,
    pipeline: str | None = None,
    seen: Seen | None = None,
) -> list[TriggerOut]:
    """Return the links of the account by event and pipeline: all, of an event, or of a pipeline.

    Of pipelines that ``seen`` leaves out there are none.

    Raises:
        NotFound: there is no such event, or no such pipeline.
    """
    account_id = reader.caller.account_id
    found = repository.links_of_account(
        db,
        account_id,
        pages,
        event_id=None if event is None else find(db, account_id, event).id,
        pipeline_id=None if pipeline is None else pipelines.find(db, account_id, pipeline).id,
        seen=seen,
    )
    return [
        TriggerOut(
            event=of.uri,
            pipeline=one.pipeline_id,
            pipeline_name=name,
            filters=one.filters,
            data=_shown(reader, of),
            problem=one.problem,
        )
        for one, of, name in found
    ]


def link(db: Connection, account_id: str, uri: str, pipeline: str, body: NewLink) -> None:
    """Let an event start a pipeline.

    Raises:
        NotFound: there is no such event, or no such pipeline.
        BadRequest: a filter is unknown, or no regular expression.
    """
    event = find(db, account_id, uri)
    event_type = types.find(event.type, event.kind)
    known = [name for name, _ in event_type.filters] if event_type else []
    for name, pattern in body.filters.items():
        if name not in known:
            raise BadRequest(f"filters.{name}: events of this type have {', '.join(known) or 'no filters'}")
        try:
            search(pattern, "")
        except BadRegex as problem:
            raise BadRequest(f"filters.{name}: {problem}") from None
    found = pipelines.find(db, account_id, pipeline)
    repository.link(db, Link(event_id=event.id, pipeline_id=found.id, filters=body.filters))


def unlink(db: Connection, account_id: str, uri: str, pipeline: str) -> None:
    """Let an event start a pipeline no more.

    Raises:
        NotFound: there is no such event or pipeline, or they are not linked.
    """
    event, found = find(db, account_id, uri), pipelines.find(db, account_id, pipeline)
    if not repository.unlink(db, event.id, found.id):
        raise NotFound(f"could not find a trigger of {event.uri!r} for the pipeline {found.name!r}")


# What happens


def run(
    db: Connection,
    box: SecretBox,
    uri: str,
    body: Mapping[str, Any],
    *,
    secret: str,
    text: str,
    base_url: str,
    outside: Outside,
) -> WebhookOut:
    """Take an event from outside and start the pipelines that are linked with it.

    Args:
        db: a transaction.
        box: opens the secret.
        uri: of the event.
        body: the payload.
        secret: of the query string; that of the body counts, too.
        text: the body as it came.
        base_url: of the server.
        outside: fetches the YAML of pipelines.

    Raises:
        Unauthenticated: the secret is not that of the event, or there is no such event.
        BadRequest: the payload does not fit.
    """
    given = body.get("secret")
    known = secret or (given if isinstance(given, str) else "")
    for event in repository.by_uri(db, decoded(uri)):
        if known and hmac.compare_digest(box.open(event.secret, event.account_id).encode(), known.encode()):
            event_type = types.find(event.type, event.kind)
            if event_type is None:
                break
            happened = types.happening(event_type, body, text)
            return fire(db, box, event, happened, base_url=base_url, outside=outside)
    raise Unauthenticated("the secret is not that of the event; send it as ?secret=… or in the body")


def fire(
    db: Connection, box: SecretBox, event: Event, happened: Happening, *, base_url: str, outside: Outside
) -> WebhookOut:
    """Start the pipelines that are linked with an event, where the filters of the link match."""
    started: list[Started] = []
    for one in repository.links(db, event.id):
        pipeline = pipelines.anybody_s(db, one.pipeline_id)
        if pipeline is None:
            continue
        reason = _kept_out(one.filters, happened)
        answer = Started(pipeline=pipeline.name, trigger=event.uri, reason=reason or None)
        started.append(answer)
        if reason:
            continue
        who = happened.variables.get("EVENT_PUSHER") or event.type
        variables = {"EVENT_NAME": event.config.get("name", ""), **happened.variables}
        origin = pipelines.Origin(variables={key: value for key, value in variables.items() if value})
        cause = starting.Cause(who=who, base_url=base_url, outside=outside, origin=origin)
        answer.build, answer.reason = starting.start(db, box, pipeline, cause, RunBody())
        repository.note(db, one, answer.reason)
    return WebhookOut(event=[event.uri], builds=[one.build for one in started if one.build], triggers=started)


def _kept_out(filters: Mapping[str, str], happened: Happening) -> str:
    for name, pattern in filters.items():
        value = happened.values.get(name, "")
        try:
            if not search(pattern, value):
                return f"{name} {value!r} does not match {pattern!r}"
        except BadRegex as problem:
            return str(problem)
    return ""


def shown_types() -> Sequence[dict[str, Any]]:
    """Return all types of events."""
    return [one.shown() for one in types.TYPES]


def shown_type(kind_of: str, kind: str) -> dict[str, Any]:
    """Return one type of events. Raises `NotFound`."""
    found = types.find(kind_of, kind)
    if found is None:
        raise NotFound(f"could not find the trigger type {kind_of}/{kind}")
    return found.shown()
