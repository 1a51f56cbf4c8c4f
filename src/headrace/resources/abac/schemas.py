"""Rules of teams on the wire. Clients write ``team`` and ``tags``, and read ``role`` and ``attributes``."""

from typing import Annotated, Literal

import msgspec

Tag = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Tags = Annotated[
    list[Tag],
    msgspec.Meta(
        max_length=100, description="`*`: whatever has a tag; `untagged`: what has none; or names of tags"
    ),
]
Ids = Annotated[list[Annotated[str, msgspec.Meta(max_length=24)]], msgspec.Meta(min_length=1, max_length=100)]
_Team = Annotated[str, msgspec.Meta(max_length=24, description="id of the team")]
_Resource = Annotated[str, msgspec.Meta(max_length=32, description="`pipeline`, `project` or `cluster`")]
_Action = Annotated[str, msgspec.Meta(max_length=32, description="see `GET /api/abac/resources`")]
_Related = Annotated[
    Literal["", "project"],
    msgspec.Meta(description="`project`: the tags are those of the pipeline's project"),
]
_Match = Annotated[Literal["any", "all"], msgspec.Meta(description="whether one of the tags is enough")]


class RuleTags(msgspec.Struct, kw_only=True, rename="camel"):
    """Which objects a rule is about; without tags, all."""

    tags: Tags = []
    related_resource: _Related = ""
    related: _Related = msgspec.field(default="", name="related_resource")  # as Terraform writes it
    rule_type: _Match = "any"

    @property
    def is_of_project(self) -> bool:
        """Whether the tags are those of the project."""
        return bool(self.related_resource or self.related)


class NewRule(RuleTags, kw_only=True, rename="camel"):
    """A rule to make."""

    team: _Team
    resource: _Resource
    action: _Action


class NewRules(RuleTags, kw_only=True, rename="camel"):
    """Rules to make: one for each team and action."""

    teams: Ids
    resource: _Resource
    actions: Annotated[list[_Action], msgspec.Meta(min_length=1, max_length=10)]


class RuleBatch(msgspec.Struct, kw_only=True):
    """Rules to make and to delete, all or none."""

    create: Annotated[list[NewRule], msgspec.Meta(max_length=500)] = []
    delete: Annotated[list[str], msgspec.Meta(max_length=500, description="ids of rules")] = []


class TagsBody(msgspec.Struct, kw_only=True):
    """The tags that a rule has from now on."""

    tags: Tags


class MoreTags(msgspec.Struct, kw_only=True):
    """Tags that some rules get, beside their own."""

    tags: Tags
    rules: Ids


class RuleOut(msgspec.Struct, kw_only=True, rename="camel"):
    """A rule as readers see it."""

    id: str
    role: Annotated[str, msgspec.Meta(description="id of the team")]
    account: str
    resource: str
    action: str
    attributes: list[str]  # the tags
    related_resource: str | None
    rule_type: str


class ResourceOut(msgspec.Struct, kw_only=True, rename="camel"):
    """What rules can be about."""

    name: str
    actions: list[str]
    related_resources: list[str]
