"""The table of step types: one row a version."""

from sqlalchemy import Boolean, Column, Index, String, Table, UniqueConstraint

from headrace.storage.metadata import JsonText, UtcTime, id_column, metadata, reference

step_types = Table(
    "step_types",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    Column("name", String(255), nullable=False),
    Column("version", String(128), nullable=False),  # semver
    Column("is_latest", Boolean, nullable=False),  # the highest version of its name, by semver
    Column("is_shared", Boolean, nullable=False),  # public, and named for its account: others may use it
    Column("document", JsonText, nullable=False),  # as given
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "name", "version"),
    Index(None, "name"),
)
