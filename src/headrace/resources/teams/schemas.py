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
    type: Annotated[str, msgspec.Meta(description="default, or where its members come from: github, gitlab")]
    account: str
    tags: list[str]
    users: list[TeamUserOut]


class SyncQuery(msgspec.Struct, kw_only=True, rename={"disable_notifications": "disableNotifications"}):
    """How the Git host is asked."""

    access_token: Annotated[
        str, msgspec.Meta(max_length=4096, description="for this once, in the place of the context's own")
    ] = ""
    disable_notifications: Annotated[bool, msgspec.Meta(description="nobody is told in any case")] = False


class SyncTeamsOut(msgspec.Struct, kw_only=True, rename="camel"):
    """What a synchronisation has made."""

    teams: list[TeamOut] = []
    created: Annotated[list[str], msgspec.Meta(description="names of new teams")] = []
    deleted: Annotated[list[str], msgspec.Meta(description="names of those whose group is gone")] = []
    skipped: Annotated[list[str], msgspec.Meta(description="names of groups that another team has")] = []
    unknown_users: Annotated[
        list[str], msgspec.Meta(description="members who are no users of the account")
    ] = []
