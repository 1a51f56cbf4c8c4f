"""The audit log."""

import sqlalchemy as sa
from alembic import op

from headrace.storage.metadata import UtcTime

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "audit",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("account_id", sa.String(24), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("user_id", sa.String(24), nullable=False),
        sa.Column("user_name", sa.String(255), nullable=False),
        sa.Column("key_id", sa.String(24)),
        sa.Column("build_id", sa.String(24)),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("entity", sa.String(64), nullable=False),
        sa.Column("entity_id", sa.String(255), nullable=False),
        sa.Column("method", sa.String(8), nullable=False),
        sa.Column("path", sa.String(255), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("user_agent", sa.String(255), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_audit_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_of_account", "audit", ["account_id", "id"])
    op.create_index("ix_audit_created_at", "audit", ["created_at"])
