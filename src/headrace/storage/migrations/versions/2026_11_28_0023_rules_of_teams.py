"""Rules of teams. Accounts that are there keep what everybody could do: a team of all users may do all."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from headrace.kit.ids import new_id
from headrace.storage.metadata import JsonText, UtcTime

revision = "0023"
down_revision = "0022"

# As of this release; what a later one adds to new accounts is its own migration for the others.
_ALLOWED = {
    "pipeline": ("create", "read", "update", "delete", "run", "approve", "debug"),
    "project": ("create", "read", "update", "delete"),
    "cluster": ("create", "read", "update", "delete"),
}
_accounts = sa.table("accounts", sa.column("id"))
_memberships = sa.table("memberships", sa.column("account_id"), sa.column("user_id"))
_teams = sa.table(
    "teams",
    sa.column("id"),
    sa.column("account_id"),
    sa.column("name"),
    sa.column("tags", JsonText),
    sa.column("created_at", UtcTime),
)
_team_members = sa.table("team_members", sa.column("team_id"), sa.column("user_id"))


def upgrade() -> None:
    """Create the table; give each account its team of all users, with rules that allow everything."""
    rules = op.create_table(
        "abac_rules",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("account_id", sa.String(24), nullable=False),
        sa.Column("team_id", sa.String(24), nullable=False),
        sa.Column("resource", sa.String(32), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("tags", JsonText(), nullable=False),
        sa.Column("of_project", sa.Boolean(), nullable=False),
        sa.Column("needs_all", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_abac_rules_account_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name="fk_abac_rules_team_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_abac_rules"),
    )
    op.create_index("ix_abac_rules_account_id", "abac_rules", ["account_id"])
    op.create_index("ix_abac_rules_of_team", "abac_rules", ["team_id", "resource"])
    op.add_column("clusters", sa.Column("tags", JsonText(), nullable=False, server_default="[]"))
    db = op.get_bind()
    for account_id in db.execute(sa.select(_accounts.c.id)).scalars().all():
        now = datetime.now(UTC)
        team_id = _team_of_all(db, account_id, now)
        each = {"account_id": account_id, "team_id": team_id, "tags": ["*", "untagged"], "created_at": now}
        op.bulk_insert(
            rules,
            [
                {
                    "id": new_id(),
                    "resource": resource,
                    "action": action,
                    "of_project": False,
                    "needs_all": False,
                }
                | each
                for resource, actions in _ALLOWED.items()
                for action in actions
            ],
        )


def _team_of_all(db: sa.Connection, account_id: str, now: datetime) -> str:
    """Return the team ``users`` of an account, with all users in it; one of that name may be there."""
    same = _teams.c.account_id == account_id, _teams.c.name == "users"
    team_id = db.execute(sa.select(_teams.c.id).where(*same)).scalar()
    if team_id is None:
        team_id = new_id()
        new = {"id": team_id, "account_id": account_id, "name": "users", "tags": [], "created_at": now}
        db.execute(sa.insert(_teams).values(new))
    inside = sa.select(_team_members.c.user_id).where(_team_members.c.team_id == team_id)
    users = sa.select(sa.literal(team_id), _memberships.c.user_id).where(
        _memberships.c.account_id == account_id, _memberships.c.user_id.not_in(inside)
    )
    db.execute(sa.insert(_team_members).from_select(["team_id", "user_id"], users))
    return str(team_id)
