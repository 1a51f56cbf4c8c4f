"""Webhooks of Git hosts start builds: verified, matched, once for each delivery."""

import hashlib
import hmac
import json

import pytest

from headrace.resources.builds import repository

REPO = "my-team/my-app"
STEPS = {"unit": {"image": "alpine", "commands": ["true"]}}
SECRET = "between-the-two"
SHA = "a" * 40


def trigger(**more):
    return {
        "name": "on-push",
        "type": "git",
        "repo": REPO,
        "events": ["push.heads"],
        "secret": SECRET,
    } | more


@pytest.fixture
def make(client):
    """Make a pipeline with these triggers; return its document."""

    def create(*triggers, name="demo/ci", **spec):
        document = {
            "kind": "pipeline",
            "metadata": {"name": name},
            "spec": {"triggers": list(triggers), "steps": STEPS, **spec},
        }
        answer = client.post("/api/pipelines", document)
        assert answer.status == 200, answer.text
        return answer.json()

    return create


def push(branch="main", **more):
    return {
        "ref": f"refs/heads/{branch}",
        "before": "b" * 40,
        "after": SHA,
        "repository": {"full_name": REPO},
        "sender": {"login": "octo"},
        "head_commit": {
            "id": SHA,
            "message": "say 'hi'",
            "url": f"https://github.com/{REPO}/commit/{SHA}",
            "author": {"username": "octo"},
        },
        "commits": [{"added": ["src/a.py"], "modified": [], "removed": []}],
    } | more


def pull(action="opened", **more):
    head = {"ref": "feature", "sha": SHA, "repo": {"full_name": REPO, "html_url": "https://x/y"}}
    base = {"ref": "main", "repo": {"full_name": REPO}}
    request = {"id": 77, "number": 7, "title": "Better", "head": head, "base": base, "labels": []}
    return {
        "action": action,
        "pull_request": request | more,
        "repository": {"full_name": REPO},
        "sender": {"login": "octo"},
    }


def signed(payload, secret=SECRET, event="push", delivery="d-1"):
    content = json.dumps(payload).encode()
    mark = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    headers = {
        "x-github-event": event,
        "x-hub-signature-256": f"sha256={mark}",
        "content-type": "application/json",
    }
    if delivery:
        headers["x-github-delivery"] = delivery
    return {"content": content, "headers": headers}


def place(document, index=0):
    return document["spec"]["triggers"][index]["endpoint"].removeprefix("http://testserver")


def variables(database, build_id):
    with database.reading() as db:
        return repository.variables_of(repository.inputs(db, build_id)["variables"])


def builds(client):
    return client.get("/api/workflow").json()["workflows"]["docs"]


def test_a_signed_push_starts_a_build_with_what_it_says(client, database, make):
    open_client = client.with_key(None)
    answer = open_client.post(place(make(trigger())), **signed(push()))
    assert answer.status == 200, answer.text
    (build,) = builds(client)
    assert answer.json()["builds"] == [build["id"]]
    assert (build["branchName"], build["revision"], build["userName"]) == ("main", SHA, "octo")
    assert (build["webhookTriggered"], build["pipelineTriggerName"]) == (True, "on-push")
    found = variables(database, build["id"])
    assert found["CF_BUILD_TRIGGER"] == "webhook"
    assert (found["CF_BRANCH"], found["CF_REVISION"], found["CF_SHORT_REVISION"]) == ("main", SHA, SHA[:7])
    assert (found["CF_REPO_OWNER"], found["CF_REPO_NAME"]) == ("my-team", "my-app")
    assert found["CF_COMMIT_MESSAGE"] == "say \\'hi\\'"
    assert (found["CF_BUILD_INITIATOR"], found["CF_COMMIT_AUTHOR"]) == ("octo", "octo")
    assert "CF_PULL_REQUEST_TARGET" not in found


@pytest.mark.parametrize(
    "call",
    [
        signed(push(), secret="wrong"),
        signed(push(), secret=""),
        {"content": json.dumps(push()).encode(), "headers": {"x-github-event": "push"}},
        {"content": b"{}", "headers": {}},
        {**signed(push()), "content": json.dumps(push("other")).encode()},
    ],
)
def test_a_webhook_without_the_secret_starts_nothing(client, make, call):
    answer = client.with_key(None).post(place(make(trigger())), **call)
    assert (answer.status, builds(client)) == (401, [])


def test_an_unknown_trigger_looks_like_a_wrong_secret(client, make):
    document = make(trigger())
    unknown = f"/api/pipelines/{document['metadata']['id']}/events/{'0' * 24}"
    open_client = client.with_key(None)
    wrong = open_client.post(place(document), **signed(push(), secret="wrong"))
    for address in (unknown, f"/api/pipelines/{'0' * 24}/events/x"):
        answer = open_client.post(address, **signed(push(), secret=""))
        assert (answer.status, answer.json()) == (401, wrong.json())


def test_the_same_delivery_starts_no_second_build(client, make):
    address = place(make(trigger()))
    first = client.post(address, **signed(push())).json()
    assert client.post(address, **signed(push())).json()["builds"] == first["builds"]
    assert len(builds(client)) == 1
    client.post(address, **signed(push(), delivery="d-2"))
    assert len(builds(client)) == 2


@pytest.mark.parametrize(
    ("more", "payload", "event", "reason"),
    [
        ({"disabled": True}, push(), "push", "disabled"),
        ({"events": ["push.tags"]}, push(), "push", "push.heads"),
        ({"repo": "my-team/other"}, push(), "push", "repository"),
        ({"branchRegex": "/^release/"}, push(), "push", "branch 'main'"),
        ({"branchRegex": "/main/", "branchRegexInput": "multiselect-exclude"}, push(), "push", "branch"),
        ({"modifiedFilesGlob": "docs/**"}, push(), "push", "no changed file"),
        ({}, push(head_commit={"message": "x [skip ci]"}), "push", "[skip ci]"),
        (
            {"events": ["pullrequest"], "pullRequestTargetBranchRegex": "/^dev$/"},
            pull(),
            "pull_request",
            "target branch 'main'",
        ),
        (
            {"events": ["pullrequest"]},
            pull(head={"ref": "f", "sha": SHA, "repo": {"full_name": "evil/my-app"}}),
            "pull_request",
            "fork",
        ),
    ],
)
def test_what_does_not_match_says_why(client, make, more, payload, event, reason):
    answer = client.post(place(make(trigger(**more))), **signed(payload, event=event))
    assert (answer.status, builds(client)) == (200, [])
    assert reason in answer.json()["triggers"][0]["reason"]


def test_a_pull_request_gives_its_variables(client, database, make):
    address = place(make(trigger(events=["pullrequest.opened"])))
    (build_id,) = client.post(address, **signed(pull(), event="pull_request")).json()["builds"]
    found = variables(database, build_id)
    assert {name: found[f"CF_PULL_REQUEST_{name}"] for name in ("ACTION", "NUMBER", "TARGET", "TITLE")} == {
        "ACTION": "opened",
        "NUMBER": "7",
        "TARGET": "main",
        "TITLE": "Better",
    }
    assert found["CF_BRANCH"] == "feature"


def test_a_release_gives_its_variables(client, database, make):
    release = {"tag_name": "v1", "name": "One", "id": 5, "prerelease": True}
    payload = {"action": "published", "release": release, "repository": {"full_name": REPO}}
    address = place(make(trigger(events=["release"])))
    (build_id,) = client.post(address, **signed(payload, event="release")).json()["builds"]
    found = variables(database, build_id)
    assert (found["CF_RELEASE_NAME"], found["CF_RELEASE_TAG"], found["CF_PRERELEASE_FLAG"]) == (
        "One",
        "v1",
        "true",
    )
    assert found["CF_BRANCH"] == "v1"


def test_one_receiver_serves_all_triggers_of_an_account(client, stranger, make):
    first, second = make(trigger()), make(trigger(repo="My-Team/My-App"), name="demo/two")
    make(trigger(repo="my-team/other"), name="demo/three")
    receiver = client.post("/api/webhooks/git").json()
    address = receiver["endpoint"].removeprefix("http://testserver")
    answer = client.with_key(None).post(address, **signed(push(), secret=receiver["secret"])).json()
    assert [one["pipeline"] for one in answer["triggers"]] == [
        first["metadata"]["name"],
        second["metadata"]["name"],
    ]
    assert len(answer["builds"]) == 2
    assert client.get("/api/webhooks/git").json()["secret"] == "*****"
    assert stranger.get("/api/webhooks/git").status == 404
    client.post("/api/webhooks/git")
    assert client.post(address, **signed(push(), secret=receiver["secret"])).status == 401


def test_a_receiver_belongs_to_the_admins(client, key_of):
    assert client.with_key(key_of("member")).post("/api/webhooks/git").status == 403


def test_gitlab_shows_its_token(client, make):
    payload = {
        "object_kind": "push",
        "ref": "refs/heads/main",
        "before": "b" * 40,
        "after": SHA,
        "checkout_sha": SHA,
        "user_username": "gil",
        "project": {"path_with_namespace": REPO},
        "commits": [{"id": SHA, "message": "m", "added": [], "modified": ["x"], "removed": []}],
    }
    headers = {"x-gitlab-event": "Push Hook", "x-gitlab-token": SECRET, "x-gitlab-event-uuid": "u"}
    call = {"content": json.dumps(payload).encode(), "headers": headers}
    address = place(make(trigger()))
    assert len(client.post(address, **call).json()["builds"]) == 1
    wrong = {**call, "headers": headers | {"x-gitlab-token": "no"}}
    assert client.post(address, **wrong).status == 401


def test_bitbucket_signs(client, make):
    target = {"hash": SHA, "message": "m", "author": {"raw": "a"}}
    payload = {
        "repository": {"full_name": REPO},
        "actor": {"nickname": "bea"},
        "push": {
            "changes": [
                {"new": {"name": "main", "type": "branch", "target": target}, "old": {"name": "main"}}
            ]
        },
    }
    content = json.dumps(payload).encode()
    mark = hmac.new(SECRET.encode(), content, hashlib.sha256).hexdigest()
    headers = {"x-event-key": "repo:push", "x-hub-signature": f"sha256={mark}"}
    answer = client.post(place(make(trigger())), content=content, headers=headers)
    assert builds(client)[0]["userName"] == "bea", answer.text


def test_a_payload_that_cannot_be_read_is_400(client, make):
    address = place(make(trigger()))
    mark = hmac.new(SECRET.encode(), b"no", hashlib.sha256).hexdigest()
    headers = {"x-github-event": "push", "x-hub-signature-256": f"sha256={mark}"}
    assert client.post(address, content=b"no", headers=headers).status == 400
    assert client.post(address, **signed({"ref": "refs/heads/x"})).status == 400


def test_a_ping_starts_nothing(client, make):
    answer = client.post(place(make(trigger())), **signed({"zen": "x"}, event="ping"))
    assert (answer.status, answer.json()["builds"]) == (200, [])


def test_a_pipeline_that_cannot_start_says_so(client, make):
    address = place(make(trigger(), contexts=["gone"]))
    answer = client.post(address, **signed(push())).json()
    assert answer["builds"] == []
    assert "Context gone not found" in answer["triggers"][0]["reason"]


def test_a_new_push_ends_the_earlier_build_of_its_branch_and_trigger(client, make):
    policy = [{"type": "branch", "event": "onCreate"}]
    address = place(make(trigger(), terminationPolicy=policy))
    for delivery, branch in (("1", "main"), ("2", "other"), ("3", "main")):
        client.post(address, **signed(push(branch), delivery=delivery))
    assert [one["status"] for one in builds(client)] == ["pending", "pending", "terminated"]


def test_the_last_run_of_a_trigger_shows_in_its_pipeline(client, make):
    document = make(trigger())
    client.post(place(document), **signed(push()))
    found = client.get("/api/pipelines/demo%2Fci").json()["spec"]["triggers"][0]
    assert found["lastExecutionDate"].endswith("Z")
    again = client.get("/api/pipelines/demo%2Fci").json()
    assert client.put("/api/pipelines/demo%2Fci", again).status == 200


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"branchRegex": "main"}, "spec.triggers.0.branchRegex"),
        ({"branchRegex": "/(/"}, "spec.triggers.0.branchRegex"),
        ({"events": ["push.head"]}, "spec.triggers.0.events"),
        ({"terminationPolicy": [{"type": "branch"}]}, "spec.triggers.0.terminationPolicy.0.event"),
        (
            {
                "terminationPolicy": [
                    {"type": "annotation", "event": "onCreate", "key": "a", "branchName": "x"}
                ]
            },
            "spec.triggers.0.terminationPolicy.0.branchName",
        ),
    ],
)
def test_a_wrong_trigger_names_its_place(client, more, path):
    document = {"metadata": {"name": "demo/ci"}, "spec": {"triggers": [trigger(**more)], "steps": STEPS}}
    answer = client.post("/api/pipelines", document)
    assert answer.status == 400
    assert path in answer.json()["message"]
