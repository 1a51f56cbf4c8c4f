"""The rows of annotations."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select

from headrace.http.paging import MAX_LIMIT
from headrace.resources.annotations.model import annotations

# Made once: to build a statement costs more than SQLite takes to answer it.
_OF_ENTITIES = (
    select(annotations)
    .where(
        annotations.c.account_id == bindparam("account"),
        annotations.c.entity_type == bindparam("type"),
        annotations.c.entity_id.in_(bindparam("ids", expanding=True)),
    )
    .order_by(annotations.c.key, annotations.c.id)
)


class Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """One annotation."""

    id: str
    account_id: str
    entity_type: str
    entity_id: str
    key: str
    value: str
    type: str
    display: bool
    created_at: datetime


def listed(
    db: Connection, account_id: str, *, entity_type: str, entity_id: str, key: str = ""
) -> list[Annotation]:
    """Return the annotations of one entity by key; only of one key where it is given."""
    query = select(annotations).where(*_of(account_id, entity_type, entity_id, key))
    query = query.order_by(annotations.c.key, annotations.c.id).limit(MAX_LIMIT)
    return [Annotation(**row) for row in db.execute(query).mappings()]


def of_entities(
    db: Connection, account_id: str, *, entity_type: str, entity_ids: Sequence[str]
) -> list[Annotation]:
    """Return the annotations of several entities by key, ties by id."""
    wanted = {"account": account_id, "type": entity_type, "ids": list(entity_ids)}
    return [Annotation(**row) for row in db.execute(_OF_ENTITIES, wanted).mappings()]


def entities_with(db: Connection, account_id: str, *, entity_type: str, key: str, value: str) -> list[str]:
    """Return the ids of the entities whose annotation has a value, in order."""
    query = select(annotations.c.entity_id).where(
        annotations.c.account_id == account_id,
        annotations.c.entity_type == entity_type,
        annotations.c.key == key,
        annotations.c.value == value,
    )
    return list(db.execute(query.order_by(annotations.c.entity_id)).scalars())


def put(db: Connection, account_id: str, annotation: Annotation) -> None:
    """Store an annotation of the account in the place of the one with the same key."""
    of = _of(account_id, annotation.entity_type, annotation.entity_id, annotation.key)
    db.execute(delete(annotations).where(*of))
    db.execute(insert(annotations).values(msgspec.structs.asdict(annotation)))


def remove(db: Connection, account_id: str, *, entity_type: str, entity_id: str, key: str = "") -> int:
    """Delete the annotations of one entity, or one of them; return how many there were."""
    return db.execute(delete(annotations).where(*_of(account_id, entity_type, entity_id, key))).rowcount


def _of(account_id: str, entity_type: str, entity_id: str, key: str) -> list[ColumnElement[bool]]:
    conditions = [
        annotations.c.account_id == account_id,
        annotations.c.entity_type == entity_type,
        annotations.c.entity_id == entity_id,
    ]
    return [*conditions, annotations.c.key == key] if key else conditions
