import gc
import weakref

from headrace.storage.engine import Database, sqlite_url
from headrace.storage.signals import Signals, publish


def test_closed_signals_and_their_database_let_go_of_each_other(tmp_path):
    database = Database(sqlite_url(tmp_path / "headrace.db"))
    signals = Signals(database)
    signals.start()
    signals.close()
    signals.close()
    database.close()
    engine = weakref.ref(database.engine)
    del database, signals
    gc.collect()
    assert engine() is None


def test_closing_the_signals_of_before_leaves_those_of_now(tmp_path):
    database = Database(sqlite_url(tmp_path / "headrace.db"))
    before, now = Signals(database), Signals(database)
    heard = []
    now.wake = heard.append
    before.close()
    with database.transaction() as db:
        publish(db, "queued")
    now.close()
    database.close()
    assert heard == ["queued"]
