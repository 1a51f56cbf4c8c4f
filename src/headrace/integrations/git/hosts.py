"""What Git hosts are told and asked by their APIs: commit statuses, pull requests, files.

Source: the REST documentation of GitHub, GitLab and Bitbucket. Calls take `TIMEOUT_S` seconds at
most; they are for background tasks and webhooks, never for a transaction.
"""

import base64
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from headrace.execution.ports import GitCredentials
from headrace.integrations import web
from headrace.integrations.clusters import Networks
from headrace.integrations.git.base import Fields, FileMissing, HostFailed, State

TIMEOUT_S = 5.0
_MOST_BYTES = 4 * 1024 * 1024
_MOST_FILES = 300  # of a pull request; of more, none are told
_HIDDEN = (401, 403, 404)  # a private repository answers one of them to who may not see it
_GITLAB = {"failure": "failed", "error": "failed"}
_BITBUCKET = {"pending": "INPROGRESS", "running": "INPROGRESS", "success": "SUCCESSFUL"}
MOST_REPOS = 1000  # of one list
_PAGE = 100
_PUBLIC = {
    "https://github.com": "https://api.github.com",
    "https://bitbucket.org": "https://api.bitbucket.org/2.0",
}


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What a host shows beside a commit."""

    state: State
    title: str
    description: str
    url: str


class HostRepo(msgspec.Struct, frozen=True, kw_only=True):
    """A repository as its host shows it."""

    owner: str
    name: str
    private: bool
    ssh_url: str
    https_url: str
    default_branch: str


class Host:
    """One Git host with a login.

    Args:
        provider: ``github``, ``gitlab`` or ``bitbucket``.
        credentials: where the host is, and the token.
        networks: where the host may be.
    """

    def __init__(self, provider: str, credentials: GitCredentials, networks: Networks) -> None:
        self._provider, self._networks = provider, networks
        self._base = credentials.base_url.rstrip("/")
        self._username, self._password = credentials.username, credentials.password

    def repositories(self) -> list[HostRepo]:
        """Return the repositories that the login sees, by owner and name, at most `MOST_REPOS`.

        Raises:
            HostFailed: the host does not tell.
        """
        per_page = {"github": "per_page", "gitlab": "per_page"}.get(self._provider, "pagelen")
        place = {
            "github": "/user/repos",
            "gitlab": "/projects?membership=true",
            "bitbucket": "/repositories?role=member" if self._is_cloud else "/api/1.0/repos",
        }[self._provider]
        place += "&" if "?" in place else "?"
        found: list[HostRepo] = []
        while len(found) < MOST_REPOS:
            page = len(found) // _PAGE + 1
            paging = f"page={page}&{per_page}={_PAGE}"
            if self._provider == "bitbucket" and not self._is_cloud:
                paging = f"start={len(found)}&limit={_PAGE}"
            answer = Fields(self._ask("GET", place + paging))
            items = answer.items() or answer.items("values")
            found += [_host_repo(one) for one in items]
            if len(items) < _PAGE:
                break
        return sorted(found[:MOST_REPOS], key=lambda one: (one.owner, one.name))

    def repository(self, repo: str) -> HostRepo | None:
        """Return one repository, ``owner/name``; None where the login sees none of that name.

        Raises:
            HostFailed: the host does not tell.
        """
        owner, _, name = repo.rpartition("/")
        place = {
            "github": f"/repos/{_path(repo)}",
            "gitlab": f"/projects/{quote(repo, safe='')}",
            "bitbucket": f"/repositories/{_path(repo)}"
            if self._is_cloud
            else f"/api/1.0/projects/{quote(owner)}/repos/{quote(name)}",
        }[self._provider]
        try:
            return _host_repo(Fields(self._ask("GET", place)))
        except HostFailed as failure:
            if " answers 404 " in str(failure):
                return None
            raise

    def root(self, repo: str, revision: str) -> frozenset[str]:
        """Return the names of what is at the root of a repository; those of folders end with a slash.

        Of a root with more than some hundred entries, those that the host shows first.

        Args:
            repo: ``owner/name``.
            revision: a branch, tag or commit.

        Raises:
            FileMissing: the host has no such repository or revision, or hides it.
            HostFailed: the host does not answer.
        """
        owner, _, name = repo.partition("/")
        way: tuple[str, ...] = ()
        if self._provider == "github":
            place = f"/repos/{_path(repo)}/contents/?{urlencode({'ref': revision})}"
        elif self._provider == "gitlab":
            query = urlencode({"ref": revision, "per_page": _PAGE})
            place = f"/projects/{quote(repo, safe='')}/repository/tree?{query}"
        elif self._is_cloud:
            commit = quote(self._commit(repo, revision), safe="")
            place, way = f"/repositories/{_path(repo)}/src/{commit}/?pagelen={_PAGE}", ("values",)
        else:
            query = urlencode({"at": revision, "limit": MOST_REPOS})
            place = f"/api/1.0/projects/{quote(owner)}/repos/{quote(name)}/browse?{query}"
            way = ("children", "values")
        return frozenset(_entry(one) for one in Fields(self._ask("GET", place)).items(*way))

    def every(self, place: str) -> list[Fields]:
        """Return a list of GitHub or GitLab, page by page, at most `MOST_REPOS` of it.

        Args:
            place: path and query below the address of the API.

        Raises:
            HostFailed: the host does not tell.
        """
        sign, found = "&" if "?" in place else "?", list[Fields]()
        while len(found) < MOST_REPOS:
            page = Fields(
                self._ask("GET", f"{place}{sign}page={len(found) // _PAGE + 1}&per_page={_PAGE}")
            ).items()
            found += page
            if len(page) < _PAGE:
                break
        return found

    def set_status(self, repo: str, revision: str, status: Status) -> None:
        """Show the status of a build beside a commit. Raises `HostFailed`."""
        commit = quote(revision, safe="")
        if self._provider == "github":
            state = "pending" if status.state == "running" else status.state
            body = {"state": state, "target_url": status.url, "description": status.description}
            self._ask("POST", f"/repos/{_path(repo)}/statuses/{commit}", {**body, "context": status.title})
        elif self._provider == "gitlab":
            query = {
                "state": _GITLAB.get(status.state, status.state),
                "name": status.title,
                "target_url": status.url,
                "description": status.description,
            }
            self._ask("POST", f"/projects/{quote(repo, safe='')}/statuses/{commit}?{urlencode(query)}", {})
        else:
            body = {
                "key": status.title[:40],
                "name": status.title,
                "state": _BITBUCKET.get(status.state, "FAILED"),
                "url": status.url,
                "description": status.description,
            }
            place = f"/repositories/{_path(repo)}/commit/{commit}/statuses/build"
            if not self._is_cloud:
                place = f"/build-status/1.0/commits/{commit}"
            self._ask("POST", place, body)

    def pull_request(self, repo: str, number: str) -> Fields:
        """Return a pull request of GitHub. Raises `HostFailed`."""
        return Fields(self._ask("GET", f"/repos/{_path(repo)}/pulls/{quote(number, safe='')}"))

    def changed_files(self, repo: str, number: str) -> tuple[str, ...] | None:
        """Return the files that a pull request changes; None where they are too many to tell.

        Raises:
            HostFailed: the host does not tell.
        """
        one = quote(number, safe="")
        if self._provider == "github":
            found = [
                file.text("filename")
                for page in (1, 2, 3)
                for file in Fields(
                    self._ask("GET", f"/repos/{_path(repo)}/pulls/{one}/files?per_page=100&page={page}")
                ).items()
            ]
        elif self._provider == "gitlab":
            place = f"/projects/{quote(repo, safe='')}/merge_requests/{one}/changes"
            found = [file.text("new_path") for file in Fields(self._ask("GET", place)).items("changes")]
        elif self._is_cloud:
            place = f"/repositories/{_path(repo)}/pullrequests/{one}/diffstat?pagelen=300"
            found = [
                file.text("new", "path") or file.text("old", "path")
                for file in Fields(self._ask("GET", place)).items("values")
            ]
        else:
            project, _, slug = repo.partition("/")
            pull = f"/api/1.0/projects/{quote(project)}/repos/{quote(slug)}/pull-requests/{one}"
            found = [
                file.text("path", "toString")
                for file in Fields(self._ask("GET", f"{pull}/changes?limit=300")).items("values")
            ]
        return tuple(found) if len(found) < _MOST_FILES else None

    def file(self, repo: str, path: str, revision: str) -> bytes:
        """Return a file of a repository, at a branch, tag or commit.

        Raises:
            FileMissing: the host has no such repository, revision or file, or hides it.
            HostFailed: the host does not answer.
        """
        if self._provider == "github":
            query = urlencode({"ref": revision})
            place = f"/repos/{_path(repo)}/contents/{_path(path)}?{query}"
            return self._call("GET", place, accept="application/vnd.github.raw+json")
        if self._provider == "gitlab":
            query = urlencode({"ref": revision})
            place = f"/projects/{quote(repo, safe='')}/repository/files/{quote(path, safe='')}/raw?{query}"
            return self._call("GET", place, accept="*/*")
        if self._is_cloud:
            commit = quote(self._commit(repo, revision), safe="")
            place = f"/repositories/{_path(repo)}/src/{commit}/{_path(path)}"
            return self._call("GET", place, accept="*/*")
        project, _, slug = repo.partition("/")
        place = f"/api/1.0/projects/{quote(project)}/repos/{quote(slug)}/raw/{_path(path)}"
        return self._call("GET", f"{place}?{urlencode({'at': revision})}", accept="*/*")

    def _commit(self, repo: str, revision: str) -> str:
        """Return what Bitbucket's sources take for a revision: no branch with a slash, but its commit."""
        if "/" not in revision:
            return revision
        place = f"/repositories/{_path(repo)}/refs/branches/{_path(revision)}"
        return Fields(self._ask("GET", place)).text("target", "hash")

    @property
    def _is_cloud(self) -> bool:
        return self._base == "https://bitbucket.org"

    @property
    def _api(self) -> str:
        if self._base in _PUBLIC:
            return _PUBLIC[self._base]
        below = {"github": "/api/v3", "gitlab": "/api/v4"}.get(self._provider, "/rest")
        return self._base.removesuffix("/scm") + below

    def _ask(self, method: str, place: str, body: object = None) -> Any:  # noqa: ANN401 - JSON edge
        text = self._call(method, place, body)
        try:
            return msgspec.json.decode(text) if text else None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise HostFailed(f"{self._base} answers no JSON to {method} {place.partition('?')[0]}") from None

    def _call(
        self, method: str, place: str, body: object = None, *, accept: str = "application/json"
    ) -> bytes:
        url = self._api + place
        parts = urlsplit(url)
        headers = {"Accept": accept, **self._login()}
        content = None
        if body is not None:
            content = msgspec.json.encode(body)
            headers["Content-Type"] = "application/json"
        try:
            answer = web.call(
                method,
                url,
                self._networks,
                headers=headers,
                content=content,
                most_bytes=_MOST_BYTES,
                timeout_s=TIMEOUT_S,
            )
        except web.NoAnswer as problem:
            raise HostFailed(str(problem)) from None
        if answer.status in web.OK:
            return answer.content
        if (
            answer.status == HTTPStatus.TOO_MANY_REQUESTS
            or answer.headers.get("x-ratelimit-remaining") == "0"
        ):
            raise HostFailed(f"{parts.hostname}: API rate limit exceeded; give the context a token, or wait")
        kind = FileMissing if answer.status in _HIDDEN else HostFailed
        raise kind(f"{parts.hostname} answers {answer.status} to {method} {parts.path}")

    def _login(self) -> dict[str, str]:
        if not self._password:
            return {}
        if self._provider == "gitlab":
            return {"PRIVATE-TOKEN": self._password}
        if self._provider == "bitbucket" and self._username not in ("", "x-token-auth"):
            login = f"{self._username}:{self._password}".encode()
            return {"Authorization": "Basic " + base64.b64encode(login).decode()}
        return {"Authorization": f"Bearer {self._password}"}


def _path(repo: str) -> str:
    return "/".join(quote(part, safe="") for part in repo.split("/"))


def _entry(fields: Fields) -> str:
    """Read an entry of a folder as GitHub, GitLab, Bitbucket Cloud or Bitbucket Server shows it."""
    name = fields.text("name") or fields.text("path") or fields.text("path", "toString")
    is_folder = fields.text("type") in ("dir", "tree", "commit_directory", "DIRECTORY")
    return name + "/" * is_folder


def _host_repo(fields: Fields) -> HostRepo:
    """Read a repository as GitHub, GitLab, Bitbucket Cloud or Bitbucket Server shows it."""
    whole = fields.text("full_name") or fields.text("path_with_namespace")
    owner, _, name = whole.rpartition("/")
    clones = {one.text("name"): one.text("href") for one in fields.items("links", "clone")}
    private = fields.flag("private") or fields.flag("is_private") or fields.text("visibility") == "private"
    return HostRepo(
        owner=owner or fields.text("project", "key"),
        name=name or fields.text("slug"),
        private=private or fields.at("public").is_false,
        ssh_url=fields.text("ssh_url") or fields.text("ssh_url_to_repo") or clones.get("ssh", ""),
        https_url=fields.text("clone_url")
        or fields.text("http_url_to_repo")
        or clones.get("https", "")
        or clones.get("http", ""),
        default_branch=fields.text("default_branch") or fields.text("mainbranch", "name"),
    )
