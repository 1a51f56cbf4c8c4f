"""What is refused (501, with the cure) or answered as by a server that has none of it.

One line for each operation. A line whose operation gets real behaviour moves to its resource.
"""

from typing import Any

import msgspec

from headrace.http.scopes import Scope


class Line(msgspec.Struct, frozen=True):
    """One operation."""

    method: str
    path: str
    sdk: str
    what: str  # the summary begins with it: ``Install a chart``
    cure: str = ""  # what to do instead; ``""`` where the answer is `value`
    value: Any = None  # the documented answer of a server that has none of it
    scope: Scope = Scope.GENERAL
    admin: bool = False
    operation: str | None = None  # where it does not follow from `sdk`


_READ, _WRITE = Scope.CLUSTER_READ, Scope.CLUSTER_WRITE
_CLUSTER = "register a cluster by POST /api/clusters/local/cluster, with a kubeconfig or a token"
_RELEASE = "promote a release of Helm 3: POST /api/kubernetes/chart/promote/helm3"
_ENVIRONMENTS = "environments are those that workers report; start and stop 'headrace worker'"
_RUNNER = "start 'headrace worker' where builds are to run"
_ONPREM = "/admin/runtime-environments"

LINES = (
    Line(
        "DELETE",
        "/projects/context/{id}",
        "projects.deleteContext",
        "Take shared configurations from a project",
        "name contexts in the pipelines that use them: spec.contexts",
        scope=Scope.PROJECT_WRITE,
    ),
    Line(
        "PUT",
        "/projects/context/{id}",
        "projects.updateContext",
        "Give shared configurations to a project",
        "name contexts in the pipelines that use them: spec.contexts",
        scope=Scope.PROJECT_WRITE,
    ),
    Line(
        "POST",
        "/builds/{buildId}/update",
        "workflows.update",
        "Open or merge a pull request after a build",
        "call the Git host in a last step, under the condition that the others succeeded",
        scope=Scope.BUILD_WRITE,
    ),
    Line(
        "POST",
        "/custom_clusters/register",
        "cluster.create",
        "Register the cluster of a runner",
        _CLUSTER,
        scope=_WRITE,
        admin=True,
        operation="cluster-register",
    ),
    Line(
        "POST",
        "/custom_clusters/signServerCerts",
        "cluster.signServerCerts",
        "Sign certificates for a runner",
        _RUNNER,
        scope=_WRITE,
        admin=True,
    ),
    Line(
        "POST",
        "/custom_clusters/validate",
        "cluster.validate",
        "Check the cluster of a runner",
        _CLUSTER,
        scope=_WRITE,
        admin=True,
    ),
    Line(
        "POST",
        "/kubernetes/chart/promote",
        "helm.charts.promoteTiller",  # the original's name is also that of the group of `promote.new`
        "Promote a release of Helm 2",
        _RELEASE,
        scope=_WRITE,
        operation="helm-charts-promote",
    ),
    Line(
        "GET",
        _ONPREM + "/{plan}/{name}",
        "onPrem.runtimeEnvs.plan.get",
        "Get an environment of a plan",
        _ENVIRONMENTS,
        admin=True,
    ),
    Line(
        "PUT",
        _ONPREM + "/default/{plan}/{name}",
        "onPrem.runtimeEnvs.plan.setDefault",
        "Choose the environment of a plan",
        _ENVIRONMENTS,
        admin=True,
    ),
    Line(
        "DELETE",
        _ONPREM + "/{plan}/{name}",
        "onPrem.runtimeEnvs.plan.delete",
        "Delete an environment of a plan",
        _ENVIRONMENTS,
        admin=True,
    ),
    Line(
        "PUT",
        _ONPREM + "/{plan}/{name}",
        "onPrem.runtimeEnvs.plan.update",
        "Change an environment of a plan",
        _ENVIRONMENTS,
        admin=True,
    ),
    Line(
        "DELETE",
        _ONPREM + "/{name}",
        "onPrem.runtimeEnvs.system.delete",
        "Delete an environment of the platform",
        _ENVIRONMENTS,
        admin=True,
    ),
    Line(
        "PUT",
        _ONPREM + "/{name}",
        "onPrem.runtimeEnvs.system.update",
        "Change an environment of the platform",
        _ENVIRONMENTS,
        admin=True,
    ),
    Line("GET", "/payments", "payments.list", "List payments", value=[]),
    Line("GET", "/payments/plans", "payments.getPlans", "List what may be paid for", value=[]),
    Line("POST", "/payments", "payments.create", "Pay", "nothing costs anything here", admin=True),
    Line(
        "POST",
        "/registry/auth/token",
        "registries.generateCfcrToken",
        "Make a token for the registry of the platform",
        "this server has no registry of its own; add yours by POST /api/registries",
        operation="codefresh-registry-generate-cfcr-token",
    ),
    Line(
        "POST",
        "/runner-installation",
        "runner-installation.createNewInstallationProgress",
        "Begin the installation of a runner",
        _RUNNER,
        scope=Scope.RUNNER_INSTALLATION_WRITE,
        operation="runner-installation-create",
    ),
    Line(
        "GET",
        "/runner-installation/{id}",
        "runner-installation.getInstallationProgress",
        "Follow the installation of a runner",
        _RUNNER,
        scope=Scope.RUNNER_INSTALLATION_READ,
        operation="runner-installation-get",
    ),
    Line(
        "PATCH",
        "/runner-installation/{id}",
        "runner-installation.reportInstallationProgressEvent",
        "Report the installation of a runner",
        _RUNNER,
        scope=Scope.RUNNER_INSTALLATION_WRITE,
        operation="runner-installation-update",
    ),
    Line("GET", "/idp/account", "idp.account.list", "List the identity providers of the account", value=[]),
)
