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
    Index("ix_images_listed", "account_id", "created_at", "id"),
    Index("ix_images_by_branch", "account_id", "branch", "created_at", "id"),
    Index("ix_images_by_revision", "account_id", "revision", "created_at", "id"),
    Index("ix_images_by_name", "account_id", "display_name", "created_at", "id"),
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
    # With the account: else SQLite, which counts nothing by itself, reads all tags of it for those of a page.
    Index("ix_image_tags_of_image", "image_id", "account_id"),
    Index("ix_image_tags_by_tag", "tag", "account_id", "image_id"),
)
