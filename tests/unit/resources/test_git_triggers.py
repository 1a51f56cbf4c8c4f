"""Which events fire a git trigger, in the order of the rules."""

import pytest

from headrace.integrations.git.base import GitEvent
from headrace.pipeline.variables import PullRequest
from headrace.resources.builds import policies
from headrace.resources.triggers.kinds.git import SKIP_WORDS, problems, refusal

PULL = PullRequest(action="opened", number="7", target="main")


def event(**more):
    facts = {
        "provider": "github",
        "names": frozenset({"push", "push.heads"}),
        "repo": "my-team/my-app",
        "sender": "octo",
        "branch": "main",
        "message": "a change",
    }
    return GitEvent(**facts | more)


def fires(happened=None, **fields):
    trigger = {"name": "t", "repo": "my-team/my-app", "events": ["push"], **fields}
    return refusal(trigger, happened or event()) == ""


def test_a_push_fires_a_trigger_of_its_event_and_repository():
    assert fires()
    assert fires(repo="My-Team/MY-APP")
    assert fires(events=["push.heads"])
    assert not fires(events=["push.tags"])
    assert not fires(events=[])
    assert not fires(repo="my-team/other")
    assert not fires(disabled=True)


@pytest.mark.parametrize(
    ("literal", "branch", "matches"),
    [
        ("/^main$/", "main", True),
        ("/^main$/g", "main", True),
        ("/MAIN/gi", "main", True),
        ("/MAIN/", "main", False),
        ("/^((?!tag)).*/gi", "feature", True),
        ("/^((?!tag)).*/gi", "tag-1", False),
        ("/./", "x", True),
        ("", "x", True),
    ],
)
def test_branches_match_as_in_javascript(literal, branch, matches):
    assert fires(event(branch=branch), branchRegex=literal) is matches


def test_the_flag_g_keeps_no_state_between_two_events():
    assert [fires(branchRegex="/main/g") for _ in range(3)] == [True] * 3


def test_a_list_of_branches_may_exclude():
    fields = {"branchRegex": "/^(main|dev)$/", "branchRegexInput": "multiselect-exclude"}
    assert not fires(**fields)
    assert fires(event(branch="feature"), **fields)


def test_the_target_counts_for_pull_requests_only():
    fields = {"pullRequestTargetBranchRegex": "/^dev$/", "events": ["push", "pullrequest"]}
    pull = event(names=frozenset({"pullrequest"}), pull_request=PULL)
    assert fires(**fields)
    assert not fires(pull, **fields)
    assert fires(pull, **fields | {"pullRequestTargetBranchRegex": "/^main$/"})


def test_a_fork_needs_leave():
    pull = event(names=frozenset({"pullrequest"}), pull_request=PULL, fork=True)
    assert not fires(pull, events=["pullrequest"])
    assert fires(pull, events=["pullrequest"], pullRequestAllowForkEvents=True)


def test_comments_match_and_strangers_are_kept_out():
    names = frozenset({"pullrequest.commentAddedUnrestricted"})
    stranger = event(names=names, pull_request=PULL, comment="/test it", trusted=False)
    assert not fires(stranger, events=["pullrequest.commentAdded"])
    assert fires(stranger, events=["pullrequest.commentAddedUnrestricted"])
    assert not fires(stranger, events=["pullrequest.commentAddedUnrestricted"], commentRegex="/^deploy/")
    assert fires(stranger, events=["pullrequest.commentAdded"], skipCommentAuthorAssociationValidation=True)


def test_files_count_where_they_are_known():
    assert not fires(event(files=("src/a",)), modifiedFilesGlob="docs/**")
    assert fires(event(files=("src/a", "docs/b")), modifiedFilesGlob="docs/**")
    assert fires(event(files=None), modifiedFilesGlob="docs/**")


@pytest.mark.parametrize("word", SKIP_WORDS)
def test_the_words_that_skip_count_in_pushes_only(word):
    assert not fires(event(message=f"a change {word.upper()}"))
    pull = event(names=frozenset({"pullrequest"}), pull_request=PULL, message=word)
    assert fires(pull, events=["pullrequest"])


def test_a_pattern_that_costs_too_much_does_not_match():
    trigger = {"repo": "my-team/my-app", "events": ["push"], "branchRegex": "/^(a+)+$/"}
    assert "too long" in refusal(trigger, event(branch="a" * 200 + "b"))


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"events": ["push", "pullrequest.opened", "pullrequest:merged", "release"]}, []),
        ({"events": ["pushed"]}, ["events"]),
        ({"branchRegex": "main"}, ["branchRegex"]),
        ({"commentRegex": "/[/"}, ["commentRegex"]),
        ({"modifiedFilesGlob": 5}, ["modifiedFilesGlob"]),
        ({"pullRequestTargetBranchRegex": ""}, []),
    ],
)
def test_the_fields_of_a_trigger_are_checked(fields, wrong):
    assert [field for field, _, _ in problems(fields)] == wrong


BRANCH, ANNOTATION = {"type": "branch", "event": "onCreate"}, {"type": "annotation", "event": "onTerminate"}


@pytest.mark.parametrize(
    ("policy", "places"),
    [
        ([BRANCH], []),
        ([BRANCH | {"ignoreTrigger": True, "branchName": "/^dev/"}], []),
        ([ANNOTATION | {"key": "cf_predecessor"}], []),
        ([ANNOTATION], [".0.key"]),
        ([BRANCH | {"key": "a"}], [".0.key"]),
        ([ANNOTATION | {"key": "a", "ignoreBranch": True}], [".0.ignoreBranch"]),
        ([{"type": "x", "event": "y"}], [".0.type", ".0.event"]),
        ([BRANCH | {"branchName": "("}], [".0.branchName"]),
        ("x", [""]),
    ],
)
def test_a_termination_policy_is_checked(policy, places):
    assert [place for place, _, _ in policies.problems(policy)] == places
