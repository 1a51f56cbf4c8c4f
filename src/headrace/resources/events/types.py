"""The types of events: what identifies one, and what a sender's payload says.

Source: `reference/api.md`, section 4.8; the payloads are those of the registries' documentation.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from headrace.http.errors import BadRequest
from headrace.integrations.git.base import Fields
from headrace.resources.events.schemas import Happening
from headrace.resources.triggers import service as triggers

_NAME = "^[A-Za-z0-9._/-]{1,255}$"
_MESSAGE = "^[A-Za-z0-9_+ #?.-]{2,128}$"
_MOST_VARIABLES = 100
_MOST_VALUE = 65_536  # characters of one variable
_PAYLOAD_KEPT = 16_384  # characters of ``EVENT_PAYLOAD``


class EventType(msgspec.Struct, frozen=True, kw_only=True):
    """One type of events."""

    type: str
    kind: str
    template: str  # of the URI, before the account's mark
    config: tuple[tuple[str, str, str], ...]  # (name, type, validator)
    filters: tuple[tuple[str, str], ...] = ()  # (name, what it is)
    help: str
    read: Callable[[Fields], Mapping[str, str]] | None = None  # values of a payload

    def shown(self) -> dict[str, Any]:
        """Return the type as clients see it."""
        regex = self.template
        for name, _, validator in self.config:
            regex = regex.replace("{{" + name + "}}", validator.removeprefix("^").removesuffix("$") or ".+")
        return {
            "type": self.type,
            "kind": self.kind,
            "uri-template": self.template,
            "uri-regex": f"^{regex}:[a-f0-9]{{12}}$",
            "help-url": "",
            "config": [
                {"name": name, "type": kind, "validator": validator, "options": None, "required": True}
                for name, kind, validator in self.config
            ],
            "filters": [
                {"name": name, "type": "string", "help": told, "required": False}
                for name, told in self.filters
            ],
        }

    def uri(self, config: Mapping[str, str]) -> str:
        """Return the URI of an event, without the account's mark.

        Raises:
            BadRequest: a value is missing or does not fit.
        """
        uri = self.template
        for name, _, _ in self.config:
            if not config.get(name):
                names = ", ".join(one for one, _, _ in self.config)
                raise BadRequest(f"values.{name} is required for an event {self.type}/{self.kind}: {names}")
            uri = uri.replace("{{" + name + "}}", config[name])
        if self.type == "cron":
            for field, complaint, cure in triggers.problems(config, triggers.CRON):
                raise BadRequest(f"values.{field} {complaint}; {cure}")
        elif any("/" in config[name] or ":" in config[name] for name in ("namespace", "name")):
            raise BadRequest("values.namespace and values.name hold no '/' and no ':'")
        return uri


def _docker_hub(fields: Fields) -> Mapping[str, str]:
    return {
        "namespace": fields.text("repository", "namespace"),
        "name": fields.text("repository", "name"),
        "tag": fields.text("push_data", "tag"),
        "pusher": fields.text("push_data", "pusher"),
        "pushed_at": fields.text("push_data", "pushed_at"),
    }


def _quay(fields: Fields) -> Mapping[str, str]:
    tag = fields.text("updated_tags", 0) or fields.text("docker_tags", 0)
    return {"namespace": fields.text("namespace"), "name": fields.text("name"), "tag": tag}


def _azure(fields: Fields) -> Mapping[str, str]:
    namespace, _, name = fields.text("target", "repository").rpartition("/")
    return {
        "namespace": namespace or fields.text("request", "host").partition(".")[0],
        "name": name,
        "tag": fields.text("target", "tag"),
        "pushed_at": fields.text("timestamp"),
    }


def _distribution(fields: Fields) -> Mapping[str, str]:
    event = fields.at("events", 0)
    namespace, _, name = event.text("target", "repository").rpartition("/")
    return {
        "namespace": namespace,
        "name": name,
        "tag": event.text("target", "tag"),
        "pusher": event.text("actor", "name"),
        "pushed_at": event.text("timestamp"),
    }


def _registry(kind: str, told: str, read: Callable[[Fields], Mapping[str, str]]) -> EventType:
    return EventType(
        type="registry",
        kind=kind,
        template="registry:" + kind + ":{{namespace}}:{{name}}:push",
        config=(("namespace", "string", _NAME), ("name", "string", _NAME)),
        filters=(("tag", "a regular expression that the tag must match"),),
        help=f"an image was pushed to {told}",
        read=read,
    )


TYPES = (
    EventType(
        type="cron",
        kind="codefresh",
        template="cron:codefresh:{{expression}}:{{message}}",
        config=(("expression", "crontab", ""), ("message", "string", _MESSAGE)),
        help="a time has come, in UTC",
    ),
    _registry("dockerhub", "Docker Hub", _docker_hub),
    _registry("quay", "Quay", _quay),
    _registry("acr", "Azure Container Registry", _azure),
    _registry("distribution", "a registry that sends notifications of the Distribution API", _distribution),
)


def find(kind_of: str, kind: str) -> EventType | None:
    """Return a type by its two words."""
    return next((one for one in TYPES if (one.type, one.kind) == (kind_of, kind)), None)


def happening(event_type: EventType, body: Mapping[str, Any], original: str) -> Happening:
    """Return what a sender says: its payload, or ``variables`` in the body of a run.

    Args:
        event_type: of the event.
        body: the payload of a registry, or ``{"secret", "original", "variables"}``.
        original: the body as it came, for ``EVENT_PAYLOAD``.

    Raises:
        BadRequest: the variables are no texts, too many, or too long.
    """
    if "variables" in body or "original" in body:
        given = body.get("variables") or {}
        if not isinstance(given, dict) or not all(isinstance(one, str) for one in given.values()):
            raise BadRequest("variables must be an object of texts")
        if len(given) > _MOST_VARIABLES or any(len(one) > _MOST_VALUE for one in given.values()):
            raise BadRequest(f"variables: at most {_MOST_VARIABLES}, each of {_MOST_VALUE} characters")
        variables = {_variable(name): value for name, value in given.items()}
        values = {name.removeprefix("EVENT_").lower(): value for name, value in variables.items()}
        text = body.get("original")
        payload = text if isinstance(text, str) else original
    else:
        values = dict(event_type.read(Fields(dict(body))) if event_type.read else {})
        variables = {_variable(name): value for name, value in values.items() if value}
        payload = original
    return Happening(values=values, variables={**variables, "EVENT_PAYLOAD": payload[:_PAYLOAD_KEPT]})


def _variable(name: str) -> str:
    upper = "".join(sign if sign.isalnum() else "_" for sign in name.upper())[:200]
    return upper if upper.startswith("EVENT_") else f"EVENT_{upper}"
