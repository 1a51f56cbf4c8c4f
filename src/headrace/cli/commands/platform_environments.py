"""Runtime environments that an admin of the installation gives to accounts, and takes from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from headrace.cli.errors import Refused
from headrace.cli.files import read_text
from headrace.cli.verbs import leaf, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App


@leaf("assign system-runtime-environments")
@click.argument("name")
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@click.option("-f", "--filename", help="Names of accounts, one a line, in the place of arguments.")
@pass_app
def assign(app: App, name: str, accounts: tuple[str, ...], filename: str | None) -> None:
    """Give an environment back to accounts, by their names."""
    app.api.on_prem.runtime_envs.account.modify(name, {"accounts": _ids(app, accounts, filename)})
    click.echo(f"Runtime-Environment '{name}' was assigned.")


@leaf("unassign system-runtime-environments")
@click.argument("name")
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@click.option("-f", "--filename", help="Names of accounts, one a line, in the place of arguments.")
@pass_app
def unassign(app: App, name: str, accounts: tuple[str, ...], filename: str | None) -> None:
    """Take an environment from accounts, by their names."""
    app.api.on_prem.runtime_envs.account.delete(name, {"accounts": _ids(app, accounts, filename)})
    click.echo(f"Runtime-Environment '{name}' was unassigned.")


def _ids(app: App, names: tuple[str, ...], filename: str | None) -> list[str]:
    """The ids of accounts; a name that no account has changes nothing."""
    wanted = [*names, *(read_text(str(Path(filename))).split() if filename else ())]
    if not wanted:
        raise Refused("name the accounts, or a file with their names: -f accounts.txt")
    known = {one["name"]: one["_id"] for one in app.api.accounts.list_accounts()}
    missing = [one for one in wanted if one not in known]
    if missing:
        raise Refused(f"No such account: {', '.join(missing)}")
    return [known[one] for one in wanted]
