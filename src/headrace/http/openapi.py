"""The OpenAPI 3.1 document, made from the routes; nothing in it is written twice."""

import re
import types
import typing
from collections.abc import Iterable
from typing import Any

import msgspec

from headrace.http import conduct
from headrace.http.routing import Reply, Route
from headrace.http.samples import samples
from headrace.http.sse import Events, Stream

_PARAMETER = re.compile(r"\{(\w+)(?::path)?\}")
_REF = "#/components/schemas/{name}"


class Error(msgspec.Struct):
    """Every error has this body."""

    status: int
    code: str
    name: str
    message: str
    context: dict[str, Any]


def document(routes: Iterable[Route], *, version: str, server_url: str) -> dict[str, Any]:
    """Return the OpenAPI document of the routes, as a JSON value.

    Args:
        routes: in any order; the document is sorted by path.
        version: of the server.
        server_url: base of the paths, ``http://127.0.0.1:8080/api``.
    """
    ordered = sorted(routes, key=lambda route: (route.path, route.method))
    kinds = [Error, *(kind for route in ordered for kind in _types(route))]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    by_type = dict(zip(map(_key, kinds), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    templates: dict[str, str] = {}
    documents = {_shape(route) for route in ordered if route.is_document}
    for route in ordered:
        operation = _operation(route, by_type, has_document=_shape(route) in documents)
        paths.setdefault(_template(route, templates), {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Headrace API",
            "version": version,
            "description": "The Codefresh API, served by Headrace.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server_url}],
        "tags": [{"name": tag} for tag in sorted({route.tag for route in ordered})],
        "paths": paths,
        "components": {
            "schemas": components,
            **conduct.components(by_type[_key(Error)]),
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "Authorization"},
                "session": {"type": "apiKey", "in": "header", "name": "x-access-token"},
            },
        },
    }


def _template(route: Route, seen: dict[str, str]) -> str:
    """Return the templated path; two that differ in names only are told apart by a final slash."""
    path = _PARAMETER.sub(r"{\1}", route.path)
    known = seen.setdefault(_shape(route), path)
    return path if known == path else path + "/"


def _shape(route: Route) -> str:
    """Return the path without the names of its parameters: what two operations of one address share."""
    return _PARAMETER.sub("{}", route.path)


def _types(route: Route) -> list[Any]:
    """Return the types of a route that have a schema: body and result, each shape of a result."""
    return [
        shape for kind in (route.body_type, route.result_type) if _has_schema(kind) for shape in _shapes(kind)
    ]


def _shapes(kind: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any annotation
    """Return what a union is made of; msgspec has no schema for a union of untagged objects."""
    if not isinstance(kind, types.UnionType):
        return (kind,)
    return tuple(shape for shape in typing.get_args(kind) if _has_schema(shape))


def _schema(kind: Any, schemas: dict[Any, dict[str, Any]]) -> dict[str, Any]:  # noqa: ANN401 - any annotation
    shapes = [schemas[_key(shape)] for shape in _shapes(kind)]
    return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}


def _has_schema(kind: Any) -> bool:  # noqa: ANN401 - any annotation
    return kind not in (None, Reply, Stream, Events, type(None)) and typing.get_origin(kind) is not type


def _key(kind: Any) -> Any:  # noqa: ANN401 - any annotation
    return repr(kind)


def _operation(route: Route, schemas: dict[Any, dict[str, Any]], *, has_document: bool) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.operation,
        "x-sdk-interface": route.sdk,
        "tags": [route.tag],
        "summary": route.summary,
    }
    if route.description:
        operation["description"] = route.description
    operation |= {
        "x-scope": str(route.scope),
        "security": [] if route.public else [{"apiKey": []}, {"session": []}],
        "parameters": [
            *_path_parameters(route),
            *_query_parameters(route),
            *conduct.parameters_of(route, has_document=has_document),
        ],
        "responses": {
            "200": _answer(route, schemas),
            **conduct.responses_of(route, has_document=has_document),
        },
    }
    operation["x-codeSamples"] = samples(route, operation["parameters"])
    if route.effect and route.method == "GET":
        operation["x-effect"] = True  # a client must not repeat it as it may repeat other reads
    if route.body_type is not None:
        body: dict[str, Any] = {"schema": _schema(route.body_type, schemas)}
        if route.example.body is not None:
            body["example"] = route.example.body
        operation["requestBody"] = {"required": route.method != "POST", "content": {"application/json": body}}
    elif route.example.body is not None:  # read as it was signed, by the handler itself
        body = {"schema": {"type": "object"}, "example": route.example.body}
        operation["requestBody"] = {"required": False, "content": {"application/json": body}}
    return operation


def _answer(route: Route, schemas: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "done"}
    if headers := conduct.headers_of(route):
        answer["headers"] = headers
    if _has_schema(route.result_type):
        answer["content"] = {"application/json": {"schema": _schema(route.result_type, schemas)}}
    elif route.result_type is Events:
        answer["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
    return answer


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in route.path_names
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.query_type is None:
        return []
    (reference,), components = msgspec.json.schema_components([route.query_type], ref_template=_REF)
    schema = components[reference["$ref"].rpartition("/")[2]]
    parameters = []
    for name, shape in schema.get("properties", {}).items():
        one = {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": shape}
        if shape.get("type") == "object":
            one["style"] = "deepObject"
        if "description" in shape:
            one["description"] = shape["description"]
        parameters.append(one)
    return parameters
