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


Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{24}$")]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class InviteBody(msgspec.Struct, kw_only=True, rename="camel"):
    """Whom to invite."""

    user_details: Annotated[
        str, msgspec.Meta(min_length=1, max_length=255, description="name of the user, or the address")
    ]


class NewUserOut(msgspec.Struct, kw_only=True, rename={"id": "_id", "user_name": "userName"}):
    """A new user, with the password, which is told this once."""

    id: str
    user_name: str
    email: str
    account: list[str]  # ids
    status: str = "new"
    password: str


class ProviderName(msgspec.Struct, frozen=True, kw_only=True):
    """Where a user logs in."""

    name: str = "local"


class PendingUserBody(msgspec.Struct, kw_only=True, rename={"user_name": "userName"}):
    """A user of the installation."""

    account: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=100, description="ids of accounts")]
    user_name: _Name
    provider: ProviderName = ProviderName()


class AccountBody(msgspec.Struct, kw_only=True):
    """A new account."""

    name: _Name
    provider: str = ""


class AccountName(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be changed of an account."""

    name: Annotated[str, msgspec.Meta(max_length=255)] = ""


class AccountChange(AccountName, frozen=True, kw_only=True, rename="camel"):
    """What is to be changed of an account, as clients write it: bare, or below one of two words."""

    settings: AccountName = AccountName()
    account_details: AccountName = AccountName()

    @property
    def wanted(self) -> str:
        """The new name; empty where none is given."""
        return self.name or self.settings.name or self.account_details.name


class AccountSettings(AccountName, frozen=True, kw_only=True):
    """What an account is to be like."""

    notifications: Annotated[list[dict[str, Any]], msgspec.Meta(max_length=100)] = []


class UserChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is to be changed of a user; what is absent stays."""

    user_name: Annotated[str, msgspec.Meta(max_length=255)] = ""
    email: Annotated[str, msgspec.Meta(max_length=320)] | None = None
    user_details: Annotated[str, msgspec.Meta(max_length=320, description="the address")] | None = None


class OwnChange(msgspec.Struct, kw_only=True):
    """What is to be changed of the calling user."""

    settings: UserChange = UserChange()


class AdminAccountsQuery(msgspec.Struct, kw_only=True, rename={"id": "_id"}):
    """Which accounts."""

    name: Annotated[str, msgspec.Meta(description="only of this name")] = ""
    id: Annotated[tuple[str, ...], msgspec.Meta(max_length=100, description="only these; may repeat")] = ()
