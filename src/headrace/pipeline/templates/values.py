"""The values of templates: how they print, compare and count, within a budget."""

import re
from decimal import Decimal
from math import isfinite, isnan
from typing import Any, Self

Value = Any  # None, bool, int, float, str, list or dict of such

MAX_WORK = 2_000_000  # characters written and steps done by one template
_STEP = 20  # what one step costs, in characters
_PLAIN = re.compile(r"[\w .,:/@+=~^*()!?-]*\Z")  # harmless in YAML and in a shell's quotes


class TemplateError(ValueError):
    """A template cannot be read or carried out; `line` is 1-based, in the template."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message, self.line = message, line

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}" if self.line else self.message


class Wrong(ValueError):
    """A function cannot use its arguments; whoever calls it knows the line."""


class Reference(str):
    """A text with ``${{NAME}}`` in it. It prints as it is written, and is filled when a step starts.

    So a secret, or the text of a stranger, never becomes part of a step's YAML. What a template
    decides or works out, it decides on the value.
    """

    __slots__ = ("is_text", "is_trusted", "value")

    value: str | None  # None: not known before the build runs
    is_trusted: bool  # no part of it comes from outside of the account
    is_text: bool  # False: stands for a number, a boolean, a list, that is not known yet

    def __new__(cls, written: str, value: str | None, *, is_trusted: bool, is_text: bool = True) -> Self:
        """Make one from the text as written and, where it is known, its value."""
        made = super().__new__(cls, written)
        made.value, made.is_trusted, made.is_text = value, is_trusted, is_text
        return made


class Budget:
    """What one rendering may still do."""

    def __init__(self, left: int = MAX_WORK) -> None:
        self.left = left

    def step(self) -> None:
        """Count one step."""
        self.spend(_STEP)

    def spend(self, characters: int) -> None:
        """Count characters, before they are made.

        Raises:
            Wrong: the template does too much.
        """
        self.left -= characters
        if self.left < 0:
            raise Wrong("the template does too much; it writes too long a text, or repeats too often")


def decided(value: Value) -> Value:
    """Return a value that a template may decide on.

    Raises:
        Wrong: it is known only when the build runs.
    """
    if not isinstance(value, Reference):
        return value
    if value.value is None:
        raise Wrong(
            f"the template depends on {str(value)!r}, which is not known before the build runs; "
            "use a variable of the pipeline or of the run"
        )
    return value.value


def plain(value: Value) -> Value:
    """Return a value whose text may be changed and become part of the template's output.

    Raises:
        Wrong: it is not known yet, or a stranger's text with special characters.
    """
    text = decided(value)
    if isinstance(value, Reference) and not value.is_trusted and not _PLAIN.match(text):
        raise Wrong(
            f"the text of {str(value)!r} comes from an event and has special characters, "
            "so the template may not change it; pass it on as it is"
        )
    return text


def truth(value: Value) -> bool:
    """Tell whether ``if`` takes a value for true: it is not empty, 0 or false.

    Raises:
        Wrong: it is not known yet. A text that is not known counts as not empty.
    """
    if isinstance(value, Reference) and value.value is None and value.is_text:
        return True
    return bool(decided(value))


def kind(value: Value) -> str:
    """Name a value's type as Go does."""
    names = {bool: "bool", int: "int", float: "float64", list: "slice", dict: "map", type(None): "nil"}
    return names.get(type(value), "string")


def equal(left: Value, right: Value) -> bool:
    """Compare two values, not lists or maps; values of different kinds are unequal.

    Raises:
        Wrong: one is a list or a map.
    """
    for value in (left, right):
        if isinstance(value, list | dict):
            raise Wrong(f"a {kind(value)} cannot be compared")
    if isinstance(left, bool) or isinstance(right, bool) or left is None or right is None:
        return left is right
    if isinstance(left, str) != isinstance(right, str):
        return False
    return bool(left == right)


def written(value: Value, budget: Budget) -> str:
    """Return what a value prints as: ``[a b]``, ``map[k:v]``; nothing where there is no value."""
    if isinstance(value, str):
        budget.spend(len(value))
        return str(value)
    return "" if value is None else nested(value, budget)


def nested(value: Value, budget: Budget) -> str:
    """Return what a value prints as within another one: ``<nil>`` where there is none."""
    if isinstance(value, list):
        text = "[" + " ".join(nested(item, budget) for item in value) + "]"
    elif isinstance(value, dict):
        inner = (f"{key}:{nested(value[key], budget)}" for key in sorted(value))
        text = "map[" + " ".join(inner) + "]"
    elif value is None:
        text = "<nil>"
    elif isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = number_text(value) if isinstance(value, float) else str(value)
    budget.spend(len(text))
    return text


def number_text(value: float) -> str:
    """Return a number with a point as Go writes it: shortest, with an exponent from 1e+06."""
    if not isfinite(value):
        return "NaN" if isnan(value) else "+Inf" if value > 0 else "-Inf"
    number = Decimal(repr(value)).normalize()
    exponent = number.adjusted()
    if number and not -5 < exponent < 6:  # noqa: PLR2004  # Go's limits of %v
        mantissa = number.scaleb(-exponent)
        return f"{mantissa:f}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return f"{number:f}"
