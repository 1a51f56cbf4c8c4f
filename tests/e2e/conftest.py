"""A server with the local runtime for all tests of this worker, and both clients."""

import shutil
from datetime import UTC, datetime

import pytest
from playwright.sync_api import sync_playwright

from e2e import official
from e2e.browsing import PASSWORD, complaints_of
from e2e.server import Server
from e2e.town import OURS, Cli, Town
from headrace.resources.users import service as users
from headrace.storage import migrations
from headrace.storage.engine import Database, sqlite_url

CHROMIUM = "chromium"
CALLED = ("--cluster-networks", "127.0.0.0/8")  # hosts of the tests are on this machine


def new_town(data, *words):
    """Start a server on a new data folder; return the server and its town."""
    data.mkdir()
    database = Database(sqlite_url(data / "headrace.db"))
    migrations.upgrade(database)
    server = Server(data, *words)
    return server, Town(server, database)


@pytest.fixture(scope="session")
def town(tmp_path_factory):
    """A server that runs steps as processes of this machine."""
    data = tmp_path_factory.mktemp("town") / "data"
    server, made = new_town(data, "--runtime", "local", "--drain-s", "1", *CALLED)
    yield made
    made.database.close()
    assert server.stop() == 0


@pytest.fixture
def acme(town):
    """An account of this test only."""
    return town.account()


@pytest.fixture(scope="session")
def official_program():
    """The unmodified official client, in one process for all lines of this worker."""
    if reason := official.why_not():
        pytest.skip(reason)
    with official.Warm(official.install()) as program:
        yield program


@pytest.fixture(params=["official", "ours"])
def program(request):
    """Each client in turn."""
    return OURS if request.param == "ours" else request.getfixturevalue("official_program")


@pytest.fixture
def cli(program, acme, tmp_path):
    """A client with a key for everything in the account."""
    return Cli(program, tmp_path / "home", acme.server.url, acme.key())


@pytest.fixture(scope="module")  # while it lives, an event loop runs in this thread
def browser():
    """Chromium, for the tests of one module."""
    program = shutil.which(CHROMIUM)
    if program is None:
        pytest.skip(f"{CHROMIUM} is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def person(town, acme):
    """A user with a password, an admin of the account of this test."""
    name = f"person-of-{acme.name}"
    with town.database.transaction() as db:
        users.create(db, acme.id, name, password=PASSWORD, is_account_admin=True, now=datetime.now(UTC))
    return name


@pytest.fixture
def new_page(browser, acme):
    """Open a page that fails the test where its script fails or its policy is broken."""
    opened, complaints = [], []

    def open_page(theme="light", width=1200):
        context = browser.new_context(
            base_url=acme.server.url, color_scheme=theme, viewport={"width": width, "height": 800}
        )
        opened.append(context)
        page = context.new_page()
        complaints.append(complaints_of(page))
        return page

    yield open_page
    for context in opened:
        context.close()
    assert [one for of_page in complaints for one in of_page] == []
