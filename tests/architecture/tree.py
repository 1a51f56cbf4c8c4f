"""What the architecture tests look at: the files of the checkout and the modules of the package."""

import ast
import functools
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "headrace"


@functools.cache
def files(*patterns):
    """Files that are in Git or about to be, as paths from the root; all, or by pattern."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return tuple(path for name in sorted(set(names.split("\0")) - {""}) if (path := ROOT / name).is_file())


def text_files():
    """The files that hold text, with their text."""
    for path in files():
        data = path.read_bytes()
        if b"\0" not in data[:8192]:
            yield path, data.decode(errors="replace")


def short(path):
    """A path as people write it: from the root."""
    return path.relative_to(ROOT).as_posix()


def modules(folder=PACKAGE):
    """Python files of the package below a folder."""
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def dotted(path):
    """The name under which a module is imported."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def parsed(path):
    """The syntax tree of a file."""
    return ast.parse(path.read_text(), str(path))


def imports(path):
    """Every name that a module imports, as ``(dotted name, line)``, `from a import b` as ``a.b``."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                anchor = dotted(path).split(".") + ([""] if path.name == "__init__.py" else [])
                base = ".".join([*anchor[: -node.level], *([base] if base else [])])
            yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)
