"""GitLab: webhooks.

Source: GitLab's documentation of webhook events; the token of a hook is sent as it is.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.integrations.git.base import (
    Fields,
    GitEvent,
    PayloadUnknown,
    Release,
    branch_of,
    files_of,
    is_same,
    push_names,
    repo_of,
)
from headrace.integrations.git.github import comment_names
from headrace.pipeline.variables import PullRequest

_NULL = "0" * 40
# GitLab's action → our action and its other names.
_ACTIONS = {
    "open": ("opened", "created"),
    "close": ("closed", "unmerged-closed"),
    "reopen": ("reopened",),
    "merge": ("merged", "closed"),
    "update": ("updated", "edited"),
    "approved": ("review.submitted.approved",),
}
_RELEASES = {"create": "created", "update": "edited", "delete": "deleted"}


class GitLab:
    """Fills `GitProvider`."""

    name = "gitlab"

    def speaks(self, headers: Mapping[str, str]) -> bool:
        """Tell whether GitLab sent it."""
        return "x-gitlab-event" in headers

    def is_genuine(self, headers: Mapping[str, str], body: bytes, secret: str) -> bool:  # noqa: ARG002 - GitLab signs nothing
        """Compare the token."""
        return is_same(headers.get("x-gitlab-token", ""), secret)

    def delivery(self, headers: Mapping[str, str]) -> str:
        """Return the id of the delivery, the same when it is tried again."""
        return headers.get("idempotency-key") or headers.get("x-gitlab-event-uuid", "")

    def parse(self, headers: Mapping[str, str], payload: Mapping[str, Any]) -> GitEvent | None:  # noqa: ARG002 - the payload names its kind
        """Read pushes, merge requests, notes on them, and releases."""
        fields = Fields(payload)
        readers = {
            "push": _push,
            "tag_push": _push,
            "merge_request": _merge_request,
            "note": _note,
            "release": _release,
        }
        reader = readers.get(fields.text("object_kind"))
        return None if reader is None else reader(fields)


def _repo(fields: Fields) -> str:
    return repo_of(fields.text("project", "path_with_namespace"))


def _push(fields: Fields) -> GitEvent:
    if not fields.text("ref"):
        raise PayloadUnknown("a push names no ref")
    branch, tag = branch_of(fields.text("ref"))
    deleted = fields.text("after") == _NULL
    commits = fields.items("commits")
    revision = fields.text("before") if deleted else fields.text("checkout_sha") or fields.text("after")
    head = next((one for one in commits if one.text("id") == revision), fields.at("commits", -1))
    return GitEvent(
        provider=GitLab.name,
        names=push_names(tag=tag, created=fields.text("before") == _NULL, deleted=deleted),
        repo=_repo(fields),
        sender=fields.text("user_username") or fields.text("user_name"),
        branch=branch,
        revision=revision or None,
        message=head.maybe("message") or fields.maybe("message"),
        author=head.maybe("author", "name"),
        commit_url=head.maybe("url"),
        files=files_of(commits),
    )


def _merge_request(fields: Fields) -> GitEvent:
    given = fields.text("object_attributes", "action")
    action, *others = _ACTIONS.get(given, (given or "updated",))
    names = {"pullrequest", f"pullrequest.{action}", *(f"pullrequest.{other}" for other in others)}
    if given == "update" and fields.text("object_attributes", "oldrev"):
        names |= {"pullrequest.synchronize", "pullrequest.pushCommit"}
        action = "synchronize"
    return _of_request(fields, fields.at("object_attributes"), frozenset(names), action)


def _of_request(fields: Fields, request: Fields, names: frozenset[str], action: str) -> GitEvent:
    if not request.text("source_branch"):
        raise PayloadUnknown("a merge request names no source branch")
    merged = request.text("state") == "merged"
    head = request.maybe("last_commit", "id")
    closed = action in ("closed", "merged")
    labels = [one.text("title") for one in fields.items("labels") or request.items("labels")]
    return GitEvent(
        provider=GitLab.name,
        names=names,
        repo=_repo(fields),
        sender=fields.text("user", "username") or fields.text("user", "name"),
        branch=request.text("source_branch"),
        revision=head,
        message=request.maybe("last_commit", "message"),
        author=request.maybe("last_commit", "author", "name"),
        commit_url=request.maybe("last_commit", "url"),
        fork=request.text("source_project_id") != request.text("target_project_id"),
        pull_request=PullRequest(
            action=action,
            id=request.maybe("id"),
            number=request.maybe("iid"),
            target=request.maybe("target_branch"),
            labels=",".join(labels),
            title=request.maybe("title"),
            merged=("true" if merged else "false") if closed else None,
            head_branch=request.maybe("source_branch") if closed else None,
            merged_commit_sha=request.maybe("merge_commit_sha") if closed else None,
            head_commit_sha=head if closed else None,
        ),
    )


def _note(fields: Fields) -> GitEvent | None:
    if fields.text("object_attributes", "noteable_type") != "MergeRequest":
        return None
    comment = fields.text("object_attributes", "note")
    # A payload does not say what its author may do: only triggers that do not ask hear of it.
    event = _of_request(fields, fields.at("merge_request"), comment_names(trusted=False), "created")
    pull_request = event.pull_request or PullRequest()
    return msgspec.structs.replace(
        event,
        comment=comment,
        trusted=False,
        pull_request=msgspec.structs.replace(
            pull_request, comment=comment, comment_author=fields.maybe("user", "username")
        ),
    )


def _release(fields: Fields) -> GitEvent:
    action = _RELEASES.get(fields.text("action"), fields.text("action"))
    names = {f"release.{action}"}
    if action == "created":
        names |= {"release", "release.released"}
    return GitEvent(
        provider=GitLab.name,
        names=frozenset(names),
        repo=_repo(fields),
        sender=fields.text("commit", "author", "name"),
        branch=fields.maybe("tag"),
        revision=fields.maybe("commit", "id"),
        message=fields.maybe("commit", "message"),
        author=fields.maybe("commit", "author", "name"),
        commit_url=fields.maybe("commit", "url"),
        release=Release(name=fields.text("name"), tag=fields.text("tag"), id=fields.text("id")),
    )
