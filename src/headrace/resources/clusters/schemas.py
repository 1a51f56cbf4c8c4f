"""Clusters on the wire. Logins go in, and come out in `CredentialsOut` alone."""

from typing import Annotated

import msgspec

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Short = Annotated[str, msgspec.Meta(max_length=255)]
# A name of Kubernetes: nothing that would lead to another place of its API.
Namespace = Annotated[str, msgspec.Meta(max_length=63, pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)\Z")]
SomeNamespace = Annotated[str, msgspec.Meta(max_length=63, pattern=r"^(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)\Z")]
Secret = Annotated[str, msgspec.Meta(max_length=65_536)]
Kubeconfig = Annotated[str, msgspec.Meta(max_length=1_048_576)]


class ClusterFields(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """What describes a cluster: a kubeconfig, or an address with a token."""

    selector: Annotated[
        Short, msgspec.Meta(description="its name; by default that of the context of the kubeconfig")
    ] = ""
    kubeconfig: Annotated[Kubeconfig, msgspec.Meta(description="YAML or JSON, with all it needs in it")] = ""
    kube_context: Annotated[Short, msgspec.Meta(description="of the kubeconfig; by default the current")] = ""
    host: Annotated[
        str,
        msgspec.Meta(max_length=2048, description="address of the API server, where there is no kubeconfig"),
    ] = ""
    service_account_token: Annotated[Secret, msgspec.Meta(description="as it is, or in base64")] = ""
    client_ca: Annotated[
        Secret, msgspec.Meta(description="certificate of its authority: PEM, or that in base64")
    ] = ""
    behind_firewall: Annotated[bool, msgspec.Meta(description="do not call it now")] = False
    tags: Annotated[
        list[Name], msgspec.Meta(max_length=100, description="what rules of teams can be about")
    ] = []


class ClusterName(msgspec.Struct):
    """What clients read of the cluster itself."""

    name: str


class ClusterOut(msgspec.Struct, kw_only=True, rename="camel"):
    """A cluster as readers see it."""

    id: str = msgspec.field(name="_id")
    selector: str
    provider: str
    provider_agent: str = "custom"
    behind_firewall: bool
    url: str
    tags: list[str]
    cluster: ClusterName


class ClusterAuth(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """What logs in."""

    bearer: str
    client_certificate: Annotated[str, msgspec.Meta(description="base64 of PEM")] = ""
    client_key: Annotated[str, msgspec.Meta(description="base64 of PEM")] = ""


class CredentialsOut(msgspec.Struct, kw_only=True):
    """How to reach a cluster."""

    auth: ClusterAuth
    ca: Annotated[str, msgspec.Meta(description="base64 of PEM; empty: an authority that everybody knows")]
    url: str


class NamespaceQuery(msgspec.Struct):
    """Where to look."""

    namespace: Annotated[SomeNamespace, msgspec.Meta(description="`*` is every namespace")] = "default"


class PullSecretQuery(msgspec.Struct):
    """Where the secret goes."""

    selector: Name
    namespace: Namespace


class PullSecretBody(msgspec.Struct):
    """Which login the secret holds."""

    registry: Name


class PullSecretOut(msgspec.Struct):
    """The secret that was stored."""

    name: str


class NamespaceOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A namespace."""

    name: str
    status: str
    created: str = ""


class Port(msgspec.Struct, kw_only=True):
    """A port of a service."""

    name: str
    port: int
    protocol: str


class ServiceOut(msgspec.Struct, kw_only=True, rename={"cluster_ip": "clusterIP"}, omit_defaults=True):
    """A service."""

    name: str
    namespace: str
    type: str
    cluster_ip: str
    selector: dict[str, str]
    ports: list[Port]
    created: str = ""


class WorkloadOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A deployment, stateful set or daemon set."""

    name: str
    namespace: str
    kind: str
    images: list[str]
    replicas: int
    ready: int
    created: str = ""


class PodOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A pod."""

    name: str
    namespace: str
    phase: str
    reason: str
    node: str
    images: list[str]
    ready: bool
    restarts: int
    created: str = ""
