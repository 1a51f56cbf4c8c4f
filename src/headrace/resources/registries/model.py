"""The table of registries."""

from sqlalchemy import Boolean, Column, String, Table, UniqueConstraint

from headrace.storage.metadata import JsonText, UtcTime, id_column, metadata, reference

registries = Table(
    "registries",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    Column("name", String(255), nullable=False),
    Column("domain", String(255), nullable=False),
    Column("provider", String(32), nullable=False),
    Column("is_default", Boolean, nullable=False),  # at most one of an account
    Column("document", JsonText, nullable=False),  # the other fields as given; secret values are sealed
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "name"),
)
