"""Users on the wire."""

from typing import Annotated, Any

import msgspec


class LoginIn(msgspec.Struct):
    """The body of a login."""

    user: Annotated[str, msgspec.Meta(description="name of the user", max_length=255)]
    password: Annotated[str, msgspec.Meta(max_length=1024)]


class ShortUser(msgspec.Struct, rename="camel"):
    """The user that a session was issued for."""

    user_name: str
    email: str


class SessionOut(msgspec.Struct, rename="camel"):
    """A session: send the token as ``x-access-token``."""

    access_token: str
    user: ShortUser


class AccountOut(msgspec.Struct, rename={"id": "_id", "runtime_environment": "runtimeEnvironment"}):
    """An account as its members see it."""

    id: str
    name: str
    runtime_environment: str
    admins: list[str]  # ids of users
    features: dict[str, Any] = {}


class UserOut(
    msgspec.Struct,
    kw_only=True,
    rename={
        "id": "_id",
        "user_name": "userName",
        "active_account_name": "activeAccountName",
        "default_account": "defaultAccount",
    },
):
    """A user with the accounts that this caller may know of."""

    id: str
    user_name: str
    email: str
    roles: list[str]
    active_account_name: str
    default_account: int = 0  # index in `account`
    user_data: dict[str, str]
    status: str = "new"
    account: list[AccountOut]


class ExecutionContextOut(msgspec.Struct, rename={"id": "_id", "account_id": "accountId"}):
    """Where the calling key is bound to."""

    id: str
    name: str
    account_id: str
