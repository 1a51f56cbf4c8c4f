"""The command asks the server through the typed methods of the client."""

import ast
from pathlib import Path

CLI = Path(__file__).parents[2] / "src" / "headrace" / "cli"
# `codefresh api NAME` takes any operation; the others are no operations of the document, or held open.
BY_HAND = {
    ("commands/api.py", "call"),
    ("commands/api.py", "stream"),
    ("commands/auth.py", "request"),
    ("commands/version.py", "request"),
    ("logs.py", "request"),
    ("logs.py", "fetch"),
}


def test_the_command_names_no_operation_by_text():
    found = set()
    for path in CLI.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in ("call", "request", "stream", "fetch"):
                found.add((path.relative_to(CLI).as_posix(), node.attr))
    assert found == BY_HAND
