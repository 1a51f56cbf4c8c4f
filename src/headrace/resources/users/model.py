"""The tables of users and of the accounts that they belong to."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, false

from headrace.storage.metadata import UtcTime, id_column, metadata, reference

users = Table(
    "users",
    metadata,
    id_column(),
    Column("name", String(255), nullable=False, unique=True),
    Column("email", String(320), nullable=False),
    Column("password_hash", String(255)),  # argon2id; NULL: this user cannot log in by password
    Column("is_platform_admin", Boolean, nullable=False),
    Column("is_service", Boolean, nullable=False, server_default=false()),  # a machine, which has keys alone
    Column("session_epoch", Integer, nullable=False),  # sessions of an earlier epoch are dead
    reference("active_account_id", "accounts.id"),
    Column("created_at", UtcTime, nullable=False),
)

memberships = Table(
    "memberships",
    metadata,
    Column("account_id", String(24), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", String(24), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("is_admin", Boolean, nullable=False),
)
