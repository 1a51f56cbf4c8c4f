"""The table of runner agents."""

from sqlalchemy import Column, String, Table, Text, UniqueConstraint

from headrace.storage.metadata import JsonText, UtcTime, id_column, metadata, reference

agents = Table(
    "agents",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    Column("name", String(255), nullable=False),
    Column("runtimes", JsonText, nullable=False),  # names of runtime environments
    reference("key_id"),  # its API key, which ends with it
    Column("message", Text, nullable=False),  # of its last report
    Column("reported_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "name"),
)
