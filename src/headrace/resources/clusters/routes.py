"""The operations of clusters. Those that call one run in a thread, without the request's transaction."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from headrace.http.auth import Caller
from headrace.http.outside import CLUSTERS
from headrace.http.paging import Pages
from headrace.http.rights import Right, Rights
from headrace.http.routing import Connection, Example, Router
from headrace.http.scopes import Scope
from headrace.integrations.clusters import Networks
from headrace.kit.crypto import SecretBox
from headrace.resources.clusters import service
from headrace.resources.clusters.schemas import (
    ClusterFields,
    ClusterOut,
    CredentialsOut,
    NamespaceOut,
    NamespaceQuery,
    PodOut,
    PullSecretBody,
    PullSecretOut,
    PullSecretQuery,
    ServiceOut,
    WorkloadOut,
)
from headrace.storage.engine import Database

if TYPE_CHECKING:
    from headrace.integrations.clusters.client import Cluster

Result = TypeVar("Result")

router = Router("/clusters", tag="clusters")
kubernetes = Router("/kubernetes", tag="clusters")

_BODY = {
    "selector": "prod",
    "host": "https://kubernetes.example.org:6443",
    "serviceAccountToken": "header.claims.signature",
    "behindFirewall": True,
}
_ONE = Example(path={"selector": "prod"})
_THERE = Example(path={"selector": "prod"}, query="namespace=default")


@router.route("GET", "", scope=Scope.CLUSTER_READ, sdk="clusters.list", right=Right("read", "cluster"))
def list_clusters(caller: Caller, db: Connection, pages: Pages, rights: Rights) -> list[ClusterOut]:
    """List the Kubernetes clusters of the account by name; without their logins."""
    return service.listed(db, caller.account_id, pages, seen=rights.seen(db, "cluster"))


@router.route(
    "POST",
    "/{provider}/cluster",
    scope=Scope.CLUSTER_WRITE,
    sdk="clusters.create",
    admin=True,
    example=Example(path={"provider": "local"}, body=_BODY),
)
async def create_cluster(
    provider: str, body: ClusterFields, caller: Caller, database: Database, box: SecretBox, networks: Networks
) -> ClusterOut:
    """Register a cluster by a kubeconfig or a token.

    It is called with the login before anything is stored, but behind a firewall. A kubeconfig
    must hold its certificates and tokens itself; programs and files that it names are refused.
    """
    return await CLUSTERS.run(service.create, database, box, networks, caller.account_id, provider, body)


@router.route(
    "DELETE",
    "/{provider}/cluster/{id}",
    scope=Scope.CLUSTER_WRITE,
    sdk="clusters.delete",
    right=Right("delete", "cluster", "id"),
    admin=True,
    example=Example(path={"provider": "local", "id": "prod"}),
)
def delete_cluster(provider: str, id: str, caller: Caller, db: Connection) -> dict[str, Any]:  # noqa: A002, ARG001 - the names on the wire
    """Forget a cluster; nothing happens in it."""
    service.delete(db, caller.account_id, id)
    return {}


@router.route(
    "GET",
    "/{selector}/credentials",
    scope=Scope.CLUSTER_WRITE,
    sdk="clusters.credentials",
    right=Right("read", "cluster", "selector"),
    admin=True,
    effect=True,  # who has read a login is in the audit log
    example=_ONE,
)
def get_credentials(selector: str, caller: Caller, db: Connection, box: SecretBox) -> CredentialsOut:
    """Show the login of a cluster, to admins of the account alone.

    The audit log has who did. Keys of builds show none. A cluster that was registered by a client
    certificate has no token.
    """
    return service.shown_login(db, box, caller, selector)


@router.route(
    "POST",
    "/{selector}/test",
    scope=Scope.CLUSTER_READ,
    sdk="clusters.test",
    right=Right("read", "cluster", "selector"),
    example=_ONE,
)
async def test_cluster(
    selector: str, caller: Caller, database: Database, box: SecretBox, networks: Networks
) -> dict[str, Any]:
    """See that a cluster answers and knows the login."""
    await _ask(selector, caller, database, box, networks, lambda cluster: cluster.check())
    return {"ok": True}


@router.route(
    "GET",
    "/{selector}/namespaces",
    scope=Scope.CLUSTER_READ,
    sdk="clusters.namespaces",
    right=Right("read", "cluster", "selector"),
    example=_ONE,
)
async def list_namespaces(
    selector: str, caller: Caller, database: Database, box: SecretBox, networks: Networks
) -> list[NamespaceOut]:
    """List the namespaces of a cluster by name."""
    found = await _ask(selector, caller, database, box, networks, lambda cluster: cluster.namespaces())
    return msgspec.convert(found, list[NamespaceOut])


@router.route(
    "GET",
    "/{selector}/services",
    scope=Scope.CLUSTER_READ,
    sdk="clusters.services",
    right=Right("read", "cluster", "selector"),
    example=_THERE,
)
async def list_services(
    selector: str,
    query: NamespaceQuery,
    caller: Caller,
    database: Database,
    box: SecretBox,
    networks: Networks,
) -> list[ServiceOut]:
    """List the services of a namespace by name."""
    where = query.namespace
    found = await _ask(selector, caller, database, box, networks, lambda cluster: cluster.services(where))
    return msgspec.convert(found, list[ServiceOut])


@router.route(
    "GET",
    "/{selector}/workloads",
    scope=Scope.CLUSTER_READ,
    sdk="clusters.workloads",
    right=Right("read", "cluster", "selector"),
    example=_THERE,
)
async def list_workloads(
    selector: str,
    query: NamespaceQuery,
    caller: Caller,
    database: Database,
    box: SecretBox,
    networks: Networks,
) -> list[WorkloadOut]:
    """List deployments, stateful sets and daemon sets of a namespace."""
    where = query.namespace
    found = await _ask(selector, caller, database, box, networks, lambda cluster: cluster.workloads(where))
    return msgspec.convert(found, list[WorkloadOut])


@router.route(
    "GET",
    "/{selector}/pods",
    scope=Scope.CLUSTER_READ,
    sdk="clusters.pods",
    right=Right("read", "cluster", "selector"),
    example=_THERE,
)
async def list_pods(
    selector: str,
    query: NamespaceQuery,
    caller: Caller,
    database: Database,
    box: SecretBox,
    networks: Networks,
) -> list[PodOut]:
    """List the pods of a namespace by name, with phase and restarts."""
    where = query.namespace
    found = await _ask(selector, caller, database, box, networks, lambda cluster: cluster.pods(where))
    return msgspec.convert(found, list[PodOut])


@kubernetes.route(
    "POST",
    "/secrets/imagePullSecret",
    scope=Scope.CLUSTER_WRITE,
    sdk="kubernetes.generateImagePullSecret",
    operation="kubernetes-generate-image-pull-secret",
    admin=True,
    example=Example(query="selector=prod&namespace=default", body={"registry": "main"}),
)
async def generate_pull_secret(
    query: PullSecretQuery,
    body: PullSecretBody,
    caller: Caller,
    database: Database,
    box: SecretBox,
    networks: Networks,
) -> PullSecretOut:
    """Store the login of a registry in a namespace, for pods to pull with."""
    name = await CLUSTERS.run(
        service.put_pull_secret,
        database,
        box,
        networks,
        caller.account_id,
        query.selector,
        namespace=query.namespace,
        registry=body.registry,
    )
    return PullSecretOut(name)


async def _ask(
    selector: str,
    caller: Caller,
    database: Database,
    box: SecretBox,
    networks: Networks,
    question: Callable[["Cluster"], Result],
) -> Result:
    return await CLUSTERS.run(service.ask, database, box, networks, caller.account_id, selector, question)
