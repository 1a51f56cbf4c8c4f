"""Data that a build's steps leave for others: any JSON, sealed at rest, by item.

Source: `reference/api.md`, section 4.4 (``/workflow/{id}/data``).
"""

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from headrace.http.errors import NotFound
from headrace.kit.clock import wire_time
from headrace.kit.crypto import SecretBox
from headrace.kit.ids import new_id
from headrace.resources.builds.model import workflow_data
from headrace.resources.builds.schemas import Build

_MOST_ITEMS = 1_000


def add(db: Connection, box: SecretBox, build: Build, data: object) -> str:
    """Store an item of a build and return its id."""
    item = new_id()
    text = box.seal(msgspec.json.encode(data).decode(), build.account_id)
    row = {"id": item, "build_id": build.id, "data": text, "created_at": datetime.now(UTC)}
    db.execute(insert(workflow_data).values(row))
    return item


def listed(db: Connection, build: Build) -> list[dict[str, Any]]:
    """Return the items of a build, the oldest first, without what they hold."""
    query = select(workflow_data.c.id, workflow_data.c.created_at)
    query = query.where(workflow_data.c.build_id == build.id).order_by(workflow_data.c.id)
    return [
        {"_id": row.id, "metadata": {"createdAt": wire_time(row.created_at)}}
        for row in db.execute(query.limit(_MOST_ITEMS))
    ]


def find(db: Connection, box: SecretBox, build: Build, item: str, *, decrypt: bool) -> dict[str, Any]:
    """Return an item of a build; ``decrypt`` shows what it holds. Raises `NotFound`."""
    query = select(workflow_data).where(workflow_data.c.build_id == build.id, workflow_data.c.id == item)
    row = db.execute(query).first()
    if row is None:
        raise NotFound(f"could not find the data item {item!r} of build {build.id}")
    shown = {"_id": row.id, "metadata": {"createdAt": wire_time(row.created_at)}}
    if decrypt:
        shown["data"] = msgspec.json.decode(box.open(row.data, build.account_id))
    return shown
