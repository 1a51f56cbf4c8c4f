"""Write the pages that are made from code: ``make docs``."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headrace.app import settings
from headrace.http.openapi import document
from headrace.http.routing import Route
from headrace.http.scopes import LABELS

sys.path.insert(0, str(Path(__file__).parent))

import operations
from openapi import all_routes

DOCS = Path(__file__).parents[1] / "docs"

_HEAD = """# API

Every operation, with the scope that a key needs and a command to copy. The same is on each server as
a page at `/api/`, with all fields; `openapi.json` at the root of the project and `/api/openapi.json`
are the document for programs. The header `Authorization` carries the key:

```sh
export CF_URL=http://127.0.0.1:8080 CF_API_KEY=<your key>
```

Errors are JSON: `status`, `code`, `name`, `message`, `context`. A body may have up to 1 MiB.

## Scopes

A scope grants itself and what begins with it: `build` grants `build:read`. A key without scopes may do
all that its user may. `any` below stands for every valid key, `public` for no key at all.
"""


def pages() -> dict[Path, str]:
    """Every page that is made, with its text."""
    routes = all_routes()
    return {
        DOCS / "settings.md": settings.documentation(),
        DOCS / "api.md": api(routes),
        DOCS / "operations.md": operations.page(routes),
    }


def api(routes: list[Route]) -> str:
    """The page of the API: all operations, grouped as in the document."""
    spec = document(routes, version="", server_url="/api")
    by_tag: dict[str, list[str]] = {}
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).extend(_operation(method, path, operation))
    lines = [_HEAD, "| scope | what it allows |", "|---|---|"]
    lines += [f"| `{scope}` | {label} |" for group in LABELS.values() for scope, label in group.items()]
    for tag in sorted(by_tag):
        lines += ["", f"## {tag.capitalize()}", *by_tag[tag]]
    return "\n".join(lines) + "\n"


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield from ("", f"### {operation['summary']}", "", f"`{method.upper()} /api{path}`")
    yield f"· scope `{operation['x-scope']}` · sdk `{operation['x-sdk-interface']}`"
    if "description" in operation:
        yield from ("", operation["description"].replace("``", "`"))
    yield from ("", "```sh", operation["x-codeSamples"][0]["source"], "```")
    named = [one for one in operation["parameters"] if one["in"] == "query"]
    if named:
        yield ""
    for one in named:
        text = one.get("description", "").replace("``", "`")
        yield f"- `{one['name']}`{': ' + text if text else ''}"


if __name__ == "__main__":
    for page, content in pages().items():
        page.write_text(content)
