"""The operation that ends an account."""

from typing import Any

from headrace.http.auth import Caller
from headrace.http.routing import Connection, Router
from headrace.http.scopes import Scope
from headrace.kit.clock import SystemClock
from headrace.resources.removals import service

router = Router("/admin/accounts", tag="accounts")


@router.route("DELETE", "/{id}", scope=Scope.GENERAL, sdk="accounts.deleteAccount", admin="platform")
def delete_account(
    id: str,  # noqa: A002 - the wire name
    caller: Caller,
    db: Connection,
    clock: SystemClock,
) -> dict[str, Any]:
    """Delete an account with all that it owns, and the users who have no other.

    Not the account that one is in, and not while a build of it has not ended. Keys, sessions, times and
    webhooks of it end at once, its builds with their logs are removed within minutes. Nothing comes back.
    """
    service.remove(db, caller, id, now=clock.now())
    return {}
