"""The table of API keys."""

from sqlalchemy import Column, ForeignKey, String, Table

from headrace.storage.metadata import JsonText, UtcTime, id_column, metadata

api_keys = Table(
    "api_keys",
    metadata,
    id_column(),  # also the first part of the key
    Column(
        "account_id", String(24), ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("user_id", String(24), ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("prefix", String(12), nullable=False),  # of the secret, for people to tell keys apart
    Column("secret_hash", String(64), nullable=False),  # SHA-256, hex
    Column("scopes", JsonText),  # a list; NULL: everything that the user may do
    Column("subject_type", String(32), nullable=False),  # user, runtime-environment
    Column("subject_ref", String(255), nullable=False),  # id of the user, name of the environment
    Column("build_id", String(24), index=True),  # the build that holds this key and takes it along
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("last_used_at", UtcTime),
)
