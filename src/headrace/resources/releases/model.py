"""The table of how Helm uses a cluster."""

from sqlalchemy import Column, Table, UniqueConstraint

from headrace.storage.metadata import JsonText, id_column, metadata, reference

helm_clusters = Table(
    "helm_clusters",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    reference("cluster_id", "clusters.id"),
    Column("config", JsonText, nullable=False),  # a `schemas.ClusterConfig`
    UniqueConstraint("cluster_id"),
)
