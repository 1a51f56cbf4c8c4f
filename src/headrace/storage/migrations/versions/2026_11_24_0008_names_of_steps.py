"""Room for the names of steps within hooks and groups."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Widen the column."""
    with op.batch_alter_table("build_steps") as steps:
        steps.alter_column(
            "name", type_=sa.String(512), existing_type=sa.String(150), existing_nullable=False
        )
