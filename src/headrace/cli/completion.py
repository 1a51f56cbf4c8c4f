"""Answers a shell's question: which words may come next? Failures answer nothing.

Names of the server are asked for with little patience and kept for a few seconds, since a shell asks
again with every press of the key.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from headrace.cli.verbs import Verb, build_root

if TYPE_CHECKING:
    from headrace.cli.app import App

LIMIT = 100
PATIENCE_S = 1.5
FRESH_S = 20.0
# What the word of a command is, by the command's path; of an option, by its name.
ARGUMENTS = {
    "run": "pipelines",
    "get pipelines": "pipelines",
    "delete pipeline": "pipelines",
    "logs": "builds",
    "restart": "builds",
    "terminate": "builds",
    "approve": "builds",
    "deny": "builds",
    "wait": "builds",
    "get builds": "builds",
    "get projects": "projects",
    "patch project": "projects",
    "delete project": "projects",
    "get contexts": "contexts",
    "delete context": "contexts",
    "get step-types": "step types",
    "delete step-type": "step types",
    "get runtime-environments": "runtime environments",
    "auth use-context": "saved",
    "cli-config get": "properties",
    "cli-config help": "properties",
    "cli-config profile": "profiles",
    "cli-config set": "properties",
    "api": "operations",
}
OPTIONS = {
    "--pipeline-name": "pipelines",
    "--project": "projects",
    "--project-name": "projects",
    "--context": "contexts",
    "--runtime-name": "runtime environments",
}
OF_KIND = {"build": "builds", "pipeline": "pipelines", "project": "projects"}
KINDS = {"open": tuple(OF_KIND), "watch": ("build", "builds")}


def complete(app: App, words: list[str]) -> None:
    """Print one word a line that may stand at the end of ``words``; the last may be empty or begun."""
    *before, begun = words or [""]
    try:
        found = [*_possible(app, before, begun)]
    except Exception:  # noqa: BLE001 — a shell shows no errors here, whatever they are
        return
    for word in found:
        if word.startswith(begun) and word.isprintable():
            click.echo(word)


def _possible(app: App, before: list[str], begun: str) -> Iterable[str]:
    path, command, rest = _command(before)
    if isinstance(command, Verb):
        context = click.Context(command)
        if not begun.startswith("-") and not (before and before[-1].startswith("-")):
            return command.list_commands(context)
        command = command.get_command(context, command.usual or "") or command
    option = _option(command, before)
    if option is not None:
        if isinstance(option.type, click.Choice):
            return map(str, option.type.choices)
        kind = next((OPTIONS[name] for name in option.opts if name in OPTIONS), None)
        return _names(app, kind)
    if begun.startswith("-"):
        return [word for param in command.params for word in param.opts if word.startswith("--")]
    if path in KINDS:
        given = next((word for word in rest if not word.startswith("-")), None)
        return KINDS[path] if given is None else _names(app, OF_KIND.get(given))
    return _names(app, ARGUMENTS.get(path))


def _command(words: list[str]) -> tuple[str, click.Command, list[str]]:
    """The command that the words name: its path, itself, and the words behind it."""
    command: click.Command = build_root()
    path: list[str] = []
    for index, word in enumerate(words):
        if not isinstance(command, Verb):
            return " ".join(path), command, words[index:]
        if word.startswith("-"):
            continue
        inner = command.get_command(click.Context(command), word)
        if inner is None:
            break
        command = inner
        path.append(str(inner.name).rpartition(" ")[2])
    return " ".join(path), command, []


def _option(command: click.Command, words: list[str]) -> click.Option | None:
    """The option whose value comes next; None where the last word is none, or a flag."""
    last = words[-1] if words else ""
    for param in command.params:
        if isinstance(param, click.Option) and last in param.opts and not param.is_flag:
            return param
    return None


def _names(app: App, kind: str | None) -> list[str]:
    if kind is None:
        return []
    if kind == "saved":
        return list(app.config_file().entries)
    if kind == "properties":
        from headrace.cli.preferences import PROPERTIES

        return list(PROPERTIES)
    if kind == "profiles":
        return list(app.preferences.profiles)
    if kind == "operations":
        from headrace.client.made.operations import OPERATIONS

        return list(OPERATIONS)
    return _kept(app, kind, _FINDERS[kind])


def _kept(app: App, kind: str, find: Callable[[App], list[str]]) -> list[str]:
    """What is found, from a file of this user where that is young enough."""
    own = hashlib.sha256(f"{app.api.url} {app.api.key} {kind}".encode()).hexdigest()[:32]
    path = cache_folder(app.environ) / f"names-{own}.json"
    try:
        if 0 <= time.time() - path.stat().st_mtime < FRESH_S:
            return list(json.loads(path.read_text()))
    except (OSError, ValueError):
        pass
    names = find(replace(app, asked={**app.asked, "timeout_s": PATIENCE_S, "attempts": 1}))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w") as file:
            json.dump(names, file)
        Path(temporary).replace(path)
    except OSError:
        pass  # a home that cannot be written to has no cache
    return names


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where names are kept: ``$XDG_CACHE_HOME/headrace``, else ``~/.cache/headrace``."""
    base = environ.get("XDG_CACHE_HOME")
    return Path(base or Path(environ.get("HOME") or Path.home()) / ".cache") / "headrace"


def _pipelines(app: App) -> list[str]:
    docs = app.api.pipelines.list(limit=LIMIT, offset=0).get("docs") or []
    return [str(doc["metadata"]["name"]) for doc in docs]


def _builds(app: App) -> list[str]:
    answer = app.api.workflows.list(limit=LIMIT, page=1)
    return [str(build["id"]) for build in answer["workflows"]["docs"]]


def _projects(app: App) -> list[str]:
    answer = app.api.projects.list(limit=LIMIT, offset=0)
    return [str(project["projectName"]) for project in answer["projects"]]


def _contexts(app: App) -> list[str]:
    return [str(context["metadata"]["name"]) for context in app.api.contexts.list()]


def _step_types(app: App) -> list[str]:
    docs = app.api.steps.list(limit=LIMIT)["docs"]
    return [str(doc["metadata"]["name"]) for doc in docs]


def _environments(app: App) -> list[str]:
    return [str(found["metadata"]["name"]) for found in app.api.runtime_envs.list()]


_FINDERS = {
    "pipelines": _pipelines,
    "builds": _builds,
    "projects": _projects,
    "contexts": _contexts,
    "step types": _step_types,
    "runtime environments": _environments,
}
