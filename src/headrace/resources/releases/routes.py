"""The operations of Helm releases. Those that only look run in a thread, without a transaction."""

from headrace.http.auth import Caller
from headrace.http.outside import CLUSTERS, Outside
from headrace.http.rights import Right, Rights
from headrace.http.routing import Connection, Example, Raw, Router
from headrace.http.scopes import Scope
from headrace.resources.pipelines.service import Request
from headrace.resources.releases import charts, looking, service
from headrace.resources.releases.looking import Reach
from headrace.resources.releases.schemas import (
    ChangeQuery,
    ChartOut,
    ClusterConfig,
    DeleteBody,
    InstallBody,
    InstallQuery,
    PromoteBody,
    PromoteQuery,
    ReleaseDetail,
    ReleaseOut,
    ReleasesQuery,
    RevisionQuery,
    StartedOut,
    TestBody,
)

router = Router("/clusters", tag="helm")
changing = Router("/kubernetes", tag="helm")
settings = Router("/helm/cluster-config", tag="helm")
repositories = Router("/charts", tag="helm")

_ONE = {"selector": "prod", "name": "shop"}
_CHANGE = "selector=prod&namespace=web"


@router.route(
    "GET",
    "/{selector}/releases",
    scope=Scope.CLUSTER_READ,
    sdk="helm.releases.list",
    right=Right("read", "cluster", "selector"),
    example=Example(path={"selector": "prod"}, query="namespace=web"),
)
async def list_releases(
    selector: str,
    query: ReleasesQuery,
    caller: Caller,
    reach: Reach,
) -> list[ReleaseOut]:
    """List the Helm releases of a cluster, each with its newest revision.

    They are read where Helm 3 keeps them, in secrets; the login of the cluster must be allowed to read these.
    """
    return await CLUSTERS.run(looking.listed, reach.of(caller), selector, query.namespace)


@router.route(
    "GET",
    "/{selector}/releases/{name}",
    scope=Scope.CLUSTER_READ,
    sdk="helm.releases.get",
    right=Right("read", "cluster", "selector"),
    admin=True,
    example=Example(path=_ONE, query="namespace=web"),
)
async def get_release(
    selector: str,
    name: str,
    query: RevisionQuery,
    caller: Caller,
    reach: Reach,
) -> ReleaseDetail:
    """Get a revision of a release with its values and its manifest.

    Both may hold secrets, so this is for admins.
    """
    return await CLUSTERS.run(
        looking.detail, reach.of(caller), selector, name, query.namespace, query.revision
    )


@router.route(
    "GET",
    "/{selector}/releases/{name}/history",
    scope=Scope.CLUSTER_READ,
    sdk="helm.releases.history",
    right=Right("read", "cluster", "selector"),
    example=Example(path=_ONE, query="namespace=web"),
)
async def get_history(
    selector: str,
    name: str,
    query: ReleasesQuery,
    caller: Caller,
    reach: Reach,
) -> list[ReleaseOut]:
    """List the revisions of a release that Helm keeps, the newest first."""
    return await CLUSTERS.run(looking.history, reach.of(caller), selector, name, query.namespace)


@settings.route(
    "GET",
    "/{selector}",
    scope=Scope.CLUSTER_READ,
    sdk="helm.cluster-config.get",
    right=Right("read", "cluster", "selector"),
    example=Example(path={"selector": "prod"}),
)
def get_cluster_config(selector: str, caller: Caller, db: Connection) -> ClusterConfig:
    """Get how Helm uses a cluster."""
    return service.config(db, caller.account_id, selector)


@settings.route(
    "POST",
    "/{selector}",
    scope=Scope.CLUSTER_WRITE,
    sdk="helm.cluster-config.store",
    right=Right("update", "cluster", "selector"),
    admin=True,
    example=Example(path={"selector": "prod"}, body={"helmVersion": "helm3", "releaseNamespaces": ["web"]}),
)
def store_cluster_config(selector: str, body: ClusterConfig, caller: Caller, db: Connection) -> ClusterConfig:
    """Store where releases of a cluster are, and which pipelines change them.

    A pipeline, by id or name, runs in the place of the built-in step, with variables `CF_HELM_…`.
    """
    return service.store_config(db, caller.account_id, selector, body)


@changing.route(
    "POST",
    "/chart/install",
    scope=Scope.CLUSTER_WRITE,
    sdk="helm.charts.install",
    right=Right("update", "cluster"),
    example=Example(
        query="selector=prod",
        body={"name": "mongodb", "repository": "https://charts.example.org", "namespace": "web"},
    ),
)
def install_chart(
    query: InstallQuery,
    body: InstallBody,
    db: Connection,
    reach: Reach,
    rights: Rights,
    raw: Raw,
    outside: Outside,
) -> StartedOut:
    """Install a chart, or upgrade its release; answer the build that does it."""
    asked = _asked(reach, rights, raw, outside)
    return StartedOut(service.install(db, asked, query, body))


@changing.route(
    "POST",
    "/chart/promote/helm3",
    scope=Scope.CLUSTER_WRITE,
    sdk="helm.charts.promote.new",
    right=Right("update", "cluster"),
    operation="helm-charts-promote-helm3",
    example=Example(
        query=_CHANGE,
        body={"releaseName": "shop", "targetSelector": "prod", "targetNamespace": "live"},
    ),
)
def promote_release(
    query: PromoteQuery,
    body: PromoteBody,
    db: Connection,
    reach: Reach,
    rights: Rights,
    raw: Raw,
    outside: Outside,
) -> StartedOut:
    """Bring a release to another place; answer the build that does it.

    The new release has the chart and the values of the other one, with those of the body over
    them. The chart is taken from the release itself; one that depends on other charts is refused.
    """
    asked = _asked(reach, rights, raw, outside)
    return StartedOut(service.promote(db, asked, query, body))


@changing.route(
    "POST",
    "/releases/{releaseName}/delete",
    scope=Scope.CLUSTER_WRITE,
    sdk="helm.releases.delete",
    right=Right("update", "cluster"),
    example=Example(path={"releaseName": "shop"}, query=_CHANGE, body={"purge": True}),
)
def delete_release(
    releaseName: str,  # noqa: N803 - the name on the wire
    query: ChangeQuery,
    body: DeleteBody,
    db: Connection,
    reach: Reach,
    rights: Rights,
    raw: Raw,
    outside: Outside,
) -> StartedOut:
    """Delete a release; answer the build that does it."""
    asked = _asked(reach, rights, raw, outside)
    return StartedOut(service.delete(db, asked, releaseName, query, body))


@changing.route(
    "POST",
    "/releases/{releaseName}/test",
    scope=Scope.CLUSTER_WRITE,
    sdk="helm.releases.test",
    right=Right("update", "cluster"),
    example=Example(path={"releaseName": "shop"}, query=_CHANGE, body={"timeout": 60}),
)
def test_release(
    releaseName: str,  # noqa: N803 - the name on the wire
    query: ChangeQuery,
    body: TestBody,
    db: Connection,
    reach: Reach,
    rights: Rights,
    raw: Raw,
    outside: Outside,
) -> StartedOut:
    """Run the tests of a release; answer the build that does it."""
    asked = _asked(reach, rights, raw, outside)
    return StartedOut(service.test(db, asked, releaseName, query, body))


@changing.route(
    "GET",
    "/rollback/{release}/{revision}",
    scope=Scope.CLUSTER_WRITE,
    sdk="kubernetes.rollback",
    right=Right("update", "cluster"),
    operation="kubernetes-rollback-release",
    effect=True,
    example=Example(path={"release": "shop", "revision": "1"}, query=_CHANGE),
)
def rollback_release(
    release: str,
    revision: str,
    query: ChangeQuery,
    db: Connection,
    reach: Reach,
    rights: Rights,
    raw: Raw,
    outside: Outside,
) -> StartedOut:
    """Roll a release back to a revision; answer the build that does it.

    Existing clients call this by GET.
    """
    asked = _asked(reach, rights, raw, outside)
    return StartedOut(service.rollback(db, asked, release, revision, query))


@repositories.route(
    "GET", "/{repo}", scope=Scope.HELM_READ, sdk="charts.list", example=Example(path={"repo": "charts"})
)
def list_charts(repo: str, caller: Caller, db: Connection, reach: Reach, outside: Outside) -> list[ChartOut]:
    """List the charts of a Helm repository: a context of type `helm-repository`.

    Its `index.yaml` is read each time, up to 2 MiB.
    """
    return charts.listed(db, reach.of(caller), outside, repo)


def _asked(reach: Reach, rights: Rights, raw: Raw, outside: Outside) -> service.Asked:
    request = Request(caller=rights.caller, base_url=raw.base_url, outside=outside)
    return service.Asked(request=request, rights=rights, place=reach.of(rights.caller))
