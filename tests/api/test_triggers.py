"""Trigger events, their links and times: who starts what, once, on several servers."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from headrace.resources.builds import repository
from headrace.resources.events import scheduler
from headrace.resources.triggers.model import triggers

STEPS = {"unit": {"image": "alpine", "commands": ["true"]}}
CRON = {"type": "cron", "kind": "codefresh", "values": {"expression": "@daily", "message": "hi"}}
HUB = {"type": "registry", "kind": "dockerhub", "values": {"namespace": "team", "name": "app"}}
EVENTS = "/api/hermes/events"


@pytest.fixture
def pipeline(client):
    """Make a pipeline with these cron triggers; return its id."""

    def create(*cron, name="demo/ci", **spec):
        document = {
            "kind": "pipeline",
            "metadata": {"name": name},
            "spec": {"cronTriggers": list(cron), "steps": STEPS, **spec},
        }
        answer = client.post("/api/pipelines", document)
        assert answer.status == 200, answer.text
        return answer.json()["metadata"]["id"]

    return create


def cron(**more):
    return {"type": "cron", "name": "nightly", "message": "good morning", "expression": "0 6 * * *"} | more


def builds(client):
    return client.get("/api/workflow").json()["workflows"]["docs"]


def variables(database, build_id):
    with database.reading() as db:
        return repository.variables_of(repository.inputs(db, build_id)["variables"])


def twice(uri):
    return uri.replace("%", "%25").replace(":", "%253A").replace("@", "%2540").replace(" ", "%2520")


def tick(installation, **later):
    now = datetime.now(UTC) + timedelta(**later)
    parts = (installation.database, installation.box, installation.networks)
    return scheduler.tick(*parts, base_url="http://testserver", now=now)


def test_a_cron_trigger_fires_once_when_it_is_due(client, database, installation, pipeline):
    pipeline(cron(variables=[{"key": "DEPTH", "value": "3"}]))
    assert tick(installation) == 0
    assert tick(installation, days=1) == 1
    assert tick(installation, days=1) == 0
    (build,) = builds(client)
    assert (build["pipelineTriggerName"], build["webhookTriggered"]) == ("nightly", False)
    found = variables(database, build["id"])
    assert found["EVENT_MESSAGE"] == "good morning"
    assert datetime.fromisoformat(found["EVENT_TIMESTAMP"]).tzinfo is not None
    assert (found["DEPTH"], found["CF_BUILD_TRIGGER"]) == ("3", "build")
    assert "CF_BRANCH" not in found


def test_times_that_passed_without_a_server_are_made_up_for_once(client, installation, pipeline):
    pipeline(cron(expression="* * * * *"))
    assert tick(installation, days=30) == 1
    assert len(builds(client)) == 1


def test_of_several_servers_one_fires(client, installation, pipeline):
    pipeline(cron())
    servers = [threading.Thread(target=tick, args=[installation], kwargs={"days": 1}) for _ in range(4)]
    for server in servers:
        server.start()
    for server in servers:
        server.join()
    assert len(builds(client)) == 1


def test_a_disabled_cron_trigger_never_fires(client, installation, pipeline):
    pipeline(cron(disabled=True))
    assert (tick(installation, days=400), builds(client)) == (0, [])


def test_a_cron_trigger_that_simulates_a_git_trigger_has_its_repository(
    client, database, installation, pipeline
):
    git = {"id": "5b4f927dc70d080001536fe3", "name": "push", "repo": "my-team/my-app", "events": ["push"]}
    git["variables"] = [{"key": "A", "value": "git"}, {"key": "B", "value": "git"}]
    own = cron(gitTriggerId=git["id"], branch="dev", variables=[{"key": "B", "value": "cron"}])
    pipeline(own, triggers=[git])
    tick(installation, days=1)
    found = variables(database, builds(client)[0]["id"])
    assert (found["CF_BRANCH"], found["CF_REPO_NAME"], found["A"], found["B"]) == (
        "dev",
        "my-app",
        "git",
        "cron",
    )


def test_a_change_of_the_pipeline_keeps_the_next_time(client, database, installation, pipeline):
    pipeline(cron())
    document = client.get("/api/pipelines/demo%2Fci").json()

    def due():
        with database.reading() as db:
            return db.execute(triggers.select()).one().due_at

    before = due()
    assert client.put("/api/pipelines/demo%2Fci", document).status == 200
    assert due() == before
    assert client.delete("/api/pipelines/demo%2Fci").status == 200
    assert tick(installation, days=2) == 0


def test_a_cron_trigger_that_cannot_start_says_so_in_its_pipeline(client, installation, pipeline):
    pipeline(cron(), contexts=["gone"])
    assert tick(installation, days=1) == 1
    shown = client.get("/api/pipelines/demo%2Fci").json()["spec"]["cronTriggers"][0]
    assert builds(client) == []
    assert "Context gone not found" in shown["lastError"]
    assert shown["lastExecutionDate"]


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"expression": "61 * * * *"}, "cronTriggers.0.expression"),
        ({"expression": "* * *"}, "cronTriggers.0.expression"),
        ({"message": "x"}, "cronTriggers.0.message"),
        ({"branch": "main"}, "cronTriggers.0.gitTriggerId"),
        ({"name": ""}, "cronTriggers.0.name"),
    ],
)
def test_a_wrong_cron_trigger_names_its_place(client, more, path):
    document = {"metadata": {"name": "demo/ci"}, "spec": {"cronTriggers": [cron(**more)], "steps": STEPS}}
    answer = client.post("/api/pipelines", document)
    assert answer.status == 400
    assert path in answer.json()["message"]


# Events and links


def test_an_event_is_created_listed_shown_and_deleted(client, stranger, key_of):
    uri = client.post(f"{EVENTS}?public=false", CRON | {"secret": "!generate"}).json()
    assert uri.startswith("cron:codefresh:@daily:hi:")
    (listed,) = client.get(f"{EVENTS}?public=true&type=cron").json()
    assert (listed["uri"], listed["secret"], listed["status"]) == (uri, "*****", "active")
    shown = client.get(f"{EVENTS}/{twice(uri)}").json()
    assert len(shown["secret"]) == 40
    member = client.with_key(key_of("member"))
    assert member.get(f"{EVENTS}/{twice(uri)}").json()["secret"] == "*****"
    assert stranger.get(f"{EVENTS}/{twice(uri)}").status == 404
    assert client.post(EVENTS, CRON).status == 409
    assert client.delete(f"{EVENTS}/{twice(uri)}/undefined").status == 200
    assert client.get(EVENTS).json() == []


def test_events_are_found_by_a_regular_expression_page_by_page(client):
    cron, hub = (client.post(EVENTS, body).json() for body in (CRON, HUB))

    def found(query):
        return [one["uri"] for one in client.get(f"{EVENTS}?{query}").json()]

    assert found("filter=%5Ecron:.*:hi") == [cron]
    assert found("filter=nothing") == []
    assert found("filter=%3A&type=registry") == [hub]
    page = client.get(f"{EVENTS}?filter=.&limit=1")
    assert [one["uri"] for one in page.json()] == [cron]
    following = page.headers["link"].partition(">")[0].lstrip("<")
    assert [one["uri"] for one in client.get(following).json()] == [hub]
    refused = client.get(f"{EVENTS}?filter=(")
    assert (refused.status, "filter" in refused.json()["message"]) == (400, True)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (CRON | {"kind": "other"}, "cron/codefresh"),
        (CRON | {"values": {"expression": "no", "message": "hi"}}, "expression"),
        (CRON | {"values": {}}, "values.expression"),
        (HUB | {"values": {"namespace": "a/b", "name": "c"}}, "no '/'"),
    ],
)
def test_a_wrong_event_is_refused(client, body, word):
    answer = client.post(EVENTS, body)
    assert answer.status == 400
    assert word in answer.json()["message"]


def test_an_event_of_all_accounts_is_501(client):
    assert client.post(f"{EVENTS}?public=true", CRON).status == 501


def test_a_link_is_made_listed_and_removed(client, pipeline):
    pipeline_id = pipeline()
    uri = client.post(EVENTS, CRON).json()
    path = f"/api/hermes/triggers/{twice(uri)}"
    assert client.post(f"{path}/{pipeline_id}", {"filters": {}}).json() == {}
    (link,) = client.get("/api/hermes/triggers").json()
    assert (link["event"], link["pipeline"], link["event-data"]["uri"]) == (uri, pipeline_id, uri)
    for address in (f"event/{twice(uri)}", f"pipeline/{pipeline_id}", "pipeline/demo%2Fci", twice(uri)):
        assert client.get(f"/api/hermes/triggers/{address}").json() == [link]
    assert client.delete(f"{path}/demo%2Fci").status == 200
    assert client.delete(f"{path}/demo%2Fci").status == 404
    assert client.get("/api/hermes/triggers").json() == []


def test_a_cron_event_starts_its_pipelines(client, database, installation, pipeline):
    pipeline(), pipeline(name="demo/two")
    uri = client.post(EVENTS, CRON).json()
    for name in ("ci", "two"):
        client.post(f"/api/hermes/triggers/{twice(uri)}/demo%2F{name}", {})
    assert tick(installation, days=1) == 1
    found = builds(client)
    assert {one["pipelineName"] for one in found} == {"demo/ci", "demo/two"}
    assert variables(database, found[0]["id"])["EVENT_MESSAGE"] == "hi"


def test_a_push_to_a_registry_starts_what_its_filter_lets_in(client, database, pipeline):
    pipeline()
    uri = client.post(EVENTS, HUB | {"secret": "known"}).json()
    client.post(f"/api/hermes/triggers/{twice(uri)}/demo%2Fci", {"filters": {"tag": "^v"}})
    endpoint = client.get(f"{EVENTS}/{twice(uri)}").json()["endpoint"].removeprefix("http://testserver")
    sender = client.with_key(None)
    pushed = {
        "push_data": {"tag": "v1", "pusher": "pam"},
        "repository": {"namespace": "team", "name": "app"},
    }
    assert sender.post(endpoint, pushed).status == 401
    assert sender.post(f"{endpoint}?secret=wrong", pushed).status == 401
    latest = {**pushed, "push_data": {"tag": "latest"}}
    assert sender.post(f"{endpoint}?secret=known", latest).json()["builds"] == []
    (build_id,) = sender.post(f"{endpoint}?secret=known", pushed).json()["builds"]
    found = variables(database, build_id)
    names = ("NAMESPACE", "NAME", "TAG", "PUSHER")
    assert [found[f"EVENT_{name}"] for name in names] == ["team", "app", "v1", "pam"]
    assert "push_data" in found["EVENT_PAYLOAD"]


def test_a_run_of_an_event_names_its_variables(client, database, pipeline):
    pipeline()
    uri = client.post(EVENTS, HUB | {"secret": "known"}).json()
    client.post(f"/api/hermes/triggers/{twice(uri)}/demo%2Fci", {})
    body = {"secret": "known", "original": "{}", "variables": {"EVENT_TAG": "2"}}
    (build_id,) = client.post(f"/api/hermes/run/{twice(uri)}", body).json()["builds"]
    assert variables(database, build_id)["EVENT_TAG"] == "2"


def test_the_types_are_listed(client):
    found = client.get("/api/hermes/types").json()
    assert {(one["type"], one["kind"]) for one in found} >= {("cron", "codefresh"), ("registry", "dockerhub")}
    assert client.get("/api/hermes/types/cron/codefresh").json() in found
    assert client.get("/api/hermes/types/cron/none").status == 404
    for path in ("/api/hermes/version", "/api/nomios/version", "/api/version"):
        assert client.get(path).status == 200


def test_an_event_is_deleted_by_who_may_change_all_that_it_starts(client, key_of, pipeline):
    uri = client.post(EVENTS, CRON).json()
    pipeline(name="demo/ci")
    assert client.post(f"/api/hermes/triggers/{twice(uri)}/demo%2Fci", {}).status == 200
    client.post("/api/abac/batch", {"delete": [one["id"] for one in client.get("/api/abac").json()]})
    member = client.with_key(key_of("member"))
    for path in (f"{EVENTS}/{twice(uri)}", f"{EVENTS}/{twice(uri)}/none"):
        answer = member.delete(path)
        assert (answer.status, "no rule of your teams" in answer.json()["message"]) == (403, True)
    assert len(client.get("/api/hermes/triggers").json()) == 1
    assert client.delete(f"/api/hermes/triggers/{twice(uri)}/demo%2Fci").status == 200
    assert member.delete(f"{EVENTS}/{twice(uri)}").status == 200
