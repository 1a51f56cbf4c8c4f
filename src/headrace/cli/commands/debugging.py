"""What a build that waits at a breakpoint is told: ``debug continue|step-over|finish|run``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from headrace.cli.app import App
from headrace.cli.verbs import leaf, pass_app

if TYPE_CHECKING:
    from headrace.client.made import types

_DONE = {
    "continue": "goes on to its next breakpoint",
    "step-over": "goes on to its next step",
    "finish": "goes on, past all breakpoints",
}


def _on_build(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what all commands of the debugger take."""
    option = click.option("--step", help="Which step; needed where several wait.")
    return click.argument("build_id", metavar="BUILD_ID")(option(pass_app(command)))


@leaf("debug continue")
@_on_build
def go_on(app: App, build_id: str, step: str | None) -> None:
    """Go on to the next breakpoint."""
    _tell(app, build_id, step, "continue")


@leaf("debug step-over")
@_on_build
def step_over(app: App, build_id: str, step: str | None) -> None:
    """Go on to the next step, whether it has a breakpoint or not."""
    _tell(app, build_id, step, "step-over")


@leaf("debug finish")
@_on_build
def finish(app: App, build_id: str, step: str | None) -> None:
    """Go on to the end of the build, past all breakpoints."""
    _tell(app, build_id, step, "finish")


@leaf("debug run")
@_on_build
@click.argument("script", metavar="SCRIPT")
def run(app: App, build_id: str, script: str, step: str | None) -> None:
    """Run lines of shell beside the step; what they print is in its log."""
    asked = _ask(app, build_id, step, action="run", script=script)
    click.echo(f"Step {asked['step']!r} runs it; see codefresh logs {build_id}")


def _tell(app: App, build_id: str, step: str | None, action: str) -> None:
    asked = _ask(app, build_id, step, action=action)
    click.echo(f"Step {asked['step']!r} {_DONE[action]}.")


def _ask(app: App, build_id: str, step: str | None, **body: Any) -> types.DebugOut:  # noqa: ANN401 — fields of the request
    if step:
        body["step"] = step
    asked: Any = body
    return app.api.workflows.debug(build_id, asked)
