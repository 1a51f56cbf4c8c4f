"""The progress of a build: where its log is, and its end on request."""

from urllib.parse import urlsplit

import pytest

from factories import make_build, run_to
from headrace.pipeline.status import BuildStatus

NOWHERE = "6923f0a41c2b9f3a7d000000"
ROUTES = [
    ("GET", "/api/progress/{}", "build:read"),
    ("GET", "/api/progress/download/{}", "build:read"),
    ("DELETE", "/api/progress/{}", "build:write"),
]


@pytest.fixture
def build(database, people):
    return make_build(database, people["admin"])


def status(client, build):
    return client.get(f"/api/builds/{build.id}").json()["status"]


@pytest.mark.parametrize(("method", "path", "_scope"), ROUTES)
def test_without_a_key_it_is_401(client, build, method, path, _scope):
    assert client.with_key(None).call(method, path.format(build.progress_id)).status == 401


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_without_the_scope_it_is_403(client, key_of, build, method, path, scope):
    answer = client.with_key(key_of("admin", "pipeline")).call(method, path.format(build.progress_id))
    assert (answer.status, answer.json()["context"]) == (403, {"missingScopes": [scope]})


@pytest.mark.parametrize(("method", "path", "_scope"), ROUTES)
@pytest.mark.parametrize("progress_id", [None, NOWHERE, "x"])
def test_what_is_not_there_or_of_another_account_is_404(
    stranger, client, build, progress_id, method, path, _scope
):
    assert stranger.call(method, path.format(progress_id or build.progress_id)).status == 404
    assert status(client, build) == "pending"


def test_the_log_of_a_build_that_runs_comes_live(client, people, build):
    shown = client.get(f"/api/progress/{build.progress_id}").json()
    assert shown["id"] == shown["_id"] == build.progress_id
    assert shown["account"] == people["admin"].active_account_id
    assert (shown["status"], shown["location"]) == (
        "pending",
        {"type": "composition", "url": "http://testserver"},
    )


def test_the_log_of_an_ended_build_is_behind_a_link_that_needs_no_key(client, installation, build):
    run_to(installation, build, BuildStatus.SUCCESS)
    location = client.get(f"/api/progress/{build.progress_id}").json()["location"]
    assert location["type"] == "archive"
    link = urlsplit(location["url"])
    answer = client.with_key(None).get(f"{link.path}?{link.query}")
    assert answer.status == 200
    assert isinstance(answer.json(), dict)
    assert client.with_key(None).get(f"{link.path}?token=x{link.query[6:]}").status == 403


def test_a_pending_build_is_terminated_at_once(client, build):
    answer = client.delete(f"/api/progress/{build.progress_id}")
    assert (answer.status, answer.json()) == (200, {})
    shown = client.get(f"/api/builds/{build.id}").json()
    assert shown["status"] == "terminated"
    assert shown["finished"] is not None


@pytest.mark.parametrize("reached", [BuildStatus.RUNNING, BuildStatus.PENDING_APPROVAL])
def test_a_build_on_its_way_is_left_to_a_worker_to_end(client, installation, build, reached):
    run_to(installation, build, reached)
    client.delete(f"/api/progress/{build.progress_id}")
    assert status(client, build) == "terminating"
    run_to(installation, build, BuildStatus.TERMINATED)
    assert status(client, build) == "terminated"


@pytest.mark.parametrize("final", [BuildStatus.SUCCESS, BuildStatus.ERROR])
def test_an_ended_build_stays_as_it_is(client, installation, build, final):
    run_to(installation, build, final)
    assert client.delete(f"/api/progress/{build.progress_id}").status == 200
    assert status(client, build) == final
