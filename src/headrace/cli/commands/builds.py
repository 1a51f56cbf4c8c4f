"""Builds: ``get builds``, ``logs``, ``wait``, ``approve``, ``deny``, ``terminate``, ``restart``."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from headrace.cli import logs
from headrace.cli.dates import parse
from headrace.cli.errors import Refused
from headrace.cli.output import Columns, Row, show
from headrace.cli.verbs import leaf, output_options, pass_app
from headrace.client.errors import Unreachable
from headrace.client.follow import FINAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from headrace.cli.app import App

STATUSES = (
    "running",
    "success",
    "error",
    "terminated",
    "terminating",
    "pending-approval",
    "delayed",
    "pending",
    "elected",
    "denied",
)
COLUMNS = Columns(
    default=(
        "id",
        "pipeline-name",
        "status",
        "created",
        "started",
        "finished",
        "totaltime",
        "trigger",
        "webhook",
        "repository",
        "branch",
    ),
    wide=(
        "id",
        "pipeline-name",
        "pipeline-id",
        "status",
        "created",
        "started",
        "finished",
        "buildtime",
        "totaltime",
        "trigger",
        "webhook",
        "repository",
        "branch",
        "commit-id",
        "pipeline-trigger-id",
    ),
)
WAIT_POLL_S = 5.0
_DAY = re.compile(r"\d{4}-\d{1,2}-\d{1,2}\Z")
_ID = re.compile(r"[0-9a-fA-F]{24}\Z")


@leaf("get builds")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("-l", "--limit", type=int, default=25, show_default=True, help="At most this many.")
@click.option("-p", "--page", type=int, default=1, show_default=True, help="Which page of the list.")
@click.option("-s", "--status", type=click.Choice(STATUSES), multiple=True, help="Only this status.")
@click.option(
    "-t",
    "--trigger",
    type=click.Choice(("build", "launch-image", "launch-composition")),
    multiple=True,
    help="Only builds of this kind.",
)
@click.option("--pipeline-id", "--pid", multiple=True, help="Only builds of this pipeline.")
@click.option("--pipeline-name", "--pipeline", multiple=True, help="The same, by full name.")
@click.option("-b", "--branch", multiple=True, help="Only builds of this branch.")
@click.option("-r", "--commit-id", "--revision", "--sha", multiple=True, help="Only builds of this commit.")
@click.option("--pipeline-trigger-id", multiple=True, help="Only builds that this trigger started.")
@click.option("--from", "from_", metavar="YYYY-MM-DD", help="Only builds of this day or later.")
@click.option("--to", metavar="YYYY-MM-DD", help="Only builds of this day or earlier.")
@output_options
@pass_app
def get_builds(app: App, ids: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401 — the options above
    """Show builds by id, or a page of them, newest first."""
    for name in ("from", "to"):
        day = options["from_" if name == "from" else name]
        if day and not _DAY.match(day):
            raise Refused(
                f"--{name} option should take a date in format: YYYY-MM-DD. Example: --{name} 2020-12-31"
            )

    def rows() -> list[Row]:
        if ids:
            return [row_of(logs.build_of(app, build_id)) for build_id in ids]
        answer = _page(app, options)
        return [row_of(build) for build in (answer.get("workflows") or {}).get("docs") or []]

    show(rows, COLUMNS, options)


def _page(app: App, options: dict[str, Any]) -> Any:  # noqa: ANN401 — JSON edge
    pipelines = list(options["pipeline_id"])
    if options["pipeline_name"]:
        named = app.api.pipelines.list(id=options["pipeline_name"]).get("docs") or []
        if not named:
            raise Refused("Cannot find any builds with these pipelines names")
        pipelines += [pipeline["metadata"]["id"] for pipeline in named]
    return app.api.workflows.list(
        **{name: options[name] for name in ("limit", "page", "status", "trigger", "pipeline_trigger_id")},
        pipeline=pipelines,
        revision=options["commit_id"],
        branch_name=options["branch"],
        pagination_reset=options["page"] == 1,
        start_date=options["from_"],
        end_date=options["to"],
    )


def row_of(build: Mapping[str, Any]) -> Row:
    """A build as ``get builds`` prints it."""
    created, started, finished = (parse(build.get(key)) for key in ("created", "started", "finished"))
    info = {
        "id": build.get("id"),
        "created": created,
        "started": started,
        "finished": finished,
        "totalTime": span(created, finished) or "Invalid date",
        "buildTime": (span(started, finished) or "Invalid date") if started else None,
        "status": build.get("status"),
        "pipeline-name": build.get("pipelineName"),
        "repository": "/".join(str(build.get(key) or "") for key in ("repoOwner", "repoName")),
        "branch": build.get("branchName"),
        "trigger": build.get("pipelineTriggerName"),
        "webhook": bool(build.get("webhookTriggered")),
        "progress": build.get("progress"),
        "pipeline-Id": build.get("serviceId"),
        "commit-Id": build.get("revision"),
        "pipeline-trigger-id": build.get("pipelineTriggerId"),
    }
    return Row(
        id=build.get("id"),
        name="workflow/undefined",
        gaps=True,
        info=info,
        cells={key.lower(): value for key, value in info.items()},
    )


def span(start: datetime | None, end: datetime | None) -> str | None:
    """``HH:mm:ss`` between two moments; None while one is missing."""
    if start is None or end is None:
        return None
    seconds = max(0, int((end - start).total_seconds())) % 86_400
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


@leaf("logs")
@click.argument("build_id", metavar="ID")
@click.option("-f", "--f", "--follow", "follow", is_flag=True, help="Go on until the build ends.")
@click.option("--no-timestamps", is_flag=True, help="Without the time before each line.")
@pass_app
def show_logs(app: App, build_id: str, *, follow: bool, no_timestamps: bool) -> None:
    """Print the log of a build."""
    logs.print_log(app, build_id, wait=follow, stamps=not no_timestamps)


@leaf("restart")
@click.argument("build_id", metavar="ID")
@click.option("-d", "--detach", is_flag=True, help="Print the new build's id and do not follow it.")
@click.option("--from-failed", is_flag=True, help="Run only what did not go well, and what follows it.")
@pass_app
def restart(app: App, build_id: str, *, detach: bool, from_failed: bool) -> int:
    """Run a build again with the same inputs, and follow it."""
    new_id = str(app.api.workflows.restart(build_id, from_failed=from_failed or None))
    if detach:
        click.echo(new_id)
        return 0
    return logs.follow(app, new_id)


@leaf("terminate")
@click.argument("build_id", metavar="ID")
@pass_app
def terminate(app: App, build_id: str) -> None:
    """Stop a build."""
    build = logs.build_of(app, build_id)
    app.api.progress.terminate(str(build["progress"]))
    click.echo(f"Build: {build_id} terminated")


@leaf("approve")
@click.argument("build_id", metavar="BUILD_ID")
@click.option("--reason", help="Why; it is kept with the build and written into its log.")
@pass_app
def approve(app: App, build_id: str, reason: str | None) -> None:
    """Say yes to a build that waits for an approval."""
    build = logs.build_of(app, build_id)
    app.api.workflows.approve(str(build["id"]), reason=reason or None)
    click.echo(f"Workflow {build_id} has been approved.")


@leaf("deny")
@click.argument("build_id", metavar="BUILD_ID")
@click.option("--reason", help="Why; it is kept with the build and written into its log.")
@pass_app
def deny(app: App, build_id: str, reason: str | None) -> None:
    """Say no to a build that waits for an approval."""
    build = logs.build_of(app, build_id)
    app.api.workflows.deny(str(build["id"]), reason=reason or None)
    click.echo(f"Workflow {build_id} has been denied.")


@leaf("wait")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("-s", "--status", type=click.Choice(STATUSES), default="success", help="Wait for this status.")
@click.option("-t", "--timeout", type=float, default=30, show_default=True, help="Minutes.")
@click.option("-v", "--verbose", "-d", "--debug", "verbose", is_flag=True, help="Print each status seen.")
@pass_app
def wait(app: App, ids: tuple[str, ...], status: str, timeout: float, *, verbose: bool) -> None:
    """Wait until builds have a status; another final status is an error."""
    for build_id in ids:
        if not _ID.match(build_id):
            raise Refused(f"Passed build id: {build_id} is not valid")
    deadline = time.monotonic() + timeout * 60
    for build_id in ids:
        _wait_for(app, build_id, status, deadline, verbose=verbose)
        click.echo(f"Build: {build_id} status: {status} reached")


def _wait_for(app: App, build_id: str, status: str, deadline: float, *, verbose: bool) -> None:
    now, is_away = "", False
    while True:
        try:
            now, is_away = str(logs.build_of(app, build_id).get("status")), False
        except Unreachable:
            if not now or deadline <= time.monotonic():
                raise  # it was never there, or is away for too long
            if not is_away:
                logs.tell_away(None)
            is_away = True
        if now == status:
            return
        if verbose:
            click.echo(f"Build: {build_id} status: {now}", err=True)
        if now in FINAL:
            raise Refused(f"Build: {build_id} finished with status: {now}")
        left = deadline - time.monotonic()
        if left <= 0:
            raise Refused("Operation has timed out")
        app.sleep(min(WAIT_POLL_S, left))
