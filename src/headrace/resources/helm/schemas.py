"""Helm boards, sections and repositories on the wire; a change leaves what is absent."""

from typing import Annotated, Any

import msgspec

from headrace.http.paging import PageQuery

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Filter = str | dict[str, Any]
_Cluster = Annotated[str, msgspec.Meta(max_length=255, description="cluster, or `cluster/namespace`")]
_Place = Annotated[int, msgspec.Meta(ge=0, le=1_000_000, description="place on the board")]
_Digits = Annotated[
    str,
    msgspec.Meta(pattern=r"^[0-9]{1,6}$", description="place on the board, as the official client writes it"),
]
_Color = Annotated[str, msgspec.Meta(max_length=32)]
Order = dict[str, _Place]


class BoardFields(msgspec.Struct, kw_only=True):
    """What may be given of a board."""

    name: Name | None = None
    filter: Filter | None = None


class BoardOut(msgspec.Struct, kw_only=True, rename={"id": "_id"}):
    """A board as readers see it."""

    id: str
    name: str
    type: str = "regular"
    filter: Filter | None


class SectionFields(msgspec.Struct, kw_only=True, rename="camel"):
    """What may be given of a section."""

    board_id: str | None = None
    name: Name | None = None
    section: _Cluster | None = None
    color: _Color | None = None
    index: _Place | _Digits | None = None

    @property
    def place(self) -> int | None:
        """The index as a number; None where it was not given."""
        return None if self.index is None else int(self.index)


class SectionOut(msgspec.Struct, kw_only=True, rename={"id": "_id", "board_id": "boardId"}):
    """A section as readers see it."""

    id: str
    name: str
    board_id: str
    section: str
    color: str
    index: int


class RepoFields(msgspec.Struct, kw_only=True):
    """What may be given of a Helm repository."""

    name: Name | None = None
    public: bool | None = None


class ReposQuery(PageQuery, kw_only=True):
    """Which Helm repositories."""

    query: Annotated[str, msgspec.Meta(max_length=255, description="part of the name")] = ""


class RepoOut(
    msgspec.Struct,
    kw_only=True,
    rename={"name": "Name", "public": "Public", "created_at": "CreatedAt", "updated_at": "UpdatedAt"},
):
    """A Helm repository as readers see it."""

    name: str
    public: bool
    created_at: str
    updated_at: str
