"""The rows of how Helm uses clusters."""

import msgspec
from sqlalchemy import Connection, delete, insert, select

from headrace.kit.ids import new_id
from headrace.resources.releases.model import helm_clusters
from headrace.resources.releases.schemas import ClusterConfig


def config(db: Connection, account_id: str, cluster_id: str) -> ClusterConfig | None:
    """Return what is stored for a cluster; None where nothing is."""
    query = select(helm_clusters.c.config).where(
        helm_clusters.c.account_id == account_id, helm_clusters.c.cluster_id == cluster_id
    )
    found = db.execute(query).scalar()
    return None if found is None else msgspec.convert(found, ClusterConfig)


def store(db: Connection, account_id: str, cluster_id: str, config: ClusterConfig) -> None:
    """Store it in the place of what was there."""
    same = (helm_clusters.c.account_id == account_id, helm_clusters.c.cluster_id == cluster_id)
    db.execute(delete(helm_clusters).where(*same))
    row = {"id": new_id(), "account_id": account_id, "cluster_id": cluster_id, "config": config}
    db.execute(insert(helm_clusters).values(**row))
