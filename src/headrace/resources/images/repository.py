"""The rows of images and of their tags."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)

from headrace.http.paging import Pages, total
from headrace.kit.ids import new_id
from headrace.resources.images.model import image_tags, images

_FEW = 2000  # metadata that fewer images have is looked up first; else images are walked through and asked

_SHORT_ID = re.compile(r"(?:sha256:)?([0-9a-f]{12,64})")  # as engines shorten ids


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """One stored image."""

    id: str
    account_id: str
    internal_id: str
    display_name: str
    branch: str
    revision: str
    digest: str
    size_bytes: int
    build_id: str | None
    pipeline_id: str | None
    created_at: datetime
    updated_at: datetime


class ImageTag(msgspec.Struct, frozen=True, kw_only=True):
    """One name that an image has; of one name, the newest image has it."""

    id: str
    account_id: str
    image_id: str
    registry: str
    repository: str
    tag: str
    pushed_at: datetime


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which images; parts that are None do not choose."""

    tags: Sequence[str] = ()
    branches: Sequence[str] = ()
    revision: str = ""
    internal_ids: Sequence[str] | None = None
    names: Sequence[str] | None = None
    noted: Sequence[Select[Any]] = ()  # each finds engine's ids; an image must be in all


def find(db: Connection, account_id: str, wanted: str) -> Image | None:
    """Find an image by its id, or by the id that the engine gave it, whole or with its first 12 digits."""
    found = _first(db, account_id, images.c.id == wanted) or by_internal_id(db, account_id, wanted)
    if found is None and (short := _SHORT_ID.fullmatch(wanted)):
        # Bounds and not LIKE, which reads all images: one engine folds case in it, the other's
        # index may have another order of letters. After all digits comes "g" in either.
        begin = f"sha256:{short[1]}"
        found = _first(db, account_id, images.c.internal_id >= begin, images.c.internal_id < begin + "g")
    return found


def by_internal_id(db: Connection, account_id: str, internal_id: str) -> Image | None:
    """Find an image by the whole id that the engine gave it."""
    return _first(db, account_id, images.c.internal_id == internal_id)


def _first(db: Connection, account_id: str, *conditions: ColumnElement[bool]) -> Image | None:
    query = select(images).where(images.c.account_id == account_id, *conditions)
    row = db.execute(query.order_by(images.c.internal_id).limit(1)).mappings().first()
    return Image(**row) if row else None


def by_tag(db: Connection, account_id: str, registry: str, repository: str, tag: str) -> Image | None:
    """Find the image that has a name now."""
    query = (
        select(images)
        .join(image_tags, image_tags.c.image_id == images.c.id)
        .where(
            image_tags.c.account_id == account_id,
            image_tags.c.registry == registry,
            image_tags.c.repository == repository,
            image_tags.c.tag == tag,
        )
    )
    row = db.execute(query).mappings().first()
    return Image(**row) if row else None


def listed(db: Connection, account_id: str, wanted: Wanted, pages: Pages) -> tuple[list[Image], int]:
    """Return images, newest first, ties by id; and how many there are in all."""
    often = [ids for ids in wanted.noted if _many(db, ids)]
    rare = [ids for ids in wanted.noted if ids not in often]
    conditions = _conditions(db, account_id, wanted, rare)
    # A walk finds a page of what many images have at once; to count them, their ids are taken from the index.
    asked = [ids.where(ids.selected_columns[0] == images.c.internal_id).correlate(images) for ids in often]
    query = select(images).where(*conditions, *(each.exists() for each in asked))
    rows = pages.read(db, query, images.c.created_at, images.c.id, descending=True)
    counted = total(db, images, *conditions, *(images.c.internal_id.in_(ids) for ids in often))
    return [Image(**row) for row in rows], counted


def _many(db: Connection, ids: Select[Any]) -> bool:
    return int(db.execute(select(func.count()).select_from(ids.limit(_FEW).subquery())).scalar_one()) == _FEW


def _conditions(
    db: Connection, account_id: str, wanted: Wanted, noted: Sequence[Select[Any]]
) -> list[ColumnElement[bool]]:
    own: ColumnElement[bool] = images.c.account_id == account_id
    found: list[ColumnElement[bool]] = []
    rare: list[ColumnElement[bool]] = []  # keep few images
    if wanted.tags:  # of one tag each repository has one image
        tagged = select(image_tags.c.image_id).where(
            image_tags.c.account_id == account_id, image_tags.c.tag.in_(wanted.tags)
        )
        rare.append(images.c.id.in_(tagged))
    if wanted.branches:
        found.append(images.c.branch.in_(wanted.branches))
    if wanted.revision:
        found.append(images.c.revision == wanted.revision)
    if wanted.internal_ids is not None:
        found.append(images.c.internal_id.in_(wanted.internal_ids))
    if wanted.names is not None:
        found.append(images.c.display_name.in_(wanted.names))
    rare += [images.c.id.in_(select(images.c.id).where(own, images.c.internal_id.in_(ids))) for ids in noted]
    if rare and db.dialect.name == "sqlite":
        # It has no statistics: it would read all images of the account to find those few in order.
        own = literal_column("+images.account_id", images.c.account_id.type) == account_id
    return [own, *rare, *found]


def display_names(db: Connection, account_id: str) -> list[str]:
    """Return the names that the account's images have, each once."""
    query = select(images.c.display_name).where(images.c.account_id == account_id).distinct()
    return list(db.execute(query.order_by(images.c.display_name)).scalars())


def tags_of(db: Connection, account_id: str, image_ids: Sequence[str]) -> dict[str, list[ImageTag]]:
    """Return the tags of several images, by image, newest first; one without tags is absent."""
    query = (
        select(image_tags)
        .where(image_tags.c.account_id == account_id, image_tags.c.image_id.in_(image_ids))
        .order_by(image_tags.c.pushed_at.desc(), image_tags.c.id.desc())
    )
    found: dict[str, list[ImageTag]] = {}
    for row in db.execute(query).mappings():
        found.setdefault(row["image_id"], []).append(ImageTag(**row))
    return found


def put(db: Connection, account_id: str, internal_id: str, **values: object) -> str:
    """Store an image, or change the one with that engine's id; return its id."""
    known = by_internal_id(db, account_id, internal_id)
    if known is not None:
        change = update(images).where(images.c.account_id == account_id, images.c.id == known.id)
        db.execute(change.values(**values))
        return known.id
    made = new_id()
    db.execute(insert(images).values(id=made, account_id=account_id, internal_id=internal_id, **values))
    return made


def put_tag(
    db: Connection, account_id: str, image_id: str, *, registry: str, repository: str, tag: str, now: datetime
) -> None:
    """Give a name to an image; another image that had it loses it."""
    remove_tag(db, account_id, registry=registry, repository=repository, tag=tag)
    values = {"registry": registry, "repository": repository, "tag": tag, "pushed_at": now}
    db.execute(insert(image_tags).values(id=new_id(), account_id=account_id, image_id=image_id, **values))


def remove_tag(db: Connection, account_id: str, *, registry: str, repository: str, tag: str) -> int:
    """Take a name away; return whether there was one."""
    return db.execute(
        delete(image_tags).where(
            image_tags.c.account_id == account_id,
            image_tags.c.registry == registry,
            image_tags.c.repository == repository,
            image_tags.c.tag == tag,
        )
    ).rowcount


def last_pushed(db: Connection, account_id: str, pipeline_id: str, display_name: str) -> ImageTag | None:
    """Find the newest name in a registry that an image of a pipeline has."""
    query = (
        select(image_tags)
        .join(images, images.c.id == image_tags.c.image_id)
        .where(
            images.c.account_id == account_id,
            images.c.pipeline_id == pipeline_id,
            images.c.display_name == display_name,
            image_tags.c.registry != "",
        )
        .order_by(image_tags.c.pushed_at.desc(), image_tags.c.id.desc())
        .limit(1)
    )
    row = db.execute(query).mappings().first()
    return ImageTag(**row) if row else None
