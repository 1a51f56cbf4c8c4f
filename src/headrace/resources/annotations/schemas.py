"""Annotations on the wire."""

from typing import Annotated

import msgspec

EntityId = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
EntityType = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class NewAnnotation(msgspec.Struct, kw_only=True, rename="camel"):
    """The body that sets an annotation. The entity is named by ``entityId`` or ``entityName``."""

    entity_type: EntityType
    key: Key
    value: str | int | float | bool
    entity_id: EntityId | None = None
    entity_name: EntityId | None = None
    display: bool = False


class AnnotationOut(msgspec.Struct, kw_only=True, rename="camel"):
    """An annotation as readers see it; ``type`` is worked out from the text of the value."""

    id: str = msgspec.field(name="_id")
    account_id: str
    entity_id: str
    entity_type: str
    key: str
    value: str
    type: str
    display: bool
