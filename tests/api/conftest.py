"""Two accounts, keys, and the API of the resources that a test names in `RESOURCES`."""

import importlib
from datetime import UTC, datetime

import pytest

from asgi import Client
from headrace.http.server import Api
from headrace.kit.clock import SystemClock
from headrace.kit.crypto import SecretBox
from headrace.resources.accounts import service as accounts
from headrace.resources.api_keys import service as api_keys
from headrace.resources.users import service as users
from headrace.resources.users.sessions import Sessions


@pytest.fixture
def box():
    return SecretBox({"test": b"k" * 32})


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
def api(request, database, box):
    """The operations of the resources that the test module lists."""
    sessions = Sessions(b"s" * 32, SystemClock())
    modules = [
        importlib.import_module(f"headrace.resources.{name}.routes") for name in request.module.RESOURCES
    ]
    application = Api(
        [route for module in modules for route in module.router.routes],
        database=database,
        authenticate=api_keys.Authenticator(sessions, SystemClock()),
        provide={SecretBox: box},
    )
    yield application
    application.close()


@pytest.fixture
def client(api, key_of):
    """The admin of `acme`, with full access."""
    return Client(api, key_of())


@pytest.fixture
def stranger(client, key_of):
    """The admin of another account, with full access."""
    return client.with_key(key_of("stranger"))
