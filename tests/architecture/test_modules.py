"""Rules about modules that import contracts cannot say."""

import ast

from architecture.tree import PACKAGE, dotted, files, imports, modules, parsed, short

MOST_LINES = 600
READS_THE_ENVIRONMENT = {"headrace.app.settings"}
# Below these names another resource may be entered; the rest of it is its own.
DOORS = {"service", "schemas"}


def test_no_module_is_longer_than_one_can_read():
    long = {
        short(path): lines
        for path in files("*.py", "web/src/*")
        if (lines := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert not long, f"look for the second noun in {long}"


def test_a_resource_reaches_another_only_through_its_service_or_schemas():
    resources = PACKAGE / "resources"
    wrong = []
    for path in modules(resources):
        if path.parent == resources:  # the list of resources knows them all
            continue
        own = path.relative_to(resources).parts[0]
        for name, line in imports(path):
            parts = name.split(".")
            if parts[:2] != ["headrace", "resources"] or len(parts) < 4 or parts[2] == own:
                continue
            if parts[3] not in DOORS:
                wrong.append(f"{short(path)}:{line} imports {name}")
    assert not wrong, "\n".join(wrong)


def _environment_reads(path):
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
            if node.attr in {"environ", "environb", "getenv", "getenvb"}:
                yield node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from (node.lineno for alias in node.names if alias.name in {"environ", "getenv"})


def test_only_the_settings_and_one_module_of_the_client_read_the_environment():
    readers = {dotted(path): lines for path in modules() if (lines := list(_environment_reads(path)))}
    client = {name for name in readers if name.startswith("headrace.cli.")}
    others = {name: lines for name, lines in readers.items() if name not in READS_THE_ENVIRONMENT | client}
    assert not others, f"let the caller hand the value over: {others}"
    assert len(client) <= 1, f"one module of the client reads its variables, not {sorted(client)}"
