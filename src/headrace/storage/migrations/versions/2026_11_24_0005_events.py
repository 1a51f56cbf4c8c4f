"""Triggers, events, runtime environments, agents; what the queue knows more."""

import sqlalchemy as sa
from alembic import op

from headrace.storage.metadata import JsonText, UtcTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables, and add columns to the builds."""
    op.add_column("builds", sa.Column("counts_waiting", sa.Boolean()))
    op.add_column("builds", sa.Column("environment", sa.String(255)))
    op.add_column("builds", sa.Column("termination_policy", JsonText()))
    op.create_table(
        "triggers",
        sa.Column("pipeline_id", sa.String(24), nullable=False),
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("account_id", sa.String(24), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("repo", sa.String(512)),
        sa.Column("due_at", UtcTime()),
        sa.Column("fired_at", UtcTime()),
        sa.Column("problem", sa.Text()),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_triggers_account_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["pipeline_id"], ["pipelines.id"], name="fk_triggers_pipeline_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pipeline_id", "id", name="pk_triggers"),
    )
    op.create_index("ix_triggers_account_id_triggers_repo", "triggers", ["account_id", "repo"])
    op.create_index("ix_triggers_due_at", "triggers", ["due_at"])
    op.create_table(
        "receivers",
        sa.Column("account_id", sa.String(24), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_receivers_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name="pk_receivers"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("account_id", sa.String(24), nullable=False),
        sa.Column("uri", sa.String(1024), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("context", sa.String(255), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("config", JsonText(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("due_at", UtcTime()),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_events_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.UniqueConstraint("account_id", "uri", name="uq_events_account_id_uri"),
    )
    op.create_index("ix_events_due_at", "events", ["due_at"])
    op.create_table(
        "event_links",
        sa.Column("event_id", sa.String(24), nullable=False),
        sa.Column("pipeline_id", sa.String(24), nullable=False),
        sa.Column("filters", JsonText(), nullable=False),
        sa.Column("problem", sa.Text()),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name="fk_event_links_event_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["pipeline_id"], ["pipelines.id"], name="fk_event_links_pipeline_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("event_id", "pipeline_id", name="pk_event_links"),
    )
    op.create_index("ix_event_links_pipeline_id", "event_links", ["pipeline_id"])
    op.create_table(
        "status_reports",
        sa.Column("build_id", sa.String(24), nullable=False),
        sa.Column("account_id", sa.String(24), nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("context", sa.String(255), nullable=False),
        sa.Column("repo", sa.String(512), nullable=False),
        sa.Column("revision", sa.String(255), nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("reported", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_status_reports_account_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["build_id"], ["builds.id"], name="fk_status_reports_build_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("build_id", name="pk_status_reports"),
    )
    op.create_index("ix_status_reports_due_at", "status_reports", ["due_at"])
    op.create_table(
        "workers",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("environment", sa.String(255), nullable=False),
        sa.Column("runtime", sa.String(32), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("running", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcTime(), nullable=False),
        sa.Column("seen_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
    )
    op.create_index("ix_workers_environment", "workers", ["environment"])
    op.create_index("ix_workers_seen_at", "workers", ["seen_at"])
    op.create_table(
        "runtime_environments",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("account_id", sa.String(24), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("document", JsonText(), nullable=False),
        sa.Column("history", JsonText(), nullable=False),
        sa.Column("changed_by", sa.String(255), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_runtime_environments_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_runtime_environments"),
        sa.UniqueConstraint("account_id", "name", name="uq_runtime_environments_account_id_name"),
    )
    op.create_table(
        "agents",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("account_id", sa.String(24), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("runtimes", JsonText(), nullable=False),
        sa.Column("key_id", sa.String(24), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("reported_at", UtcTime()),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_agents_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_agents"),
        sa.UniqueConstraint("account_id", "name", name="uq_agents_account_id_name"),
    )
    op.create_table(
        "workflow_data",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("build_id", sa.String(24), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["build_id"], ["builds.id"], name="fk_workflow_data_build_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_workflow_data"),
    )
    op.create_index("ix_workflow_data_build_id", "workflow_data", ["build_id"])
