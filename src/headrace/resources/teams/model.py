"""The tables of teams and of their members."""

from sqlalchemy import Column, ForeignKey, String, Table, UniqueConstraint

from headrace.storage.metadata import JsonText, UtcTime, id_column, metadata, reference

teams = Table(
    "teams",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    Column("name", String(255), nullable=False),
    Column("tags", JsonText, nullable=False),
    Column("source", String(300), nullable=False, server_default=""),  # "" by hand; ``github/context``
    Column("remote", String(64), nullable=False, server_default=""),  # id of the group there
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "name"),
)

team_members = Table(
    "team_members",
    metadata,
    Column("team_id", String(24), ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", String(24), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
)
