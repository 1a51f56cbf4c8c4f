"""What starts builds from outside, on the wire."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec

from headrace.http.paging import PageQuery

GENERATE = "!generate"  # in the place of a secret


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that may happen, and that pipelines may be linked to."""

    id: str
    account_id: str
    uri: str  # ``cron:codefresh:@daily:nightly:3f1c5ad0c2b9``
    type: str
    kind: str
    context: str
    secret: str  # sealed
    config: dict[str, str]
    created_at: datetime
    due_at: datetime | None = None


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline that an event starts."""

    event_id: str
    pipeline_id: str
    filters: dict[str, str]
    problem: str | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a Git host is still to be told of a build."""

    build_id: str
    account_id: str
    provider: str
    context: str
    repo: str
    revision: str
    title: str
    reported: str
    attempts: int
    due_at: datetime

    @property
    def host(self) -> tuple[str, ...]:
        """Whom it is told to: account, provider and git context."""
        return (self.account_id, self.provider, self.context)


class Started(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What an event did to one pipeline: a build, or the reason why there is none."""

    pipeline: str
    trigger: str
    build: str | None = None
    reason: str | None = None


class WebhookOut(msgspec.Struct, kw_only=True):
    """What a webhook did."""

    event: list[str]
    builds: list[str] = []
    triggers: list[Started] = []


class ReceiverOut(msgspec.Struct, kw_only=True):
    """Where the webhooks of a whole account go; the secret is told once, when it is made."""

    endpoint: str
    secret: str
    created: str | None = None


class EventOut(msgspec.Struct, kw_only=True):
    """An event as readers see it."""

    uri: str
    type: str
    kind: str
    account: str
    secret: str
    status: str
    endpoint: str
    description: str
    help: str


class TriggerOut(msgspec.Struct, kw_only=True):
    """A link between an event and a pipeline."""

    event: str
    pipeline: str
    pipeline_name: Annotated[str, msgspec.Meta(description="whole: ``project/pipeline``")] = msgspec.field(
        name="pipeline-name"
    )
    filters: dict[str, str]
    data: EventOut = msgspec.field(name="event-data")
    problem: str | None = None


class NewEvent(msgspec.Struct, kw_only=True):
    """The body that creates an event."""

    type: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    kind: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    secret: Annotated[str, msgspec.Meta(max_length=255, description="``!generate`` makes one")] = GENERATE
    context: Annotated[str, msgspec.Meta(max_length=255)] | None = None
    values: dict[str, str | int] = {}


class NewLink(msgspec.Struct, kw_only=True):
    """The body that links an event with a pipeline."""

    filters: Annotated[
        dict[str, str], msgspec.Meta(max_length=20, description="name of a value → regular expression")
    ] = {}


class EventsQuery(PageQuery, kw_only=True):
    """Which events."""

    type: str = ""
    kind: str = ""
    filter: Annotated[
        str, msgspec.Meta(description="a regular expression that matches in the URI", max_length=1000)
    ] = ""
    public: Annotated[bool, msgspec.Meta(description="sent by clients, has no effect")] = False


class CreateQuery(msgspec.Struct, kw_only=True):
    """For whom an event is made."""

    public: Annotated[bool, msgspec.Meta(description="for all accounts: not offered")] = False


class RunQuery(msgspec.Struct, kw_only=True):
    """The secret, for senders that cannot put it into the body."""

    secret: str = ""


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """An event that happened, in the form of its links' filters and variables."""

    values: Mapping[str, str]  # ``tag``, ``namespace`` …
    variables: Mapping[str, str]  # ``EVENT_…``


Payload = dict[str, Any]
