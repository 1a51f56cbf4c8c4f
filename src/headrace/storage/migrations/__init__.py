"""Brings the schema of a database to the form that this release needs.

One file in ``versions`` per step, ``YYYY_MM_DD_NNNN_<slug>.py`` with the revision ``NNNN``: one
head, in the order of the numbers. Alembic is imported only when there is something to do, because
every start of the server asks whether there is.
"""

import re
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, inspect, text

from headrace.storage.engine import Database

_HERE = Path(__file__).parent
_FILE = re.compile(r"\d{4}_\d\d_\d\d_(\d{4})_\w+\.py\Z")
_UPGRADE_LOCK = 5_208_217_361  # any number of our own: two servers never upgrade at once


class SchemaTooNew(Exception):
    """A later release has upgraded this database; run that release, or restore a backup."""


def head() -> str:
    """Return the revision that this release needs, for example ``0002``."""
    found = (_FILE.match(path.name) for path in (_HERE / "versions").iterdir())
    return max(match[1] for match in found if match)


def revision(db: Database) -> str | None:
    """Return the revision of a database; None for an empty one."""
    with db.reading() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def at_head(db: Database) -> bool:
    """Tell whether a database has exactly the schema of this release."""
    return revision(db) == head()


def upgrade(db: Database, target: str | None = None) -> bool:
    """Bring a database to the schema of this release, all steps or none.

    Args:
        db: the database; an empty one gets its tables.
        target: stop at this revision; None goes to the newest.

    Returns:
        Whether there was anything to do.

    Raises:
        SchemaTooNew: the database was upgraded by a later release.
    """
    found = revision(db)
    wanted = target or head()
    if found == wanted:
        return False
    if found is not None and found > head():
        raise SchemaTooNew(f"the database is at revision {found}, this release knows up to {head()}")
    if db.is_sqlite:
        _upgrade_sqlite(db, wanted)
    else:
        with db.transaction() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})")
            connection.exec_driver_sql("SET LOCAL lock_timeout = '4s'")
            connection.exec_driver_sql("SET LOCAL statement_timeout = '5s'")
            run(connection, wanted)
    return True


def _upgrade_sqlite(db: Database, target: str) -> None:
    """Upgrade with foreign keys off: batch mode drops and recreates tables that others refer to."""
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=off")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            run(connection, target)
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise RuntimeError(f"the upgrade would leave rows without their owner: {broken[:5]}")
            connection.commit()
        finally:
            connection.rollback()
            connection.exec_driver_sql("PRAGMA foreign_keys=on")


def run(connection: Connection, target: str) -> None:
    """Run the steps up to ``target`` on a connection whose transaction the caller ends."""
    from alembic import command  # noqa: PLC0415 - 0.2 s that a start without an upgrade saves

    command.upgrade(configuration(connection=connection), target)


def configuration(connection: Connection | None = None, metadata: MetaData | None = None) -> Any:  # noqa: ANN401 - Alembic is imported late
    """Return the Alembic configuration; ``metadata`` is for comparing models with the schema."""
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.attributes.update(connection=connection, metadata=metadata)
    return config
