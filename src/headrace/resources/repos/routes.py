"""The operations of repositories."""

from typing import Any

from headrace.http.auth import Caller
from headrace.http.outside import GIT
from headrace.http.paging import Pages
from headrace.http.routing import Connection, Example, Router
from headrace.http.scopes import Scope
from headrace.integrations.clusters import Networks
from headrace.kit.crypto import SecretBox
from headrace.resources.repos import service
from headrace.resources.repos.schemas import AddedOut, GitRepoOut, RepoBody, RepoQuery, ReposQuery
from headrace.storage.engine import Database

router = Router("/repos", tag="repos")
services = Router("/services", tag="repos")

_NAMED = Example(path={"name": "acme%2Fshop"})
_BODY = {"serviceDetails": {"name": "acme/shop", "scm": {"name": "shop", "owner": {"name": "acme"}}}}


@router.route("GET", "/existing", scope=Scope.REPOS_READ, sdk="repos.list")
def list_repos(query: ReposQuery, caller: Caller, db: Connection, pages: Pages) -> list[AddedOut]:
    """List the repositories that the account added, by name."""
    return service.added(db, caller.account_id, query.context, pages)


@router.route("GET", "", scope=Scope.REPOS_READ, sdk="repos.git.list")
async def list_git_repos(
    query: RepoQuery, caller: Caller, database: Database, box: SecretBox, networks: Networks
) -> list[GitRepoOut]:
    """Ask a Git integration's host which repositories it sees, at most 1,000."""
    return await GIT.run(service.at_host, database, box, networks, caller.account_id, query.context)


@router.route(
    "GET",
    "/settings/{repoOwner}/{repoName}",
    scope=Scope.REPOS_READ,
    sdk="repos.getSettings",
    example=Example(path={"repoOwner": "acme", "repoName": "shop"}),
)
def get_repo_settings(
    repoOwner: str,  # noqa: N803 - the name on the wire
    repoName: str,  # noqa: N803 - as above
    caller: Caller,
    db: Connection,
) -> AddedOut:
    """Get what the account added of a repository, by its place at the host."""
    return service.settings(db, caller.account_id, repoOwner, repoName)


@router.route(
    "GET",
    "/{owner}/{repo}",
    scope=Scope.REPOS_READ,
    sdk="repos.git.get",
    operation="repos-git-get-repo",
    example=Example(path={"owner": "acme", "repo": "shop"}, query="context=github"),
)
async def get_git_repo(
    owner: str,
    repo: str,
    query: RepoQuery,
    caller: Caller,
    database: Database,
    box: SecretBox,
    networks: Networks,
) -> GitRepoOut:
    """Ask a Git integration's host for one repository."""
    name = f"{owner}/{repo}"
    return await GIT.run(service.one_at_host, database, box, networks, caller.account_id, query.context, name)


@services.route(
    "POST",
    "",
    scope=Scope.REPOS_WRITE,
    sdk="repos.create",
    example=Example(query="context=github", body=_BODY),
)
def add_repo(query: RepoQuery, body: RepoBody, caller: Caller, db: Connection) -> AddedOut:
    """Add a repository that a Git integration reads; its name is taken once."""
    return service.add(db, caller.account_id, query.context, body.service_details)


@services.route("GET", "/{name:path}", scope=Scope.REPOS_READ, sdk="repos.get", example=_NAMED)
def get_repo(name: str, query: RepoQuery, caller: Caller, db: Connection) -> AddedOut:
    """Get a repository that the account added, by its name: ``owner/name``."""
    return service.get(db, caller.account_id, name, query.context)


@services.route("DELETE", "/{name:path}", scope=Scope.REPOS_WRITE, sdk="repos.delete", example=_NAMED)
def delete_repo(name: str, query: RepoQuery, caller: Caller, db: Connection) -> dict[str, Any]:
    """Forget a repository that the account added; it stays at its host."""
    service.delete(db, caller.account_id, name, query.context)
    return {}
