"""What an API key may do. A scope grants itself and everything below it.

Source: the seed page lists 18 scopes; their ids and the hierarchy follow the public API
(``build`` ⊇ ``build:read`` ⊇ ``build:read:status``). A route declares the one that it needs.
"""

import re
from collections.abc import Iterable
from enum import StrEnum


class Scope(StrEnum):
    """A right of a key, or a rule that stands where a right would (`PUBLIC`, `ANY`)."""

    AGENT = "agent"
    AGENT_READ = "agent:read"
    AGENT_WRITE = "agent:write"
    AUDIT = "audit"
    AUDIT_READ = "audit:read"
    BUILD = "build"
    BUILD_READ = "build:read"
    BUILD_READ_STATUS = "build:read:status"
    BUILD_WRITE = "build:write"
    CLUSTER = "cluster"
    CLUSTER_READ = "cluster:read"
    CLUSTER_WRITE = "cluster:write"
    HELM = "helm"
    HELM_READ = "helm:read"
    HELM_WRITE = "helm:write"
    PIPELINE = "pipeline"
    PIPELINE_APPROVE = "pipeline:approve"
    PIPELINE_READ = "pipeline:read"
    PIPELINE_RUN = "pipeline:run"
    PIPELINE_WRITE = "pipeline:write"
    PROJECT = "project"
    PROJECT_READ = "project:read"
    PROJECT_WRITE = "project:write"
    REPOS = "repos"
    REPOS_READ = "repos:read"
    REPOS_WRITE = "repos:write"
    RUNNER_INSTALLATION = "runner-installation"
    RUNNER_INSTALLATION_READ = "runner-installation:read"
    RUNNER_INSTALLATION_WRITE = "runner-installation:write"
    STEP_TYPE = "step-type"
    STEP_TYPE_READ = "step-type:read"
    STEP_TYPE_WRITE = "step-type:write"
    GENERAL = "general"
    # Not rights: what a route says instead of one.
    ANY = "any"  # every valid key
    PUBLIC = "public"  # no key at all


LABELS: dict[str, dict[Scope, str]] = {
    "agent": {
        Scope.AGENT: "Full access to runner agents",
        Scope.AGENT_READ: "Read information about runner agents",
        Scope.AGENT_WRITE: "Change runner agents, and report for them",
    },
    "audit": {
        Scope.AUDIT: "Full access to the audit log",
        Scope.AUDIT_READ: "Read the audit log",
    },
    "build": {
        Scope.BUILD: "Full access to all build information",
        Scope.BUILD_READ: "Get all information from builds",
        Scope.BUILD_READ_STATUS: "Get build status",
        Scope.BUILD_WRITE: "Change build information",
    },
    "cluster": {
        Scope.CLUSTER: "Full access to Kubernetes cluster integrations",
        Scope.CLUSTER_READ: "Read information from Kubernetes integrations",
        Scope.CLUSTER_WRITE: "Change Kubernetes integrations",
    },
    "helm": {
        Scope.HELM: "Full access to Helm boards and repositories",
        Scope.HELM_READ: "Read Helm boards and repositories",
        Scope.HELM_WRITE: "Change Helm boards and repositories",
    },
    "pipeline": {
        Scope.PIPELINE: "Full access to pipelines",
        Scope.PIPELINE_APPROVE: "Approve or deny a waiting pipeline",
        Scope.PIPELINE_READ: "Read information from pipelines",
        Scope.PIPELINE_RUN: "Run pipelines",
        Scope.PIPELINE_WRITE: "Edit pipelines",
    },
    "project": {
        Scope.PROJECT: "Full access to projects",
        Scope.PROJECT_READ: "Get information from projects",
        Scope.PROJECT_WRITE: "Change project information",
    },
    "repos": {
        Scope.REPOS: "Full access to Git repositories",
        Scope.REPOS_READ: "Read Git repositories of the account's integrations",
        Scope.REPOS_WRITE: "Add and remove Git repositories",
    },
    "runner-installation": {
        Scope.RUNNER_INSTALLATION: "Full access to installations of runners",
        Scope.RUNNER_INSTALLATION_READ: "Read installations of runners",
        Scope.RUNNER_INSTALLATION_WRITE: "Report installations of runners",
    },
    "step-type": {
        Scope.STEP_TYPE: "Full access to step types",
        Scope.STEP_TYPE_READ: "Read information from step types",
        Scope.STEP_TYPE_WRITE: "Change step types",
    },
    "general": {Scope.GENERAL: "Everything that belongs to no other resource"},
}

_KNOWN = {str(scope) for group in LABELS.values() for scope in group}
_SINGULAR = {
    "agents": "agent",
    "builds": "build",
    "clusters": "cluster",
    "pipelines": "pipeline",
    "projects": "project",
    "step-types": "step-type",
}


# Resources whose scopes Codefresh has and clients send (Terraform's `codefresh_api_key`), and which are
# none here: kept with a key, so that its owner finds what was asked for, they open nothing.
DORMANT = frozenset(
    {
        "analytics",
        "api-keys",
        "board",
        "chart",
        "environments-v2",
        "github-action",
        "gitops",
        "kubernetes",
        "verification",
        "view",
        "workflow",
    }
)
_RIGHTS = re.compile(r"(:[a-z][a-z-]*){0,2}")


def singular(text: str) -> str:
    """Return a scope as routes write it; older clients write ``builds:read`` for ``build:read``."""
    head, colon, rest = text.partition(":")
    return _SINGULAR.get(head, head) + colon + rest


def is_known(text: str) -> bool:
    """Tell whether a key may hold this scope: one of ours, in the plural, too, or one that opens nothing."""
    head, colon, rest = text.partition(":")
    if head in DORMANT:
        return _RIGHTS.fullmatch(colon + rest) is not None
    return singular(text) in _KNOWN or text == Scope.ANY


def grants(held: Iterable[str] | None, needed: str) -> bool:
    """Tell whether one of the scopes ``held`` grants ``needed``; None holds everything."""
    if held is None:
        return True
    found = map(singular, held)
    return any(scope in (needed, Scope.ANY) or needed.startswith(scope + ":") for scope in found)
