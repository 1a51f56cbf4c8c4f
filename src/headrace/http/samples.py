"""The example of an operation in three forms: for curl, for `codefresh`, for the Python client.

The first two are for a shell that knows CF_URL and CF_API_KEY, the third for a program that has a
`client`. What only a server knows is a variable: ``$BUILD_ID`` in the shell, ``build_id`` in Python.
"""

import json
import re
import shlex
from typing import Any
from urllib.parse import parse_qsl, unquote

from headrace.client.names import option, snake
from headrace.http.routing import Route
from headrace.http.sse import Events

_PARAMETER = re.compile(r"\{(\w+)(?::path)?\}")
_VARIABLE = re.compile(r"\$([A-Z_]+)\Z")
_WIDTH = 88


def samples(route: Route, parameters: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the forms as ``x-codeSamples`` has them.

    Args:
        route: the operation.
        parameters: its parameters, as the API document has them.
    """
    return [
        {"lang": "Shell", "label": "curl", "source": curl(route)},
        {"lang": "Shell", "label": "codefresh", "source": codefresh(route)},
        {"lang": "Python", "label": "Python", "source": python(route, parameters)},
    ]


def curl(route: Route) -> str:
    """Return the example as a command of curl."""
    path = _PARAMETER.sub(
        lambda found: route.example.path.get(found[1], f"${_variable(route.path, found)}"), route.path
    )
    if route.example.query:
        path += "?" + route.example.query
    parts = ["curl"] if route.method == "GET" else ["curl", "-X", route.method]
    parts.append(f'"$CF_URL/api{path}"')
    if not route.public:
        parts.append('-H "Authorization: $CF_API_KEY"')
    if route.example.body is not None:
        parts += ["-H 'Content-Type: application/json'", f"--data {_json(route)}"]
    return " ".join(parts)


def codefresh(route: Route) -> str:
    """Return the example as a command of our client."""
    fields = [*_path(route).items(), *parse_qsl(route.example.query, keep_blank_values=True)]
    parts = ["codefresh", "api", route.sdk]
    parts += [
        f'{name}="{value}"' if _VARIABLE.match(value) else shlex.quote(f"{name}={value}")
        for name, value in fields
    ]
    if route.example.body is not None:
        parts.append(f"-d {_json(route)}")
    return " ".join(parts)


def python(route: Route, parameters: list[dict[str, Any]]) -> str:
    """Return the example as a call of the Python client."""
    schemas = {one["name"]: one["schema"] for one in parameters}
    values: list[tuple[str, Any]] = [("", value) for value in _path(route).values()]
    if route.example.body is not None:
        values.append(("", route.example.body))
    given: dict[str, Any] = {}
    for name, value in parse_qsl(route.example.query, keep_blank_values=True):
        read = _read(value, schemas[name])
        given[name] = [*given.get(name, []), *read] if isinstance(read, list) else read
    path_names = list(route.path_names)
    values += [(option(name, path_names) + "=", value) for name, value in given.items()]
    call = f"client.{'.'.join(map(snake, route.sdk.split('.')))}"
    words = [name + _written(value, len(call) + len(name)) for name, value in values]
    line = f"{call}({', '.join(words)})"
    return f"for told in {line}:\n    print(told.data)" if route.result_type is Events else line


def _path(route: Route) -> dict[str, str]:
    """The fields of the path, decoded; a variable of the shell where the example has no value."""
    return {
        found[1]: unquote(route.example.path.get(found[1], f"${_variable(route.path, found)}"))
        for found in _PARAMETER.finditer(route.path)
    }


def _variable(path: str, found: re.Match[str]) -> str:
    """``{buildId}`` → ``BUILD_ID``; ``/projects/{id}`` → ``PROJECT_ID``."""
    name = found[1]
    if name == "id":
        noun = path[: found.start()].strip("/").rpartition("/")[2]
        name = re.sub(r"(?<!s)s$", "", noun) + "Id"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("-", "_").upper()


def _json(route: Route) -> str:
    return shlex.quote(json.dumps(route.example.body, ensure_ascii=False))


def _read(value: str, schema: dict[str, Any]) -> Any:  # noqa: ANN401 - what the schema says
    """A text of a query string as the value that the schema means."""
    for one in schema.get("anyOf", [schema]):
        if one.get("type") == "array":
            return [value]
        if one.get("type") == "integer":
            return int(value)
        if one.get("type") == "boolean":
            return value == "true"
    return value


def _written(value: Any, before: int = 0, depth: int = 0) -> str:  # noqa: ANN401 - a JSON value
    """A JSON value as Python writes it; on several lines where one would be too wide.

    Args:
        value: a text that is a variable of the shell becomes that variable.
        before: characters that stand on its line already.
        depth: how deep it is inside others.
    """
    if isinstance(value, str):
        found = _VARIABLE.match(value)
        return found[1].lower() if found else json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list):
        return repr(value)
    parts = (
        [(_written(key) + ": ", inner) for key, inner in value.items()]
        if isinstance(value, dict)
        else [("", inner) for inner in value]
    )
    ends = "{}" if isinstance(value, dict) else "[]"
    line = ends[0] + ", ".join(name + _written(inner) for name, inner in parts) + ends[1]
    if before + 4 * depth + len(line) <= _WIDTH and "\n" not in line:
        return line
    space = "    " * (depth + 1)
    inside = "".join(f"{space}{name}{_written(inner, len(name), depth + 1)},\n" for name, inner in parts)
    return f"{ends[0]}\n{inside}{'    ' * depth}{ends[1]}"
