"""``codefresh cli-config``: preferences of this machine's user, in profiles."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from headrace.cli.errors import Refused
from headrace.cli.output import align
from headrace.cli.preferences import PROPERTIES, Preferences
from headrace.cli.verbs import FORMATS, leaf, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App

GAP = 3
COLOURS: dict[type, str] = {bool: "yellow", str: "green"}


def _form(command: Callable[..., Any]) -> Callable[..., Any]:
    described = "json or yaml; any other form is the table."
    return click.option("-o", "--output", type=click.Choice(FORMATS), help=described)(command)


@leaf("cli-config show")
@_form
@pass_app
def show(app: App, output: str | None) -> None:
    """Show the preferences of the profile in use, as cli-config alone does."""
    click.echo(_headed("Current profile", app.preferences, PROPERTIES, output))


@leaf("cli-config get")
@click.argument("name", default="")
@_form
@pass_app
def get(app: App, name: str, output: str | None) -> None:
    """Show the properties whose names contain NAME; without it, the names of all."""
    if not name:
        _list_names()
        return
    click.echo(_headed("Current profile", app.preferences, _matching(name), output))


@leaf("cli-config set")
@click.argument("name", default="")
@click.argument("value", required=False)
@_form
@pass_app
def set_property(app: App, name: str, value: str | None, output: str | None) -> None:
    """Set a property of the profile in use; without NAME, show the names of all."""
    if not name:
        _list_names()
        return
    if value is None:
        raise Refused(
            f'No value provided for property "{name}"; for what it may be: codefresh cli-config help {name}'
        )
    found = [name] if name in PROPERTIES else _matching(name)
    if len(found) > 1:
        raise Refused(f"Choose one of the following properties: {', '.join(found)}")
    if found != [name]:
        raise Refused(f"Did you mean property: {found[0]}?")
    try:
        wanted = PROPERTIES[name].read(None if value == "null" else value)
    except ValueError as error:
        raise Refused(f'Validation error: property "{name}" {error}') from error
    app.preferences.set(name, wanted)
    app.preferences.save()
    click.echo(_headed("Property set on profile", app.preferences, found, output))


@leaf("cli-config profile")
@click.argument("name", default="")
@pass_app
def profile(app: App, name: str) -> None:
    """Use another profile from now on, a new one if there is none; without NAME, list them."""
    preferences = app.preferences
    if not name:
        names = "\n".join(preferences.profiles)
        click.echo(f"Current profile: | {preferences.profile} |\n\nAvailable profiles:\n{names}")
        return
    created = preferences.use(name)
    preferences.save()
    click.echo(f'Profile "{name}" was created' if created else f'Using profile "{name}"')


@leaf("cli-config help")
@click.argument("name", default="")
def describe(name: str) -> None:
    """Say of each property, or of those whose names contain NAME, what it is and does."""
    lines = [
        [key, known.kind, _shown(known.default), ",".join(known.choices), known.about]
        for key, known in sorted(PROPERTIES.items())
        if name in key
    ]
    if not lines:
        click.echo("no properties")
        return
    headings = ["key", "type", "default", "enum", "description"]
    shown = [column for column in range(len(headings)) if any(line[column] for line in lines)]
    click.echo(_table([headings, *lines], shown))


def _list_names() -> None:
    click.echo("\n".join(["Available properties:\n", *sorted(PROPERTIES)]))


def _matching(part: str) -> list[str]:
    found = sorted(name for name in PROPERTIES if part in name)
    if not found:
        raise Refused(f'Property "{part}" is not supported; for the names of all: codefresh cli-config get')
    return found


def _headed(heading: str, preferences: Preferences, names: Iterable[str], form: str | None) -> str:
    values = {name: preferences.value(name) for name in PROPERTIES if name in names}
    return f"{heading}: | {preferences.profile} |\n\n{_text(values, form)}"


def _text(values: dict[str, bool | int | str], form: str | None) -> str:
    if form not in ("json", "yaml"):
        lines = [[name, _shown(value)] for name, value in sorted(values.items())]
        return _table([["key", "value"], *lines], range(2))
    tree: dict[str, Any] = {}
    for name, value in values.items():
        *parents, last = name.split(".")
        section = tree
        for key in parents:
            section = section.setdefault(key, {})
        section[last] = value
    if form == "json":
        return json.dumps(tree, indent=4)
    from headrace.cli import yamltext

    return yamltext.dump(tree)


def _table(lines: list[list[str]], columns: Iterable[int]) -> str:
    headings, *rest = [[line[column] for column in columns] for line in lines]
    return align([[click.style(word.upper(), bold=True) for word in headings], *rest], gap=GAP)


def _shown(value: bool | int | str) -> str:  # noqa: FBT001 — a value, no switch
    text = f"'{value}'" if isinstance(value, str) else json.dumps(value)
    colour = COLOURS.get(type(value))
    return click.style(text, fg=colour) if colour else text
