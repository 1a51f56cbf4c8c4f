"""GitHub, and what speaks like it (Gitea, Forgejo): webhooks.

Source: GitHub's documentation of webhook events and payloads, and of their signature.
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
    has_signature,
    push_names,
    repo_of,
)
from headrace.pipeline.variables import PullRequest

_MEMBERS = ("OWNER", "MEMBER", "COLLABORATOR")
# Actions with a second name in triggers.
_ALSO = {
    "synchronize": ("pushCommit",),
    "synchronized": ("synchronize", "pushCommit"),
    "review_requested": ("reviewRequested",),
    "review_request_removed": ("reviewRequestRemoved",),
    "opened": ("created",),
}
_NULL = "0" * 40


class GitHub:
    """Fills `GitProvider`."""

    name = "github"

    def speaks(self, headers: Mapping[str, str]) -> bool:
        """Tell whether GitHub sent it."""
        return "x-github-event" in headers

    def is_genuine(self, headers: Mapping[str, str], body: bytes, secret: str) -> bool:
        """Check the signature of the body; the old one by SHA-1 does not count."""
        return has_signature(headers.get("x-hub-signature-256", ""), body, secret)

    def delivery(self, headers: Mapping[str, str]) -> str:
        """Return the id of the delivery."""
        return headers.get("x-github-delivery", "")

    def parse(self, headers: Mapping[str, str], payload: Mapping[str, Any]) -> GitEvent | None:
        """Read pushes, pull requests, reviews, comments and releases."""
        fields = Fields(payload)
        readers = {
            "push": _push,
            "pull_request": _pull_request,
            "pull_request_review": _review,
            "issue_comment": _issue_comment,
            "pull_request_review_comment": _review_comment,
            "release": _release,
        }
        reader = readers.get(headers.get("x-github-event", ""))
        return None if reader is None else reader(fields)


def _repo(fields: Fields) -> str:
    return repo_of(fields.text("repository", "full_name"))


def _push(fields: Fields) -> GitEvent:
    ref = fields.text("ref")
    if not ref:
        raise PayloadUnknown("a push names no ref")
    branch, tag = branch_of(ref)
    deleted = fields.flag("deleted") or fields.text("after") == _NULL
    head = fields.at("head_commit") or fields.at("commits", -1)
    after = fields.text("before" if deleted else "after")
    revision = (tag and fields.text("head_commit", "id")) or after
    return GitEvent(
        provider=GitHub.name,
        names=push_names(
            tag=tag,
            created=fields.flag("created") or fields.text("before") == _NULL,
            deleted=deleted,
        ),
        repo=_repo(fields),
        sender=fields.text("sender", "login") or fields.text("pusher", "name"),
        branch=branch,
        base_branch=branch_of(fields.text("base_ref"))[0] or None if tag else None,
        revision=revision or None,
        message=head.maybe("message"),
        author=head.maybe("author", "username") or head.maybe("author", "name"),
        commit_url=head.maybe("url"),
        files=files_of(fields.items("commits")),
    )


def pull_request_of(pull: Fields, *, action: str, label: str = "") -> PullRequest:
    """Return what a pull request of the API, or of a payload, says."""
    labels = [one.text("name") for one in pull.items("labels")]
    if label and label not in labels:
        labels.append(label)
    closed = action == "closed"
    return PullRequest(
        action=action,
        id=pull.maybe("id"),
        number=pull.maybe("number"),
        target=pull.maybe("base", "ref"),
        labels=",".join(labels),
        title=pull.maybe("title"),
        merged=("true" if pull.flag("merged") else "false") if closed else None,
        head_branch=pull.maybe("head", "ref") if closed else None,
        merged_commit_sha=pull.maybe("merge_commit_sha") if closed and pull.flag("merged") else None,
        head_commit_sha=pull.maybe("head", "sha") if closed else None,
    )


def with_pull_request(event: GitEvent, pull: Fields) -> GitEvent:
    """Return an event with branch, revision and forkedness of a pull request."""
    return msgspec.structs.replace(
        event,
        branch=pull.maybe("head", "ref"),
        revision=pull.maybe("head", "sha"),
        fork=_is_fork(pull),
        message=event.message or pull.maybe("title"),
    )


def _is_fork(pull: Fields) -> bool:
    # A fork that was deleted has no repository at all.
    head, base = pull.text("head", "repo", "full_name"), pull.text("base", "repo", "full_name")
    return head.lower() != base.lower()


def _pull_request(fields: Fields) -> GitEvent:
    action, pull = fields.text("action"), fields.at("pull_request")
    names = {"pullrequest", f"pullrequest.{action}"}
    names |= {f"pullrequest.{other}" for other in _ALSO.get(action, ())}
    if action == "closed":
        names.add("pullrequest.merged" if pull.flag("merged") else "pullrequest.unmerged-closed")
    label = fields.text("label", "name") if action == "labeled" else ""
    return _of_pull(fields, frozenset(names), pull_request_of(pull, action=action, label=label))


def _of_pull(fields: Fields, names: frozenset[str], pull_request: PullRequest) -> GitEvent:
    pull = fields.at("pull_request")
    if not pull.text("head", "ref"):
        raise PayloadUnknown("a pull request names no head branch")
    event = GitEvent(
        provider=GitHub.name,
        names=names,
        repo=_repo(fields),
        sender=fields.text("sender", "login"),
        author=pull.maybe("user", "login"),
        commit_url=f"{pull.text('head', 'repo', 'html_url')}/commit/{pull.text('head', 'sha')}",
        pull_request=pull_request,
    )
    return with_pull_request(event, pull)


def _review(fields: Fields) -> GitEvent | None:
    state = fields.text("review", "state").lower()
    if fields.text("action") != "submitted":
        return None
    names = frozenset({"pullrequest", f"pullrequest.review.submitted.{state}"})
    return _of_pull(fields, names, pull_request_of(fields.at("pull_request"), action="submitted"))


def comment_names(*, trusted: bool) -> frozenset[str]:
    """Return the names of a comment: a stranger's answers to one that says so, only."""
    if trusted:
        return frozenset({"pullrequest", "pullrequest.commentAdded", "pullrequest.commentAddedUnrestricted"})
    return frozenset({"pullrequest.commentAddedUnrestricted"})


def _issue_comment(fields: Fields) -> GitEvent | None:
    issue = fields.at("issue")
    if fields.text("action") != "created" or not issue.at("pull_request"):
        return None  # a comment that was changed, or that is about no pull request
    trusted = fields.text("comment", "author_association") in _MEMBERS
    return GitEvent(
        provider=GitHub.name,
        names=comment_names(trusted=trusted),
        repo=_repo(fields),
        sender=fields.text("sender", "login"),
        comment=fields.text("comment", "body"),
        trusted=trusted,
        pull_request=PullRequest(
            action="created",
            number=issue.maybe("number"),
            title=issue.maybe("title"),
            labels=",".join(one.text("name") for one in issue.items("labels")),
            comment=fields.text("comment", "body"),
            comment_author=fields.maybe("comment", "user", "login"),
        ),
    )


def _review_comment(fields: Fields) -> GitEvent | None:
    if fields.text("action") != "created":
        return None
    trusted = fields.text("comment", "author_association") in _MEMBERS
    pull_request = msgspec.structs.replace(
        pull_request_of(fields.at("pull_request"), action="created"),
        comment=fields.text("comment", "body"),
        comment_author=fields.maybe("comment", "user", "login"),
    )
    event = _of_pull(fields, comment_names(trusted=trusted), pull_request)
    return msgspec.structs.replace(event, comment=fields.text("comment", "body"), trusted=trusted)


def _release(fields: Fields) -> GitEvent:
    action, release = fields.text("action"), fields.at("release")
    names = {f"release.{action}"}
    if action == "published":
        names.add("release")
    return GitEvent(
        provider=GitHub.name,
        names=frozenset(names),
        repo=_repo(fields),
        sender=fields.text("sender", "login"),
        branch=release.maybe("tag_name"),
        base_branch=release.maybe("target_commitish"),
        author=release.maybe("author", "login"),
        release=Release(
            name=release.text("name"),
            tag=release.text("tag_name"),
            id=release.text("id"),
            prerelease=release.flag("prerelease"),
        ),
    )
