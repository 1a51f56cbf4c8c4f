"""The functions of templates: Go's own, and the common ones of gomplate and sprig.

Where gomplate and sprig differ in the order of arguments, gomplate's holds, because step types are
written for it.
"""

import base64
import binascii
import hashlib
import html
import posixpath
import shlex
from collections.abc import Callable, Mapping
from urllib.parse import quote_plus

import msgspec

from headrace.pipeline.templates import lists, numbers, texts
from headrace.pipeline.templates.arguments import listed, text, whole
from headrace.pipeline.templates.printf import printf
from headrace.pipeline.templates.values import (
    Budget,
    Reference,
    Value,
    Wrong,
    decided,
    equal,
    kind,
    nested,
    plain,
    truth,
    written,
)

_NOT_HERE = ("env.", "getenv", "time.", "random.", "uuid.", "file.", "net.", "aws.", "gcp.", "sockaddr.")
_NOT_HERE_WORDS = {"datasource", "ds", "include", "tpl", "env", "expandenv", "now", "date", "lookup"}


class Function(msgspec.Struct, frozen=True):
    """One function.

    `work` gets the arguments and the budget. `reads` says what becomes of references among the
    arguments: ``written`` leaves them as they are, ``decided`` takes their values, ``plain`` takes
    only values that may become part of the output.
    """

    work: Callable[[list[Value], Budget], Value]
    low: int
    high: int  # the most arguments
    reads: str = "plain"


_ANY_NUMBER = 1_000
_READERS: Mapping[str, Callable[[Value], Value]] = {
    "written": lambda value: value,
    "decided": decided,
    "plain": plain,
}


def call(name: str, arguments: list[Value], budget: Budget) -> Value:
    """Call a function.

    Raises:
        Wrong: there is none of that name, or it cannot use the arguments.
    """
    function = FUNCTIONS.get(name)
    if function is None:
        raise Wrong(_unknown(name))
    if not function.low <= len(arguments) <= function.high:
        takes = f"{function.low}" if function.low == function.high else f"at least {function.low}"
        if function.low < function.high < _ANY_NUMBER:
            takes = f"{function.low} to {function.high}"
        raise Wrong(f"{name}: takes {takes} arguments, not {len(arguments)}")
    read = _READERS[function.reads]
    try:
        value = function.work([read(argument) for argument in arguments], budget)
    except Wrong as wrong:
        raise Wrong(f"{name}: {wrong}") from None
    if isinstance(value, str) and not isinstance(value, Reference):
        budget.spend(len(value))
    elif isinstance(value, list | dict):
        budget.spend(8 * len(value))
    return value


def _unknown(name: str) -> str:
    if name.startswith(_NOT_HERE) or name in _NOT_HERE_WORDS:
        return f"function {name!r} is not offered: a template knows its arguments and nothing else"
    return f"no function named {name!r}"


def field(value: Value, name: str) -> Value:
    """Return ``value.name``: of a map, its entry or nothing; of nothing, nothing.

    Raises:
        Wrong: the value is no map.
    """
    if value is None:
        return None
    if isinstance(value, dict):
        return value.get(name)
    raise Wrong(f"a {kind(value)} has no field {name!r}")


def _index(arguments: list[Value], _: Budget) -> Value:
    value, *keys = arguments
    for given in keys:
        key = decided(given)
        if isinstance(value, dict):
            value = value.get(str(key))
        elif isinstance(value, list | str):
            place = whole(key)
            if not 0 <= place < len(value):
                raise Wrong(f"index {place} is out of range, there are {len(value)}")
            value = value[place] if isinstance(value, list) else ord(value[place])
        elif value is not None:
            raise Wrong(f"a {kind(value)} has no index")
    return value


def _length(arguments: list[Value], _: Budget) -> int:
    value = decided(arguments[0])
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, list | dict):
        return len(value)
    raise Wrong(f"a {kind(value)} has no length")


def _order(decide: Callable[[int], bool]) -> Function:
    def compare(arguments: list[Value], _: Budget) -> bool:
        left, right = arguments
        numeric = all(isinstance(one, int | float) and not isinstance(one, bool) for one in arguments)
        if not numeric and not all(isinstance(one, str) for one in arguments):
            raise Wrong(f"a {kind(left)} and a {kind(right)} have no order")
        return decide((left > right) - (left < right))

    return Function(compare, 2, 2, "decided")


def _print(arguments: list[Value], budget: Budget) -> str:
    """Go puts a space between two values of which neither is a text."""
    parts: list[str] = []
    for at, value in enumerate(arguments):
        if at and not isinstance(value, str) and not isinstance(arguments[at - 1], str):
            parts.append(" ")
        parts.append(written(value, budget) if isinstance(value, str) else nested(value, budget))
    return "".join(parts)


def _println(arguments: list[Value], budget: Budget) -> str:
    return " ".join(value if isinstance(value, str) else nested(value, budget) for value in arguments) + "\n"


def _default(arguments: list[Value], _: Budget) -> Value:
    fallback, value = arguments
    return value if truth(value) else fallback


def _required(arguments: list[Value], _: Budget) -> Value:
    *message, value = arguments
    if value is None or value == "":
        raise Wrong(text(message[0]) if message else "a required value is missing")
    return value


def _fail(arguments: list[Value], _: Budget) -> Value:
    raise Wrong(text(arguments[0]) if arguments else "the template gives up")


def _assert(arguments: list[Value], _: Budget) -> Value:
    *message, value = arguments
    if not truth(value):
        raise Wrong(text(message[0]) if message else "an assertion does not hold")
    return ""


def _ternary(arguments: list[Value], _: Budget) -> Value:
    yes, no, condition = arguments
    return yes if truth(condition) else no


def _decode(arguments: list[Value], _: Budget) -> str:
    try:
        return base64.b64decode(text(arguments[0]), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Wrong("the text is not Base64 of a text") from None


def _hash(name: str) -> Function:
    return _of_text(lambda value: hashlib.new(name, value.encode(), usedforsecurity=False).hexdigest())


def _of_text(work: Callable[[str], Value]) -> Function:
    return Function(lambda arguments, _: work(text(arguments[0])), 1, 1)


def _go_quote(arguments: list[Value], budget: Budget) -> str:
    return printf("%q", [written(arguments[0], budget)], budget)


def _single_quote(arguments: list[Value], budget: Budget) -> str:
    return "'" + written(arguments[0], budget).replace("'", "''") + "'"


_GO = {
    "eq": Function(lambda a, _: any(equal(a[0], one) for one in a[1:]), 2, _ANY_NUMBER, "decided"),
    "ne": Function(lambda a, _: not equal(*a), 2, 2, "decided"),
    "lt": _order(lambda sign: sign < 0),
    "le": _order(lambda sign: sign <= 0),
    "gt": _order(lambda sign: sign > 0),
    "ge": _order(lambda sign: sign >= 0),
    "not": Function(lambda a, _: not truth(a[0]), 1, 1, "written"),
    "len": Function(_length, 1, 1, "written"),
    "index": Function(_index, 1, _ANY_NUMBER, "written"),
    "print": Function(_print, 0, _ANY_NUMBER, "written"),
    "println": Function(_println, 0, _ANY_NUMBER, "written"),
    "printf": Function(lambda a, b: printf(text(a[0]), a[1:], b), 1, _ANY_NUMBER, "written"),
    "html": _of_text(lambda value: html.escape(value).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")),
    "urlquery": _of_text(quote_plus),
}
_TESTS = {
    "default": Function(_default, 2, 2, "written"),
    "required": Function(_required, 1, 2, "written"),
    "fail": Function(_fail, 0, 1),
    "assert": Function(_assert, 1, 2, "written"),
    "ternary": Function(_ternary, 3, 3, "written"),
    "kind": Function(lambda a, _: kind(a[0]), 1, 1, "written"),
    "isKind": Function(lambda a, _: kind(a[1]) == a[0], 2, 2, "written"),
    "empty": Function(lambda a, _: not truth(a[0]), 1, 1, "written"),
    "coalesce": Function(
        lambda a, _: next((one for one in a if truth(one)), None), 1, _ANY_NUMBER, "written"
    ),
}
_CODES = {
    "Encode": _of_text(lambda value: base64.b64encode(value.encode()).decode()),
    "Decode": Function(_decode, 1, 1),
}
_PATHS = {
    "Base": _of_text(lambda value: posixpath.basename(value.rstrip("/")) or ("/" if value else ".")),
    "Dir": _of_text(lambda value: posixpath.normpath(posixpath.dirname(value) or ".")),
    "Ext": _of_text(lambda value: posixpath.splitext(value)[1]),
    "Clean": _of_text(lambda value: posixpath.normpath(value or ".")),
    "IsAbs": _of_text(posixpath.isabs),
    "Join": Function(
        lambda a, _: posixpath.normpath("/".join(text(one) for one in a if one != "")), 1, _ANY_NUMBER
    ),
}


def _quotes() -> dict[str, Function]:
    return {
        "quote": Function(_go_quote, 1, 1, "written"),
        "squote": Function(_single_quote, 1, 1, "written"),
        "shellQuote": Function(
            lambda a, _: " ".join(map(shlex.quote, map(text, listed(a[0]) if isinstance(a[0], list) else a))),
            1,
            1,
        ),
    }


def _group(space: str, members: Mapping[str, Function]) -> dict[str, Function]:
    """Both names of gomplate's functions: ``strings.ToUpper`` and ``toUpper``."""
    return {f"{space}.{name[0].upper()}{name[1:]}": function for name, function in members.items()} | dict(
        members
    )


def _wrapped(
    table: Mapping[str, tuple[Callable[[list[Value], Budget], Value], int, int, str]],
) -> dict[str, Function]:
    return {name: Function(*entry) for name, entry in table.items()}


_CONVERSIONS = _wrapped(numbers.CONVERSIONS)
_STRINGS = _wrapped(texts.STRINGS) | _quotes()
_DATA = _wrapped(texts.DATA)

FUNCTIONS: Mapping[str, Function] = {
    **_group("strings", _STRINGS),
    **_group("coll", _wrapped(lists.LISTS)),
    **_group("conv", {**_CONVERSIONS, "default": _TESTS["default"]}),
    **_group("math", _wrapped(numbers.MATH)),
    **_group("test", _TESTS),
    **_group("data", _DATA),
    **{f"base64.{name}": function for name, function in _CODES.items()},
    **{f"{space}.{name}": function for space in ("path", "filepath") for name, function in _PATHS.items()},
    **{f"regexp.{name}": Function(*entry) for name, entry in texts.REGEXES.items()},
    **{f"crypto.{name.upper()}": _hash(name) for name in ("sha1", "sha256", "sha512")},
    **_GO,
    **_wrapped(texts.TEXT_FIRST),
    # sprig's names, where gomplate has none
    "b64enc": _CODES["Encode"],
    "b64dec": _CODES["Decode"],
    "sha256sum": _hash("sha256"),
    "lower": _STRINGS["toLower"],
    "upper": _STRINGS["toUpper"],
    "toJson": _DATA["toJSON"],
    "toYaml": _DATA["toYAML"],
    "fromJson": _DATA["JSON"],
    "fromYaml": _DATA["YAML"],
    "json": _DATA["JSON"],
    "jsonArray": _DATA["JSONArray"],
    "yaml": _DATA["YAML"],
    "yamlArray": _DATA["YAMLArray"],
    "int": _CONVERSIONS["toInt"],
    "int64": _CONVERSIONS["toInt64"],
    "float64": _CONVERSIONS["toFloat64"],
    "list": Function(*lists.LISTS["slice"]),
    "hasKey": Function(*lists.LISTS["has"]),
    "mod": Function(*numbers.MATH["rem"]),
}
