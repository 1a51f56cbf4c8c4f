"""The kinds of triggers: ``git`` and ``cron``."""

from headrace.resources.triggers.kinds import cron, git

__all__ = ["cron", "git"]
