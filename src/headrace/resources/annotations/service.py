"""The rules of annotations: a key has one value; the value's type shows in its text."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection

from headrace.http.errors import NotFound
from headrace.kit.ids import new_id
from headrace.resources.annotations import repository
from headrace.resources.annotations.repository import Annotation

BUILD = "workflow"  # the entity type of builds on the wire

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_PERCENTAGE = re.compile(r"[+-]?\d+(\.\d+)?%")
_LINK = re.compile(r"https?://\S+", re.IGNORECASE)


def put(
    db: Connection,
    account_id: str,
    *,
    entity_type: str,
    entity_id: str,
    key: str,
    value: str,
    display: bool = False,
) -> Annotation:
    """Set one annotation; an earlier value of the key goes."""
    annotation = Annotation(
        id=new_id(),
        account_id=account_id,
        entity_type=entity_type,
        entity_id=entity_id,
        key=key,
        value=value,
        type=type_of(value),
        display=display,
        created_at=datetime.now(UTC),
    )
    repository.put(db, account_id, annotation)
    return annotation


def put_all(
    db: Connection, account_id: str, *, entity_type: str, entity_id: str, values: Mapping[str, str]
) -> None:
    """Set several annotations of one entity."""
    for key, value in values.items():
        put(db, account_id, entity_type=entity_type, entity_id=entity_id, key=key, value=value)


def listed(
    db: Connection, account_id: str, *, entity_type: str, entity_id: str, key: str = ""
) -> list[Annotation]:
    """Return the annotations of one entity by key; empty where there are none."""
    return repository.listed(db, account_id, entity_type=entity_type, entity_id=entity_id, key=key)


def delete(db: Connection, account_id: str, *, entity_type: str, entity_id: str, key: str = "") -> None:
    """Delete the annotations of one entity, or the one of a key.

    Raises:
        NotFound: there is none.
    """
    if not repository.remove(db, account_id, entity_type=entity_type, entity_id=entity_id, key=key):
        named = f"annotation {key!r}" if key else "annotations"
        raise NotFound(f"could not find {named} of {entity_type} {entity_id!r}")


def type_of(value: str) -> str:
    """Tell what a text is: ``number``, ``percentage``, ``boolean``, ``link`` or ``text``."""
    if _NUMBER.fullmatch(value):
        return "number"
    if _PERCENTAGE.fullmatch(value):
        return "percentage"
    if value in ("true", "false"):
        return "boolean"
    return "link" if _LINK.fullmatch(value) else "text"
