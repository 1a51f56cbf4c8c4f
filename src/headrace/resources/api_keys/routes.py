"""The operations of API keys, and the list of scopes."""

from typing import Annotated, Literal

import msgspec

from headrace.http.auth import Caller
from headrace.http.paging import Pages
from headrace.http.routing import Connection, Example, Reply, Router
from headrace.http.scopes import LABELS, Scope
from headrace.kit.clock import SystemClock
from headrace.resources.api_keys import service
from headrace.resources.api_keys.schemas import (
    Empty,
    KeyChange,
    KeyOut,
    NewKey,
    ScopeGroups,
)

router = Router("", tag="tokens")


class SubjectQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """What a new key stands for."""

    subject_type: Annotated[
        Literal["user", "runtime-environment"], msgspec.Meta(description="what the key stands for")
    ] = "user"
    subject_reference: Annotated[
        str, msgspec.Meta(description="name of the runtime environment", max_length=255)
    ] = ""


@router.route(
    "POST",
    "/auth/key",
    scope=Scope.GENERAL,
    sdk="tokens.generate",
    example=Example(body={"name": "ci", "scopes": ["pipeline:run", "build:read"]}),
)
def generate_key(
    query: SubjectQuery, body: NewKey, caller: Caller, db: Connection, clock: SystemClock
) -> Reply:
    """Generate an API key and answer its bare text, this one time.

    A key never gets more scopes than the key that generates it. Without scopes it may do all that
    its user may.
    """
    text = service.generate(
        db,
        caller,
        body,
        subject_type=query.subject_type,
        subject_ref=query.subject_reference,
        now=clock.now(),
    )
    return Reply(text, media_type="text/plain")


@router.route("GET", "/auth/keys", scope=Scope.GENERAL, sdk="tokens.list")
def list_keys(caller: Caller, db: Connection, pages: Pages) -> list[KeyOut]:
    """List API keys, the oldest first: your own, as an admin those of the account."""
    return [service.shown(key) for key in service.listed(db, caller, pages)]


@router.route(
    "GET", "/auth/key/{id}", scope=Scope.GENERAL, sdk="tokens.getById", operation="tokens-get-by-id"
)
def get_key(id: str, caller: Caller, db: Connection) -> KeyOut:  # noqa: A002 - the wire name
    """Get one API key, without its secret."""
    return service.shown(service.find(db, caller, id))


@router.route(
    "PATCH",
    "/auth/key/{id}",
    scope=Scope.GENERAL,
    sdk="tokens.patch",
    example=Example(body={"name": "ci of the backend", "scopes": ["build:read"]}),
)
def patch_key(id: str, body: KeyChange, caller: Caller, db: Connection) -> KeyOut:  # noqa: A002 - as above
    """Rename an API key or replace its scopes, with effect from the next request on."""
    return service.shown(service.change(db, caller, id, body))


@router.route("DELETE", "/auth/key/{id}", scope=Scope.GENERAL, sdk="tokens.delete")
def delete_key(id: str, caller: Caller, db: Connection) -> Empty:  # noqa: A002 - as above
    """Revoke an API key at once."""
    service.revoke(db, caller, id)
    return {}


@router.route("GET", "/scopes", scope=Scope.ANY, sdk="scopes.list")
def list_scopes() -> ScopeGroups:
    """List the scopes that a key can have, by resource, each with what it allows."""
    return {group: {str(scope): label for scope, label in of.items()} for group, of in LABELS.items()}
