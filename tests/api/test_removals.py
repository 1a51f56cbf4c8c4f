"""The end of an account: nothing of it is left, and nothing of another one is lost."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from factories import make_build
from headrace.execution.ports import Report
from headrace.pipeline.status import BuildStatus
from headrace.resources.accounts import service as accounts
from headrace.resources.builds import service as builds
from headrace.resources.builds import volumes
from headrace.resources.removals import service
from headrace.resources.users import repository as users
from headrace.resources.users import service as people_service
from headrace.storage.metadata import metadata

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def other(people):
    """The id of the account that is deleted."""
    return people["stranger"].active_account_id


@pytest.fixture
def delete(platform, other):
    return lambda account=other: platform.delete(f"/api/admin/accounts/{account}")


@pytest.fixture
def clear(installation, database):
    """Do as the server does now and then."""
    return lambda forget=installation.forget_files: service.clear(database, forget)


@pytest.fixture
def ended(installation, database):
    """Make a build that has ended and left a log, a report and a volume."""

    def make(user):
        build = make_build(database, user, status=BuildStatus.SUCCESS)

        async def leave_files():
            log = await installation.logs.open(build.id, "unit", secrets=frozenset())
            await log.write(b"done\n")
            await log.close()

        asyncio.run(leave_files())
        report = Report(id="b" * 8, step="unit", number="1", created_at=NOW, size_bytes=3, files=1)
        installation.reports.keep(build.id, report, [("index.html", [b"<p>"])])
        with database.transaction() as db:
            volumes.leave(db, build.id, "b" * 24, now=NOW)
        return build

    return make


@pytest.fixture
def fill(ended):
    """Give an account something of each kind that an API call makes."""

    def make(client, user):
        spec = {"steps": {"unit": {"image": "alpine", "commands": ["true"]}}}
        pipeline = {"metadata": {"name": "demo/ci"}, "spec": spec}
        made = client.post("/api/pipelines", pipeline).json()["metadata"]["id"]
        context = {"metadata": {"name": "shared"}, "spec": {"type": "config", "data": {"A": "1"}}}
        values = {"expression": "@daily", "message": "hi"}
        event = {"type": "cron", "kind": "codefresh", "secret": "!generate", "values": values}
        uri = client.post("/api/hermes/events", event).json()
        calls = [
            client.post("/api/contexts", context),
            client.post(f"/api/hermes/triggers/{uri}/{made}", {"filters": {}}),
            client.post("/api/team", {"name": "ops", "users": [user.id]}),
            client.post("/api/service-users", {"userName": f"robot of {user.name}", "teamIds": []}),
            client.post("/api/auth/key", {"name": "more"}),
            client.post(
                "/api/annotations",
                {"entityId": made, "entityType": "pipeline", "key": "a", "value": "b"},
            ),
        ]
        assert {answer.status for answer in calls} <= {200, 201}, [answer.text for answer in calls]
        return ended(user)

    return make


def rows_by_table(database):
    with database.reading() as db:
        return {
            name: sorted(str(tuple(row)) for row in db.execute(select(table)))
            for name, table in metadata.tables.items()
        }


def rows_of(database, *ids):
    """The rows of all tables in which one of these ids stands, but for the note of the deletion itself."""
    return [
        (table, row)
        for table, rows in rows_by_table(database).items()
        for row in rows
        if any(one in row for one in ids) and "accounts.deleteAccount" not in row
    ]


def test_a_deleted_account_leaves_nothing_and_the_others_keep_everything(
    client, stranger, people, installation, other, fill, delete, clear
):
    database = installation.database
    kept = fill(client, people["admin"])
    before = rows_by_table(database)
    gone = fill(stranger, people["stranger"])
    assert len({table for table, _ in rows_of(database, other)}) > 10
    assert delete().json() == {}
    clear()
    assert rows_of(database, other, people["stranger"].id, gone.id) == []
    assert [*installation.logs.root.iterdir()] == [installation.logs.root / kept.id]
    assert [*installation.reports.root.iterdir()] == [installation.reports.root / kept.id]
    after = rows_by_table(database)
    for table in after.keys() - {"audit", "api_keys", "answers"}:  # by what was asked meanwhile
        mine = [row for row in before[table] if other not in row and people["stranger"].id not in row]
        assert after[table] == mine, table
    assert client.get("/api/audit?action=accounts.deleteAccount").json()["docs"][0]["entityId"] == other


def test_at_once_nobody_gets_in_and_the_names_are_free(platform, client, stranger, people, other, delete):
    robot = stranger.post("/api/service-users", {"userName": "robot", "teamIds": []}).json()["_id"]
    key = stranger.post(f"/api/auth/key/service-user/{robot}", {"name": "x"}).text
    assert delete().status == 200
    assert stranger.get("/api/user").status == 401
    assert client.with_key(key).get("/api/user").status == 401
    assert [one["name"] for one in platform.get("/api/admin/accounts").json()] == ["acme"]
    assert platform.get(f"/api/admin/accounts/{other}").status == 404
    assert delete().status == 404
    assert platform.post("/api/admin/accounts", {"name": "other"}).status == 200
    invited = platform.post(
        f"/api/accounts/{people['admin'].active_account_id}/adduser", {"userDetails": "otto"}
    )
    assert invited.status == 200


def test_who_is_in_another_account_too_goes_on_there(
    platform, people, key_of, database, other, delete, clear
):
    acme, member = people["admin"].active_account_id, people["member"]
    with database.transaction() as db:
        people_service.join(db, other, member.id, is_admin=True)
        users.change(db, member.id, active_account_id=other)
    key = key_of("member")  # of acme
    assert delete().status == 200
    clear()
    assert platform.with_key(key).get("/api/user").json()["account"][0]["_id"] == acme
    with database.reading() as db:
        assert users.by_id(db, member.id).active_account_id == acme
        assert [one.account_id for one in users.accounts_of(db, member.id)] == [acme]


def test_the_account_that_one_is_in_is_kept(people, delete):
    answer = delete(people["admin"].active_account_id)
    assert answer.status == 409
    assert "you are in the account 'acme'" in answer.json()["message"]
    assert delete("6923f0a41c2b9f3a7d000000").status == 404


def test_an_account_with_builds_that_have_not_ended_is_kept(stranger, people, database, delete):
    build = make_build(database, people["stranger"])
    answer = delete()
    assert answer.status == 409
    assert "have not ended: 1" in answer.json()["message"]
    assert stranger.get(f"/api/builds/{build.id}").status == 200


def test_the_only_account_of_an_admin_of_the_installation_is_kept(people, database, delete, stranger):
    with database.transaction() as db:
        users.change(db, people["stranger"].id, is_platform_admin=True)
    answer = delete()
    assert answer.status == 409
    assert "'otto' is an admin of the installation and has no other account" in answer.json()["message"]
    assert stranger.get("/api/user").status == 200


def test_a_removal_that_was_broken_off_is_taken_up_again(
    people, installation, database, other, ended, delete, clear
):
    build = ended(people["stranger"])
    delete()

    def broken(_):
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - it says nothing
        clear(broken)
    assert [table for table, _ in rows_of(database, build.id)] == ["builds", "volumes"]
    clear()
    assert rows_of(database, other, build.id) == []
    assert [*installation.logs.root.iterdir()] == []


def test_what_a_late_request_adds_goes_too(people, database, other, delete, clear):
    delete()
    user = people["stranger"]
    late = make_build(database, user)  # of a request that had begun before
    clear()
    with database.reading() as db:
        assert builds.find(db, other, late.id).status is BuildStatus.TERMINATED
        assert accounts.closed(db) == other
    clear()
    assert rows_of(database, other, late.id) == []
