"""Reading, listing and repeating builds."""

from datetime import UTC, datetime, timedelta

import pytest

from factories import YAML, make_build, run_to
from headrace.execution.ports import StepState
from headrace.kit.ids import is_id
from headrace.pipeline import plan as plans
from headrace.pipeline.status import BuildStatus, StepStatus
from headrace.resources.api_keys import service as api_keys
from headrace.resources.builds import repository
from headrace.resources.builds.schemas import Sealed

NOWHERE = "6923f0a41c2b9f3a7d000000"
ROUTES = [
    ("GET", "/api/builds/{}", "build:read:status"),
    ("GET", "/api/builds/{}/steps", "build:read"),
    ("GET", "/api/builds/{}/variables", "build:read"),
    ("GET", "/api/builds/{}/logs", "build:read"),
    ("GET", "/api/builds/{}/logs/stream", "build:read"),
    ("GET", "/api/builds/rebuild/{}", "pipeline:run"),
]
FIRST = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def build(database, people):
    return make_build(database, people["admin"])


def listed(client, query=""):
    answer = client.get(f"/api/workflow?{query}")
    assert answer.status == 200, answer.text
    return [one["id"] for one in answer.json()["workflows"]["docs"]]


@pytest.mark.parametrize(("method", "path", "_scope"), ROUTES)
def test_without_a_key_it_is_401(client, build, method, path, _scope):
    assert client.with_key(None).call(method, path.format(build.id)).status == 401


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_without_the_scope_it_is_403_and_names_it(client, key_of, build, method, path, scope):
    answer = client.with_key(key_of("admin", "project")).call(method, path.format(build.id))
    assert (answer.status, answer.json()["context"]) == (403, {"missingScopes": [scope]})


@pytest.mark.parametrize(("method", "path", "_scope"), ROUTES)
@pytest.mark.parametrize("build_id", [None, NOWHERE, "x", "%F0%9F%A6%8A"])
def test_what_is_not_there_or_of_another_account_is_404(stranger, build, build_id, method, path, _scope):
    answer = stranger.call(method, path.format(build_id or build.id))
    assert answer.status == 404
    assert "not find" in answer.json()["message"]


def test_the_list_needs_its_scope_and_shows_nothing_of_others(client, stranger, key_of, build):
    assert client.with_key(None).get("/api/workflow").status == 401
    assert client.with_key(key_of("admin", "build:read:status")).get("/api/workflow").status == 403
    assert listed(stranger) == []
    assert listed(client) == [build.id]


def test_a_new_build_says_all_that_clients_print(client, build):
    shown = client.get(f"/api/builds/{build.id}?noAccount=false").json()
    assert shown["id"] == shown["_id"] == build.id
    assert (shown["status"], shown["pipelineName"], shown["serviceId"]) == ("pending", "demo/ci", "b" * 24)
    assert (shown["repoOwner"], shown["repoName"], shown["branchName"], shown["revision"]) == ("", "", "", "")
    assert (shown["started"], shown["finished"], shown["error"]) == (None, None, None)
    assert is_id(shown["progress"])
    assert datetime.fromisoformat(shown["created"]).tzinfo is not None


def test_an_ended_build_says_how(client, installation, build):
    run_to(installation, build, BuildStatus.ERROR)
    shown = client.get(f"/api/builds/{build.id}").json()
    assert (shown["status"], shown["error"]) == ("error", "because")
    assert shown["created"] <= shown["started"] <= shown["finished"]


def test_a_narrow_key_sees_the_status_and_no_more(client, key_of, build):
    shown = client.with_key(key_of("admin", "build:read:status")).get(f"/api/builds/{build.id}").json()
    assert set(shown) == {"id", "status", "created", "started", "finished", "pipelineName", "serviceId"}


def test_annotations_of_a_build_come_with_it(client, database, people):
    build = make_build(database, people["admin"], annotations={"coverage": "75%"})
    (shown,) = client.get(f"/api/builds/{build.id}").json()["annotations"]
    assert (shown["key"], shown["value"]) == ("coverage", "75%")
    (listed_one,) = client.get("/api/workflow").json()["workflows"]["docs"]
    assert [one["key"] for one in listed_one["annotations"]] == ["coverage"]


def test_steps_come_in_the_order_of_the_file(client, installation, build):
    run_to(installation, build, BuildStatus.PENDING_APPROVAL)
    steps = client.get(f"/api/builds/{build.id}/steps").json()
    assert [(step["name"], step["status"]) for step in steps] == [
        ("ask", "pending-approval"),
        ("deploy", "pending"),
    ]
    assert (steps[0]["title"], steps[0]["type"], steps[0]["attempt"]) == (
        "May it go out?",
        "pending-approval",
        1,
    )


@pytest.fixture
def many(database, people):
    """Builds that differ, oldest first: by name, those of `WANTED`."""

    def make(day, **more):
        created_at = FIRST + timedelta(days=day)
        return make_build(database, people["admin"], created_at=created_at, **more).id

    return {
        "plain": make(0),
        "failed": make(1, status="error", branch="main"),
        "denied": make(2, status="denied", branch="dev", revision="abc"),
        "hooked": make(3, trigger_kind="webhook", trigger_id="e" * 24, pipeline_id="c" * 24),
        "done": make(4, status="success", branch="main", revision="def"),
    }


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", "done hooked denied failed plain"),
        ("status=success", "done"),
        ("status=error", "denied failed"),
        ("status=denied", "denied"),
        ("status=success&status=error", "done denied failed"),
        ("branchName=main", "done failed"),
        ("branchName=main&branchName=dev", "done denied failed"),
        ("branchName=main&status=success", "done"),
        ("revision=abc", "denied"),
        ("trigger=webhook", "hooked"),
        ("trigger=build", "done denied failed plain"),
        (f"pipeline={'c' * 24}", "hooked"),
        (f"pipeline={'c' * 24}&pipeline={'b' * 24}", "done hooked denied failed plain"),
        (f"pipelineTriggerId={'e' * 24}", "hooked"),
        ("startDate=2026-03-04", "done hooked"),
        ("endDate=2026-03-02", "failed plain"),
        ("startDate=2026-03-02&endDate=2026-03-03", "denied failed"),
        ("startDate=2027-01-01", ""),
        ("paginationReset=true&anything=else", "done hooked denied failed plain"),
        ("limit=0", "done hooked denied failed plain"),
    ],
)
def test_filters_of_one_kind_add_and_of_several_narrow(client, many, query, wanted):
    answer = client.get(f"/api/workflow?{query}").json()["workflows"]
    assert [one["id"] for one in answer["docs"]] == [many[name] for name in wanted.split()]
    assert answer["total"] == len(wanted.split())


@pytest.mark.parametrize(
    "query",
    [
        "status=unknown",
        "limit=-1",
        "limit=x",
        "limit=99999999999999999999",
        "page=0",
        "startDate=today",
        "startDate=2026-13-01",
        "branchName=%00",
    ],
)
def test_a_wrong_filter_is_400_and_named(client, query):
    answer = client.get(f"/api/workflow?{query}")
    assert answer.status == 400
    assert answer.json()["message"].startswith("query string: ")


def test_pages_by_number_hold_each_build_once(client, many):
    pages = [listed(client, f"limit=2&page={page}") for page in (1, 2, 3, 4)]
    newest_first = list(reversed(many.values()))
    assert pages == [newest_first[:2], newest_first[2:4], newest_first[4:], []]
    assert client.get("/api/workflow?limit=2&page=2").json()["workflows"]["total"] == len(many)


def test_pages_by_build_hold_still_while_builds_come(client, database, people, many):
    newest_first = list(reversed(many.values()))
    first = listed(client, "limit=2")
    make_build(database, people["admin"])
    assert first == newest_first[:2]
    assert listed(client, f"limit=2&after={first[-1]}") == newest_first[2:4]
    assert listed(client, f"limit=2&after={newest_first[-1]}") == []


def test_a_page_after_a_build_of_another_account_is_404(stranger, many):
    assert stranger.get(f"/api/workflow?after={many['done']}").status == 404


def test_a_restart_runs_the_same_again_under_a_new_id(client, installation, database, people):
    build = make_build(database, people["admin"], branch="main", revision="abc", concurrency=3)
    run_to(installation, build, BuildStatus.ERROR)
    answer = client.get(f"/api/builds/rebuild/{build.id}")
    new_id = answer.json()
    assert answer.text == f'"{new_id}"'
    assert answer.headers["location"] == f"/api/builds/{new_id}"
    assert new_id != build.id
    shown = client.get(f"/api/builds/{new_id}").json()
    assert (shown["status"], shown["branchName"], shown["revision"]) == ("pending", "main", "abc")
    with database.reading() as db:
        old, new = repository.inputs(db, build.id), repository.inputs(db, new_id)
    assert plans.from_json(new["plan"].encode()) == plans.from_json(old["plan"].encode())
    assert (new["yaml"], new["concurrency"]) == (YAML, 3)
    assert new["variables"]["PORT"] == "5000"
    assert new["variables"]["CF_BUILD_ID"] == new_id


def fails(database, installation, build):
    run_to(installation, build, BuildStatus.ERROR)
    asked = StepState(name="ask", status=StepStatus.APPROVED, exports={"A": "1"}, decided_by=("ada", "user"))
    with database.transaction() as db:
        repository.store_step(db, build.id, asked)
        repository.store_step(db, build.id, StepState(name="deploy", status=StepStatus.ERROR))


def test_a_restart_from_the_failed_step_takes_over_what_went_well(client, installation, database, people):
    build = make_build(database, people["admin"])
    fails(database, installation, build)
    new_id = client.get(f"/api/builds/rebuild/{build.id}?fromFailed=true").json()
    steps = client.get(f"/api/builds/{new_id}/steps").json()
    assert [(step["name"], step["status"], step["previouslyExecuted"]) for step in steps] == [
        ("ask", "approved", True),
        ("deploy", "pending", False),
    ]
    with database.reading() as db:
        assert repository.steps(db, new_id)["ask"].exports == {"A": "1"}
    from_beginning = client.get(f"/api/builds/rebuild/{build.id}").json()
    assert {step["status"] for step in client.get(f"/api/builds/{from_beginning}/steps").json()} == {
        "pending"
    }


@pytest.mark.parametrize(
    ("query", "from_step", "from_failed"),
    [("", None, False), ("?fromFailed=true", None, True), ("?fromStep=deploy", "deploy", False)],
)
def test_a_build_and_its_restart_name_each_other(
    client, installation, database, people, query, from_step, from_failed
):
    build = make_build(database, people["admin"])
    fails(database, installation, build)
    new_id = client.get(f"/api/builds/rebuild/{build.id}{query}").json()
    shown = client.get(f"/api/builds/{new_id}").json()
    assert shown["restartOf"] == {"id": build.id, "fromStep": from_step, "fromFailed": from_failed}
    assert shown["restarts"] == []
    before = client.get(f"/api/builds/{build.id}").json()
    assert before["restartOf"] is None
    assert before["restarts"] == [{"id": new_id, "status": "pending", "pipelineName": "demo/ci"}]


def test_a_restart_from_the_failed_step_is_refused_where_the_pipeline_does(
    client, installation, database, people
):
    build = make_build(database, people["admin"], options={"permitRestartFromFailedSteps": False})
    fails(database, installation, build)
    answer = client.get(f"/api/builds/rebuild/{build.id}?fromFailed=true")
    assert answer.status == 400
    assert "permitRestartFromFailedSteps" in answer.json()["message"]
    assert client.get(f"/api/builds/rebuild/{build.id}").status == 200


@pytest.mark.parametrize("status", [BuildStatus.RUNNING, BuildStatus.SUCCESS])
def test_only_a_build_that_failed_has_a_failed_step(client, installation, build, status):
    run_to(installation, build, status)
    answer = client.get(f"/api/builds/rebuild/{build.id}?fromFailed=true")
    assert (answer.status, "has not failed" in answer.json()["message"]) == (400, True)


def test_a_restart_from_a_step_keeps_only_what_stands_before_it(client, installation, database, people):
    build = make_build(database, people["admin"])
    run_to(installation, build, BuildStatus.SUCCESS)
    with database.transaction() as db:
        for name in ("ask", "deploy"):
            repository.store_step(db, build.id, StepState(name=name, status=StepStatus.SUCCESS))

    def kept(step):
        new_id = client.get(f"/api/builds/rebuild/{build.id}?fromStep={step}").json()
        found = client.get(f"/api/builds/{new_id}/steps").json()
        return [one["name"] for one in found if one["previouslyExecuted"]]

    assert (kept("ask"), kept("deploy")) == ([], ["ask"])
    answer = client.get(f"/api/builds/rebuild/{build.id}?fromStep=nowhere")
    assert (answer.status, "no step 'nowhere'" in answer.json()["message"]) == (400, True)


def test_a_build_that_runs_is_not_restarted_from_a_step(client, build):
    answer = client.get(f"/api/builds/rebuild/{build.id}?fromStep=deploy")
    assert (answer.status, "has not ended" in answer.json()["message"]) == (400, True)


def test_variables_are_shown_as_they_were_but_no_secret(client, database, people):
    given = {"PORT": "5000", "TOKEN": Sealed("sealed-text"), "EMPTY": ""}
    build = make_build(database, people["admin"], variables=given)
    answer = client.get(f"/api/builds/{build.id}/variables")
    assert [(one["key"], one["value"], one["encrypted"]) for one in answer.json()] == [
        ("EMPTY", "", False),
        ("PORT", "5000", False),
        ("TOKEN", "", True),
    ]
    assert "sealed-text" not in answer.text


def test_a_build_names_the_builds_that_its_steps_started(client, stranger, build, database, people):
    child = make_build(database, people["admin"], parent_id=build.id)
    make_build(database, people["stranger"], parent_id=build.id)  # of another account: never shown
    shown = client.get(f"/api/builds/{build.id}").json()
    assert shown["children"] == [{"id": child.id, "status": "pending", "pipelineName": "demo/ci"}]
    assert shown["parentId"] is None
    assert client.get(f"/api/builds/{child.id}").json()["parentId"] == build.id
    assert stranger.get(f"/api/builds/{child.id}").status == 404


def test_a_key_of_a_build_starts_its_children(client, database, build):
    with database.transaction() as db:
        key = api_keys.mint_for_build(
            db,
            build.id,
            account_id=build.account_id,
            user_id=build.user_id,
            scopes=["pipeline:run", "build:read"],
            now=datetime.now(UTC),
        )
    body = {"userYamlDescriptor": YAML}
    child = client.with_key(key).post("/api/pipelines/run", body).json()
    assert client.get(f"/api/builds/{child}").json()["parentId"] == build.id


def test_head_never_restarts(client, build):
    answer = client.call("HEAD", f"/api/builds/rebuild/{build.id}")
    assert (answer.status, answer.content) == (405, b"")
    assert listed(client) == [build.id]


def test_of_several_pipelines_the_newest_build_of_each_is_listed(client, stranger, database, people):
    """A page of pipelines shows how each stands, by one question."""
    made = {
        name: [
            make_build(
                database, people["admin"], pipeline_id=name, created_at=FIRST + timedelta(minutes=at)
            ).id
            for at in times
        ]
        for name, times in {"a": (0, 5), "b": (9, 1), "c": (7,)}.items()
    }
    query = "onePerPipeline=true&pipeline=a&pipeline=b&pipeline=b&pipeline=unbuilt"
    assert listed(client, query) == [made["b"][0], made["a"][1]]
    assert listed(client, "onePerPipeline=true") == []
    assert listed(stranger, query) == []


def test_more_pipelines_at_once_than_a_page_has_are_refused(client):
    answer = client.get("/api/workflow?onePerPipeline=true" + 101 * "&pipeline=a")
    assert (answer.status, answer.json()["message"]) == (
        400,
        "query string: onePerPipeline takes at most 100 pipelines, not 101",
    )
