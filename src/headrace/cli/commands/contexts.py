"""Shared configuration and Git integrations: ``create``, ``get``, ``patch``, ``delete context``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from headrace.cli import files
from headrace.cli.errors import Refused
from headrace.cli.found import found_by
from headrace.cli.output import Columns, Row, show
from headrace.cli.verbs import leaf, output_options, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App

COLUMNS = Columns(default=("name", "type"))
KINDS = (
    "config",
    "git.bitbucket-server",
    "git.bitbucket",
    "git.github",
    "git.github-app",
    "git.codefresh-github-app",
    "git.gitlab",
    "git.stash",
    "helm-repository",
    "secret-yaml",
    "secret",
    "storage.gc",
    "storage.s3",
    "storage.azuref",
    "yaml",
    "secret-store.kubernetes",
    "secret-store.kubernetes-runtime",
    "secret-store.hashicorp-vault",
)
GITHUB_HOST, GITHUB_PREFIX = "api.github.com", "/"
GITLAB_URL = "https://gitlab.com/api/v4/"


def create(app: App, name: str, kind: str, data: dict[str, Any]) -> None:
    """Create a context of one type and say so."""
    document = {
        "apiVersion": "v1",
        "kind": "context",
        "metadata": {"name": name},
        "spec": {"type": kind, "data": data},
    }
    app.api.contexts.create(document)
    click.echo(f"Context: {name} created")


def _variables_command(kind: str, summary: str) -> None:
    @leaf(f"create context {kind}")
    @click.argument("name")
    @click.option("-v", "--variable", multiple=True, metavar="K=V", help="A variable; may be repeated.")
    @pass_app
    def create_context(app: App, name: str, variable: tuple[str, ...]) -> None:
        create(app, name, kind, files.mapping(variable))

    create_context.help = summary


_variables_command("config", "Create variables that pipelines share.")
_variables_command("secret", "Create encrypted variables that pipelines share.")
_variables_command("yaml", "Create a YAML document that pipelines share.")
_variables_command("secret-yaml", "Create an encrypted YAML document that pipelines share.")


def _git_options(command: Callable[..., Any]) -> Callable[..., Any]:
    policies = click.Choice(("AccountAdmins", "AllUsersInAccount"))
    command = click.option("--behind-firewall", is_flag=True, help="The host is not reachable from outside.")(
        command
    )
    return click.option(
        "--sharing-policy", type=policies, default="AccountAdmins", show_default=True, help="Who may use it."
    )(command)


def _git_data(auth: dict[str, Any], *, behind_firewall: bool, sharing_policy: str) -> dict[str, Any]:
    return {
        "behindFirewall": behind_firewall,
        "sharingPolicy": sharing_policy,
        "auth": {"type": "basic"} | {key: value for key, value in auth.items() if value is not None},
    }


@leaf("create context git github")
@click.argument("name")
@click.option("-t", "--access-token", required=True, help="A personal access token.")
@click.option("-h", "--host", default=GITHUB_HOST, show_default=True, help="Host of the API.")
@click.option("-a", "--api-path-prefix", default=GITHUB_PREFIX, show_default=True, help="Path of the API.")
@_git_options
@pass_app
def create_github(
    app: App,
    name: str,
    access_token: str,
    host: str,
    api_path_prefix: str,
    **policy: Any,  # noqa: ANN401 — values of `_git_options`
) -> None:
    """Create a GitHub integration."""
    auth = {
        "password": access_token,
        "apiPathPrefix": None if api_path_prefix == GITHUB_PREFIX else api_path_prefix,
        "apiHost": None if host == GITHUB_HOST else host,
    }
    create(app, name, "git.github", _git_data(auth, **policy))


@leaf("create context git gitlab")
@click.argument("name")
@click.option("-t", "--access-token", required=True, help="A personal access token.")
@click.option("-a", "--api-url", default=GITLAB_URL, show_default=True, help="Address of the API.")
@_git_options
@pass_app
def create_gitlab(app: App, name: str, access_token: str, api_url: str, **policy: Any) -> None:  # noqa: ANN401 — values of `_git_options`
    """Create a GitLab integration."""
    auth = {"password": access_token, "apiURL": None if api_url == GITLAB_URL else api_url}
    create(app, name, "git.gitlab", _git_data(auth, **policy))


@leaf("create context git bitbucket")
@click.argument("name")
@click.option("-u", "--username", required=True)
@click.option("-a", "--app-password", required=True)
@_git_options
@pass_app
def create_bitbucket(app: App, name: str, username: str, app_password: str, **policy: Any) -> None:  # noqa: ANN401 — values of `_git_options`
    """Create a Bitbucket integration."""
    auth = {"username": username, "password": app_password}
    create(app, name, "git.bitbucket", _git_data(auth, **policy))


@leaf("create context git stash")
@click.argument("name")
@click.option("-u", "--username", required=True)
@click.option("-p", "--password", required=True)
@click.option("-a", "--api-url", required=True, help="Address of the API.")
@_git_options
@pass_app
def create_stash(app: App, name: str, username: str, password: str, api_url: str, **policy: Any) -> None:  # noqa: ANN401 — values of `_git_options`
    """Create an integration of a Bitbucket server."""
    auth = {"username": username, "password": password, "apiURL": api_url}
    create(app, name, "git.stash", _git_data(auth, **policy))


@leaf("create context helm-repository http")
@click.argument("name")
@click.option("--url", required=True, help="Address of the repository.")
@pass_app
def create_helm_http(app: App, name: str, url: str) -> None:
    """Create the address of a Helm repository."""
    create(app, name, "helm-repository", {"repositoryUrl": url})


@leaf("get contexts")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--type", "kinds", type=click.Choice(KINDS), multiple=True, help="Only contexts of this type.")
@click.option("--decrypt", is_flag=True, help="Show encrypted values.")
@click.option("--prepare", is_flag=True, help="Renew a token that runs out first.")
@click.option("--force-prepare", is_flag=True, help="Renew it in any case.")
@output_options
@pass_app
def get_contexts(app: App, names: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401 — the options above
    """Show contexts by name, or all."""
    decrypt = True if options["decrypt"] else None

    def one(name: str) -> Row:
        if options["prepare"] or options["force_prepare"]:
            force = True if options["force_prepare"] else None
            return _row(app.api.contexts.prepare(name, force_refresh=force))
        return _row(app.api.contexts.get(name, decrypt=decrypt))

    def rows() -> list[Row]:
        if names:
            return [one(name) for name in names]
        found = app.api.contexts.list(type=options["kinds"], decrypt=decrypt)
        return [_row(context) for context in found or []]

    show(rows, COLUMNS, options)


def _row(context: dict[str, Any]) -> Row:
    name = (context.get("metadata") or {}).get("name")
    kind = (context.get("spec") or {}).get("type")
    info = {
        "apiVersion": context.get("apiVersion"),
        "kind": context.get("kind"),
        "metadata": context.get("metadata"),
        "type": kind,
        "spec": context.get("spec"),
    }
    return Row(id=None, name=f"context/{name}", gaps=True, info=info, cells={"name": name, "type": kind})


@leaf("delete context")
@click.argument("name", required=False)
@click.option("-f", "--filename", help="Delete the context that a file names.")
@pass_app
def delete_context(app: App, name: str | None, filename: str | None) -> None:
    """Delete a context."""
    if filename is not None:
        name = files.read_resource(filename)[1]
    if not name:
        raise Refused("Name must be provided")
    app.api.contexts.delete(name)
    click.echo(f"Context: {name} deleted")


@leaf("patch context")
@click.option("-f", "--filename", required=True, help="A .yml, .yaml or .json file.")
@pass_app
def patch_context(app: App, filename: str) -> None:
    """Change a context as a file says; create it where it is missing."""
    _, name, document = files.read_resource(filename)
    if not name:
        raise Refused("Name is missing")
    if found_by(app.api.contexts.get, name) is None:
        app.api.contexts.create(document)
        click.echo(f"Context: {name} created")
        return
    app.api.contexts.patch(name, document)
    click.echo(f"Context: {name} patched")
