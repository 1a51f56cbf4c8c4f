"""Numbers about builds, for scripts that gather metrics: reports, and the last state of one build."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from factories import make_build
from headrace.execution.ports import StepState
from headrace.pipeline.status import StepStatus
from headrace.resources.builds import repository
from headrace.resources.builds.model import builds

BY_PIPELINE = "/api/analytics/reports/pipelineAvgDuration"
REPORT = "/api/analytics/reports/buildAvgDuration"
NOVEMBER = "dateRange=2026-11-01&dateRange=2026-11-30"


@pytest.fixture
def build(database, people):
    """Make a build that has ended: when it was asked for, and how many seconds it waited and ran."""

    def make(at, wait_s, run_s, *, status="success", who="admin", **more):
        made = make_build(database, people[who], status=status, created_at=at, **more)
        begun = None if run_s is None else at + timedelta(seconds=wait_s)
        ended = (begun or at) + timedelta(seconds=run_s or 0)
        with database.transaction() as db:
            times = {"started_at": begun, "finished_at": ended}
            db.execute(update(builds).where(builds.c.id == made.id).values(**times))
        return made

    return make


def at(day, hour=12, minute=0):
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize("path", ["/api/analytics/metadata", f"{REPORT}?{NOVEMBER}"])
def test_reports_need_a_key_that_reads_builds(client, key_of, path):
    assert client.with_key(None).get(path).status == 401
    assert client.with_key(key_of("admin", "build:read:status")).get(path).status == 403
    assert client.with_key(key_of("member", "build:read")).get(path).status == 200


def test_builds_of_another_account_are_in_no_report(client, build):
    build(at(3), 1, 2, who="stranger")
    assert client.get(f"{REPORT}?{NOVEMBER}").json()["data"] == []


def test_the_mean_is_of_builds_that_have_ended(client, build, database, people):
    build(at(3), 10, 20)
    build(at(4), 20, 40, status="error")
    build(at(5), 0, None, status="terminated")  # never began
    make_build(database, people["admin"], status="running", created_at=at(3))
    build(datetime(2026, 12, 1, tzinfo=UTC), 1, 1)
    found = client.get(f"{REPORT}?{NOVEMBER}").json()
    assert found == {
        "data": [
            {
                "totalBuilds": 3,
                "successfulBuilds": 1,
                "successRate": 33.33,
                "totalDuration": 30_000,
                "runningDuration": 30_000,
                "delayDuration": 15_000,
            }
        ],
        "timeDimensions": {"dateRange": ["2026-11-01T00:00:00.000", "2026-11-30T23:59:59.999"]},
    }


@pytest.mark.parametrize(
    ("granularity", "times"),
    [
        ("day", ["2026-11-01T00:00:00.000", "2026-11-02T00:00:00.000", "2026-11-08T00:00:00.000"]),
        ("week", ["2026-10-26T00:00:00.000", "2026-11-02T00:00:00.000"]),  # from Monday to Sunday
        ("month", ["2026-11-01T00:00:00.000"]),
    ],
)
def test_a_row_stands_for_each_step_of_time(client, build, granularity, times):
    for when in (at(1, 23, 59), at(2, 0), at(2, 9), at(8, 23)):
        build(when, 1, 1)
    found = client.get(f"{REPORT}?granularity={granularity}&{NOVEMBER}").json()
    assert [row["time"] for row in found["data"]] == times
    assert sum(row["totalBuilds"] for row in found["data"]) == 4
    assert found["timeDimensions"]["granularity"] == granularity


def test_hours_begin_at_the_hour(client, build):
    build(at(2, 9, 59), 1, 1)
    build(at(2, 10, 0), 1, 1)
    found = client.get(f"{REPORT}?granularity=hour&dateRange=2026-11-02&dateRange=2026-11-02").json()
    assert [row["time"][11:16] for row in found["data"]] == ["09:00", "10:00"]


@pytest.mark.parametrize(("name", "running_s"), [("buildP50Duration", 5), ("buildP90Duration", 9)])
def test_a_percentile_is_a_span_that_so_many_builds_reach(client, build, name, running_s):
    for seconds in (3, 1, 2, 10, 9, 8, 7, 6, 5, 4):
        build(at(3), 1, seconds)
    build(at(3), 0, None)
    [row] = client.get(f"/api/analytics/reports/{name}?{NOVEMBER}").json()["data"]
    assert (row["totalBuilds"], row["runningDuration"]) == (11, running_s * 1000)


def test_pipelines_have_a_row_each(client, build):
    build(at(3), 1, 2, pipeline_id="a" * 24, pipeline_name="demo/a")
    build(at(3), 1, 4, pipeline_id="c" * 24, pipeline_name="demo/c")
    build(at(3), 1, 9, pipeline_id=None, pipeline_name="")
    rows = client.get(f"{BY_PIPELINE}?{NOVEMBER}").json()["data"]
    assert [(row["pipelineId"], row["pipelineName"], row["runningDuration"]) for row in rows] == [
        ("a" * 24, "demo/a", 2000),
        ("c" * 24, "demo/c", 4000),
    ]


FILTERED = [
    ('{"status":["success"]}', 1),
    ('{"status":["error"]}', 2),
    ('{"pipelineId":["cccccccccccccccccccccccc"]}', 1),
    ('{"projectId":["shop"]}', 1),
    ('{"projectId":["shop"],"status":["success"]}', 0),
]


def test_filters_must_all_match(client, build):
    client.post("/api/projects", {"projectName": "shop"})
    build(at(3), 1, 1)
    build(at(3), 1, 1, status="denied", pipeline_id="c" * 24)
    build(at(3), 1, 1, status="error", project="shop")
    for filters, count in FILTERED:
        found = client.get(f"{REPORT}?filters={filters}&{NOVEMBER}").json()["data"]
        assert sum(row["totalBuilds"] for row in found) == count, filters


REFUSED = [
    (f"/api/analytics/reports/nothing?{NOVEMBER}", 400, "invalid report name 'nothing'"),
    (REPORT, 400, "dateRange is needed twice"),
    (f"{REPORT}?dateRange=2026-11-01&dateRange=tomorrow", 400, "dateRange"),
    (f"{REPORT}?dateRange=2024-11-01&dateRange=2026-11-01", 400, "at most 366"),
    (f"{REPORT}?granularity=hour&{NOVEMBER}", 400, "granularity 'hour' has at most 7"),
    (f"{REPORT}?granularity=year&{NOVEMBER}", 400, "granularity"),
    (f"{REPORT}?filters=x&{NOVEMBER}", 400, "filters"),
    (f'{REPORT}?filters={{"who":[]}}&{NOVEMBER}', 400, "who"),
    (f'{REPORT}?filters={{"projectId":["none"]}}&{NOVEMBER}', 404, "none"),
    (f"{BY_PIPELINE}?granularity=day&{NOVEMBER}", 400, "leave 'granularity' out"),
]


def test_what_no_report_can_tell_is_refused(client):
    for path, status, words in REFUSED:
        answer = client.get(path)
        assert (answer.status, words in answer.json()["message"]) == (status, True), path


def test_every_report_of_the_list_is_there(client):
    names = [one["name"] for one in client.get("/api/analytics/metadata").json()]
    assert len(names) == 6
    for name in names:
        assert client.get(f"/api/analytics/reports/{name}?{NOVEMBER}").status == 200


def test_the_last_state_of_a_build_has_its_steps_by_name(client, build, database):
    made = build(at(3), 1, 20, status="error")
    begun = at(3) + timedelta(seconds=2)
    times = {"started_at": begun, "finished_at": begun + timedelta(milliseconds=1500)}
    with database.transaction() as db:
        repository.store_step(db, made.id, StepState(name="ask", status=StepStatus.APPROVED, **times))
        failed = StepState(name="deploy", status=StepStatus.ERROR, title="Going out", **times)
        repository.store_step(db, made.id, failed)
    [state] = client.get(f"/api/workflow/{made.id}/context-revision").json()
    assert state["context"] == {
        "workflowMetadata": {
            "mode": "sequential",
            "result": "failure",
            "status": "failure",
            "startTimestamp": "2026-11-03T12:00:01.000Z",
            "finishTimestamp": "2026-11-03T12:00:21.000Z",
            "totalTime": 20_000,
        },
        "stepsMetadata": {
            name: {
                "type": kind,
                **({"title": title} if title else {}),
                "currentAttempt": 1,
                "result": result,
                "status": result,
                "startTimestamp": "2026-11-03T12:00:02.000Z",
                "finishTimestamp": "2026-11-03T12:00:03.500Z",
                "totalTime": 1500,
            }
            for name, kind, title, result in (
                ("ask", "pending-approval", "", "approved"),
                ("deploy", "freestyle", "Going out", "failure"),
            )
        },
    }
    assert state["metadata"] == {"account": made.account_id, "process": made.id, "revision": 2}


def test_a_build_that_has_not_begun_has_no_state(client, key_of, stranger, database, people):
    made = make_build(database, people["admin"])
    path = f"/api/workflow/{made.id}/context-revision"
    assert client.with_key(None).get(path).status == 401
    assert client.with_key(key_of("admin", "build:read:status")).get(path).status == 403
    assert stranger.get(path).status == 404
    assert client.get(path).json() == []
