"""Reports of tests: ``get test-reports BUILD``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from headrace.cli.output import Columns, Row, show
from headrace.cli.verbs import leaf, output_options, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App
    from headrace.client.made.types import KeptReportOut

COLUMNS = Columns(
    default=("step", "type", "passed", "failed", "skipped", "url"),
    wide=(
        "step",
        "number",
        "type",
        "passed",
        "failed",
        "skipped",
        "duration",
        "files",
        "size",
        "created",
        "url",
    ),
)
FAILED = Columns(default=("step", "suite", "test", "message"))


@leaf("get test-reports")
@click.argument("build")
@click.option("--failed", is_flag=True, help="The failed tests, one on a line, instead of the reports.")
@output_options
@pass_app
def get_reports(app: App, build: str, failed: bool, **out: Any) -> None:  # noqa: ANN401, FBT001 — options
    """Show the test reports that the steps of a build kept, or the tests that failed."""

    def rows() -> list[Row]:
        found = app.api.workflows.reports(build)
        return _failures(found) if failed else [_row(report) for report in found]

    show(rows, FAILED if failed else COLUMNS, out)


def _row(report: KeptReportOut) -> Row:
    results = dict(report["results"] or {})
    counts = {name: results.get(name, "-") for name in ("passed", "failed", "skipped", "duration")}
    return Row(
        id=report["id"],
        name=f"test-report/{report['id']}",
        gaps=True,
        info=report,
        cells={**report, **counts},
    )


def _failures(reports: list[KeptReportOut]) -> list[Row]:
    found = []
    for report in reports:
        for one in report["results"]["failures"] if report["results"] else ():
            info = {
                "step": report["step"],
                "suite": one["suite"],
                "test": one["name"],
                "message": one["message"],
            }
            line = next(iter(one["message"].splitlines()), "")
            name = f"test/{one['suite']}.{one['name']}"
            found.append(Row(id=one["name"], name=name, gaps=True, info=info, cells=info | {"message": line}))
    return found
