"""The page at ``/api/``, from the API document: readable without a script, searchable with one.

Nothing of it is written twice: words, fields, errors and examples are those of the document.
"""

import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from typing import Any

from headrace.http.conduct import resolved
from headrace.http.scopes import LABELS

_CODE = re.compile(r"``?([^`]+)``?")
_DEEPEST = 3  # levels of fields that are shown in one table; a type shows the rest
_TABS = ("curl", "codefresh", "Python")
_METHODS = ("get", "post", "put", "patch", "delete")


def page(spec: dict[str, Any], *, base_url: str, last: str) -> str:
    """Return the whole page as HTML.

    Args:
        spec: the API document.
        base_url: ``http://127.0.0.1:8080``, as the reader wrote it.
        last: the tag that stands at the end, which is about the page itself.
    """
    groups: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            groups.setdefault(operation["tags"][0], []).append((method, path, operation))
    for operations in groups.values():  # what lists and creates comes before what is about one of them
        operations.sort(key=lambda one: (one[1].count("{"), one[1], _METHODS.index(one[0])))
    tags = sorted(groups, key=lambda tag: (tag == last, tag))
    schemas = spec["components"]["schemas"]
    shell = files("headrace.http").joinpath("assets", "page.html").read_text(encoding="utf-8")
    return shell.format(
        version=escape(str(spec["info"]["version"])),
        url=escape(base_url),
        count=sum(map(len, groups.values())),
        links="".join(_links(tag, groups[tag]) for tag in tags),
        scopes=_scopes(),
        sections="".join(_section(tag, groups[tag], spec) for tag in tags),
        types="".join(_schema(name, schemas) for name in sorted(schemas)),
    )


def _links(tag: str, operations: list[tuple[str, str, dict[str, Any]]]) -> str:
    inner = "".join(
        f'<li><a href="#{escape(one["operationId"])}">{_method(method)}'
        f"<span>{escape(one['summary'].replace('`', ''))}</span></a></li>"
        for method, _, one in operations
    )
    return (
        f'<details class="group"><summary>{escape(tag)} <small>{len(operations)}</small></summary>'
        f"<ul>{inner}</ul></details>"
    )


def _section(tag: str, operations: list[tuple[str, str, dict[str, Any]]], spec: dict[str, Any]) -> str:
    articles = "".join(_operation(method, path, one, spec) for method, path, one in operations)
    return f'<section class="tag" id="tag-{escape(tag)}"><h2>{escape(tag)}</h2>{articles}</section>'


def _method(method: str) -> str:
    return f'<b class="{method}">{"DEL" if method == "delete" else method.upper()}</b>'


def _operation(method: str, path: str, operation: dict[str, Any], spec: dict[str, Any]) -> str:
    name, schemas = escape(operation["operationId"]), spec["components"]["schemas"]
    paragraphs = [part for part in operation.get("description", "").split("\n\n") if part]
    words = " ".join(
        (method, f"/api{path}", operation["summary"], operation["x-sdk-interface"], operation["x-scope"])
    )
    return (
        f'<article id="{name}" data-find="{escape((words + " " + operation["tags"][0]).lower())}"'
        f' data-method="{method}" data-path="{escape(path)}" tabindex="-1">'
        f'<h3><a href="#{name}">{_prose(operation["summary"])}</a></h3>'
        f'<p class="line">{_method(method)} <code>/api{escape(path)}</code></p>'
        f"{''.join(f'<p>{_prose(part)}</p>' for part in paragraphs)}"
        f'<p class="facts"><span>scope <code>{escape(operation["x-scope"])}</code></span> '
        f"<span>sdk <code>{escape(operation['x-sdk-interface'])}</code></span></p>"
        f"{_samples(name, operation['x-codeSamples'])}"
        f"{_parameters(operation)}{_body(operation, schemas)}{_answer(operation, schemas)}"
        f"{_errors(operation, spec)}</article>"
    )


def _samples(name: str, samples: list[dict[str, str]]) -> str:
    """Tabs that are radio buttons: they switch by styles alone, and with the keys of the keyboard."""
    by_label = {one["label"]: one["source"] for one in samples}
    parts = ['<div class="samples" role="group" aria-label="example">']
    for index, label in enumerate(_TABS):
        checked = " checked" * (index == 0)
        parts.append(
            f'<input type="radio" name="tab-{name}" id="{name}-{index}" data-tab="{index}"{checked}>'
            f'<label for="{name}-{index}">{label}</label>'
        )
    parts += [f"<pre><code>{escape(by_label[label])}</code></pre>" for label in _TABS]
    return "".join(parts) + "</div>"


def _prose(text: str) -> str:
    """Return a text of a docstring as HTML: what stands in backticks is code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _parameters(operation: dict[str, Any]) -> str:
    rows = [
        _row(one["name"], one["schema"], one.get("description", ""), needed=one["required"], place=one["in"])
        for one in operation["parameters"]
    ]
    return _details("parameters", rows, ("name", "in", "type", "meaning")) if rows else ""


def _body(operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    body = operation.get("requestBody")
    if body is None:
        return ""
    return _shape("body", body["content"]["application/json"]["schema"], schemas)


def _answer(operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    content = operation["responses"]["200"].get("content", {})
    if "text/event-stream" in content:
        return '<p class="answer">answers with server-sent events</p>'
    schema = content.get("application/json", {}).get("schema")
    return "" if schema is None else _shape("answer", schema, schemas)


def _shape(title: str, schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    """A table of fields where the schema has some, else a line with its type."""
    rows = list(_fields(schema, schemas, "", ()))
    kind = _type(schema)
    if not rows:
        return f'<p class="answer">{title}: {kind}</p>'
    return _details(title, rows, ("field", "type", "meaning"), note=f"<p>{kind}</p>")


def _fields(
    schema: dict[str, Any], schemas: dict[str, Any], before: str, seen: tuple[str, ...]
) -> Iterable[str]:
    """Rows of the fields of a schema and of what is inside them, as ``workflows.docs[].id``."""
    for one in schema.get("anyOf", [schema]):
        name = str(one.get("$ref", "")).rpartition("/")[2]
        if one.get("type") == "array" and one.get("items"):
            yield from _fields(one["items"], schemas, before + "[]", seen)
        elif name and name not in seen and len(seen) < _DEEPEST:
            found = schemas[name]
            for field, shape in found.get("properties", {}).items():
                whole = f"{before}.{field}" if before else field
                needed = field in found.get("required", ())
                yield _row(whole, shape, shape.get("description", ""), needed=needed)
                yield from _fields(shape, schemas, whole, (*seen, name))


def _row(name: str, schema: dict[str, Any], text: str, *, needed: bool, place: str | None = None) -> str:
    text = text or next((one["description"] for one in schema.get("anyOf", ()) if "description" in one), "")
    notes = [_prose(text)] if text else []
    default = schema.get("default")
    if isinstance(default, str | int) and default != "":
        notes.append(f"<span>default <code>{escape(json.dumps(default))}</code></span>")
    star = "" if not needed else ' <abbr title="required">*</abbr>'
    cells = [
        f"<code>{escape(name)}</code>{star}",
        *([place] if place else []),
        _type(schema),
        " ".join(notes),
    ]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _details(title: str, rows: list[str], head: tuple[str, ...], *, note: str = "") -> str:
    heads = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    return (
        f'<details class="more"><summary>{title}</summary>{note}<div class="wide"><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div></details>"
    )


def _type(schema: dict[str, Any]) -> str:
    """The type of a schema as HTML; a named one is a link to its fields."""
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "$ref" in schema:
        name = escape(str(schema["$ref"]).rpartition("/")[2])
        return f'<a href="#type-{name}">{name}</a>'
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(one))}</code>" for one in schema["enum"])
    kind = escape(str(schema.get("type", "any")))
    if kind == "array" and schema.get("items"):
        return f"list of {_inner(schema['items'])}"
    values = schema.get("additionalProperties")
    return f"{kind} of {_inner(values)}" if isinstance(values, dict) and values else kind


def _inner(schema: dict[str, Any]) -> str:
    return f"({_type(schema)})" if "anyOf" in schema else _type(schema)


def _schema(name: str, schemas: dict[str, Any]) -> str:
    schema = schemas[name]
    needed = schema.get("required", ())
    rows = [
        _row(field, shape, shape.get("description", ""), needed=field in needed)
        for field, shape in schema.get("properties", {}).items()
    ]
    text = schema.get("description", "")
    return (
        f'<div class="type" id="type-{escape(name)}"><h3>{escape(name)}</h3><p>{_prose(text)}</p>'
        f'<div class="wide"><table><tbody>{"".join(rows)}</tbody></table></div></div>'
    )


def _errors(operation: dict[str, Any], spec: dict[str, Any]) -> str:
    rows = [
        f"<tr><td>{escape(status)}</td><td>{_meaning(status, resolved(answer, spec), operation)}</td></tr>"
        for status, answer in operation["responses"].items()
        if status != "200"
    ]
    return _details("errors", rows, ("status", "when"))


def _meaning(status: str, answer: Mapping[str, Any], operation: dict[str, Any]) -> str:
    text = _prose(answer["description"])
    return f"{text} <code>{escape(operation['x-scope'])}</code>" if status == "403" else text


def _scopes() -> str:
    rows = [
        f"<tr><td><code>{escape(scope)}</code></td><td>{escape(label)}</td></tr>"
        for group in LABELS.values()
        for scope, label in group.items()
    ]
    return _details("scopes of keys", rows, ("scope", "what it allows"))
