"""The rules of annotations: a key has one value; the value's type shows in its text."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select

from headrace.http.errors import NotFound
from headrace.http.paging import Pages
from headrace.kit.ids import new_id
from headrace.resources.annotations import repository
from headrace.resources.annotations.repository import Annotation
from headrace.resources.annotations.schemas import AnnotationOut

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


def annotate(
    db: Connection, account_id: str, *, entity_type: str, entity_id: str, values: Mapping[str, str]
) -> None:
    """Set several annotations of one entity."""
    for key, value in values.items():
        put(db, account_id, entity_type=entity_type, entity_id=entity_id, key=key, value=value)


def entities_with(account_id: str, *, entity_type: str, key: str, value: str) -> Select[tuple[str]]:
    """Return the query of the ids of the entities of a type that carry an annotation with this value.

    It is part of the query of those entities: there may be a hundred thousand of them.
    """
    return repository.entities_with(account_id, entity_type=entity_type, key=key, value=value)


def listed(
    db: Connection, account_id: str, pages: Pages, *, entity_type: str, entity_id: str, key: str = ""
) -> list[Annotation]:
    """Return the annotations of one entity by key; empty where there are none."""
    return repository.listed(db, account_id, pages, entity_type=entity_type, entity_id=entity_id, key=key)


def of_entities(
    db: Connection, account_id: str, *, entity_type: str, entity_ids: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """Return the annotations of several entities, by id and by key, as readers see them.

    An entity without annotations is absent.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for one in repository.of_entities(db, account_id, entity_type=entity_type, entity_ids=entity_ids):
        found.setdefault(one.entity_id, []).append(msgspec.to_builtins(shown(one)))
    return found


def shown(annotation: Annotation) -> AnnotationOut:
    """Return an annotation as readers see it."""
    return AnnotationOut(
        id=annotation.id,
        account_id=annotation.account_id,
        entity_id=annotation.entity_id,
        entity_type=annotation.entity_type,
        key=annotation.key,
        value=annotation.value,
        type=annotation.type,
        display=annotation.display,
    )


def delete(db: Connection, account_id: str, *, entity_type: str, entity_id: str, key: str = "") -> None:
    """Delete the annotations of one entity, or the one of a key.

    Raises:
        NotFound: there is none.
    """
    if not repository.remove(db, account_id, entity_type=entity_type, entity_id=entity_id, key=key):
        named = f"annotation {key!r}" if key else "annotations"
        raise NotFound(f"could not find {named} of {entity_type} {entity_id!r}")


def remove(db: Connection, account_id: str, *, entity_type: str, entity_id: str, keys: Sequence[str]) -> None:
    """Delete annotations of one entity by key; those that are not there are passed over."""
    for key in keys:
        repository.remove(db, account_id, entity_type=entity_type, entity_id=entity_id, key=key)


def type_of(value: str) -> str:
    """Tell what a text is: ``number``, ``percentage``, ``boolean``, ``link`` or ``text``."""
    if _NUMBER.fullmatch(value):
        return "number"
    if _PERCENTAGE.fullmatch(value):
        return "percentage"
    if value in ("true", "false"):
        return "boolean"
    return "link" if _LINK.fullmatch(value) else "text"
