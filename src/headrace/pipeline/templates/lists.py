"""Functions of lists and maps (gomplate's ``coll``)."""

from collections.abc import Callable, Mapping

from headrace.pipeline.templates.arguments import listed, mapped, text, whole
from headrace.pipeline.templates.values import Budget, Value, Wrong, decided, equal, kind

Entry = tuple[Callable[[list[Value], Budget], Value], int, int, str]
_ANY_NUMBER = 1_000


def _dict(arguments: list[Value], _: Budget) -> Value:
    if len(arguments) % 2:
        arguments = [*arguments, ""]
    return {text(key): value for key, value in zip(arguments[::2], arguments[1::2], strict=True)}


def _has(arguments: list[Value], budget: Budget) -> bool:
    value, item = arguments
    if not isinstance(value, list | dict) and isinstance(item, list):
        value, item = item, value  # sprig's order
    item = decided(item)
    if isinstance(value, dict):
        return text(item) in value
    for one in listed(value):
        budget.step()
        if not isinstance(one, list | dict) and equal(decided(one), item):
            return True
    return False


def _keys(arguments: list[Value], _: Budget) -> Value:
    return [key for value in arguments for key in sorted(mapped(value))]


def _values(arguments: list[Value], _: Budget) -> Value:
    return [value[key] for value in map(mapped, arguments) for key in sorted(value)]


def _append(arguments: list[Value], _: Budget) -> Value:
    item, items = arguments
    if isinstance(item, list) and not isinstance(items, list):
        item, items = items, item  # sprig's order
    return [*listed(items), item]


def _prepend(arguments: list[Value], _: Budget) -> Value:
    item, items = arguments
    return [item, *listed(items)]


def _uniq(arguments: list[Value], budget: Budget) -> Value:
    kept: list[Value] = []
    for one in listed(arguments[0]):
        if isinstance(one, list | dict):
            raise Wrong(f"a {kind(one)} cannot be compared")
        budget.spend(20 * (1 + len(kept)))
        if not any(equal(one, other) for other in kept):
            kept.append(one)
    return kept


def _merge(arguments: list[Value], _: Budget) -> Value:
    merged: dict[str, Value] = {}
    for value in reversed(arguments):
        merged.update(mapped(value))
    return merged


def _sort(arguments: list[Value], _: Budget) -> Value:
    items = [decided(item) for item in listed(arguments[-1])]
    try:
        return sorted(items)
    except TypeError:
        raise Wrong("the items have no common order") from None


def _flatten(arguments: list[Value], budget: Budget) -> Value:
    flat: list[Value] = []

    def add(value: Value) -> None:
        for one in value:
            budget.step()
            if isinstance(one, list):
                add(one)
            else:
                flat.append(one)

    add(listed(arguments[-1]))
    return flat


def _end(index: int) -> Entry:
    def take(arguments: list[Value], _: Budget) -> Value:
        items = listed(arguments[0])
        return items[index] if items else None

    return (take, 1, 1, "written")


def _rest(arguments: list[Value], _: Budget) -> Value:
    return listed(arguments[0])[1:]


def _pick(arguments: list[Value], _: Budget) -> Value:
    *names, value = arguments
    wanted = {text(name) for name in names}
    return {key: one for key, one in mapped(value).items() if key in wanted}


def _omit(arguments: list[Value], _: Budget) -> Value:
    *names, value = arguments
    unwanted = {text(name) for name in names}
    return {key: one for key, one in mapped(value).items() if key not in unwanted}


def _until(arguments: list[Value], _: Budget) -> Value:
    most = whole(decided(arguments[0]))
    if most > 10_000:  # noqa: PLR2004  # more than any pipeline has steps
        raise Wrong("more than 10000 numbers")
    return list(range(most))


LISTS: Mapping[str, Entry] = {
    "slice": (lambda arguments, _: list(arguments), 0, _ANY_NUMBER, "written"),
    "dict": (_dict, 0, _ANY_NUMBER, "written"),
    "has": (_has, 2, 2, "written"),
    "keys": (_keys, 1, _ANY_NUMBER, "written"),
    "values": (_values, 1, _ANY_NUMBER, "written"),
    "append": (_append, 2, 2, "written"),
    "prepend": (_prepend, 2, 2, "written"),
    "uniq": (_uniq, 1, 1, "written"),
    "reverse": (lambda arguments, _: listed(arguments[0])[::-1], 1, 1, "written"),
    "merge": (_merge, 1, _ANY_NUMBER, "written"),
    "sort": (_sort, 1, 1, "written"),
    "flatten": (_flatten, 1, 1, "written"),
    "first": _end(0),
    "last": _end(-1),
    "rest": (_rest, 1, 1, "written"),
    "pick": (_pick, 2, _ANY_NUMBER, "written"),
    "omit": (_omit, 2, _ANY_NUMBER, "written"),
    "until": (_until, 1, 1, "written"),
}
