"""Long lists have an index in their order, and annotations are found by what they say."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Create the indexes and the column: seconds for each million rows."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL statement_timeout = '10min'")
    op.create_index("ix_projects_listed", "projects", ["account_id", "updated_at", "id"])
    op.create_index("ix_pipelines_listed", "pipelines", ["account_id", "updated_at", "id"])
    op.create_index("ix_images_listed", "images", ["account_id", "created_at", "id"])
    for column in ("branch", "revision"):
        op.create_index(f"ix_images_by_{column}", "images", ["account_id", column, "created_at", "id"])
    op.create_index("ix_images_by_name", "images", ["account_id", "display_name", "created_at", "id"])
    op.create_index("ix_image_tags_by_tag", "image_tags", ["tag", "account_id", "image_id"])
    op.drop_index("ix_image_tags_image_id", table_name="image_tags")
    op.create_index("ix_image_tags_of_image", "image_tags", ["image_id", "account_id"])
    op.add_column("annotations", sa.Column("begins", sa.String(100)))
    op.execute("UPDATE annotations SET begins = substr(value, 1, 100)")
    op.create_index("ix_annotations_by_value", "annotations", ["key", "begins", "account_id", "entity_type"])
