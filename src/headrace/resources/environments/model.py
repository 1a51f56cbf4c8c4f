"""The table of environments."""

from sqlalchemy import Column, Index, String, Table, Text

from headrace.storage.metadata import JsonText, UtcTime, id_column, metadata, reference

environments = Table(
    "environments",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    Column("name", String(255), nullable=False),
    Column("status", String(16), nullable=False),  # ``creating``, ``running``, ``paused`` …
    Column("wish", String(16), nullable=False),  # what is to be done to it; empty: nothing
    Column("reason", Text, nullable=False),  # why it is not as it should be, for people
    Column("engine", String(255), nullable=False),  # where its services are
    Column("composition", Text, nullable=False),  # path or name of the document
    Column("entry_point", String(255), nullable=False),  # its main service
    Column("services", JsonText, nullable=False),  # as they were last seen
    Column("build_id", String(24), nullable=False),  # that launched it, and may be gone
    Column("repo", String(511), nullable=False),  # ``owner/name`` of that build
    Column("branch", Text, nullable=False),
    Column("revision", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("wished_at", UtcTime, nullable=False),
    Index(None, "account_id", "name"),
    Index(None, "engine"),
)
