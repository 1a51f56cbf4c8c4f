"""The cookie of the pages: what it is like, and that no other site can use it to change something."""

import msgspec
import pytest

from asgi import Client
from headrace.app.installation import routes
from headrace.http.auth import SESSION_COOKIE
from headrace.http.server import Api
from headrace.resources.users import service as users

ROUTES = routes()
WRITING = [route for route in ROUTES if route.effect and not route.public]
ID = "6923f0a41c2b9f3a7d000000"
PASSWORD = "a password for the pages"


@pytest.fixture(params=["sqlite"])
def engine_name(request):
    """The rules stand before the database."""
    return request.param


@pytest.fixture
def session(installation, people):
    """The headers of a browser in which the admin of `acme` is logged in."""
    admin = people["admin"]
    token = installation.sessions.issue(
        user_id=admin.id, account_id=admin.active_account_id, epoch=admin.session_epoch
    )
    return {"cookie": f"theme=dark; {SESSION_COOKIE}={token}"}


@pytest.fixture
def doors(installation):
    """The API with its rules and without its rooms: a handler says that it was reached."""

    def door(route):
        def note():
            return "reached"

        async def note_later():
            return note()

        handler = note_later if route.is_async else note
        return msgspec.structs.replace(route, handler=handler, wants=(), platform=False)

    return Client(
        Api(
            [door(route) for route in ROUTES],
            database=installation.database,
            authenticate=installation.authenticator,
            provide={},
        )
    )


def address(route):
    path = route.path
    for name in route.path_names:
        path = path.replace(f"{{{name}}}", ID).replace(f"{{{name}:path}}", ID)
    return f"/api{path}"


def test_another_site_changes_nothing_by_the_cookie(doors, session):
    assert len(WRITING) > 80
    for route in WRITING:
        for more in ({}, {"origin": "https://evil.example"}, {"content-type": "text/plain"}):
            answer = doors.call(route.method, address(route), headers={**session, **more})
            assert answer.status == 403, (route.method, route.path, answer.text)
            assert "x-headrace-page" in answer.text
        answer = doors.call(route.method, address(route), headers={**session, "x-headrace-page": "1"})
        assert (answer.status, answer.json()) == (200, "reached"), (route.method, route.path)


def test_whatever_is_no_get_counts_as_writing_unless_it_is_refused_or_a_question():
    exempt = {
        route.path
        for route in ROUTES
        if route.method != "GET" and not route.effect and "refused" not in route.handler.__module__
    }
    questions = {
        "/pipelines/analyze",
        "/pipelines/yaml/validator",
        "/pipelines/plan",
        "/pipelines/plan/{name:path}",
    }
    assert exempt == {"/auth/login", *questions}


def test_no_answer_lets_another_origin_read_by_the_cookie(api, session):
    client = Client(api)
    for method in ("GET", "OPTIONS"):
        asked = {
            **session,
            "origin": "https://evil.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "x-headrace-page",
        }
        answer = client.call(method, "/api/projects", headers=asked)
        assert [name for name in answer.headers if name.startswith("access-control-")] == []


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(installation, api, people, scheme, secure):
    async def reached_by(scope, receive, send):
        await api({**scope, "scheme": scheme}, receive, send)

    with installation.database.transaction() as db:
        users.create(
            db,
            people["admin"].active_account_id,
            "pia",
            password=PASSWORD,
            now=installation.clock.now(),
        )
    client = Client(reached_by)
    body = {"user": "pia", "password": PASSWORD}
    answer = client.post("/api/auth/login", body, headers={"x-headrace-page": "1"})
    assert answer.status == 200
    cookie, *marks = answer.headers["set-cookie"].split("; ")
    assert cookie.startswith(f"{SESSION_COOKIE}=ey")
    assert set(marks) == {"Path=/", "HttpOnly", "SameSite=Lax"} | ({"Secure"} if secure else set())
    assert answer.json()["accessToken"] == ""
    plain = client.post("/api/auth/login", body)
    assert "set-cookie" not in plain.headers
    place = f"/api/user/changeaccount/{people['admin'].active_account_id}"
    headers = {"cookie": cookie, "x-headrace-page": "1"}
    switched = client.post(place, headers=headers)
    assert switched.headers["set-cookie"].split("; ")[1:] == marks
    assert switched.json()["accessToken"] == ""
    token = {"x-access-token": plain.json()["accessToken"]}
    assert "set-cookie" not in client.post(place, headers=token).headers


@pytest.mark.parametrize(
    "path", ["/api/projects", "/api/nowhere", "/api/version", "/api/openapi.json", "/api/"]
)
def test_nothing_in_an_answer_runs_or_is_framed(client, path):
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
