"""Compositions on the wire."""

from typing import Annotated

import msgspec

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Document = Annotated[str, msgspec.Meta(max_length=1_048_576, description="the document, YAML or JSON")]
Variables = Annotated[
    list[str | dict[str, str]],
    msgspec.Meta(max_length=1000, description="`KEY=value`, or an object with `key` and `value`"),
]


class CompositionFields(msgspec.Struct, kw_only=True, rename="camel"):
    """What may be given of a composition; a change leaves the rest as it is."""

    name: Name | None = None
    is_advanced: bool | None = None
    vars: Variables | None = None
    yaml_json: Document | None = None


class CompositionOut(msgspec.Struct, kw_only=True, rename="camel"):
    """A composition as readers see it."""

    id: str = msgspec.field(name="_id")
    name: str
    is_advanced: bool
    vars: list[str | dict[str, str]]
    yaml_json: str
    created: str
