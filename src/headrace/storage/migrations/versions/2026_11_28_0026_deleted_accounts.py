"""Accounts that are deleted, while what they had is being removed."""

import sqlalchemy as sa
from alembic import op

from headrace.storage.metadata import UtcTime

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Add the moment of the deletion; all accounts that are there are not deleted."""
    op.add_column("accounts", sa.Column("deleted_at", UtcTime()))
