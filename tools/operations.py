"""The page that says of every operation of the public API what this server does with it."""

import csv
import re
from collections import Counter
from pathlib import Path

from headrace.http.routing import Route

LIST = Path(__file__).with_name("operations.csv")
REAL, EMPTY, REFUSED, MISSING = "real", "empty form", "501", "not there yet"
_PARAMETER = re.compile(r"\{[^}]*\}")
_HEAD = """# Operations of the public API

What this server does with each operation that clients of the Codefresh API know. **real**: there is a
route that does what its text says, and its example is executed; parts of it may be listed under
[what is missing](not-yet.md). **empty form**: the documented answer of a server that has none of it.
**501**: refused in the standard error form. **not there yet**: answers 404.
P0 and P1 are what a user of pipelines needs; P2 makes the list whole. The paths are below `/api`.
"""


def listed() -> list[dict[str, str]]:
    """Every operation of the list: priority, method, path, operation, sdk."""
    with LIST.open(newline="") as file:
        return list(csv.DictReader(file))


def address(method: str, path: str) -> tuple[str, str]:
    """Method and path without the names of parameters, which differ between documents."""
    return method, _PARAMETER.sub("{}", path).rstrip("/")


def state(route: Route | None) -> str:
    """What the server does, as the route's own documentation says it."""
    if route is None:
        return MISSING
    if "not offered" in route.summary:
        return REFUSED
    is_empty = "nothing happens" in route.summary or route.summary.endswith(": none")
    return EMPTY if is_empty else REAL


def page(routes: list[Route]) -> str:
    """The page, made from the list and the routes."""
    known = {address(route.method, route.path): route for route in routes}
    rows = [(row, state(known.get(address(row["method"], row["path"])))) for row in listed()]
    totals = Counter((row["priority"], found) for row, found in rows)
    states = (REAL, EMPTY, REFUSED, MISSING)
    lines = [_HEAD, "| priority | " + " | ".join(states) + " |", "|---|" + "---|" * len(states)]
    lines += [
        f"| {priority} | " + " | ".join(str(totals[priority, one]) for one in states) + " |"
        for priority in ("P0", "P1", "P2")
    ]
    lines += ["", "| priority | operation | sdk | what it does |", "|---|---|---|---|"]
    for row, found in rows:
        sdk = f"`{row['sdk']}`" if row["sdk"] else ""
        lines.append(f"| {row['priority']} | `{row['method']} {row['path']}` | {sdk} | {found} |")
    return "\n".join(lines) + "\n"
