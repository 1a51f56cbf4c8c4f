"""The table of first answers."""

from sqlalchemy import Column, Index, String, Table, Text, UniqueConstraint

from headrace.storage.metadata import UtcTime, id_column, metadata, reference

first_answers = Table(
    "first_answers",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    Column("request_key", String(64), nullable=False),  # hash of the user and the key
    Column("asked", String(64), nullable=False),  # hash of the request
    Column("answer", Text),  # JSON, sealed: it may be an API key. NULL: claimed
    Column("expires_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "request_key"),
    Index(None, "expires_at"),
)
