"""The operations of users: who am I, sessions, members of an account."""

from typing import Any

from headrace.http.auth import PAGE_HEADER, Caller, session_cookie
from headrace.http.errors import NotOffered
from headrace.http.limits import Throttle
from headrace.http.paging import Pages
from headrace.http.routing import Connection, Example, Raw, Reply, Router
from headrace.http.scopes import Scope
from headrace.resources.users import people, service
from headrace.resources.users.schemas import (
    AccountBody,
    AccountChange,
    AccountOut,
    AccountSettings,
    AdminAccountsQuery,
    ExecutionContextOut,
    InviteBody,
    LoginIn,
    NewUserOut,
    OwnChange,
    PendingUserBody,
    SessionOut,
    UserChange,
    UserOut,
)
from headrace.resources.users.sessions import Sessions

router = Router("", tag="users")
_accounts = Router("/accounts", tag="accounts")
_platform = Router("/admin/accounts", tag="accounts")


@router.route("GET", "/user", scope=Scope.ANY, sdk="users.get")
def get_user(caller: Caller, db: Connection) -> UserOut:
    """Get the calling user; every valid key may."""
    return service.describe(db, caller)


@router.route(
    "GET",
    "/user/context",
    scope=Scope.ANY,
    sdk="auth.notifyContextCreated",
    operation="users-notify-context-created",
    effect=True,
)
def notify_context_created() -> dict[str, Any]:
    """Take note that a client has saved this key.

    The audit log then says when, from where, and which client.
    """
    return {}


@router.route(
    "POST",
    "/user/changeaccount/{accountId}",
    scope=Scope.ANY,
    sdk="users.changeAccount",
    operation="users-change-account",
)
def change_account(
    accountId: str,  # noqa: N803 - the wire name
    caller: Caller,
    db: Connection,
    sessions: Sessions,
    raw: Raw,
) -> SessionOut | Reply:
    """Switch to another account of the calling user, with a new session.

    A page that sends the header ``x-headrace-page`` gets the session as a cookie instead, as by a login.
    """
    return _in_browser(service.change_account(db, sessions, caller, accountId), raw)


@router.route("GET", "/user/firebaseAuth", scope=Scope.ANY, sdk="firebase.auth")
def firebase_auth() -> dict[str, Any]:
    """Get a Firebase token: not offered, the answer is 501.

    Live logs come by the WebSocket, ended ones by the archive.
    """
    raise NotOffered("logs are not kept in Firebase; ask GET /api/progress/{id} where they are")


@router.route("GET", "/execution-contexts/current", scope=Scope.ANY, sdk="executionContexts.current")
def current_execution_context(caller: Caller) -> ExecutionContextOut:
    """Get what the calling key is bound to: its build, or its account."""
    return ExecutionContextOut(caller.build_id or caller.account_id, "default", caller.account_id)


@router.route("GET", "/accounts/{id}/users", scope=Scope.GENERAL, sdk="accounts.listUsers")
def list_account_users(
    id: str,  # noqa: A002 - the wire name
    caller: Caller,
    db: Connection,
    pages: Pages,
) -> list[UserOut]:
    """List the users of the caller's account, by name."""
    return service.of_account(db, caller, id, pages)


@router.route(
    "POST",
    "/auth/login",
    scope=Scope.PUBLIC,
    sdk="auth.login",
    effect=False,  # it writes nothing, and hashing must not hold the write lock
    example=Example(body={"user": "admin", "password": "the one-time password"}),
)
def login(
    body: LoginIn, db: Connection, sessions: Sessions, throttle: Throttle, raw: Raw
) -> SessionOut | Reply:
    """Log in by password; the token goes into the header ``x-access-token``.

    A page that sends the header ``x-headrace-page`` gets the session as a cookie instead, which no
    script can read. After many that failed, the answer is 429 for a while.
    """
    session = service.login(db, sessions, body.user, body.password, throttle=throttle, address=raw.address)
    return _in_browser(session, raw)


def _in_browser(session: SessionOut, raw: Raw) -> SessionOut | Reply:
    """Return a session as who asked can keep it: a page of ours, in a cookie; everybody else, as it is."""
    if PAGE_HEADER not in raw.headers:
        return session
    cookie = session_cookie(session.access_token, secure=raw.base_url.startswith("https:"))
    return Reply(SessionOut("", session.user), headers={"Set-Cookie": cookie})


@router.route("POST", "/auth/logout", scope=Scope.GENERAL, sdk="auth.logout")
def logout(caller: Caller, db: Connection, raw: Raw) -> Reply:
    """End all sessions of the calling user, on every device."""
    service.end_sessions(db, caller)
    secure = raw.base_url.startswith("https:")
    return Reply({}, headers={"Set-Cookie": session_cookie("", secure=secure)})


@_accounts.route(
    "POST",
    "/{id}/adduser",
    scope=Scope.GENERAL,
    sdk="accounts.addUserToAccount",
    admin=True,
    example=Example(body={"userDetails": "kim@example.org"}),
)
def invite_user(id: str, body: InviteBody, caller: Caller, db: Connection) -> NewUserOut:  # noqa: A002 - the wire name
    """Create a user of the account, with a password that is told this once.

    Nobody is written to: give the password on. The key must have no scopes.
    """
    return people.invite(db, caller, id, body.user_details)


@_accounts.route(
    "POST",
    "/{accountId}/{userId}/adduser",
    scope=Scope.GENERAL,
    sdk="accounts.addExistingUserToAccount",
    admin="platform",
)
def add_existing_user(accountId: str, userId: str, db: Connection) -> UserOut:  # noqa: N803
    """Make a user of another account a member of an account, too."""
    return people.add_existing(db, accountId, userId)


@_accounts.route(
    "DELETE", "/{accountId}/{userId}", scope=Scope.GENERAL, sdk="accounts.deleteUserFromAccount", admin=True
)
def remove_user(accountId: str, userId: str, caller: Caller, db: Connection) -> dict[str, Any]:  # noqa: N803
    """Take a user out of the account; sessions, keys and places in teams end at once.

    A user whose only account this was is deleted.
    """
    people.take_out(db, caller, accountId, userId)
    return {}


@_accounts.route(
    "POST", "/{accountId}/{userId}/admin", scope=Scope.GENERAL, sdk="accounts.setAsAdmin", admin=True
)
def set_as_admin(accountId: str, userId: str, caller: Caller, db: Connection) -> UserOut:  # noqa: N803
    """Make a user an admin of the account; the key must have no scopes."""
    return people.set_admin(db, caller, accountId, userId, is_admin=True)


@_accounts.route(
    "DELETE", "/{accountId}/{userId}/admin", scope=Scope.GENERAL, sdk="accounts.deleteAdmin", admin=True
)
def delete_admin(accountId: str, userId: str, caller: Caller, db: Connection) -> UserOut:  # noqa: N803
    """Make an admin of the account a user; one admin stays in any case."""
    return people.set_admin(db, caller, accountId, userId, is_admin=False)


@_accounts.route(
    "POST",
    "/{accountId}/{userId}/updateuser",
    scope=Scope.GENERAL,
    sdk="accounts.updateUser",
    admin=True,
    example=Example(body={"email": "kim@example.org"}),
)
def change_user(
    accountId: str,  # noqa: N803 - the wire name
    userId: str,  # noqa: N803 - the same
    body: UserChange,
    caller: Caller,
    db: Connection,
) -> UserOut:
    """Give a user of the account another name or another address.

    By the name one logs in. A user who is in other accounts, too, is changed by an admin of the installation.
    """
    return people.change_user(db, caller, accountId, userId, body)


@_accounts.route(
    "POST",
    "/{id}/updateuser",
    scope=Scope.GENERAL,
    sdk="accounts.updateUserDetails",
    admin=True,
    example=Example(body={"settings": {"email": "ada@example.org"}}),
)
def change_own_details(
    id: str,  # noqa: A002 - the wire name
    body: OwnChange,
    caller: Caller,
    db: Connection,
) -> UserOut:
    """Give the calling user another name or another address."""
    return people.change_user(db, caller, id, caller.user_id, body.settings)


@_accounts.route(
    "POST",
    "/{id}/update",
    scope=Scope.GENERAL,
    sdk="accounts.updateAccountPublicSettings",
    admin=True,
    example=Example(body={"notifications": []}),
)
def change_account_settings(
    id: str,  # noqa: A002 - the wire name
    body: AccountSettings,
    caller: Caller,
    db: Connection,
) -> AccountOut:
    """Give the account another name, as an admin of the installation.

    Notifications are not offered: with some, the answer is 501.
    """
    return people.change_account(db, caller, id, body)


@_platform.route(
    "POST",
    "/{id}/update",
    scope=Scope.GENERAL,
    sdk="accounts.updateAccount",
    admin="platform",
    example=Example(body={"name": "acme"}),
)
def update_account(
    id: str,  # noqa: A002 - the wire name
    body: AccountChange,
    db: Connection,
) -> AccountOut:
    """Give an account of the installation another name; all else of it stays as it is."""
    return people.rename_account(db, id, body.wanted)


@_platform.route("GET", "", scope=Scope.GENERAL, sdk="accounts.listAccounts", admin="platform")
def list_accounts(query: AdminAccountsQuery, db: Connection) -> list[AccountOut]:
    """List the accounts of the installation by name."""
    return people.all_accounts(db, query)


@_platform.route(
    "POST",
    "",
    scope=Scope.GENERAL,
    sdk="accounts.addAccount",
    admin="platform",
    example=Example(body={"name": "new-account"}),
)
def create_account(body: AccountBody, db: Connection) -> AccountOut:
    """Create an account without users; its name is unique in the installation."""
    return people.create_account(db, body.name)


@_platform.route("GET", "/{id}", scope=Scope.GENERAL, sdk="accounts.getById", admin="platform")
def get_account(id: str, db: Connection) -> AccountOut:  # noqa: A002 - the wire name
    """Get an account of the installation."""
    return people.account(db, id)


@_platform.route(
    "POST",
    "/addpendinguser",
    scope=Scope.GENERAL,
    sdk="accounts.addPendingUserWithoutAccount",
    admin="platform",
    example=Example(
        body={"account": ["6923f0a41c2b9f3a7d000000"], "userName": "lee", "provider": {"name": "local"}}
    ),
)
def add_pending_user(body: PendingUserBody, caller: Caller, db: Connection) -> NewUserOut:
    """Create a user of some accounts, with a password that is told this once.

    The key must have no scopes. Users log in here, not at a provider.
    """
    return people.add_pending(db, caller, body.account, body.user_name)
