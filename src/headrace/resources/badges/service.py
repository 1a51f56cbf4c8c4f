"""Which build a badge tells of. Whoever knows the names sees one word, and nothing else."""

from sqlalchemy import Connection

from headrace.http.errors import NotFound
from headrace.resources.accounts import service as accounts
from headrace.resources.badges.picture import LOOKS, UNKNOWN, Look
from headrace.resources.badges.schemas import BadgeQuery
from headrace.resources.builds import service as builds
from headrace.resources.pipelines import service as pipelines
from headrace.resources.triggers import service as triggers


def look(db: Connection, query: BadgeQuery) -> Look:
    """Return what is shown; what does not exist looks like what has never run."""
    try:
        account_id = accounts.by_name(db, query.account_name).id
        if query.pipeline_name:
            ids = [pipelines.find(db, account_id, query.pipeline_name).id]
        elif query.repo_owner and query.repo_name:
            ids = triggers.pipelines_of_repo(db, account_id, f"{query.repo_owner}/{query.repo_name}")
        else:
            ids = []
    except NotFound:
        return UNKNOWN
    last = builds.last_of(db, account_id, ids, branch=query.branch or None) if ids else None
    return UNKNOWN if last is None else LOOKS[last.status]
