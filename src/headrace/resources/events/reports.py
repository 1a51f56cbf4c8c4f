"""Tells Git hosts what becomes of the builds that their webhooks started.

A row is taken for a while, the host is told outside of any transaction, and the row goes when the
end of the build was told. A host that fails is tried again, later each time, then given up: a
build never waits for it. Hosts are told side by side, so that a slow one delays none but itself.
"""

import functools
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from headrace.integrations.clusters import Networks
from headrace.integrations.git import Host
from headrace.integrations.git.base import HostFailed, State
from headrace.integrations.git.hosts import Status
from headrace.kit.crypto import SecretBox
from headrace.pipeline.status import BuildStatus
from headrace.resources.builds import service as builds
from headrace.resources.contexts import service as contexts
from headrace.resources.events import repository
from headrace.resources.events.scheduler import Apart
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


class _Teller(msgspec.Struct, frozen=True):
    """What tells a host."""

    database: Database
    box: SecretBox
    networks: Networks
    public_url: str


def tell(
    database: Database,
    box: SecretBox,
    networks: Networks,
    *,
    public_url: str,
    apart: Apart | None = None,
) -> None:
    """Tell the hosts of all builds whose status they do not know yet.

    Args:
        database: where the reports are.
        box: opens logins.
        networks: where hosts may be.
        public_url: of the server, for links.
        apart: takes the hosts, each in a thread of its own, and keeps those that are still being told
            from being asked again; None: they are told here, one after the other.
    """
    now = datetime.now(UTC)
    with database.reading() as db:
        due = repository.reports_due(db, now, limit=_MOST, without=tuple(apart or ()))
        statuses = builds.statuses(db, [one.build_id for one in due])
    hosts: dict[tuple[str, ...], list[tuple[Report, BuildStatus]]] = {}
    for report in due:
        if report.build_id in statuses:
            hosts.setdefault(report.host, []).append((report, statuses[report.build_id]))
    teller = _Teller(database, box, networks, public_url)
    for host, reports in hosts.items():
        work = functools.partial(_tell_host, teller, reports)
        if apart is None:
            work()
        else:
            apart.begin(host, work)


def _tell_host(teller: _Teller, reports: Sequence[tuple[Report, BuildStatus]]) -> None:
    """Tell one host, until it fails: the rest is still due, and comes with the next look."""
    for report, status in reports:
        with teller.database.transaction() as db:
            taken = repository.take_report(db, report, datetime.now(UTC) + _TAKEN)
        if taken and not _tell(teller, report, status):
            return


def _tell(teller: _Teller, report: Report, status: BuildStatus) -> bool:
    """Tell what became of one build; return whether the host took it."""
    state, url = _STATES[status], f"{teller.public_url}/build/{report.build_id}"
    problem = None
    if state != report.reported:
        try:
            with teller.database.reading() as db:
                login = contexts.git_credentials(db, teller.box, report.account_id, report.context or None)
            if login.password:
                told = Status(state=state, title=report.title, description=f"build is {status}", url=url)
                Host(report.provider, login, teller.networks).set_status(report.repo, report.revision, told)
        except (HostFailed, LookupError) as failure:
            problem = str(failure)
    with teller.database.transaction() as db:
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
    return problem is None
