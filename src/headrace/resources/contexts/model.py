"""The table of contexts."""

from sqlalchemy import Boolean, Column, String, Table, UniqueConstraint

from headrace.storage.metadata import JsonText, UtcTime, id_column, metadata, reference

contexts = Table(
    "contexts",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    Column("name", String(255), nullable=False),
    Column("type", String(64), nullable=False),
    Column("is_default", Boolean, nullable=False),  # at most one git context of an account
    Column("document", JsonText, nullable=False),  # as given; secret values are sealed in their places
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "name"),
)
