"""The rules of compositions: a name is taken once, and a document has services."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import yaml
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from headrace.execution.ports import StoredComposition
from headrace.http.errors import BadRequest, Conflict, NotFound
from headrace.http.paging import Pages
from headrace.resources.compositions import repository
from headrace.resources.compositions.schemas import CompositionFields, CompositionOut

_LONGEST = 255  # of a name


def listed(db: Connection, account_id: str, pages: Pages) -> list[CompositionOut]:
    """Return the account's compositions by name."""
    return [_shown(each) for each in repository.listed(db, account_id, pages)]


def get(db: Connection, account_id: str, wanted: str) -> CompositionOut:
    """Return a composition by its id or name. Raises `NotFound`."""
    return _shown(_find(db, account_id, wanted))


def stored(db: Connection, account_id: str, wanted: str) -> StoredComposition:
    """Return a composition as a build runs it, by its id or name. Raises `NotFound`."""
    found = _find(db, account_id, wanted)
    return StoredComposition(
        found.yaml_json,
        tuple(variables(found.vars)),
    )


def variables(given: list[str | dict[str, str]]) -> list[str]:
    """Return ``NAME=value`` of each variable, in either form of the API."""
    return [one if isinstance(one, str) else f"{one.get('key', '')}={one.get('value', '')}" for one in given]


def create(db: Connection, account_id: str, given: CompositionFields) -> CompositionOut:
    """Store a composition.

    Raises:
        BadRequest: the name or the document is missing, or it is none.
        Conflict: the name is taken.
    """
    if not given.name or given.yaml_json is None:
        raise BadRequest("name and yamlJson are required")
    _check(given.yaml_json)
    with _free(db, given.name):
        made = repository.add(
            db,
            account_id,
            now=datetime.now(UTC),
            name=given.name,
            is_advanced=bool(given.is_advanced),
            vars=given.vars or [],
            yaml_json=given.yaml_json,
        )
    return get(db, account_id, made)


def change(db: Connection, account_id: str, wanted: str, given: CompositionFields) -> CompositionOut:
    """Change the given fields of a composition.

    Raises:
        NotFound: there is none.
        BadRequest: the document is none.
        Conflict: the new name is taken.
    """
    found = _find(db, account_id, wanted)
    name = given.name or found.name
    document = found.yaml_json if given.yaml_json is None else given.yaml_json
    _check(document)
    with _free(db, name):
        repository.change(
            db,
            account_id,
            found.id,
            name=name,
            is_advanced=found.is_advanced if given.is_advanced is None else given.is_advanced,
            vars=found.vars if given.vars is None else given.vars,
            yaml_json=document,
        )
    return get(db, account_id, found.id)


def duplicate(db: Connection, account_id: str, wanted: str) -> CompositionOut:
    """Store a composition once more, as ``<name>-copy``.

    Raises:
        NotFound: there is none.
        Conflict: there is a copy.
    """
    found = _find(db, account_id, wanted)
    return create(
        db,
        account_id,
        CompositionFields(
            name=f"{found.name[: _LONGEST - len('-copy')]}-copy",
            is_advanced=found.is_advanced,
            vars=found.vars,
            yaml_json=found.yaml_json,
        ),
    )


def delete(db: Connection, account_id: str, wanted: str) -> None:
    """Delete a composition. Raises `NotFound`."""
    repository.remove(db, account_id, _find(db, account_id, wanted).id)


def _check(document: str) -> None:
    try:
        found = yaml.load(document, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise BadRequest("yamlJson is neither YAML nor JSON") from None
    if not isinstance(found, dict) or not isinstance(found.get("services"), dict):
        raise BadRequest("yamlJson has no services; write {'version': '3', 'services': {…}}")


@contextmanager
def _free(db: Connection, name: str) -> Iterator[None]:
    """Store under a name, which the database lets be taken once."""
    try:
        with db.begin_nested():
            yield
    except IntegrityError:
        message = f"composition already exists: {name!r}; change it, or choose another name"
        raise Conflict(message) from None


def _find(db: Connection, account_id: str, wanted: str) -> repository.Composition:
    found = repository.find(db, account_id, wanted)
    if found is None:
        raise NotFound(f"could not find composition {wanted!r}")
    return found


def _shown(found: repository.Composition) -> CompositionOut:
    return CompositionOut(
        id=found.id,
        name=found.name,
        is_advanced=found.is_advanced,
        vars=found.vars,
        yaml_json=found.yaml_json,
        created=found.created_at.isoformat().replace("+00:00", "Z"),
    )
