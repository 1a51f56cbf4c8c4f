"""``codefresh download audit``: the audit log as a file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from headrace.cli.errors import Refused
from headrace.cli.verbs import leaf, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App


@leaf("download audit")
@click.option("--userName", "user_name", help="Only of this user.")
@click.option("--userId", "user_id", help="Only of this user, by id.")
@click.option("--entity", help="Only of this kind of thing: pipelines, contexts.")
@click.option("--entityId", "entity_id", help="Only of this thing, by the id or name that was called.")
@click.option("--action", help="Only this: pipelines.create.")
@click.option("--rs_status", help="Only what was answered with this status.")
@click.option("--showTriggers", "show_triggers", help="Triggers are always shown.")
@click.option("--search", help="A part of user, action or id.")
@click.option("--from", "since", help="2026-01-31, and later.")
@click.option("--to", "until", help="2026-01-31, and earlier.")
@click.option("--sortField", "sort_field", type=click.Choice(["id", "createdAt", "updatedAt"]))
@click.option("--sortType", "sort_type", type=click.Choice(["ASK", "DESK"]), help="DESK: the newest first.")
@click.option("--file", "target", help="Where to; codefresh_audit_<date>.csv here by default.")
@pass_app
def download_audit(app: App, target: str | None, since: str | None, until: str | None, **more: Any) -> None:  # noqa: ANN401 — the options above
    """Save the audit log as CSV; for admins."""
    text = app.api.audit.download(from_=since, to=until, **more)
    path = Path(target or f"codefresh_audit_{datetime.now(UTC):%Y-%m-%d}.csv")
    try:
        path.write_text(str(text), encoding="utf-8", newline="")
    except OSError as problem:
        raise Refused(f"{path}: {problem.strerror}; give another place by --file") from None
    click.echo(f"Audit log saved to {path}")
