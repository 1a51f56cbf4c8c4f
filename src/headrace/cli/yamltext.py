"""YAML as the official client writes it (js-yaml's default style), and a quick reader of it.

Written here because the general library takes a third of the start-up time of the command; it
is loaded only for a file in another style.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

WIDTH = 80
# What may begin, fill and end a plain scalar outside of ``[]`` and ``{}``.
_PLAIN = re.compile(
    r"""[^\s\-?:,\[\]{}#&*!|=>'"%@`](?:[^\s:#]|:(?=\S)|(?<=\S)#| (?!#)|\u00a0)*(?<![\s:])\Z"""
)
_WARY = re.compile(r"[:,\[\]{}#]")
_RESERVED = re.compile(
    r"(?:~|null|Null|NULL|true|True|TRUE|false|False|FALSE|<<"
    r"|[-+]?(?:0b[01]+|0x[0-9a-fA-F]+|0o[0-7]+|[0-9]+)"
    r"|[-+]?(?:[0-9][0-9_]*)(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)|[-+]?[0-9][0-9_]*\.[0-9_]*"
    r"|[-+]?\.[0-9_]+(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
    r"|\d{4}-\d\d?-\d\d?(?:(?:[Tt]|\s+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:\s*(?:Z|[-+]\d\d?(?::\d\d)?))?)?"
    r"|[-+]?[0-9_]+(?::[0-9_]+)+(?:\.[0-9_]*)?"
    r"|y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)?\Z"
)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_QUICK_LINE = re.compile(
    r"(?P<indent> *)(?P<key>[A-Za-z0-9_./@-]+|'(?:[^']|'')*'):"
    r"(?: (?P<value>[^\s'\"#&*!|>{\[%@`,?].*|'(?:[^']|'')*'))?\Z"
)


def dump(value: object) -> str:
    """Write a document of mappings, lists and scalars; ends with a newline."""
    return _node(value, 0, top=True).lstrip("\n") + "\n"


def dump_config(value: Mapping[str, object]) -> str:
    """Write ``~/.cfconfig``: nested mappings, in the style of an older js-yaml that quotes more."""
    lines: list[str] = []
    _config_lines(value, 0, lines)
    return "\n".join(lines) + "\n"


def _config_lines(value: Mapping[str, object], level: int, lines: list[str]) -> None:
    for key, item in value.items():
        head = f"{'  ' * level}{_text(str(key), level, key=True, wary=True)}:"
        if isinstance(item, Mapping) and item:
            lines.append(head)
            _config_lines(item, level + 1, lines)
        elif isinstance(item, str) and "\n" not in item and not _CONTROL.search(item):
            plain = _may_be_plain(item, wary=True)
            lines.append(f"{head} {item if plain else _quoted(item)}")
        else:
            text = _node(item, level + 1)
            lines.append(head + ("" if text.startswith("\n") else " ") + text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _node(value: object, level: int, *, top: bool = False) -> str:
    if isinstance(value, Mapping) and value:
        lines = [_entry(key, item, level) for key, item in value.items()]
        return ("" if top else "\n") + "\n".join(lines)
    if isinstance(value, list | tuple) and value:
        return ("" if top else "\n") + "\n".join(_item(item, level) for item in value)
    return _scalar(value, level)


def _entry(key: object, value: object, level: int) -> str:
    text = _node(value, level + 1)
    gap = "" if text.startswith("\n") else " "
    return f"{'  ' * level}{_scalar(str(key), level, key=True)}:{gap}{text}"


def _item(value: object, level: int) -> str:
    pad = "  " * level
    if isinstance(value, Mapping | list | tuple) and value:
        return f"{pad}- {_node(value, level + 1, top=True).lstrip()}"
    return f"{pad}- {_scalar(value, level + 1)}"


def _scalar(value: object, level: int, *, key: bool = False) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    if value is None or isinstance(value, int | float):
        return json.dumps(value)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    return _text(str(value), level, key=key)


def _text(text: str, level: int, *, key: bool, wary: bool = False) -> str:
    if _CONTROL.search(text):
        return _escaped(text)
    if "\n" in text:
        return _escaped(text) if key else _block(text, level)
    limit = max(min(WIDTH, 40), WIDTH - 2 * max(level, 1))
    if not key and len(text) > limit and not text.startswith(" "):
        return ">-\n" + "\n".join("  " * max(level, 1) + line for line in _fold(text, limit))
    return text if _may_be_plain(text, wary=wary) else _quoted(text)


def _escaped(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def _may_be_plain(text: str, *, wary: bool) -> bool:
    if not _PLAIN.match(text) or _RESERVED.match(text):
        return False
    return not (wary and _WARY.search(text))


def _block(text: str, level: int) -> str:
    """A literal block; folded where a line is longer than the width allows."""
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    chomp = {0: "-", 1: ""}.get(ends, "+") if body else "+"
    indent = "  " * max(level, 1)
    limit = max(min(WIDTH, 40), WIDTH - 2 * max(level, 1))
    lines = text.split("\n")[:-1] if ends else text.split("\n")
    hint = "2" if re.match(r"\n* ", text) else ""
    if any(len(line) > limit and not line.startswith(" ") for line in lines):
        return _folded_block(lines, chomp=chomp, hint=hint, indent=indent, limit=limit)
    return f"|{hint}{chomp}\n" + "\n".join(indent + line if line else "" for line in lines)


def _folded_block(lines: list[str], *, chomp: str, hint: str, indent: str, limit: int) -> str:
    out: list[str] = []
    before_indented: bool | None = None
    for line in lines:
        indented = line.startswith((" ", "\t"))
        if line and before_indented is False and not indented:
            out.append("")
        parts = [line] if indented or not line else _fold(line, limit)
        out.extend(indent + part if part else "" for part in parts)
        if line:
            before_indented = indented
    return f">{hint}{chomp}\n" + "\n".join(out)


def _fold(text: str, limit: int) -> list[str]:
    """Break at single spaces so that lines keep to ``limit`` where a space allows it."""
    lines: list[str] = []
    start = current = 0
    for space in re.finditer(r" (?=[^ ])", text):
        after = space.start()
        if after - start > limit:
            end = current if current > start else after
            lines.append(text[start:end])
            start = end + 1
        current = after
    if len(text) - start > limit and current > start:
        lines.append(text[start:current])
        start = current + 1
    lines.append(text[start:])
    return lines


def load(text: str) -> Any:  # noqa: ANN401 — whatever the document holds
    """Read a document: quickly when it is nested mappings of simple scalars, else by PyYAML.

    Raises:
        ValueError: the text is no YAML; says where.
    """
    quick = _quick(text)
    return quick if quick is not None else load_any(text)


def load_any(text: str) -> Any:  # noqa: ANN401 — whatever the document holds
    """Read any document by the rules of YAML 1.2: ``on`` is a word, a date is text.

    Raises:
        ValueError: the text is no YAML; says where.
    """
    import yaml

    try:
        return yaml.load(text, Loader=_loader(yaml))  # noqa: S506 — a subclass of the safe loader
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _loader(yaml: Any) -> Any:  # noqa: ANN401 — the module is imported late
    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader: Any = type("Yaml12Loader", (base,), {})
    loader.yaml_implicit_resolvers = {}
    for tag, pattern, first in (
        ("bool", r"(?:true|True|TRUE|false|False|FALSE)\Z", "tTfF"),
        ("int", r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z", "-+0123456789"),
        (
            "float",
            r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z",
            "-+0123456789.",
        ),
        ("null", r"(?:~|null|Null|NULL|)\Z", ["~", "n", "N", ""]),
        ("merge", r"<<\Z", "<"),
    ):
        loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))
    loader.add_constructor("tag:yaml.org,2002:int", _integer)
    return loader


def _integer(loader: Any, node: Any) -> int:  # noqa: ANN401 — the library's own types
    text = str(loader.construct_scalar(node))
    return int(text, 0) if text.lower().startswith(("0o", "0x")) else int(text)


def _quick(text: str) -> dict[str, Any] | None:
    root: dict[str, Any] = {}
    stack: list[tuple[int, dict[str, Any]]] = [(-1, root)]
    for line in text.splitlines():
        if not line.strip():
            continue
        found = _QUICK_LINE.match(line)
        if found is None:
            return None
        indent, key = len(found["indent"]), _unquoted(found["key"])
        while stack[-1][0] >= indent:
            stack.pop()
        parent = stack[-1][1]
        if found["value"] is None:
            child: dict[str, Any] = {}
            parent[key] = child
            stack.append((indent, child))
            continue
        value = _quick_value(found["value"])
        if value is None:
            return None
        parent[key] = value
    return None if any(value == {} for value in _mappings(root)) else root


def _mappings(root: dict[str, Any]) -> list[dict[str, Any]]:
    found = [root]
    for value in root.values():
        if isinstance(value, dict):
            found.extend(_mappings(value))
    return found


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


def _quick_value(text: str) -> str | bool | int | None:
    """A scalar that cannot mean anything else; None sends the document to the full reader."""
    if text.startswith("'"):
        return _unquoted(text)
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"[1-9][0-9]{0,14}|0", text):
        return int(text)
    if ": " in text or " #" in text or text.endswith(":") or _RESERVED.match(text):
        return None
    return text.rstrip()
