"""Compositions that are stored by name."""

import sqlalchemy as sa
from alembic import op

from headrace.storage.metadata import JsonText, UtcTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "compositions",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("account_id", sa.String(24), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("is_advanced", sa.Boolean(), nullable=False),
        sa.Column("vars", JsonText(), nullable=False),
        sa.Column("yaml_json", sa.Text(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_compositions_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_compositions"),
        sa.UniqueConstraint("account_id", "name", name="uq_compositions_account_id_name"),
    )
