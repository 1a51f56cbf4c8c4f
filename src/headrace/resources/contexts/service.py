"""The rules of contexts: what may be stored, who sees secrets, what a build gets of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import yaml
from sqlalchemy import Connection

from headrace.execution.ports import GitCredentials
from headrace.http.auth import Caller
from headrace.http.errors import BadRequest, Conflict, Forbidden, NotFound
from headrace.http.paging import Pages
from headrace.kit.crypto import SecretBox
from headrace.resources.contexts import repository
from headrace.resources.contexts.repository import Context
from headrace.resources.contexts.schemas import (
    GIT_TYPES,
    MASK,
    TYPES,
    HelmRepository,
    SealedText,
    addresses,
    change_secrets,
    mask,
    nothing_kept,
    seal,
    sealed_text,
    text_of,
    unseal,
)

_MOST_NAME = 255
_DEFAULT_NAMES = (None, "", "CF-default")  # how a pipeline asks for the account's default git context
# Type → (public host, user name that goes with a token, path below the host)
_HOSTS = {
    "git.github": ("https://github.com", "x-access-token", ""),
    "git.gitlab": ("https://gitlab.com", "oauth2", ""),
    "git.bitbucket": ("https://bitbucket.org", "x-token-auth", ""),
    "git.bitbucket-server": ("", "x-token-auth", "/scm"),
    "git.stash": ("", "x-token-auth", "/scm"),
}
_KINDS = {
    kind: kind.removeprefix("git.").removesuffix("-server").replace("stash", "bitbucket") for kind in _HOSTS
}
VAULT = "secret-store.hashicorp-vault"
_STORES = (VAULT, "secret-store.kubernetes")
_YAML_TYPES = ("yaml", "secret-yaml")
_API_PATHS = ("/api/v4", "/api/v3", "/rest/api/1.0", "/rest")


def shown(db: Connection, caller: Caller, box: SecretBox, name: str, *, decrypt: bool) -> dict[str, Any]:
    """Return one context as readers see it.

    Raises:
        NotFound: the account has no such context.
        Forbidden: ``decrypt`` by somebody who is no admin of the account.
    """
    _admit(caller, decrypt=decrypt)
    return _document(_by_name(db, caller, name), box, decrypt=decrypt)


def listed(
    db: Connection, caller: Caller, box: SecretBox, pages: Pages, *, types: Sequence[str], decrypt: bool
) -> list[dict[str, Any]]:
    """Return the contexts of the account by name, as readers see them; only of ``types``, if any.

    Raises:
        Forbidden: ``decrypt`` by somebody who is no admin of the account.
    """
    _admit(caller, decrypt=decrypt)
    found = repository.listed(db, caller.account_id, pages, types=types)
    return [_document(context, box, decrypt=decrypt) for context in found]


def default_git(db: Connection, caller: Caller, box: SecretBox) -> dict[str, Any]:
    """Return the git context that is used where none is named.

    Raises:
        NotFound: the account has no git context.
    """
    context = repository.default_git(db, caller.account_id, types=GIT_TYPES)
    if context is None:
        message = f"could not find a git context in account {caller.account_name}; create one"
        raise NotFound(message)
    return _document(context, box, decrypt=False)


def git_names(db: Connection, account_id: str) -> tuple[tuple[str, ...], str | None]:
    """Return the names of the git contexts, and which is used where none is named."""
    default = repository.default_git(db, account_id, types=GIT_TYPES)
    found = repository.listed(db, account_id, types=GIT_TYPES)
    return tuple(one.name for one in found), None if default is None else default.name


def names(db: Connection, account_id: str, wanted: Sequence[str]) -> list[str]:
    """Return those of some names that are contexts of the account, in their order."""
    there = {one.name for one in repository.by_names(db, account_id, wanted)} if wanted else set()
    return [name for name in wanted if name in there]


def create(db: Connection, caller: Caller, box: SecretBox, body: dict[str, Any]) -> dict[str, Any]:
    """Store a new context and return it masked.

    Raises:
        BadRequest: the document has the wrong shape; the message names the place.
        Conflict: the name is taken.
    """
    body = _named(body)
    name, kind = _check(body)
    _refuse_duplicate(db, caller.account_id, name)
    is_default = _default_of(db, caller.account_id, body, kind)
    repository.add(
        db,
        caller.account_id,
        name=name,
        type=kind,
        is_default=is_default,
        document=_stored(body, kind, box, caller, None),
        now=datetime.now(UTC),
    )
    return _document(_by_name(db, caller, name), box, decrypt=False)


def replace(
    db: Connection, caller: Caller, box: SecretBox, name: str, body: dict[str, Any]
) -> dict[str, Any]:
    """Replace a context, which may get a new name, and return it masked.

    A value of ``*****`` keeps the secret that is stored in its place.

    Raises:
        NotFound: the account has no such context.
        BadRequest: the document has the wrong shape.
        Conflict: the new name is taken.
    """
    return _store(db, caller, box, _by_name(db, caller, name), body)


def patch(db: Connection, caller: Caller, box: SecretBox, name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Change the given parts of a context: keys of ``metadata``, and ``spec.type``, ``spec.data``.

    ``spec.data`` is replaced as a whole. Raises as `replace`.
    """
    context = _by_name(db, caller, name)
    known = _document(context, box, decrypt=False)
    merged = {**known, **body}
    for part in ("metadata", "spec"):
        given = body.get(part, {})
        if not isinstance(given, dict):
            raise BadRequest(f"{part} must be an object")
        merged[part] = {**known[part], **given}
    return _store(db, caller, box, context, merged)


def make_default(db: Connection, caller: Caller, box: SecretBox, name: str) -> dict[str, Any]:
    """Make a git context the one that is used where none is named.

    Raises:
        NotFound: the account has no such context.
        BadRequest: it is no git context.
    """
    return patch(db, caller, box, name, {"metadata": {"default": True}})


def delete(db: Connection, caller: Caller, name: str) -> None:
    """Delete a context. Pipelines that name it fail to start from now on.

    Raises:
        NotFound: the account has no such context.
    """
    repository.remove(db, caller.account_id, _by_name(db, caller, name).id)


def variables_of(
    db: Connection, account_id: str, names: Sequence[str], *, account_name: str
) -> list[dict[str, str | SealedText]]:
    """Return the variables that contexts give to a build: one layer for each name, in order.

    Only ``config`` and ``secret`` give variables; the other types give none.

    Raises:
        NotFound: one of them does not exist; the message names it.
    """
    found = {context.name: context for context in repository.by_names(db, account_id, names)} if names else {}
    layers: list[dict[str, str | SealedText]] = []
    for name in names:
        if name not in found:
            raise _missing(name, account_name)
        context = found[name]
        data = context.document["spec"].get("data")
        if context.type not in ("config", "secret") or not isinstance(data, dict):
            layers.append({})
            continue
        layers.append({key: sealed_text(value) or text_of(value) for key, value in data.items()})
    return layers


def git_credentials(db: Connection, box: SecretBox, account_id: str, name: str | None) -> GitCredentials:
    """Return how a clone reaches the Git host of a context. Arguments and errors as `git_host`."""
    return git_host(db, box, account_id, name)[1]


def git_name(db: Connection, account_id: str, name: str) -> str | None:
    """Return the name of a git context, of the default one for ``""``; None where there is none."""
    if name in _DEFAULT_NAMES:
        context = repository.default_git(db, account_id, types=GIT_TYPES)
    else:
        context = repository.by_name(db, account_id, name)
    return context.name if context is not None and context.type in GIT_TYPES else None


def git_host(db: Connection, box: SecretBox, account_id: str, name: str | None) -> tuple[str, GitCredentials]:
    """Return the kind of a Git host, ``github``, ``gitlab`` or ``bitbucket``, and the login there.

    Args:
        db: an open connection.
        box: opens the password.
        account_id: whose contexts.
        name: of a git context; None, ``""`` and ``CF-default`` ask for the account's default. An
            account without git contexts reads GitHub without a login.

    Raises:
        LookupError: there is no such context, or it gives no access to a Git host.
    """
    if name in _DEFAULT_NAMES:
        context = repository.default_git(db, account_id, types=GIT_TYPES)
        if context is None:
            return "github", GitCredentials("https://github.com")
    else:
        context = repository.by_name(db, account_id, str(name))
    if context is None:
        raise LookupError(f"could not find a git context {name!r}; create it, or name another in 'git'")
    if context.type not in _HOSTS:
        cure = f"use one of {', '.join(_HOSTS)}"
        raise LookupError(f"context {context.name!r} of type {context.type} cannot clone; {cure}")
    data = change_secrets(
        context.type, context.document["spec"]["data"], lambda _, value: unseal(box, account_id, value)
    )
    auth = data.get("auth")
    return _KINDS[context.type], _credentials(context, auth if isinstance(auth, dict) else {})


def secret_store(db: Connection, box: SecretBox, account_id: str, name: str) -> tuple[str, dict[str, Any]]:
    """Return the type and the data of a context that is a store of secrets, in clear.

    Raises:
        LookupError: there is no such context, or it is no store that builds can read.
    """
    context = repository.by_name(db, account_id, name)
    if context is None:
        raise LookupError(f"could not find a context {name!r}; create one of type {' or '.join(_STORES)}")
    if context.type not in _STORES:
        cure = f"use one of {', '.join(_STORES)}"
        raise LookupError(f"context {name!r} of type {context.type} is no store of secrets here; {cure}")
    data = change_secrets(
        context.type, context.document["spec"]["data"], lambda _, value: unseal(box, account_id, value)
    )
    return context.type, data


def helm_repository(db: Connection, box: SecretBox, account_id: str, name: str) -> HelmRepository:
    """Return where a Helm repository is, and the login there.

    Raises:
        LookupError: there is no such context, or it is no repository that speaks HTTP.
    """
    context = repository.by_name(db, account_id, name)
    if context is None or context.type != "helm-repository":
        cure = "name a context of type helm-repository, or give the address of the repository"
        raise LookupError(f"could not find a Helm repository {name!r}; {cure}")
    data = change_secrets(
        context.type, context.document["spec"]["data"], lambda _, value: unseal(box, account_id, value)
    )
    url, given = text_of(data.get("repositoryUrl")), data.get("variables")
    if not url.startswith(("https://", "http://", "oci://")):
        raise LookupError(f"Helm repository {name!r} is not at http(s):// or oci://; no other kind is read")
    logins = given if isinstance(given, dict) else {}
    return HelmRepository(
        url.rstrip("/"), text_of(logins.get("HELMREPO_USERNAME")), text_of(logins.get("HELMREPO_PASSWORD"))
    )


def values_of(db: Connection, box: SecretBox, account_id: str, name: str) -> tuple[str, bool]:
    """Return the YAML of a context, and whether it is secret.

    Raises:
        LookupError: there is no such context, or it is none of YAML.
    """
    context = repository.by_name(db, account_id, name)
    if context is None or context.type not in _YAML_TYPES:
        raise LookupError(f"could not find a context {name!r} with values; create one of type yaml")
    is_secret = context.type == "secret-yaml"
    data = context.document["spec"]["data"]
    if is_secret:
        data = unseal(box, account_id, data)
    return data if isinstance(data, str) else yaml.safe_dump(data, sort_keys=False), is_secret


def _credentials(context: Context, auth: dict[str, Any]) -> GitCredentials:
    public, token_user, below = _HOSTS[context.type]
    given = str(auth.get("apiURL") or auth.get("apiHost") or "").rstrip("/")
    if not given:
        if not public:
            raise LookupError(f"context {context.name!r} names no host; set spec.data.auth.apiURL or apiHost")
        base = public
    else:
        base = given if "://" in given else f"https://{given}"
        for path in (str(auth.get("apiPathPrefix") or "").rstrip("/"), *_API_PATHS):
            if path and base.endswith(path):
                base = base[: -len(path)]
                break
        base += below
    password = text_of(auth.get("password"))
    username = text_of(auth.get("username")) or (token_user if password else "")
    return GitCredentials(base, username=username, password=password)


def _by_name(db: Connection, caller: Caller, name: str) -> Context:
    context = repository.by_name(db, caller.account_id, name)
    if context is None:
        raise _missing(name, caller.account_name)
    return context


def _missing(name: str, account_name: str) -> NotFound:
    # Two clients look for two wordings: "Context c1 not found" and "not find".
    return NotFound(f"Context {name} not found (could not find it in account {account_name})")


def _admit(caller: Caller, *, decrypt: bool) -> None:
    if decrypt and not _sees_secrets(caller):
        account = caller.account_name
        raise Forbidden(f"only an admin of the account {account!r} may decrypt; ask without 'decrypt'")


def _named(body: dict[str, Any]) -> dict[str, Any]:
    """Return a document whose name is a text: the npm client sends ``12`` as a number."""
    metadata = body.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, int | float) or isinstance(name, bool):
        return body
    return {**body, "metadata": {**body["metadata"], "name": text_of(name)}}


def _sees_secrets(caller: Caller) -> bool:
    # The key of a build acts for whoever started it, which must not open an account's secrets.
    return caller.build_id is None and (caller.is_account_admin or caller.is_platform_admin)


def _check(body: dict[str, Any]) -> tuple[str, str]:
    """Return name and type of a document of the right shape."""
    metadata, spec = body.get("metadata"), body.get("spec")
    if body.get("kind", "context") != "context":
        raise BadRequest("kind must be 'context'")
    if not isinstance(metadata, dict) or not isinstance(spec, dict):
        raise BadRequest(
            "metadata and spec must be objects, as {'metadata': {'name': …}, 'spec': {'type': …}}"
        )
    name, kind = metadata.get("name"), spec.get("type")
    if not isinstance(name, str) or not 0 < len(name) <= _MOST_NAME:
        raise BadRequest(f"metadata.name must be a text of 1 to {_MOST_NAME} characters")
    if kind not in TYPES:
        raise BadRequest(f"spec.type must be one of {', '.join(TYPES)}")
    if not isinstance(metadata.get("default", False), bool):
        raise BadRequest("metadata.default must be true or false")
    _check_data(kind, spec.get("data", {}))
    return name, kind


def _check_data(kind: str, data: object) -> None:
    if kind in _YAML_TYPES:
        return
    if not isinstance(data, dict):
        raise BadRequest("spec.data must be an object")
    if kind in ("config", "secret"):
        for key, value in data.items():
            if isinstance(value, dict | list):
                raise BadRequest(f"spec.data.{key} must be a text, a number or a boolean")


def _stored(
    body: dict[str, Any], kind: str, box: SecretBox, caller: Caller, before: Context | None
) -> dict[str, Any]:
    """Return the document to store: secret values sealed, or kept where ``*****`` was given.

    Who may not see a secret may not have it sent to another address either.
    """
    given = body["spec"].get("data", {})
    is_moved = before is not None and (
        addresses(kind, given) != addresses(before.type, before.document["spec"]["data"])
    )
    kept: dict[tuple[str, ...], Any] = {}
    if before is not None and before.type == kind:

        def remember(place: tuple[str, ...], value: Any) -> Any:  # noqa: ANN401 - any JSON value
            kept[place] = value
            return value

        change_secrets(kind, before.document["spec"]["data"], remember)

    def sealed(place: tuple[str, ...], value: Any) -> Any:  # noqa: ANN401 - any JSON value
        if value == MASK:
            if place not in kept:
                raise nothing_kept(".".join(("spec.data", *place)))
            if is_moved and not _sees_secrets(caller):
                raise Forbidden(
                    f"{'.'.join(('spec.data', *place))}: this secret was given for another address; give it "
                    "anew, or let an admin of the account change the address"
                )
            return kept[place]
        return seal(box, caller.account_id, text_of(value) if kind == "secret" else value)

    metadata = {key: value for key, value in body["metadata"].items() if key != "default"}
    data = change_secrets(kind, given, sealed)
    return {
        "apiVersion": "v1",
        "kind": "context",
        "owner": "account",
        **body,
        "metadata": metadata,
        "spec": {**body["spec"], "data": data},
    }


def _store(
    db: Connection, caller: Caller, box: SecretBox, context: Context, body: dict[str, Any]
) -> dict[str, Any]:
    body = _named({**body, "metadata": body.get("metadata") or {"name": context.name}})
    name, kind = _check(body)
    if name != context.name:
        _refuse_duplicate(db, caller.account_id, name)
    is_default = _default_of(db, caller.account_id, body, kind)
    repository.change(
        db,
        caller.account_id,
        context.id,
        name=name,
        type=kind,
        is_default=is_default,
        document=_stored(body, kind, box, caller, context),
        now=datetime.now(UTC),
    )
    return _document(_by_name(db, caller, name), box, decrypt=False)


def _refuse_duplicate(db: Connection, account_id: str, name: str) -> None:
    if repository.by_name(db, account_id, name) is not None:
        raise Conflict(f"Context already exists: {name!r}; replace it or choose another name")


def _default_of(db: Connection, account_id: str, body: dict[str, Any], kind: str) -> bool:
    """Tell whether the context is the default one; another then ceases to be it."""
    if not body["metadata"].get("default"):
        return False
    if kind not in GIT_TYPES:
        raise BadRequest(f"metadata.default is for git contexts, not for {kind}")
    repository.unmark_default(db, account_id)
    return True


def _document(context: Context, box: SecretBox, *, decrypt: bool) -> dict[str, Any]:
    """Return the document as readers see it: sealed values masked, or in clear."""

    def show(_: tuple[str, ...], value: Any) -> Any:  # noqa: ANN401 - any JSON value
        return unseal(box, context.account_id, value) if decrypt else mask(value)

    spec = context.document["spec"]
    metadata = dict(context.document["metadata"])
    if context.is_default:
        metadata["default"] = True
    data = change_secrets(context.type, spec["data"], show)
    return {**context.document, "metadata": metadata, "spec": {**spec, "data": data}}
