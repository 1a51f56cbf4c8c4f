"""The page at ``/api/``: every operation with its scope, fields, errors and a command to copy."""

import re
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from typing import Any

from headrace.http.errors import NotFound
from headrace.http.openapi import document
from headrace.http.routing import Example, Raw, Reply, Route, Router
from headrace.http.scopes import LABELS, Scope

router = Router("", tag="reference")

_CODE = re.compile(r"``?([^`]+)``?")
_ASSETS = {"reference.css": "text/css", "reference.js": "text/javascript"}
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


class Reference:
    """The routes of the application, as a document and as a page."""

    def __init__(self, routes: Iterable[Route], *, version: str) -> None:
        self._routes = tuple(routes)
        self.version = version

    def document(self, base_url: str) -> dict[str, Any]:
        """Return the OpenAPI document for a server at ``base_url``."""
        return document(self._routes, version=self.version, server_url=base_url + "/api")

    def page(self, base_url: str) -> str:
        """Return the page as HTML."""
        spec = self.document(base_url)
        by_tag: dict[str, list[str]] = {}
        for path, operations in spec["paths"].items():
            for method, operation in operations.items():
                by_tag.setdefault(operation["tags"][0], []).append(_operation(method, path, operation, spec))
        tags = sorted(by_tag, key=lambda tag: (tag == router.tag, tag))  # what is about the page comes last
        links = "".join(f'<li><a href="#{escape(tag)}">{escape(tag)}</a></li>' for tag in tags)
        sections = "".join(
            f'<section id="{escape(tag)}"><h2>{escape(tag)}</h2>{"".join(by_tag[tag])}</section>'
            for tag in tags
        )
        return _PAGE.format(
            version=escape(self.version),
            url=escape(base_url),
            links=links,
            scopes=_scopes(),
            sections=sections,
        )


@router.route("GET", "/", scope=Scope.PUBLIC, sdk="reference.page")
def get_page(raw: Raw, reference: Reference) -> Reply:
    """Read the reference of the API as a page."""
    headers = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
    return Reply(reference.page(raw.base_url), headers=headers, media_type="text/html")


@router.route("GET", "/version", scope=Scope.ANY, sdk="version.getServerVersion")
def get_version(reference: Reference) -> dict[str, str]:
    """Read the version of the server."""
    return {"version": reference.version, "current_commit": reference.version}


@router.route("GET", "/nomios/version", scope=Scope.ANY, sdk="version.getNomiosVersion")
def get_nomios_version(reference: Reference) -> str:
    """Get the version of what starts builds from webhooks."""
    return reference.version


@router.route("GET", "/hermes/version", scope=Scope.ANY, sdk="version.getHermesVersion")
def get_hermes_version(reference: Reference) -> str:
    """Read the version of what serves triggers, which is the server itself."""
    return reference.version


@router.route("GET", "/openapi.json", scope=Scope.PUBLIC, sdk="reference.openapi")
def get_openapi(raw: Raw, reference: Reference) -> dict[str, Any]:
    """Read the OpenAPI document; programs on the Node SDK build their methods from it."""
    return reference.document(raw.base_url)


@router.route(
    "GET",
    "/assets/{name}",
    scope=Scope.PUBLIC,
    sdk="reference.asset",
    example=Example(path={"name": "reference.css"}),
)
def get_asset(name: str) -> Reply:
    """Read a style or script of the reference page.

    `name` is `reference.css` or `reference.js`.
    """
    if name not in _ASSETS:
        raise NotFound(f"could not find the asset {name!r}; there are {', '.join(_ASSETS)}")
    content = files("headrace.http").joinpath("assets", name).read_bytes()
    return Reply(content, headers={"X-Content-Type-Options": "nosniff"}, media_type=_ASSETS[name])


def _operation(method: str, path: str, operation: dict[str, Any], spec: dict[str, Any]) -> str:
    name = escape(operation["operationId"])
    text = "".join(
        f"<p>{_prose(part)}</p>" for part in operation.get("description", "").split("\n\n") if part
    )
    sample = escape(operation["x-codeSamples"][0]["source"])
    return (
        f'<article id="{name}" data-find="{escape((method + path + operation["summary"]).lower())}">'
        f"<h3><b class={method}>{method.upper()}</b> <code>/api{escape(path)}</code></h3>"
        f"<p>{_prose(operation['summary'])}.</p>{text}"
        f"<p class=facts>scope <code>{escape(operation['x-scope'])}</code> · "
        f"sdk <code>{escape(operation['x-sdk-interface'])}</code></p>"
        f'<div class=sample><pre><code>{sample}</code></pre><button type="button">copy</button></div>'
        f"{_fields(operation, spec)}{_errors(operation)}</article>"
    )


def _prose(text: str) -> str:
    """Return a text of a docstring as HTML: what stands in backticks is code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _fields(operation: dict[str, Any], spec: dict[str, Any]) -> str:
    rows = [
        _row(one["name"], one["in"], one["schema"], one.get("description", ""))
        for one in operation["parameters"]
    ]
    body = operation.get("requestBody")
    if body is not None:
        schema = _resolve(body["content"]["application/json"]["schema"], spec)
        for name, shape in schema.get("properties", {}).items():
            rows.append(_row(name, "body", shape, shape.get("description", "")))
    if not rows:
        return ""
    head = "<tr><th>field</th><th>in</th><th>type</th><th></th></tr>"
    return f"<details><summary>fields</summary><table>{head}{''.join(rows)}</table></details>"


def _row(name: str, place: str, schema: dict[str, Any], text: str) -> str:
    cells = (f"<code>{escape(name)}</code>", place, escape(_type(schema)), _prose(text))
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _type(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    kind = str(schema.get("type", "any"))
    return f"{kind} of {_type(schema['items'])}" if kind == "array" and schema.get("items") else kind


def _resolve(schema: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    found: dict[str, Any] = spec["components"]["schemas"].get(name, schema)
    return found


def _errors(operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{escape(status)}</td><td>{escape(answer['description'])}</td></tr>"
        for status, answer in operation["responses"].items()
        if status != "200"
    )
    return f"<details><summary>errors</summary><table>{rows}</table></details>"


def _scopes() -> str:
    rows = "".join(
        f"<tr><td><code>{escape(scope)}</code></td><td>{escape(label)}</td></tr>"
        for group in LABELS.values()
        for scope, label in group.items()
    )
    return f"<table>{rows}</table>"


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Headrace API</title><link rel="stylesheet" href="/api/assets/reference.css">
<script src="/api/assets/reference.js" defer></script></head><body>
<nav><h1>Headrace API</h1><p>{version}</p>
<input type="search" placeholder="search ( / )" aria-label="search operations"><ul>{links}</ul>
<p><a href="/api/openapi.json">openapi.json</a></p></nav>
<main><section id="start"><h2>Start</h2>
<p>Send your key as the header <code>Authorization</code>. The commands below read two variables:</p>
<pre><code>export CF_URL={url} CF_API_KEY=&lt;your key&gt;</code></pre>
<p>Path parameters are written as variables, too: <code>$BUILD_ID</code>. Encode a pipeline's name as one
segment: <code>my-project%2Fmy-pipeline</code>.</p>
<details><summary>scopes of keys</summary>{scopes}</details></section>{sections}</main></body></html>
"""
