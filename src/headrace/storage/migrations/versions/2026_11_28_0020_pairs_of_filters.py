"""The builds of a pipeline that have a status are in an index, in the order of the list."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Replace the index that had no order: seconds for each million builds."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL statement_timeout = '10min'")
    op.create_index(
        "ix_builds_by_pipeline_and_status",
        "builds",
        ["pipeline_id", "status", "account_id", "created_at", "id"],
    )
    op.drop_index("ix_builds_pipeline_id_builds_status", table_name="builds")
