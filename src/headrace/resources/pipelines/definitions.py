"""The stored definitions: names, revisions, who sees secrets."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from headrace.http.auth import Caller
from headrace.http.errors import Conflict, Forbidden, NotFound
from headrace.http.paging import MAX_LIMIT, Pages
from headrace.http.rights import Rights, Target
from headrace.http.scopes import Scope
from headrace.kit.clock import wire_time
from headrace.kit.crypto import SecretBox
from headrace.kit.ids import new_id
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.validate import validate
from headrace.resources.abac import service as abac
from headrace.resources.builds import service as builds
from headrace.resources.pipelines import document, original, repository
from headrace.resources.pipelines.repository import Pipeline
from headrace.resources.pipelines.schemas import PipelinesQuery
from headrace.resources.projects import service as projects
from headrace.resources.triggers import service as triggers
from headrace.resources.triggers.schemas import Trigger

_WRONG = "Provided spec is not valid"


def find(db: Connection, account_id: str, reference: str) -> Pipeline:
    """Return a pipeline by its id or its whole name.

    Raises:
        NotFound: the account has neither.
    """
    pipeline = repository.find(db, account_id, reference)
    if pipeline is None:
        raise NotFound(f"could not find pipeline {reference!r}: not found in this account")
    return pipeline


def clusters_of(db: Connection, pipeline_id: str) -> frozenset[str] | None:
    """Return the names of the clusters that builds of a pipeline may reach; None: all of the account.

    Source: ``spec.clustersInfo``: ``{injectAll, clusters}``.
    """
    pipeline = repository.anybody_s(db, pipeline_id)
    info = {} if pipeline is None else pipeline.document["spec"].get("clustersInfo") or {}
    if not isinstance(info, dict) or info.get("injectAll", "clusters" not in info):
        return None
    names = info.get("clusters")
    return frozenset(map(str, names)) if isinstance(names, list) else frozenset()


def listed(
    db: Connection, account_id: str, query: PipelinesQuery, pages: Pages, rights: Rights
) -> tuple[list[Pipeline], int]:
    """Return a page of the pipelines that the caller may read, the last changed first, and their number.

    A request without ``limit`` and ``offset`` that names pipelines wants exactly those: its
    client goes on to the builds of every pipeline in the answer.
    """
    return repository.listed(db, account_id, _wanted(db, query, rights), pages)


def names(
    db: Connection, account_id: str, query: PipelinesQuery, pages: Pages, rights: Rights
) -> list[tuple[str, str]]:
    """Return ids and names of all pipelines that match, whatever their number, unless a limit is given."""
    if query.limit is None:
        pages.limit = MAX_LIMIT
    return repository.names(db, account_id, _wanted(db, query, rights), pages)


def _wanted(db: Connection, query: PipelinesQuery, rights: Rights) -> repository.Wanted:
    return repository.Wanted(
        references=query.id,
        exact=query.limit is None and query.offset is None,
        labels=query.labels or {},
        project_id=query.project_id,
        seen=rights.seen(db, "pipeline"),
    )


def create(
    db: Connection, account_id: str, box: SecretBox, body: Mapping[str, Any], rights: Rights
) -> Pipeline:
    """Store a new pipeline. A project of an unknown name is created.

    Raises:
        BadRequest: the document or its steps are wrong; all problems are named.
        Forbidden: no rule allows to create one with these tags, or such a project.
        Conflict: the name is taken.
    """
    body = original.settled(body, None)
    name = _checked(body)
    if repository.by_name(db, account_id, name.full) is not None:
        raise _taken(name.full)
    project = projects.ensure(db, account_id, name.project, rights)
    now = datetime.now(UTC)
    content = document.stored(body, name, box, account_id, None)
    rights.require(db, "create", "pipeline", _target(content, project.tags))
    pipeline = Pipeline(
        id=new_id(),
        account_id=account_id,
        project_id=project.id,
        name=name.full,
        short_name=name.short,
        revision=0,
        labels=content["metadata"].get("labels") or {},
        document=content,
        yaml=document.yaml_of(content),
        created_at=now,
        updated_at=now,
    )
    _write(db, pipeline, new=True)
    triggers.index(db, account_id, pipeline.id, content["spec"], now=now)
    return pipeline


def replace(
    db: Connection,
    account_id: str,
    box: SecretBox,
    reference: str,
    body: Mapping[str, Any],
    rights: Rights,
    *,
    any_revision: bool,
) -> Pipeline:
    """Replace a pipeline, which may get a new name. ``*****`` keeps a stored secret.

    Args:
        db: an open connection.
        account_id: whose pipeline.
        box: seals secrets.
        reference: id or whole name.
        body: the new document.
        rights: of the caller, who may update the stored pipeline.
        any_revision: replace it even if its revision is not the stored one.

    Raises:
        NotFound: the account has no such pipeline.
        BadRequest: the document or its steps are wrong; all problems are named.
        Conflict: somebody changed it meanwhile, or the new name is taken.
        Forbidden: no rule would allow to update it as it would then be.
    """
    known = find(db, account_id, reference)
    body = original.settled(body, known.document)
    name = _checked(body)
    revision = body["metadata"].get("revision")
    if not any_revision and revision is not None and revision != known.revision:
        raise Conflict(
            f"pipeline {known.name!r} has revision {known.revision}, not {revision!r}: somebody changed it; "
            "get it again, or pass disableRevisionCheck=true"
        )
    other = repository.by_name(db, account_id, name.full)
    if other is not None and other.id != known.id:
        raise _taken(name.full)
    project = projects.ensure(db, account_id, name.project, rights)
    content = document.stored(body, name, box, account_id, known.document)
    rights.require(db, "update", "pipeline", _target(content, project.tags))
    pipeline = msgspec.structs.replace(
        known,
        project_id=project.id,
        name=name.full,
        short_name=name.short,
        revision=known.revision + 1,
        labels=content["metadata"].get("labels") or {},
        document=content,
        yaml=document.yaml_of(content),
        updated_at=datetime.now(UTC),
    )
    _write(db, pipeline, new=False)
    triggers.index(db, account_id, pipeline.id, content["spec"], now=pipeline.updated_at)
    _set_limits(db, pipeline)
    return pipeline


def _target(content: Mapping[str, Any], project_tags: Collection[str]) -> Target:
    """Return what rules look at of a document that is to be stored."""
    return Target(tags=abac.tags_of(content["metadata"].get("labels") or {}), project_tags=project_tags)


def _set_limits(db: Connection, pipeline: Pipeline) -> None:
    """Give the waiting builds of a pipeline the limits that it has now."""
    spec = pipeline.document["spec"]
    builds.set_limits(
        db,
        pipeline.id,
        concurrency=spec.get("concurrency"),
        branch_concurrency=spec.get("branchConcurrency"),
        trigger_concurrency=spec.get("triggerConcurrency"),
    )
    for trigger in spec.get("triggers") or []:
        if trigger.get("concurrency") is not None:
            both = (trigger["concurrency"], spec.get("triggerConcurrency") or trigger["concurrency"])
            builds.set_trigger_limit(db, pipeline.id, trigger["id"], min(both))


def delete(db: Connection, account_id: str, reference: str) -> None:
    """Delete a pipeline; its builds stay.

    Raises:
        NotFound: the account has no such pipeline.
    """
    repository.remove(db, account_id, find(db, account_id, reference).id)


def seen(db: Connection, found: Sequence[Pipeline], *, base_url: str) -> list[dict[str, Any]]:
    """Return the documents of pipelines as readers see them, with the last runs of their triggers."""
    fired = triggers.of_pipelines(db, [one.id for one in found])
    return [shown(one, base_url=base_url, fired=fired) for one in found]


def with_text(seen_document: dict[str, Any], pipeline: Pipeline) -> dict[str, Any]:
    """Return a document as readers see it with the text that says what its fields say, where there is one."""
    if not pipeline.yaml or "steps" not in seen_document["spec"]:
        return seen_document
    return {**seen_document, "metadata": {**seen_document["metadata"], "originalYamlString": pipeline.yaml}}


def shown(
    pipeline: Pipeline,
    *,
    base_url: str,
    opener: tuple[SecretBox, str] | None = None,
    fired: Mapping[tuple[str, str], Trigger] | None = None,
) -> dict[str, Any]:
    """Return the document of a pipeline as readers see it.

    Args:
        pipeline: as stored.
        fired: what is noted of triggers, by (pipeline, trigger); None leaves it out.
        base_url: of the server; triggers tell where their events go.
        opener: a box and the account, to show secrets in clear; None masks them.
    """
    derived = {
        "name": pipeline.name,
        "shortName": pipeline.short_name,
        "project": pipeline.project,
        "projectId": pipeline.project_id,
        "id": pipeline.id,
        "accountId": pipeline.account_id,
        "revision": pipeline.revision,
        "created_at": wire_time(pipeline.created_at),
        "updated_at": wire_time(pipeline.updated_at),
    }
    endpoint = f"{base_url}/api/pipelines/{pipeline.id}/events"
    runs = {trigger: noted for (owner, trigger), noted in (fired or {}).items() if owner == pipeline.id}
    return document.shown(pipeline.document, derived, endpoint=endpoint, opener=opener, runs=runs)


def decrypted(
    db: Connection, caller: Caller, box: SecretBox, reference: str, rights: Rights, *, base_url: str
) -> dict[str, Any]:
    """Return the document of a pipeline with its secrets in clear.

    Raises:
        NotFound: the account has no such pipeline.
        Forbidden: the caller may not change the pipeline, or is a build.
    """
    rights.admit(db, "update", "pipeline", reference)
    pipeline = find(db, caller.account_id, reference)
    if not caller.may(Scope.PIPELINE_WRITE) or caller.build_id:
        scope = str(Scope.PIPELINE_WRITE)
        raise Forbidden(f"Scopes are missing to access this resource: {scope}", missingScopes=[scope])
    return shown(pipeline, base_url=base_url, opener=(box, caller.account_id))


def _checked(body: Mapping[str, Any]) -> document.Name:
    """Check a document and its steps; return the name of the pipeline."""
    try:
        name = document.checked(body)
    except SpecErrors as errors:
        raise document.refusal(errors, _WRONG) from None
    source = document.definition(body)
    if source is not None and (found := validate(source).errors):
        raise document.refusal(SpecErrors(found), _WRONG)
    return name


def _write(db: Connection, pipeline: Pipeline, *, new: bool) -> None:
    try:
        (repository.add if new else repository.change)(db, pipeline)
    except IntegrityError:  # another request took the name since it was looked for
        raise _taken(pipeline.name) from None


def _taken(name: str) -> Conflict:
    return Conflict(f"Pipeline already exists: {name!r}; replace it or choose another name")
