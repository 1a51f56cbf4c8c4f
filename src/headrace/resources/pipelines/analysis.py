"""What a repository holds, asked of its host, and the pipeline that is proposed for it."""

import functools

import msgspec
from sqlalchemy import Connection

from headrace.http.errors import BadRequest, NotFound
from headrace.http.outside import Outside
from headrace.integrations.git import Host
from headrace.integrations.git.base import FileMissing, HostFailed
from headrace.kit.crypto import SecretBox
from headrace.pipeline.propose import OWN_FILE, WANTED, Repository, propose
from headrace.resources.contexts import service as contexts
from headrace.resources.pipelines.schemas import AnalyzedRepo
from headrace.resources.pipelines.yaml_text import to_yaml
from headrace.resources.registries import service as registries

_MOST_BYTES = 256 * 1024  # of a file that is read; of a longer one the name counts
_DEFAULT_BRANCH = "HEAD"  # where a host names none


class _Seen(msgspec.Struct, frozen=True):
    """What a host has shown, as JSON from one try of the transaction to the next."""

    names: list[str]
    texts: dict[str, str]
    branch: str


def proposal(db: Connection, box: SecretBox, outside: Outside, account_id: str, wanted: AnalyzedRepo) -> str:
    """Return the text of a pipeline for a repository.

    Args:
        db: an open connection; it is closed while the host is asked.
        box: opens the login.
        outside: asks the host.
        account_id: whose Git integrations.
        wanted: the repository.

    Raises:
        BadRequest: there is no such git context, or the host does not answer.
        NotFound: the host shows no such repository to this login.
    """
    git = contexts.git_name(db, account_id, wanted.git or "") or ""
    try:
        kind, login = contexts.git_host(db, box, account_id, wanted.git)
    except LookupError as problem:
        raise BadRequest(f"repo.git: {problem}") from None
    name = f"{wanted.repo_owner}/{wanted.repo_name}"
    look = functools.partial(_look, Host(kind, login, outside.networks), name, git)
    seen = msgspec.json.decode(outside.get(("repository", name, git), look), type=_Seen)
    if OWN_FILE in seen.texts:
        return seen.texts[OWN_FILE]
    repo = Repository(
        owner=wanted.repo_owner,
        name=wanted.repo_name,
        git=git,
        names=frozenset(seen.names),
        texts=seen.texts,
    )
    document, sources = propose(repo, has_registry=bool(registries.listed(db, account_id)))
    made_from = f"made from {', '.join(sources)}" if sources else "nothing in it tells how it is built"
    head = f"# A first pipeline for {name}, {made_from}. Run it with a branch: {seen.branch}"
    return f"{head}\n{to_yaml(document)}"


def _look(host: Host, name: str, git: str) -> str:
    """Ask a host what is at the root of a repository, and for the files that tell how it is built."""
    login = f"git context {git!r}" if git else "GitHub without a login, as there is no git context"
    try:
        found = host.repository(name)
        if found is None:
            raise NotFound(f"could not find the repository {name!r} with {login}")
        branch = found.default_branch or _DEFAULT_BRANCH
        names = host.root(name, branch)
        texts = {one: _text(host.file(name, one, branch)) for one in WANTED if one in names}
    except FileMissing:
        raise BadRequest(f"the repository {name!r} shows no files to {login}") from None
    except HostFailed as problem:
        raise BadRequest(f"{login}: {problem}") from None
    kept = {one: text for one, text in texts.items() if text}
    return msgspec.json.encode(_Seen(sorted(names), kept, branch)).decode()


def _text(content: bytes) -> str:
    """Return a file as text; empty for what is too long, or no text."""
    try:
        return content.decode() if len(content) <= _MOST_BYTES else ""
    except UnicodeDecodeError:
        return ""
