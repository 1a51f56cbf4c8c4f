"""Git repositories: ``get repository``, ``add repository``, ``delete repository``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from headrace.cli.errors import Refused
from headrace.cli.found import found_by
from headrace.cli.output import Columns, Row, show
from headrace.cli.verbs import leaf, output_options, pass_app

if TYPE_CHECKING:
    from collections.abc import Mapping

    from headrace.cli.app import App

ADDED = Columns(default=("git_context", "owner", "name", "name_id"))
AVAILABLE = Columns(
    default=("git_context", "owner", "name", "repo_shortcut"),
    wide=("git_context", "owner", "name", "repo_shortcut", "private", "ssh_url"),
)


def _context(app: App, wanted: str | None) -> str:
    """The name of the git context to use; refused as the official client does."""
    for one in app.api.contexts.list() or []:
        metadata, kind = one["metadata"], str(one["spec"]["type"])
        if kind.startswith("git") and (metadata["name"] == wanted if wanted else metadata.get("default")):
            return str(metadata["name"])
    raise Refused(f"No such context: {wanted}" if wanted else "Default git context is not specified")


def _row(repo: Mapping[str, Any]) -> Row:
    owner = repo["owner"]["login"]
    cells = {
        **repo,
        "git_context": repo["provider"],
        "owner": owner,
        "name_id": repo.get("serviceName"),
        "repo_shortcut": f"{owner}/{repo['name']}",
    }
    kind = "codefresh-repo" if "serviceName" in repo else "git-repo"
    return Row(id=repo.get("_id"), name=f"{kind}/{repo['name']}", info=cells, cells=cells)


@leaf("get repository")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("-a", "--available", is_flag=True, help="Those that the Git host shows.")
@click.option("-l", "--limit", default=25, show_default=True, help="At most this many.")
@click.option("-c", "--context", help="Git integration; the default one where absent.")
@output_options
@pass_app
def get_repository(
    app: App,
    names: tuple[str, ...],
    limit: int,
    context: str | None,
    *,
    available: bool,
    **out: Any,  # noqa: ANN401 — values of `output_options`
) -> None:
    """Show the repositories that were added, or those that a Git integration sees."""
    found: list[Row] = []

    def rows() -> list[Row]:
        repos = app.api.repos.git if available else app.api.repos
        every = [_row(one) for one in repos.list(context=_context(app, context))]
        shortcut = "repo_shortcut" if available else "name_id"
        found[:] = [row for row in every if not names or any(name in row.cells[shortcut] for name in names)]
        return found[:limit]

    show(rows, AVAILABLE if available else ADDED, out)
    if len(found) > limit:
        more = len(found) - limit
        click.echo(f"... {more} more repos available - pass greater --limit option to show more")


@leaf("add repository")
@click.argument("fullname", required=False)
@click.option("-c", "--context", help="Git integration; the default one where absent.")
@pass_app
def add_repository(app: App, fullname: str | None, context: str | None) -> None:
    """Add a repository that a Git integration reads."""
    if not fullname:
        raise Refused("Full repo name is not provided")
    owner, _, name = fullname.partition("/")
    template = 'Please follow the repo name template: "<owner>/<repo>"'
    if not owner:
        raise Refused(f"Owner name not provided! {template}")
    if not name:
        raise Refused(f"Repo name not provided! {template}")
    seen = app.api.repos.git.get(owner, name, context=context)
    context = context or str(seen["provider"])
    click.echo(f'Found repository "{seen["name"]}" at context "{context}"')
    if found_by(partial(app.api.repos.get, context=context), fullname) is not None:
        prefix = f"{context}-{context}"
        click.echo(f"Repo with such name already exists -- adding context prefix: {prefix}")
        fullname = f"{prefix}/{fullname}"
    details: Any = {"name": fullname, "scm": {"name": name, "owner": {"name": owner}}}
    app.api.repos.create({"serviceDetails": details}, context=context)
    click.echo(f"Repository added: {fullname}")


@leaf("delete repository")
@click.argument("name_id", required=False)
@click.option("-c", "--context", help="Git integration; any where absent.")
@pass_app
def delete_repository(app: App, name_id: str | None, context: str | None) -> None:
    """Forget a repository that was added; it stays at its host."""
    if not name_id:
        click.echo("Repository name_id not provided")
        return
    app.api.repos.delete(name_id, context=context)
    click.echo(f"Successfully deleted repo: {name_id}")
