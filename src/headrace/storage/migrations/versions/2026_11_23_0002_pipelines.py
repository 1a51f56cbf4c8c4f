"""Projects, pipelines, contexts and annotations."""

import sqlalchemy as sa
from alembic import op

from headrace.storage.metadata import JsonText, UtcTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "projects",
        *_owned("projects"),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("tags", JsonText(), nullable=False),
        sa.Column("variables", JsonText(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.UniqueConstraint("account_id", "name", name="uq_projects_account_id_name"),
    )
    op.create_table(
        "pipelines",
        *_owned("pipelines"),
        sa.Column("project_id", sa.String(24), nullable=False),
        sa.Column("name", sa.String(512), nullable=False),
        sa.Column("short_name", sa.String(255), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("labels", JsonText(), nullable=False),
        sa.Column("document", JsonText(), nullable=False),
        sa.Column("yaml", sa.Text(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_pipelines_project_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("account_id", "name", name="uq_pipelines_account_id_name"),
    )
    op.create_index("ix_pipelines_project_id", "pipelines", ["project_id"])
    op.create_table(
        "contexts",
        *_owned("contexts"),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("document", JsonText(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.UniqueConstraint("account_id", "name", name="uq_contexts_account_id_name"),
    )
    op.create_table(
        "annotations",
        *_owned("annotations"),
        sa.Column("entity_type", sa.String(64), nullable=False),
        sa.Column("entity_id", sa.String(1024), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("display", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.UniqueConstraint(
            "account_id",
            "entity_type",
            "entity_id",
            "key",
            name="uq_annotations_account_id_entity_type_entity_id_key",
        ),
    )


def _owned(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    """Return the columns of a row that belongs to an account, with their constraints."""
    return (
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("account_id", sa.String(24), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=f"fk_{table}_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
