"""Which builds the policy of another one ends: see `policies`."""

from sqlalchemy import Connection

from headrace.resources.annotations import service as annotations
from headrace.resources.builds import policies, repository
from headrace.resources.builds.schemas import Build, BuildRequest

ENTITY = "workflow"  # what annotations call a build


def of_start(db: Connection, request: BuildRequest) -> list[Build]:
    """Return the builds that the start of this one ends, by its policy; the oldest of them first."""
    policy, found = request.termination_policy, dict[str, Build]()
    if not policy:
        return []
    if request.pipeline_id is not None:
        for build in repository.unended_of(db, request.account_id, pipeline_id=request.pipeline_id):
            if policies.by_branch(policy, request, branch=build.branch, trigger_id=build.trigger_id):
                found[build.id] = build
    for key, value in policies.annotations(policy, policies.ON_CREATE, request.annotations, request.build_id):
        found |= {build.id: build for build in _carrying(db, request.account_id, key, value)}
    found.pop(request.build_id, None)
    return list(found.values())


def of_termination(db: Connection, build: Build) -> list[Build]:
    """Return the builds that the termination of this one ends, by its policy."""
    policy = repository.termination_policy(db, build.id)
    return [
        other
        for key, value in policies.annotations(policy, policies.ON_TERMINATE, {}, build.id)
        for other in _carrying(db, build.account_id, key, value)
        if other.id != build.id
    ]


def _carrying(db: Connection, account_id: str, key: str, value: str) -> list[Build]:
    ids = annotations.entities_with(account_id, entity_type=ENTITY, key=key, value=value)
    return repository.unended_of(db, account_id, ids=ids)
