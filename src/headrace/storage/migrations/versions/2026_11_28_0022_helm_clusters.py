"""How Helm uses the clusters of an account."""

import sqlalchemy as sa
from alembic import op

from headrace.storage.metadata import JsonText

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "helm_clusters",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("account_id", sa.String(24), nullable=False),
        sa.Column("cluster_id", sa.String(24), nullable=False),
        sa.Column("config", JsonText(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_helm_clusters_account_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["cluster_id"], ["clusters.id"], name="fk_helm_clusters_cluster_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_helm_clusters"),
        sa.UniqueConstraint("cluster_id", name="uq_helm_clusters_cluster_id"),
    )
