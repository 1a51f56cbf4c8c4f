"""Runtime environments as the admins of an installation see and give them."""

from datetime import UTC, datetime

import pytest

from headrace.kit.ids import new_id
from headrace.resources.runtime_environments import service as environments
from headrace.resources.runtime_environments.schemas import Worker
from headrace.resources.users import repository as users

PATH = "/api/admin/runtime-environments"
ROUTES = [
    ("GET", f"{PATH}/fast"),
    ("GET", f"{PATH}/account/ACCOUNT"),
    ("PUT", f"{PATH}/account/default/ACCOUNT/fast"),
    ("PUT", f"{PATH}/account/modify/fast"),
    ("DELETE", f"{PATH}/account/modify/fast"),
]


@pytest.fixture(params=["sqlite"])
def engine_name(request):
    """The rows are those of the environments of accounts."""
    return request.param


@pytest.fixture
def platform(database, client, people):
    """The admin of the installation, where a worker serves ``fast``."""
    now = datetime.now(UTC)
    worker = Worker(
        id=new_id(),
        environment="fast",
        runtime="docker",
        host="machine",
        capacity=2,
        running=0,
        started_at=now,
        seen_at=now,
    )
    with database.transaction() as db:
        environments.report(db, worker)
        users.change(db, people["admin"].id, is_platform_admin=True)
    return client


def names(client, path="/api/runtime-environments"):
    return [one["metadata"]["name"] for one in client.get(path).json()]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_only_admins_of_the_installation_may(platform, stranger, key_of, method, path):
    assert platform.with_key(None).call(method, path).status == 401
    assert platform.with_key(key_of("admin", "build")).call(method, path).status == 403
    assert stranger.call(method, path).status == 403
    missing = path.replace("fast", "none").replace("ACCOUNT", "0" * 24)
    body = {"accounts": ["0" * 24]}
    assert platform.call(method, missing, json=body).status == 404


def test_they_see_what_workers_serve_and_others_see_none(platform, stranger):
    assert names(platform, PATH) == ["default", "fast"]
    assert names(stranger, PATH) == []
    shown = platform.get(f"{PATH}/fast").json()
    assert (shown["accountId"], shown["isPublic"], shown["status"]["capacity"]) == (None, True, 2)


def test_the_default_of_another_account_is_chosen(platform, stranger, people):
    account = people["stranger"].active_account_id
    made = platform.call("PUT", f"{PATH}/account/default/{account}/fast").json()
    assert (made["accountId"], made["isDefault"]) == (account, True)
    [chosen] = [one for one in stranger.get("/api/runtime-environments").json() if one["isDefault"]]
    assert chosen["metadata"]["name"] == "fast"
    assert names(platform, f"{PATH}/account/{account}") == ["default", "fast"]


def test_an_environment_is_taken_from_accounts_and_given_back(platform, stranger, people):
    body = {"accounts": [people["stranger"].active_account_id]}
    assert platform.call("DELETE", f"{PATH}/account/modify/fast", json=body).json() == {}
    assert (names(stranger), names(platform)) == (["default"], ["default", "fast"])
    assert platform.call("PUT", f"{PATH}/account/modify/fast", json=body).json() == {}
    assert names(stranger) == ["default", "fast"]
    refused = platform.call("DELETE", f"{PATH}/account/modify/default", json=body)
    assert (refused.status, "is the default" in refused.json()["message"]) == (409, True)
