"""The tables of builds, of their steps and of their volumes. The table of builds is the queue."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from headrace.storage.metadata import JsonText, UtcTime, id_column, metadata, reference

builds = Table(
    "builds",
    metadata,
    id_column(),
    reference("account_id", "accounts.id"),
    Column("progress_id", String(24), nullable=False, unique=True),
    Column("status", String(20), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),
    Column("finished_at", UtcTime),
    Column("updated_at", UtcTime, nullable=False),
    # What was asked for, and by whom. A pipeline may be gone before its builds.
    Column("pipeline_id", String(24)),
    Column("pipeline_name", String(512), nullable=False),
    Column("project", String(255), nullable=False),
    Column("user_id", String(24), nullable=False),
    Column("initiator", String(255), nullable=False),
    Column("trigger_kind", String(32), nullable=False),
    Column("trigger_id", String(24)),
    Column("trigger_name", String(255)),
    Column("branch", Text),
    Column("revision", Text),
    Column("repo_owner", String(255)),
    Column("repo_name", String(255)),
    Column("request_id", String(64)),  # hash of a request that a client may repeat
    Column("volume_from", String(24)),  # the build whose volume this one goes on with
    Column("parent_id", String(24)),  # the build whose step has started it
    Column("error", Text, nullable=False),
    # The queue.
    Column("priority", Integer, nullable=False),
    Column("concurrency", Integer),  # of the pipeline; 0: frozen; NULL: no limit
    Column("branch_concurrency", Integer),
    Column("trigger_concurrency", Integer),
    Column("counts_waiting", Boolean),  # builds that wait for an approval count for its limits, too
    Column("environment", String(255)),  # the runtime environment whose workers take it; NULL: the first
    Column("owner", String(24)),  # the worker that holds it
    Column("lease_until", UtcTime),  # when that worker is taken for dead
    Column("attempt", Integer, nullable=False),  # claims so far
    Column("stop_requested", Boolean, nullable=False),
    # An approval that is waited for, and what was said.
    Column("waiting_step", String(150)),
    Column("waiting_until", UtcTime),
    Column("waiting_final", String(16)),  # what silence means
    Column("decision", JsonText),
    # What is long comes last, so that lists need not read it.
    Column("options", JsonText, nullable=False),
    Column("given", JsonText, nullable=False),  # the body of the run, without variables
    Column("termination_policy", JsonText),  # what its start and its end do to other builds
    Column("variables", JsonText, nullable=False),  # text, or {"sealed": …}
    Column("yaml", Text, nullable=False),
    Column("plan", Text, nullable=False),
    UniqueConstraint("account_id", "request_id"),
    # With the pipeline, so that a list that rules of teams cut is walked through in the index.
    Index("ix_builds_listed", "account_id", "created_at", "id", "pipeline_id"),
    # Each filter of the list has its own, in the order of the list.
    Index("ix_builds_by_pipeline_id", "account_id", "pipeline_id", "created_at", "id"),
    Index("ix_builds_by_status", "account_id", "status", "created_at", "id"),
    Index("ix_builds_by_branch", "account_id", "branch", "created_at", "id"),
    Index("ix_builds_by_trigger_kind", "account_id", "trigger_kind", "created_at", "id"),
    Index("ix_builds_by_trigger_id", "account_id", "trigger_id", "created_at", "id"),
    Index("ix_builds_by_parent_id", "account_id", "parent_id", "created_at", "id"),
    Index(None, "status", "priority", "created_at"),
    # For the queue, which counts a pipeline's builds of a status, and for the list with both filters.
    Index("ix_builds_by_pipeline_and_status", "pipeline_id", "status", "account_id", "created_at", "id"),
    Index(None, "owner"),
)

build_steps = Table(
    "build_steps",
    metadata,
    Column("build_id", String(24), ForeignKey("builds.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(512), primary_key=True),  # of steps in hooks and groups too
    Column("state", JsonText, nullable=False),  # `execution.ports.StepState`
)

# Which builds run another one again.
build_restarts = Table(
    "build_restarts",
    metadata,
    Column("build_id", String(24), ForeignKey("builds.id", ondelete="CASCADE"), primary_key=True),
    Column("of_build_id", String(24), nullable=False),
    Column("from_step", String(512)),  # NULL: from its beginning, or from what failed
    Column("from_failed", Boolean, nullable=False),
    Index(None, "of_build_id"),
)

workflow_data = Table(
    "workflow_data",
    metadata,
    id_column(),
    Column("build_id", String(24), ForeignKey("builds.id", ondelete="CASCADE"), nullable=False),
    Column("data", Text, nullable=False),  # JSON, sealed for the account
    Column("created_at", UtcTime, nullable=False),
    Index(None, "build_id"),
)

# What is asked of steps that wait at a breakpoint; gone when the build has ended.
debug_commands = Table(
    "debug_commands",
    metadata,
    id_column(),  # in the order they came
    Column("build_id", String(24), ForeignKey("builds.id", ondelete="CASCADE"), nullable=False),
    Column("step", String(512), nullable=False),
    Column("phase", String(16), nullable=False),  # of the breakpoint
    Column("action", String(16), nullable=False),
    Column("script", Text, nullable=False),  # of `run`
    Column("by", String(255), nullable=False),  # name of the user
    Index("ix_debug_commands_build_id_step_phase_id", "build_id", "step", "phase", "id"),
)

# Volumes that outlive their build: a cache for the pipeline's next one. A build whose volume is
# its own has no row before it has ended.
volumes = Table(
    "volumes",
    metadata,
    id_column(),  # that of the build that made it
    reference("pipeline_id"),
    reference("build_id"),  # has it, or had it last
    Column("free_since", UtcTime),  # NULL: the build has it still
    Index(None, "pipeline_id", "free_since"),
    Index(None, "build_id"),
)
