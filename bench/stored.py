"""An installation on either store that is filled once and then asked over HTTP; for bench/million and bench/lists.

Uses the package and, for a PostgreSQL of its own, the server of the tests (tests/postgres.py).
"""

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import lib
from sqlalchemy import text

from headrace.app.installation import Installation
from headrace.app.settings import Settings
from headrace.resources.accounts import service as accounts
from headrace.resources.api_keys import service as api_keys
from headrace.resources.users import service as users

ASKED = int(os.environ.get("BENCH_ASKED", "200"))
TESTS = Path(__file__).resolve().parent.parent / "tests"


@contextlib.contextmanager
def store(arguments, name):
    """Give the name of a store, a folder for the installation and the URL of its database.

    ``postgresql`` starts a server that goes with this program; a URL names one that is there, with an
    empty database; else it is SQLite.
    """
    engine = arguments[0] if arguments else "sqlite"
    home = Path(os.environ.get("BENCH_HOME", Path.home() / ".cache/ci-bench")) / name
    if engine == "sqlite":
        yield engine, home / engine, ""
        return
    if engine != "postgresql":
        yield "postgresql", home / "postgresql", engine
        return
    sys.path.insert(0, str(TESTS))
    from postgres import PostgresServer, find_programs

    programs = find_programs()
    if programs is None:
        raise SystemExit("bench: no PostgreSQL here; `make setup` brings one, or install Debian's")
    shutil.rmtree(home / engine, ignore_errors=True)  # what it knows is of a server that is gone
    server = PostgresServer(programs)
    try:
        yield engine, home / engine, server.url(server.create())
    finally:
        server.stop()


def filled(data, url, fill, known):
    """Return what ``fill`` knows of the installation: from this run, or from an earlier one.

    Args:
        data: folder of the installation.
        url: of its database; empty: SQLite in the folder.
        fill: writes into a new installation; returns what is to be known of it, as JSON.
        known: name of the file that keeps it.
    """
    settings = Settings(data=str(data), database_url=url, runtime="fake")
    fresh = not (data / known).exists()
    if fresh:
        shutil.rmtree(data, ignore_errors=True)
    installation = Installation(settings)
    installation.open()  # brings an earlier filling to the schema of this release
    if fresh:
        begin = time.perf_counter()
        (data / known).write_text(json.dumps(fill(installation)))
        print(f"filled in {time.perf_counter() - begin:.0f} s", file=sys.stderr)
    installation.close()
    return json.loads((data / known).read_text())


def account_of(database):
    """Make an account with one user; return both ids and a key."""
    now = datetime.now(UTC)
    with database.transaction() as db:
        account = accounts.create(db, "bench", now=now)
        user = users.create(db, account.id, "bench", password=None, is_account_admin=True, now=now)
        return account.id, user.id, api_keys.create(db, account.id, user_id=user.id, name="bench", now=now)


def analysed(database):
    """Let PostgreSQL look at what was written, as it does by itself after a while."""
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            db.execute(text("VACUUM ANALYZE"))


@contextlib.contextmanager
def serving(data, url):
    """Run a server on an installation, without workers; give its port."""
    port = lib.free_port()
    command = [
        *(sys.executable, "-m", "headrace.app", "serve", "--data", str(data), "--port", str(port)),
        *("--no-worker", "--rate-limit", "0", *(("--database-url", url) if url else ())),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            lib.wait_http(f"http://127.0.0.1:{port}/readyz")
            yield port
        finally:
            server.terminate()


def ask(port, key, paths, check):
    """Ask for paths in turn over one connection; milliseconds of the first, and of the others, sorted.

    Args:
        port: of the server.
        key: sent with each request.
        paths: asked for `ASKED` times in all, and once before that.
        check: takes the first answer; false: it has nothing in it, and its time would mean nothing.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    walls = []
    for number in range(ASKED + 1):
        path = paths[number % len(paths)]
        begin = time.perf_counter()
        connection.request("GET", path, headers={"Authorization": key})
        answer = connection.getresponse()
        body = answer.read()
        walls.append((time.perf_counter() - begin) * 1000)
        if answer.status != 200:
            raise SystemExit(f"bench: {path} answered {answer.status}: {body[:300]!r}")
        if number == 0 and not check(json.loads(body)):
            raise SystemExit(f"bench: {path} found nothing")
    connection.close()
    return walls[0], sorted(walls[1:])
