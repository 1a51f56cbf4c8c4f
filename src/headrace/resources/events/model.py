"""The tables of what starts builds from outside: receivers, events, their links, reports to Git hosts."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from headrace.storage.metadata import JsonText, UtcTime, id_column, metadata, reference

receivers = Table(
    "receivers",
    metadata,
    Column("account_id", String(24), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("secret", Text, nullable=False),  # sealed
    Column("created_at", UtcTime, nullable=False),
)

events = Table(
    "events",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    Column("uri", String(1024), nullable=False),
    Column("type", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("context", String(255), nullable=False),
    Column("secret", Text, nullable=False),  # sealed
    Column("config", JsonText, nullable=False),  # name → text, as given
    Column("created_at", UtcTime, nullable=False),
    Column("due_at", UtcTime),  # cron: when it fires next; NULL: never
    UniqueConstraint("account_id", "uri"),
    Index(None, "due_at"),
)

event_links = Table(
    "event_links",
    metadata,
    Column("event_id", String(24), ForeignKey("events.id", ondelete="CASCADE"), primary_key=True),
    Column("pipeline_id", String(24), ForeignKey("pipelines.id", ondelete="CASCADE"), primary_key=True),
    Column("filters", JsonText, nullable=False),  # name → regular expression
    Column("problem", Text),  # why the last event started nothing
    Index(None, "pipeline_id"),
)

# What a Git host is still to be told of a build; the row goes when the end of the build was told.
status_reports = Table(
    "status_reports",
    metadata,
    Column("build_id", String(24), ForeignKey("builds.id", ondelete="CASCADE"), primary_key=True),
    reference("account_id", "accounts.id"),
    Column("provider", String(32), nullable=False),
    Column("context", String(255), nullable=False),  # git context; empty: the account's default
    Column("repo", String(512), nullable=False),
    Column("revision", String(255), nullable=False),
    Column("title", String(255), nullable=False),
    Column("reported", String(16), nullable=False),  # what was told last; empty: nothing
    Column("attempts", Integer, nullable=False),  # failures since the last success
    Column("due_at", UtcTime, nullable=False),  # not before
    Index(None, "due_at"),
)
