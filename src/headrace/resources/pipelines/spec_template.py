"""``spec.specTemplate``: a pipeline whose YAML is kept in a repository, or at an address.

Source: `reference/pipeline-yaml.md`, section 8.2. The file is fetched for every run and every plan,
and the build keeps the text that it found.
"""

import posixpath
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection

from headrace.execution.clone import is_url, origin_of
from headrace.http.errors import BadRequest
from headrace.integrations.clusters import Networks
from headrace.integrations.git import Host, by_git, from_web
from headrace.integrations.git.base import FileMissing, HostFailed
from headrace.integrations.web import MOST_BYTES
from headrace.kit.crypto import SecretBox
from headrace.pipeline.document import load
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.variables import Scope, references, substitute
from headrace.resources.contexts import service as contexts

_FIELDS = {"git": ("repo", "path", "revision", "context"), "url": ("url",)}
_REQUIRED = {"git": ("repo", "path"), "url": ("url",)}
_DEFAULT_REVISION = "${{CF_BRANCH}}"
_CONTEXT = "specTemplate.context: give a git context whose login sees the repository"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a YAML is, all variables filled in."""

    location: str  # ``git`` or ``url``
    url: str = ""
    repo: str = ""  # ``owner/name``, or a whole URL
    path: str = ""  # from the root of the repository
    revision: str = ""
    context: str = ""  # empty: the account's default

    def __str__(self) -> str:
        """Say it to people."""
        if self.location == "url":
            return self.url
        return f"{self.repo}, {self.revision}, {self.path}"


def problems(template: object) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with a template: (field, complaint, cure). Nothing is wrong with none."""
    if not template or not isinstance(template, dict):
        return
    location = template.get("location", "url")
    if location not in _FIELDS:
        yield "location", "must be 'git' or 'url'", "write location: git, with repo: and path:"
        return
    for field in _REQUIRED[location]:
        if not template.get(field):
            yield field, f"is required where the location is {location}", ""
    for field in ("repo", "path", "revision", "context", "url"):
        value = template.get(field)
        if value is not None and not isinstance(value, str):
            yield field, "must be a text", ""
        elif value and field not in _FIELDS[location]:
            yield field, f"is not allowed where the location is {location}", ""


def source_of(template: Mapping[str, Any], variables: Mapping[str, str]) -> Source:
    """Fill in the variables of a template.

    Args:
        template: as stored.
        variables: of the run; secrets are not among them, so that none gets into an address.

    Raises:
        BadRequest: a variable has no value, or a text cannot be what it should.
    """
    scope = Scope(variables=variables)
    texts: dict[str, str] = {}
    location = template.get("location", "url")
    for field in _FIELDS[location]:
        written = template.get(field) or (_DEFAULT_REVISION if field == "revision" else "")
        text = substitute(written, scope).strip()
        if open_names := references(text):
            _refuse(field, f"{open_names[0]} has no value", "run with a branch, or write a revision")
        if "@" in text.partition("://")[2].partition("/")[0]:  # it would stand in messages and documents
            _refuse(field, "holds a login", "give it by a git context, and the address without it")
        texts[field] = text
    if location == "url":
        return Source(location=location, **texts)
    revision, repo = texts["revision"], texts["repo"].removesuffix(".git")
    path = posixpath.normpath(texts["path"].lstrip("/"))
    if not revision or revision.startswith("-") or any(sign in revision for sign in " :?*[\\^~\n"):
        _refuse("revision", f"{revision!r} is none", "write a branch, a tag or a commit")
    if path.startswith("..") or path == "." or "\n" in path:
        _refuse("path", f"{texts['path']!r} is no file of the repository", "write path: codefresh.yml")
    if not is_url(repo) and (repo.count("/") < 1 or ".." in repo.split("/") or "" in repo.split("/")):
        _refuse("repo", f"{texts['repo']!r} is no repository", "write owner/name, or a whole URL")
    return Source(location=location, **{**texts, "path": path, "repo": texts["repo"]})


def fetcher(
    db: Connection, box: SecretBox, networks: Networks, account_id: str, source: Source
) -> Callable[[], str]:
    """Return what fetches a YAML, to be called when no transaction is open.

    The returned function raises `BadRequest`: the file is not there, or is no text; with place
    and cure.

    Raises:
        BadRequest: the account has no such git context.
    """
    if source.location == "url":
        return lambda: _text(source, lambda: from_web(source.url, networks))
    try:
        provider, login = contexts.git_host(db, box, account_id, source.context)
    except LookupError as problem:
        raise BadRequest(f"Failed to retrieve pipeline: specTemplate.context: {problem}") from None
    if not is_url(source.repo):
        host, repo = Host(provider, login, networks), source.repo.removesuffix(".git")
        return lambda: _text(source, lambda: host.file(repo, source.path, source.revision))
    # A login goes to the host that it is for, and to no other that a pipeline names.
    fitting = login if origin_of(login.base_url) == origin_of(source.repo) else None
    return lambda: _text(source, lambda: by_git(source.repo, source.path, source.revision, fitting, networks))


def _text(source: Source, fetch: Callable[[], bytes]) -> str:
    try:
        content = fetch()
        if len(content) > MOST_BYTES:
            raise FileMissing(f"it has more than {MOST_BYTES} bytes")
        text = content.decode()
        load(text)
    except HostFailed as problem:
        cure = "specTemplate.url: see that the address is public" if source.location == "url" else _CONTEXT
        raise BadRequest(
            f"Failed to retrieve pipeline from {source} (spec.specTemplate): {problem}; {cure}"
        ) from None
    except UnicodeDecodeError:
        raise BadRequest(f"External specTemplate is not a valid yaml: {source} is no UTF-8 text") from None
    except SpecErrors as problem:
        raise BadRequest(f"External specTemplate is not a valid yaml: {source}: {problem}") from None
    return text


def _refuse(field: str, complaint: str, cure: str) -> None:
    raise BadRequest(f"Failed to retrieve pipeline: spec.specTemplate.{field}: {complaint}; {cure}")
