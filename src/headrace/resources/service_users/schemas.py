"""Service users on the wire."""

from typing import Annotated

import msgspec

_Teams = Annotated[list[str], msgspec.Meta(max_length=1000, description="ids of teams of the account")]


class ServiceUserBody(msgspec.Struct, kw_only=True, rename="camel"):
    """A service user as it is to be. What is absent is none; an absent name stays."""

    user_name: Annotated[str, msgspec.Meta(max_length=255, description="unique in the installation")] = ""
    team_ids: _Teams = []
    assign_admin_role: Annotated[bool, msgspec.Meta(description="an admin of the account needs no rules")] = (
        False
    )


class TeamRef(msgspec.Struct, kw_only=True, rename={"id": "_id"}):
    """A team."""

    id: str


class ServiceUserOut(msgspec.Struct, kw_only=True, rename={"id": "_id", "user_name": "userName"}):
    """A service user as readers see it."""

    id: str
    user_name: str
    teams: list[TeamRef]
    roles: list[str]
