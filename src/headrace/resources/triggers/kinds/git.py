"""``type: git``: which event of a repository starts a build.

Source: `reference/pipeline-yaml.md`, sections 7.1 (fields, order of the match) and 7.2 (events).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from headrace.integrations.git.base import GitEvent
from headrace.pipeline.regexes import BadRegex, search, split_literal
from headrace.resources.triggers.globs import BadGlob, alternatives, any_matches

SKIP_WORDS = ("[skip ci]", "[ci skip]", "[no ci]", "[skip codefresh]", "[codefresh skip]")
_DOTTED = [
    "opened",
    "closed",
    "reopened",
    "edited",
    "assigned",
    "unassigned",
    "review_requested",
    "review_request_removed",
    "reviewRequested",
    "reviewRequestRemoved",
    "review.submitted.approved",
    "review.submitted.commented",
    "review.submitted.changes_requested",
    "pushCommit",
    "labeled",
    "unlabeled",
    "synchronize",
    "commentAdded",
    "commentAddedUnrestricted",
    "reviewersUpdate",
    "statusUpdate",
    "reviewerVote",
    "created",
    "merged",
    "unmerged-closed",
    "updated",
]
_COLONED = [
    "created",
    "updated",
    "updatedButNoPush",
    "deleted",
    "push_commit",
    "merged",
    "declined",
    "approved",
    "unapproved",
    "needsWork",
    "fulfilled",
    "rejected",
    "comment_created",
    "comment_updated",
    "comment_deleted",
]
_GERRIT = [
    "change-abandoned",
    "change-deleted",
    "change-merged",
    "change-restored",
    "comment-added",
    "dropped-output",
    "hashtags-changed",
    "project-created",
    "patchset-created",
    "ref-updated",
    "reviewer-added",
    "reviewer-deleted",
    "topic-changed",
    "wip-state-changed",
    "private-state-changed",
    "vote-deleted",
    "project-head-update",
]
_RELEASES = ["unpublished", "created", "edited", "deleted", "prereleased", "released", "published"]
EVENTS = frozenset(
    {"push", "push.heads", "push.tags", "push.newBranch", "push.deleteBranch", "pullrequest", "release"}
    | {f"pullrequest.{name}" for name in _DOTTED}
    | {f"pullrequest:{name}" for name in _COLONED}
    | {f"release.{name}" for name in _RELEASES}
    | set(_GERRIT)
)


def problems(trigger: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with a trigger: (field, complaint, cure)."""
    for event in trigger.get("events") or []:
        if isinstance(event, str) and event not in EVENTS:
            yield "events", f"{event!r} is no event", "write push.heads, push.tags, pullrequest.opened …"
    for field in ("branchRegex", "pullRequestTargetBranchRegex", "commentRegex"):
        text = trigger.get(field)
        if text in (None, ""):
            continue
        literal = split_literal(text) if isinstance(text, str) else None
        if literal is None:
            yield field, f"{text!r} is no regular expression", "write /^main$/ or /release/i"
            continue
        try:
            search(*_of(literal, ""))
        except BadRegex as problem:
            yield field, str(problem), "write it as JavaScript does"
    if isinstance(glob := trigger.get("modifiedFilesGlob") or "", str):
        try:
            alternatives(glob)
        except BadGlob as problem:
            yield "modifiedFilesGlob", str(problem), "name folders instead of files"
    else:
        yield "modifiedFilesGlob", "must be a text", "write '{src/**,docs/**}'"


def _of(literal: tuple[str, str], text: str) -> tuple[str, str, str]:
    return literal[0], text, literal[1]


def refusal(trigger: Mapping[str, Any], event: GitEvent) -> str:
    """Return why an event does not start this trigger; ``""`` where it does.

    Args:
        trigger: as the document of its pipeline has it.
        event: what happened. Files that the host did not tell count as a match.
    """
    for check in (_switch, _event, _repo, _branch, _target, _comment, _fork, _files, _words):
        try:
            reason = check(trigger, event)
        except (BadRegex, BadGlob) as problem:
            reason = str(problem)
        if reason:
            return reason
    return ""


def _switch(trigger: Mapping[str, Any], event: GitEvent) -> str:  # noqa: ARG001 - one form for all checks
    return "the trigger is disabled" if trigger.get("disabled") else ""


def _event(trigger: Mapping[str, Any], event: GitEvent) -> str:
    names = event.names
    if event.comment is not None and trigger.get("skipCommentAuthorAssociationValidation"):
        names = names | {"pullrequest.commentAdded"}
    wanted = trigger.get("events") or []
    if names & set(wanted):
        return ""
    return f"event {' or '.join(sorted(names))} is not one of {', '.join(wanted) or 'none'}"


def _repo(trigger: Mapping[str, Any], event: GitEvent) -> str:
    repo = trigger.get("repo") or ""
    return "" if repo.lower() == event.repo.lower() else f"repository {event.repo!r} is not {repo!r}"


def _found(literal: object, text: str) -> bool:
    """Tell whether ``/regex/flags`` is in a text; the flag ``g`` has no influence."""
    parts = split_literal(literal) if isinstance(literal, str) else None
    if parts is None:
        raise BadRegex(f"{literal!r} is no regular expression; write /…/")
    return search(*_of(parts, text))


def _branch(trigger: Mapping[str, Any], event: GitEvent) -> str:
    literal = trigger.get("branchRegex")
    if not literal:
        return ""
    found = _found(literal, event.branch or "")
    if trigger.get("branchRegexInput") == "multiselect-exclude":
        found = not found
    return "" if found else f"branch {event.branch!r} does not match {literal}"


def _target(trigger: Mapping[str, Any], event: GitEvent) -> str:
    literal = trigger.get("pullRequestTargetBranchRegex")
    if not literal or event.pull_request is None:
        return ""
    target = event.pull_request.target or ""
    return "" if _found(literal, target) else f"target branch {target!r} does not match {literal}"


def _comment(trigger: Mapping[str, Any], event: GitEvent) -> str:
    literal = trigger.get("commentRegex")
    if not literal or event.comment is None:
        return ""
    return "" if _found(literal, event.comment) else f"comment does not match {literal}"


def _fork(trigger: Mapping[str, Any], event: GitEvent) -> str:
    if event.fork and not trigger.get("pullRequestAllowForkEvents"):
        return "the pull request comes from a fork; pullRequestAllowForkEvents is not set"
    return ""


def _files(trigger: Mapping[str, Any], event: GitEvent) -> str:
    glob = trigger.get("modifiedFilesGlob") or ""
    if event.files is None or any_matches(glob, event.files):
        return ""
    return f"no changed file matches {glob[:200]!r}"


def _words(trigger: Mapping[str, Any], event: GitEvent) -> str:  # noqa: ARG001 - one form for all checks
    if event.pull_request is not None or event.message is None:
        return ""
    word = next((word for word in SKIP_WORDS if word in event.message.lower()), "")
    return f"the commit message says {word}" if word else ""
