"""Secrets and config maps of a cluster that is registered."""

import base64
import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from headrace.integrations.clusters.errors import ClusterRefused
from headrace.integrations.secrets.store import Address, StoreFailed

if TYPE_CHECKING:
    from headrace.integrations.clusters.client import Cluster

_KINDS = ("secret", "configmap")


class Place(msgspec.Struct, frozen=True):
    """Where a context says that its secrets are."""

    cluster: str
    namespace: str
    kind: str  # ``secret`` or ``configmap``
    name: str  # of the resource; empty: each address names its own

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Place":
        """Read the data of a context.

        Raises:
            StoreFailed: the cluster is missing, or the kind is unknown.
        """
        texts = {field: str(data.get(field) or "") for field in ("cluster", "namespace", "resourceName")}
        kind = str(data.get("resourceType") or "secret")
        if not texts["cluster"]:
            raise StoreFailed("the context names no cluster; set spec.data.cluster")
        if kind not in _KINDS:
            raise StoreFailed(f"resourceType must be one of {', '.join(_KINDS)}, not {kind!r}")
        return cls(texts["cluster"], texts["namespace"] or "default", kind, texts["resourceName"])


def read_cluster(cluster: "Cluster", place: Place, address: Address) -> str:
    """Return a value of a secret or a config map.

    Raises:
        StoreFailed: see there.
    """
    name = address.resource or place.name
    if not name:
        raise StoreFailed(
            f"which {place.kind}? write 'secrets.STORE.NAME@KEY', or set spec.data.resourceName"
        )
    try:
        found = cluster.data_of(place.kind, place.namespace, name)
    except ClusterRefused as refusal:
        raise StoreFailed(f"{place.kind} {name!r} in {place.namespace!r}: {refusal}") from None
    if address.key not in found:
        known = ", ".join(sorted(found)) or "none"
        raise StoreFailed(f"{place.kind} {name!r} has no key {address.key!r}, but {known}")
    value = found[address.key]
    if place.kind == "configmap":
        return value
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        raise StoreFailed(f"key {address.key!r} of secret {name!r} is no text") from None
