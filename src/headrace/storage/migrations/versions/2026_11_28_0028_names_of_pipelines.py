"""The list of pipelines has their names in its index, for who searches it or asks for the names alone."""

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Replace the index that had no names."""
    op.drop_index("ix_pipelines_listed", table_name="pipelines")
    op.create_index("ix_pipelines_listed", "pipelines", ["account_id", "updated_at", "id", "name"])
