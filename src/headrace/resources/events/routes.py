"""The operations of events: receivers of webhooks, trigger events, their links and types."""

from typing import Any

from headrace.http.auth import Caller
from headrace.http.outside import GIT, Outside
from headrace.http.paging import Pages
from headrace.http.rights import Right, Rights
from headrace.http.routing import Connection, Example, Raw, Reply, Router
from headrace.http.scopes import Scope
from headrace.kit.crypto import SecretBox
from headrace.resources.events import service, webhooks
from headrace.resources.events.schemas import (
    CreateQuery,
    EventOut,
    EventsQuery,
    NewEvent,
    NewLink,
    ReceiverOut,
    RunQuery,
    TriggerOut,
    WebhookOut,
)
from headrace.resources.events.service import Reader
from headrace.storage.engine import Database

router = Router("/hermes", tag="triggers")
_receivers = Router("/webhooks/git", tag="triggers")
_of_triggers = Router("/pipelines", tag="triggers")

_EVENT = {"event": "$EVENT"}
_LINK = {"event": "$EVENT", "pipeline": "my-project%2Fmy-basic-pipeline"}


def _call(raw: Raw, outside: Outside) -> webhooks.Call:
    return webhooks.Call(headers=raw.headers, body=raw.body, base_url=raw.base_url, outside=outside)


@_of_triggers.route(
    "POST",
    "/{pipelineId}/events/{triggerId}",
    scope=Scope.PUBLIC,
    sdk="triggers.git.receive",
    example=Example(body={"event": "push.heads", "repo": "my-team/my-app", "branch": "main"}),
)
async def receive_for_trigger(
    pipelineId: str,  # noqa: N803 - the wire name
    triggerId: str,  # noqa: N803
    raw: Raw,
    database: Database,
    box: SecretBox,
    outside: Outside,
) -> Reply:
    """Take a webhook of a Git host for one git trigger.

    No key is needed: the webhook proves that it knows the trigger's secret, by its signature (GitHub,
    Bitbucket) or its token (GitLab). The answer names the builds, or why there is none.
    """
    return Reply(
        await GIT.run(webhooks.to_trigger, database, box, _call(raw, outside), pipelineId, triggerId)
    )


@_receivers.route(
    "POST",
    "/{accountId}",
    scope=Scope.PUBLIC,
    sdk="webhooks.git.receive",
    example=Example(body={"event": "push.heads", "repo": "my-team/my-app", "branch": "main"}),
)
async def receive_for_account(
    accountId: str,  # noqa: N803 - the wire name
    raw: Raw,
    database: Database,
    box: SecretBox,
    outside: Outside,
) -> Reply:
    """Take a webhook of a Git host for all git triggers of an account.

    Those are fired that name its repository and match. The secret is that of the account's
    receiver; see `POST /webhooks/git`.
    """
    return Reply(await GIT.run(webhooks.to_account, database, box, _call(raw, outside), accountId))


@_receivers.route("GET", "", scope=Scope.GENERAL, sdk="webhooks.git.get", admin=True)
def get_receiver(caller: Caller, db: Connection, raw: Raw) -> ReceiverOut:
    """Say where the webhooks of the account go."""
    return webhooks.describe(db, caller.account_id, base_url=raw.base_url)


@_receivers.route("POST", "", scope=Scope.GENERAL, sdk="webhooks.git.create", admin=True)
def create_receiver(caller: Caller, db: Connection, box: SecretBox, raw: Raw) -> ReceiverOut:
    """Make the receiver of the account, or give it a new secret.

    The secret is told this once.
    """
    return webhooks.renew(db, box, caller.account_id, base_url=raw.base_url)


def _reader(caller: Caller, box: SecretBox, raw: Raw) -> Reader:
    return Reader(caller=caller, box=box, base_url=raw.base_url)


@router.route("GET", "/triggers", scope=Scope.GENERAL, sdk="triggers.list", right=Right("read", "pipeline"))
def list_triggers(
    caller: Caller, db: Connection, box: SecretBox, raw: Raw, pages: Pages, rights: Rights
) -> list[TriggerOut]:
    """List the links between events and pipelines."""
    return service.links(db, _reader(caller, box, raw), pages, seen=rights.seen(db, "pipeline"))


@router.route(
    "GET",
    "/triggers/event/{event}",
    scope=Scope.GENERAL,
    sdk="triggers.getEventTriggers",
    right=Right("read", "pipeline"),
    example=Example(path=_EVENT),
)
def list_triggers_of_event(
    event: str, caller: Caller, db: Connection, box: SecretBox, raw: Raw, pages: Pages, rights: Rights
) -> list[TriggerOut]:
    """List the pipelines that an event starts."""
    return service.links(db, _reader(caller, box, raw), pages, event=event, seen=rights.seen(db, "pipeline"))


@router.route(
    "GET",
    "/triggers/pipeline/{pipeline}",
    scope=Scope.GENERAL,
    sdk="triggers.getPipelineTriggers",
    right=Right("read", "pipeline", "pipeline"),
    example=Example(path={"pipeline": "my-project%2Fmy-basic-pipeline"}),
)
def list_triggers_of_pipeline(
    pipeline: str, caller: Caller, db: Connection, box: SecretBox, raw: Raw, pages: Pages
) -> list[TriggerOut]:
    """List the events that start a pipeline."""
    return service.links(db, _reader(caller, box, raw), pages, pipeline=pipeline)


@router.route(
    "GET",
    "/triggers/{event}",
    scope=Scope.GENERAL,
    sdk="triggers.get",
    right=Right("read", "pipeline"),
    example=Example(path=_EVENT),
)
def get_triggers(
    event: str, caller: Caller, db: Connection, box: SecretBox, raw: Raw, pages: Pages, rights: Rights
) -> list[TriggerOut]:
    """List the pipelines that an event starts, as older clients ask for it."""
    return service.links(db, _reader(caller, box, raw), pages, event=event, seen=rights.seen(db, "pipeline"))


@router.route(
    "POST",
    "/triggers/{event}/{pipeline}",
    scope=Scope.GENERAL,
    sdk="triggers.create",
    right=Right("update", "pipeline", "pipeline"),
    example=Example(path=_LINK, body={"filters": {}}),
)
def create_trigger(
    event: str, pipeline: str, body: NewLink, caller: Caller, db: Connection
) -> dict[str, Any]:
    """Let an event start a pipeline, where its values match the filters."""
    service.link(db, caller.account_id, event, pipeline, body)
    return {}


@router.route(
    "DELETE",
    "/triggers/{event}/{pipeline}",
    scope=Scope.GENERAL,
    sdk="triggers.delete",
    right=Right("update", "pipeline", "pipeline"),
    example=Example(path=_LINK),
)
def delete_trigger(event: str, pipeline: str, caller: Caller, db: Connection) -> dict[str, Any]:
    """Let an event start a pipeline no more."""
    service.unlink(db, caller.account_id, event, pipeline)
    return {}


@router.route(
    "GET",
    "/events",
    scope=Scope.GENERAL,
    sdk="triggers.events.list",
    example=Example(query="public=true"),
)
def list_events(
    query: EventsQuery, caller: Caller, db: Connection, box: SecretBox, raw: Raw, pages: Pages
) -> list[EventOut]:
    """List the trigger events of the account."""
    return service.listed(db, _reader(caller, box, raw), query, pages)


@router.route(
    "GET",
    "/events/{event}",
    scope=Scope.GENERAL,
    sdk="triggers.events.get",
    example=Example(path=_EVENT),
)
def get_event(event: str, caller: Caller, db: Connection, box: SecretBox, raw: Raw) -> EventOut:
    """Get one trigger event; an admin of the account sees its secret."""
    return service.shown(db, _reader(caller, box, raw), event)


@router.route(
    "POST",
    "/events",
    scope=Scope.GENERAL,
    sdk="triggers.events.create",
    example=Example(
        query="public=false",
        body={
            "type": "cron",
            "kind": "codefresh",
            "secret": "!generate",
            "values": {"expression": "@daily", "message": "nightly"},
        },
    ),
)
def create_event(
    body: NewEvent, query: CreateQuery, caller: Caller, db: Connection, box: SecretBox, raw: Raw
) -> str:
    """Create a trigger event and return its URI."""
    return service.create(db, _reader(caller, box, raw), body, public=query.public)


@router.route(
    "DELETE",
    "/events/{event}/{context}",
    scope=Scope.GENERAL,
    sdk="triggers.events.delete",
    right=Right("update", "pipeline"),
    example=Example(path={"event": "$EVENT", "context": "none"}),
)
def delete_event(
    event: str,
    context: str,  # noqa: ARG001 - part of the path
    caller: Caller,
    db: Connection,
    rights: Rights,
) -> dict[str, Any]:
    """Delete a trigger event and its links."""
    service.delete(db, caller.account_id, event, rights)
    return {}


@router.route(
    "DELETE",
    "/events/{event}",
    scope=Scope.GENERAL,
    sdk="triggers.events.remove",
    right=Right("update", "pipeline"),
    example=Example(path=_EVENT),
)
def delete_event_alone(event: str, caller: Caller, db: Connection, rights: Rights) -> dict[str, Any]:
    """Delete a trigger event and its links, without naming a context."""
    service.delete(db, caller.account_id, event, rights)
    return {}


@router.route("GET", "/types", scope=Scope.GENERAL, sdk="triggers.types.list")
def list_types(caller: Caller) -> list[dict[str, Any]]:  # noqa: ARG001 - every account has the same
    """List the types of trigger events."""
    return list(service.shown_types())


@router.route(
    "GET",
    "/types/{type}/{kind}",
    scope=Scope.GENERAL,
    sdk="triggers.types.get",
    example=Example(path={"type": "registry", "kind": "dockerhub"}),
)
def get_type(type: str, kind: str) -> dict[str, Any]:  # noqa: A002 - the wire name
    """Get one type of trigger events."""
    return service.shown_type(type, kind)


@router.route(
    "POST",
    "/run/{event}",
    scope=Scope.PUBLIC,
    sdk="triggers.events.run",
    example=Example(path=_EVENT, body={"secret": "my-secret", "variables": {"EVENT_TAG": "1.0"}}),
)
def run_event(
    event: str,
    body: dict[str, Any],
    query: RunQuery,
    db: Connection,
    box: SecretBox,
    raw: Raw,
    outside: Outside,
) -> WebhookOut:
    """Take an event from outside and start the pipelines that are linked with it.

    No key is needed: the secret of the event is in the body or in the query string. The body is the
    payload of a registry, or names the variables itself.
    """
    text = raw.body.decode(errors="replace")
    return service.run(
        db, box, event, body, secret=query.secret, text=text, base_url=raw.base_url, outside=outside
    )
