"""Each filter of the list of builds has an index in the order of the list."""

from alembic import op

revision = "0013"
down_revision = "0012"

_MADE = ("pipeline_id", "status", "branch", "trigger_kind", "trigger_id", "parent_id")


def upgrade() -> None:
    """Create the indexes: seconds for each million builds, during which no build is written."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL statement_timeout = '10min'")
    op.drop_index("ix_builds_account_id_builds_pipeline_id_builds_created_at", table_name="builds")
    op.drop_index("ix_builds_parent_id", table_name="builds")
    for column in _MADE:
        op.create_index(f"ix_builds_by_{column}", "builds", ["account_id", column, "created_at", "id"])
