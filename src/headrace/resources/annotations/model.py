"""The table of annotations."""

from sqlalchemy import Boolean, Column, Index, String, Table, Text, UniqueConstraint

from headrace.storage.metadata import UtcTime, id_column, metadata, reference

annotations = Table(
    "annotations",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    Column("entity_type", String(64), nullable=False),
    Column("entity_id", String(1024), nullable=False),  # an id, or the name of an image
    Column("key", String(255), nullable=False),
    Column("value", Text, nullable=False),
    Column("begins", String(100)),  # the first of the value: an index takes no long texts
    Column("type", String(16), nullable=False),  # text, number, percentage, boolean, link
    Column("display", Boolean, nullable=False),  # shown in lists of builds
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "entity_type", "entity_id", "key"),
    # The key first: else SQLite, which counts nothing by itself, reads the annotations of one object by it.
    Index("ix_annotations_by_value", "key", "begins", "account_id", "entity_type"),
)
