import re

import pytest
from sqlalchemy import text

from factories import make_build

AGENT = {"runtimes": ["default"]}
BOARD = {"filter": {"cluster": "prod"}}
ENTITY = "entityType=pipeline&entityId=demo"
GITHUB = {
    "metadata": {"name": "github"},
    "spec": {"type": "git.github", "data": {"auth": {"type": "basic", "password": "p"}}},
}
MADE = 5


def pipeline(name, **labels):
    return {
        "version": "1.0",
        "kind": "pipeline",
        "metadata": {"name": f"demo/{name}", "labels": labels},
        "spec": {"steps": {"unit": {"image": "alpine", "commands": ["true"]}}},
    }


# What makes the rows of a list: where it is, and a body for the name of each.
BODIES = {
    "/api/projects": ("/api/projects", lambda name: {"projectName": name}),
    "/api/pipelines": ("/api/pipelines", pipeline),
    "/api/pipelines/names": ("/api/pipelines", pipeline),
    "/api/contexts": (
        "/api/contexts",
        lambda name: {"metadata": {"name": name}, "spec": {"type": "config", "data": {"A": "1"}}},
    ),
    "/api/registries": ("/api/registries", lambda name: {"name": name, "domain": f"{name}.example.org"}),
    "/api/compositions": ("/api/compositions", lambda name: {"name": name, "yamlJson": '{"services": {}}'}),
    "/api/team": ("/api/team", lambda name: {"name": name}),
    "/api/service-users": ("/api/service-users", lambda name: {"userName": name}),
    "/api/agents": ("/api/agents", lambda name: {"name": name, **AGENT}),
    "/api/auth/keys": ("/api/auth/key", lambda name: {"name": name}),
    "/api/clusters": (
        "/api/clusters/local/cluster",
        lambda name: {
            "selector": name,
            "behindFirewall": True,
            "host": "https://10.1.2.3:6443",
            "serviceAccountToken": "t" * 20,
        },
    ),
    "/api/images": (
        "/api/images/external",
        lambda name: {"imageId": "sha256:" + name.encode().hex() * 12, "imageName": f"acme/{name}"},
    ),
    "/api/repos/existing": (
        "/api/services?context=github",
        lambda name: {"serviceDetails": {"name": name, "scm": {"name": name, "owner": {"name": "acme"}}}},
    ),
    f"/api/annotations?{ENTITY}": (
        "/api/annotations",
        lambda name: {"entityType": "pipeline", "entityId": "demo", "key": name, "value": "1"},
    ),
    "/api/helm/boards": ("/api/helm/boards", lambda name: {"name": name, **BOARD}),
    "/api/helm/repos": ("/api/helm/repos", lambda name: {"name": name, "public": False}),
    "/api/hermes/events": (
        "/api/hermes/events",
        lambda name: {
            "type": "cron",
            "kind": "codefresh",
            "values": {"expression": "@daily", "message": name},
        },
    ),
}
LISTS = [*BODIES, "/api/step-types", "/api/step-types/names", "/api/workflow"]
# Where an order is by time, all rows have one instant.
TIMES = [
    ("projects", "updated_at"),
    ("pipelines", "updated_at"),
    ("images", "created_at"),
    ("api_keys", "created_at"),
    ("builds", "created_at"),
]


@pytest.fixture
def made(client, database, people):
    """Make rows of a list, all in the same instant."""

    def make(path, names=tuple(f"n{number}" for number in range(MADE))):
        where, body = BODIES.get(path, ("", None))
        for name in names:
            if "context=github" in where:
                client.post("/api/contexts", GITHUB)
            if body is not None:
                answer = client.post(where, body(name))
                assert answer.status == 200, answer.text
            elif path == "/api/workflow":
                make_build(database, people["admin"])
        with database.transaction() as db:
            now = "2026-01-01T09:00:00.000000Z"
            for table, column in TIMES:
                db.execute(text(f"UPDATE {table} SET {column} = :now"), {"now": now})  # noqa: S608

    return make


def rows_of(answer):
    """The rows of a list, whatever its form."""
    assert answer.status == 200, answer.text
    found = answer.json()
    if isinstance(found, dict):
        found = found.get("workflows", found)
        found = found.get("docs", found.get("projects"))
    return found


def next_of(answer):
    """Where the next page is, by its header; None for the last page."""
    link = answer.headers.get("link")
    return link and re.fullmatch(r'<([^>]+)>; rel="next"', link)[1]


def walked(client, path, limit=2):
    """All rows of a list, page by page as the answers say."""
    found, address = [], f"{path}{'&' if '?' in path else '?'}limit={limit}"
    while address:
        answer = client.get(address)
        page = rows_of(answer)
        assert len(page) <= limit
        found += page
        address = next_of(answer)
        assert address is None or len(page) == limit
    return found


def whole(client, path):
    return rows_of(client.get(f"{path}{'&' if '?' in path else '?'}limit=0"))


@pytest.mark.parametrize("path", LISTS)
def test_the_pages_by_cursor_are_the_list_each_row_once(client, made, path):
    made(path)
    found = whole(client, path)
    assert len(found) >= MADE
    assert walked(client, path) == found


@pytest.mark.parametrize("path", LISTS)
def test_a_list_that_fits_says_of_no_next_page(client, made, path):
    made(path, names=("one",))
    count = len(whole(client, path))
    assert next_of(client.get(f"{path}{'&' if '?' in path else '?'}limit={count}")) is None


@pytest.mark.parametrize("path", [one for one in LISTS if one != "/api/workflow"])
def test_a_cursor_that_is_none_is_400_with_its_place(client, path):
    join = "&" if "?" in path else "?"
    for cursor in ("!", "bm9uZQ", "W10", "WyJhIiwiYiIsImMiXQ", "WyJhIiwxXQ", "W251bGxd"):
        answer = client.get(f"{path}{join}after={cursor}")
        assert (answer.status, "after" in answer.json()["message"]) == (400, True), cursor


@pytest.mark.parametrize("path", ["/api/projects", "/api/contexts"])
def test_a_cursor_goes_on_at_its_place_though_rows_went(client, made, path):
    made(path)
    first = client.get(f"{path}?limit=2")
    rest = whole(client, path)[2:]
    for row in rows_of(first):
        name = row.get("projectName") or row["metadata"]["name"]
        assert client.delete(f"{path}/{row.get('id', name)}").status == 200
    assert rows_of(client.get(next_of(first) + "&limit=0")) == rest


def test_rows_that_come_before_a_cursor_move_no_page(client, made):
    made("/api/projects")
    first = client.get("/api/projects?limit=2")
    rest = whole(client, "/api/projects")[2:]
    client.post("/api/projects", {"projectName": "newest"})
    assert walked(client, next_of(first)) == rest


@pytest.mark.parametrize("path", ["/api/projects", "/api/pipelines", "/api/images", "/api/step-types"])
def test_pages_by_offset_are_the_list_too_and_past_its_end_there_is_none(client, made, path):
    made(path)
    found = whole(client, path)
    paged = [rows_of(client.get(f"{path}?limit=2&offset={at}")) for at in range(0, len(found), 2)]
    assert [row for page in paged for row in page] == found
    past = client.get(f"{path}?limit=2&offset={len(found)}")
    assert (rows_of(past), next_of(past)) == ([], None)


def test_the_next_page_keeps_what_was_asked_and_forgets_the_offset(client, made):
    made("/api/projects")
    address = next_of(client.get("/api/projects?limit=2&offset=1&name=n"))
    assert address.startswith("/api/projects?limit=2&name=n&after=")


def test_the_triggers_of_an_account_come_by_page_with_the_names_of_their_pipelines(client, made):
    event = client.post("/api/hermes/events", BODIES["/api/hermes/events"][1]("nightly")).json()
    made("/api/pipelines")
    for number in range(MADE):
        assert client.post(f"/api/hermes/triggers/{event}/demo%2Fn{number}", {"filters": {}}).status == 200
    found = whole(client, "/api/hermes/triggers")
    assert sorted(one["pipeline-name"] for one in found) == [f"demo/n{number}" for number in range(MADE)]
    assert walked(client, "/api/hermes/triggers") == found


def test_the_members_of_an_account_come_by_page(client, people):
    path = f"/api/accounts/{people['admin'].active_account_id}/users"
    assert [one["userName"] for one in walked(client, path, limit=1)] == ["ada", "mel"]


def test_another_account_s_rows_are_on_no_page(client, stranger, made):
    made("/api/projects")
    address = next_of(client.get("/api/projects?limit=2"))
    assert rows_of(stranger.get(address)) == []


@pytest.mark.parametrize(
    ("labels", "wanted", "found"),
    [
        ({"tags": ["a", "b"]}, "labels[tags]=a,b", True),
        ({"tags": ["a"]}, "labels[tags]=a,b", False),
        ({"tags": ["ab"]}, "labels[tags]=a", False),
        ({"tags": ["A"]}, "labels[tags]=a", False),
        ({"tags": "a"}, "labels[tags]=a", True),
        ({"other": ["a"]}, "labels[tags]=a", False),
        ({"tags": [5, True]}, "labels[tags]=5,true", True),
        ({"tags": 'say "a", \\ é'}, "labels[tags]=say%20%22a%22", False),
        ({"tags": ['"a"\\é']}, "labels[tags]=%22a%22%5C%C3%A9", True),
        ({'k"e.y': True}, "labels[k%22e.y]=true", True),
    ],
)
def test_pipelines_are_found_by_whole_labels(client, labels, wanted, found):
    client.post("/api/pipelines", pipeline("ci", **labels))
    answer = client.get(f"/api/pipelines?limit=5&{wanted}").json()
    assert (len(answer["docs"]), answer["count"]) == ((1, 1) if found else (0, 0))


@pytest.mark.parametrize(
    ("wanted", "found"), [("tags=a", True), ("tags=a&tags=b%22", True), ("tags=b", False), ("tags=A", False)]
)
def test_projects_are_found_by_whole_tags(client, wanted, found):
    client.post("/api/projects", {"projectName": "demo", "tags": ["a", 'b"']})
    answer = client.get(f"/api/projects?{wanted}").json()
    assert (len(answer["projects"]), answer["total"]) == ((1, 1) if found else (0, 0))
