"""``make screenshots``: the pictures of the web pages that README and docs show.

    PYTHONPATH=tests .venv/bin/python tools/screenshots.py [FOLDER]     # docs/screenshots without a folder

A server of its own on this machine with an account in which a team works, and Debian's chromium.
Builds are real: what the pictures show has run.
"""

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from e2e.server import Server, until
from e2e.town import Account, Town, step
from headrace.storage import migrations
from headrace.storage.engine import Database, sqlite_url

ROOT = Path(__file__).resolve().parent.parent
USER = "ada"
PASSWORD = "a password for the pictures"  # noqa: S105 - of a server that ends with this program
WIDTH, HEIGHT = 1200, 750

_STAGES = ["prepare", "test", "release"]
_TESTS = """\
for file in cart checkout invoice login search shipping; do
  printf '  \\033[32m✓\\033[0m %s.test.ts\\n' $file; sleep 0.3
done
printf '\\nTest files  \\033[32m6 passed\\033[0m (6)\\n'"""
_LINT = (
    "printf 'checked 148 files, \\033[33m1 warning\\033[0m\\n  src/cart.ts:41  unused import\\n'; sleep 0.8"
)
_BROKEN = """\
printf '  \\033[32m✓\\033[0m refund.test.ts\\n  \\033[31m✗\\033[0m currency.test.ts\\n\\n'
printf '\\033[31mError: expected "EUR 10.00", got "EUR 9.99"\\033[0m\\n    at currency.test.ts:27:14\\n'
exit 1"""


def _web(talk_s: int = 0) -> dict[str, Any]:
    """The steps of the pipeline that most pictures show; ``talk_s`` holds the tests back."""
    return {
        "install": step(
            "echo 'added 812 packages in 2s'; sleep 1", stage="prepare", title="Install packages"
        ),
        "checks": {
            "type": "parallel",
            "stage": "test",
            "title": "Checks",
            "steps": {
                "unit": step(_TESTS, f"sleep {talk_s}", title="Unit tests"),
                "lint": step(_LINT, title="Lint"),
                "types": step("echo 'no type errors'; sleep 1.2", title="Types"),
            },
        },
        "ask": {"type": "pending-approval", "stage": "release", "title": "Release to production?"},
        "deploy": step(
            "echo 'rolled out shop-web to 3 of 3 pods'",
            stage="release",
            title="Deploy",
            when={"branch": {"only": ["main"]}},
        ),
    }


class Scene:
    """An account in which a team works: pipelines with builds in each state."""

    def __init__(self, acme: Account) -> None:
        self._acme = acme
        for name, steps in {
            "shop/web": _web(),
            "shop/payments": {
                "install": step("echo 'added 96 packages'", stage="prepare"),
                "unit": step(_BROKEN, stage="test", title="Unit tests"),
                "publish": step("echo published", stage="release"),
            },
            "shop/search-index": {
                "rebuild": step("echo '48,211 documents'; sleep 1", title="Rebuild the index")
            },
            "platform/base-images": {"build": step("echo 'built 4 images'", title="Build")},
            "platform/nightly": {"sweep": step("echo 'removed 31 old volumes'", title="Sweep")},
        }.items():
            acme.pipeline("", name=name, steps=steps, stages=_STAGES)
        acme.pipeline("", name="shop/web-slow", steps=_web(talk_s=600), stages=_STAGES)

    def run(self, name: str, branch: str = "main") -> str:
        """Run a pipeline; return the id of its build."""
        build_id: str = self._acme.run(name, branch=branch)
        return build_id

    def reached(self, build_id: str, status: str) -> str:
        """Wait until a build has a status; return its id."""
        until(lambda: self._acme.build(build_id)["status"] == status, f"{build_id} to be {status}")
        return build_id

    def answered(self, build_id: str) -> str:
        """Wait for the question of a build and approve it; return its id at its end."""
        self.reached(build_id, "pending-approval")
        self._acme.call("GET", f"/api/workflow/{build_id}/pending-approval/approve")
        return self.reached(build_id, "success")

    def played(self) -> dict[str, str]:
        """Run what a day brings; return the builds that pictures show, by what happened to them."""
        self.run("platform/nightly")
        self.run("platform/base-images")
        failed = self.run("shop/payments", "fix/rounding")
        index = self.run("shop/search-index")
        done, asked = self.run("shop/web"), self.run("shop/web")
        running = self.run("shop/web-slow", "feature/wishlist")
        self.reached(failed, "error")
        self.reached(index, "success")
        self.answered(done)
        self.reached(asked, "pending-approval")
        self.reached(running, "running")
        return {"failed": failed, "done": done, "asked": asked, "running": running}


def pictures(builds: dict[str, str]) -> list[tuple[str, str, str, str]]:
    """Return name, theme, where it is taken, and the text that must be seen before, of each picture."""
    running, failed, done = (f"/builds/{builds[name]}" for name in ("running", "failed", "done"))
    return [
        ("builds", "light", "/builds", "fix/rounding"),
        ("build-light", "light", running, "Test files"),
        ("build-dark", "dark", running, "Test files"),
        ("failed", "light", failed, "got"),
        ("editor", "light", "/pipelines/shop%2Fweb?tab=workflow", "no problems"),
        ("graph", "dark", f"{done}?view=graph", "Deploy"),
    ]


@contextlib.contextmanager
def installation(folder: Path) -> Iterator[tuple[Account, str]]:
    """Start a server with one account; yield the account and the address."""
    folder.mkdir(parents=True)
    database = Database(sqlite_url(folder / "headrace.db"))
    migrations.upgrade(database)
    with Server(folder, "--runtime", "local") as server:
        yield Town(server, database).account(USER, PASSWORD), server.url
    database.close()


def log_in(browser: Browser, url: str, theme: str) -> Page:
    """Open the pages as the user."""
    page = browser.new_page(base_url=url, color_scheme=theme, viewport={"width": WIDTH, "height": HEIGHT})
    page.goto("/")
    page.get_by_label("User name").fill(USER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Headrace").wait_for()
    return page


def main(target: Path) -> None:
    """Take all pictures."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, installation(Path(scratch) / "data") as (acme, url):
        taken = pictures(Scene(acme).played())
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            pages = {theme: log_in(browser, url, theme) for theme in ("light", "dark")}
            for name, theme, path, text in taken:
                page = pages[theme]
                page.goto(path)
                page.get_by_text(text).filter(visible=True).first.wait_for()
                page.screenshot(path=target / f"{name}.png")
            browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "screenshots")
