"""The tables of images and of their tags."""

from sqlalchemy import BigInteger, Column, Index, String, Table, Text, UniqueConstraint

from headrace.storage.metadata import UtcTime, id_column, metadata, reference

images = Table(
    "images",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    Column("internal_id", String(255), nullable=False),  # ``sha256:…`` of the configuration
    Column("display_name", String(512), nullable=False),  # ``acme/app``
    Column("branch", Text, nullable=False),
    Column("revision", Text, nullable=False),
    Column("digest", String(255), nullable=False),  # in the registry; empty: it has none
    Column("size_bytes", BigInteger, nullable=False),
    reference("build_id", nullable=True),  # that made it last
    reference("pipeline_id", nullable=True),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "internal_id"),
)

image_tags = Table(
    "image_tags",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    reference("image_id", "images.id"),
    Column("registry", String(255), nullable=False),  # its domain; empty: the engine alone has it
    Column("repository", String(512), nullable=False),
    Column("tag", String(128), nullable=False),
    Column("pushed_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "registry", "repository", "tag"),
    Index(None, "image_id"),
)
