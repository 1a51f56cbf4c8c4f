"""Every list is complete: a module that nobody lists is a feature that nobody can reach."""

import ast

import pytest

from architecture.tree import PACKAGE, dotted, imports, parsed, short

# Beside what is listed: the interface, and the runtime that only tests choose.
UNLISTED = {"base", "fake"}
FOLDERS = ["pipeline/steps", "cli/commands", "runtimes", "resources", "resources/triggers/kinds"] + [
    f"integrations/{kind}" for kind in ("git", "secrets", "notify", "registries", "clusters")
]


def members(folder):
    """Modules and packages directly in a folder, by name."""
    return {
        path.stem: path if path.is_file() else path / "__init__.py"
        for path in folder.iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists()) and path.stem[:1] not in "_."
    }


def said(init):
    """Names that an ``__init__.py`` imports or holds as text (a lazy list names modules)."""
    words = {part for name, _ in imports(init) for part in name.split(".")}
    for node in ast.walk(parsed(init)):
        # A docstring may tell of a module without listing it.
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
            words |= set(node.value.replace(":", ".").split("."))
    return words


def helpers(found, name, init):
    """Modules of the folder that one of them imports: parts of it. A folder is listed by itself."""
    own = found[name]
    for path in own.parent.rglob("*.py") if own.name == "__init__.py" else [own]:
        for imported, _ in imports(path):
            if imported.startswith(dotted(init) + "."):
                other = imported.removeprefix(dotted(init) + ".").partition(".")[0]
                if other in found and found[other].name != "__init__.py":
                    yield other


@pytest.mark.parametrize("folder", [name for name in FOLDERS if (PACKAGE / name).is_dir()])
def test_every_module_is_in_the_list_of_its_folder(folder):
    init = PACKAGE / folder / "__init__.py"
    found = members(PACKAGE / folder)
    reached = (said(init) | UNLISTED) & set(found)
    while more := {part for name in reached for part in helpers(found, name, init)} - reached:
        reached |= more
    missing = sorted(set(found) - reached)
    assert not missing, f"{short(init)} does not list {missing}"
