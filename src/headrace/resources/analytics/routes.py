"""The operations of reports about builds."""

from headrace.http.rights import Right, Rights
from headrace.http.routing import Connection, Example, Router
from headrace.http.scopes import Scope
from headrace.resources.analytics import service
from headrace.resources.analytics.schemas import ReportKind, ReportOut, ReportQuery

router = Router("/analytics", tag="analytics")


@router.route("GET", "/metadata", scope=Scope.BUILD_READ, sdk="analytics.metadata")
def list_reports() -> list[ReportKind]:
    """List the reports about builds, with what each can be asked."""
    return service.kinds()


@router.route(
    "GET",
    "/reports/{name}",
    scope=Scope.BUILD_READ,
    sdk="analytics.report",
    right=Right("read", "pipeline"),
    example=Example(
        path={"name": "buildAvgDuration"},
        query="granularity=day&dateRange=2026-11-01&dateRange=2026-11-30",
    ),
)
def get_report(name: str, query: ReportQuery, db: Connection, rights: Rights) -> ReportOut:
    """Get a report about builds: how many ended, how many well, after how long.

    Spans are milliseconds. A build counts for the time when it was asked for; times without a build
    have no row. Builds that the caller may not read do not count.
    """
    return service.report(db, rights, name, query)
