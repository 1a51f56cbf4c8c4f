"""The operators and functions of condition expressions, on JavaScript's kinds of values.

Source: `reference/pipeline-yaml.md`, section 4.9.
"""

import math
import re
from collections.abc import Callable

from headrace.pipeline.regexes import search

Value = str | float | bool | None
Function = Callable[..., Value]

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_EXACT_BELOW = 1e21  # JavaScript writes whole numbers below this without an exponent
MAX_RESULT = 1_048_576  # characters of one text


class Wrong(ValueError):
    """A function or an operator got what it cannot take; the text says what."""


class StepResult(str):
    """A step's result; equal to ``error`` too where it is ``failure``."""

    __slots__ = ()


def unescape(body: str) -> str:
    """The text of a literal, between its quotes, with JavaScript's escapes."""

    def one(found: re.Match[str]) -> str:
        digits = found[1] or found[2] or found[3]
        if digits is None:
            return _ESCAPES.get(found[4], found[4])
        code = int(digits, 16)
        return chr(code) if code <= 0x10FFFF else "\ufffd"  # noqa: PLR2004  # last of Unicode

    return _ESCAPE.sub(one, body)


def is_true(value: Value) -> bool:
    """Non-empty text, a number that is neither 0 nor not-a-number, and true are true."""
    return bool(value) and value == value  # noqa: PLR0124  # not-a-number differs from itself


def as_text(value: Value) -> str:
    """A value as text: ``5``, ``3.4``, ``true``, ``null``."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return str(int(value)) if value == int(value) and abs(value) < _EXACT_BELOW else repr(value)


def _kind(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a Boolean"
    return "a string" if isinstance(value, str) else "a number"


def _text(name: str, value: Value) -> str:
    if not isinstance(value, str):
        raise Wrong(f"{name} takes a string, not {_kind(value)}")
    return value


def _number(name: str, value: Value) -> float:
    if isinstance(value, bool) or not isinstance(value, float):
        raise Wrong(f"{name} takes a number, not {_kind(value)}")
    return value


def equal(left: Value, right: Value) -> bool:
    """Equality: null only equals null, everything else is compared by its text."""
    if left is None or right is None:
        return left is right
    if isinstance(left, float) and isinstance(right, float):
        return left == right
    texts = {as_text(left), as_text(right)}
    if texts == {"failure", "error"}:
        return isinstance(left, StepResult) or isinstance(right, StepResult)
    return len(texts) == 1


def _compare(sign: str, decide: Callable[[object, object], bool]) -> Function:
    def compare(left: Value, right: Value) -> Value:
        if isinstance(left, str) and isinstance(right, str):
            return decide(
                left.encode("utf-16-be", "surrogatepass"), right.encode("utf-16-be", "surrogatepass")
            )
        return decide(_operand(sign, left), _operand(sign, right))

    return compare


def _operand(sign: str, value: Value) -> float:
    """A number, or a text that spells one."""
    return to_number(value) if isinstance(value, str) else _number(sign, value)


def _arithmetic(sign: str, work: Callable[[float, float], float]) -> Function:
    def calculate(left: Value, right: Value) -> Value:
        try:
            return work(_operand(sign, left), _operand(sign, right))
        except OverflowError:
            return math.inf

    return calculate


def _divide(left: float, right: float) -> float:
    if right == 0:
        raise Wrong("division by zero")
    return left / right


def _remainder(left: float, right: float) -> float:
    if right == 0 or math.isinf(left):
        raise Wrong("division by zero")
    return math.fmod(left, right)


def _add(left: Value, right: Value) -> Value:
    if isinstance(left, str) or isinstance(right, str):
        return _bounded(as_text(left) + as_text(right))
    return _number("+", left) + _number("+", right)


def _bounded(text: str) -> str:
    if len(text) > MAX_RESULT:
        raise Wrong(f"a text is longer than {MAX_RESULT} characters")
    return text


def negate(value: Value) -> Value:
    """Unary minus."""
    return -_operand("-", value)


def to_number(value: Value) -> float:
    """``Number(x)``: numbers, texts that spell one, Booleans; null is 0."""
    if isinstance(value, str):
        spelled = value.strip()
        if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", spelled, re.ASCII):
            raise Wrong(f"Number takes a text that spells a number, not {value[:40]!r}")
        return float(spelled)
    return float(value or 0)


def _whole(name: str, value: Value) -> int:
    number = _number(name, value)
    if not math.isfinite(number):
        raise Wrong(f"{name} takes a finite number")
    return int(number)


def _round(value: Value) -> Value:
    return float(math.floor(_finite("round", value) + 0.5))


def _floor(value: Value) -> Value:
    return float(math.floor(_finite("floor", value)))


def _finite(name: str, value: Value) -> float:
    number = _number(name, value)
    if not math.isfinite(number):
        raise Wrong(f"{name} takes a finite number")
    return number


def _replace(text: Value, find: Value, by: Value) -> Value:
    source, old, new = _text("replace", text), _text("replace", find), _text("replace", by)
    if not old:
        return source
    if len(source) + source.count(old) * (len(new) - len(old)) > MAX_RESULT:
        raise Wrong(f"a text is longer than {MAX_RESULT} characters")
    return source.replace(old, new)


def _substring(text: Value, start: Value, end: Value = None) -> Value:
    source = _text("substring", text)
    last = len(source) if end is None else _whole("substring", end)
    low, high = sorted(max(0, min(at, len(source))) for at in (_whole("substring", start), last))
    return source[low:high]


def _match(text: Value, pattern: Value, ignore_case: Value = False) -> Value:  # noqa: FBT002  # by position
    return search(_text("match", pattern), _text("match", text), "i" if is_true(ignore_case) else "")


def _fixed(name: str, low: int, high: int, work: Function) -> Function:
    """Check how many arguments a function gets."""

    def call(*arguments: Value) -> Value:
        if not low <= len(arguments) <= high:
            wanted = str(low) if low == high else f"{low} to {high}"
            raise Wrong(f"{name} takes {wanted} arguments, not {len(arguments)}")
        return work(*arguments)

    return call


OPERATORS: dict[str, Function] = {
    "==": equal,
    "===": equal,
    "!=": lambda left, right: not equal(left, right),
    "!==": lambda left, right: not equal(left, right),
    "<": _compare("<", lambda left, right: left < right),  # type: ignore[operator]
    "<=": _compare("<=", lambda left, right: left <= right),  # type: ignore[operator]
    ">": _compare(">", lambda left, right: left > right),  # type: ignore[operator]
    ">=": _compare(">=", lambda left, right: left >= right),  # type: ignore[operator]
    "+": _add,
    "-": _arithmetic("-", lambda left, right: left - right),
    "*": _arithmetic("*", lambda left, right: left * right),
    "/": _arithmetic("/", _divide),
    "%": _arithmetic("%", _remainder),
}

FUNCTIONS: dict[str, Function] = {
    name: _fixed(name, low, high, work)
    for name, low, high, work in (
        ("String", 1, 1, as_text),
        ("Number", 1, 1, to_number),
        ("Boolean", 1, 1, is_true),
        ("round", 1, 1, _round),
        ("floor", 1, 1, _floor),
        ("upper", 1, 1, lambda text: _text("upper", text).upper()),
        ("lower", 1, 1, lambda text: _text("lower", text).lower()),
        ("trim", 1, 1, lambda text: _text("trim", text).strip()),
        ("trimLeft", 1, 1, lambda text: _text("trimLeft", text).lstrip()),
        ("trimRight", 1, 1, lambda text: _text("trimRight", text).rstrip()),
        ("replace", 3, 3, _replace),
        ("substring", 2, 3, _substring),
        ("length", 1, 1, lambda text: float(len(_text("length", text)))),
        ("includes", 2, 2, lambda text, part: _text("includes", part) in _text("includes", text)),
        ("indexOf", 2, 2, lambda text, part: float(_text("indexOf", text).find(_text("indexOf", part)))),
        ("match", 2, 3, _match),
    )
}
