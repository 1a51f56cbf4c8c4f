"""The table of projects."""

from sqlalchemy import Column, Index, String, Table, UniqueConstraint

from headrace.storage.metadata import JsonText, UtcTime, id_column, metadata, reference

projects = Table(
    "projects",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    Column("name", String(255), nullable=False),
    Column("tags", JsonText, nullable=False),  # a list of texts
    Column("variables", JsonText, nullable=False),  # a list; values of encrypted ones are sealed
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "name"),
    Index("ix_projects_listed", "account_id", "updated_at", "id"),
)
