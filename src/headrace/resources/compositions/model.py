"""The table of compositions."""

from sqlalchemy import Boolean, Column, String, Table, Text, UniqueConstraint

from headrace.storage.metadata import JsonText, UtcTime, id_column, metadata, reference

compositions = Table(
    "compositions",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    Column("name", String(255), nullable=False),
    Column("is_advanced", Boolean, nullable=False),
    Column("vars", JsonText, nullable=False),  # as given: ``K=V``, or ``{key, value}``
    Column("yaml_json", Text, nullable=False),  # the document, YAML or JSON
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "name"),
)
