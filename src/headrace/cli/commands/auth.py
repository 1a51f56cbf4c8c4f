"""``codefresh auth``: save a server and a key, list them, choose one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from headrace.cli import auth
from headrace.cli.cures import told
from headrace.cli.errors import Refused
from headrace.cli.verbs import leaf, pass_app
from headrace.client.errors import ApiError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from headrace.cli.app import App

PROBE_TIMEOUT_S = 5.0


@leaf("auth create-context")
@click.argument("name", default="default")
@click.option("--api-key", required=True, help="The key, as shown once when it was made.")
@click.option("--url", default=auth.DEFAULT_URL, show_default=True, help="Address of the server.")
@pass_app
def create_context(app: App, name: str, api_key: str, url: str) -> None:
    """Save a server and a key under a name, and use them from now on."""
    file = app.config_file()
    context = auth.AuthContext(name=name, url=auth.clean_url(url), token=api_key)
    user = _validate(app, context)
    own_name, entry = auth.entry_for(name=name, url=context.url, key=api_key, user=user)
    known = name in file.entries
    file.put(own_name, entry)
    file.use(own_name)
    file.save()
    click.echo(f"{'Updated context' if known else 'Created new context'}: {own_name}")
    click.echo(f"Switched to context: {own_name}")


def _validate(app: App, context: auth.AuthContext) -> Mapping[str, Any]:
    api = app.api_of(context)
    try:
        user = api.users.get()
    except ApiError as error:
        try:  # a key bound to one build has no user
            api.request("GET", "/api/execution-contexts/current")
        except ApiError:
            raise Refused(f"API Key is not valid; caused by Error: {told(error)}") from error
        return {}
    return user if isinstance(user, dict) else {}


@leaf("auth get-contexts")
@pass_app
def get_contexts(app: App) -> None:
    """List the saved servers, and whether their keys are still good."""
    file = app.config_file()
    given = auth.from_environment(app.environ)
    if given is not None:
        _print_given(app, given)
    elif not file.entries:
        click.echo(
            "No authentication contexts. Please create an authentication context "
            "(see codefresh auth create-context --help)"
        )
    else:
        _print(app, [_saved(file, name) for name in sorted(file.entries)], file.current_name)


def _saved(file: auth.ConfigFile, name: str) -> auth.AuthContext | str:
    """A context of the file, or the name of one that cannot be used."""
    try:
        return file.context(name) or name
    except Refused:
        return name


@leaf("auth current-context")
@pass_app
def current_context(app: App) -> None:
    """Show the server in use, and whether its key is still good."""
    given = auth.from_environment(app.environ)
    if given is not None:
        _print_given(app, given)
        return
    context = auth.choose(app.environ, app.cfconfig)
    _print(app, [context], context.name)


def _print_given(app: App, context: auth.AuthContext) -> None:
    click.echo("Using authentication context created from CF_API_KEY env variable:")
    _print(app, [context], context.name)


def _print(app: App, contexts: list[auth.AuthContext | str], current: str | None) -> None:
    from headrace.cli.output import align

    lines = [["CURRENT", "NAME", "URL", "ACCOUNT", "STATUS"]]
    for context in contexts:
        name = context if isinstance(context, str) else context.name
        mark = "*" if name == current else ""
        if isinstance(context, str):
            lines.append([mark, name, "", "", "Not usable"])
        else:
            lines.append([mark, name, context.url, *_probe(app, context)])
    click.echo(align(lines))


def _probe(app: App, context: auth.AuthContext) -> tuple[str, str]:
    """Ask once, for 5 s at most, who the key belongs to: account and state."""
    from dataclasses import replace

    options = replace(app.options, timeout_s=PROBE_TIMEOUT_S, attempts=1)
    try:
        user = app.api_of(context, options).users.get()
    except ApiError:
        return "", "Revoked"
    except Unreachable:
        return "", "Cant connect to server"
    return auth.account_of(user if isinstance(user, dict) else {}), "Valid"


@leaf("auth use-context")
@click.argument("name")
@pass_app
def use_context(app: App, name: str) -> None:
    """Use another saved server from now on."""
    file = app.config_file()
    if name not in file.entries:
        raise Refused(f"No context exists with the name: {name}")
    file.use(name)
    file.save()
    click.echo(f"Switched to context {name}")
