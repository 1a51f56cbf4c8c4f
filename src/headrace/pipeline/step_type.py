"""``kind: step-type`` documents: what a step type takes, what it gives, which steps it comes to.

Source: `reference/pipeline-yaml.md` 9.1. Reading one says everything that is wrong with it.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from semver import Version

from headrace.pipeline.document import of_mapping
from headrace.pipeline.errors import SpecError, SpecErrors
from headrace.pipeline.members import read_members
from headrace.pipeline.schema import Schema
from headrace.pipeline.templates import Delimiters, TemplateError, parse
from headrace.pipeline.templates.parse import Node

FIRST_VERSION = "1.0.0"  # of a document that names none
_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
_LONGEST_NAME = 255
_LONGEST_VERSION = 128


class StepTypeDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a step type, checked."""

    name: str  # ``account/name``; one of the platform's own has no account
    version: str  # semver
    arguments: Schema
    returns: Schema | None = None  # None: everything that its steps export
    steps: Mapping[str, Any] = {}  # as written; empty where there is a template
    template: tuple[Node, ...] | None = None  # gives the steps as YAML


def latest(versions: Mapping[str, Any] | list[str]) -> str | None:
    """Return the highest version by semver, pre-releases included; None of none."""
    return max(versions, key=Version.parse, default=None)


def reference(text: str) -> tuple[str, str | None]:
    """Split ``account/name:1.2.3`` into name and version; None where it asks for the latest."""
    name, _, version = text.strip().partition(":")
    return name, version or None


def read_step_type(document: Mapping[str, Any]) -> StepTypeDefinition:
    """Read a document.

    Raises:
        SpecErrors: all that is wrong with it.
    """
    reader = _Reader(of_mapping(document).data)
    definition = reader.definition()
    if reader.errors:
        raise SpecErrors(reader.errors)
    return definition


class _Reader:
    def __init__(self, data: Any) -> None:  # noqa: ANN401  # JSON's edge
        self.errors: list[SpecError] = []
        self._data = data if isinstance(data, dict) else {}

    def _wrong(self, path: str, message: str, hint: str = "") -> None:
        self.errors.append(SpecError(message, path=path, hint=hint))

    def definition(self) -> StepTypeDefinition:
        data = self._data
        if data.get("kind") != "step-type":
            self._wrong("kind", '"kind" must be step-type')
        if str(data.get("version", "1.0")) not in ("1.0", "1"):
            self._wrong("version", "must be '1.0'")
        metadata, spec = self._map("metadata"), self._map("spec")
        name, version = self._name(metadata), self._version(metadata)
        arguments = self._schema(spec, "arguments") or Schema({})
        returns = self._schema(spec, "returns")
        template = self._template(spec)
        steps = self._steps(spec)
        if ("steps" in spec) == ("stepsTemplate" in spec):
            self._wrong("spec", "either spec.steps or spec.stepsTemplate is required")
        elif steps and not self.errors:
            named = ((f"spec.{error.path}", error.message) for error in read_members(steps).errors)
            self.errors += [SpecError(message, path=path) for path, message in named]
        return StepTypeDefinition(
            name=name, version=version, arguments=arguments, returns=returns, steps=steps, template=template
        )

    def _map(self, key: str) -> dict[str, Any]:
        value = self._data.get(key)
        if isinstance(value, dict):
            return value
        self._wrong(key, f'"{key}" is required' if value is None else f'"{key}" must be an object')
        return {}

    def _name(self, metadata: dict[str, Any]) -> str:
        name = metadata.get("name")
        if isinstance(name, str) and len(name) <= _LONGEST_NAME and _NAME.fullmatch(name):
            return name
        self._wrong("metadata.name", "Name is missing" if not name else "must be 'account/name'")
        return ""

    def _version(self, metadata: dict[str, Any]) -> str:
        version = metadata.get("version", FIRST_VERSION)
        if isinstance(version, str) and len(version) <= _LONGEST_VERSION and Version.is_valid(version):
            return version
        self._wrong("metadata.version", f"{version!r} is no semantic version, such as '1.0.0'")
        return FIRST_VERSION

    def _schema(self, spec: dict[str, Any], key: str) -> Schema | None:
        written = spec.get(key)
        if written in (None, "", {}):
            return None
        try:
            return Schema.read(written)
        except ValueError as error:
            self._wrong(f"spec.{key}", str(error), "write a JSON Schema (draft-07) as a text")
            return None

    def _template(self, spec: dict[str, Any]) -> tuple[Node, ...] | None:
        text = spec.get("stepsTemplate")
        if text is None:
            return None
        if not isinstance(text, str):
            self._wrong("spec.stepsTemplate", "must be a string")
            return None
        try:
            delimiters = msgspec.convert(spec.get("delimiters") or {}, Delimiters)
        except msgspec.ValidationError:
            self._wrong("spec.delimiters", "must be {left: '[[', right: ']]'}")
            return None
        try:
            return parse(text, delimiters)
        except TemplateError as error:
            self._wrong("spec.stepsTemplate", str(error))
            return None

    def _steps(self, spec: dict[str, Any]) -> dict[str, Any]:
        steps = spec.get("steps", {})
        if isinstance(steps, dict):
            return steps
        self._wrong("spec.steps", "must be an object")
        return {}
