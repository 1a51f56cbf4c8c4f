"""Bitbucket, in the cloud and as a server of one's own: webhooks.

Source: Atlassian's documentation of event payloads; both sign the body with the secret of the hook.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.integrations.git.base import (
    Fields,
    GitEvent,
    PayloadUnknown,
    has_signature,
    push_names,
    repo_of,
)
from headrace.pipeline.variables import PullRequest

# Key of the host → action in triggers, and more names; the last part of an unknown key is its action.
_ACTIONS: dict[str, tuple[str, ...]] = {
    "pullrequest:created": ("created", "opened"),
    "pullrequest:updated": ("updated", "synchronize", "push_commit"),
    "pullrequest:fulfilled": ("merged", "fulfilled"),
    "pullrequest:rejected": ("declined", "rejected"),
    "pullrequest:approved": ("approved",),
    "pullrequest:unapproved": ("unapproved",),
    "pullrequest:comment_created": ("comment_created",),
    "pullrequest:comment_updated": ("comment_updated",),
    "pullrequest:comment_deleted": ("comment_deleted",),
    "pr:opened": ("created", "opened"),
    "pr:from_ref_updated": ("updated", "synchronize", "push_commit"),
    "pr:modified": ("updated", "updatedButNoPush"),
    "pr:merged": ("merged", "fulfilled"),
    "pr:declined": ("declined", "rejected"),
    "pr:deleted": ("deleted",),
    "pr:reviewer:approved": ("approved",),
    "pr:reviewer:unapproved": ("unapproved",),
    "pr:reviewer:needs_work": ("needsWork",),
    "pr:comment:added": ("comment_created",),
    "pr:comment:edited": ("comment_updated",),
    "pr:comment:deleted": ("comment_deleted",),
}


class Bitbucket:
    """Fills `GitProvider`."""

    name = "bitbucket"

    def speaks(self, headers: Mapping[str, str]) -> bool:
        """Tell whether Bitbucket sent it."""
        return "x-event-key" in headers

    def is_genuine(self, headers: Mapping[str, str], body: bytes, secret: str) -> bool:
        """Check the signature of the body."""
        return has_signature(headers.get("x-hub-signature", ""), body, secret)

    def delivery(self, headers: Mapping[str, str]) -> str:
        """Return the id of the request, the same when it is tried again."""
        return headers.get("x-request-uuid") or headers.get("x-request-id", "")

    def parse(self, headers: Mapping[str, str], payload: Mapping[str, Any]) -> GitEvent | None:
        """Read pushes and pull requests."""
        key, fields = headers.get("x-event-key", ""), Fields(payload)
        if key == "repo:push":
            return _push(fields)
        if key == "repo:refs_changed":
            return _refs_changed(fields)
        if key not in _ACTIONS:
            return None
        return (_pull_request if key.startswith("pullrequest:") else _server_pull_request)(fields, key)


def _push(fields: Fields) -> GitEvent | None:
    """Read a push; of one that moved several branches, the first."""
    change = fields.at("push", "changes", 0)
    deleted = not change.at("new")
    ref = change.at("old" if deleted else "new")
    if not ref.text("name"):
        return None
    tag = ref.text("type") in ("tag", "annotated_tag")
    target = ref.at("target")
    return GitEvent(
        provider=Bitbucket.name,
        names=push_names(tag=tag, created=not change.at("old"), deleted=deleted),
        repo=repo_of(fields.text("repository", "full_name")),
        sender=_person(fields.at("actor")),
        branch=ref.text("name"),
        revision=target.maybe("hash"),
        message=target.maybe("message"),
        author=_person(target.at("author", "user")) or target.maybe("author", "raw"),
        commit_url=target.maybe("links", "html", "href"),
    )


def _refs_changed(fields: Fields) -> GitEvent | None:
    change = fields.at("changes", 0)
    name, kind = change.text("ref", "displayId"), change.text("type")
    if not name:
        return None
    return GitEvent(
        provider=Bitbucket.name,
        names=push_names(
            tag=change.text("ref", "type") == "TAG", created=kind == "ADD", deleted=kind == "DELETE"
        ),
        repo=_server_repo(fields.at("repository")),
        sender=fields.text("actor", "name"),
        branch=name,
        revision=change.maybe("fromHash" if kind == "DELETE" else "toHash"),
        message=fields.maybe("toCommit", "message"),
        author=fields.maybe("toCommit", "author", "name"),
    )


def _person(person: Fields) -> str:
    return person.text("nickname") or person.text("username") or person.text("display_name")


def _server_repo(repository: Fields) -> str:
    return repo_of(f"{repository.text('project', 'key')}/{repository.text('slug')}")


def _names(key: str) -> tuple[frozenset[str], str]:
    """Return the names of an event, with a colon and with a dot, and its action."""
    actions = _ACTIONS[key]
    names = {f"pullrequest{mark}{action}" for action in actions for mark in ":."}
    if actions[0] == "comment_created":
        names |= {"pullrequest.commentAdded", "pullrequest.commentAddedUnrestricted"}
    return frozenset({"pullrequest", *names}), actions[0]


def _pull_request(fields: Fields, key: str) -> GitEvent:
    pull = fields.at("pullrequest")
    repo = repo_of(fields.text("repository", "full_name"))
    names, action = _names(key)
    return _event(
        fields,
        names,
        repo=repo,
        sender=_person(fields.at("actor")),
        branch=pull.text("source", "branch", "name"),
        revision=pull.maybe("source", "commit", "hash"),
        fork=pull.text("source", "repository", "full_name").lower() != repo.lower(),
        comment=fields.text("comment", "content", "raw"),
        pull_request=PullRequest(
            action=action,
            id=pull.maybe("id"),
            number=pull.maybe("id"),
            target=pull.maybe("destination", "branch", "name"),
            title=pull.maybe("title"),
            merged_commit_sha=pull.maybe("merge_commit", "hash"),
        ),
    )


def _server_pull_request(fields: Fields, key: str) -> GitEvent:
    pull = fields.at("pullRequest")
    source, target = pull.at("fromRef"), pull.at("toRef")
    names, action = _names(key)
    repo = _server_repo(target.at("repository"))
    return _event(
        fields,
        names,
        repo=repo,
        sender=fields.text("actor", "name"),
        branch=source.text("displayId"),
        revision=source.maybe("latestCommit"),
        fork=_server_repo(source.at("repository")).lower() != repo.lower(),
        comment=fields.text("comment", "text"),
        pull_request=PullRequest(
            action=action,
            id=pull.maybe("id"),
            number=pull.maybe("id"),
            target=target.maybe("displayId"),
            title=pull.maybe("title"),
        ),
    )


def _event(fields: Fields, names: frozenset[str], *, comment: str, **facts: Any) -> GitEvent:  # noqa: ANN401 - as `GitEvent` takes them
    if not facts["branch"]:
        raise PayloadUnknown("a pull request names no source branch")
    if comment:
        author = _person(fields.at("comment", "user")) or fields.text("comment", "author", "name")
        facts["pull_request"] = msgspec.structs.replace(
            facts["pull_request"], comment=comment, comment_author=author or None
        )
    return GitEvent(
        provider=Bitbucket.name,
        names=names,
        message=facts["pull_request"].title,
        comment=comment or None,
        **facts,
    )
