"""Who may call what: every operation, against every kind of caller that it must turn away."""

import re
from urllib.parse import quote

import pytest

from factories import make_build, run_to
from headrace.app.installation import routes
from headrace.http.samples import curl
from headrace.http.scopes import LABELS, Scope, grants
from headrace.pipeline.status import BuildStatus
from headrace.resources.builds import repository
from headrace.resources.refused.table import LINES
from headrace.resources.users import repository as users

ROUTES = routes()
GUARDED = [route for route in ROUTES if not route.public]
RIGHTS = [str(scope) for group in LABELS.values() for scope in group]
NAMED = "my-project%2Fmy-basic-pipeline"
# What every account has: reports, each of its own builds (test_analytics.py has whose), and environments,
# which workers of the installation serve.
COMMON = {
    "analytics-report",
    "abac-list-by-resource",
    "clusters-create",
    "runtime-envs-get",
    "runtime-envs-get-base-images",
    "runtime-envs-set-default",
    "runtime-envs-update",
    "triggers-types-get",
}
# What is refused for everybody, or is empty in every account.
REFUSED = {line.sdk for line in LINES}
# They answer when the build has ended.
FOLLOWING = {"progress-download", "workflows-stream-logs"}
# What the key of an agent does, and no other; test_agent_tasks.py has it.
OF_AGENTS = {"agents-report-task"}
# What no key with scopes does: it makes users or admins, who have none; test_accounts.py has it.
WHOLE = {"accounts-add-user-to-account", "accounts-set-as-admin", "accounts-add-pending-user-without-account"}


def name_of(route):
    return f"{route.method} {route.path}"


@pytest.fixture(params=["sqlite"])
def engine_name(request):
    """The rules stand before the database; its own part is tested with each resource."""
    return request.param


@pytest.fixture
def objects(client, installation, database, people):
    """One object of each kind in the account `acme`: the values of path parameters, by variable."""
    client.post("/api/projects", {"projectName": "my-project"})
    spec = {"steps": {"unit": {"image": "alpine", "commands": ["true"]}}}
    pipeline = client.post(
        "/api/pipelines",
        {"kind": "pipeline", "metadata": {"name": "my-project/my-basic-pipeline"}, "spec": spec},
    ).json()
    for name, kind, data in (
        ("shared-config", "config", {"A": "1"}),
        ("github", "git.github", {"auth": {"type": "basic", "password": "x"}}),
    ):
        document = {"kind": "context", "metadata": {"name": name}, "spec": {"type": kind, "data": data}}
        assert client.post("/api/contexts", document).status == 200
    [register] = [route for route in ROUTES if route.operation == "clusters-create"]
    assert client.post("/api/clusters/local/cluster", register.example.body).status == 200
    [compose] = [route for route in ROUTES if route.operation == "compositions-create"]
    assert client.post("/api/compositions", compose.example.body).status == 200
    build = make_build(database, people["admin"], pipeline_id=pipeline["metadata"]["id"])
    run_to(installation, build, BuildStatus.PENDING_APPROVAL)
    project = client.get("/api/projects/name/my-project").json()
    event = {"type": "cron", "kind": "codefresh", "values": {"expression": "@weekly", "message": "hi"}}
    uri = client.post("/api/hermes/events", event).json()
    client.post(f"/api/hermes/triggers/{quote(uri)}/{NAMED}", {})
    client.post("/api/webhooks/git")
    team = client.post("/api/team", {"name": "ops", "users": [people["member"].id]}).json()
    robot = client.post("/api/service-users", {"userName": "robot"}).json()["_id"]
    board = client.post("/api/helm/boards", {"name": "production"}).json()
    section = client.post("/api/helm/boards/sections", {"boardId": board["_id"], "name": "main"}).json()
    assert client.post("/api/helm/repos", {"name": "charts"}).status == 200
    [added] = [route for route in ROUTES if route.operation == "repos-create"]
    assert client.post("/api/services?context=github", added.example.body).status == 200
    agent_id = client.post("/api/agents", {"name": "runner"}).json()["id"]
    return {
        "TASK": client.post(f"/api/agent/{agent_id}/tasks", {"cluster": "prod"}).json()["_id"],
        "RULE": client.post(
            "/api/abac", {"team": team["_id"], "resource": "project", "action": "read"}
        ).json()[0]["id"],
        "TEAM_ID": team["_id"],
        "SERVICE_USER_ID": robot,
        "KEY": client.post(f"/api/auth/key/service-user/{robot}", {"name": "deploy"}).text.partition(".")[0],
        "USER_ID": people["member"].id,
        "BOARD_ID": board["_id"],
        "SECTION_ID": section["_id"],
        "AGENT_ID": agent_id,
        "DATA_ID": client.post(f"/api/workflow/{build.id}/data", {"a": 1}).json()["_id"],
        "EVENT": uri,
        "RUNTIME_ENVIRONMENT": "elsewhere",
        "BUILD_ID": build.id,
        "PROGRESS_ID": build.progress_id,
        "PROJECT_ID": project["id"],
        "KEY_ID": client.key.partition(".")[0],
        "ACCOUNT_ID": people["admin"].active_account_id,
    }


def path_of(route, objects):
    """The path of the route's example, with the objects that are there."""
    sample = re.search(r'"\$CF_URL(/api[^"]*)"', curl(route))[1]
    return re.sub(r"\$([A-Z_]+)", lambda found: quote(objects[found[1]]), sample)


def call(client, route, objects):
    return client.call(route.method, path_of(route, objects), json=route.example.body)


def refused(answer, status):
    assert answer.status == status, answer.text
    assert answer.json()["status"] == status
    assert answer.json()["message"]


@pytest.mark.parametrize("key", [None, "", "x", "6923f0a41c2b9f3a7d000000.none", "Bearer x", "a.b.c"])
def test_no_operation_is_open_to_a_key_that_is_none(client, objects, key):
    for route in GUARDED:
        refused(call(client.with_key(key), route, objects), 401)


def test_no_operation_is_open_to_a_revoked_key(client, objects, key_of):
    key = key_of()
    assert client.delete(f"/api/auth/key/{key.partition('.')[0]}").status == 200
    for route in GUARDED:
        refused(call(client.with_key(key), route, objects), 401)


@pytest.mark.parametrize("right", RIGHTS)
def test_a_key_with_another_right_alone_is_refused(client, objects, key_of, right):
    narrow = client.with_key(key_of("admin", right))
    for route in GUARDED:
        if route.scope is not Scope.ANY and not grants([right], route.scope):
            answer = call(narrow, route, objects)
            refused(answer, 403)
            assert answer.json()["context"] == {"missingScopes": [str(route.scope)]}


@pytest.mark.parametrize(
    "route",
    [
        one
        for one in GUARDED
        if one.path_names and one.operation not in COMMON and one.sdk not in REFUSED and not one.platform
    ],
    ids=name_of,
)
def test_what_is_another_accounts_does_not_exist(client, stranger, objects, route):
    refused(call(stranger, route, objects), 404)
    assert client.get(f"/api/builds/{objects['BUILD_ID']}").json()["status"] == "pending-approval"
    assert client.get(f"/api/pipelines/{NAMED}").status == 200


@pytest.mark.parametrize(
    "route", [one for one in GUARDED if one.operation not in OF_AGENTS | WHOLE], ids=name_of
)
def test_a_key_with_its_right_alone_is_let_in(client, installation, objects, people, key_of, route):
    scopes = () if route.scope is Scope.ANY else (str(route.scope),)
    if "scopes" in (route.example.body or ()):  # no key gives what it has not
        scopes += tuple(route.example.body["scopes"])
    if route.platform:
        with installation.database.transaction() as db:
            users.change(db, people["admin"].id, is_platform_admin=True)
    if route.operation in FOLLOWING:
        with installation.database.transaction() as db:
            repository.change(db, objects["BUILD_ID"], status=BuildStatus.TERMINATED)
    answer = call(client.with_key(key_of("admin", *scopes)), route, objects)
    assert answer.status not in (401, 403), answer.text
