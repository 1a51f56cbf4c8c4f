"""What is noted of a trigger."""

from datetime import datetime

import msgspec


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """One trigger of a pipeline, as far as it is looked up."""

    pipeline_id: str
    id: str
    account_id: str
    kind: str
    repo: str | None = None
    due_at: datetime | None = None
    fired_at: datetime | None = None
    problem: str | None = None
