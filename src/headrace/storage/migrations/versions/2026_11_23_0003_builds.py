"""Builds and their steps."""

import sqlalchemy as sa
from alembic import op

from headrace.storage.metadata import JsonText, UtcTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "builds",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("account_id", sa.String(24), nullable=False),
        sa.Column("progress_id", sa.String(24), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("started_at", UtcTime()),
        sa.Column("finished_at", UtcTime()),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("pipeline_id", sa.String(24)),
        sa.Column("pipeline_name", sa.String(512), nullable=False),
        sa.Column("project", sa.String(255), nullable=False),
        sa.Column("user_id", sa.String(24), nullable=False),
        sa.Column("initiator", sa.String(255), nullable=False),
        sa.Column("trigger_kind", sa.String(32), nullable=False),
        sa.Column("trigger_id", sa.String(24)),
        sa.Column("trigger_name", sa.String(255)),
        sa.Column("branch", sa.Text()),
        sa.Column("revision", sa.Text()),
        sa.Column("repo_owner", sa.String(255)),
        sa.Column("repo_name", sa.String(255)),
        sa.Column("request_id", sa.String(64)),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("concurrency", sa.Integer()),
        sa.Column("branch_concurrency", sa.Integer()),
        sa.Column("trigger_concurrency", sa.Integer()),
        sa.Column("owner", sa.String(24)),
        sa.Column("lease_until", UtcTime()),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("stop_requested", sa.Boolean(), nullable=False),
        sa.Column("waiting_step", sa.String(150)),
        sa.Column("waiting_until", UtcTime()),
        sa.Column("waiting_final", sa.String(16)),
        sa.Column("decision", JsonText()),
        sa.Column("options", JsonText(), nullable=False),
        sa.Column("given", JsonText(), nullable=False),
        sa.Column("variables", JsonText(), nullable=False),
        sa.Column("yaml", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_builds_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_builds"),
        sa.UniqueConstraint("progress_id", name="uq_builds_progress_id"),
        sa.UniqueConstraint("account_id", "request_id", name="uq_builds_account_id_request_id"),
    )
    for columns in (
        ["account_id", "created_at", "id"],
        ["account_id", "pipeline_id", "created_at"],
        ["status", "priority", "created_at"],
        ["pipeline_id", "status"],
        ["owner"],
    ):
        op.create_index("ix_builds_" + "_builds_".join(columns), "builds", columns)
    op.create_table(
        "build_steps",
        sa.Column("build_id", sa.String(24), nullable=False),
        sa.Column("name", sa.String(150), nullable=False),
        sa.Column("state", JsonText(), nullable=False),
        sa.ForeignKeyConstraint(
            ["build_id"], ["builds.id"], name="fk_build_steps_build_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("build_id", "name", name="pk_build_steps"),
    )
