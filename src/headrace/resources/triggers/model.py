"""The table of triggers: what of a pipeline's triggers is looked up by repository or by time."""

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text

from headrace.storage.metadata import UtcTime, metadata, reference

triggers = Table(
    "triggers",
    metadata,
    # The id is as the document has it: a copied pipeline has the ids of its model.
    Column("pipeline_id", String(24), ForeignKey("pipelines.id", ondelete="CASCADE"), primary_key=True),
    Column("id", String(255), primary_key=True),
    reference("account_id", "accounts.id"),
    Column("kind", String(16), nullable=False),  # ``git`` or ``cron``
    Column("repo", String(512)),  # git: ``owner/name`` in lower case
    Column("due_at", UtcTime),  # cron: when it fires next; NULL: never
    Column("fired_at", UtcTime),  # when it last started a build, or tried to
    Column("problem", Text),  # why the last try started nothing
    Index(None, "account_id", "repo"),
    Index(None, "due_at"),
)
