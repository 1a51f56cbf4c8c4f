"""From a step that uses a step type to the steps that it comes to.

Source: `reference/pipeline-yaml.md` 9.2, 9.3. Texts with ``${{NAME}}`` among the arguments are
handed on as they are written, so secrets and values of later stay references in the plan; what a
template decides, it decides on the values that are known when the build is asked for.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from headrace.pipeline.document import load
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.findings import Findings, Place
from headrace.pipeline.members import read_members
from headrace.pipeline.plan import Action, Group, Outputs
from headrace.pipeline.schema import Schema
from headrace.pipeline.spec import StepRead
from headrace.pipeline.step_type import StepTypeDefinition
from headrace.pipeline.steps.base import COMMON_FIELDS, POST_FIELDS, StepSpec, StepType
from headrace.pipeline.templates import Reference, TemplateError, render
from headrace.pipeline.variables import SYSTEM_PREFIXES, VOLUME, Scope, TextTooLong, references, substitute

# ``name``, ``name:1.2.3``, ``account/name``, as written after ``type:``; None where there is none.
Resolve = Callable[[str], StepTypeDefinition | None]

# What belongs to the using step itself; other keys beside ``arguments`` are arguments of the old form.
_OWN = {
    *COMMON_FIELDS,
    *POST_FIELDS,
    "type",
    "scale",
    "matrix",
    "success_criteria",
    "annotations",
    "metadata",
}
_REFERENCE = re.compile(r"\$\{\{([^\n]+?)\}\}")


class _Group(StepType):
    """The using step itself."""

    name = "step-type"

    def plan(self, spec: StepSpec) -> Action:  # noqa: ARG002  # as declared
        """A group; its members are made beside it."""
        return Group(mode="sequential")


GROUP = _Group()


class Unfolded(msgspec.Struct, frozen=True):
    """What a step comes to: steps named ``<step>.<name>``, and what they hand on together."""

    spec: StepSpec  # the fields of the using step itself
    steps: tuple[StepRead, ...]
    outputs: Outputs


def unfold(step: StepRead, definition: StepTypeDefinition, known: Scope, found: Findings) -> Unfolded | None:
    """Unfold one step.

    Args:
        step: the using step, ``arguments`` in their place.
        definition: its step type.
        known: variables that are known already; those of the system may hold texts of strangers.
        found: takes what is wrong.

    Returns:
        None where something is wrong.
    """
    place, body = step.place / "arguments", step.body
    given = body.get("arguments") or {}
    if not isinstance(given, dict):
        found.add(place, '"arguments" must be an object')
        return None
    old_form = {
        key: value for key, value in body.items() if key not in _OWN and key in definition.arguments.names
    }
    try:
        arguments = _arguments(definition.arguments, {**old_form, **given}, known)
    except TextTooLong as error:
        found.add(place, str(error))
        return None
    problems = list(definition.arguments.problems(arguments))
    for path, message in problems:
        found.add(_below(place, path), message, hint=f"see the arguments of {step.type!r}")
    if problems:
        return None
    steps = _steps(step, definition, arguments, found)
    if steps is None:
        return None
    directory = body.get("working_directory")
    members = read_members(steps, directory if isinstance(directory, str) and directory else VOLUME)
    for wrong in members.errors:
        found.add(step.place / "type", f"step type {step.type!r}: {wrong.path}: {wrong.message}")
    if members.errors:
        return None
    own = {key: value for key, value in body.items() if key in _OWN and key != "arguments"}
    names = {member.name: f"{step.name}.{member.name}" for member in members.steps}
    return Unfolded(
        GROUP.read(own, step.place, found),
        tuple(_member(member, step.place, names) for member in members.steps),
        _outputs(definition),
    )


def _below(place: Place, path: tuple[str | int, ...]) -> Place:
    for part in path:
        place /= part
    return place


def _outputs(definition: StepTypeDefinition) -> Outputs:
    returns = definition.returns
    return Outputs() if returns is None else Outputs(names=returns.names, required=returns.required)


def _member(member: StepRead, place: Place, names: Mapping[str, str]) -> StepRead:
    """The step under its name in the plan; what it says of its neighbours follows."""
    spec = dict(member.spec)
    when = spec.get("when")
    steps = (when or {}).get("steps")
    if when and steps:
        renamed = {
            form: entries
            and tuple({**entry, "name": names.get(entry["name"], entry["name"])} for entry in entries)
            for form, entries in steps.items()
        }
        spec["when"] = {**when, "steps": renamed}
    return msgspec.structs.replace(member, name=names[member.name], place=place, spec=spec)


# Arguments


def _arguments(schema: Schema, given: Mapping[str, Any], known: Scope) -> dict[str, Any]:
    ours = {name: value for name, value in known.variables.items() if not name.startswith(SYSTEM_PREFIXES)}
    trusted = Scope(ours)
    return {
        name: _read(value, known, trusted, is_text=schema.is_text(name))
        for name, value in schema.with_defaults(given).items()
    }


def _read(value: Any, known: Scope, trusted: Scope, *, is_text: bool) -> Any:  # noqa: ANN401  # JSON's edge
    if isinstance(value, list):
        return [_read(item, known, trusted, is_text=True) for item in value]
    if isinstance(value, dict):
        return {key: _read(item, known, trusted, is_text=True) for key, item in value.items()}
    if not isinstance(value, str):
        return value
    if "${{" not in value:
        return value if is_text else _plain(value)
    filled = substitute(value, known)
    is_known = not references(filled)
    if is_known and not is_text:
        return _plain(filled)
    is_trusted = is_known and substitute(value, trusted) == filled
    return Reference(value, filled if is_known else None, is_trusted=is_trusted, is_text=is_text)


def _plain(text: str) -> Any:  # noqa: ANN401  # JSON's edge
    """A number, a boolean, a list or a map that is written as a text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


# Steps


def _steps(
    step: StepRead, definition: StepTypeDefinition, arguments: dict[str, Any], found: Findings
) -> Mapping[str, Any] | None:
    if definition.template is None:
        empty = dict.fromkeys(definition.arguments.names, "")
        return {name: _filled(body, empty | arguments) for name, body in definition.steps.items()}
    try:
        steps = load(render(definition.template, {"Arguments": arguments})).data
    except TemplateError as error:
        found.add(step.place / "type", f"step type {step.type!r}: stepsTemplate: {error}")
        return None
    except SpecErrors as errors:
        wrong = errors.errors[0]
        words = f"step type {step.type!r}: stepsTemplate gives no YAML: {wrong.message}"
        found.add(step.place / "type", words, hint=f"line {wrong.line} of what it gives")
        return None
    if not isinstance(steps, dict):
        found.add(step.place / "type", f"step type {step.type!r}: stepsTemplate gives no map of steps")
        return None
    return steps


def _filled(value: Any, arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401  # JSON's edge
    """Put arguments in the place of their names; other references are variables, and stay."""
    if isinstance(value, list):
        return [_filled(item, arguments) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, arguments) for key, item in value.items()}
    if not isinstance(value, str) or "${{" not in value:
        return value
    whole = _REFERENCE.fullmatch(value)
    given = arguments.get(whole[1].strip()) if whole else None
    if isinstance(given, list | dict):
        return given

    def text(found: re.Match[str]) -> str:
        name = found[1].strip()
        if name not in arguments:
            return found.group()
        argument = arguments[name]
        if argument is None:
            return ""
        return str(argument) if isinstance(argument, str) else json.dumps(argument, ensure_ascii=False)

    return _REFERENCE.sub(text, value)
