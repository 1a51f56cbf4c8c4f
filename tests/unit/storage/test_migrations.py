import importlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import bindparam, text

import headrace.resources
from headrace.storage import migrations
from headrace.storage.metadata import UtcTime, metadata

UTC_NOW = bindparam("now", type_=UtcTime)


def load_models():
    for model in Path(headrace.resources.__file__).parent.glob("*/model.py"):
        importlib.import_module(f"headrace.resources.{model.parent.name}.model")


def test_there_is_one_head_and_it_is_the_highest_number():
    scripts = ScriptDirectory.from_config(migrations.configuration())
    assert scripts.get_heads() == [migrations.head()]


def test_every_table_that_knows_an_account_goes_with_it():
    load_models()
    for name, table in metadata.tables.items():
        if "account_id" in table.c:
            (key,) = table.c.account_id.foreign_keys
            assert (key.target_fullname, key.ondelete) == ("accounts.id", "CASCADE"), name


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


def test_accounts_that_are_there_keep_what_their_users_could_do(empty_database):
    """Before rules of teams everybody could do everything; a team `users` that somebody made is taken."""
    migrations.upgrade(empty_database, "0022")
    with empty_database.transaction() as db:
        now = {"now": datetime(2026, 1, 1, tzinfo=UTC)}
        for number, account in enumerate(("a" * 24, "b" * 24)):
            name = {"id": account, "name": f"n{number}"}
            db.execute(text("INSERT INTO accounts VALUES (:id, :name, :now)").bindparams(UTC_NOW), name | now)
        user = "INSERT INTO users (id, name, email, is_platform_admin, session_epoch,"
        user += " active_account_id, created_at) VALUES (:id, :id, '', false, 0, :account, :now)"
        for letter in "cd":
            db.execute(text(user).bindparams(UTC_NOW), {"id": letter * 24, "account": "a" * 24} | now)
            member = {"account": "a" * 24, "user": letter * 24}
            db.execute(text("INSERT INTO memberships VALUES (:account, :user, false)"), member)
        team = "INSERT INTO teams (id, account_id, name, tags, created_at)"
        team += " VALUES (:id, :account, 'users', '[]', :now)"
        db.execute(text(team).bindparams(UTC_NOW), {"id": "e" * 24, "account": "a" * 24} | now)
        db.execute(
            text("INSERT INTO team_members VALUES (:team, :user)"), {"team": "e" * 24, "user": "c" * 24}
        )
    assert migrations.upgrade(empty_database)
    with empty_database.reading() as db:
        teams = db.execute(text("SELECT account_id, id FROM teams ORDER BY account_id")).all()
        assert [account for account, _ in teams] == ["a" * 24, "b" * 24]
        assert teams[0][1] == "e" * 24
        inside = db.execute(text("SELECT team_id, user_id FROM team_members ORDER BY user_id")).all()
        assert [tuple(row) for row in inside] == [("e" * 24, "c" * 24), ("e" * 24, "d" * 24)]
        for account_id, team_id in teams:
            rules = (
                "SELECT count(*), min(tags) FROM abac_rules WHERE account_id = :account AND team_id = :team"
            )
            found = db.execute(text(rules), {"account": account_id, "team": team_id}).one()
            assert tuple(found) == (15, '["*","untagged"]')
