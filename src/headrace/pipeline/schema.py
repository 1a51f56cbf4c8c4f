"""JSON Schemas of step types: what the arguments of a step must be, and what they are by default."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

from headrace.pipeline.templates import Reference

_KINDS = jsonschema_rs.ValidationErrorKind
_WORDS = {
    "string": "a string",
    "boolean": "a boolean",
    "number": "a number",
    "integer": "an integer",
    "array": "an array",
    "object": "an object",
}


class Schema:
    """One schema, draft-07, that refers to nothing outside of itself."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._validator = jsonschema_rs.Draft7Validator(dict(document), offline=True)

    @classmethod
    def read(cls, written: object) -> "Schema":
        """Read a schema from its text, or take it as plain values.

        Raises:
            ValueError: it is no JSON, or no schema; the text says where.
        """
        if isinstance(written, str):
            try:
                written = json.loads(written)
            except json.JSONDecodeError as error:
                raise ValueError(f"is no JSON: line {error.lineno}: {error.msg}") from None
            except RecursionError:
                raise ValueError("is nested too deep") from None
        if not isinstance(written, dict):
            raise ValueError("is no JSON Schema: it must be an object")  # noqa: TRY004  # one kind for all
        try:
            return cls(written)
        except jsonschema_rs.ValidationError as error:
            place = ".".join(map(str, error.instance_path))
            at = f" at {place}" if place else ""
            raise ValueError(f"is no JSON Schema{at}: {error.message}") from None

    @property
    def names(self) -> tuple[str, ...]:
        """The properties, in the order of the schema."""
        found = self._document.get("properties")
        return tuple(found) if isinstance(found, dict) else ()

    @property
    def required(self) -> tuple[str, ...]:
        """The properties that must be there."""
        found = self._document.get("required")
        return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list) else ()

    def is_text(self, name: str) -> bool:
        """Tell whether a property may be a text; one that says nothing of its type may."""
        kinds = self._property(name).get("type", "string")
        return "string" in (kinds if isinstance(kinds, list) else [kinds])

    def with_defaults(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the properties with what the schema says of those that are absent."""
        return _with_defaults(self._document, dict(given))

    def problems(self, value: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Find what is wrong: (path, message) of each.

        A text that is not known yet (`Reference`) may stand for a value of any type.
        """
        for error in self._validator.iter_errors(_plain(value)):
            path = tuple(error.instance_path)
            if not _is_open(value, path):
                yield from _messages(error, path)

    def _property(self, name: str) -> Mapping[str, Any]:
        found = (self._document.get("properties") or {}).get(name)
        return found if isinstance(found, dict) else {}


def _with_defaults(schema: Mapping[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties")
    for name, inner in properties.items() if isinstance(properties, dict) else ():
        if not isinstance(inner, dict):
            continue
        if name not in given and "default" in inner:
            given[name] = inner["default"]
        elif isinstance(given.get(name), dict):
            given[name] = _with_defaults(inner, dict(given[name]))
    return given


def _plain(value: Any) -> Any:  # noqa: ANN401  # JSON's edge
    """The value as the validator takes it: references are texts, with their values where they have some."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Reference):
        return str(value) if value.value is None else value.value
    return value


def _is_open(value: Any, path: tuple[str | int, ...]) -> bool:  # noqa: ANN401  # JSON's edge
    for part in path:
        value = value[part]
    if isinstance(value, list):
        return any(_is_open(item, ()) for item in value)
    if isinstance(value, dict):
        return False
    return isinstance(value, Reference) and value.value is None


def _messages(
    error: jsonschema_rs.ValidationError, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The words of the validator of pipelines, where it has some for such a mistake."""
    kind, key = error.kind, path[-1] if path else "arguments"
    if isinstance(kind, _KINDS.Required):
        yield (*path, kind.property), f'"{kind.property}" is required'
    elif isinstance(kind, _KINDS.AdditionalProperties):
        for name in kind.unexpected:
            yield (*path, name), f'"{name}" is not allowed'
    elif isinstance(kind, _KINDS.Type):
        wanted = " or ".join(_WORDS.get(str(word), str(word)) for word in kind.types)
        yield path, f'"{key}" must be {wanted}'
    elif isinstance(kind, _KINDS.Enum):
        options = kind.options if isinstance(kind.options, list) else [kind.options]
        yield path, f'"{key}" must be one of [{", ".join(map(str, options))}]'
    else:
        yield path, f'"{key}": {error.message}'
