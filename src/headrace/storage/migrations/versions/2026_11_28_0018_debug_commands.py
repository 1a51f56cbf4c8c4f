"""What is asked of steps that wait at a breakpoint."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "debug_commands",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("build_id", sa.String(24), nullable=False),
        sa.Column("step", sa.String(512), nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("script", sa.Text(), nullable=False),
        sa.Column("by", sa.String(255), nullable=False),
        sa.ForeignKeyConstraint(
            ["build_id"], ["builds.id"], name="fk_debug_commands_build_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_debug_commands"),
    )
    columns = ["build_id", "step", "phase", "id"]
    op.create_index("ix_debug_commands_build_id_step_phase_id", "debug_commands", columns)
