"""Functions of texts: gomplate's ``strings``, ``regexp`` and ``data``."""

import json
import re
from collections.abc import Callable, Mapping

import msgspec
import yaml

from headrace.pipeline.document import load
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.regexes import BadRegex, spans
from headrace.pipeline.templates.arguments import text, whole
from headrace.pipeline.templates.lists import Entry
from headrace.pipeline.templates.values import Budget, Value, Wrong, kind, nested, written

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\dA-Z_]+|\d+")


def _pure(work: Callable[..., Value], count: int, reads: str = "plain") -> Entry:
    """A function of so many texts."""
    return (lambda arguments, _: work(*map(text, arguments)), count, count, reads)


def _indent(arguments: list[Value], budget: Budget) -> str:
    *options, value = arguments
    width, filler = 1, " "
    for option in options:
        if isinstance(option, str):
            filler = text(option)
        else:
            width = whole(option)
    lines = written(value, budget).split("\n")
    pad = filler * _at_most(width, 1_000)
    budget.spend(len(pad) * len(lines))
    return "\n".join(pad + line if line else line for line in lines)


def _on_next_line(arguments: list[Value], budget: Budget) -> str:
    return "\n" + _indent(arguments, budget)


def _at_most(count: int, most: int) -> int:
    if not 0 <= count <= most:
        raise Wrong(f"{count} is not between 0 and {most}")
    return count


def _repeat(arguments: list[Value], budget: Budget) -> str:
    count, value = whole(arguments[0]), text(arguments[1])
    budget.spend(max(0, count) * len(value))
    return value * count


def _replace_all(arguments: list[Value], budget: Budget) -> str:
    old, new, value = map(text, arguments)
    budget.spend((value.count(old)) * len(new))
    return value.replace(old, new)


def _split(arguments: list[Value], _: Budget) -> Value:
    separator, value = map(text, arguments)
    return value.split(separator) if separator else list(value)


def _split_n(arguments: list[Value], _: Budget) -> Value:
    separator, count, value = text(arguments[0]), whole(arguments[1]), text(arguments[2])
    if not separator or not count:
        return list(value) if not separator else []
    return value.split(separator, count - 1 if count > 0 else -1)


def _trim(arguments: list[Value], _: Budget) -> str:
    *cut, value = map(text, arguments)
    return value.strip(cut[0]) if cut else value.strip()


def _trunc(arguments: list[Value], _: Budget) -> str:
    count, value = whole(arguments[0]), text(arguments[1])
    return value[:count] if count >= 0 else value[count:]


def _camel(value: str) -> str:
    words = _WORDS.findall(value)
    return "".join([word if at == 0 else word[:1].upper() + word[1:] for at, word in enumerate(words)])


def _title(value: str) -> str:
    return re.sub(r"(?<![\w'])[^\W\d_]", lambda found: found.group().upper(), value)


STRINGS: Mapping[str, Entry] = {
    "contains": _pure(lambda part, value: part in value, 2, "decided"),
    "hasPrefix": _pure(lambda part, value: value.startswith(part), 2, "decided"),
    "hasSuffix": _pure(lambda part, value: value.endswith(part), 2, "decided"),
    "indent": (_indent, 1, 3, "written"),
    "nindent": (_on_next_line, 1, 3, "written"),
    "repeat": (_repeat, 2, 2, "plain"),
    "replaceAll": (_replace_all, 3, 3, "plain"),
    "replace": (_replace_all, 3, 3, "plain"),
    "split": (_split, 2, 2, "plain"),
    "splitN": (_split_n, 3, 3, "plain"),
    "title": _pure(_title, 1),
    "toLower": _pure(str.lower, 1),
    "toUpper": _pure(str.upper, 1),
    "trim": (_trim, 1, 2, "plain"),
    "trimSpace": (lambda a, budget: written(a[0], budget).strip(), 1, 1, "written"),
    "trimLeft": _pure(lambda cut, value: value.lstrip(cut), 2),
    "trimRight": _pure(lambda cut, value: value.rstrip(cut), 2),
    "trimPrefix": _pure(lambda part, value: value.removeprefix(part), 2),
    "trimSuffix": _pure(lambda part, value: value.removesuffix(part), 2),
    "trunc": (_trunc, 2, 2, "plain"),
    "camelCase": _pure(_camel, 1),
    "snakeCase": _pure(lambda value: "_".join(_WORDS.findall(value)), 1),
    "kebabCase": _pure(lambda value: "-".join(_WORDS.findall(value)), 1),
    "runeCount": _pure(len, 1),
}

# Without a name space these take the text first; so they are in gomplate, and so step types use them.
TEXT_FIRST: Mapping[str, Entry] = {
    "contains": _pure(lambda value, part: part in value, 2, "decided"),
    "hasPrefix": _pure(lambda value, part: value.startswith(part), 2, "decided"),
    "hasSuffix": _pure(lambda value, part: value.endswith(part), 2, "decided"),
    "split": (lambda a, budget: _split([a[1], a[0]], budget), 2, 2, "plain"),
    "splitN": (lambda a, budget: _split_n([a[1], a[2], a[0]], budget), 3, 3, "plain"),
    "trim": (lambda a, budget: _trim(a[::-1], budget), 1, 2, "plain"),
}


# Regular expressions


def _found(pattern: str, value: str, budget: Budget) -> list[tuple[int, int]]:
    budget.spend(len(value))
    try:
        return spans(pattern, value)
    except BadRegex as bad:
        raise Wrong(str(bad)) from None


def _find_all(arguments: list[Value], budget: Budget) -> Value:
    pattern, *count, value = arguments
    most = whole(count[0]) if count else -1
    found = [text(value)[start:end] for start, end in _found(text(pattern), text(value), budget)]
    return found if most < 0 else found[:most]


def _find(arguments: list[Value], budget: Budget) -> str:
    pattern, value = map(text, arguments)
    return next((value[start:end] for start, end in _found(pattern, value, budget)), "")


def _replace_regex(arguments: list[Value], budget: Budget) -> str:
    pattern, by, value = map(text, arguments)
    if re.search(r"\$\{?\w", by):
        raise Wrong("groups ($1) are not offered in what replaces; use regexp.Find, or strings.ReplaceAll")
    return _replace_literal([pattern, by.replace("$$", "$"), value], budget)


def _replace_literal(arguments: list[Value], budget: Budget) -> str:
    pattern, by, value = map(text, arguments)
    parts, done = [], 0
    for start, end in _found(pattern, value, budget):
        parts += [value[done:start], by]
        budget.spend(len(by))
        done = end
    return "".join([*parts, value[done:]])


def _split_regex(arguments: list[Value], budget: Budget) -> Value:
    pattern, *_count, value = arguments
    whole_text, parts, done = text(value), [], 0
    for start, end in _found(text(pattern), whole_text, budget):
        if end > start:
            parts.append(whole_text[done:start])
            done = end
    return [*parts, whole_text[done:]]


REGEXES: Mapping[str, Entry] = {
    "Match": (lambda a, budget: bool(_found(text(a[0]), text(a[1]), budget)), 2, 2, "decided"),
    "Find": (_find, 2, 2, "plain"),
    "FindAll": (_find_all, 2, 3, "plain"),
    "Replace": (_replace_regex, 3, 3, "plain"),
    "ReplaceLiteral": (_replace_literal, 3, 3, "plain"),
    "Split": (_split_regex, 2, 3, "plain"),
    "QuoteMeta": _pure(lambda value: re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", value), 1),
}


# JSON and YAML


def _bounded(value: Value, budget: Budget) -> Value:
    nested(value, budget)  # counts what it would print as; lists within lists may share their parts
    return value


def _to_json(arguments: list[Value], budget: Budget) -> str:
    return json.dumps(_bounded(arguments[0], budget), separators=(",", ":"), ensure_ascii=False)


def _to_pretty_json(arguments: list[Value], budget: Budget) -> str:
    *indent, value = arguments
    filler = text(indent[0]) if indent else "  "
    return json.dumps(_bounded(value, budget), indent=filler[:8], ensure_ascii=False)


def _to_yaml(arguments: list[Value], budget: Budget) -> str:
    plain = msgspec.json.decode(msgspec.json.encode(_as_text(_bounded(arguments[0], budget))))
    dumped = yaml.safe_dump(
        plain, default_flow_style=False, allow_unicode=True, sort_keys=True, width=1 << 20
    )
    return dumped.removesuffix("...\n")


def _as_text(value: Value) -> Value:
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    if isinstance(value, dict):
        return {key: _as_text(one) for key, one in value.items()}
    return str(value) if isinstance(value, str) else value


def _from(wanted: type) -> Entry:
    def read(arguments: list[Value], _: Budget) -> Value:
        try:
            value = load(text(arguments[0])).data
        except SpecErrors as wrong:
            raise Wrong(f"cannot be read: {wrong.errors[0].message}") from None
        if not isinstance(value, wanted):
            raise Wrong(f"the text is a {kind(value)}, not a {kind(wanted())}")
        return value

    return (read, 1, 1, "plain")


DATA: Mapping[str, Entry] = {
    "toJSON": (_to_json, 1, 1, "written"),
    "toJSONPretty": (_to_pretty_json, 1, 2, "written"),
    "toYAML": (_to_yaml, 1, 1, "written"),
    "JSON": _from(dict),
    "JSONArray": _from(list),
    "YAML": _from(dict),
    "YAMLArray": _from(list),
}
