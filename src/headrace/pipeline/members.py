"""The steps that a step type comes to: what may be among them, and how they are read.

Source: `reference/pipeline-yaml.md` 4.5 (``failFast``) and 9.3.
"""

import posixpath
from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.pipeline.document import Document, of_mapping
from headrace.pipeline.errors import SpecError
from headrace.pipeline.findings import Findings
from headrace.pipeline.spec import StepRead, read_spec
from headrace.pipeline.steps import STEP_TYPES
from headrace.pipeline.variables import IMAGE_DIRECTORY, VOLUME

MOST_MEMBERS = 500
# A step type's own steps are called by their keys, and stand where the using step stands.
_IGNORED = ("name", "stage", "fail_fast", "fail-fast", "failFast")
_NOT_HERE = ("parallel", "pending-approval")


class Members(msgspec.Struct, frozen=True):
    """The steps of a step type as read, and all that is wrong; paths are like ``steps.main.image``."""

    steps: tuple[StepRead, ...]
    errors: tuple[SpecError, ...]


def read_members(steps: Mapping[str, Any], directory: str = VOLUME) -> Members:
    """Read the map of steps of a step type; what is filled in later passes for right.

    Args:
        steps: as written, or as a template gave them.
        directory: where those start that do not say where.
    """
    normal = {name: _normal(body, directory) for name, body in steps.items()}
    document = of_mapping({"version": "1.0", "steps": normal})
    found = Findings(document)
    read = read_spec(document, found, STEP_TYPES)
    errors = [error for error in found.errors if not _is_filled_later(document, error)]
    refused = ((step.name, _refusal(step)) for step in read.steps)
    errors += [SpecError(words, path=f"steps.{name}.type") for name, words in refused if words]
    if not steps or len(steps) > MOST_MEMBERS:
        errors.append(SpecError(f"has {len(steps)} steps, not 1 to {MOST_MEMBERS}", path="steps"))
    return Members(read.steps, tuple(errors))


def _normal(body: object, home: str) -> object:
    if not isinstance(body, dict):
        return body
    kept = {key: value for key, value in body.items() if key not in _IGNORED}
    if "failFast" in body:
        kept["fail_fast"] = body["failFast"]
    kept = {"working_directory" if key == "working-directory" else key: kept[key] for key in kept}
    directory = kept.get("working_directory")
    if body.get("type", "freestyle") != "freestyle":
        return kept
    if directory is None:
        kept["working_directory"] = home
    elif (
        isinstance(directory, str) and not directory.startswith(("/", "${{")) and directory != IMAGE_DIRECTORY
    ):
        kept["working_directory"] = posixpath.join(VOLUME, directory)
    return kept


def _refusal(step: StepRead) -> str:
    if step.type in _NOT_HERE:
        return f"a step type may not use {step.type!r}"
    if step.step_type is None or step.step_type.versioned:
        return f"a step type may not use another one, {step.type!r}"
    return ""


def _is_filled_later(document: Document, error: SpecError) -> bool:
    value: Any = document.data
    for part in error.path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return isinstance(value, str) and "${{" in value
