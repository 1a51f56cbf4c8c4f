"""``spec.externalResources``: files of other repositories, copied into the volume before the first step.

They are a group of their own in the plan, like a hook on election: in every mode nothing starts
before they are there, and the build fails where one cannot be copied.
Source: `reference/pipeline-yaml.md`, section 8.2.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from headrace.pipeline.errors import SpecError, SpecErrors
from headrace.pipeline.plan import CloneRepository, CopyOut, Group, Hook, Plan, PlannedStep
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


def _of_paths(resource: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for field, judge in (("source", source_path), ("destination", destination_path)):
        text = resource.get(field) or ""
        try:
            judge(text)
        except ValueError as problem:
            yield f".{field}", str(problem), "name a path without '..'"
    if "@" in (resource.get("repo") or "").partition("://")[2].partition("/")[0]:
        yield ".repo", "holds a login", "give it by a git context, and the address without it"


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
        if resource["type"] != "git":
            message = f"Headrace does not copy this yet: type {resource['type']!r}"
            hint = "use type: git, or fetch it in a step"
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
    return PlannedStep(
        name=name,
        parent=GROUP,
        type="git-clone",
        title=place,
        action=CloneRepository(
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
        ),
    )
