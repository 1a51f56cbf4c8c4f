"""One installation with two accounts and their keys, and the whole API over it, in process."""

import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from asgi import Client
from headrace.app.installation import Installation
from headrace.app.settings import Settings
from headrace.resources.accounts import service as accounts
from headrace.resources.api_keys import service as api_keys
from headrace.resources.builds.feed import Addresses
from headrace.resources.users import repository as people_rows
from headrace.resources.users import service as users

ADDRESSES = Addresses(public_url="http://testserver", step_url="http://testserver")


@pytest.fixture
def allowed():
    """The networks in which others are called: here, this machine, where the tests have them."""
    return "127.0.0.0/8"


@pytest.fixture
def installation(database_url, tmp_path, allowed):
    """The parts of a server on a fresh database, before its first request."""
    settings = Settings(
        data=str(tmp_path / "data"),
        database_url=database_url,
        runtime="fake",
        cluster_networks=allowed,
        rate_limit=0,  # a test may ask, and guess, as often as it likes; test_conduct.py has the limits
        failure_limit=0,
    )
    found = Installation(settings)
    yield found
    found.close()


@pytest.fixture
def database(installation):
    """The database of the installation, so that its signals reach who waits."""
    return installation.database


@pytest.fixture
def box(installation):
    return installation.box


@pytest.fixture
def people(database):
    """Account `acme` with an admin and a member, account `other` with its own admin."""
    now = datetime.now(UTC)
    with database.transaction() as db:
        acme = accounts.create(db, "acme", now=now)
        other = accounts.create(db, "other", now=now)
        make = {"password": None, "now": now}
        return {
            "admin": users.create(db, acme.id, "ada", is_account_admin=True, **make),
            "member": users.create(db, acme.id, "mel", **make),
            "stranger": users.create(db, other.id, "otto", is_account_admin=True, **make),
        }


@pytest.fixture
def key_of(database, people):
    """Make a key: of whom, and its scopes; none is full access."""

    def make(who="admin", *scopes):
        user = people[who]
        with database.transaction() as db:
            return api_keys.create(
                db,
                user.active_account_id,
                user_id=user.id,
                name=who,
                scopes=scopes,
                now=datetime.now(UTC),
            )

    return make


@pytest.fixture
def api(installation):
    """Every operation of the API."""
    application = installation.api(ADDRESSES)
    yield application
    application.close()


@pytest.fixture
def client(api, key_of):
    """The admin of `acme`, with full access."""
    return Client(api, key_of())


@pytest.fixture
def platform(client, database, people):
    """The admin of `acme`, as admin of the installation, too."""
    with database.transaction() as db:
        people_rows.change(db, people["admin"].id, is_platform_admin=True)
    return client


@pytest.fixture
def stranger(client, key_of):
    """The admin of another account, with full access."""
    return client.with_key(key_of("stranger"))


@pytest.fixture
def host_answers():
    """What the Git host answers: path → text."""
    return {}


@pytest.fixture
def git_host(host_answers):
    """The address of a Git host on this machine, which answers 404 to what is not in `host_answers`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            text = host_answers.get(urlsplit(self.path).path)
            body = (text or "{}").encode()
            self.send_response(200 if text is not None else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
