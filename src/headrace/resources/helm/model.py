"""The tables of Helm boards, their sections, and Helm repositories."""

from sqlalchemy import Boolean, Column, Integer, String, Table, UniqueConstraint

from headrace.storage.metadata import JsonText, UtcTime, id_column, metadata, reference

boards = Table(
    "helm_boards",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    Column("name", String(255), nullable=False),
    Column("filter", JsonText),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "name"),
)

sections = Table(
    "helm_sections",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    reference("board_id", "helm_boards.id"),
    Column("name", String(255), nullable=False),
    Column("section", String(255), nullable=False),  # of which cluster: ``<selector>/<namespace>``
    Column("color", String(32), nullable=False),
    Column("index", Integer, nullable=False),  # place on the board
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("board_id", "name"),
)

helm_repos = Table(
    "helm_repos",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    Column("name", String(255), nullable=False),
    Column("public", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "name"),
)
