"""Pages of a long list of builds: all rows, once, in order, whatever page is asked for."""

import random
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from factories import make_build
from headrace.http.errors import BadRequest
from headrace.resources.builds import marks as module
from headrace.resources.builds import relatives, repository
from headrace.resources.builds.marks import Marks
from headrace.resources.builds.repository import Filters, Within

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ALL = Filters()
A, B = "a" * 24, "b" * 24  # pipelines


@pytest.fixture(autouse=True)
def near_marks(monkeypatch):
    """Marks that are close together, few builds that are many: a test need not make thousands."""
    monkeypatch.setattr(repository, "_SHORT", 15)
    monkeypatch.setattr(module, "_EVERY", 4)
    monkeypatch.setattr(module, "_EVERY_SCANNED", 3)
    monkeypatch.setattr(module, "_ADVANCE_AFTER", 1)


@pytest.fixture
def history(database, people):
    """Forty builds, some of the same instant, of two branches, three statuses, two pipelines and none."""
    chance = random.Random(7)  # noqa: S311 - made-up data
    made = [
        make_build(
            database,
            people["admin"],
            pipeline_id=chance.choice([A, B, B, None]),
            branch=chance.choice(["main", "dev"]),
            status=chance.choice(["success", "success", "error", "terminated"]),
            created_at=NOW - timedelta(minutes=5 + chance.randrange(20)),
        )
        for _ in range(40)
    ]
    return sorted(made, key=lambda build: (build.created_at, build.id), reverse=True)


def page(database, account_id, marks, filters, offset, limit, now=NOW):
    """The ids of a page, and the number of all."""
    with database.reading() as db:
        place = marks.place(db, account_id, filters, offset=offset, limit=limit, now=now)
        found = repository.listed(
            db, account_id, place.filters, limit=place.limit, offset=place.offset, upto=place.upto
        )
        return [build.id for build in found] if place.limit else [], place.total


@pytest.mark.parametrize(
    ("filters", "is_in"),
    [
        (ALL, lambda _: True),
        (Filters(branches=["main"]), lambda build: build.branch == "main"),
        (Filters(statuses=["error", "denied"]), lambda build: build.status == "error"),
        (
            Filters(statuses=["success"], branches=["dev"]),
            lambda build: (build.status, build.branch) == ("success", "dev"),
        ),
        (Filters(branches=["none"]), lambda _: False),
        (Filters(within=Within((A,), untagged=False)), lambda build: build.pipeline_id == A),
        (Filters(within=Within((A,), untagged=True)), lambda build: build.pipeline_id in (A, None)),
        (Filters(within=Within((), untagged=False)), lambda _: False),
        (
            Filters(within=Within((A, B, "c" * 24), untagged=False), statuses=["error", "terminated"]),
            lambda build: build.pipeline_id and build.status in ("error", "terminated"),
        ),
    ],
)
@pytest.mark.parametrize("limit", [1, 4, 50])
def test_every_page_is_the_slice_of_the_whole_list(database, people, history, filters, is_in, limit):
    account_id, marks = people["admin"].active_account_id, Marks()
    wanted = [build.id for build in history if is_in(build)]
    offsets = random.Random(limit).sample(range(45), 45)  # noqa: S311 - as above
    for offset in offsets:
        expected = (wanted[offset : offset + limit], len(wanted))
        assert page(database, account_id, marks, filters, offset, limit) == expected


@pytest.mark.parametrize(("rare", "by"), [("dev", "branch"), ("main", "status")])
def test_of_two_filters_the_rarer_is_read_on_sqlite_and_the_pages_are_the_same(
    database, people, rare, by, monkeypatch
):
    account_id = people["admin"].active_account_id
    for branch, status, number in (("dev", "success", 2), ("main", "success", 9), ("main", "error", 4)):
        for minute in range(number):
            moment = NOW - timedelta(minutes=5 + minute)
            make_build(database, people["admin"], branch=branch, status=status, created_at=moment)
    filters = Filters(branches=[rare], statuses=["success" if rare == "dev" else "error"])
    with database.reading() as db:
        assert repository.rarest(db, account_id, filters) == (by if db.dialect.name == "sqlite" else None)
        whole = [build.id for build in repository.listed(db, account_id, filters, limit=50)]
        with monkeypatch.context() as patch:
            patch.setattr(repository, "_RARE", 2)  # all filters are wide
            assert repository.rarest(db, account_id, filters) is None
    assert len(whole) == (2 if rare == "dev" else 4)
    marks = Marks()
    for offset in range(5):
        assert page(database, account_id, marks, filters, offset, 2) == (
            whole[offset : offset + 2],
            len(whole),
        )


def test_new_builds_come_into_the_pages_that_were_asked_for(database, people, history):
    account_id, marks = people["admin"].active_account_id, Marks()
    ids = [build.id for build in history]
    for minute in range(6):
        now = NOW + timedelta(minutes=minute)
        build = make_build(
            database, people["admin"], status="success", created_at=now - timedelta(seconds=30)
        )
        ids.insert(0, build.id)
        for offset in (0, 1, 7, len(ids) - 2):
            expected = (ids[offset : offset + 4], len(ids))
            assert page(database, account_id, marks, ALL, offset, 4, now) == expected


def test_new_builds_come_between_marks_that_were_looked_for_before(database, people, history):
    """A page in the middle is found from the nearest place that is known, also after the list has grown."""
    account_id, marks, chance = people["admin"].active_account_id, Marks(), random.Random(3)  # noqa: S311 - made-up
    ids = [build.id for build in history]
    for minute in range(12):
        now = NOW + timedelta(minutes=2 * minute)
        for offset in (chance.randrange(len(ids)) for _ in range(3)):
            expected = (ids[offset : offset + 3], len(ids))
            assert page(database, account_id, marks, ALL, offset, 3, now) == expected
        ids.insert(0, make_build(database, people["admin"], status="success", created_at=now).id)


def test_of_two_who_ask_first_one_counts(database, people, history, monkeypatch):
    account_id, marks = people["admin"].active_account_id, Marks()
    counted, both, answers = [], threading.Barrier(2), []
    count_before = repository.count_before

    def counting(*arguments, **more):
        counted.append(1)
        return count_before(*arguments, **more)

    def ask():
        both.wait(10)
        answers.append(page(database, account_id, marks, ALL, 20, 5))

    monkeypatch.setattr(repository, "count_before", counting)
    askers = [threading.Thread(target=ask) for _ in range(2)]
    for one in askers:
        one.start()
    for one in askers:
        one.join(30)
    assert answers == [([build.id for build in history[20:25]], 40)] * 2
    assert len(counted) == 1


@pytest.mark.usefixtures("history")
def test_a_count_that_fails_is_made_again(database, people, monkeypatch):
    account_id, marks = people["admin"].active_account_id, Marks()

    def away(*_, **__):
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(repository, "count_before", away)
        with pytest.raises(ConnectionError):
            page(database, account_id, marks, ALL, 0, 5)
    assert page(database, account_id, marks, ALL, 0, 5)[1] == 40


def test_a_build_that_ends_late_comes_into_its_place(database, people, history):
    account_id, marks = people["admin"].active_account_id, Marks()
    late = history[20]
    with database.transaction() as db:
        repository.change(db, late.id, status="running")
    wanted = Filters(statuses=["success"])
    before = page(database, account_id, marks, wanted, 0, 50)
    with database.transaction() as db:
        repository.change(db, late.id, status="success")
    after = page(database, account_id, marks, wanted, 0, 50)
    assert late.id not in before[0]
    assert after[0] == [one.id for one in history if one is late or one.id in before[0]]
    assert after[1] == len(after[0])
    assert page(database, account_id, marks, wanted, 2, 5)[0] == after[0][2:7]


@pytest.mark.usefixtures("history")
def test_a_page_far_back_reads_no_more_than_the_first(database, people):
    """After the first look, what is settled is not counted again: one statement, and few rows to pass."""
    account_id, marks = people["admin"].active_account_id, Marks()
    for offset in range(0, 40, 5):
        page(database, account_id, marks, ALL, offset, 5)
    said = []

    def listen(*arguments):
        said.append(arguments[2])

    event.listen(database.engine, "before_cursor_execute", listen)
    with database.reading() as db:
        places = [
            marks.place(db, account_id, ALL, offset=offset, limit=5, now=NOW) for offset in range(0, 40, 5)
        ]
    assert len(said) == len(places)
    assert max(place.offset for place in places) < 4


def test_lists_that_nobody_asks_for_are_forgotten(database, people, history, monkeypatch):
    monkeypatch.setattr(module, "_MOST_LISTS", 2)
    account_id, marks = people["admin"].active_account_id, Marks()
    for branch in ("main", "dev", "none", "main"):
        page(database, account_id, marks, Filters(branches=[branch]), 0, 5)
    assert len(marks._lists) == 2
    assert page(database, account_id, marks, ALL, 0, 50)[0] == [build.id for build in history]


def ids(answer):
    assert answer.status == 200, answer.text
    return [one["id"] for one in answer.json()["workflows"]["docs"]]


def test_a_client_walks_forth_and_back(client, history):
    wanted = [build.id for build in history]
    assert ids(client.get("/api/workflow?limit=10&page=3")) == wanted[20:30]
    assert ids(client.get(f"/api/workflow?limit=10&after={wanted[19]}")) == wanted[20:30]
    back = f"/api/workflow?limit=10&after={wanted[20]}&paginationDirection=previous"
    assert ids(client.get(back)) == wanted[10:20]
    assert ids(client.get("/api/workflow?limit=10&page=2&paginationDirection=previous")) == wanted[10:20]
    assert ids(client.get("/api/workflow?limit=10&page=900")) == []
    assert client.get("/api/workflow?limit=10&page=900").json()["workflows"]["total"] == 40
    assert client.get("/api/workflow?paginationDirection=up").status == 400


def test_another_accounts_builds_are_in_no_page(stranger, history):
    assert ids(stranger.get("/api/workflow?limit=50")) == []
    assert stranger.get(f"/api/workflow?after={history[3].id}").status == 404


def test_a_branch_that_no_index_holds_is_refused(database, people):
    with pytest.raises(BadRequest, match="branch"):
        make_build(database, people["admin"], branch="b" * 501)
    assert make_build(database, people["admin"], branch="ä" * 500).branch == "ä" * 500


@pytest.mark.parametrize(
    ("filters", "plan"),
    [
        (
            Filters(pipeline_ids=[B], statuses=["denied"]),
            ["ix_builds_by_pipeline_and_status (pipeline_id=? AND status=? AND account_id=?)"],
        ),
        # In the index alone until a row is shown, whatever its reader may not see.
        (Filters(within=Within((A, B), untagged=True)), ["ix_builds_listed (account_id=?)"]),
    ],
)
def test_a_list_is_read_from_an_index_in_its_order(database, people, filters, plan):
    if not database.is_sqlite:
        return  # which chooses by what the tables hold; here they hold next to nothing
    assert searched(database, lambda db: repository.listed(db, account_of(people), filters, limit=50)) == plan


@pytest.mark.parametrize(
    ("filters", "plan"),
    [
        (Filters(within=Within((A,), untagged=False)), ["ix_builds_by_pipeline_id"] * 2),
        (Filters(within=Within((A,), untagged=True)), ["ix_builds_by_pipeline_id"] * 4),
        (
            Filters(within=Within((A,), untagged=False), statuses=["error"]),
            ["ix_builds_by_pipeline_and_status"] * 2,
        ),
        (Filters(statuses=["error", "denied"]), ["ix_builds_by_status"] * 4),
    ],
)
def test_builds_are_counted_in_an_index_that_has_them_alone(database, people, filters, plan):
    if not database.is_sqlite:
        return  # as above
    found = searched(
        database, lambda db: repository.count_before(db, account_of(people), filters, NOW, since=None)
    )
    assert [one.split(" ")[0] for one in found] == plan


def test_a_few_builds_of_pipelines_that_a_reader_sees_are_looked_up_and_sorted(database, people):
    if not database.is_sqlite:
        return  # as above
    few = Filters(within=Within((A,), untagged=True), short=True)
    found = searched(
        database, lambda db: repository.listed(db, account_of(people), few, limit=50), may_sort=True
    )
    assert sorted(found) == [
        *["ix_builds_by_pipeline_id (account_id=? AND pipeline_id=?)"] * 2,
        "sqlite_autoindex_builds_1 (id=?)",
    ]


def test_the_relatives_of_a_build_are_looked_up_and_not_searched_for(database, history):
    if not database.is_sqlite:
        return  # as above
    found = searched(database, lambda db: relatives.of(db, history[0], None), may_sort=True)
    assert found == [
        "ix_builds_by_parent_id (account_id=? AND parent_id=?)",
        "sqlite_autoindex_builds_1 (id=?)",
    ]


def account_of(people):
    return people["admin"].active_account_id


def searched(database, ask, *, may_sort=False):
    """The indexes that SQLite reads builds by, and what it looks up in them; only what may be is sorted."""
    said = []

    def explain(connection, _cursor, statement, parameters, *_):
        found = connection.connection.driver_connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        said.extend(row[-1] for row in found)

    with database.reading() as db:
        event.listen(database.engine, "before_cursor_execute", explain)
        try:
            ask(db)
        finally:
            event.remove(database.engine, "before_cursor_execute", explain)
    assert may_sort or not any("TEMP B-TREE" in line for line in said)
    return [line.rpartition("INDEX ")[2] for line in said if line.startswith("SEARCH builds")]
