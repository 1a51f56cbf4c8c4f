"""Which build has started which."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the column and its index."""
    op.add_column("builds", sa.Column("parent_id", sa.String(24)))
    op.create_index("ix_builds_parent_id", "builds", ["parent_id"])
