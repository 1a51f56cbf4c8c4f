"""The rows of annotations."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, insert, select

from headrace.http.paging import Pages
from headrace.resources.annotations.model import annotations

_BEGINS = 100  # characters of a value that its index has
_COLUMNS = [column for column in annotations.c if column is not annotations.c.begins]
# Made once: to build a statement costs more than SQLite takes to answer it.
_OF_ENTITIES = (
    select(*_COLUMNS)
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
    db: Connection, account_id: str, pages: Pages, *, entity_type: str, entity_id: str, key: str = ""
) -> list[Annotation]:
    """Return the annotations of one entity by key; only of one key where it is given."""
    query = select(*_COLUMNS).where(*_of(account_id, entity_type, entity_id, key))
    return [Annotation(**row) for row in pages.read(db, query, annotations.c.key, annotations.c.id)]


def of_entities(
    db: Connection, account_id: str, *, entity_type: str, entity_ids: Sequence[str]
) -> list[Annotation]:
    """Return the annotations of several entities by key, ties by id."""
    wanted = {"account": account_id, "type": entity_type, "ids": list(entity_ids)}
    return [Annotation(**row) for row in db.execute(_OF_ENTITIES, wanted).mappings()]


def entities_with(account_id: str, *, entity_type: str, key: str, value: str) -> Select[tuple[str]]:
    """Return the query of the ids of the entities whose annotation has a value, to be part of another."""
    return select(annotations.c.entity_id).where(
        annotations.c.account_id == account_id,
        annotations.c.entity_type == entity_type,
        annotations.c.key == key,
        annotations.c.begins == value[:_BEGINS],
        annotations.c.value == value,
    )


def put(db: Connection, account_id: str, annotation: Annotation) -> None:
    """Store an annotation of the account in the place of the one with the same key."""
    of = _of(account_id, annotation.entity_type, annotation.entity_id, annotation.key)
    db.execute(delete(annotations).where(*of))
    values = msgspec.structs.asdict(annotation)
    db.execute(insert(annotations).values(values | {"begins": annotation.value[:_BEGINS]}))


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
