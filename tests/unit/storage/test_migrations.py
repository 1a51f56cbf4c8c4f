import importlib
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

import headrace.resources
from headrace.storage import migrations
from headrace.storage.metadata import metadata


def load_models():
    for model in Path(headrace.resources.__file__).parent.glob("*/model.py"):
        importlib.import_module(f"headrace.resources.{model.parent.name}.model")


def test_there_is_one_head_and_it_is_the_highest_number():
    scripts = ScriptDirectory.from_config(migrations.configuration())
    assert scripts.get_heads() == [migrations.head()]


def test_the_models_equal_the_schema(database):
    load_models()
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_an_empty_database_goes_to_head_once(empty_database):
    assert not migrations.at_head(empty_database)
    assert migrations.upgrade(empty_database)
    assert migrations.at_head(empty_database)
    assert not migrations.upgrade(empty_database)


def test_a_database_of_a_later_release_is_refused(database):
    with database.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(migrations.SchemaTooNew, match="9999"):
        migrations.upgrade(database)


def test_foreign_keys_hold_after_an_upgrade(empty_database):
    migrations.upgrade(empty_database)
    if empty_database.is_sqlite:
        with empty_database.reading() as connection:
            assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
