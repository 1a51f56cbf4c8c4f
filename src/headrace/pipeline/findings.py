"""Where a check stands in a document, and what the checks have found so far."""

import math
from collections.abc import Iterable, Sequence

import msgspec

from headrace.pipeline.document import Document, Path
from headrace.pipeline.errors import Kind, SpecError

_CLOSE_LENGTH = 3  # a key is near another if their lengths differ by less than this
_CLOSE_DISTANCE = 5  # and fewer than this many letters must change
_LONGEST_KEY = 64  # longer keys are near nothing


class Place(msgspec.Struct, frozen=True):
    """A position in the document: the path, and the step that it belongs to."""

    path: Path = ()
    step: str = ""  # "" outside steps, and in hooks

    def __truediv__(self, key: str | int) -> "Place":
        return Place((*self.path, key), self.step)

    @property
    def key(self) -> str:
        """The last part, as messages name it."""
        return str(self.path[-1]) if self.path else "value"

    @property
    def dotted(self) -> str:
        """The whole path, for example ``steps.unit.commands.0``."""
        return ".".join(str(part) for part in self.path)


class Findings:
    """Collects problems; nothing stops at the first."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.errors: list[SpecError] = []
        self.warnings: list[SpecError] = []

    def attempt(self) -> "Findings":
        """An empty collection over the same document, for one of several ways to read a value."""
        return Findings(self._document)

    def add(
        self,
        place: Place,
        message: str,
        *,
        hint: str = "",
        suggestion: str | None = None,
        kind: Kind = "Validation",
        code: int | None = None,
    ) -> None:
        """Add one problem; ``suggestion`` is the key that was probably meant."""
        if suggestion is not None:
            message = f'{message}. Did you mean "{suggestion}"?'
        problem = SpecError(
            message,
            path=place.dotted,
            hint=hint,
            line=self._document.line(place.path),
            type=kind,
            level="step" if place.step else "workflow",
            step_name=place.step,
            key=place.key,
            suggestion=None if suggestion is None else (place.key, suggestion),
            code=code,
        )
        (self.warnings if kind == "Warning" else self.errors).append(problem)


def shown(value: object) -> str:
    """The value as the original shows it at the end of a message; ``""`` where it shows none."""
    text = as_javascript(value)
    hidden = value is None or value is False or value in (0, "") or value != value  # noqa: PLR0124  # NaN
    return "" if hidden else f". Current value: {text} "


def as_javascript(value: object) -> str:
    """A plain value as JavaScript's ``String()`` writes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "[object Object]"
    if isinstance(value, list):
        return ",".join("" if item is None else as_javascript(item) for item in value)
    if isinstance(value, float):
        return _number_text(value)
    return str(value)


def _number_text(value: float) -> str:
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if math.isnan(value):
        return "NaN"
    return str(int(value)) if value.is_integer() else repr(value)


def nearest(key: str, allowed: Sequence[str]) -> str | None:
    """The allowed key that was probably meant; None where nothing is near.

    First a key that begins with the wrong one, the shortest; else the one with the fewest letters
    to change. Of equals, the first in the order of ``allowed``.
    """
    if len(key) > _LONGEST_KEY:
        return None
    longer = [name for name in allowed if name.startswith(key)]
    if longer:
        return min(longer, key=len)
    near = [
        (distance, name)
        for name in allowed
        if abs(len(name) - len(key)) < _CLOSE_LENGTH and (distance := _distance(key, name)) < _CLOSE_DISTANCE
    ]
    return min(near, key=lambda pair: pair[0])[1] if near else None


def _distance(left: str, right: str) -> int:
    """Levenshtein's."""
    row: Iterable[int] = range(len(right) + 1)
    for i, a in enumerate(left, 1):
        above = list(row)
        new = [i]
        for j, b in enumerate(right, 1):
            new.append(min(above[j] + 1, new[-1] + 1, above[j - 1] + (a != b)))
        row = new
    return list(row)[-1]
