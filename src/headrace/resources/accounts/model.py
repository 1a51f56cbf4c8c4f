"""The table of accounts."""

from sqlalchemy import Column, String, Table

from headrace.storage.metadata import UtcTime, id_column, metadata

accounts = Table(
    "accounts",
    metadata,
    id_column(),
    Column("name", String(255), nullable=False, unique=True),
    Column("created_at", UtcTime, nullable=False),
    Column("deleted_at", UtcTime),  # nobody sees it any more, its builds are being removed; NULL: it is there
)
