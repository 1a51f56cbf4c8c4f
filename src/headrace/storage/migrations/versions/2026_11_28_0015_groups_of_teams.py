"""Where a team comes from, if it was not made by hand."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the columns: all teams that there are were made by hand."""
    op.add_column("teams", sa.Column("source", sa.String(300), nullable=False, server_default=""))
    op.add_column("teams", sa.Column("remote", sa.String(64), nullable=False, server_default=""))
