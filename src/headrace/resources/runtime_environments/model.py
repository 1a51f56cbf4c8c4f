"""The tables of workers, which report themselves, and of what accounts say about their environments."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint

from headrace.storage.metadata import JsonText, UtcTime, id_column, metadata, reference

workers = Table(
    "workers",
    metadata,
    id_column(),
    Column("environment", String(255), nullable=False),
    Column("runtime", String(32), nullable=False),  # ``local``, ``docker`` …
    Column("host", String(255), nullable=False),
    Column("capacity", Integer, nullable=False),  # builds at a time
    Column("running", Integer, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Index(None, "environment"),
    Index(None, "seen_at"),
)

runtime_environments = Table(
    "runtime_environments",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    Column("name", String(255), nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("hidden", Boolean, nullable=False),  # deleted from the account, although workers serve it
    Column("version", Integer, nullable=False),
    Column("description", Text, nullable=False),
    Column("document", JsonText, nullable=False),  # what clients stored of it
    Column("history", JsonText, nullable=False),  # earlier versions, the oldest first
    Column("changed_by", String(255), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "name"),
)
