"""Which build runs which again."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Create the table; of the restarts before it nothing is known."""
    op.create_table(
        "build_restarts",
        sa.Column(
            "build_id",
            sa.String(24),
            sa.ForeignKey("builds.id", name="fk_build_restarts_build_id_builds", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("of_build_id", sa.String(24), nullable=False),
        sa.Column("from_step", sa.String(512)),
        sa.Column("from_failed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("build_id", name="pk_build_restarts"),
    )
    op.create_index("ix_build_restarts_of_build_id", "build_restarts", ["of_build_id"])
