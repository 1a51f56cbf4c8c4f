"""Write the pages that are made from code: ``make docs``."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headrace.app import settings
from headrace.http.openapi import document
from headrace.http.routing import Route
from headrace.http.scopes import DORMANT, LABELS

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

## Lists and their pages

A list takes a `limit`, and says in the header `Link` where the next page is, if there is one:
`Link: </api/projects?limit=25&after=...>; rel="next"`. Follow that address until an answer has no such
header. The cursor `after` is the place of the last row shown: the next page begins there at the same
cost, be it the second or the thousandth, and rows that come or go meanwhile neither repeat nor hide
others. `offset` and `page` count rows as the public API does; use them to jump. Without a limit, a
list that has none in the public API is whole, up to 10,000 rows; more have a `Link`.

```sh
next="/api/pipelines?limit=100"
while [ -n "$next" ]; do
  curl -sS -D headers "$CF_URL$next" -H "Authorization: $CF_API_KEY"
  next=$(sed -n 's/^link: <\\(.*\\)>; rel="next".*/\\1/p' headers)
done
```

## Versions, repeats and limits

- **Versions.** What a `GET` finds has an `ETag`. With it in `If-None-Match` the answer is 304
  without a body while nothing has changed. With it in `If-Match` a `PUT`, `PATCH` or `DELETE` at
  the same address changes nothing and answers 412 if somebody else was quicker; it needs the scope
  of the `GET`, too.
- **Repeats.** A request that writes may carry an `Idempotency-Key`, a text of its own such as a
  UUID. Sent again within a day with the same method, path, query and body, it does nothing and
  answers as the first time, with `Idempotency-Replayed: true`; with anything else it answers 422.
  Of two at the same time the second waits for the first; where the operation asks another system,
  it answers 409 instead. An error is not kept.
- **Rate.** Each answer says in `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset`
  (seconds) how much the key may still ask. Over the limit the answer is 429, and `Retry-After` says
  when to go on. The limit is 6,000 requests a minute, all at once or evenly; `--rate-limit` changes
  it. Failed logins and wrong keys have a limit for each address, `--failure-limit`. Each server
  counts for itself, in memory.
- **Gzip** is sent to those who accept it, not for streams and logs and not where a secret is shown.
- **Browsers.** Pages of other origins may not call the API; `--cors-origins` names some that may,
  with a key.

## Scopes

A scope grants itself and what begins with it: `build` grants `build:read`. A key without scopes may do
all that its user may. `any` below stands for every valid key, `public` for no key at all. Plurals
(`builds:read`) are equal to what stands here. {dormant} are scopes of Codefresh that open
nothing here: a key may hold them, so that a list that another tool keeps can be sent as it is.
""".format(dormant=", ".join(f"`{scope}`" for scope in sorted(DORMANT)))


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
