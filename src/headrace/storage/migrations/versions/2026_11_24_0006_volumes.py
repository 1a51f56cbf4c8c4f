"""Volumes that outlive their build."""

import sqlalchemy as sa
from alembic import op

from headrace.storage.metadata import UtcTime

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table, and let a build ask for the volume of another."""
    op.create_table(
        "volumes",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("pipeline_id", sa.String(24), nullable=False),
        sa.Column("build_id", sa.String(24), nullable=False),
        sa.Column("free_since", UtcTime()),
        sa.PrimaryKeyConstraint("id", name="pk_volumes"),
    )
    op.create_index("ix_volumes_pipeline_id_volumes_free_since", "volumes", ["pipeline_id", "free_since"])
    op.create_index("ix_volumes_build_id", "volumes", ["build_id"])
    op.add_column("builds", sa.Column("volume_from", sa.String(24)))
