"""Answers a shell's question: which words may come next? Failures answer nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from headrace.cli.errors import Refused
from headrace.cli.verbs import Verb, build_root
from headrace.client.errors import ApiError, Unreachable

if TYPE_CHECKING:
    from headrace.cli.app import App

LIMIT = 50
PIPELINES = {"run", "get pipelines", "delete pipeline"}
BUILDS = {"logs", "restart", "terminate", "approve", "deny", "wait", "get builds"}
PROJECTS = {"get projects", "patch project", "delete project", "get pipelines --project"}
CONTEXTS = {"get contexts", "delete context"}


def complete(app: App, words: list[str]) -> None:
    """Print one word a line that may stand at the end of ``words``; the last may be empty or begun."""
    *before, begun = words or [""]
    path, command = _command(before)
    if isinstance(command, Verb):
        context = click.Context(command)
        found = sorted({*command.list_commands(context), *command.commands})
    elif begun.startswith("-"):
        found = [word for param in command.params for word in param.opts if word.startswith("--")]
    else:
        found = _names(app, path)
    for word in found:
        if word.startswith(begun):
            click.echo(word)


def _command(words: list[str]) -> tuple[str, click.Command]:
    command: click.Command = build_root()
    path: list[str] = []
    for word in words:
        if word.startswith("-") or not isinstance(command, Verb):
            continue
        inner = command.get_command(click.Context(command), word)
        if inner is None:
            break
        command = inner
        path.append(str(inner.name).rpartition(" ")[2])
    return " ".join(path), command


def _names(app: App, path: str) -> list[str]:
    """Names from the server; nothing where it does not answer: a shell shows no errors here."""
    try:
        if path in PIPELINES:
            docs = app.call("pipelines.list", query={"limit": LIMIT, "offset": 0}).get("docs") or []
            return [doc["metadata"]["name"] for doc in docs]
        if path in BUILDS:
            answer = app.call("workflows.list", query={"limit": LIMIT, "page": 1})
            return [build["id"] for build in answer["workflows"]["docs"]]
        if path in PROJECTS:
            answer = app.call("projects.list", query={"limit": LIMIT, "offset": 0})
            return [project["projectName"] for project in answer["projects"]]
        if path in CONTEXTS:
            return [context["metadata"]["name"] for context in app.call("contexts.list")]
    except (Refused, ApiError, Unreachable):
        return []
    return []
