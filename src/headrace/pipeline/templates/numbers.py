"""Functions of numbers, and conversions (gomplate's ``math`` and ``conv``)."""

import math
from collections.abc import Callable, Mapping
from functools import reduce

from headrace.pipeline.templates.arguments import listed, number, text, whole
from headrace.pipeline.templates.lists import Entry
from headrace.pipeline.templates.values import Budget, Value, Wrong, decided, written

_ANY_NUMBER = 1_000
_LARGEST = 2**63  # Go's integers end here
_TRUE = ("1", "t", "true", "yes", "on")


def _checked(value: float) -> int | float:
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise Wrong("the number is too large")
    return value


def _folded(work: Callable[[float, float], float]) -> Entry:
    def fold(arguments: list[Value], _: Budget) -> Value:
        return _checked(reduce(lambda left, right: _checked(work(left, right)), map(number, arguments)))

    return (fold, 1, _ANY_NUMBER, "plain")


def _divide(left: float, right: float) -> float:
    if not right:
        raise Wrong("division by 0")
    return left / right


def _remainder(left: float, right: float) -> float:
    if not right:
        raise Wrong("division by 0")
    return math.fmod(left, right) if isinstance(left, float) else int(math.fmod(left, right))


def _power(left: float, right: float) -> float:
    if abs(right) > 63 and abs(left) > 1:  # noqa: PLR2004  # Go's integers end at 2**63
        raise Wrong("the number is too large")
    return math.pow(left, right) if right < 0 or isinstance(left, float) else left ** int(right)


def _single(work: Callable[[float], float]) -> Entry:
    return (lambda arguments, _: work(number(arguments[0])), 1, 1, "plain")


def _seq(arguments: list[Value], _: Budget) -> Value:
    numbers = [whole(one) for one in arguments]
    start, end = (1, numbers[0]) if len(numbers) == 1 else numbers[:2]
    step = abs(numbers[2]) if len(numbers) == 3 else 1  # noqa: PLR2004  # start, end, step
    if not step or abs(end - start) // step > 10_000:  # noqa: PLR2004  # more than any pipeline has steps
        raise Wrong("gives too many numbers")
    return list(range(start, end + 1, step)) if start <= end else list(range(start, end - 1, -step))


def _bool(arguments: list[Value], _: Budget) -> bool:
    value = decided(arguments[0])
    if isinstance(value, list | dict | None):
        return False
    return text(value).lower() in _TRUE


def _join(arguments: list[Value], budget: Budget) -> str:
    items, separator = arguments if len(arguments) > 1 else (arguments[0], "")
    if isinstance(separator, list):
        items, separator = separator, items  # sprig's order
    parts = [written(item, budget) for item in listed(items)]
    between = text(separator)
    budget.spend(len(between) * len(parts))
    return between.join(parts)


def _to_text(arguments: list[Value], budget: Budget) -> str:
    return written(arguments[0], budget)


def _to_float(arguments: list[Value], _: Budget) -> float:
    return float(number(arguments[0]))


def _to_whole(arguments: list[Value], _: Budget) -> int:
    return int(_checked(whole(arguments[0])))


MATH: Mapping[str, Entry] = {
    "add": _folded(lambda left, right: left + right),
    "sub": _folded(lambda left, right: left - right),
    "mul": _folded(lambda left, right: left * right),
    "div": _folded(_divide),
    "rem": _folded(_remainder),
    "pow": _folded(_power),
    "max": _folded(max),
    "min": _folded(min),
    "abs": _single(abs),
    "ceil": _single(lambda value: float(math.ceil(value))),
    "floor": _single(lambda value: float(math.floor(value))),
    "round": _single(lambda value: float(math.floor(abs(value) + 0.5)) * (1 if value >= 0 else -1)),
    "seq": (_seq, 1, 3, "plain"),
}
CONVERSIONS: Mapping[str, Entry] = {
    "bool": (_bool, 1, 1, "written"),
    "toBool": (_bool, 1, 1, "written"),
    "join": (_join, 1, 2, "written"),
    "toString": (_to_text, 1, 1, "written"),
    "toStrings": (lambda a, budget: [written(one, budget) for one in a], 0, _ANY_NUMBER, "written"),
    "toInt": (_to_whole, 1, 1, "plain"),
    "toInt64": (_to_whole, 1, 1, "plain"),
    "atoi": (_to_whole, 1, 1, "plain"),
    "toFloat64": (_to_float, 1, 1, "plain"),
}
