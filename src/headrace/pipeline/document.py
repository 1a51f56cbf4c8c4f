"""Reading a pipeline file: YAML by the rules of version 1.2, with the line of everything.

Events are read, not composed nodes: the loader's own recursion would end the process on deep
nesting, and it refuses what the original accepts (an anchor defined twice).

Source: `reference/pipeline-yaml.md`, section 1.1. Two documents in one text are an error here.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import msgspec
import yaml

from headrace.pipeline.errors import SpecError, SpecErrors

MAX_DEPTH = 64  # maps and lists within each other
MAX_NODES = 100_000  # scalars, maps and lists, aliases unfolded
MAX_CHARACTERS = 4_194_304  # of all scalars together, aliases unfolded

Path = tuple[str | int, ...]

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MIXED_INDENTATION = re.compile(r"(?: +\t|\t+ )[ \t]*[^\s]")
_EXACT_BITS = 63  # larger whole numbers become floats, as in JavaScript
_TAG = "tag:yaml.org,2002:"
_MERGE = "<<"
_MIXED_CODE = 400


class Document(msgspec.Struct, frozen=True):
    """A pipeline file as read: plain values, and the line of each."""

    data: Any  # maps keep their order; keys are strings
    lines: Mapping[Path, int] = {}  # 1-based, of each key and list item; empty where not read from text

    def line(self, path: Path) -> int:
        """The line of a place, or of the nearest place around it; 0 where none is known."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 0


class _Mark(Protocol):
    """Where an event begins: the C reader and the Python one have a class each."""

    line: int
    column: int


class _Node:
    """One map, list or scalar of the text; aliases share it."""

    __slots__ = ("closed", "column", "items", "kind", "line", "value")

    def __init__(self, kind: str, event: yaml.Event, value: object = None) -> None:
        self.kind, self.value = kind, value
        self.line, self.column = _position(event.start_mark)
        self.items: list[_Node] = []  # of a map: key, value, key, value …
        self.closed = kind == "scalar"


def load(text: str) -> Document:
    """Read a pipeline file.

    Raises:
        SpecErrors: the text is no YAML, holds two documents, a duplicate key, an unknown tag, or
            is larger than the limits above once its aliases are unfolded.
    """
    try:
        root = _Reader().read(text)
    except UnicodeEncodeError as error:
        line = error.object.count("\n", 0, error.start) + 1
        raise _failed("the text holds half of a surrogate pair", line) from None
    except yaml.MarkedYAMLError as error:
        if mixed := mixed_indentation(text):
            raise SpecErrors(mixed) from None
        mark = error.problem_mark or error.context_mark
        words = ", ".join(filter(None, (error.context, error.problem)))
        raise _failed(words, *_position(mark)) from None
    except yaml.YAMLError as error:
        raise _failed(str(error).splitlines()[0], _line_of_bad_character(text)) from None
    if root is None:
        raise _failed("the file is empty")
    return _Plain().document(root)


def of_mapping(data: Mapping[str, Any]) -> Document:
    """Take a document that is stored as plain values, without lines.

    Raises:
        SpecErrors: it is nested too deep, too large, or holds what JSON cannot hold.
    """
    return Document(_Plain().copy(data, 0))


def _failed(message: str, line: int = 0, column: int = 0) -> SpecErrors:
    """An error of the text itself; line and column count from 1, 0 is not known."""
    return SpecErrors([SpecError(message, line=line, column=column, type="Error")])


def _too_large(line: int) -> SpecErrors:
    words = (
        f"the document is too large: more than {MAX_NODES:,} values, or {MAX_CHARACTERS:,} characters, "
        "once its aliases are unfolded"
    )
    hint = "share steps by a step type or by another pipeline, in the place of aliases"
    return SpecErrors([SpecError(words, hint=hint, line=line, type="Error")])


def _position(mark: _Mark | None) -> tuple[int, int]:
    """Line and column of a mark, from 1; zeros where there is none."""
    return (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)


def mixed_indentation(text: str) -> list[SpecError]:
    """The lines that are indented by tabs and spaces both, each as an error of its own."""
    return [
        SpecError(
            "Your YAML contains both spaces and tabs.",
            hint="indent with spaces only",
            line=number,
            type="Error",
            code=_MIXED_CODE,
        )
        for number, line in enumerate(text.split("\n"), 1)
        if _MIXED_INDENTATION.match(line)
    ]


def _line_of_bad_character(text: str) -> int:
    bad = re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    return text.count("\n", 0, bad.start()) + 1 if bad else 0


class _Reader:
    """Builds nodes from events, with its own stack."""

    def __init__(self) -> None:
        self._anchors: dict[str, _Node] = {}
        self._open: list[_Node] = []
        self._root: _Node | None = None

    def read(self, text: str) -> _Node | None:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.DocumentStartEvent) and self._root is not None:
                raise _failed("the file holds more than one document", *_position(event.start_mark))
            self._take(event)
        return self._root

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._open.pop().closed = True
        elif isinstance(event, yaml.NodeEvent):
            node = self._node(event)
            if self._open:
                self._open[-1].items.append(node)
            else:
                self._root = node
            if not node.closed:
                self._open.append(node)
                if len(self._open) > MAX_DEPTH:
                    raise _failed(f"nested deeper than {MAX_DEPTH} levels", node.line, node.column)

    def _node(self, event: yaml.NodeEvent) -> _Node:
        if isinstance(event, yaml.AliasEvent):
            known = self._anchors.get(event.anchor or "")
            if known is None or not known.closed:
                what = "undefined alias" if known is None else "an alias within its own anchor"
                raise _failed(f"{what} {event.anchor!r}", *_position(event.start_mark))
            return known
        if isinstance(event, yaml.ScalarEvent):
            node = _Node("scalar", event, _scalar(event))
        else:
            node = _Node("map" if isinstance(event, yaml.MappingStartEvent) else "list", event)
            _check_tag(event, {"!", _TAG + ("map" if node.kind == "map" else "seq")})
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node


def _check_tag(event: yaml.NodeEvent, known: set[str]) -> None:
    tag = getattr(event, "tag", None)
    if tag is not None and tag not in known:
        raise _failed(f"unknown tag {tag!r}", *_position(event.start_mark))


def _scalar(event: yaml.ScalarEvent) -> object:
    """The value of a scalar: by its tag, by its look if it is plain, else a string."""
    _check_tag(event, {"!", *(_TAG + kind for kind in ("str", "int", "float", "bool", "null"))})
    text = str(event.value)
    if event.tag is None:
        return _resolve(text) if event.implicit[0] else text
    if event.tag in {"!", _TAG + "str"}:
        return text
    value = _resolve(text)
    wanted = event.tag.removeprefix(_TAG)
    if wanted == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if wanted != {type(None): "null", bool: "bool", int: "int", float: "float"}.get(type(value)):
        raise _failed(f"{text[:40]!r} is no {wanted}", *_position(event.start_mark))
    return value


def _resolve(text: str) -> object:
    """What a plain scalar means by the core schema of YAML 1.2."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return _whole(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    special = _SPECIAL.fullmatch(text)
    if special:
        return math.nan if special[1] is None else float(special[1] + "inf")
    return text


def _whole(text: str) -> int | float:
    if text.startswith(("0o", "0x")):
        digits = text[2:]
        bits = len(digits.lstrip("0")) * (3 if text[1] == "o" else 4)
        return int(digits, 8 if text[1] == "o" else 16) if bits < _EXACT_BITS else math.inf
    number = float(text)
    return int(text) if abs(number) < 2**_EXACT_BITS else number


class _Plain:
    """Turns nodes, or values from elsewhere, into plain values; counts what it makes."""

    def __init__(self) -> None:
        self._nodes = self._characters = self._merging = 0
        self._lines: dict[Path, int] = {}

    def document(self, root: _Node) -> Document:
        return Document(self._value(root, ()), self._lines)

    def _mark(self, path: Path, line: int) -> None:
        if self._merging:  # a key of the map itself keeps its own line
            self._lines.setdefault(path, line)
        else:
            self._lines[path] = line

    def _count(self, text: object, depth: int, line: int) -> None:
        self._nodes += 1
        self._characters += len(text) if isinstance(text, str) else 0
        if depth > MAX_DEPTH:
            raise _failed(f"nested deeper than {MAX_DEPTH} levels", line)
        if self._nodes > MAX_NODES or self._characters > MAX_CHARACTERS:
            raise _too_large(line)

    def _value(self, node: _Node, path: Path) -> object:
        self._count(node.value, len(path), node.line)
        if node.kind == "scalar":
            return node.value
        if node.kind == "map":
            return self._map(node, path)
        for index, item in enumerate(node.items):
            self._mark((*path, index), item.line)
        return [self._value(item, (*path, index)) for index, item in enumerate(node.items)]

    def _map(self, node: _Node, path: Path) -> dict[str, object]:
        result: dict[str, object] = {}
        own: set[str] = set()
        for key_node, value_node in zip(node.items[::2], node.items[1::2], strict=True):
            key = _key(key_node)
            if key == _MERGE:
                for name, merged in self._merged(value_node, path):
                    result.setdefault(name, merged)
                continue
            if key in own:
                raise _failed(f"duplicated mapping key {key!r}", key_node.line, key_node.column)
            own.add(key)
            self._mark((*path, key), key_node.line)
            result[key] = self._value(value_node, (*path, key))
        return result

    def _merged(self, node: _Node, path: Path) -> Iterator[tuple[str, object]]:
        for source in node.items if node.kind == "list" else [node]:
            if source.kind != "map":
                raise _failed("only maps can be merged by '<<'", source.line, source.column)
            self._merging += 1
            yield from self._map(source, path).items()
            self._merging -= 1

    def copy(self, value: object, depth: int) -> object:
        """Copy values that were stored as JSON, checking them as a text is checked."""
        self._count(value, depth, 0)
        if isinstance(value, Mapping):
            if not all(isinstance(key, str) for key in value):
                raise _failed("a key is no string")
            for key in value:
                self._count(key, depth, 0)
            return {key: self.copy(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.copy(item, depth + 1) for item in value]
        if value is None or isinstance(value, str | bool | int | float):
            return value
        raise _failed(f"a {type(value).__name__} has no place in a pipeline")


def _key(node: _Node) -> str:
    if node.kind != "scalar":
        raise _failed("a map or a list cannot be a key", node.line, node.column)
    value = node.value
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
