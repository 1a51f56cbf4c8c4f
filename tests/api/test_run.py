import pytest
from sqlalchemy import select

from headrace.kit.ids import is_id
from headrace.pipeline import plan as plans
from headrace.resources.builds.model import builds

FULL = "demo%2Fci"
RUN = f"/api/pipelines/run/{FULL}"
STEPS = {name: {"image": "alpine", "commands": [f"echo {name}"]} for name in ("s1", "s2", "s3")}
YAML = "version: '1.0'\nsteps:\n  own:\n    image: alpine\n    commands: [ls]\n"
SPEC = {
    "triggers": [
        {
            "type": "git",
            "name": "app-trigger",
            "repo": "team/app",
            "events": ["push"],
            "variables": [{"key": "LEVEL", "value": "trigger"}, {"key": "FROM_TRIGGER", "value": "1"}],
        },
        {"type": "git", "name": "lib-trigger", "repo": "team/lib", "events": ["push"]},
    ],
    "variables": [
        {"key": "LEVEL", "value": "pipeline"},
        {"key": "PORT", "value": 5000},
        {"key": "SECRET", "value": "hidden-1", "encrypted": True},
    ],
    "steps": STEPS,
}


@pytest.fixture
def pipeline(client):
    return make(client)


def make(client, name="demo/ci", **spec):
    body = {"version": "1.0", "kind": "pipeline", "metadata": {"name": name}, "spec": SPEC | spec}
    answer = client.post("/api/pipelines", body)
    assert answer.status == 200, answer.text
    return answer.json()


def started(answer):
    assert answer.status == 200, answer.text
    assert is_id(answer.json())
    assert answer.headers["location"] == f"/api/builds/{answer.json()}"
    return answer.json()


def rows(database):
    with database.reading() as db:
        return [dict(row) for row in db.execute(select(builds)).mappings()]


def row(database, build_id):
    return next(one for one in rows(database) if one["id"] == build_id)


def variables(database, build_id):
    return row(database, build_id)["variables"]


@pytest.mark.parametrize("path", [RUN, "/api/pipelines/run", f"/api/pipelines/debug/{FULL}", "/api/builds/x"])
def test_without_a_key_it_is_401_and_without_the_scope_403(client, key_of, path):
    assert client.with_key(None).post(path, {}).status == 401
    answer = client.with_key(key_of("admin", "pipeline:read", "build")).post(path, {})
    assert (answer.status, answer.json()["context"]) == (403, {"missingScopes": ["pipeline:run"]})


@pytest.mark.parametrize("path", [RUN, f"/api/pipelines/debug/{FULL}", f"/api/builds/{FULL}"])
@pytest.mark.usefixtures("pipeline")
def test_a_pipeline_of_another_account_is_404(stranger, database, path):
    assert stranger.post(path, {}).status == 404
    assert rows(database) == []


def test_a_plan_tells_what_a_run_would_do_and_starts_nothing(client, database):
    asks = {
        "branch": {"only": ["main"]},
        "condition": {"all": {"pr": "'${{CF_PULL_REQUEST_NUMBER}}' == '7'"}},
    }
    make(client, steps={"s1": STEPS["s1"], "s2": STEPS["s2"] | {"when": asks}})
    body = {"branch": "main", "event": {"pullRequest": {"number": "7"}}, "options": {"skip": ["s1"]}}
    answer = client.post(f"/api/pipelines/plan/{FULL}", body)
    assert answer.status == 200, answer.text
    plan = answer.json()
    assert (plan["pipeline"], plan["trigger"]) == ("demo/ci", "app-trigger")
    assert [(step["name"], step["verdict"]) for step in plan["steps"]] == [("s1", "skipped"), ("s2", "runs")]
    assert plan["steps"][1]["conditions"][1]["values"] == {"CF_PULL_REQUEST_NUMBER": "7"}
    assert plan["steps"][1]["secrets"] == ["SECRET"]
    assert {"SECRET", "CF_BRANCH"} <= set(plan["variables"])
    assert "hidden-1" not in answer.text
    with database.transaction() as db:
        assert db.execute(select(builds)).all() == []


def test_a_yaml_alone_is_planned_and_a_wrong_one_is_refused(client):
    answer = client.post("/api/pipelines/plan", {"userYamlDescriptor": YAML})
    assert [step["name"] for step in answer.json()["steps"]] == ["own"]
    assert answer.json()["yaml"] == YAML
    assert client.post("/api/pipelines/plan", {"userYamlDescriptor": "steps: 1"}).status == 400
    assert client.post("/api/pipelines/plan", {}).status == 400


def test_the_scope_to_run_is_enough(client, key_of, database, pipeline):
    runner = client.with_key(key_of("member", "pipeline:run"))
    build_id = started(runner.post(f"/api/builds/{pipeline['metadata']['id']}", {}))
    stored = row(database, build_id)
    assert stored["initiator"] == "mel"
    assert stored["pipeline_name"] == "demo/ci"
    assert stored["pipeline_id"] == pipeline["metadata"]["id"]


def test_the_bodies_of_the_seed_start_builds(client, database):
    pipeline = make(client, triggers=[{**SPEC["triggers"][0], "repo": "kostis-codefresh/nestjs-example"}])
    pid = pipeline["metadata"]["id"]
    body = {
        "serviceId": pid,
        "type": "build",
        "repoOwner": "kostis-codefresh",
        "branch": "master",
        "repoName": "nestjs-example",
    }
    build_id = started(client.post(f"/api/builds/{pid}", body))
    stored = row(database, build_id)
    assert (stored["branch"], stored["repo_owner"], stored["repo_name"]) == (
        "master",
        "kostis-codefresh",
        "nestjs-example",
    )
    assert stored["trigger_name"] == "app-trigger"
    more = {"variables": {"sample-var1": "sample1", "SAMPLE_VAR2": "SAMPLE2"}}
    values = variables(database, started(client.post(f"/api/builds/{pid}/", body | more)))
    assert (values["sample-var1"], values["SAMPLE_VAR2"]) == ("sample1", "SAMPLE2")
    assert (values["CF_BRANCH"], values["CF_REPO_NAME"]) == ("master", "nestjs-example")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"serviceId": "6923f0a41c2b9f3a7d000000"}, 400, "serviceId"),
        ({"type": "nope"}, 400, "type must be 'build'"),
        ({"type": "launch-image"}, 501, "launch-image"),
        ({"branch": []}, 400, "branch"),
        ({"variables": [{"value": "1"}]}, 400, "key"),
        ({"variables": {"A": {}}}, 400, "variables"),
        ({"variables": {"": "1"}}, 400, "is no name"),
        ({"variables": {"A=B": "1"}}, 400, "is no name"),
        (
            {"trigger": "nope"},
            400,
            "could not find 'nope' in 'demo/ci', which has 'app-trigger', 'lib-trigger'",
        ),
        ({"contexts": ["c9"]}, 404, "Context c9 not found"),
        ({"options": {"only": ["s1", "s9"]}}, 400, "options.only: no step named 's9'"),
        ({"options": {"skip": ["s9"]}}, 400, "options.skip: no step named 's9'; there are 's1', 's2', 's3'"),
        ({"userYamlDescriptor": "version: '1.0'\nsteps:\n  a: 1\n"}, 400, 'line 3, steps.a: "a" must be an'),
        ({"userYamlDescriptor": "a: [\n"}, 400, "line"),
    ],
)
@pytest.mark.usefixtures("pipeline")
def test_a_wrong_run_is_refused_with_its_place_and_queues_nothing(client, database, body, status, words):
    answer = client.post(f"/api/builds/{FULL}", body)
    assert (answer.status, rows(database)) == (status, [])
    assert words in answer.json()["message"]


@pytest.mark.usefixtures("pipeline")
def test_values_are_texts_numbers_and_booleans_in_a_list_and_in_an_object(client, database):
    given = {"T": "a", "N": 1, "F": 1.5, "B": True, "E": ""}
    listed = [{"key": key, "value": value} for key, value in given.items()]
    for form in (given, listed):
        values = variables(database, started(client.post(RUN, {"variables": form})))
        assert [values[key] for key in given] == ["a", "1", "1.5", "true", ""]


def test_the_later_level_wins(client, database):
    client.post("/api/projects", {"projectName": "demo", "variables": [{"key": "LEVEL", "value": "project"}]})
    for name in ("c1", "c2"):
        data = {"LEVEL": name, "FROM_CONTEXT": name}
        body = {"metadata": {"name": name}, "spec": {"type": "config", "data": data}}
        assert client.post("/api/contexts", body).status == 200
    first, second = dict(SPEC["triggers"][0]), SPEC["triggers"][1]

    def level(run=None, name="LEVEL", **spec):
        client.delete(f"/api/pipelines/{FULL}")
        make(client, **spec)
        return variables(database, started(client.post(RUN, run or {}))).get(name)

    bare = {"variables": [], "triggers": []}
    assert level(**bare) == "project"
    assert level(**bare, contexts=["c1"]) == "c1"
    assert level({"contexts": ["c2"]}, **bare, contexts=["c1"]) == "c2"
    assert level({"contexts": ["c2"]}, triggers=[second]) == "pipeline"
    assert level({"contexts": ["c2"]}, "FROM_CONTEXT", triggers=[second]) == "c2"
    assert level(triggers=[first, second]) == "trigger"
    assert level({"trigger": "lib-trigger"}) == "pipeline"
    assert level({"variables": {"LEVEL": "run"}}) == "run"


@pytest.mark.usefixtures("pipeline")
def test_secrets_of_all_levels_stay_sealed(client, database):
    body = {"metadata": {"name": "s1"}, "spec": {"type": "secret", "data": {"SHARED": "hidden-2"}}}
    client.post("/api/contexts", body)
    run = {"contexts": ["s1"], "variables": [{"key": "OWN", "value": "hidden-3", "encrypted": True}]}
    values = variables(database, started(client.post(RUN, run)))
    assert all(isinstance(values[name], dict) for name in ("SECRET", "SHARED", "OWN"))
    with database.reading() as db:
        assert "hidden" not in str([tuple(one) for one in db.exec_driver_sql("SELECT * FROM builds")])


@pytest.mark.usefixtures("pipeline")
def test_the_system_says_what_it_knows(client, database):
    build_id = started(client.post(RUN, {"branch": "fix/A b", "sha": "52b992e0aabbcc"}))
    values = variables(database, build_id)
    expected = {
        "CF_BUILD_ID": build_id,
        "CF_BUILD_URL": f"http://testserver/build/{build_id}",
        "CF_URL": "http://testserver",
        "CF_ACCOUNT": "acme",
        "CF_PIPELINE_NAME": "demo/ci",
        "CF_BUILD_INITIATOR": "ada",
        "CF_BUILD_TRIGGER": "build",
        "CF_BRANCH": "fix/A b",
        "CF_BRANCH_TAG_NORMALIZED": "fix-A-b",
        "CF_REVISION": "52b992e0aabbcc",
        "CF_SHORT_REVISION": "52b992e",
        "CF_REPO_OWNER": "team",
        "CF_REPO_NAME": "app",
        "PORT": "5000",
    }
    assert {name: values[name] for name in expected} == expected
    assert "CF_PULL_REQUEST_TARGET" not in values


@pytest.mark.usefixtures("pipeline")
def test_the_branch_is_the_revision_where_no_commit_is_given(client, database):
    values = variables(database, started(client.post(RUN, {"branch": "master"})))
    assert values["CF_REVISION"] == "master"
    assert "CF_BRANCH" not in variables(database, started(client.post(RUN, {})))


def test_a_trigger_is_named_by_name_or_id_or_chosen_by_its_repository(client, database, pipeline):
    second = pipeline["spec"]["triggers"][1]
    for trigger in ("lib-trigger", second["id"]):
        stored = row(database, started(client.post(RUN, {"trigger": trigger})))
        assert (stored["trigger_id"], stored["trigger_name"]) == (second["id"], "lib-trigger")
    body = {"repoOwner": "Team", "repoName": "lib"}
    assert row(database, started(client.post(f"/api/builds/{FULL}", body)))["trigger_name"] == "lib-trigger"
    stranger = {"repoOwner": "else", "repoName": "where"}
    stored = row(database, started(client.post(f"/api/builds/{FULL}", stranger)))
    assert (stored["trigger_name"], stored["repo_owner"]) == (None, "else")
    assert row(database, started(client.post(RUN, {})))["trigger_name"] == "app-trigger"


@pytest.mark.usefixtures("pipeline")
def test_a_repeated_request_starts_one_build(client, database):
    body = {"branch": "master", "variables": {"A": "1"}}
    first = started(client.post(f"{RUN}?reqId=933705ff", body))
    assert started(client.post(f"{RUN}?reqId=933705ff", body)) == first
    assert len(rows(database)) == 1
    assert started(client.post(f"{RUN}?reqId=933705ff", body | {"variables": {"A": "3"}})) != first
    assert started(client.post(RUN, body)) != first


@pytest.mark.usefixtures("pipeline")
def test_only_and_skip_leave_steps_out(client, database):
    def runs(**options):
        stored = row(database, started(client.post(RUN, {"options": options})))
        plan = plans.from_json(
            stored["plan"] if isinstance(stored["plan"], bytes) else stored["plan"].encode()
        )
        return {step.name: not step.left_out for step in plan.steps}

    assert runs(only=["s1", "s2"], skip=["s2"]) == {"s1": True, "s2": False, "s3": False}
    assert runs() == {"s1": True, "s2": True, "s3": True}


def test_a_build_remembers_whether_it_may_be_restarted_from_a_failed_step(client, database):
    make(client, permitRestartFromFailedSteps=False)
    assert row(database, started(client.post(RUN, {})))["options"]["permitRestartFromFailedSteps"] is False


USING = """
version: '1.0'
steps:
  bump: {type: semversioner, arguments: {SEMVERSIONER_VERSION: 1.0.0}}
  last: {image: alpine}
"""


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({"only": ["bump"]}, ["bump", "bump.main"]),
        ({"only": ["bump.main"]}, ["bump", "bump.main"]),
        ({"skip": ["bump.main"]}, ["bump", "last"]),
    ],
)
@pytest.mark.usefixtures("pipeline")
def test_the_members_of_a_step_go_with_it(client, database, options, left):
    stored = row(database, started(client.post(RUN, {"userYamlDescriptor": USING, "options": options})))
    plan = plans.from_json(stored["plan"] if isinstance(stored["plan"], bytes) else stored["plan"].encode())
    assert [step.name for step in plan.steps if not step.left_out] == left


@pytest.mark.usefixtures("pipeline")
def test_annotations_are_put_on_the_build(client):
    build_id = started(client.post(RUN, {"annotations": {"ann": 1, "cf_predecessor": "p"}}))
    listed = client.get(f"/api/annotations?entityType=workflow&entityId={build_id}").json()
    assert [(one["key"], one["value"]) for one in listed] == [("ann", "1"), ("cf_predecessor", "p")]


@pytest.mark.usefixtures("pipeline")
def test_a_yaml_of_the_run_takes_the_place_of_the_pipelines(client, database):
    build_id = started(client.post(RUN, {"userYamlDescriptor": YAML}))
    stored = row(database, build_id)
    assert stored["yaml"] == YAML
    assert variables(database, build_id)["PORT"] == "5000"


def test_a_yaml_runs_without_a_pipeline(client, database):
    stored = row(database, started(client.post("/api/pipelines/run", {"userYamlDescriptor": YAML})))
    assert (stored["pipeline_id"], stored["pipeline_name"], stored["yaml"]) == (None, "", YAML)
    refused = client.post("/api/pipelines/run", {})
    assert refused.status == 400
    assert "userYamlDescriptor is required" in refused.json()["message"]


def test_an_attached_context_that_is_gone_is_named(client, database):
    make(client, contexts=["gone"])
    answer = client.post(RUN, {})
    assert (answer.status, rows(database)) == (404, [])
    assert answer.json()["message"].startswith(
        "Failed to return attached pipeline contexts; Context gone not found"
    )


def test_what_is_not_run_yet_is_refused_with_its_place(client, database):
    make(client, steps={"image": {"type": "travis", "services": {}, "test": {"image": "a", "command": "b"}}})
    answer = client.post(RUN, {})
    assert (answer.status, rows(database)) == (400, [])
    assert "steps.image" in answer.json()["message"]


def plan_of(database, build_id):
    return plans.from_json(row(database, build_id)["plan"].encode())


def test_a_run_in_debug_mode_has_the_breakpoints_of_its_steps_and_of_the_pipeline(client, database):
    breakpoints = {"steps": {"two": {"phases": {"before": True, "after": True}}}}
    steps = {
        "one": {"image": "alpine", "commands": ["true"], "debug": {"phases": {"override": True}}},
        "two": {"image": "alpine", "commands": ["true"]},
    }
    make(client, steps=steps, debug=breakpoints)
    plan = plan_of(database, started(client.post(f"/api/pipelines/debug/{FULL}", {})))
    assert plan.debug
    assert [step.breakpoints for step in plan.steps] == [("override",), ("before", "after")]
    assert not plan_of(database, started(client.post(RUN, {}))).debug


def test_a_breakpoint_at_no_step_is_refused_in_debug_mode_alone(client, database):
    make(client, debug={"steps": {"nope": {"phases": {"before": True}}}})
    answer = client.post(f"/api/pipelines/debug/{FULL}", {})
    assert (answer.status, rows(database)) == (400, [])
    assert "spec.debug.steps.nope: there is no such step" in answer.json()["message"]
    assert client.post(RUN, {}).status == 200


def test_limits_and_priority_go_with_the_build(client, database):
    pipeline = make(client, concurrency=0, branchConcurrency=2, priority=7)
    build_id = started(client.post(RUN, {}))
    stored = row(database, build_id)
    assert (stored["concurrency"], stored["branch_concurrency"], stored["priority"]) == (0, 2, 7)
    pipeline["spec"]["concurrency"] = 3
    assert client.put(f"/api/pipelines/{FULL}", pipeline).status == 200
    assert row(database, build_id)["concurrency"] == 3


@pytest.mark.usefixtures("pipeline")
def test_a_started_build_can_be_got(client):
    build_id = started(client.post(RUN, {"branch": "master"}))
    build = client.get(f"/api/builds/{build_id}?noAccount=false").json()
    assert (build["id"], build["pipelineName"], build["branchName"]) == (build_id, "demo/ci", "master")


def test_what_is_copied_first_is_in_the_plan_of_every_run(client, database):
    wanted = {
        "type": "git",
        "repo": "a/b",
        "revision": "main",
        "source": "x",
        "destination": "x",
        "id": "conf",
    }
    make(client, externalResources=[wanted])
    told = client.post(f"/api/pipelines/plan/{FULL}", {}).json()
    assert [step["name"] for step in told["hooks"]["externalResources"]] == ["conf"]
    assert client.post(RUN, {"userYamlDescriptor": YAML}).status == 200
    with database.reading() as db:
        stored = db.execute(select(builds.c.plan)).scalar_one()
    assert plans.from_json(stored.encode()).resources.steps[1].action.repo == "a/b"


def test_external_resources_that_cannot_be_are_refused_where_they_are_written(client):
    wrong = {"type": "git", "repo": "a/b", "revision": "main", "source": "x", "destination": "/etc/x"}
    spec = SPEC | {"externalResources": [wrong, {"type": "url", "source": "x"}]}
    answer = client.post("/api/pipelines", {"metadata": {"name": "demo/wrong"}, "spec": spec})
    assert answer.status == 400
    assert "spec.externalResources.0.destination: '/etc/x' leads out of the volume" in answer.text
    assert "spec.externalResources.1.destination: is required" in answer.text


def test_a_test_of_a_runtime_runs_the_pipeline_that_its_body_names(client, key_of, pipeline):
    path, body = "/api/runtime/testit", {"serviceId": pipeline["metadata"]["id"], "branch": "main"}
    assert client.with_key(None).post(path, body).status == 401
    assert client.with_key(key_of("admin", "general")).post(path, body).status == 403
    build = client.get(f"/api/builds/{client.post(path, body).json()}").json()
    assert (build["serviceId"], build["branchName"]) == (body["serviceId"], "main")
    assert client.post(path, {"serviceId": "none/such"}).status == 404
    assert client.post(path, {}).status == 400
