"""Every operation, asked by every kind of caller and under every form of its address.

The handlers are taken out: what is looked at is whether one is reached. `test_authorisation` has the
real ones, and objects of other accounts.
"""

import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from asgi import Client
from headrace.app.installation import routes
from headrace.http.scopes import LABELS, Scope, grants
from headrace.http.server import Api
from headrace.resources.api_keys import service as api_keys

ROUTES = routes()
RIGHTS = [str(scope) for group in LABELS.values() for scope in group]
ID = "6923f0a41c2b9f3a7d000000"
BAD_KEYS = ["", "x", f"{ID}.none", "Bearer x", "a.b.c", "null"]
FEWEST_CASES = 5000


@pytest.fixture(params=["sqlite"])
def engine_name(request):
    """The rules stand before the database."""
    return request.param


class Doors:
    """The API with its rules and without its rooms."""

    def __init__(self, installation):
        self.reached = None
        self.api = Api(
            [self._door(route) for route in ROUTES],
            database=installation.database,
            authenticate=installation.authenticator,
            provide={},
        )

    def _door(self, route):
        def note():
            self.reached = route
            return {}

        async def note_later():
            return note()

        handler = note_later if route.is_async else note
        return msgspec.structs.replace(route, handler=handler, wants=())

    def ask(self, method, path, key):
        """The status, and the operation that was reached, if any."""
        self.reached = None
        answer = Client(self.api, key).call(method, path)
        return answer.status, self.reached


@pytest.fixture
def doors(installation):
    found = Doors(installation)
    yield found
    found.api.close()


@pytest.fixture
def dead_keys(database, key_of, people):
    """Keys that were good: one is revoked, one has expired, of one a digit is wrong."""
    revoked, bent, now = key_of(), key_of(), datetime.now(UTC)
    admin = people["admin"]
    with database.transaction() as db:
        api_keys.revoke_any(db, admin.active_account_id, revoked.partition(".")[0])
        expired = api_keys.mint_for_build(
            db,
            ID,
            account_id=admin.active_account_id,
            user_id=admin.id,
            scopes=RIGHTS,
            expires_at=now - timedelta(seconds=1),
            now=now,
        )
    return [revoked, expired, bent[:-1] + ("0" if bent[-1] != "0" else "1"), f" {bent[:-1]}"]


def path_of(route):
    """The address of an operation, with an id in each place."""
    return "/api" + re.sub(r"\{[^}]+\}", ID, route.path.rstrip("/"))


def is_for(route, rights):
    return route.public or route.scope is Scope.ANY or grants(rights, route.scope)


def test_the_matrix_of_operations_and_callers_has_no_wrong_answer(doors, key_of, dead_keys, record_property):
    callers = [(key, None) for key in (None, *BAD_KEYS, *dead_keys)]
    callers += [(key_of("admin", right), [right]) for right in RIGHTS]
    callers += [(key_of("member", right), [right]) for right in RIGHTS]
    wrong, cases = [], 0
    for route in ROUTES:
        for key, rights in callers:
            cases += 1
            status, reached = doors.ask(route.method, path_of(route), key)
            is_member = rights is not None and callers.index((key, rights)) >= len(callers) - len(RIGHTS)
            if route.public:
                expected = (200, route)
            elif rights is None:
                expected = (401, None)
            elif is_for(route, rights) and not (route.admin and is_member) and not route.platform:
                expected = (200, route)
            else:
                expected = (403, None)
            if (status, reached) != expected:
                wrong.append((route.method, route.path, rights, status))
    record_property("cases", f"{len(ROUTES)} operations, {len(callers)} callers: {cases}")
    assert wrong == []
    assert cases >= FEWEST_CASES


def mutations(path):
    """Forms of an address that somebody might take for it."""
    first, _, rest = path.removeprefix("/api/").partition("/")
    last = path.rpartition("/")[2]
    yield from (f"/{path}", f"//{path}", f"/api//{first}/{rest}", path.replace("/", "//"), path + "//")
    yield from (f"/api/./{first}/{rest}", path.replace("/", "/./"), f"{path}/.", f"{path}/..", f"/.{path}")
    yield from (f"{path}/../{last}", f"/api/user/..{path[4:]}", f"/x/..{path}")
    yield f"/api/scopes/../{first}/{rest}"
    yield from (f"/api/%2e/{first}/{rest}", f"{path}/%2e", f"{path}/%2e%2e", f"{path}/%2e%2e/{last}")
    yield from (f"/api%2f{first}/{rest}", f"/api/{first}%2f{rest}", f"{path}%2f", f"{path}%2F{last}")
    yield from (f"/api%252f{first}", f"/api/{first}%252f{rest}", f"{path}%252e%252e", f"{path}%2500")
    yield from (f"{path}.json", f"{path}.html", f"{path};x", f"{path};a=b/", f"/api/{first};x/{rest}")
    yield from (path.upper(), path.swapcase(), f"/api/{first.title()}/{rest}", f"/API/{first}/{rest}")
    yield from (f"{path}/", f"{path}%00", f"{path}%20", f"{path}%09", f"%2fapi/{first}/{rest}", f"{path}%3fx")
    yield from (f"{path}\\", path.replace("/", "\\"), f"{path}%5c", f"{path}/%5c..", f"{path}%ff")
    yield f"{path}#x"


def test_no_form_of_an_address_reaches_an_operation_without_its_right(doors, key_of, record_property):
    callers = [(None, None), *((key_of("admin", right), [right]) for right in ("build:read:status", "agent"))]
    wrong, cases, reached_some = [], 0, 0
    for route in ROUTES:
        for path in mutations(path_of(route)):
            for key, rights in callers:
                cases += 1
                status, reached = doors.ask(route.method, path, key)
                reached_some += reached is not None
                allowed = reached is None or reached.public or (rights and is_for(reached, rights))
                if not allowed or status >= 500 or (reached is None and status < 400):
                    wrong.append((route.method, path, rights, status))
    record_property("cases", f"{len(ROUTES)} operations, all forms of their addresses: {cases}")
    assert wrong == []
    assert reached_some
    assert cases >= FEWEST_CASES
