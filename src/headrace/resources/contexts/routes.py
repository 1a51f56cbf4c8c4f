"""The operations of contexts."""

from typing import Annotated, Any

import msgspec

from headrace.http.auth import Caller
from headrace.http.paging import PageQuery, Pages
from headrace.http.routing import Connection, Example, Router
from headrace.http.scopes import Scope
from headrace.kit.crypto import SecretBox
from headrace.resources.contexts import service

router = Router("/contexts", tag="contexts")

_DOCUMENT = {
    "apiVersion": "v1",
    "kind": "context",
    "metadata": {"name": "shared-config"},
    "spec": {"type": "config", "data": {"REGION": "eu"}},
}
_NAMED = Example(path={"name": "shared-config"})

Decrypt = Annotated[
    bool, msgspec.Meta(description="show secret values in clear; only for admins of the account")
]


class ContextQuery(msgspec.Struct, kw_only=True):
    """How to show one context."""

    decrypt: Decrypt = False


class PrepareQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """How to renew a context."""

    force_refresh: Annotated[bool, msgspec.Meta(description="sent by clients, has no effect")] = False


class ContextsQuery(PageQuery, kw_only=True):
    """Which contexts, and how to show them."""

    type: Annotated[
        tuple[str, ...], msgspec.Meta(max_length=100, description="only of these types; may repeat")
    ] = ()
    decrypt: Decrypt = False


@router.route("GET", "", scope=Scope.GENERAL, sdk="contexts.list", example=Example(query="type=config"))
def list_contexts(
    query: ContextsQuery, caller: Caller, db: Connection, box: SecretBox, pages: Pages
) -> list[dict[str, Any]]:
    """List the contexts of the account by name; secret values show as ``*****``."""
    return service.listed(db, caller, box, pages, types=query.type, decrypt=query.decrypt)


@router.route("POST", "", scope=Scope.GENERAL, sdk="contexts.create", example=Example(body=_DOCUMENT))
def create_context(body: dict[str, Any], caller: Caller, db: Connection, box: SecretBox) -> dict[str, Any]:
    """Create a context from a ``kind: context`` document.

    ``config`` and ``secret`` give variables to builds; the ``git.*`` types give clones access to a
    Git host. A host of your own is named in ``spec.data.auth.apiURL`` or ``apiHost``.
    """
    return service.create(db, caller, box, body)


@router.route("GET", "/git/default", scope=Scope.GENERAL, sdk="contexts.getDefaultGit")
def get_default_git_context(caller: Caller, db: Connection, box: SecretBox) -> dict[str, Any]:
    """Get the git context that is used where a step names none.

    It is the one with ``metadata.default: true``, else the oldest git context.
    """
    return service.default_git(db, caller, box)


@router.route("GET", "/{name}", scope=Scope.GENERAL, sdk="contexts.get", example=_NAMED)
def get_context(
    name: str, query: ContextQuery, caller: Caller, db: Connection, box: SecretBox
) -> dict[str, Any]:
    """Get one context by its name; secret values show as ``*****``."""
    return service.shown(db, caller, box, name, decrypt=query.decrypt)


@router.route("GET", "/{name}/prepare", scope=Scope.GENERAL, sdk="contexts.prepare", example=_NAMED)
def prepare_context(
    name: str,
    query: PrepareQuery,  # noqa: ARG001 — documents what clients send
    caller: Caller,
    db: Connection,
    box: SecretBox,
) -> dict[str, Any]:
    """Get one context after its tokens were renewed.

    None of the types here needs that.
    """
    return service.shown(db, caller, box, name, decrypt=False)


@router.route(
    "PUT",
    "/{name}",
    scope=Scope.GENERAL,
    sdk="contexts.replace",
    example=Example(path={"name": "shared-config"}, body=_DOCUMENT),
)
def replace_context(
    name: str, body: dict[str, Any], caller: Caller, db: Connection, box: SecretBox
) -> dict[str, Any]:
    """Replace a context.

    ``*****`` keeps a stored secret; another ``metadata.name`` renames.
    """
    return service.replace(db, caller, box, name, body)


@router.route(
    "PATCH",
    "/{name}",
    scope=Scope.GENERAL,
    sdk="contexts.patch",
    example=Example(path={"name": "shared-config"}, body={"spec": {"data": {"REGION": "us"}}}),
)
def patch_context(
    name: str, body: dict[str, Any], caller: Caller, db: Connection, box: SecretBox
) -> dict[str, Any]:
    """Change parts of a context; ``spec.data`` is replaced as a whole."""
    return service.patch(db, caller, box, name, body)


@router.route(
    "PATCH",
    "/{name}/default",
    scope=Scope.GENERAL,
    sdk="contexts.setDefault",
    example=Example(path={"name": "github"}),
)
def set_default_context(name: str, caller: Caller, db: Connection, box: SecretBox) -> dict[str, Any]:
    """Make a git context the one that is used where a step names none."""
    return service.make_default(db, caller, box, name)


@router.route("DELETE", "/{name}", scope=Scope.GENERAL, sdk="contexts.delete", example=_NAMED)
def delete_context(name: str, caller: Caller, db: Connection) -> dict[str, Any]:
    """Delete a context; pipelines that name it do not start any more."""
    service.delete(db, caller, name)
    return {}
