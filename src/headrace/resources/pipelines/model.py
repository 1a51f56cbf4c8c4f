"""The table of pipelines."""

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint

from headrace.storage.metadata import JsonText, UtcTime, id_column, metadata, reference

pipelines = Table(
    "pipelines",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    reference("project_id", "projects.id"),
    Column("name", String(512), nullable=False),  # whole: ``project/pipeline``
    Column("short_name", String(255), nullable=False),  # without the project
    Column("revision", Integer, nullable=False),  # counts changes, from 0
    Column("labels", JsonText, nullable=False),  # a copy of ``metadata.labels``, to filter by
    Column("document", JsonText, nullable=False),  # as given, keys in order; secret values are sealed
    Column("yaml", Text, nullable=False),  # what of the document a build runs, as its author would write it
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "name"),
    Index(None, "project_id"),
    # With the name, for which the list is searched: the documents beside it are long.
    Index("ix_pipelines_listed", "account_id", "updated_at", "id", "name"),
)
