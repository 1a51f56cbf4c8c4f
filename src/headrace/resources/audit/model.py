"""The table of the audit log."""

from sqlalchemy import Column, Index, Integer, String, Table

from headrace.storage.metadata import UtcTime, id_column, metadata, reference

audit = Table(
    "audit",
    metadata,
    id_column(),  # in the order of time
    reference("account_id", "accounts.id"),
    Column("created_at", UtcTime, nullable=False),
    Column("user_id", String(24), nullable=False),  # no reference: the log outlives its users
    Column("user_name", String(255), nullable=False),
    Column("key_id", String(24)),
    Column("build_id", String(24)),
    Column("action", String(64), nullable=False),
    Column("entity", String(64), nullable=False),
    Column("entity_id", String(255), nullable=False),
    Column("method", String(8), nullable=False),
    Column("path", String(255), nullable=False),
    Column("status", Integer, nullable=False),
    Column("address", String(64), nullable=False),
    Column("user_agent", String(255), nullable=False),
    Index("ix_audit_of_account", "account_id", "id"),
    Index("ix_audit_created_at", "created_at"),
)
