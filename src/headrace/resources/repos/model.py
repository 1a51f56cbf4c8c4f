"""The table of the Git repositories that accounts added."""

from sqlalchemy import Column, String, Table, UniqueConstraint

from headrace.storage.metadata import UtcTime, id_column, metadata, reference

repos = Table(
    "repos",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    Column("name", String(255), nullable=False),  # ``owner/name``, or as its adder calls it
    Column("context", String(255), nullable=False),  # of the git context that reads it
    Column("owner", String(255), nullable=False),
    Column("repo", String(255), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "name"),
)
