"""Where `async` stands, and what a worker may read: decisions 2 and 11."""

import ast

import pytest

from architecture.tree import PACKAGE, imports, modules, parsed, short

ASYNC_ROOMS = {"execution", "runtimes"}
# Streams, wake-ups, the tasks of the server and the run without one: all wait as the engine does.
ASYNC_EDGES = {"app", "http", "web", "storage/logs", "storage/signals.py", "kit/clock.py", "cli/local.py"}
ASYNC_IN_A_RESOURCE = {
    "changes.py",
    "feed.py",
    "records.py",
    "routes.py",
    "secrets.py",
    "socket.py",
    "streams.py",
}


def may_wait(path):
    place = path.relative_to(PACKAGE)
    if place.parts[0] == "resources":
        return place.name in ASYNC_IN_A_RESOURCE
    return place.parts[0] in ASYNC_ROOMS or any(place.as_posix().startswith(edge) for edge in ASYNC_EDGES)


def test_async_stands_only_where_many_things_are_awaited_at_once():
    wrong = [
        f"{short(path)}:{node.lineno} async def {node.name}"
        for path in modules()
        if not may_wait(path)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.AsyncFunctionDef)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room", ["execution", "runtimes"])
def test_a_worker_reads_no_yaml(room):
    forbidden = ("yaml", "headrace.pipeline.compile", "headrace.pipeline.spec")
    wrong = [
        f"{short(path)}:{line} imports {name}"
        for path in modules(PACKAGE / room)
        for name, line in imports(path)
        if name.startswith(forbidden)
    ]
    assert not wrong, "\n".join(wrong)
