"""The rules of repositories: a name is taken once; what a host shows is asked of the host."""

from datetime import UTC, datetime

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from headrace.http.errors import BadRequest, Conflict, NotFound
from headrace.http.paging import Pages
from headrace.integrations.clusters import Networks
from headrace.integrations.git import Host
from headrace.integrations.git.base import HostFailed
from headrace.integrations.git.hosts import HostRepo
from headrace.kit.clock import wire_time
from headrace.kit.crypto import SecretBox
from headrace.resources.contexts import service as contexts
from headrace.resources.repos import repository
from headrace.resources.repos.repository import Added
from headrace.resources.repos.schemas import AddedOut, GitRepoOut, OwnerOut, ServiceDetails
from headrace.storage.engine import Database


def added(db: Connection, account_id: str, context: str, pages: Pages) -> list[AddedOut]:
    """Return the repositories that an account added, by name; of one context where given."""
    return [_shown(one) for one in repository.listed(db, account_id, pages, context=context)]


def get(db: Connection, account_id: str, name: str, context: str) -> AddedOut:
    """Return a repository that was added. Raises `NotFound`."""
    return _shown(_find(db, account_id, name, context))


def settings(db: Connection, account_id: str, owner: str, repo: str) -> AddedOut:
    """Return a repository that was added, by owner and name at its host; the first of several.

    Raises:
        NotFound: the account has added none of them.
    """
    for one in repository.listed(db, account_id):
        if (one.owner, one.repo) == (owner, repo):
            return _shown(one)
    message = f"could not find the repository '{owner}/{repo}'; GET /api/repos/existing lists those added"
    raise NotFound(message)


def add(db: Connection, account_id: str, context: str, given: ServiceDetails) -> AddedOut:
    """Add a repository.

    Raises:
        BadRequest: there is no such git context, and no default one.
        Conflict: the name is taken.
    """
    chosen = _context(db, account_id, context)
    try:
        with db.begin_nested():
            repository.add(
                db,
                account_id,
                name=given.name,
                context=chosen,
                owner=given.scm.owner.name,
                repo=given.scm.name,
                created_at=datetime.now(UTC),
            )
    except IntegrityError:
        raise Conflict(f"service already exists: {given.name!r}; choose another name") from None
    return get(db, account_id, given.name, "")


def delete(db: Connection, account_id: str, name: str, context: str) -> None:
    """Forget a repository; it stays at its host. Raises `NotFound`."""
    repository.remove(db, account_id, _find(db, account_id, name, context).id)


def at_host(
    database: Database, box: SecretBox, networks: Networks, account_id: str, context: str
) -> list[GitRepoOut]:
    """Ask a Git host for the repositories that a login sees, at most 1,000, by owner and name.

    No transaction is open while the host is asked. Raises `BadRequest` with what the host says.
    """
    chosen, host = _host(database, box, networks, account_id, context)
    try:
        return [_seen(chosen, one) for one in host.repositories()]
    except HostFailed as failure:
        raise BadRequest(f"git context {chosen!r}: {failure}") from None


def one_at_host(
    database: Database, box: SecretBox, networks: Networks, account_id: str, context: str, name: str
) -> GitRepoOut:
    """Ask a Git host for one repository, ``owner/name``.

    Raises:
        BadRequest: the host does not answer, or there is no such context.
        NotFound: the host shows no such repository to this login.
    """
    chosen, host = _host(database, box, networks, account_id, context)
    try:
        found = host.repository(name)
    except HostFailed as failure:
        raise BadRequest(f"git context {chosen!r}: {failure}") from None
    if found is None:
        raise NotFound(f"could not find the repository {name!r} with git context {chosen!r}")
    return _seen(chosen, found)


def _host(
    database: Database, box: SecretBox, networks: Networks, account_id: str, context: str
) -> tuple[str, Host]:
    with database.reading() as db:
        chosen = _context(db, account_id, context)
        try:
            kind, login = contexts.git_host(db, box, account_id, chosen)
        except LookupError as problem:
            raise BadRequest(str(problem)) from None
    return chosen, Host(kind, login, networks)


def _context(db: Connection, account_id: str, name: str) -> str:
    found = contexts.git_name(db, account_id, name)
    if found is None and not name:
        raise BadRequest("context: this account has no git context; create one, or name it")
    if found is None:
        raise NotFound(f"could not find a git context {name!r}; create it, or name another")
    return found


def _find(db: Connection, account_id: str, name: str, context: str) -> Added:
    found = repository.listed(db, account_id, context=context, name=name)
    if not found:
        raise NotFound(f"could not find the repository {name!r}; GET /api/repos/existing lists those added")
    return found[0]


def _shown(one: Added) -> AddedOut:
    return AddedOut(
        id=one.id,
        service_name=one.name,
        provider=one.context,
        owner=OwnerOut(login=one.owner),
        name=one.repo,
        created=wire_time(one.created_at),
    )


def _seen(context: str, one: HostRepo) -> GitRepoOut:
    return GitRepoOut(
        provider=context,
        owner=OwnerOut(login=one.owner),
        name=one.name,
        private=one.private,
        ssh_url=one.ssh_url,
        https_url=one.https_url,
        default_branch=one.default_branch,
    )
