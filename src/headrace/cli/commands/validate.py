"""``codefresh validate`` and ``analyze``: have the server check a pipeline file, or propose one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from headrace.cli import files
from headrace.cli.errors import Findings, Refused
from headrace.cli.verbs import leaf, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App

VALID = "Yaml is valid!"
POLL_S = 1.0


def validate_text(app: App, text: str, name: str | None = None) -> dict[str, Any]:
    """The server's findings about a pipeline's YAML; ``name`` is the file's, without extension."""
    body: Any = {"yaml": text} | ({} if name is None else {"name": name}) | {"outputFormat": "lint"}
    result = app.api.pipelines.validate_yaml(body)
    return result if isinstance(result, dict) else {}


def findings_of(result: dict[str, Any], title: str = "Yaml not valid") -> str:
    """What is wrong or doubtful, as text; empty for a clean file."""
    if result.get("summarize"):
        keys = ("warningMessage", "message", "summarize", "documentationLinks")
        return "\n".join(str(result[key]).rstrip("\n") for key in keys if result.get(key))
    if result.get("valid"):
        return ""
    details = result.get("details") or []
    lines = [f"  - {detail.get('message')}" for detail in details if isinstance(detail, dict)]
    return "\n".join([f"{title}:", *lines]) if lines else f"{title}!"


def check_file(app: App, filename: str) -> None:
    """Print what the server says of a file; raises `Findings` where it is not valid."""
    result = validate_text(app, files.read_text(filename))
    if not result.get("valid"):
        raise Findings(findings_of(result))
    _report(result)


def _report(result: dict[str, Any]) -> None:
    findings = findings_of(result)
    if findings:
        click.echo(findings)
    if result.get("valid"):
        click.echo(VALID)


@leaf("validate")
@click.argument("filenames", nargs=-1)
@click.option("-a", "--attach", is_flag=True, help="Check again whenever the file changes.")
@pass_app
def validate(app: App, filenames: tuple[str, ...], *, attach: bool) -> None:
    """Check one or more pipeline files."""
    if not filenames:
        click.echo("No filename provided!")
        return
    paths = [str(Path(name).resolve()) for name in filenames]
    missing = [path for path in paths if not Path(path).exists()]
    for path in missing:
        click.echo(f"File does not exist: {path}")
    if missing:
        return
    if len(paths) == 1:
        if attach:
            _attach(app, paths[0])
        result = validate_text(app, files.read_text(paths[0]), Path(paths[0]).stem)
        if not result.get("valid"):
            raise Findings(findings_of(result))
        _report(result)
        return
    if attach:
        raise Refused("Cannot watch many files!")
    for path in paths:
        click.echo(f"Validation result for {path}:")
        _report(validate_text(app, files.read_text(path), Path(path).stem))


@leaf("analyze")
@click.argument("repo_owner")
@click.argument("repo_name")
@click.argument("context", required=False)
@pass_app
def analyze(app: App, repo_owner: str, repo_name: str, context: str | None) -> None:
    """Propose a pipeline for a repository of the Git integration CONTEXT."""
    repo: Any = {"repoOwner": repo_owner, "repoName": repo_name} | ({"git": context} if context else {})
    click.echo(app.api.pipelines.analyze({"repo": repo, "type": "git", "source": "api"}))


def _attach(app: App, path: str) -> None:
    click.echo(f"Validator attached to file: {path}")
    seen = None
    while True:
        changed = Path(path).stat().st_mtime_ns
        if changed != seen:
            if seen is not None:
                click.echo("File changed")
            _report(validate_text(app, files.read_text(path), Path(path).stem))
            seen = changed
        app.sleep(POLL_S)
