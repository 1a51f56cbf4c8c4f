"""The rules of images: one row for each engine's id, one image for each name, metadata as annotations."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from headrace.execution.images import domain_of
from headrace.execution.ports import MadeImage, RegistryAccess
from headrace.http.errors import BadRequest, NotFound
from headrace.http.paging import Pages
from headrace.integrations.registries import RegistryRefused, add_tag
from headrace.kit.crypto import SecretBox
from headrace.pipeline import regexes
from headrace.resources.annotations import service as annotations
from headrace.resources.images import repository
from headrace.resources.images.repository import Image, ImageTag, Wanted
from headrace.resources.images.schemas import ImageOut, NewImage, TagOut
from headrace.resources.registries import service as registries
from headrace.storage.engine import Database

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
ENTITY = "image"  # what annotations call an image


def keep(db: Connection, account_id: str, made: MadeImage, *, build_id: str, pipeline_id: str | None) -> None:
    """Store an image that a build made, and the names it has."""
    now = datetime.now(UTC)
    image_id = repository.put(
        db,
        account_id,
        made.id,
        display_name=made.display_name,
        branch=made.branch,
        revision=made.revision,
        digest=made.digest,
        size_bytes=made.size_bytes,
        build_id=build_id,
        pipeline_id=pipeline_id,
        created_at=made.created_at,
        updated_at=now,
    )
    for name in made.names:
        whole, _, tag = name.rpartition(":")
        domain = domain_of(whole)
        registry = domain if made.registry is not None else ""
        repository.put_tag(
            db,
            account_id,
            image_id,
            registry=registry,
            repository=whole.removeprefix(f"{domain}/"),
            tag=tag,
            now=now,
        )


def last_pushed(db: Connection, account_id: str, pipeline_id: str | None, display_name: str) -> str | None:
    """Return the whole name of the newest image of a pipeline that a registry has; None without one."""
    if pipeline_id is None:
        return None
    tag = repository.last_pushed(db, account_id, pipeline_id, display_name)
    return f"{tag.registry}/{tag.repository}:{tag.tag}" if tag else None


def find(db: Connection, account_id: str, wanted: str) -> Image | None:
    """Find an image by its id, the engine's id, or a whole name; None where none is known."""
    found = repository.find(db, account_id, wanted)
    if found is not None:
        return found
    whole, colon, tag = wanted.rpartition(":")
    if not colon or "/" in tag:
        whole, tag = wanted, "latest"
    domain = domain_of(whole)
    path = whole.removeprefix(f"{domain}/")
    return repository.by_tag(db, account_id, domain, path, tag) or repository.by_tag(
        db, account_id, "", path, tag
    )


def get(db: Connection, account_id: str, wanted: str) -> Image:
    """Find an image.

    Raises:
        NotFound: the account has none of that id or name.
    """
    found = find(db, account_id, wanted)
    if found is None:
        raise NotFound(f"could not find image {wanted!r}")
    return found


def listed(
    db: Connection,
    account_id: str,
    wanted: Wanted,
    pages: Pages,
    *,
    metadata: Mapping[str, str],
    name_regex: str,
) -> tuple[list[ImageOut], int]:
    """Return images, newest first, and how many there are in all.

    Raises:
        BadRequest: the expression cannot be read.
    """
    noted = [
        annotations.entities_with(account_id, entity_type=ENTITY, key=key, value=value)
        for key, value in metadata.items()
    ]
    wanted = msgspec.structs.replace(wanted, noted=noted)
    if name_regex:
        try:
            regexes.search(name_regex, "")  # whether it can be read, also where there are no images
            names = [
                name for name in repository.display_names(db, account_id) if regexes.search(name_regex, name)
            ]
        except regexes.BadRegex as problem:
            raise BadRequest(f"imageDisplayNameRegex: {problem}") from None
        wanted = msgspec.structs.replace(wanted, names=names)
    found, count = repository.listed(db, account_id, wanted, pages)
    return shown(db, account_id, found), count


def shown(db: Connection, account_id: str, found: Sequence[Image]) -> list[ImageOut]:
    """Return images as readers see them."""
    tags = repository.tags_of(db, account_id, [image.id for image in found])
    notes = annotations.of_entities(
        db, account_id, entity_type=ENTITY, entity_ids=[image.internal_id for image in found]
    )
    return [_out(image, tags.get(image.id, []), notes.get(image.internal_id, [])) for image in found]


def _out(image: Image, tags: list[ImageTag], notes: list[dict[str, Any]]) -> ImageOut:
    return ImageOut(
        id=image.id,
        internal_image_id=image.internal_id,
        image_display_name=image.display_name,
        image_name=image.display_name,
        internal_name=image.display_name,
        created=image.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        size=image.size_bytes,
        sha=image.revision,
        branch=image.branch,
        repo_digest=image.digest,
        metadata={note["key"]: note["value"] for note in notes},
        tags=[tag_out(tag) for tag in tags],
    )


def tags(db: Connection, account_id: str, wanted: str) -> list[TagOut]:
    """Return the names of an image. Raises `NotFound`."""
    image = get(db, account_id, wanted)
    return [tag_out(tag) for tag in repository.tags_of(db, account_id, [image.id]).get(image.id, [])]


def tag_out(tag: ImageTag) -> TagOut:
    """Return a name as readers see it."""
    return TagOut(id=tag.id, tag=tag.tag, registry=tag.registry, repository=tag.repository)


def tag(
    database: Database, box: SecretBox, account_id: str, wanted: str, tag: str, registry: str
) -> ImageOut:
    """Give an image one more tag, in a registry that has it.

    Args:
        database: is not held while the registry is asked.
        box: opens the registry's password.
        account_id: whose image.
        wanted: id or name of the image.
        tag: the new one.
        registry: name or domain; empty chooses the one that the image was pushed to last.

    Raises:
        NotFound: there is no such image, or no registry of that name.
        BadRequest: the registry does not have it, or does not let in.
    """
    if not _TAG.fullmatch(tag):
        raise BadRequest(f"tag {tag!r} cannot be; use up to 128 of letters, digits, '_', '.' and '-'")
    with database.reading() as db:
        image = get(db, account_id, wanted)
        known = {each.name: each for each in registries.accesses(db, box, account_id)}
        domain = known[registry].domain if registry in known else registry
        names = [
            each
            for each in repository.tags_of(db, account_id, [image.id]).get(image.id, [])
            if each.registry and domain in ("", each.registry)
        ]
    if not names:
        raise BadRequest(
            f"no registry{f' {registry!r}' if registry else ''} has image {wanted!r}; push it there first"
        )
    place = names[0]
    access = known.get(registry) or next(
        (each for each in known.values() if each.domain == place.registry),
        RegistryAccess(name="", domain=place.registry),
    )
    try:
        add_tag(access.domain, access.username, access.password, place.repository, place.tag, tag)
    except RegistryRefused as refusal:
        raise BadRequest(access.refusal or f"registry: {refusal}") from None
    with database.transaction() as db:
        repository.put_tag(
            db,
            account_id,
            image.id,
            registry=place.registry,
            repository=place.repository,
            tag=tag,
            now=datetime.now(UTC),
        )
        return shown(db, account_id, [image])[0]


def untag(db: Connection, account_id: str, wanted: str, tag: str, registry: str) -> ImageOut:
    """Forget a tag of an image; registries keep theirs, their API deletes whole images only.

    Raises:
        NotFound: there is no such image, or it has no such tag.
    """
    image = get(db, account_id, wanted)
    known = {each["name"]: str(each["domain"]) for each in registries.listed(db, account_id)}
    named = [
        each
        for each in repository.tags_of(db, account_id, [image.id]).get(image.id, [])
        if each.tag == tag and known.get(registry, registry) in ("", each.registry)
    ]
    if not named:
        raise NotFound(f"could not find tag {tag!r} of image {wanted!r}")
    for each in named:
        repository.remove_tag(
            db, account_id, registry=each.registry, repository=each.repository, tag=each.tag
        )
    return shown(db, account_id, [image])[0]


def add(db: Connection, account_id: str, given: NewImage) -> ImageOut:
    """Keep an image that something else built."""
    domain = given.registry or domain_of(given.image_name)
    path = given.image_name.removeprefix(f"{domain}/")
    made = MadeImage(
        id=given.image_id,
        display_name=path,
        names=(f"{domain}/{path}:{given.tag}",),
        registry=domain,
        digest=given.digest,
        size_bytes=given.size,
        created_at=datetime.now(UTC),
        branch=given.branch,
        revision=given.sha,
        step="",
    )
    keep(db, account_id, made, build_id="", pipeline_id=None)
    return shown(db, account_id, [get(db, account_id, given.image_id)])[0]


def metadata(db: Connection, account_id: str, wanted: str) -> dict[str, Any]:
    """Return the metadata of an image by key. Raises `NotFound`."""
    return shown(db, account_id, [get(db, account_id, wanted)])[0].metadata


def describe(db: Connection, account_id: str, wanted: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Set metadata of an image and return all of it. Raises `NotFound`."""
    image = get(db, account_id, wanted)
    texts = {
        key: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for key, value in values.items()
    }
    annotations.annotate(db, account_id, entity_type=ENTITY, entity_id=image.internal_id, values=texts)
    return metadata(db, account_id, wanted)


def undescribe(db: Connection, account_id: str, wanted: str, key: str) -> dict[str, Any]:
    """Remove a key of an image's metadata and return the rest. Raises `NotFound`."""
    image = get(db, account_id, wanted)
    annotations.delete(db, account_id, entity_type=ENTITY, entity_id=image.internal_id, key=key)
    return metadata(db, account_id, wanted)
