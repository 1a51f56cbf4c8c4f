"""API keys: ``create``, ``get``, ``patch`` and ``delete token``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from headrace.cli.cures import told
from headrace.cli.dates import DATE, parse
from headrace.cli.errors import Refused
from headrace.cli.output import Columns, Row, show
from headrace.cli.verbs import Array, leaf, output_options, pass_app
from headrace.client.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from headrace.cli.app import App

COLUMNS = Columns(
    default=("id", "name", "token_prefix", "created", "scopes"),
    wide=("id", "name", "token_prefix", "created", "subject_type", "subject", "scopes"),
    dates={"*": DATE},
)


@leaf("create token")
@click.argument("name", required=False)
@click.option("-s", "--scope", cls=Array, metavar="SCOPE", help="What the key may do; none for everything.")
@click.option("--type", "kind", type=click.Choice(("user", "runtime-environment")), default="user")
@click.option("--subject", help="Name of the runtime environment that the key is for.")
@pass_app
def create_token(app: App, name: str | None, scope: tuple[str, ...], kind: str, subject: str | None) -> None:
    """Make an API key and print it, once."""
    if not name:
        raise Refused("Token name must be provided")
    if kind != "user" and not subject:
        raise Refused(f'Type "{kind}" needs --subject to be provided')
    about: Any = {"subject_type": kind, "subject_reference": subject}
    key = app.api.tokens.generate({"name": name, "scopes": list(scope)}, **about)
    click.echo("Token created:")
    click.echo(key)


@leaf("get tokens")
@click.argument("names", nargs=-1, metavar="[NAME|ID]...")
@output_options
@pass_app
def get_tokens(app: App, names: tuple[str, ...], **out: Any) -> None:  # noqa: ANN401 — values of `output_options`
    """Show API keys without their secret part."""

    def rows() -> list[Row]:
        tokens = app.api.tokens.list() or []
        wanted = [
            token for token in tokens if not names or {token.get("_id"), token.get("name")} & set(names)
        ]
        return [_row(token) for token in wanted]

    show(rows, COLUMNS, out)


def _row(token: Mapping[str, Any]) -> Row:
    subject = token.get("subject") or {}
    scopes = token.get("scopes")
    shown = {
        "id": token.get("_id"),
        "token_prefix": token.get("tokenPrefix"),
        "scopes": scopes if isinstance(scopes, list) else ["any"],
        "created": parse(token.get("created")),
        "subject_type": subject.get("type"),
        "subject": subject.get("ref"),
    }
    info = {**token, **shown}
    return Row(id=info["id"], name=f"token/{token.get('name')}", info=info, cells=info)


@leaf("patch tokens")
@click.argument("token_id", metavar="ID")
@click.option("--name", help="Rename the key.")
@click.option("-s", "--scope", cls=Array, metavar="SCOPE", help="Replace what the key may do.")
@pass_app
def patch_token(app: App, token_id: str, name: str | None, scope: tuple[str, ...]) -> None:
    """Rename an API key, or replace its scopes."""
    changes: Any = ({"name": name} if name else {}) | ({"scopes": list(scope)} if scope else {})
    app.api.tokens.patch(token_id, changes)
    click.echo(f"Token {token_id} updated")


@leaf("delete tokens")
@click.argument("ids", nargs=-1, metavar="ID...")
@pass_app
def delete_tokens(app: App, ids: tuple[str, ...]) -> None:
    """Revoke API keys, at once; exits with 0 also when one could not be revoked."""
    if not ids:
        raise Refused("Token ids must be provided")
    for token_id in ids:
        try:
            app.api.tokens.delete(token_id)
        except ApiError as error:
            click.echo(f"Not deleted: '{token_id}' -- Error: {told(error)}")
        else:
            click.echo(f"Deleted token: '{token_id}'")
