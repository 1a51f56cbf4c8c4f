import json

import pytest

BUILD_ID = "5b4f927dc70d080001536fe3"
PROGRESS_ID = "5b4f927dc70d080001536fe4"
BUILD = {
    "id": BUILD_ID,
    "status": "success",
    "progress": PROGRESS_ID,
    "created": "2024-01-02T03:04:05.678Z",
    "started": "2024-01-02T13:04:06.678Z",
    "finished": "2024-01-02T13:05:05.678Z",
    "serviceId": "5b1a78d1bdbf074c8a9b3458",
    "pipelineName": "demo/ci",
    "repoOwner": "o",
    "repoName": "r",
    "branchName": "master",
    "pipelineTriggerName": "t1",
    "webhookTriggered": False,
}
STREAM = f"GET /api/builds/{BUILD_ID}/logs/stream"


def events(*items):
    return "".join(
        f"id: {cursor}\nevent: {name}\ndata: {json.dumps(data)}\n\n" for cursor, name, data in items
    ).encode()


@pytest.fixture
def build(server):
    server.answers |= {
        f"GET /api/builds/{BUILD_ID}": BUILD,
        "GET /api/workflow": {"workflows": {"docs": [BUILD], "total": 1}},
        "GET /api/pipelines/demo%2Fci": {"metadata": {"name": "demo/ci"}},
        "POST /api/pipelines/run/demo%2Fci": BUILD_ID,
        f"GET /api/builds/rebuild/{BUILD_ID}": BUILD_ID,
        f"GET /api/progress/{PROGRESS_ID}": {"location": {"type": "archive", "url": server.url + "/archive"}},
        f"DELETE /api/progress/{PROGRESS_ID}": {},
        f"GET /api/workflow/{BUILD_ID}/pending-approval/approve": {},
        f"GET /api/workflow/{BUILD_ID}/pending-approval/deny": {},
        "GET /archive": {
            "steps": [
                {"name": "second", "creationTimeStamp": 2, "logs": {"-k1": "two\n", "-k2": "three\n"}},
                {"name": "first", "creationTimeStamp": 1, "logs": ["[2024-01-02T03:04:00.100Z] one\n"]},
            ]
        },
    }
    return server


@pytest.mark.usefixtures("build")
def test_the_table_has_the_official_columns_and_a_twelve_hour_clock(codefresh, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    code, out, err = codefresh("get", "builds")
    headings, row = out.splitlines()
    assert (code, err) == (0, "")
    assert headings.split() == [
        *("ID", "PIPELINE-NAME", "STATUS", "CREATED", "STARTED", "FINISHED"),
        *("TOTALTIME", "TRIGGER", "WEBHOOK", "REPOSITORY", "BRANCH"),
    ]
    assert "2024-01-02, 01:05:05 10:01:00  t1      false   o/r        master" in row


def test_filters_travel_as_the_official_client_sends_them(build, codefresh):
    build.answers["GET /api/pipelines"] = {"docs": [{"metadata": {"id": "p1"}}]}
    words = "get builds -s error -s running -b master --pipeline-name demo/ci --page 2 -l 5"
    assert codefresh(*words.split())[0] == 0
    assert build.lines == [
        "GET /api/pipelines?id=demo%2Fci",
        (
            "GET /api/workflow?limit=5&page=2&status=error&status=running&pipeline=p1"
            "&branchName=master&paginationReset=false"
        ),
    ]


def test_a_date_of_another_form_is_refused_before_any_request(build, codefresh):
    code, _, err = codefresh("get", "builds", "--from", "yesterday")
    assert (code, build.lines) == (1, [])
    assert "--from option should take a date in format: YYYY-MM-DD" in err


@pytest.mark.parametrize(("verb", "word"), [("approve", "approved"), ("deny", "denied")])
def test_an_answer_to_an_approval_says_so(build, codefresh, verb, word):
    assert codefresh(verb, BUILD_ID) == (0, f"Workflow {BUILD_ID} has been {word}.\n", "")
    assert build.lines[-1] == f"GET /api/workflow/{BUILD_ID}/pending-approval/{verb}"


@pytest.mark.parametrize("verb", ["approve", "deny"])
def test_an_answer_carries_its_reason(build, codefresh, verb):
    assert codefresh(verb, BUILD_ID, "--reason", "looks good")[0] == 0
    assert build.lines[-1].startswith(f"GET /api/workflow/{BUILD_ID}/pending-approval/{verb}?reason=looks")


@pytest.mark.parametrize(
    ("words", "body", "says"),
    [
        (("continue", BUILD_ID), {"action": "continue"}, "Step 'unit' goes on to its next breakpoint.\n"),
        (("step-over", BUILD_ID), {"action": "step-over"}, "Step 'unit' goes on to its next step.\n"),
        (("finish", BUILD_ID), {"action": "finish"}, "Step 'unit' goes on, past all breakpoints.\n"),
        (
            ("run", BUILD_ID, "ls -la", "--step", "unit"),
            {"action": "run", "script": "ls -la", "step": "unit"},
            f"Step 'unit' runs it; see codefresh logs {BUILD_ID}\n",
        ),
    ],
)
def test_a_build_at_a_breakpoint_is_told_how_it_goes_on(build, codefresh, words, body, says):
    build.answers[f"POST /api/workflow/{BUILD_ID}/debug"] = {"step": "unit"}
    assert codefresh("debug", *words) == (0, says, "")
    assert build.bodies(f"POST /api/workflow/{BUILD_ID}/debug") == [body]


def test_terminate_goes_by_the_progress_id(build, codefresh):
    assert codefresh("terminate", BUILD_ID)[:2] == (0, f"Build: {BUILD_ID} terminated\n")
    assert build.lines[-1] == f"DELETE /api/progress/{PROGRESS_ID}"


@pytest.mark.usefixtures("build")
def test_wait_ends_when_the_status_is_reached(codefresh):
    assert codefresh("wait", BUILD_ID)[:2] == (0, f"Build: {BUILD_ID} status: success reached\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("wait", BUILD_ID, "-s", "error"), f"Error: Build: {BUILD_ID} finished with status: success\n"),
        (("wait", "xyz"), "Error: Passed build id: xyz is not valid\n"),
    ],
)
@pytest.mark.usefixtures("build")
def test_wait_fails_when_the_status_cannot_come(codefresh, words, message):
    assert codefresh(*words) == (1, "", message)


def test_wait_goes_on_when_a_server_that_was_there_comes_back(build, codefresh, monkeypatch):
    monkeypatch.setattr("headrace.cli.commands.builds.WAIT_POLL_S", 0)
    away = [(503, {"message": "starting"})] * 25
    line = f"GET /api/builds/{BUILD_ID}"
    build.answers[line] = [(200, BUILD | {"status": "running"}), *away, (200, BUILD)]
    code, out, err = codefresh("wait", BUILD_ID)
    assert (code, out) == (0, f"Build: {BUILD_ID} status: success reached\n")
    assert err == "The server is away; this goes on when it is back. Ctrl-C ends the wait, not the build.\n"
    build.answers[line] = away
    assert codefresh("wait", BUILD_ID)[0] == 1


def test_wait_times_out(build, codefresh):
    build.answers[f"GET /api/builds/{BUILD_ID}"] = BUILD | {"status": "running"}
    assert codefresh("wait", BUILD_ID, "-t", "0") == (1, "", "Error: Operation has timed out\n")


@pytest.mark.usefixtures("build")
def test_a_server_without_a_stream_is_asked_for_the_stored_log(codefresh):
    code, out, _ = codefresh("logs", BUILD_ID)
    assert code == 0
    assert out == (
        "====\nStep: first\n====\n[2024-01-02T03:04:00.100Z] one\n=====\nStep: second\n=====\ntwo\nthree\n"
    )


@pytest.mark.usefixtures("build")
def test_no_timestamps_takes_the_stamps_out(codefresh):
    assert "[2024" not in codefresh("logs", BUILD_ID, "--no-timestamps")[1]


@pytest.mark.parametrize(("form", "shown"), [("yaml", "trigger: null\n"), ("yamlArray", "  trigger: ''\n")])
def test_an_empty_word_is_null_in_yaml_and_itself_in_a_yaml_array(build, codefresh, form, shown):
    build.answers[f"GET /api/builds/{BUILD_ID}"] = BUILD | {"pipelineTriggerName": ""}
    assert shown in codefresh("get", "builds", BUILD_ID, "-o", form)[1]


@pytest.mark.parametrize("status", ["running", "pending-approval"])
def test_of_a_build_that_goes_on_logs_prints_what_there_is_and_ends(build, codefresh, status):
    build.answers |= {
        f"GET /api/builds/{BUILD_ID}": BUILD | {"status": status},
        f"GET /api/progress/{PROGRESS_ID}": {"location": {"type": "composition"}},
        f"GET /api/builds/{BUILD_ID}/logs": b"===\nStep: unit\n===\n[2024-01-02T03:04:00.100Z] one\n",
    }
    assert codefresh("logs", BUILD_ID)[:2] == (0, "===\nStep: unit\n===\n[2024-01-02T03:04:00.100Z] one\n")
    bare = "===\nStep: unit\n===\n one\n"
    assert codefresh("logs", BUILD_ID, "--no-timestamps") == (0, bare, "")


def test_a_broken_stream_is_resumed_after_its_last_event_and_nothing_comes_twice(build, codefresh):
    cut = events(
        ("1", "step", {"name": "unit", "status": "running"}), ("2", "log", {"step": "unit", "text": "a\n"})
    )
    rest = events(("3", "log", {"step": "unit", "text": "b\n"}), ("4", "status", {"status": "error"}))
    build.answers[STREAM] = [(200, cut + b"id: 9\nevent: log\ndata: {"), (200, rest)]
    code, out, err = codefresh("run", "demo/ci")
    assert (code, err) == (1, "")
    assert out == "===\nStep: unit\n===\na\nb\n"
    seen = [request.headers.get("Last-Event-ID") for request in build.requests if request.line == STREAM]
    assert seen == [None, "2"]


def test_a_server_that_is_restarted_meanwhile_is_waited_for_and_that_is_said_once(build, codefresh):
    first = events(("1", "log", {"step": "unit", "text": "a\n"}))
    rest = events(("2", "log", {"step": "unit", "text": "b\n"}), ("3", "status", {"status": "success"}))
    build.answers[STREAM] = [(200, first), *[(503, {"message": "starting"})] * 25, (200, rest)]
    code, out, err = codefresh("run", "demo/ci")
    assert (code, out) == (0, "===\nStep: unit\n===\na\nb\n")
    assert err == "The server is away; this goes on when it is back. Ctrl-C ends the wait, not the build.\n"


def test_a_status_that_is_not_final_does_not_end_the_log(build, codefresh):
    build.answers[STREAM] = events(
        ("1", "status", {"status": "running"}), ("2", "status", {"status": "success"})
    )
    assert codefresh("run", "demo/ci")[0] == 0


def test_a_step_that_ends_without_a_newline_does_not_swallow_the_next_heading(build, codefresh):
    build.answers[STREAM] = events(
        ("1", "log", {"step": "one", "text": "no newline"}),
        ("2", "log", {"step": "two", "text": "x\n"}),
        ("3", "status", {"status": "success"}),
    )
    assert codefresh("restart", BUILD_ID)[:2] == (
        0,
        "==\nStep: one\n==\nno newline\n==\nStep: two\n==\nx\n",
    )


def test_a_restart_may_begin_at_the_failed_step(build, codefresh):
    assert codefresh("restart", BUILD_ID, "--from-failed", "-d")[:2] == (0, f"{BUILD_ID}\n")
    assert f"GET /api/builds/rebuild/{BUILD_ID}?fromFailed=true" in [one.line for one in build.requests]


@pytest.mark.parametrize(
    ("status", "code"), [("success", 0), ("error", 1), ("terminated", 2), ("denied", 100)]
)
def test_the_exit_code_is_the_result_of_the_build(build, codefresh, status, code):
    build.answers[STREAM] = events(("1", "status", {"status": status}))
    assert codefresh("run", "demo/ci")[0] == code


def test_a_lost_log_names_the_build(build, codefresh):
    build.answers[STREAM] = (500, {"message": "disk full"})
    code, _, err = codefresh("run", "demo/ci")
    assert code == 1
    assert f"Could not retrieve logs for workflow: {BUILD_ID}" in err


def test_a_lost_log_may_be_waited_out(build, codefresh):
    build.answers[STREAM] = (500, {"message": "disk full"})
    assert codefresh("run", "demo/ci", env={"CF_CLI_RUN_WAIT_FALLBACK": "1"})[0] == 0


def test_run_sends_what_the_official_client_sends(build, codefresh):
    words = "run demo/ci -d -b=master -t trig -v A=1 -v B=a=b -S SEC=x -a ann=1 --nc --rv --en --only s1 s2"
    more = "--skip s3 --memory 512 --cpu 500 --disk 2 --pack-name small"
    assert codefresh(*words.split(), *more.split()) == (0, BUILD_ID + "\n", "")
    assert build.bodies("POST /api/pipelines/run/demo%2Fci") == [
        {
            "options": {
                "noCache": True,
                "enableNotifications": True,
                "resetVolume": True,
                "skip": ["s3"],
                "only": ["s1", "s2"],
            },
            "userMachineConfig": {"cpu": "500m", "memory": "512Mi", "disk": "2Gi", "packName": "small"},
            "branch": "master",
            "trigger": "trig",
            "variables": [
                {"key": "A", "value": "1"},
                {"key": "B", "value": "a=b"},
                {"key": "SEC", "value": "x", "encrypted": True},
            ],
            "annotations": {"ann": "1"},
            "contexts": [],
        }
    ]


def test_inside_a_step_no_login_is_needed_and_the_child_names_its_parent(build, codefresh):
    env = {"CF_API_KEY": "60d7bc98dabf78f109a24e97.step", "CF_URL": build.url, "CF_BUILD_ID": "parent1"}
    assert codefresh("run", "demo/ci", "-d", env=env, logged_in=False)[:2] == (0, BUILD_ID + "\n")
    assert build.bodies("POST /api/pipelines/run/demo%2Fci")[0]["annotations"] == {
        "cf_predecessor": "parent1"
    }
    assert {request.headers["Authorization"] for request in build.requests} == {
        "60d7bc98dabf78f109a24e97.step"
    }


def test_each_map_of_a_variable_file_is_a_run_of_its_own(build, codefresh):
    (codefresh.home / "vars.yml").write_text("- A: 1\n  B: 2\n- A: 3\n")
    assert codefresh("run", "demo/ci", "--var-file", "vars.yml")[1] == f"{BUILD_ID}\n{BUILD_ID}\n"
    sent = [body["variables"] for body in build.bodies("POST /api/pipelines/run/demo%2Fci")]
    assert sent == [{"A": 1, "B": 2}, {"A": 3}]


def test_a_repeated_request_keeps_its_id_so_that_one_build_starts(build, codefresh):
    away = (503, {"message": "away"})
    build.answers["POST /api/pipelines/run/demo%2Fci"] = [away, away, (200, BUILD_ID)]
    assert codefresh("run", "demo/ci", "-d")[:2] == (0, BUILD_ID + "\n")
    posts = [line for line in build.lines if line.startswith("POST")]
    assert len(posts) == 3
    assert len(set(posts)) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "nope"), "Error: Passed pipeline id: nope does not exist\n"),
        (("run",), "Error: You need to specify pipelineName or the yaml file\n"),
        (("run", "demo/ci", "-c", "no"), "Error: Failed to verify context no with error: could not find"),
        (("run", "demo/ci", "-v", "A"), "Error: Invalid environment variable format."),
        (("run", "demo/ci", "-nc"), "Error: no option '-nc'; its short name takes two dashes: '--nc'"),
    ],
)
def test_a_wrong_run_starts_nothing(build, codefresh, words, message):
    code, out, err = codefresh(*words)
    assert (code, out) == (1, "")
    assert err.startswith(message)
    assert not build.bodies("POST /api/pipelines/run/demo%2Fci")


@pytest.mark.usefixtures("build")
def test_a_runtime_that_is_missing_is_only_a_warning(codefresh):
    code, out, err = codefresh("run", "demo/ci", "-d", "--runtime-name", "rt/x")
    assert (code, out) == (0, BUILD_ID + "\n")
    assert err == "Runtime environment rt/x not found. Default runtime will be used.\n"


def test_a_file_that_is_not_valid_is_never_run(build, codefresh):
    build.answers["POST /api/pipelines/yaml/validator"] = {
        "valid": False,
        "details": [{"message": "no image"}],
    }
    (codefresh.home / "bad.yml").write_text("steps: {}\n")
    code, _, err = codefresh("run", "-y", "bad.yml")
    assert (code, err) == (1, "Yaml not valid:\n  - no image\n")
    assert "POST /api/pipelines/run" not in build.lines


def test_a_dry_run_prints_the_plan_and_starts_nothing(build, codefresh):
    step = {
        "name": "unit",
        "parent": None,
        "stage": "test",
        "image": "alpine",
        "verdict": "open",
        "reason": "known only after lint",
        "conditions": [
            {"kind": "condition.all", "text": "'${{TARGET}}' == 'prod'", "values": {"TARGET": "prod"}}
        ],
        "hooks": {"on_fail": [{"name": "tell"}]},
        "secrets": ["TOKEN"],
    }
    inner = step | {"name": "inner", "parent": "unit", "conditions": [], "hooks": {}, "secrets": []}
    copied = {"externalResources": [{"name": "conf"}, {"name": "2"}]}
    build.answers["POST /api/pipelines/plan/demo%2Fci"] = {"hooks": copied, "steps": [step, inner]}
    code, out, err = codefresh("run", "demo/ci", "--dry-run", "-b", "main")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "externalResources, copied first: conf, 2",
        "unit [test] in alpine: open (known only after lint)",
        "    condition.all: '${{TARGET}}' == 'prod' with TARGET='prod'",
        "    on_fail: tell",
        "    secrets: TOKEN",
        "  inner [test] in alpine: open (known only after lint)",
    ]
    assert build.bodies("POST /api/pipelines/plan/demo%2Fci")[0]["branch"] == "main"
    assert build.bodies("POST /api/pipelines/run/demo%2Fci") == []


def test_a_dry_run_needs_a_server(codefresh):
    code, _, err = codefresh("run", "--local", "-y", "codefresh.yml", "--dry-run")
    assert code == 1
    assert "leave out --local" in err
