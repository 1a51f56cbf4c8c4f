"""Teams, Git repositories that accounts added, Helm boards and repositories."""

import sqlalchemy as sa
from alembic import op

from headrace.storage.metadata import JsonText, UtcTime

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Create the tables."""
    _owned(
        "teams",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("tags", JsonText(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.UniqueConstraint("account_id", "name", name="uq_teams_account_id_name"),
    )
    op.create_table(
        "team_members",
        sa.Column("team_id", sa.String(24), nullable=False),
        sa.Column("user_id", sa.String(24), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name="fk_team_members_team_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_team_members_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("team_id", "user_id", name="pk_team_members"),
    )
    op.create_index("ix_team_members_user_id", "team_members", ["user_id"])
    _owned(
        "repos",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("context", sa.String(255), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("repo", sa.String(255), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.UniqueConstraint("account_id", "name", name="uq_repos_account_id_name"),
    )
    _owned(
        "helm_boards",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("filter", JsonText()),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.UniqueConstraint("account_id", "name", name="uq_helm_boards_account_id_name"),
    )
    _owned(
        "helm_sections",
        sa.Column("board_id", sa.String(24), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("section", sa.String(255), nullable=False),
        sa.Column("color", sa.String(32), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["helm_boards.id"], name="fk_helm_sections_board_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("board_id", "name", name="uq_helm_sections_board_id_name"),
    )
    _owned(
        "helm_repos",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.UniqueConstraint("account_id", "name", name="uq_helm_repos_account_id_name"),
    )


def _owned(name: str, *columns: sa.schema.SchemaItem) -> None:
    """Create a table of objects of accounts."""
    op.create_table(
        name,
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("account_id", sa.String(24), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=f"fk_{name}_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )
