"""What this server asks of clusters, through lightkube; this module alone knows that library.

Source: the API of Kubernetes. A call takes `_TIMEOUT_S` seconds at most and follows no redirect;
the address is judged and then called itself, so that a name cannot change its mind in between.
"""

import base64
import ssl
import tempfile
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any, Self

import httpx2
import msgspec
import yaml
from lightkube import ApiError, Client, KubeConfig, codecs, operators
from lightkube.config.models import Cluster as Server
from lightkube.config.models import User
from lightkube.core.exceptions import LoadResourceError
from lightkube.core.resource import NamespacedResource
from lightkube.models.authorization_v1 import ResourceAttributes, SelfSubjectAccessReviewSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.apps_v1 import DaemonSet, Deployment, StatefulSet
from lightkube.resources.authorization_v1 import SelfSubjectAccessReview
from lightkube.resources.core_v1 import ConfigMap, Namespace, Pod, Secret, Service

from headrace.integrations.clusters.addresses import AddressRefused, Networks
from headrace.integrations.clusters.credentials import Credentials
from headrace.integrations.clusters.errors import ClusterRefused
from headrace.integrations.clusters.releases import KIND as _RELEASE
from headrace.integrations.clusters.releases import Release

_TIMEOUT_S = 10.0
_CHUNK = 500
_MOST = 5_000  # of a list
_FEW = 50  # releases at a time: each may have a megabyte
_CONFLICT = 409
_WORKLOADS = (Deployment, StatefulSet, DaemonSet)
_KINDS = {kind.__name__: kind for kind in _WORKLOADS}
_DEPLOYED_BY = "headrace/deployed-by"  # annotation of pods
_MANAGER = "headrace"  # who applies, as the cluster records it
Fields = dict[str, Any]
Changed = tuple[str, str, str]


class Cluster:
    """A cluster with its login. A context manager, for one thread; all calls raise `ClusterRefused`.

    Args:
        credentials: how to reach it.
        networks: where it may be.
    """

    def __init__(self, credentials: Credentials, networks: Networks) -> None:
        self._host = credentials.host
        # Certificates are the transport's.
        user = User(token=credentials.token or None)
        config = KubeConfig.from_one(cluster=Server(server=credentials.url), user=user)
        with self._named():
            self._client = Client(
                config,
                timeout=httpx2.Timeout(_TIMEOUT_S),
                trust_env=False,
                transport=_Pinned(credentials, networks),
            )

    def __enter__(self) -> Self:
        """Return the cluster itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its connections."""
        self._client.close()

    def check(self) -> None:
        """See that the cluster answers and knows the login; what it may do there is not asked."""
        question = SelfSubjectAccessReviewSpec(
            resourceAttributes=ResourceAttributes(verb="list", resource="namespaces")
        )
        with self._named():
            self._client.create(SelfSubjectAccessReview(spec=question))

    def namespaces(self) -> list[Fields]:
        """Return the namespaces by name."""
        with self._named():
            found = [
                {**_head(each.metadata), "status": each.status.phase if each.status else ""}
                for each in self._some(Namespace, None)
            ]
        return sorted(found, key=_order)

    def services(self, namespace: str) -> list[Fields]:
        """Return the services of a namespace by name; ``*`` is every namespace."""
        with self._named():
            found = [_service(each) for each in self._some(Service, namespace)]
        return sorted(found, key=_order)

    def workloads(self, namespace: str) -> list[Fields]:
        """Return deployments, stateful sets and daemon sets of a namespace, or of all (``*``)."""
        with self._named():
            found = [_workload(each) for kind in _WORKLOADS for each in self._some(kind, namespace)]
        return sorted(found, key=_order)

    def pods(self, namespace: str) -> list[Fields]:
        """Return the pods of a namespace by name; ``*`` is every namespace."""
        with self._named():
            found = [_pod(each) for each in self._some(Pod, namespace)]
        return sorted(found, key=_order)

    def releases(self, namespace: str) -> list[Release]:
        """Return the newest revision of each release of Helm 3 in a namespace, or in all (``*``), by name."""
        newest: dict[tuple[str, str], tuple[int, str]] = {}
        # An older revision is superseded as soon as a newer one is there.
        for place, revision, data in self._records(namespace, status=operators.not_equal("superseded")):
            newest[place] = max(newest.get(place, (0, "")), (revision, data))
        return [Release.read(data) for _, (_, data) in sorted(newest.items())]

    def revisions(self, namespace: str, name: str) -> list[Release]:
        """Return what Helm still keeps of the releases of a name, by namespace, the newest revision first."""
        found = [Release.read(data) for _, _, data in self._records(namespace, name=name)]
        return sorted(found, key=lambda each: (each.namespace, -each.version))

    def _records(self, namespace: str, **labels: Any) -> Iterable[tuple[tuple[str, str], int, str]]:  # noqa: ANN401 - values and operators
        """Yield namespace and name, revision and content of what Helm has stored."""
        chosen = {"labels": {"owner": "helm", **labels}, "fields": {"type": _RELEASE}}
        with self._named():
            for each in self._some(Secret, namespace, _FEW, **chosen):
                own = each.metadata.labels
                place = (each.metadata.namespace, own["name"])
                yield place, int(own["version"]), each.data["release"]

    def data_of(self, kind: str, namespace: str, name: str) -> dict[str, str]:
        """Return what a ``secret`` or a ``configmap`` holds, as it is written there: a secret in base64."""
        with self._named():
            if kind == "configmap":
                return dict(self._client.get(ConfigMap, name, namespace=namespace).data or {})
            return dict(self._client.get(Secret, name, namespace=namespace).data or {})

    def put_pull_secret(self, namespace: str, name: str, logins: dict[str, tuple[str, str]]) -> None:
        """Store a secret with which pods pull images; one of that name is replaced.

        Args:
            namespace: where.
            name: of the secret.
            logins: domain of a registry → user name and password.
        """
        auths = {
            domain: {
                "username": username,
                "password": password,
                "auth": base64.b64encode(f"{username}:{password}".encode()).decode(),
            }
            for domain, (username, password) in logins.items()
        }
        content = base64.b64encode(msgspec.json.encode({"auths": auths})).decode()
        secret = Secret(
            metadata=ObjectMeta(name=name, namespace=namespace),
            type="kubernetes.io/dockerconfigjson",
            data={".dockerconfigjson": content},
        )
        with self._named():
            try:
                self._client.create(secret)
            except ApiError as problem:
                if problem.status.code != _CONFLICT:
                    raise
                self._client.replace(secret)

    def set_image(self, namespace: str, service: str, image: str, secret: str, *, mark: str) -> list[Changed]:
        """Give the deployments behind a service another image, and start their pods anew.

        Args:
            namespace: where both are.
            service: whose selector finds the deployments.
            image: goes to the container with the same repository, or to the only one; empty: all stay.
            secret: to pull with; empty: none is added.
            mark: of this change; with the same mark again nothing starts anew.

        Returns:
            Kind, name and namespace of what was changed.
        """
        with self._named():
            found = self._client.get(Service, service, namespace=namespace)
            selector = (found.spec.selector if found.spec else None) or {}
            behind = [
                each
                for each in self._some(Deployment, namespace)
                if selector and selector.items() <= _labels(each).items()
            ]
            if not behind:
                raise ClusterRefused(
                    f"no deployment of namespace {namespace!r} is behind service {service!r}"
                )
            changes = [(each.metadata.name, _changes(each, image, secret, mark)) for each in behind]
            for name, change in changes:
                self._client.patch(Deployment, name, change, namespace=namespace)
        return [("Deployment", name, namespace) for name, _ in changes]

    def apply(self, namespace: str, manifest: str) -> list[Changed]:
        """Bring the objects of a manifest into the cluster.

        Args:
            namespace: of objects that name none.
            manifest: YAML, one document for each object.

        Returns:
            Kind, name and namespace of what is rolled out.
        """
        changed: list[Changed] = []
        with self._named():
            try:
                found = codecs.load_all_yaml(manifest)
            except (LoadResourceError, yaml.YAMLError) as problem:
                raise ClusterRefused(f"the manifest cannot be read: {problem}") from None
            for one in found:
                where = {}
                if isinstance(one, NamespacedResource):
                    where = {"namespace": (one.metadata and one.metadata.namespace) or namespace}
                put: Callable[..., Any] = self._client.apply  # its overloads know single classes
                put(one, field_manager=_MANAGER, force=True, **where)
                if isinstance(one, _WORKLOADS) and one.metadata and one.metadata.name:
                    changed.append((type(one).__name__, one.metadata.name, where["namespace"]))
        return changed

    def missing(self, kind: str, name: str, namespace: str) -> str:
        """Return what a roll-out still waits for, for people; empty when it has ended."""
        read: Callable[..., Any] = self._client.get
        with self._named():
            one = read(_KINDS[kind], name, namespace=namespace)
            status = one.status
            if not status or (status.observedGeneration or 0) < (one.metadata.generation or 0):
                return f"{kind} {name!r} is not looked at yet"
            if any(each.reason == "ProgressDeadlineExceeded" for each in status.conditions or ()):
                raise ClusterRefused(f"{kind} {name!r} does not progress: its own deadline is over")
            if isinstance(one, DaemonSet):
                wanted, updated = status.desiredNumberScheduled, status.updatedNumberScheduled
                ready = status.numberAvailable
            else:
                replicas = one.spec.replicas
                wanted, updated = 1 if replicas is None else replicas, status.updatedReplicas
                ready = status.availableReplicas
                if (status.replicas or 0) > (updated or 0) >= wanted:
                    return f"{kind} {name!r}: old pods are still there"
        done = min(updated or 0, ready or 0)
        return "" if done >= wanted else f"{kind} {name!r}: {done} of {wanted} are ready"

    def _some(
        self,
        kind: Any,  # noqa: ANN401 - one of many classes
        namespace: str | None,
        chunk: int = _CHUNK,
        **chosen: Any,  # noqa: ANN401 - labels and fields
    ) -> Iterable[Any]:
        listed: Callable[..., Iterable[Any]] = self._client.list  # its overloads know single classes
        where = {} if namespace is None else {"namespace": namespace}
        return islice(listed(kind, chunk_size=chunk, **where, **chosen), _MOST)

    @contextmanager
    def _named(self) -> Any:  # noqa: ANN401 - a generator
        """Say which cluster refused, and why."""
        try:
            yield
        except ApiError as problem:
            code = problem.status.code or problem.response.status_code
            raise ClusterRefused(f"{self._host} answers {code}: {problem.status.message}", code) from None
        except httpx2.HTTPStatusError as problem:
            code = problem.response.status_code
            raise ClusterRefused(f"{self._host} answers {code}, which is none of a cluster", code) from None
        except (httpx2.HTTPError, ssl.SSLError, AddressRefused) as problem:
            reason = str(problem) or type(problem).__name__
            raise ClusterRefused(f"{self._host} does not answer: {reason}") from None
        except (msgspec.MsgspecError, ValueError, AttributeError, KeyError, TypeError) as problem:
            raise ClusterRefused(f"{self._host} answers what no cluster does: {problem}") from None


class _Pinned(httpx2.HTTPTransport):
    """Calls the address that was judged, and expects the certificate of the name."""

    def __init__(self, credentials: Credentials, networks: Networks) -> None:
        super().__init__(verify=_tls(credentials), trust_env=False)
        self._networks = networks
        self._server_name = credentials.server_name or credentials.host

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; the header Host stays that of the name."""
        address = self._networks.resolve(request.url.host, request.url.port or 443)
        request.url = request.url.copy_with(host=address)
        request.extensions = {**request.extensions, "sni_hostname": self._server_name}
        return super().handle_request(request)


def _tls(credentials: Credentials) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=credentials.authority or None)
    if credentials.certificate:
        # The library reads them from files alone; mode 0600, and gone at once.
        with tempfile.NamedTemporaryFile() as file:
            file.write(f"{credentials.certificate}\n{credentials.key}\n".encode())
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _labels(one: Deployment) -> dict[str, str]:
    metadata = one.spec.template.metadata if one.spec else None
    return (metadata.labels if metadata else None) or {}


def _changes(one: Deployment, image: str, secret: str, mark: str) -> Fields:
    """The patch that rolls a deployment out anew."""
    pods: Fields = {}
    if image:
        containers = one.spec.template.spec.containers if one.spec and one.spec.template.spec else []
        same = [each for each in containers if _repository(each.image or "") == _repository(image)]
        chosen = same or (containers if len(containers) == 1 else [])
        if not chosen:
            name = one.metadata.name if one.metadata else ""
            raise ClusterRefused(f"no container of deployment {name!r} has an image like {image!r}")
        pods["containers"] = [{"name": each.name, "image": image} for each in chosen]
    if secret:
        pods["imagePullSecrets"] = [{"name": secret}]
    stamp = {"annotations": {_DEPLOYED_BY: mark}}
    return {"spec": {"template": {"metadata": stamp, "spec": pods}}}


def _repository(image: str) -> str:
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]


def _order(item: Fields) -> tuple[str, str, str]:
    return (item.get("namespace", ""), item["name"], item.get("kind", ""))


def _head(metadata: Any) -> Fields:  # noqa: ANN401 - a model of the library, or None
    found: Fields = {"name": metadata.name or ""}
    if metadata.namespace:
        found["namespace"] = metadata.namespace
    created = metadata.creationTimestamp
    if isinstance(created, datetime):
        found["created"] = created.isoformat().replace("+00:00", "Z")
    return found


def _service(one: Service) -> Fields:
    spec = one.spec
    ports = [
        {"name": port.name or "", "port": port.port, "protocol": port.protocol or "TCP"}
        for port in (spec.ports if spec else None) or ()
    ]
    return {
        **_head(one.metadata),
        "type": (spec.type if spec else None) or "ClusterIP",
        "clusterIP": (spec.clusterIP if spec else None) or "",
        "selector": (spec.selector if spec else None) or {},
        "ports": ports,
    }


def _workload(one: Any) -> Fields:  # noqa: ANN401 - one of three classes
    spec, status = one.spec, one.status
    containers = spec.template.spec.containers if spec and spec.template.spec else ()
    if isinstance(one, DaemonSet):
        wanted, ready = status and status.desiredNumberScheduled, status and status.numberReady
    else:
        wanted, ready = spec and spec.replicas, status and status.readyReplicas
    return {
        **_head(one.metadata),
        "kind": type(one).__name__,
        "images": [each.image or "" for each in containers],
        "replicas": wanted or 0,
        "ready": ready or 0,
    }


def _pod(one: Pod) -> Fields:
    status = one.status
    states = (status.containerStatuses if status else None) or ()
    waiting = [each.state.waiting.reason for each in states if each.state and each.state.waiting]
    return {
        **_head(one.metadata),
        "phase": (status.phase if status else None) or "Unknown",
        "reason": (status.reason if status else None) or next((each for each in waiting if each), ""),
        "node": (one.spec.nodeName if one.spec else None) or "",
        "images": [each.image or "" for each in (one.spec.containers if one.spec else ())],
        "ready": bool(states) and all(each.ready for each in states),
        "restarts": sum(each.restartCount for each in states),
    }
