"""What every provider of Git events must do."""

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from headrace.integrations.git import PROVIDERS, provider_of
from headrace.integrations.git.base import GitEvent, PayloadUnknown, payload_of

SECRET, BODY = "between-the-two", b'{"a": 1}'
MARK = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
SIGNED = {
    "github": {"x-github-event": "push", "x-hub-signature-256": f"sha256={MARK}"},
    "gitlab": {"x-gitlab-event": "Push Hook", "x-gitlab-token": SECRET},
    "bitbucket": {"x-event-key": "repo:push", "x-hub-signature": f"sha256={MARK}"},
    "plain": {"x-headrace-signature-256": f"sha256={MARK}"},
}
EVENTS = {
    "github": [
        {"x-github-event": name}
        for name in ("push", "pull_request", "pull_request_review", "issue_comment", "release", "ping")
    ],
    "gitlab": [{"x-gitlab-event": "any"}],
    "bitbucket": [
        {"x-event-key": name}
        for name in ("repo:push", "repo:refs_changed", "pullrequest:created", "pr:opened", "pr:comment:added")
    ],
    "plain": [{}],
}
WORDS = some.sampled_from(
    [
        "ref",
        "refs/heads/main",
        "after",
        "before",
        "repository",
        "full_name",
        "project",
        "path_with_namespace",
        "push",
        "changes",
        "new",
        "old",
        "name",
        "type",
        "target",
        "hash",
        "pull_request",
        "head",
        "base",
        "action",
        "object_kind",
        "merge_request",
        "note",
        "object_attributes",
        "source_branch",
        "noteable_type",
        "MergeRequest",
        "event",
        "repo",
        "a/b",
        "pullrequest",
        "source",
        "branch",
        "pullRequest",
        "fromRef",
        "toRef",
        "displayId",
        "slug",
        "key",
    ]
)
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | WORDS,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(WORDS, inner, max_size=6),
    max_leaves=25,
)


@pytest.fixture(params=PROVIDERS, ids=lambda one: one.name)
def provider(request):
    return request.param


def test_a_provider_knows_its_own_requests(provider):
    assert provider_of(SIGNED[provider.name]) is provider
    assert provider_of({"content-type": "application/json"}) is None


def test_a_provider_lets_in_who_knows_the_secret(provider):
    headers = SIGNED[provider.name]
    assert provider.is_genuine(headers, BODY, SECRET)
    assert not provider.is_genuine(headers, BODY, "another")
    assert not provider.is_genuine(headers, BODY, "")


def test_no_header_and_an_empty_one_are_no_proof(provider):
    bare = dict.fromkeys(SIGNED[provider.name], "")
    for headers in ({}, bare, dict.fromkeys(bare, "sha256=")):
        assert not provider.is_genuine(headers, BODY, SECRET)
        assert not provider.is_genuine(headers, BODY, "")


@pytest.mark.parametrize("name", ["github", "bitbucket", "plain"])
def test_a_signature_is_of_the_body(name):
    (provider,) = [one for one in PROVIDERS if one.name == name]
    assert not provider.is_genuine(SIGNED[name], BODY + b" ", SECRET)


@settings(max_examples=150)
@given(payload=some.dictionaries(WORDS, JSON, max_size=8), choice=some.randoms(use_true_random=False))
@pytest.mark.parametrize("name", sorted(EVENTS))
def test_no_payload_makes_a_provider_fail(name, payload, choice):
    (provider,) = [one for one in PROVIDERS if one.name == name]
    try:
        event = provider.parse(choice.choice(EVENTS[name]), payload)
    except PayloadUnknown:
        return
    assert event is None or isinstance(event, GitEvent)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"no"),
        ("application/json", b"[]"),
        ("application/json", b"\xff"),
        ("application/x-www-form-urlencoded", b"a=1"),
        ("application/x-www-form-urlencoded", b"payload=%5B%5D"),
    ],
)
def test_what_is_no_object_is_refused(kind, body):
    with pytest.raises(PayloadUnknown):
        payload_of({"content-type": kind}, body)


def test_a_form_carries_the_payload():
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert payload_of(headers, b"payload=%7B%22a%22%3A1%7D") == {"a": 1}
