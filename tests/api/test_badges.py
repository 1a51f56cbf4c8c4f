"""Badges: a word about the last build, for everybody who knows the names."""

import re

import pytest

from headrace.pipeline.status import BuildStatus
from headrace.resources.badges.picture import LOOKS, draw

PLACE = "/api/badges/build?accountName=acme"
STEPS = {"a": {"image": "alpine", "commands": ["true"]}}


@pytest.fixture
def engine_name():
    """What is drawn does not depend on the database."""
    return "sqlite"


@pytest.fixture
def anybody(client):
    """Somebody without a key."""
    return client.with_key(None)


@pytest.fixture
def pipeline(client):
    trigger = {"type": "git", "name": "t", "repo": "Team/App", "events": ["push"]}
    body = {"metadata": {"name": "demo/ci"}, "spec": {"steps": STEPS, "triggers": [trigger]}}
    assert client.post("/api/pipelines", body).status == 200


def word(answer):
    """The word on a badge."""
    assert (answer.status, answer.headers["content-type"]) == (200, "image/svg+xml; charset=utf-8")
    return re.findall("<text[^>]*>([a-z]+)</text>", answer.text)[1]


def run(client, branch):
    answer = client.post("/api/pipelines/run/demo%2Fci", {"branch": branch})
    assert answer.status == 200, answer.text
    return answer.json()


@pytest.mark.usefixtures("pipeline")
def test_the_last_build_of_the_branch_is_shown_without_a_key(client, anybody):
    ended = run(client, "main")
    progress = client.get(f"/api/builds/{ended}").json()["progress"]
    assert client.delete(f"/api/progress/{progress}").status == 200
    run(client, "other")
    for names in ("pipelineName=demo%2Fci", "repoOwner=team&repoName=app"):
        assert word(anybody.get(f"{PLACE}&{names}&branch=main")) == "terminated"
        assert word(anybody.get(f"{PLACE}&{names}&branch=other")) == "pending"
        assert word(anybody.get(f"{PLACE}&{names}")) == "pending"


@pytest.mark.usefixtures("pipeline")
def test_what_does_not_exist_looks_like_what_never_ran(anybody):
    never = anybody.get(f"{PLACE}&pipelineName=demo%2Fci")
    assert word(never) == "unknown"
    for query in (
        f"{PLACE}&pipelineName=no%2Fsuch",
        f"{PLACE}&repoOwner=no&repoName=such",
        PLACE,
        "/api/badges/build?accountName=nobody&pipelineName=demo%2Fci",
        "/api/badges/build?accountName=other&pipelineName=demo%2Fci",
    ):
        assert anybody.get(query).text == never.text


def test_a_badge_may_run_nothing_and_is_not_kept(anybody):
    answer = anybody.get(PLACE)
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("query", ["", "?accountName=acme&type=cf-3"])
def test_a_wrong_question_is_refused(anybody, query):
    assert anybody.get(f"/api/badges/build{query}").status == 400


@pytest.mark.parametrize("status", BuildStatus)
def test_every_status_has_a_look_in_both_forms(status):
    square, rounded = (draw(LOOKS[status], rounded=each) for each in (False, True))
    assert square != rounded
    assert f'aria-label="build: {LOOKS[status].word}"' in square
