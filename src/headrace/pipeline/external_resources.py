"""``spec.externalResources``: files of other repositories, copied into the volume before the first step.

They are a group of their own in the plan, like a hook on election: in every mode nothing starts
before they are there, and the build fails where one cannot be copied.
Source: `reference/pipeline-yaml.md`, section 8.2.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from headrace.pipeline.errors import SpecError, SpecErrors
from headrace.pipeline.plan import CloneRepository, CopyOut, FetchFile, Group, Hook, Plan, PlannedStep
from headrace.pipeline.variables import VOLUME

FIELD = "externalResources"
PLACE = f"spec.{FIELD}"
GROUP = "#external_resources"
_TYPES = ("git", "cloud", "url")
_TEXTS = ("id", "type", "source", "destination", "context", "repo", "revision")
_MOST = 100  # in one pipeline
_NAME = re.compile(r"[\w.-]{1,100}")


def problems(resources: object) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with the field as it is written: (place below it, complaint, cure)."""
    if resources is None:
        return
    if not isinstance(resources, list):
        yield "", "must be a list", f"write {FIELD}: with one '- type: git' for each"
        return
    if len(resources) > _MOST:
        yield "", f"has {len(resources)} entries, at most {_MOST} are taken", ""
        return
    for at, resource in enumerate(resources):
        for field, complaint, cure in _of_one(resource):
            yield f".{at}{field}", complaint, cure


def _of_one(resource: object) -> Iterator[tuple[str, str, str]]:
    if not isinstance(resource, dict):
        yield "", "must be an object", "write type:, repo:, revision:, source: and destination:"
        return
    wrong = [field for field in _TEXTS if not isinstance(resource.get(field) or "", str)]
    for field in wrong:
        yield f".{field}", "must be a text", "put it in quotes"
    if not isinstance(resource.get("isFolder") or False, bool):
        yield ".isFolder", "must be true or false", ""
    if not wrong:
        yield from _of_kind(resource, resource.get("type"))


def _of_kind(resource: Mapping[str, Any], kind: str | None) -> Iterator[tuple[str, str, str]]:
    """What is wrong with one whose texts are texts."""
    if kind not in _TYPES:
        yield ".type", "must be 'git', 'cloud' or 'url'", "write type: git"
        return
    own = ("repo", "revision")
    for field in ("source", "destination", *(own if kind == "git" else ())):
        if not resource.get(field):
            yield f".{field}", "is required", ""
    for field in own if kind != "git" else ():
        if resource.get(field):
            yield f".{field}", f"is not allowed where the type is {kind}", "remove it, or write type: git"
    if kind == "git":
        yield from _of_paths(resource)
    elif kind == "url":
        yield from _of_url(resource)


def _of_url(resource: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    source = resource.get("source") or ""
    if not source.startswith(("http://", "https://", "${{")):
        yield ".source", "is no address", "write source: https://host/path"
    if "@" in source.partition("://")[2].partition("/")[0]:
        yield ".source", "holds a login", "fetch the file in a step, with a secret"
    if resource.get("isFolder"):
        yield (
            ".isFolder",
            "must be false where the type is url",
            "an address is one file; unpack it in a step",
        )
    yield from _of_path(resource, "destination", destination_path)


def _of_paths(resource: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    yield from _of_path(resource, "source", source_path)
    yield from _of_path(resource, "destination", destination_path)
    if "@" in (resource.get("repo") or "").partition("://")[2].partition("/")[0]:
        yield ".repo", "holds a login", "give it by a git context, and the address without it"


def _of_path(
    resource: Mapping[str, Any], field: str, judge: Callable[[str], str]
) -> Iterator[tuple[str, str, str]]:
    try:
        judge(resource.get(field) or "")
    except ValueError as problem:
        yield f".{field}", str(problem), "name a path without '..'"


def source_path(text: str) -> str:
    """Return a path in the repository, from its root; ``.`` is all of it.

    Raises:
        ValueError: it leads out of the repository.
    """
    path = posixpath.normpath(text.strip().lstrip("/") or ".")
    if ".." in path.split("/") or ".git" in path.split("/")[:1]:
        raise ValueError(f"{text!r} is not in the repository")
    return path


def destination_path(text: str) -> str:
    """Return where a copy goes: absolute and in the volume; it ends with ``/`` where a folder is meant.

    Raises:
        ValueError: it leads out of the volume.
    """
    written = text.strip()
    path = posixpath.normpath(posixpath.join(VOLUME, written))
    if ".." in written.split("/") or not f"{path}/".startswith(f"{VOLUME}/"):
        raise ValueError(f"{text!r} leads out of the volume, {VOLUME}")
    return f"{path}/" if written.endswith("/") else path


def with_resources(plan: Plan, resources: object) -> Plan:
    """Return a plan that begins with copying; the same plan where there is nothing to copy.

    Raises:
        SpecErrors: all that is wrong with them, and what is not carried out.
    """
    found = [SpecError(text, path=PLACE + place, hint=cure) for place, text, cure in problems(resources)]
    if found:
        raise SpecErrors(found)
    if not isinstance(resources, list) or not resources:
        return plan
    for at, resource in enumerate(resources):
        if resource["type"] == "cloud":
            message = "Headrace does not copy this yet: type 'cloud'"
            hint = "use type: git or url (a signed address of the object), or fetch it in a step"
            found.append(SpecError(message, path=f"{PLACE}.{at}.type", hint=hint))
    if found:
        raise SpecErrors(found)
    group = PlannedStep(name=GROUP, type="resources", title=FIELD, action=Group(mode="sequential"))
    steps = [group]
    for at, resource in enumerate(resources):
        name = resource.get("id") or ""
        if not _NAME.fullmatch(name) or any(step.name == f"{GROUP}#{name}" for step in steps):
            name = str(at + 1)
        steps.append(_planned(resource, f"{GROUP}#{name}", f"{PLACE}.{at}"))
    return msgspec.structs.replace(plan, resources=Hook(steps=tuple(steps)))


def _planned(resource: Mapping[str, Any], name: str, place: str) -> PlannedStep:
    is_git = resource["type"] == "git"
    return PlannedStep(
        name=name,
        parent=GROUP,
        type="git-clone" if is_git else "fetch",
        title=place,
        action=_copy(resource, place) if is_git else _fetch(resource, place),
    )


def _copy(resource: Mapping[str, Any], place: str) -> CloneRepository:
    return CloneRepository(
        repo=resource["repo"],
        revision=resource["revision"],
        git=resource.get("context") or None,
        depth=1,
        copy_out=CopyOut(
            place=place,
            source=resource["source"],
            destination=resource["destination"],
            is_folder=resource.get("isFolder"),
        ),
    )


def _fetch(resource: Mapping[str, Any], place: str) -> FetchFile:
    return FetchFile(place=place, source=resource["source"], destination=resource["destination"])
