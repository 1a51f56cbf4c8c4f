import contextlib
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Column, MetaData, Table, func, insert, select
from sqlalchemy.exc import IntegrityError, StatementError

from headrace.kit.ids import new_id
from headrace.storage.engine import Database, after_commit
from headrace.storage.metadata import JsonText, UtcTime, id_column, metadata

things = Table(
    "things",
    MetaData(),
    id_column(),
    Column("at", UtcTime),
    Column("value", JsonText),
    Column("note", JsonText),
)


class Stopped(Exception):
    """Something went wrong within a transaction."""


@pytest.fixture
def db(empty_database):
    things.metadata.create_all(empty_database.engine)
    return empty_database


def put(connection, **values):
    row_id = new_id()
    connection.execute(insert(things).values(id=row_id, **values))
    return row_id


def count(db):
    with db.reading() as connection:
        return connection.execute(select(func.count()).select_from(things)).scalar()


def test_a_transaction_commits_at_its_end_and_not_after_an_error(db):
    with db.transaction() as connection:
        put(connection)
    with contextlib.suppress(Stopped), db.transaction() as connection:
        put(connection)
        raise Stopped
    assert count(db) == 1


def test_callbacks_run_after_the_commit_and_only_then(db):
    seen = []
    with db.transaction() as connection:
        put(connection)
        after_commit(connection, lambda: seen.append(count(db)))
        assert seen == []
    assert seen == [1]
    with contextlib.suppress(Stopped), db.transaction() as connection:
        after_commit(connection, lambda: seen.append("never"))
        raise Stopped
    assert seen == [1]


def test_a_failing_callback_fails_neither_the_others_nor_the_caller(db, caplog):
    seen = []
    with db.transaction() as connection:
        after_commit(connection, lambda: 1 / 0)
        after_commit(connection, lambda: seen.append(1))
    assert seen == [1]
    assert "ZeroDivisionError" in caplog.text


def test_a_connection_for_reading_takes_no_callbacks(db):
    with db.reading() as connection, pytest.raises(RuntimeError, match="transaction"):
        after_commit(connection, print)


def test_writers_wait_for_each_other_and_lose_nothing(db):
    with db.transaction() as connection:
        row_id = put(connection, value=0)

    def add():
        for _ in range(20):
            with db.transaction() as connection:
                query = select(things.c.value).where(things.c.id == row_id).with_for_update()
                value = connection.execute(query).scalar()
                connection.execute(things.update().where(things.c.id == row_id).values(value=value + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with db.reading() as connection:
        assert connection.execute(select(things.c.value)).scalar() == 80


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 23, 21, 0, 0, 123456, tzinfo=UTC),
        datetime(1999, 12, 31, tzinfo=UTC),
        datetime(2026, 11, 23, 1, 0, tzinfo=timezone(timedelta(hours=5))),
    ],
)
def test_times_come_back_aware_and_in_utc(db, moment):
    with db.transaction() as connection:
        put(connection, at=moment)
    with db.reading() as connection:
        loaded = connection.execute(select(things.c.at)).scalar()
    assert loaded == moment
    assert loaded.utcoffset() == timedelta(0)


def test_times_sort_as_times(db):
    start = datetime(2026, 11, 23, tzinfo=UTC)
    moments = [start + timedelta(microseconds=step) for step in (0, 1, 999_999, 1_000_000, 10**11)]
    with db.transaction() as connection:
        for moment in reversed(moments):
            put(connection, at=moment)
    with db.reading() as connection:
        query = select(things.c.at).where(things.c.at > start).order_by(things.c.at)
        assert list(connection.execute(query).scalars()) == moments[1:]


def test_a_time_without_a_zone_is_refused(db):
    with db.transaction() as connection, pytest.raises(StatementError, match="no zone"):
        put(connection, at=datetime(2026, 1, 1))  # noqa: DTZ001 - what this is about


@pytest.mark.parametrize("value", [None, {}, [], "", 0, {"ключ": [1, 2.5, {"a": None}], "é": "\U0001f600"}])
def test_json_comes_back_equal(db, value):
    with db.transaction() as connection:
        put(connection, value=value)
    with db.reading() as connection:
        assert connection.execute(select(things.c.value)).scalar() == value


def test_foreign_keys_are_enforced(database):
    orphan = "INSERT INTO memberships (account_id, user_id, is_admin) VALUES ('x', 'y', false)"
    with database.transaction() as connection, pytest.raises(IntegrityError):
        connection.exec_driver_sql(orphan)


def test_a_postgresql_url_means_psycopg_3():
    db = Database("postgresql://someone@127.0.0.1/none")
    assert db.url.startswith("postgresql+psycopg://")
    db.close()


def test_every_constraint_has_a_name_that_a_migration_can_use():
    assert set(metadata.naming_convention) >= {"ix", "uq", "ck", "fk", "pk"}
