"""Helm repositories: ``get``, ``create``, ``patch`` and ``delete helm-repo``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from headrace.cli.cures import told
from headrace.cli.dates import RELATIVE, parse
from headrace.cli.errors import Refused
from headrace.cli.output import Columns, Row, show, text_of
from headrace.cli.verbs import leaf, output_options, pass_app
from headrace.client.errors import ApiError, NotFound

if TYPE_CHECKING:
    from headrace.cli.app import App

COLUMNS = Columns(default=("name", "public", "created", "updated"), dates={"*": RELATIVE})
FIELDS = ("Name", "CreatedAt", "Public", "UpdatedAt")


def _row(repo: Mapping[str, Any]) -> Row:
    cells = {
        "name": repo.get("Name"),
        "public": repo.get("Public"),
        "created": parse(repo.get("CreatedAt")),
        "updated": parse(repo.get("UpdatedAt")),
    }
    info = {key: repo[key] for key in FIELDS if key in repo}
    return Row(id=None, name=f"helm-repo/{cells['name']}", info=info, cells=cells)


@leaf("get helm-repo")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@output_options
@pass_app
def get_helm_repos(app: App, names: tuple[str, ...], **out: Any) -> None:  # noqa: ANN401 — values of `output_options`
    """Show Helm repositories by name, or all."""

    def rows() -> list[Row]:
        if not names:
            return [_row(repo) for repo in app.api.helm.repos.list()]
        found: list[Row] = []
        for name in names:
            try:
                found.append(_row(app.api.helm.repos.get(name)))
            except ApiError as error:
                if found:
                    click.echo(text_of(found, COLUMNS, out))
                missing = isinstance(error, NotFound)
                what = f"Helm repo '{name}' was not found." if missing else "Error occurred"
                raise Refused(f"{what}; caused by Error: {told(error)}") from error
        return found

    show(rows, COLUMNS, out)


@leaf("create helm-repo")
@click.argument("name")
@click.option("-p", "--public", is_flag=True, help="Everybody may read it.")
@pass_app
def create_helm_repo(app: App, name: str, *, public: bool) -> None:
    """Store a Helm repository."""
    app.api.helm.repos.create({"name": name, "public": public})
    click.echo(f"Helm repo: {name} created")


@leaf("patch helm-repo")
@click.argument("name")
@click.option(
    "-p", "--public", type=click.BOOL, is_flag=False, flag_value=True, help="Everybody may read it."
)
@click.option("-n", "--newName", "--new-name", "new_name", help="Rename the repository.")
@pass_app
def patch_helm_repo(app: App, name: str, *, public: bool | None, new_name: str | None) -> None:
    """Rename a Helm repository, or change who may read it (-p, -p=false)."""
    named = {"name": new_name, "public": public}
    changes: Any = {key: value for key, value in named.items() if value is not None}
    app.api.helm.repos.update(name, changes)
    click.echo(f"Helm repo: {name} patched.")


@leaf("delete helm-repo")
@click.argument("name")
@pass_app
def delete_helm_repo(app: App, name: str) -> None:
    """Forget a Helm repository."""
    app.api.helm.repos.delete(name)
    click.echo(f"Helm repo '{name}' deleted.")
