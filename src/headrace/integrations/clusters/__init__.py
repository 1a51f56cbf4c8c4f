"""Kubernetes clusters, as their API servers show them."""

from headrace.integrations.clusters.addresses import AddressRefused, Networks
from headrace.integrations.clusters.credentials import Credentials, CredentialsInvalid
from headrace.integrations.clusters.errors import ClusterRefused
from headrace.integrations.clusters.kubeconfig import secrets_of, to_kubeconfig

__all__ = [
    "AddressRefused",
    "ClusterRefused",
    "Credentials",
    "CredentialsInvalid",
    "Networks",
    "client",
    "secrets_of",
    "to_kubeconfig",
]
client = "headrace.integrations.clusters.client"  # imported where a cluster is called: it takes 0.2 s
