"""The operations of test reports.

What a step kept is other people's code, and it is served from the origin of our own pages. So its
files are behind a signed address where no cookie and no key counts, and each is sandboxed by its
headers: a page of a report has an origin of its own that is nobody's. See decision 0025.
"""

import asyncio
import mimetypes
import time
from collections.abc import AsyncIterator
from typing import IO
from urllib.parse import quote

from headrace.http.auth import Caller
from headrace.http.errors import NotFound
from headrace.http.links import SignedLinks
from headrace.http.rights import Right
from headrace.http.routing import Connection, Example, Raw, Reply, Router
from headrace.http.scopes import Scope
from headrace.http.sse import Stream
from headrace.kit.crypto import SecretBox
from headrace.resources.builds import service as builds
from headrace.resources.test_reports.schemas import KeptReportOut, shown
from headrace.storage.reports import ReportStore

router = Router("", tag="test-reports")

LINKS = SignedLinks("reports", life_s=12 * 60 * 60, again="/api/builds/{buildId}/reports")
_REPORT = "0f1e2d3c4b5a6978"
_PAGE = "index.html"
_PIECE_BYTES = 256 * 1024
# Scripts may run, since reports are made of them; there is nobody here whom they could be.
_HEADERS = {
    "Content-Security-Policy": (
        "sandbox allow-scripts allow-downloads; "
        "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Access-Control-Allow-Origin": "*",  # for fonts and data of the report: its origin is none
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # the address is the key
    "X-Robots-Tag": "noindex",
}


@router.route(
    "GET",
    "/builds/{buildId}/reports",
    scope=Scope.BUILD_READ,
    sdk="workflows.reports",
    right=Right("read", "build", "buildId"),
    operation="workflows-reports",
)
def list_reports(
    buildId: str,  # noqa: N803 - the wire name
    caller: Caller,
    db: Connection,
    raw: Raw,
    store: ReportStore,
) -> list[KeptReportOut]:
    """List the test reports that the steps of a build kept, the oldest first."""
    build = builds.find(db, caller.account_id, buildId)
    return [shown(report, build.id, raw.base_url) for report in store.reports(build.id)]


@router.route(
    "GET",
    "/testReporting/{buildId}/{path:path}",
    scope=Scope.BUILD_READ,
    sdk="testReports.open",
    right=Right("read", "build", "buildId"),
    operation="test-reporting-open",
    example=Example(path={"path": f"{_REPORT}/{_PAGE}"}),
)
def open_report(
    buildId: str,  # noqa: N803 - the wire name
    path: str,
    caller: Caller,
    db: Connection,
    box: SecretBox,
    store: ReportStore,
) -> Reply:
    """Open a file of a test report: `path` is the id of the report and the path in it.

    Answers 302, to an address that is good for 12 hours and needs no key. Without a path in the report it
    is its first page.
    """
    build = builds.find(db, caller.account_id, buildId)
    report_id, _, file = path.strip("/").partition("/")
    report = store.report(build.id, report_id)
    if report is None:
        raise NotFound(
            f"could not find report {report_id!r}; GET /builds/{build.id}/reports lists those there are"
        )
    if not (file or report.page):
        raise NotFound(f"report {report_id!r} has no page; its results are in /builds/{build.id}/reports")
    token = LINKS.token(box, build.account_id, f"{build.id}/{report.id}", now_s=int(time.time()))
    place = f"/api/testReportFiles/{token}/{build.id}/{report.id}/{quote(file or report.page)}"
    return Reply({"url": place}, status=302, headers={"Location": place, "Referrer-Policy": "no-referrer"})


@router.route(
    "GET",
    "/testReportFiles/{token}/{buildId}/{reportId}/{path:path}",
    scope=Scope.PUBLIC,
    sdk="testReports.file",
    operation="test-reporting-file",
    example=Example(path={"reportId": _REPORT, "path": "results.json"}),
)
async def get_file(
    token: str,
    buildId: str,  # noqa: N803 - the wire name
    reportId: str,  # noqa: N803
    path: str,
    box: SecretBox,
    store: ReportStore,
) -> Stream:
    """Get a file of a test report, by the address that `/testReporting` gave.

    Keys and cookies are not looked at: whoever has the address may read.
    """
    LINKS.account_of(box, token, f"{buildId}/{reportId}", now_s=int(time.time()))
    file = await asyncio.to_thread(store.opened, buildId, reportId, path)
    if file is None:
        raise NotFound(f"there is no file {path!r} in this report")
    kind, packed = mimetypes.guess_type(path)
    return Stream(
        _pieces(file),
        media_type=kind if kind and not packed else "application/octet-stream",
        headers=_HEADERS,
    )


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield piece
