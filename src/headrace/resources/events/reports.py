"""Tells Git hosts what becomes of the builds that their webhooks started.

A row is taken for a while, the host is told outside of any transaction, and the row goes when the
end of the build was told. A host that fails is tried again, later each time, then given up: a
build never waits for it.
"""

import logging
from datetime import UTC, datetime, timedelta

from headrace.integrations.clusters import Networks
from headrace.integrations.git import Host
from headrace.integrations.git.base import HostFailed, State
from headrace.integrations.git.hosts import Status
from headrace.kit.crypto import SecretBox
from headrace.pipeline.status import BuildStatus
from headrace.resources.builds import service as builds
from headrace.resources.contexts import service as contexts
from headrace.resources.events import repository
from headrace.resources.events.schemas import Report
from headrace.storage.engine import Database

_log = logging.getLogger(__name__)

_MOST = 20  # reports in one look
_TAKEN = timedelta(seconds=60)
_LOOK = timedelta(seconds=2)  # between two looks at a build that goes on
_MOST_ATTEMPTS = 8
_STATES: dict[BuildStatus, State] = {
    BuildStatus.PENDING: "pending",
    BuildStatus.DELAYED: "pending",
    BuildStatus.ELECTED: "pending",
    BuildStatus.RUNNING: "running",
    BuildStatus.PENDING_APPROVAL: "running",
    BuildStatus.TERMINATING: "running",
    BuildStatus.SUCCESS: "success",
    BuildStatus.ERROR: "failure",
    BuildStatus.DENIED: "failure",
    BuildStatus.TERMINATED: "error",
}


def tell(database: Database, box: SecretBox, networks: Networks, *, public_url: str) -> None:
    """Tell the hosts of all builds whose status they do not know yet."""
    now = datetime.now(UTC)
    with database.reading() as db:
        due = repository.reports_due(db, now, limit=_MOST)
        statuses = builds.statuses(db, [one.build_id for one in due])
    for report in due:
        status = statuses.get(report.build_id)
        if status is None:
            continue
        with database.transaction() as db:
            taken = repository.take_report(db, report, now + _TAKEN)
        if taken:
            _tell(database, box, networks, report, status, f"{public_url}/build/{report.build_id}")


def _tell(
    database: Database, box: SecretBox, networks: Networks, report: Report, status: BuildStatus, url: str
) -> None:
    state = _STATES[status]
    problem = None
    if state != report.reported:
        try:
            with database.reading() as db:
                login = contexts.git_credentials(db, box, report.account_id, report.context or None)
            if login.password:
                told = Status(state=state, title=report.title, description=f"build is {status}", url=url)
                Host(report.provider, login, networks).set_status(report.repo, report.revision, told)
        except (HostFailed, LookupError) as failure:
            problem = str(failure)
    with database.transaction() as db:
        if problem is not None and report.attempts + 1 < _MOST_ATTEMPTS:
            wait = _LOOK * 2 ** (report.attempts + 1)
            due_at = datetime.now(UTC) + wait
            repository.change_report(db, report.build_id, attempts=report.attempts + 1, due_at=due_at)
        elif problem is not None or status.is_final:
            repository.drop_report(db, report.build_id)
        else:
            due_at = datetime.now(UTC) + _LOOK
            repository.change_report(db, report.build_id, reported=state, attempts=0, due_at=due_at)
    if problem is not None:
        _log.warning("the status of build %s was not taken: %s", report.build_id, problem)
