"""``terminationPolicy``: what the start, or the termination, of a build does to other builds. Pure.

Source: `reference/pipeline-yaml.md`, section 7.5.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from headrace.pipeline.regexes import BadRegex, search, split_literal
from headrace.resources.builds.schemas import BuildRequest

ON_CREATE, ON_TERMINATE = "onCreate", "onTerminate"
_OF_BRANCH = ("ignoreBranch", "ignoreTrigger", "branchName")
_OF_ANNOTATION = ("key", "value")
_CURE = "write {type: branch, event: onCreate}, or {type: annotation, key: …, event: onTerminate}"

Policy = Sequence[Mapping[str, Any]]


def problems(policy: object) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with a policy of a document: (place below it, complaint, cure)."""
    if not isinstance(policy, list):
        yield "", "must be a list", _CURE
        return
    for at, entry in enumerate(policy):
        if not isinstance(entry, dict):
            yield f".{at}", "must be an object", _CURE
            continue
        kind = entry.get("type")
        if kind not in ("branch", "annotation"):
            yield f".{at}.type", "must be 'branch' or 'annotation'", _CURE
        if entry.get("event") not in (ON_CREATE, ON_TERMINATE):
            yield f".{at}.event", "must be 'onCreate' or 'onTerminate'", _CURE
        foreign = _OF_ANNOTATION if kind == "branch" else _OF_BRANCH
        for field in foreign:
            if field in entry:
                yield f".{at}.{field}", f"is not for an entry of type {kind!r}", "take it out"
        if kind == "annotation" and not (isinstance(entry.get("key"), str) and entry["key"]):
            yield f".{at}.key", "is required and must be a text", "write key: cf_predecessor"
        yield from _branch_name(entry.get("branchName"), f".{at}.branchName")


def _branch_name(value: object, place: str) -> Iterator[tuple[str, str, str]]:
    if value is None:
        return
    if not isinstance(value, str):
        yield place, "must be a text", "write a regular expression"
        return
    try:
        _matches(value, "")
    except BadRegex as problem:
        yield place, str(problem), "write a regular expression as JavaScript does"


def _matches(text: str, branch: str) -> bool:
    pattern, flags = split_literal(text) or (text, "")
    return search(pattern, branch, flags)


def by_branch(policy: Policy, new: BuildRequest, *, branch: str | None, trigger_id: str | None) -> bool:
    """Tell whether the start of a build ends an earlier one of its pipeline.

    Args:
        policy: of the new build.
        new: the build that starts.
        branch: of the earlier build.
        trigger_id: of the earlier build.
    """
    for entry in policy:
        if entry.get("type") != "branch" or entry.get("event") != ON_CREATE:
            continue
        name = entry.get("branchName")
        try:
            if isinstance(name, str) and not _matches(name, new.branch or ""):
                continue
        except BadRegex:  # too costly for this branch: then it does not match
            continue
        if entry.get("ignoreBranch"):
            return True
        if branch == new.branch and (entry.get("ignoreTrigger") or trigger_id == new.trigger_id):
            return True
    return False


def annotations(policy: Policy, event: str, own: Mapping[str, str], build_id: str) -> list[tuple[str, str]]:
    """Return the annotations, key and value, whose builds an event of a build ends.

    Args:
        policy: of the build.
        event: `ON_CREATE` or `ON_TERMINATE`.
        own: annotations of the build.
        build_id: of the build; the value that a termination looks for where none is given.
    """
    found = []
    for entry in policy:
        if entry.get("type") != "annotation" or entry.get("event") != event:
            continue
        key = str(entry.get("key"))
        value = entry.get("value")
        if value is None:
            value = own.get(key) if event == ON_CREATE else build_id
        if value is not None and (event == ON_TERMINATE or own.get(key) == str(value)):
            found.append((key, str(value)))
    return found
