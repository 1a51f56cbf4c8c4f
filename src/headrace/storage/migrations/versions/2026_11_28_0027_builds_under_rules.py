"""The list of builds has their pipelines in its index, for readers who may not see all of them."""

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Replace the index that had no pipelines: seconds for each million builds."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL statement_timeout = '10min'")
    op.create_index("ix_builds_listed", "builds", ["account_id", "created_at", "id", "pipeline_id"])
    op.drop_index("ix_builds_account_id_builds_created_at_builds_id", table_name="builds")
