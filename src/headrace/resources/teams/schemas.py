"""Teams on the wire."""

from typing import Annotated

import msgspec

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
_Ids = Annotated[list[str], msgspec.Meta(max_length=1000, description="ids of users of the account")]
_Tags = Annotated[list[Annotated[str, msgspec.Meta(max_length=255)]], msgspec.Meta(max_length=100)]


class TeamBody(msgspec.Struct, kw_only=True):
    """The body that creates a team."""

    name: Name
    tags: _Tags = []
    users: _Ids = []


class TeamName(msgspec.Struct, kw_only=True):
    """The body that renames a team."""

    name: Name


class TeamUserOut(msgspec.Struct, kw_only=True, rename={"id": "_id", "user_name": "userName"}):
    """A member of a team."""

    id: str
    user_name: str
    email: str


class TeamOut(msgspec.Struct, kw_only=True, rename={"id": "_id"}):
    """A team as readers see it."""

    id: str
    name: str
    type: str = "default"
    account: str
    tags: list[str]
    users: list[TeamUserOut]
