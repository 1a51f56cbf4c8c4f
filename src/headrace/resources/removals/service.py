"""How an account ends: at once for those who use it, piece by piece on the disk.

The request takes away all by which anybody could use the account, and hides it. What may be much, its
builds with their files, the keeper removes afterwards, in transactions that nobody waits for; the row of
the account goes last, so a server that is killed between goes on where it was.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from headrace.http.auth import Caller
from headrace.http.errors import Conflict
from headrace.resources.accounts import service as accounts
from headrace.resources.audit import service as audit
from headrace.resources.builds import service as builds
from headrace.resources.users import service as users
from headrace.storage.engine import Database

_BITE = 200  # builds at a time
_ENTRIES = 5_000  # of the audit log, as well


def remove(db: Connection, caller: Caller, account_id: str, *, now: datetime) -> None:
    """Delete an account; what is left of it goes by `clear`.

    Raises:
        Conflict: it is the caller's own, a build has not ended, or an admin of the installation has no other.
        NotFound: there is no such account.
    """
    name = accounts.by_id(db, account_id).name
    if account_id == caller.account_id:
        raise Conflict(f"you are in the account {name!r}; switch to another one first")
    accounts.hold(db, account_id)
    if unended := builds.count_unended(db, account_id):
        raise Conflict(f"builds of the account {name!r} have not ended: {unended}; terminate them first")
    _empty(db, account_id)
    accounts.close(db, account_id, now)


def clear(database: Database, forget_files: Callable[[str], None]) -> None:
    """Remove what deleted accounts have left. Several servers may; one that fails may do it again.

    Args:
        database: of the installation.
        forget_files: deletes the files of a build, by its id; for some a second time.
    """
    while _bite(database, forget_files):
        pass


def _bite(database: Database, forget_files: Callable[[str], None]) -> bool:
    """Remove a piece; tell whether there may be more that can be removed now."""
    with database.reading() as db:
        account_id = accounts.closed(db)
        ended = builds.some_ended(db, account_id, limit=_BITE) if account_id else []
    if account_id is None:
        return False
    for build_id in ended:  # first: without a row nobody would know of them
        forget_files(build_id)
    with database.transaction() as db:
        return _take_away(db, account_id, ended)


def _take_away(db: Connection, account_id: str, ended: Sequence[str]) -> bool:
    _empty(db, account_id)  # of whoever came in by a request that had begun before
    builds.remove(db, ended)
    if audit.forget_some(db, account_id, limit=_ENTRIES) or ended:
        return True
    if builds.terminate_all(db, account_id):  # started by such a request; a later look finds them ended
        return False
    accounts.remove(db, account_id)
    return True


def _empty(db: Connection, account_id: str) -> None:
    users.leave(db, account_id)
    accounts.empty(db, account_id)
