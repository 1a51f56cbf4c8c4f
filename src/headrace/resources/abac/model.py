"""The table of rules of teams."""

from sqlalchemy import Boolean, Column, Index, String, Table

from headrace.storage.metadata import JsonText, UtcTime, id_column, metadata, reference

abac_rules = Table(
    "abac_rules",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    reference("team_id", "teams.id"),
    Column("resource", String(32), nullable=False),
    Column("action", String(32), nullable=False),
    Column("tags", JsonText, nullable=False),  # a sorted list; ``*`` and ``untagged`` are no tags
    Column("of_project", Boolean, nullable=False),  # the tags are those of the project of a pipeline
    Column("needs_all", Boolean, nullable=False),  # of the tags; else one is enough
    Column("created_at", UtcTime, nullable=False),
    Index(None, "account_id"),
    Index("ix_abac_rules_of_team", "team_id", "resource"),
)
