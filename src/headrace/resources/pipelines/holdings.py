"""What an account has that its pipelines may name: gathered for the validator."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from headrace.http.auth import Caller
from headrace.http.rights import Rights
from headrace.http.scopes import Scope
from headrace.pipeline.account import Account
from headrace.resources.clusters import service as clusters
from headrace.resources.contexts import service as contexts
from headrace.resources.pipelines import repository
from headrace.resources.pipelines.repository import Pipeline
from headrace.resources.projects import service as projects
from headrace.resources.registries import service as registries


def account_of(db: Connection, caller: Caller, rights: Rights, name: str) -> Account | None:
    """Return what the caller's account has; None where its key may not see that.

    Args:
        db: an open connection.
        caller: who asks.
        rights: of the caller; what rules hide is not known.
        name: of a pipeline, whose variables are then known, or of a file.
    """
    if not (caller.may(Scope.GENERAL) and caller.may(Scope.CLUSTER_READ)):
        return None
    account_id = caller.account_id
    git, default_git = contexts.git_names(db, account_id)
    known = registries.listed(db, account_id)
    pipeline = repository.by_name(db, account_id, name) if rights.sees(db, "pipeline", name) else None
    return Account(
        git=git,
        default_git=default_git,
        registries={one["name"]: one["domain"] for one in known},
        default_registry=next((one["name"] for one in known if one["default"]), None),
        clusters=tuple(
            one.selector for one in clusters.listed(db, account_id, seen=rights.seen(db, "cluster"))
        ),
        variables=None if pipeline is None else _variables(db, caller, pipeline),
    )


def _variables(db: Connection, caller: Caller, pipeline: Pipeline) -> frozenset[str]:
    """The names that every run of a pipeline knows, but for those of the system."""
    spec: Mapping[str, Any] = pipeline.document["spec"]
    project = projects.find(db, caller.account_id, pipeline.project_id)
    listed = [*project.variables, *(spec.get("variables") or [])]
    there = contexts.names(db, caller.account_id, spec.get("contexts") or [])
    shared = contexts.variables_of(db, caller.account_id, there, account_name=caller.account_name)
    return frozenset(one["key"] for one in listed).union(*shared)
