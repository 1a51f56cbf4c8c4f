"""The table of clusters."""

from sqlalchemy import Boolean, Column, String, Table, Text, UniqueConstraint

from headrace.storage.metadata import JsonText, UtcTime, id_column, metadata, reference

clusters = Table(
    "clusters",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    Column("selector", String(255), nullable=False),  # its name
    Column("provider", String(32), nullable=False),
    Column("behind_firewall", Boolean, nullable=False),  # not called when it was registered
    Column("url", Text, nullable=False),
    Column("credentials", Text, nullable=False),  # JSON, sealed for the account
    Column("tags", JsonText, nullable=False, server_default="[]"),  # for rules of teams
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "selector"),
)
