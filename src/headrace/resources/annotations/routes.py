"""The operations of annotations."""

from typing import Annotated, Any

import msgspec

from headrace.http.auth import Caller
from headrace.http.errors import BadRequest
from headrace.http.paging import After, Limit, Pages
from headrace.http.rights import Rights
from headrace.http.routing import Connection, Example, Router
from headrace.http.scopes import Scope
from headrace.resources.annotations import service
from headrace.resources.annotations.schemas import AnnotationOut, EntityId, EntityType, NewAnnotation

router = Router("/annotations", tag="annotations")

# What rules of teams are about, of what can be annotated: its kind, and what its annotations are changed by.
_RULED = {"workflow": ("build", "run"), "pipeline": ("pipeline", "update"), "project": ("project", "update")}
_ENTITY = "entityType=workflow&entityId=5b4f927dc70d080001536fe3"


class EntityQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """Whose annotations."""

    entity_id: Annotated[EntityId, msgspec.Meta(description="an id, or the name of an image")]
    entity_type: Annotated[EntityType, msgspec.Meta(description="``workflow``, ``pipeline``, ``image`` …")]
    key: Annotated[str, msgspec.Meta(description="only this one")] = ""


class AnnotationsQuery(EntityQuery, kw_only=True, rename="camel"):
    """Whose annotations, and which of them."""

    limit: Limit = 0
    after: After = ""


@router.route("GET", "", scope=Scope.GENERAL, sdk="annotations.list", example=Example(query=_ENTITY))
def list_annotations(
    query: AnnotationsQuery, caller: Caller, db: Connection, pages: Pages, rights: Rights
) -> list[AnnotationOut]:
    """List the annotations of a build, a pipeline, a project or an image."""
    entity = {"entity_type": query.entity_type, "entity_id": query.entity_id}
    if query.entity_type in _RULED:
        rights.admit(db, "read", _RULED[query.entity_type][0], query.entity_id)
    found = service.listed(db, caller.account_id, pages, key=query.key, **entity)
    return [service.shown(annotation) for annotation in found]


@router.route(
    "POST",
    "",
    scope=Scope.GENERAL,
    sdk="annotations.create",
    example=Example(
        body={
            "entityType": "workflow",
            "entityId": "5b4f927dc70d080001536fe3",
            "key": "coverage",
            "value": "75%",
        }
    ),
)
def create_annotation(body: NewAnnotation, caller: Caller, db: Connection, rights: Rights) -> AnnotationOut:
    """Set an annotation; the same key again overwrites it."""
    entity = body.entity_id or body.entity_name
    if entity is None:
        raise BadRequest("entityId is required: the id of the build or the name of the image")
    _admit_change(db, rights, body.entity_type, entity)
    value = body.value if isinstance(body.value, str) else msgspec.json.encode(body.value).decode()
    annotation = service.put(
        db,
        caller.account_id,
        entity_type=body.entity_type,
        entity_id=entity,
        key=body.key,
        value=value,
        display=body.display,
    )
    return service.shown(annotation)


@router.route(
    "DELETE",
    "",
    scope=Scope.GENERAL,
    sdk="annotations.delete",
    example=Example(query=_ENTITY + "&key=coverage"),
)
def delete_annotations(query: EntityQuery, caller: Caller, db: Connection, rights: Rights) -> dict[str, Any]:
    """Delete one annotation of an entity, or all where no key is given."""
    _admit_change(db, rights, query.entity_type, query.entity_id)
    service.delete(
        db, caller.account_id, entity_type=query.entity_type, entity_id=query.entity_id, key=query.key
    )
    return {}


def _admit_change(db: Connection, rights: Rights, entity_type: str, entity_id: str) -> None:
    if entity_type in _RULED:
        kind, action = _RULED[entity_type]
        rights.admit(db, action, kind, entity_id)
