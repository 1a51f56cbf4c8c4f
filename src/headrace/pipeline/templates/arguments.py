"""What functions ask of their arguments."""

from typing import Any

from headrace.pipeline.templates.values import Value, Wrong, kind, number_text


def text(value: Value) -> str:
    """Return a value as a text; a list or a map is refused.

    Raises:
        Wrong: it is none.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, int):
        return str(value)
    raise Wrong(f"needs a text, not a {kind(value)}")


def whole(value: Value) -> int:
    """Return a value as a whole number.

    Raises:
        Wrong: it is none.
    """
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float | str):
        try:
            return int(value, 0) if isinstance(value, str) else int(value)
        except (ValueError, OverflowError):
            pass
    raise Wrong(
        f"needs a whole number, not {value!r}"
        if isinstance(value, str)
        else f"needs a whole number, not a {kind(value)}"
    )


def number(value: Value) -> int | float:
    """Return a value as a number.

    Raises:
        Wrong: it is none.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    try:
        return whole(value)
    except Wrong:
        try:
            return float(value)
        except (TypeError, ValueError):
            raise Wrong(f"needs a number, not a {kind(value)}") from None


def listed(value: Value) -> list[Any]:
    """Return a value that is a list; nothing is the empty one.

    Raises:
        Wrong: it is none.
    """
    if isinstance(value, list):
        return value
    if value is None:
        return []
    raise Wrong(f"needs a list, not a {kind(value)}")


def mapped(value: Value) -> dict[str, Any]:
    """Return a value that is a map; nothing is the empty one.

    Raises:
        Wrong: it is none.
    """
    if isinstance(value, dict):
        return value
    if value is None:
        return {}
    raise Wrong(f"needs a map, not a {kind(value)}")
