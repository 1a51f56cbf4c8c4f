"""The administration of an installation; works on its database, whether a server runs or not."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from headrace.app.settings import Settings, SettingsInvalid, read


def _on_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--data`` and ``--database-url``, and the settings as its first argument."""

    @click.option("--data", help="Folder of the installation.")
    @click.option("--database-url", help="Database, where it is not in that folder.")
    @wraps(command)
    def run(data: str | None, database_url: str | None, **rest: Any) -> None:  # noqa: ANN401 - from click
        try:
            settings = read({"data": data, "database_url": database_url})
        except SettingsInvalid as problem:
            raise click.ClickException(str(problem)) from None
        command(settings, **rest)

    return run


@contextmanager
def _database(settings: Settings, *, migrated: bool = True) -> Iterator[Any]:
    """Open the database of an installation; errors of the API and of the database end the command."""
    from headrace.http.errors import ApiError  # noqa: PLC0415 - `--help` stays quick
    from headrace.storage import migrations  # noqa: PLC0415 - the same
    from headrace.storage.engine import Database  # noqa: PLC0415 - the same

    settings.data_path.mkdir(parents=True, exist_ok=True)
    db = Database(settings.effective_database_url)
    try:
        if migrated:
            migrations.upgrade(db)
        yield db
    except ApiError as problem:
        raise click.ClickException(problem.message) from None
    except migrations.SchemaTooNew as problem:
        raise click.ClickException(str(problem)) from None
    except SQLAlchemyError as problem:
        raise click.ClickException(f"database: {str(problem).partition(chr(10))[0]}") from None
    finally:
        db.close()


def _say(text: str) -> None:
    click.echo(text, err=True)


@click.group()
def account() -> None:
    """Accounts."""


@account.command("create")
@click.argument("name")
@_on_settings
def create_account(settings: Settings, name: str) -> None:
    """Create an account; print its id."""
    from headrace.resources.accounts import service  # noqa: PLC0415 - `--help` stays quick

    with _database(settings) as database, database.transaction() as db:
        made = service.create(db, name, now=datetime.now(UTC))
    click.echo(made.id)


@click.group()
def user() -> None:
    """Users."""


@user.command("create")
@click.argument("name")
@click.option("--account", "account_name", required=True, help="Account that the user belongs to.")
@click.option("--admin", is_flag=True, help="The user is an admin of the account.")
@click.option("--email", default="", help="Address of the user.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the standard input.")
@_on_settings
def create_user(
    settings: Settings, name: str, account_name: str, *, admin: bool, email: str, password_stdin: bool
) -> None:
    """Create a user; print a one-time password unless one is given."""
    from headrace.resources.accounts import service as accounts  # noqa: PLC0415 - `--help` stays quick
    from headrace.resources.users import service as users  # noqa: PLC0415 - the same
    from headrace.resources.users.passwords import random_password  # noqa: PLC0415 - the same

    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else random_password()
    with _database(settings) as database, database.transaction() as db:
        users.create(
            db,
            accounts.by_name(db, account_name).id,
            name,
            password=password,
            email=email,
            is_account_admin=admin,
            now=datetime.now(UTC),
        )
    _say(f"created the user {name!r} in the account {account_name!r}")
    if not password_stdin:
        _say("the password is shown this once:")
        click.echo(password)


@click.group()
def key() -> None:
    """API keys."""


@key.command("create")
@click.option("--account", "account_name", required=True, help="Account that the key is good for.")
@click.option("--user", "user_name", required=True, help="User whose rights it has.")
@click.option("--name", required=True, help="What the key is called in lists.")
@click.option("--scope", "scopes", multiple=True, help="What it may do; may repeat. None: everything.")
@_on_settings
def create_key(
    settings: Settings, account_name: str, user_name: str, name: str, scopes: tuple[str, ...]
) -> None:
    """Create an API key; print only the key, which is shown this once."""
    from headrace.resources.accounts import service as accounts  # noqa: PLC0415 - `--help` stays quick
    from headrace.resources.api_keys import service as keys  # noqa: PLC0415 - the same
    from headrace.resources.users import service as users  # noqa: PLC0415 - the same

    with _database(settings) as database, database.transaction() as db:
        account_id = accounts.by_name(db, account_name).id
        user_id = users.by_name(db, account_id, user_name).id
        text = keys.create(db, account_id, user_id=user_id, name=name, scopes=scopes, now=datetime.now(UTC))
    click.echo(text)


@key.command("list")
@click.option("--account", "account_name", required=True, help="Account whose keys are listed.")
@_on_settings
def list_keys(settings: Settings, account_name: str) -> None:
    """List the API keys of an account: id, prefix, scopes, name; the oldest first."""
    from headrace.resources.accounts import service as accounts  # noqa: PLC0415 - `--help` stays quick
    from headrace.resources.api_keys import service as keys  # noqa: PLC0415 - the same

    with _database(settings) as database, database.reading() as db:
        for one in keys.of_account(db, accounts.by_name(db, account_name).id):
            scopes = "any" if one.scopes is None else ",".join(one.scopes)
            click.echo(f"{one.id}\t{one.prefix}\t{scopes}\t{one.name}")


@key.command("revoke")
@click.argument("key_id", metavar="ID")
@click.option("--account", "account_name", required=True, help="Account that the key belongs to.")
@_on_settings
def revoke_key(settings: Settings, key_id: str, account_name: str) -> None:
    """Revoke an API key at once."""
    from headrace.resources.accounts import service as accounts  # noqa: PLC0415 - `--help` stays quick
    from headrace.resources.api_keys import service as keys  # noqa: PLC0415 - the same

    with _database(settings) as database, database.transaction() as db:
        keys.revoke_any(db, accounts.by_name(db, account_name).id, key_id)
    _say(f"revoked the key {key_id}")


@click.command()
@_on_settings
def migrate(settings: Settings) -> None:
    """Bring the database to the schema of this release."""
    from headrace.storage import migrations  # noqa: PLC0415 - `--help` stays quick

    with _database(settings, migrated=False) as database:
        changed = migrations.upgrade(database)
    _say(f"the database is {'now' if changed else 'already'} at revision {migrations.head()}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_on_settings
def backup(settings: Settings, file: Path) -> None:
    """Write rows, secrets key and logs to FILE; the server may run. Keep FILE secret."""
    from headrace.app import backup as archive  # noqa: PLC0415 - `--help` stays quick

    with _database(settings, migrated=False) as database:
        try:
            rows = archive.backup(database, settings.data_path, file, now=datetime.now(UTC))
        except (archive.BackupRefused, OSError) as problem:
            raise click.ClickException(str(problem)) from None
    _say(f"wrote {file}: {sum(rows.values())} rows of {len(rows)} tables")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@_on_settings
def restore(settings: Settings, file: Path) -> None:
    """Fill a new data folder, and a new database, from a backup."""
    from headrace.app import backup as archive  # noqa: PLC0415 - `--help` stays quick

    with _database(settings, migrated=False) as database:
        try:
            rows = archive.restore(database, settings.data_path, file)
        except archive.BackupRefused as problem:
            raise click.ClickException(str(problem)) from None
    _say(f"restored {sum(rows.values())} rows of {len(rows)} tables")


@click.command()
@_on_settings
def doctor(settings: Settings) -> None:
    """Look at the installation and say what is wrong with it; exit 1 if something is."""
    from headrace.app.doctor import examine  # noqa: PLC0415 - `--help` stays quick

    failed = False
    for finding in examine(settings.data_path, settings.effective_database_url):
        click.echo(f"{finding.level:<5} {finding.subject}: {finding.text}")
        failed = failed or finding.level == "fail"
    if failed:
        sys.exit(1)


@click.command()
def version() -> None:
    """Print the version."""
    click.echo(version_of("headrace"))


COMMANDS: tuple[click.Command, ...] = (account, user, key, migrate, backup, restore, doctor, version)
