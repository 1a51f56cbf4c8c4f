"""The kubeconfig of several clusters, for steps: one context each, named as the cluster is.

Source: the kubeconfig format of Kubernetes. Written as JSON, which is YAML.
"""

import base64
from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.integrations.clusters.credentials import Credentials


def to_kubeconfig(clusters: Mapping[str, Credentials]) -> str:
    """Return the file; its current context is that of the only cluster, else none."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "current-context": next(iter(clusters)) if len(clusters) == 1 else "",
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in clusters],
        "clusters": [{"name": name, "cluster": _server(login)} for name, login in clusters.items()],
        "users": [{"name": name, "user": _user(login)} for name, login in clusters.items()],
    }
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"


def secrets_of(login: Credentials) -> frozenset[str]:
    """Return what of a login must be in no log: as it is, and as the file has it."""
    key = (login.key, _base64(login.key)) if login.key else ()
    return frozenset(filter(None, (login.token, *key)))


def _server(login: Credentials) -> dict[str, Any]:
    server = {"server": login.url}
    if login.authority:
        server["certificate-authority-data"] = _base64(login.authority)
    if login.server_name:
        server["tls-server-name"] = login.server_name
    return server


def _user(login: Credentials) -> dict[str, Any]:
    user = {"token": login.token} if login.token else {}
    if login.certificate:
        user["client-certificate-data"] = _base64(login.certificate)
        user["client-key-data"] = _base64(login.key)
    return user


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
