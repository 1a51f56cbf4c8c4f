"""Declared fields: what each accepts, what it makes of it, and the exact words of its complaint.

A field reads a plain value and returns what the plan uses; problems go to `Findings`, and what
was wrong reads as None. Messages follow `reference/pipeline-yaml.md`, 1.4 and 11.3.
`schema` says the same as JSON Schema, for editors; where it cannot, it accepts more than `read`.
"""

import re
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from typing import Any, Protocol

from headrace.pipeline.findings import Findings, Place, as_javascript, nearest, shown

_ONE_REFERENCE = re.compile(r"\$\{\{[^}\n]+\}\}")
_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.IGNORECASE | re.ASCII)
_REFERENCE_SCHEMA = {"type": "string", "pattern": f"^{_ONE_REFERENCE.pattern}$"}
_DURATION = re.compile(r"\d*\.?\d*[smh]", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600}
MAX_TIMEOUT_S = 2_147_483.647


class Field(Protocol):
    """One kind of field."""

    required: bool

    def read(self, value: Any, place: Place, found: Findings) -> Any:  # noqa: ANN401  # JSON's edge
        """Check a value that is present; return what it means."""

    def absent(self) -> Any:  # noqa: ANN401  # the same
        """What the field means where it is not written."""

    def schema(self) -> dict[str, Any]:
        """JSON Schema (draft-07) of what may be written, with the default where there is one."""


class _Optional:
    """What most fields share."""

    def __init__(self, *, required: bool = False, default: object = None) -> None:
        self.required, self._default = required, default

    def absent(self) -> Any:  # noqa: ANN401  # JSON's edge
        return self._default

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the kind, with the default."""
        return self.kind() if self._default in (None, ()) else {**self.kind(), "default": self._default}

    def kind(self) -> dict[str, Any]:
        """JSON Schema of what may be written; nothing said accepts everything."""
        return {}


class Text(_Optional):
    """A string that is not empty; nothing is made into one."""

    def read(self, value: object, place: Place, found: Findings) -> str | None:
        """Return the string."""
        if not isinstance(value, str):
            found.add(place, f'"{place.key}" must be a string{shown(value)}')
            return None
        if not value:
            found.add(place, f'"{place.key}" is not allowed to be empty')
            return None
        return value

    def kind(self) -> dict[str, Any]:
        """JSON Schema of what may be written."""
        return {"type": "string", "minLength": 1}


class OneOf(Text):
    """One of some words."""

    def __init__(self, *words: str, default: str | None = None, required: bool = False) -> None:
        super().__init__(required=required, default=default)
        self._words = words

    def read(self, value: object, place: Place, found: Findings) -> str | None:
        """Return the word."""
        if isinstance(value, str) and value in self._words:
            return value
        known = ", ".join(self._words)
        found.add(place, f'"{place.key}" must be one of [{known}]{shown(value)}')
        if not isinstance(value, str):
            found.add(place, f'"{place.key}" must be a string{shown(value)}')
        return None

    def kind(self) -> dict[str, Any]:
        """JSON Schema of what may be written."""
        return {"enum": list(self._words)}


class Like(Text):
    """A string that a pattern is found in."""

    def __init__(self, pattern: str, shown_as: str, *, required: bool = False) -> None:
        super().__init__(required=required)
        self._pattern, self._shown = re.compile(pattern), shown_as

    def read(self, value: object, place: Place, found: Findings) -> str | None:
        """Return the string."""
        text = super().read(value, place, found)
        if text is not None and not self._pattern.search(text):
            words = f'"{place.key}" with value "{text}" fails to match the required pattern: {self._shown}'
            found.add(place, words + shown(text))
        return text

    def kind(self) -> dict[str, Any]:
        """JSON Schema of what may be written."""
        return {"type": "string", "pattern": self._pattern.pattern}


def _complain_of_pattern(value: object, place: Place, found: Findings) -> None:
    """Say why a value is no single reference either; the odd words are the original's."""
    if isinstance(value, str):
        found.add(place, f'"{place.key}" with value "{value}" fails to match the [object Object] pattern')
    else:
        found.add(place, f'"{place.key}" must be a string{shown(value)}')


class Flag(_Optional):
    """A Boolean in any of its spellings, or exactly one ``${{VAR}}``, which stays a string."""

    def read(self, value: object, place: Place, found: Findings) -> bool | str | None:
        """Return the Boolean, or the reference."""
        if isinstance(value, bool):
            return value
        if isinstance(value, int | float) and value in (0, 1):
            return value == 1
        if isinstance(value, str):
            if value.lower() in _WORDS:
                return _WORDS[value.lower()]
            if _ONE_REFERENCE.fullmatch(value):
                return value
        found.add(place, f'"{place.key}" must be a boolean', hint="true, false or one ${{VARIABLE}}")
        _complain_of_pattern(value, place, found)
        return None

    def kind(self) -> dict[str, Any]:
        """JSON Schema of what may be written."""
        return {"anyOf": [{"type": "boolean"}, {"enum": [*_WORDS, 0, 1]}, _REFERENCE_SCHEMA]}


class StrictFlag(_Optional):
    """A real Boolean, or exactly one ``${{VAR}}``."""

    def read(self, value: object, place: Place, found: Findings) -> bool | str | None:
        """Return the Boolean, or the reference."""
        if isinstance(value, bool) or (isinstance(value, str) and _ONE_REFERENCE.fullmatch(value)):
            return value
        found.add(place, f'"{place.key}" must be a boolean', hint="true, false or one ${{VARIABLE}}")
        _complain_of_pattern(value, place, found)
        return None

    def kind(self) -> dict[str, Any]:
        """JSON Schema of what may be written."""
        return {"anyOf": [{"type": "boolean"}, _REFERENCE_SCHEMA]}


class Number(_Optional):
    """A number, or a string that spells one."""

    positive = False

    def read(self, value: object, place: Place, found: Findings) -> float | None:
        """Return the number."""
        number: float | None = None
        if (isinstance(value, int | float) and not isinstance(value, bool)) or (
            isinstance(value, str) and _NUMBER.fullmatch(value)
        ):
            number = float(value)
        if number is None or not abs(number) < float("inf"):
            found.add(place, f'"{place.key}" must be a number{shown(value)}')
            return None
        if self.positive and number <= 0:
            if number == 0:
                found.add(place, f'"{place.key}" contains an invalid value')
            found.add(place, f'"{place.key}" must be a positive number{shown(value)}')
            return None
        return number

    def kind(self) -> dict[str, Any]:
        """JSON Schema of what may be written."""
        return {"anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^{_NUMBER.pattern}$"}]}


class PositiveNumber(Number):
    """A number above zero."""

    positive = True

    def kind(self) -> dict[str, Any]:
        """JSON Schema of what may be written."""
        number, text = super().kind()["anyOf"]
        return {"anyOf": [{**number, "exclusiveMinimum": 0}, text]}


class Duration(_Optional):
    """``45m``, ``30s``, ``1.5h`` in seconds; null and zero are none. What is malformed only warns."""

    def read(self, value: object, place: Place, found: Findings) -> float | None:
        """Return the seconds; None for no limit."""
        if value is None:
            return None
        if not isinstance(value, str) or not _DURATION.fullmatch(value):
            if not (isinstance(value, str) and _ONE_REFERENCE.fullmatch(value)):
                words = "<duration><units> where duration is int|float and units are s|m|h"
                text = (
                    f'"{place.key}" with value "{as_javascript(value)}" fails to match the "{words}" pattern'
                )
                text += shown(value)
                found.add(place, text, kind="Warning")
            return None
        digits = value[:-1].strip(".")
        seconds = float(value[:-1]) * _UNITS[value[-1]] if digits else 0.0
        return min(seconds, MAX_TIMEOUT_S) or None

    def kind(self) -> dict[str, Any]:
        """JSON Schema of what may be written."""
        return {"type": ["string", "null"], "examples": ["30s", "45m", "1.5h"]}


class Items(_Optional):
    """A list, each entry of one kind."""

    def __init__(self, item: Field, *, required: bool = False, default: object = None) -> None:
        super().__init__(required=required, default=default)
        self._item = item

    def read(self, value: object, place: Place, found: Findings) -> tuple[Any, ...] | None:
        """Return what the entries mean, in their order."""
        if not isinstance(value, list):
            found.add(place, f'"{place.key}" must be an array{shown(value)}')
            return None
        return tuple(self._item.read(item, place / index, found) for index, item in enumerate(value))

    def kind(self) -> dict[str, Any]:
        """JSON Schema of what may be written."""
        return {"type": "array", "items": self._item.schema()}


class Anything(_Optional):
    """Whatever it is, it is not looked into."""

    def read(self, value: Any, place: Place, found: Findings) -> Any:  # noqa: ANN401, ARG002  # JSON's edge
        """Return the value."""
        return value


class AnyMap(_Optional):
    """A map that is not looked into."""

    def read(self, value: object, place: Place, found: Findings) -> dict[str, Any] | None:
        """Return the map."""
        if isinstance(value, dict):
            return value
        found.add(place, f'"{place.key}" must be an object{shown(value)}')
        return None

    def kind(self) -> dict[str, Any]:
        """JSON Schema of what may be written."""
        return {"type": "object"}


class MapOf(AnyMap):
    """A map with free keys, each value of one kind."""

    def __init__(self, item: Field, *, names: str = r".*", required: bool = False) -> None:
        super().__init__(required=required)
        self._item, self._names = item, re.compile(names, re.DOTALL | re.ASCII)

    def read(self, value: object, place: Place, found: Findings) -> dict[str, Any] | None:
        """Return what the values mean."""
        entries = super().read(value, place, found)
        if entries is None:
            return None
        for name in entries:
            if not self._names.fullmatch(name):
                found.add(place / name, f'"{name}" is not allowed', hint="use letters, digits and _")
        return {name: self._item.read(item, place / name, found) for name, item in entries.items()}

    def kind(self) -> dict[str, Any]:
        """JSON Schema of what may be written."""
        return {"type": "object", "additionalProperties": self._item.schema()}


class Either(_Optional):
    """One of some kinds; if none fits, each says why."""

    def __init__(self, *kinds: Field, required: bool = False, default: object = None) -> None:
        super().__init__(required=required, default=default)
        self._kinds = kinds

    def read(self, value: Any, place: Place, found: Findings) -> Any:  # noqa: ANN401  # JSON's edge
        """Return what the first kind that fits makes of it."""
        complaints: list[Findings] = []
        for kind in self._kinds:
            attempt = found.attempt()
            result = kind.read(value, place, attempt)
            if not attempt.errors:
                found.warnings.extend(attempt.warnings)
                return result
            complaints.append(attempt)
        for attempt in complaints:
            found.errors.extend(attempt.errors)
        return None

    def kind(self) -> dict[str, Any]:
        """JSON Schema of what may be written."""
        return {"anyOf": [kind.schema() for kind in self._kinds]}


class Mapping(_Optional):
    """A map with declared keys.

    Args:
        strict: whether another key is an error.
        fields: the kinds of the values, by key, in the order that suggestions prefer.
    """

    def __init__(
        self,
        fields: MappingOf[str, Field] | None = None,
        /,
        *,
        strict: bool = True,
        is_required: bool = False,
        exclusive: Sequence[tuple[str, str]] = (),
        **named: Field,
    ) -> None:
        super().__init__(required=is_required)
        self.fields: dict[str, Field] = {**(fields or {}), **named}
        self._strict, self._exclusive = strict, exclusive

    def absent(self) -> dict[str, Any] | None:
        """The defaults of all keys; None where there is no default at all."""
        defaults = {name: field.absent() for name, field in self.fields.items()}
        return defaults if any(value is not None for value in defaults.values()) else None

    def read(self, value: object, place: Place, found: Findings) -> dict[str, Any] | None:
        """Return every declared key with what it means, or its default."""
        if not isinstance(value, dict):
            found.add(place, f'"{place.key}" must be an object{shown(value)}')
            return None
        result: dict[str, Any] = {}
        for name, field in self.fields.items():
            if name in value:
                result[name] = field.read(value[name], place / name, found)
            else:
                result[name] = field.absent()
                if field.required:
                    found.add(place / name, f'"{name}" is required')
        for first, second in self._exclusive:
            if first in value and second in value:
                found.add(place, f'"value" contains a conflict between exclusive peers [{first}, {second}]')
        if self._strict:
            self._refuse_others(value, place, found)
        return result

    def _refuse_others(self, value: dict[str, Any], place: Place, found: Findings) -> None:
        allowed = list(self.fields)
        for name in value:
            if name not in self.fields:
                found.add(place / name, f'"{name}" is not allowed', suggestion=nearest(name, allowed))

    def kind(self) -> dict[str, Any]:
        """JSON Schema of what may be written."""
        found: dict[str, Any] = {
            "type": "object",
            "properties": {name: field.schema() for name, field in self.fields.items()},
        }
        if required := [name for name, field in self.fields.items() if field.required]:
            found["required"] = required
        return found if not self._strict else {**found, "additionalProperties": False}
