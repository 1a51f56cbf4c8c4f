"""The operations of images."""

from typing import Annotated, Any

import msgspec

from headrace.http.auth import Caller
from headrace.http.outside import REGISTRIES
from headrace.http.paging import OffsetQuery, Pages
from headrace.http.routing import Connection, Example, Router
from headrace.http.scopes import Scope
from headrace.kit.crypto import SecretBox
from headrace.resources.images import service
from headrace.resources.images.repository import Wanted
from headrace.resources.images.schemas import ImageOut, NewImage, TagOut
from headrace.storage.engine import Database

router = Router("/images", tag="images")

_ID = "sha256:5b4f927dc70d"
_IMAGE = Example(path={"id": _ID})
_METADATA = Example(path={"dockerImageId": _ID})


class ImagesQuery(OffsetQuery, kw_only=True, rename="camel"):
    """Which images, and what of each."""

    select: Annotated[str, msgspec.Meta(description="fields to show, with blanks between; empty: all")] = ""
    metadata: Annotated[dict[str, str], msgspec.Meta(description="only with these values, by key")] = (
        msgspec.field(default_factory=dict)
    )
    filter: Annotated[dict[str, str], msgspec.Meta(description="``internalImageId``: only this one")] = (
        msgspec.field(default_factory=dict)
    )
    tag: Annotated[tuple[str, ...], msgspec.Meta(max_length=100, description="only with one of them")] = ()
    branch: Annotated[
        tuple[str, ...], msgspec.Meta(max_length=100, description="built from one of them")
    ] = ()
    sha: Annotated[str, msgspec.Meta(description="built from this revision")] = ""
    image_display_name_regex: Annotated[str, msgspec.Meta(description="whose name matches")] = ""
    type: Annotated[str, msgspec.Meta(description="has no influence: all images are of one type")] = ""
    image_repo: Annotated[str, msgspec.Meta(description="has no influence: there is one list")] = ""


class RegistryQuery(msgspec.Struct, kw_only=True):
    """In which registry."""

    registry: Annotated[str, msgspec.Meta(description="name or domain; empty: any")] = ""


@router.route(
    "GET", "", scope=Scope.GENERAL, sdk="images.list", example=Example(query="limit=25&branch=main")
)
def list_images(query: ImagesQuery, caller: Caller, db: Connection, pages: Pages) -> dict[str, Any]:
    """List the images that builds made, newest first."""
    internal = query.filter.get("internalImageId")
    wanted = Wanted(
        tags=query.tag,
        branches=query.branch,
        revision=query.sha,
        internal_ids=None if internal is None else [internal],
    )
    found, count = service.listed(
        db,
        caller.account_id,
        wanted,
        pages,
        metadata=query.metadata,
        name_regex=query.image_display_name_regex,
    )
    fields = {"_id", *query.select.split()} if query.select.strip() else None
    docs = [msgspec.to_builtins(image) for image in found]
    if fields is not None:
        docs = [{key: value for key, value in doc.items() if key in fields} for doc in docs]
    return {"docs": docs, "count": count}


@router.route(
    "POST",
    "/external",
    scope=Scope.GENERAL,
    sdk="images.addFromExternalSource",
    example=Example(body={"imageId": _ID, "imageName": "registry.example.org/acme/app", "tag": "1.0"}),
)
def add_image(body: NewImage, caller: Caller, db: Connection) -> ImageOut:
    """Put an image on record that something else built."""
    return service.add(db, caller.account_id, body)


@router.route("GET", "/{id:path}", scope=Scope.GENERAL, sdk="images.get", example=_IMAGE)
def get_image(id: str, caller: Caller, db: Connection) -> ImageOut:  # noqa: A002 - the name on the wire
    """Get one image by its id, the engine's id, or a whole name."""
    return service.shown(db, caller.account_id, [service.get(db, caller.account_id, id)])[0]


@router.route("GET", "/{id}/tags", scope=Scope.GENERAL, sdk="images.getTags", example=_IMAGE)
def get_image_tags(id: str, caller: Caller, db: Connection) -> list[TagOut]:  # noqa: A002 - as above
    """List the names that an image has."""
    return service.tags(db, caller.account_id, id)


@router.route(
    "POST",
    "/{id}/tag/{tag}",
    scope=Scope.GENERAL,
    sdk="images.tag",
    example=Example(path={"id": _ID, "tag": "1.0"}, query="registry=main"),
)
async def tag_image(
    id: str,  # noqa: A002 - as above
    tag: str,
    query: RegistryQuery,
    caller: Caller,
    database: Database,
    box: SecretBox,
) -> ImageOut:
    """Give an image one more tag, in a registry that has it."""
    # In a thread of its own, and without the request's transaction: a registry may take its time.
    return await REGISTRIES.run(service.tag, database, box, caller.account_id, id, tag, query.registry)


@router.route(
    "DELETE",
    "/{id}/tag/{tag}",
    scope=Scope.GENERAL,
    sdk="images.untag",
    example=Example(path={"id": _ID, "tag": "1.0"}),
)
def untag_image(
    id: str,  # noqa: A002 - as above
    tag: str,
    query: RegistryQuery,
    caller: Caller,
    db: Connection,
) -> ImageOut:
    """Forget a tag of an image.

    The registry keeps it: the interface of registries deletes whole images only.
    """
    return service.untag(db, caller.account_id, id, tag, query.registry)


@router.route(
    "GET", "/{dockerImageId}/metadata", scope=Scope.GENERAL, sdk="images.getMetadata", example=_METADATA
)
def get_image_metadata(dockerImageId: str, caller: Caller, db: Connection) -> dict[str, Any]:  # noqa: N803 - as above
    """Get the metadata of an image, by key."""
    return service.metadata(db, caller.account_id, dockerImageId)


@router.route(
    "POST",
    "/{dockerImageId}/metadata",
    scope=Scope.GENERAL,
    sdk="images.upsertMetadata",
    example=Example(path={"dockerImageId": _ID}, body={"CF_QUALITY": True, "coverage": "60%"}),
)
def set_image_metadata(
    dockerImageId: str,  # noqa: N803 - as above
    body: dict[str, str | int | float | bool],
    caller: Caller,
    db: Connection,
) -> dict[str, Any]:
    """Set metadata of an image; keys that are not given stay."""
    return service.describe(db, caller.account_id, dockerImageId, body)


@router.route(
    "DELETE",
    "/{dockerImageId}/metadata/{keyName}",
    scope=Scope.GENERAL,
    sdk="images.deleteMetadata",
    example=Example(path={"dockerImageId": _ID, "keyName": "coverage"}),
)
def delete_image_metadata(
    dockerImageId: str,  # noqa: N803 - as above
    keyName: str,  # noqa: N803 - as above
    caller: Caller,
    db: Connection,
) -> dict[str, Any]:
    """Remove a key of an image's metadata."""
    return service.undescribe(db, caller.account_id, dockerImageId, keyName)
