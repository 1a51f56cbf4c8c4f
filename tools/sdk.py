"""Writes the typed methods of the Python client from the API document; run by the installation.

`made(openapi.json)` gives the files of `src/headrace/client/made/`: a table of the operations, a type
for each schema, and a module of methods for each resource. They are not committed, as the pages are
not. Standard library only: it runs where the package is built.

Names: ``workflows.getBuild`` is ``client.workflows.get_build``; a name that Python keeps for itself
or that is used twice gets an underscore at its end.
"""

import json
import keyword
import runpy
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
MADE = Path("src/headrace/client/made")
NAMES = runpy.run_path(str(ROOT / "src/headrace/client/names.py"))  # the package is not there yet
snake, option_name = NAMES["snake"], NAMES["option"]
KEY_HEADER = "Idempotency-Key"
SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
# One address as official clients write it.
AS_WRITTEN = {"contexts.create": "/contexts/"}
HEAD = '"""{text}\n\nMade from the API document when the package is installed; do not edit.\n"""\n\n'


class Option(NamedTuple):
    """A parameter of a method: its name in Python, on the wire, its type."""

    name: str
    wire: str
    type: str
    required: bool
    text: str


class Method(NamedTuple):
    """One operation, as a method."""

    sdk: str
    method: str
    path: str
    summary: str
    description: str
    scope: str
    path_names: tuple[Option, ...]
    query: tuple[Option, ...]
    body: Option | None
    result: str
    is_stream: bool
    is_keyed: bool
    has_effect: bool


def made(document: dict[str, Any]) -> dict[str, str]:
    """File name to text, for everything that is made."""
    methods = sorted(_methods(document), key=lambda one: one.sdk)
    tree: dict[str, list[Method]] = {}
    for one in methods:
        tree.setdefault(one.sdk.partition(".")[0], []).append(one)
    files = {snake(group): _module(group, inside) for group, inside in tree.items()}
    return {
        "__init__.py": _groups(sorted(tree)),
        "operations.py": _table(methods),
        "types.py": _types(document["components"]["schemas"]),
        **{f"{name}.py": text for name, text in files.items()},
    }


def _methods(document: dict[str, Any]) -> Iterator[Method]:
    schemas = document["components"]["schemas"]
    for path, item in document["paths"].items():
        for verb, one in item.items():
            given, has_effect = one["parameters"], verb == "post" or one.get("x-effect", False)
            content = one["responses"]["200"].get("content", {})
            result = content.get("application/json", {}).get("schema")
            yield Method(
                sdk=one["x-sdk-interface"],
                method=verb.upper(),
                path=AS_WRITTEN.get(one["x-sdk-interface"], path),
                summary=one["summary"],
                description=one.get("description", ""),
                scope=one["x-scope"],
                path_names=tuple(
                    Option(snake(field["name"]), field["name"], "str", True, "")
                    for field in sorted(
                        (field for field in given if field["in"] == "path"),
                        key=lambda field: path.index("{" + field["name"] + "}"),
                    )
                ),
                query=tuple(_query(given)),
                body=_body(one, schemas),
                result="Any" if result is None else type_of(result),
                is_stream="text/event-stream" in content,
                is_keyed=has_effect and any(field["name"] == KEY_HEADER for field in given),
                has_effect=has_effect,
            )


def _query(given: list[dict[str, Any]]) -> Iterator[Option]:
    taken = [field["name"] for field in given if field["in"] == "path"]
    for field in given:
        if field["in"] == "query":
            yield Option(
                option_name(field["name"], taken),
                field["name"],
                type_of(field["schema"], reading=False),
                field["required"],
                field.get("description") or field["schema"].get("description", ""),
            )


def _body(one: dict[str, Any], schemas: dict[str, Any]) -> Option | None:
    if "requestBody" not in one:
        return None
    schema = one["requestBody"]["content"]["application/json"]["schema"]
    target = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
    required = one["requestBody"].get("required", False) or bool(target.get("required"))
    return Option("body", "body", type_of(schema, reading=False), required, "")


def type_of(schema: dict[str, Any], *, reading: bool = True) -> str:
    """A schema as an annotation; what is given (not read) may be any mapping or sequence."""
    if "$ref" in schema:
        return "types." + schema["$ref"].rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(type_of(one, reading=reading) for one in schema["anyOf"]))
    if "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema['enum']))}]"
    kind = schema.get("type")
    if kind == "array":
        items = type_of(schema.get("items") or {}, reading=reading)
        return f"{'builtins.list' if reading else 'Sequence'}[{items}]"
    if kind == "object":
        values = schema.get("additionalProperties")
        inner = type_of(values, reading=reading) if isinstance(values, dict) else "Any"
        return f"{'builtins.dict' if reading else 'Mapping'}[str, {inner}]"
    return SIMPLE.get(str(kind), "Any")


def _types(schemas: dict[str, Any]) -> str:
    """One `TypedDict` for each schema; what has a default may be absent."""
    lines = [HEAD.format(text="What the API takes and gives: a dictionary type for each schema.")]
    lines += ["from __future__ import annotations\n", "import builtins"]
    lines += ["from typing import Any, Literal, NotRequired, TypedDict"]
    for name, schema in schemas.items():
        fields = {
            field: type_of(shape).replace("types.", "")
            if field in schema.get("required", ())
            else f"NotRequired[{type_of(shape).replace('types.', '')}]"
            for field, shape in schema.get("properties", {}).items()
        }
        lines += _type(name, fields, schema.get("description", f"`{name}` of the API."))
    return "\n".join(lines) + "\n"


def _type(name: str, fields: dict[str, str], text: str) -> Iterator[str]:
    if all(field.isidentifier() and not keyword.iskeyword(field) for field in fields):
        yield f"\n\nclass {name}(TypedDict):\n    {_doc(text)}\n"
        yield from (f"    {field}: {kind}" for field, kind in fields.items())
        return
    # The functional form, for names that are no names of Python; it reads texts as annotations.
    pairs = ", ".join(f"{field!r}: {kind!r}" for field, kind in fields.items())
    yield f"\n\n{name} = TypedDict({name!r}, {{{pairs}}})"


def _doc(text: str) -> str:
    return '"""' + text.replace("\\", "\\\\").replace('"""', "'''").strip() + '"""'


def _table(methods: list[Method]) -> str:
    lines = [HEAD.format(text="Every operation by its SDK name.")]
    lines += ["from headrace.client.operation import Operation\n", "OPERATIONS: dict[str, Operation] = {"]
    for one in methods:
        path = tuple(option.wire for option in one.path_names)
        query = tuple(option.wire for option in one.query)
        fields = (one.method, one.path, path, query, one.body is not None, one.is_stream)
        fields += (one.is_keyed, one.has_effect)
        lines.append(f"    {one.sdk!r}: Operation{fields!r},")
    return "\n".join([*lines, "}", ""])


def _groups(groups: list[str]) -> str:
    lines = [HEAD.format(text="The resources of the API; each is imported when it is first used.")]
    lines += ["from __future__ import annotations\n"]
    lines += ["from functools import cached_property", "from typing import TYPE_CHECKING\n"]
    lines += ["if TYPE_CHECKING:", "    from headrace.client.api import Client"]
    lines += [f"    from headrace.client.made.{snake(one)} import {_class(one)}" for one in groups]
    lines += ['\n\nclass Resources:\n    """A property for each resource."""\n']
    lines += ["    @property", "    def _client(self) -> Client:", "        raise NotImplementedError\n"]
    for one in groups:
        lines += [
            "    @cached_property",
            f"    def {snake(one)}(self) -> {_class(one)}:",
            f"        {_doc(f'The operations ``{one}.*``.')}",
            f"        from headrace.client.made.{snake(one)} import {_class(one)}\n",
            f"        return {_class(one)}(self._client)\n",
        ]
    return "\n".join(lines)


def _class(group: str) -> str:
    return "".join(part[0].upper() + part[1:] for part in group.replace("-", ".").split("."))


def _module(group: str, methods: list[Method]) -> str:
    lines = [HEAD.format(text=f"The operations ``{group}.*``.")]
    lines += ["from __future__ import annotations\n", "from typing import TYPE_CHECKING\n"]
    lines += [
        "if TYPE_CHECKING:",
        "    import builtins",
        "    from collections.abc import Iterator, Mapping, Sequence",
    ]
    lines += ["    from typing import Any, Literal\n", "    from headrace.client.api import Client"]
    lines += ["    from headrace.client.events import Event", "    from headrace.client.made import types"]
    inside: dict[str, list[Method]] = {group: []}
    for one in methods:
        inside.setdefault(one.sdk.rpartition(".")[0], []).append(one)
    for path in sorted(inside, reverse=True):  # what is inside comes before what holds it
        children = sorted(other for other in inside if other.rpartition(".")[0] == path)
        lines += [f"\n\nclass {_class(path)}:\n    {_doc(f'The operations ``{path}.*``.')}\n"]
        lines += ["    def __init__(self, client: Client) -> None:", "        self._client = client"]
        lines += [f"        self.{snake(one.rpartition('.')[2])} = {_class(one)}(client)" for one in children]
        for one in inside[path]:
            lines += _method(one)
    return "\n".join(lines) + "\n"


def _method(one: Method) -> Iterator[str]:
    words = ["self", *(f"{option.name}: str" for option in one.path_names)]
    if one.body is not None:
        words.append(
            f"body: {one.body.type}" if one.body.required else f"body: {one.body.type} | None = None"
        )
    keywords = [
        f"{option.name}: {option.type}"
        if option.required
        else f"{option.name}: {option.type.removesuffix(' | None')} | None = None"
        for option in one.query
    ]
    words += ["*", *keywords] if keywords else []
    result = "Iterator[Event]" if one.is_stream else one.result
    yield f"\n    def {snake(one.sdk.rpartition('.')[2])}({', '.join(words)}) -> {result}:"
    yield textwrap.indent(_doc(_words_of(one)), "    " * 2)
    arguments = [repr(one.sdk)]
    arguments += ["body"] if one.body is not None else []
    if one.query:
        pairs = ", ".join(f"{option.wire!r}: {option.name}" for option in one.query)
        arguments.append(f"query={{{pairs}}}")
    arguments += [f"{option.wire}={option.name}" for option in one.path_names]
    call = f"self._client.{'stream' if one.is_stream else 'call'}({', '.join(arguments)})"
    if result in ("Any", "Iterator[Event]"):
        yield f"        return {call}"
    else:
        yield f"        found: {result} = {call}\n        return found"


def _words_of(one: Method) -> str:
    parts = [f"{one.summary}."]
    parts += [one.description] if one.description else []
    told = [f"    {option.name}: {option.text}" for option in one.query if option.text]
    parts += ["Args:\n" + "\n".join(told)] if told else []
    parts += [f"``{one.method} /api{one.path}``, scope ``{one.scope}``."]
    return "\n\n".join(parts) + ("\n" if len(parts) > 1 else "")


def write(root: Path) -> None:
    """Write the files below ``root`` anew; what is already so stays untouched, what is old goes."""
    folder = root / MADE
    folder.mkdir(parents=True, exist_ok=True)
    files = made(json.loads((root / "openapi.json").read_text()))
    for path in folder.glob("*.py"):
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if sys.argv[1:] else ROOT)
