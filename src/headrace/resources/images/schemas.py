"""Images on the wire."""

from typing import Annotated, Any

import msgspec

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]


class TagOut(msgspec.Struct, kw_only=True, rename="camel"):
    """One name of an image; an empty registry says that the engine alone has it."""

    id: str = msgspec.field(name="_id")
    tag: str
    registry: str
    repository: str


class ImageOut(msgspec.Struct, kw_only=True, rename="camel"):
    """An image as readers see it; ``sha`` is the revision that was built."""

    id: str = msgspec.field(name="_id")
    internal_image_id: str
    image_display_name: str
    image_name: str
    internal_name: str
    created: str
    size: int
    sha: str
    branch: str
    repo_digest: str
    metadata: dict[str, Any]
    tags: list[TagOut]


class NewImage(msgspec.Struct, kw_only=True, rename="camel"):
    """An image that something else built. ``imageId`` is the engine's id, ``sha256:…``."""

    image_id: Text
    image_name: Text
    tag: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] = "latest"
    registry: Annotated[str, msgspec.Meta(max_length=255)] = ""
    digest: Annotated[str, msgspec.Meta(max_length=255)] = ""
    branch: Annotated[str, msgspec.Meta(max_length=1024)] = ""
    sha: Annotated[str, msgspec.Meta(max_length=255)] = ""
    size: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
