"""The tables of runner agents and of what they are asked to do."""

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint

from headrace.storage.metadata import JsonText, UtcTime, id_column, metadata, reference

agents = Table(
    "agents",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    Column("name", String(255), nullable=False),
    Column("runtimes", JsonText, nullable=False),  # names of runtime environments
    reference("key_id"),  # its API key, which ends with it
    Column("message", Text, nullable=False),  # of its last report
    Column("reported_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "name"),
)

agent_tasks = Table(
    "agent_tasks",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    reference("agent_id", "agents.id"),
    Column("type", String(32), nullable=False),
    Column("cluster", String(255), nullable=False),
    Column("spec", Text, nullable=False),  # sealed: it holds a login
    Column("status", String(16), nullable=False),  # Pending, Success, Error
    Column("revision", Integer, nullable=False),  # of the last report
    Column("reason", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("reported_at", UtcTime),
    Index("ix_agent_tasks_of_agent", "agent_id", "created_at"),
)
