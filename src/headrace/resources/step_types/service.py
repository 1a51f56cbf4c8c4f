"""The rules of step types: who sees which, what a version is, which one a pipeline gets.

An account sees its own, those of the server's catalogue, and those that another account shares: a
public one whose name begins with that account's. Of equal names its own come first.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from semver import Version
from sqlalchemy import Connection

from headrace.http.auth import Caller
from headrace.http.errors import BadRequest, Conflict, Forbidden, NotFound
from headrace.http.paging import Pages
from headrace.kit.clock import wire_time
from headrace.pipeline import catalogue
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.step_type import (
    StepTypeDefinition,
    latest,
    read_step_type,
    reference,
)
from headrace.pipeline.steps import STEP_TYPES
from headrace.pipeline.unfold import Resolve
from headrace.resources.step_types import repository
from headrace.resources.step_types.repository import StepTypeVersion
from headrace.resources.step_types.schemas import StepTypesQuery

Document = dict[str, Any]
_FORMAT = "1.0"


def listed(
    db: Connection, account_id: str, query: StepTypesQuery, pages: Pages
) -> tuple[Sequence[Document], int]:
    """Return step types that match, the latest version of each, by name; and how many there are in all."""
    stored = repository.visible(db, account_id)
    own = {version.name for version in stored if version.account_id == account_id}
    found = {
        version.name: _shown(version)
        for version in stored
        if version.account_id == account_id or version.name not in own
    }
    for name, document in catalogue.documents().items():
        found.setdefault(name, _of_catalogue(document))
    matching = [document for document in found.values() if _matches(document["metadata"], query)]
    return pages.cut(matching, lambda document: str(document["metadata"]["name"])), len(matching)


def _matches(metadata: Mapping[str, Any], query: StepTypesQuery) -> bool:
    is_public = bool(metadata.get("isPublic"))
    words = (metadata.get(key) or "" for key in ("name", "title", "description"))
    return all(
        (
            query.id in (metadata["name"], metadata.get("id")) or query.id in metadata["name"],
            not query.category or query.category in _texts(metadata.get("categories")),
            not query.tag or query.tag in _texts(metadata.get("tags")),
            query.stage in ("", metadata.get("stage")),
            query.free_text.lower() in " ".join(map(str, words)).lower(),
            not query.official or bool(metadata.get("official")),
            not query.public or is_public,
            not query.private or not is_public,
        )
    )


def _texts(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def shown(db: Connection, account_id: str, text: str) -> Document:
    """Return one version as readers see it.

    Args:
        db: an open transaction.
        account_id: of the reader.
        text: ``account/name``, which is its latest version, or ``account/name:1.2.3``.

    Raises:
        NotFound: there is none, or not of this version.
    """
    name, version = reference(text)
    found = _choose(_versions(db, account_id, name), version)
    if found is not None:
        return _shown(found)
    document = catalogue.documents().get(name)
    if document is None or version not in (None, document["metadata"]["version"]):
        raise NotFound(f"could not find step type {text!r}")
    return _of_catalogue(document)


def versions(db: Connection, account_id: str, name: str) -> list[str]:
    """Return the versions of a step type, the highest first.

    Raises:
        NotFound: there is none of that name.
    """
    found = [version.version for version in _versions(db, account_id, name)]
    if not found and name in catalogue.documents():
        found = [catalogue.documents()[name]["metadata"]["version"]]
    if not found:
        raise NotFound(f"could not find step type {name!r}")
    return sorted(found, key=Version.parse, reverse=True)


def resolver(db: Connection, account_id: str) -> Resolve:
    """Return what finds the step types of an account's pipelines."""

    def resolve(text: str) -> StepTypeDefinition | None:
        name, version = reference(text)
        found = _choose(_versions(db, account_id, name), version)
        return catalogue.resolve(text) if found is None else read_step_type(found.document)

    return resolve


def create(db: Connection, caller: Caller, body: Document) -> Document:
    """Store a step type, or a new version of one.

    Raises:
        BadRequest: the document is wrong; all that is wrong is named.
        Conflict: the account has this version of it.
    """
    definition = _checked(body)
    known = repository.own(db, caller.account_id, definition.name)
    if any(version.version == definition.version for version in known):
        raise Conflict(
            f"Step-type already exists: '{definition.name}:{definition.version}'; "
            "replace it, or give it another metadata.version"
        )
    return _put(db, caller, definition, body)


def replace(db: Connection, caller: Caller, text: str, body: Document) -> Document:
    """Replace a version of a step type; a version that there is not yet is added.

    Args:
        db: an open transaction.
        caller: who asks.
        text: ``account/name``; a version behind it must be that of the document.
        body: the document.

    Raises:
        NotFound: the account has no such step type.
        Forbidden: it is of the server's catalogue, and the account has none of its name.
        BadRequest: the document is wrong, or names another step type.
    """
    name, version = reference(text)
    known = _own(db, caller.account_id, name)
    metadata = body.get("metadata")
    if isinstance(metadata, dict) and "version" not in metadata:
        kept = version or latest([one.version for one in known])
        body = {**body, "metadata": {**metadata, "version": kept}}
    definition = _checked(body)
    if definition.name != name or version not in (None, definition.version):
        raise BadRequest(
            f"metadata names '{definition.name}:{definition.version}', the path names {text!r}; "
            "they must be the same"
        )
    return _put(db, caller, definition, body)


def delete(db: Connection, caller: Caller, text: str) -> None:
    """Delete one version of a step type, or all where none is named.

    Raises:
        NotFound: the account has no such step type.
        Forbidden: it is of the server's catalogue.
    """
    name, version = reference(text)
    known = _own(db, caller.account_id, name)
    gone = [one for one in known if version in (None, one.version)]
    if not gone:
        raise NotFound(f"could not find step type {text!r}")
    repository.remove(db, caller.account_id, [one.id for one in gone])
    if kept := latest([one.version for one in known if one not in gone]):
        repository.mark_latest(db, caller.account_id, name, kept)


def _checked(body: Document) -> StepTypeDefinition:
    try:
        definition = read_step_type(body)
    except SpecErrors as errors:
        lines = "\n".join(f"  {error}" for error in errors.errors)
        problems = [error.to_dict() for error in errors.errors]
        raise BadRequest(f"the step type is not valid:\n{lines}", errors=problems) from None
    built_in = STEP_TYPES.get(definition.name)
    if definition.name == "parallel" or (built_in is not None and not built_in.versioned):
        raise BadRequest(f"metadata.name: {definition.name!r} is built in; call yours 'account/name'")
    return definition


def _put(db: Connection, caller: Caller, definition: StepTypeDefinition, body: Document) -> Document:
    name, account_id = definition.name, caller.account_id
    is_public = bool(body["metadata"].get("isPublic"))
    repository.put(
        db,
        account_id,
        name=name,
        version=definition.version,
        is_shared=is_public and name.startswith(f"{caller.account_name}/"),
        document=body,
        now=datetime.now(UTC),
    )
    known = [one.version for one in repository.own(db, account_id, name)]
    repository.mark_latest(db, account_id, name, latest(known) or definition.version)
    return shown(db, account_id, f"{name}:{definition.version}")


def _own(db: Connection, account_id: str, name: str) -> list[StepTypeVersion]:
    known = repository.own(db, account_id, name)
    if not known and name in catalogue.documents():
        raise Forbidden(f"step type {name!r} comes with the server; make one of your own, 'account/name'")
    if not known:
        raise NotFound(f"could not find step type {name!r}")
    return known


def _versions(db: Connection, account_id: str, name: str) -> list[StepTypeVersion]:
    return repository.own(db, account_id, name) or repository.shared(db, account_id, name)


def _choose(known: Sequence[StepTypeVersion], version: str | None) -> StepTypeVersion | None:
    wanted = version or latest([one.version for one in known])
    return next((one for one in known if one.version == wanted), None)


def _shown(version: StepTypeVersion) -> Document:
    metadata = {
        "isPublic": False,
        **version.document["metadata"],
        "version": version.version,
        "official": False,
        "latest": version.is_latest,
        "id": version.id,
        "accountId": version.account_id,
        "created_at": wire_time(version.created_at),
        "updated_at": wire_time(version.updated_at),
    }
    return {"version": _FORMAT, **version.document, "metadata": metadata, "metrics": {}}


def _of_catalogue(document: Mapping[str, Any]) -> Document:
    metadata = {**document["metadata"], "isPublic": True, "official": True, "latest": True}
    return {**document, "metadata": metadata, "metrics": {}}
